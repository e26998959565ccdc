"""float16: a rescaled network has the features of the original, and none that overflows."""

import numpy as np
import pytest

from dreamkit import Dream, SettingsError, ascend, load_backbone
from dreamkit.networks.architectures import Architecture
from dreamkit.networks.backbone import Backbone
from dreamkit.networks.folding import folded
from dreamkit.networks.precision import in_precision
from dreamkit.networks.rescaling import feature_scales, rescaled, unscalable
from dreamkit.networks.weights import available_offline
from dreamkit.startup import keras, tf

FLOAT16 = 65504.0  # its largest number


def branching_network(gain=1.0):
    """A network with every layer that can be rescaled, and features about `gain` times larger."""
    keras.utils.set_random_seed(3)
    layers = keras.layers
    conv = lambda x, name, **options: layers.Conv2D(  # noqa: E731
        6, 3, padding="same", name=name, bias_initializer="normal", **options
    )(x)
    inputs = keras.Input((None, None, 3))
    x = conv(layers.ZeroPadding2D(1, name="zeros")(inputs), "first", activation="relu")
    left = layers.MaxPooling2D(2, name="largest")(conv(x, "left", activation="relu"))
    right = conv(layers.AveragePooling2D(2, name="average")(x), "right", use_bias=False)
    right = layers.BatchNormalization(name="norm", scale=False)(right)
    right = layers.Activation("relu", name="positive")(right)
    both = layers.Concatenate(name="both")([left, right])
    x = layers.Add(name="sum")([conv(both, "even"), conv(both, "odd")])
    x = layers.BatchNormalization(name="shared")(x)
    model = keras.Model(inputs, conv(layers.ReLU(name="relu")(x), "last"))
    rng = np.random.default_rng(4)
    for name in ("norm", "shared"):
        for variable in model.get_layer(name).weights:
            variable.assign(rng.uniform(0.5, 2, variable.shape))
    for name, share in (("first", 0.7), ("left", 0.3)):
        kernel, bias = model.get_layer(name).get_weights()
        model.get_layer(name).set_weights([kernel * gain**share, bias])
    return model


def backbone(model, preprocess=lambda images: 255 * images - 120):
    return Backbone(model, Architecture(None, preprocess, half_pays=True))


NAMES = ("first", "largest", "average", "norm", "positive", "both", "sum", "relu", "last")


def error(found, expected):
    """|found − expected| / |expected|."""
    found, expected = np.asarray(found, "float64"), np.asarray(expected, "float64")
    return np.linalg.norm(found - expected) / np.linalg.norm(expected)


@pytest.fixture(scope="module")
def large():
    return backbone(branching_network(gain=3000.0))


def test_in_float32_rescaling_changes_no_bit_of_squeezenet(squeezenet, picture):
    scales, model = in_half(squeezenet)._scales, squeezenet.model
    x, other = squeezenet.architecture.preprocess(picture(40, 48)[None]), rescaled(model, scales)
    for name in ("conv1", "fire3", "pool5"):
        plain, ours = (keras.Model(m.inputs, m.get_layer(name).output) for m in (model, other))
        np.testing.assert_array_equal(ours(x / scales[None]) * scales[name], plain(x))


@pytest.mark.parametrize("fold", [True, False])
def test_every_kind_of_layer_keeps_its_features(large, picture, fold):
    model = folded(large.model) if fold else large.model
    scales = feature_scales(large.model, large.architecture.preprocess)
    other = rescaled(model, scales)
    x = large.architecture.preprocess(tf.constant(picture(20, 24)[None]))
    for name in NAMES:
        plain, ours = (keras.Model(m.inputs, m.get_layer(name).output) for m in (model, other))
        assert error(ours(x / scales[None]) * scales[name], plain(x)) < 1e-5


def test_all_inputs_of_a_concatenation_a_sum_or_a_pooling_have_its_scale(large):
    scales = feature_scales(large.model, large.architecture.preprocess)
    assert len({scales[n] for n in ("left", "largest", "norm", "positive", "both")}) == 1
    assert len({scales[n] for n in ("even", "odd", "sum")}) == 1
    assert scales["first"] == scales["average"]
    assert len(set(scales.values())) > 4  # others have scales of their own


def test_scales_are_powers_of_two_that_bring_features_near_1(large):
    scales = feature_scales(large.model, large.architecture.preprocess)
    assert all(np.log2(scale) == round(np.log2(scale)) for scale in scales.values())
    features = large.features(np.eye(96, dtype="float32")[..., None].repeat(3, -1), NAMES)
    for name, found in features.items():
        assert 0.01 < np.abs(found).max() / scales[name] < 64


def test_features_that_overflow_float16_do_not_once_rescaled(large, picture):
    x = picture(32, 32)
    exact = large.features(x, NAMES)
    assert np.max(exact["both"]) > FLOAT16
    images = large.architecture.preprocess(tf.constant(x[None]))
    naive = in_precision(large.model, "float16")
    naive = keras.Model(naive.inputs, naive.get_layer("both").output)(images)
    assert not np.isfinite(naive).all()
    for name, found in large.with_precision("float16").features(x, NAMES).items():
        assert found.dtype == tf.float32
        assert error(found, exact[name]) < 0.005, name


def rings(side=64):
    """Blue and yellow rings: of many patterns, VGG-19's features like these among the most."""
    y, x = np.mgrid[:side, :side]
    ring = np.hypot(x - side / 2, y - side / 2) // 4 % 2
    return np.where(ring[..., None] > 0, [0.0, 0.0, 1.0], [1.0, 1.0, 0.0]).astype("float32")


@pytest.mark.slow
def test_vgg19_itself_overflows_on_a_dream_of_rings_and_does_not_once_rescaled():
    if not available_offline("vgg19"):
        pytest.skip("VGG-19's weights are not on this machine")
    network, layer = load_backbone("vgg19"), "block4_conv1"
    exact = network.with_precision("float32")
    channel = int(np.argmax(np.max(exact.features(rings(), layer)[layer], (0, 1, 2))))
    dream = Dream(exact, layer, channel=channel, power=2)
    picture = ascend(rings(), dream, 4, learning_rate=0.05, progress=False).image
    expected = exact.features(picture, layer)[layer]
    assert np.max(expected) > FLOAT16
    inputs = network.architecture.preprocess(tf.constant(picture[None]))
    naive = in_precision(exact.extractor((layer,)), "float16")(inputs)
    assert not np.isfinite(naive).all()
    assert error(network.with_precision("float16").features(picture, layer)[layer], expected) < 2e-3


SATURATED = {
    "noise": np.random.default_rng(0).integers(0, 2, (48, 48, 3)),
    "checkerboard": np.indices((48, 48)).sum(0)[..., None] % 2 * np.ones(3),
    "red and cyan": np.where(np.indices((48, 48))[1][..., None] // 8 % 2, [1, 0, 0], [0, 1, 1]),
    "white": np.ones((48, 48, 3)),
}


@pytest.mark.parametrize("pattern", SATURATED)
def test_squeezenet_has_its_features_in_float16_on_extreme_pictures(squeezenet, pattern):
    x, layers = SATURATED[pattern].astype("float32"), ("conv1", "pool3", "fire5")
    half, exact = (net.features(x, layers) for net in (in_half(squeezenet), squeezenet))
    for layer in layers:
        assert error(half[layer], exact[layer]) < 0.005


def in_half(network):
    return network.with_precision("float16")


@pytest.mark.slow
def test_inception_has_its_features_in_float16(pretrained, picture):
    network = pretrained("inception_v3")
    assert unscalable(network.model) is None
    x, layers = picture(80, 96), ("conv2d_2", "mixed0", "mixed3")
    half, exact = (net.features(x, layers) for net in (in_half(network), network))
    for layer in layers:
        assert error(half[layer], exact[layer]) < 0.01


def test_features_from_a_bottleneck_are_those_from_the_pixels(squeezenet, picture):
    network, x = in_half(squeezenet), tf.constant(picture(64, 64)[None])
    whole = network.raw_features(x, ("pool3", "fire5"))
    rest = network.raw_features(whole["pool3"], ("fire5",), start="pool3")
    np.testing.assert_array_equal(rest["fire5"], whole["fire5"])


def test_float64_pictures_have_float64_features(squeezenet, double):
    assert in_half(squeezenet).features(double(64, 64), "fire3")["fire3"].dtype == tf.float64


def test_a_network_that_is_not_homogeneous_is_refused(toy, vgg19, monkeypatch):
    assert unscalable(toy.model).name == "first"  # it has a softplus
    assert unscalable(vgg19.model) is None
    with pytest.raises(SettingsError, match=r'toy cannot compute in float16.*precision="float32"'):
        toy.with_precision("float16")
    other = Backbone(toy.model, Architecture(None, lambda images: images, half_pays=True))
    monkeypatch.setattr("dreamkit.networks.backbone.fastest_precision", lambda: "float16")
    assert other.with_precision("auto").precision == "float32"
