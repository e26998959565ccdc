"""Batch normalisation folded into the convolution before it.  (Notebook 03.)"""

from ..startup import keras, tf


def folded(model):
    """The same Keras model with each batch normalisation folded into the convolution before it.

    A trained normalisation is the same line for every pixel, so with kernel k and bias b
    γ(k∗x + b − μ)/σ + β = (kγ/σ)∗x + (b − μ)γ/σ + β: one pass over the features in place of two.
    The new convolution bears the normalisation's name, whose output it gives; the layer before it
    is gone.

    Introduced in notebook 03.
    """
    norms = _foldable(model)
    if not norms:
        return model

    def clone(layer):
        if layer.name not in norms:
            return layer.from_config(layer.get_config())
        settings = {**layer.get_config(), "name": norms[layer.name].name, "use_bias": True}
        return keras.layers.Conv2D.from_config(settings)

    gone = {norm.name for norm in norms.values()}

    def call(layer, x, **options):
        normalises = isinstance(layer, keras.layers.BatchNormalization) and layer.name in gone
        return x if normalises else layer(x, **options)

    copy = keras.models.clone_model(model, clone_function=clone, call_function=call)
    for layer in model.layers:
        if layer.name in norms:
            copy.get_layer(norms[layer.name].name).set_weights(_merge(layer, norms[layer.name]))
        elif layer.weights and layer.name not in gone:
            copy.get_layer(layer.name).set_weights(layer.get_weights())
    return copy


def _foldable(model):
    """{convolution's name: its batch normalisation}, where nothing else reads the convolution."""
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
    """Kernel and bias of a convolution with its batch normalisation in them."""
    kernel, *bias = convolution.get_weights()
    scale = (norm.moving_variance.numpy() + norm.epsilon) ** -0.5
    scale = scale * norm.gamma.numpy() if norm.scale else scale
    shift = (bias[0] if bias else 0) - norm.moving_mean.numpy()
    return [kernel * scale, shift * scale + (norm.beta.numpy() if norm.center else 0)]
