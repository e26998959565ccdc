"""Rescaling a network so that its features fit into float16.  (Notebook 03.)

float16's largest number is 65,504. VGG-19's features reach 24,000 on our photos, 32,000 on a
checkerboard, 61,000 on black and white rings, and after a few steps of dreaming 77,000. Networks of
convolutions, ReLU and pooling are positively homogeneous: to divide a layer's inputs by a and its
outputs by b, multiply its kernel by a/b and divide its bias by b. So every layer's features can be
brought near 1 without changing what the network computes. As a and b are powers of two, not even
rounding changes.
"""

import math

import numpy as np

from ..images import load_image
from ..startup import keras, tf
from .receptive_field import Geometry

LARGEST = 16  # of the features on our samples: 4,000 times less than float16's largest number
SIDE = 128  # px
SAMPLES = ("astronaut", "chelsea")

LAYERS = keras.layers
# Layers with weights can change the scale; the others pass it on, and need one for all inputs.
WEIGHTED = (LAYERS.Conv2D, LAYERS.BatchNormalization)
PASSING = (LAYERS.ReLU, LAYERS.Concatenate, LAYERS.Add, LAYERS.MaxPooling2D)
PASSING += (LAYERS.AveragePooling2D, LAYERS.ZeroPadding2D, LAYERS.Dropout)
LINEAR_OR_RELU = (keras.activations.linear, keras.activations.relu)


def unscalable(model):
    """The first layer that is not positively homogeneous, apart from a bias; None without one."""

    def scalable(layer):
        if isinstance(layer, LAYERS.InputLayer):
            return True
        exact = type(layer) in (*WEIGHTED, *PASSING, LAYERS.Activation)
        return exact and getattr(layer, "activation", LINEAR_OR_RELU[0]) in LINEAR_OR_RELU

    return next((layer for layer in model.layers if not scalable(layer)), None)


def feature_scales(model, preprocess):
    """{layer: the power of two that brings its features near 1}, measured on a few pictures.

    Args:
        model: a Keras model with no `unscalable` layer.
        preprocess: function from images in [0, 1] to its input.

    Returns:
        {layer: scale}, at least 1; the key None is the input. Layers that must share a scale do.
    """
    with tf.init_scope():  # the first call may come from inside a graph
        every_layer = keras.Model(model.inputs, [layer.output for layer in model.layers])
        largest = np.max([_largest(every_layer, preprocess(x)) for x in _pictures(model)], axis=0)
    groups, by_group = _groups(model), {}
    for layer, value in zip(model.layers, largest, strict=True):
        group = groups[_name(layer)]
        by_group[group] = max(by_group.get(group, 0), value)
    return {name: _power_of_two(by_group[group] / LARGEST) for name, group in groups.items()}


def rescaled(model, scales):
    """A copy of a Keras model whose features are those of the original divided by `scales`."""
    copy = keras.models.clone_model(model)
    for layer in model.layers:
        if layer.weights:
            before, after = scales[_inputs(layer)[0]], scales[layer.name]
            rescale = _rescaled_norm if hasattr(layer, "moving_mean") else _rescaled_convolution
            copy.get_layer(layer.name).set_weights(rescale(layer, before, after))
    return copy


def _rescaled_convolution(layer, before, after):
    kernel, *bias = layer.get_weights()
    return [kernel * (before / after), *(b / after for b in bias)]


def _rescaled_norm(layer, before, after):
    """γ (x − μ) / √(variance + ε) + β, with x divided by `before` and the result by `after`."""
    own = {variable.name: variable.numpy().astype("float64") for variable in layer.weights}
    own["moving_mean"] /= before
    own["moving_variance"] += layer.epsilon
    own["moving_variance"] *= (after / before) ** 2
    own["moving_variance"] -= layer.epsilon
    if layer.center:
        own["beta"] /= after
    return [own[variable.name] for variable in layer.weights]


def _groups(model):
    """{layer: its group}: layers of one group share a scale."""
    groups = {}
    for layer in model.layers:
        groups[_name(layer)] = _name(layer)
        if not isinstance(layer, (*WEIGHTED, LAYERS.InputLayer)):
            joined = {groups[name] for name in _inputs(layer)}
            groups |= {name: layer.name for name, group in groups.items() if group in joined}
    return groups


def _inputs(layer):
    """Names of the layers that a layer reads."""
    return [_name(x._keras_history.operation) for x in tf.nest.flatten(layer.input)]


def _name(layer):
    """A layer's name; None for the input, whose copies have names of their own."""
    return None if isinstance(layer, LAYERS.InputLayer) else layer.name


def _pictures(model):
    """Pictures, (1, h, w, 3) in [0, 1]: photos, and patterns that make features large."""
    side = max(SIDE, Geometry(model).smallest(model.layers[-1].name, 1))
    y, x = np.mgrid[:side, :side]
    pictures = [load_image(name, side) for name in SAMPLES]
    pictures.append(np.random.default_rng(0).integers(0, 2, (side, side, 3)))
    pictures += [np.stack(3 * [(y // n + x // n) % 2], -1) for n in (2, 8)]  # checkerboards
    return [tf.constant(picture[np.newaxis], tf.float32) for picture in pictures]


def _largest(model, images):
    """The largest magnitude of each of a model's outputs."""
    return [float(tf.reduce_max(tf.abs(features))) for features in model(images)]


def _power_of_two(value):
    """The smallest power of two that is at least `value` and 1."""
    return 2.0 ** math.ceil(math.log2(max(value, 1)))
