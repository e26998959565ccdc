"""Folding and lower precision keep a network's features."""

import numpy as np
import pytest

from dreamkit import Dream
from dreamkit.networks import precision
from dreamkit.networks.architectures import Architecture
from dreamkit.networks.backbone import Backbone
from dreamkit.networks.folding import folded
from dreamkit.networks.precision import in_precision
from dreamkit.startup import keras, tf


def normalised(*, shared=False, activation=None, scale=True):
    """A convolution with a batch normalisation; `shared` adds a second layer that reads it."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input((None, None, 3))
    x = keras.layers.Conv2D(4, 3, strides=2, activation=activation, name="conv")(inputs)
    y = keras.layers.BatchNormalization(name="norm", scale=scale)(x)
    y = keras.layers.Activation("relu", name="relu")(y)
    outputs = keras.layers.Concatenate(name="both")([x, y]) if shared else y
    model = keras.Model(inputs, outputs)
    rng = np.random.default_rng(1)
    for variable in model.get_layer("norm").weights:
        variable.assign(rng.uniform(0.5, 2, variable.shape))
    return model


def layer_types(model):
    return [type(layer).__name__ for layer in model.layers[1:]]


@pytest.mark.parametrize("scale", [True, False])
def test_a_folded_convolution_equals_its_normalisations_output(picture, scale):
    model = normalised(scale=scale)
    fast = folded(model)
    assert layer_types(fast) == ["Conv2D", "Activation"]
    assert fast.layers[1].name == "norm"
    image = picture(15, 22)[None]
    np.testing.assert_allclose(fast(image), model(image), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("options", [dict(shared=True), dict(activation="relu")])
def test_a_convolution_that_cannot_be_folded_stays(options):
    model = normalised(**options)
    assert folded(model) is model


def test_a_model_with_nothing_to_fold_is_returned_unchanged(squeezenet, vgg19, monkeypatch):
    monkeypatch.setattr(precision, "mirroring_pays", lambda: False)
    assert folded(squeezenet.model) is squeezenet.model
    assert folded(vgg19.model) is vgg19.model
    assert in_precision(vgg19.model, "float32") is vgg19.model


def test_folded_inception_has_the_same_features_and_gradient(inception, picture):
    layers = ("mixed0", "mixed3", "activation_4")
    assert "BatchNormalization" not in layer_types(inception.extractor(layers))
    outputs = [inception.model.get_layer(name).output for name in layers]
    plain = keras.Model(inception.model.inputs[0], outputs)
    image = tf.constant(picture(96, 112))
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(image)
        ours = list(inception.features(image, layers).values())
        theirs = plain(inception.architecture.preprocess(image[None]))
        totals = [tf.add_n([tf.reduce_sum(f**2) for f in found]) for found in (ours, theirs)]
    for found, expected in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    gradient, expected = (tape.gradient(total, image).numpy() for total in totals)
    assert np.abs(gradient - expected).max() < 1e-4 * np.abs(expected).max()


def test_a_layer_that_folding_removes_is_still_available(inception, picture):
    image = tf.constant(picture(80, 80))
    found = inception.features(image, ("conv2d_2", "mixed0"))
    plain = keras.Model(inception.model.inputs[0], inception.model.get_layer("conv2d_2").output)
    expected = plain(inception.architecture.preprocess(image[None])).numpy()
    largest = np.abs(expected).max()
    np.testing.assert_allclose(found["conv2d_2"], expected, rtol=1e-5, atol=1e-5 * largest)


def test_half_precision_is_folded_before_it_is_rounded(picture):
    backbone = Backbone(normalised(), Architecture(normalised, lambda images: images))
    half = backbone.with_precision("bfloat16")
    assert half.extractor(("relu",)).get_layer("norm").compute_dtype == "bfloat16"
    exact = backbone.features(picture(32, 32), "relu")["relu"]
    rounded = half.features(picture(32, 32), "relu")["relu"]
    assert rounded.dtype == tf.float32
    assert np.abs(rounded - exact).mean() < 0.01 * np.abs(exact).mean()
    assert half.with_precision("float32") is backbone


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_network_may_first_be_used_inside_a_graph(picture, precision):
    backbone = Backbone(normalised(), Architecture(normalised, lambda images: images))
    score = Dream(backbone.with_precision(precision), "relu")
    assert np.abs(score.value_and_gradient(picture(24, 24))[2]).max() > 0
