"""Batch normalisation folded into the convolution before it.  (Notebook 04.)"""

from ..startup import keras, tf


def folded(model):
    """A Keras model with each batch normalisation folded into the convolution before it.

    A trained normalisation is the same linear function at every pixel. With kernel k and bias b,
    γ(k∗x + b − μ)/σ + β = (kγ/σ)∗x + (b − μ)γ/σ + β, so one pass over the features replaces two.
    The merged convolution takes the name of the normalisation, as it has the same output.

    Introduced in notebook 04.
    """
    norms = _foldable(model)
    if not norms:
        return model

    def clone(layer):
        if layer.name not in norms:
            return layer.from_config(layer.get_config())
        settings = {**layer.get_config(), "name": norms[layer.name].name, "use_bias": True}
        return keras.layers.Conv2D.from_config(settings)

    folded_norms = {norm.name for norm in norms.values()}

    def call(layer, x, **options):
        is_norm = isinstance(layer, keras.layers.BatchNormalization)
        return x if is_norm and layer.name in folded_norms else layer(x, **options)

    copy = keras.models.clone_model(model, clone_function=clone, call_function=call)
    for layer in model.layers:
        if layer.name in norms:
            copy.get_layer(norms[layer.name].name).set_weights(_merge(layer, norms[layer.name]))
        elif layer.weights and layer.name not in folded_norms:
            copy.get_layer(layer.name).set_weights(layer.get_weights())
    return copy


def _foldable(model):
    """{convolution: its batch normalisation}, where no other layer reads the convolution."""
    makers = {id(layer.output): layer for layer in model.layers}
    inputs = [x for layer in model.layers for x in tf.nest.flatten(layer.input)]
    readers = {key: sum(id(x) == key for x in inputs) for key in makers}
    return {
        makers[id(layer.input)].name: layer
        for layer in model.layers
        if isinstance(layer, keras.layers.BatchNormalization)
        and type(makers[id(layer.input)]) is keras.layers.Conv2D
        and makers[id(layer.input)].activation is keras.activations.linear
        and readers[id(layer.input)] == 1
    }


def _merge(convolution, norm):
    """Kernel and bias of a convolution merged with its batch normalisation."""
    kernel, *bias = convolution.get_weights()
    scale = (norm.moving_variance.numpy() + norm.epsilon) ** -0.5
    scale = scale * norm.gamma.numpy() if norm.scale else scale
    shift = (bias[0] if bias else 0) - norm.moving_mean.numpy()
    return [kernel * scale, shift * scale + (norm.beta.numpy() if norm.center else 0)]
