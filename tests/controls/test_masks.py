"""Masks: sums over positions become weighted sums, also in tiles, and nothing leaks far outside."""

import numpy as np
import pytest

from conftest import toy_network
from dreamkit import load_backbone
from dreamkit.controls.masks import Masked, at_layer, keep_outside
from dreamkit.dream import Dream
from dreamkit.errors import ImageError, SettingsError
from dreamkit.large.fast import accelerated
from dreamkit.large.tiles import Tiled
from dreamkit.startup import keras, tf
from dreamkit.terms import Content, Style, TotalVariation

SIZE = 24, 28


@pytest.fixture(scope="module")
def net():
    return toy_network()


@pytest.fixture(scope="module")
def mask():
    """Soft: 1 at the top left, falling to 0 towards the bottom right."""
    down, across = np.mgrid[: SIZE[0], : SIZE[1]]
    return np.clip(1.4 - (down + across) / 20, 0, 1).astype("float32")


def noise(height, width, seed=0):
    return np.random.default_rng(seed).random((height, width, 3), "float32")


def features(network, picture, layer):
    """Features in float64 from a separate Keras model, (h, w, C)."""
    model = keras.Model(network.model.inputs[0], network.model.get_layer(layer).output)
    return model(2 * np.float64(picture)[np.newaxis] - 1).numpy()[0]


def means(mask, factor):
    """A mask averaged over squares of pixels, in plain NumPy."""
    height, width = (side // factor for side in mask.shape)
    return np.float64(mask).reshape(height, factor, width, factor).mean((1, 3))


def value(term, picture):
    return float(term(tf.constant(picture, tf.float64))[0])


def test_at_a_layer_with_stride_2_a_mask_is_averaged_over_squares_of_2_px(net, mask):
    np.testing.assert_allclose(at_layer(mask, net, "first")[0, ..., 0], mask)
    np.testing.assert_allclose(at_layer(mask, net, "second")[0, ..., 0], means(mask, 2), rtol=1e-6)


@pytest.mark.parametrize("name", ["squeezenet"])
def test_a_mask_has_the_shape_of_the_features_at_every_layer(name):
    network, picture = load_backbone(name), noise(97, 118)
    layers = network.layers[1:]
    for layer, found in network.features(picture, layers).items():
        assert at_layer(picture[..., 0], network, layer).shape[1:3] == found.shape[1:3], layer


def test_a_masked_style_compares_guided_gram_matrices(net, mask):
    picture, painting = noise(*SIZE), noise(20, 20, seed=1)
    f, p = features(net, picture, "second"), features(net, painting, "second")
    w = means(mask, 2)[..., np.newaxis]
    guided = np.einsum("hwi,hwj->ij", w * f, f) / w.sum()
    gram = np.einsum("hwi,hwj->ij", p, p) / p[..., 0].size
    expected = ((guided - gram) ** 2).sum() / (gram**2).sum()
    masked = Masked(Style(painting, net, "second"), mask)
    assert value(masked, picture) == pytest.approx(expected, rel=1e-6)


def test_a_masked_content_is_the_weighted_difference_over_the_photos_energy(net, mask):
    picture, photo = noise(*SIZE), noise(*SIZE, seed=1)
    f, p = features(net, picture, "second"), features(net, photo, "second")
    w = means(mask, 2)[..., np.newaxis]
    expected = (w / w.mean() * (f - p) ** 2).sum() / (p**2).sum()
    masked = Masked(Content(photo, net, "second"), mask)
    assert value(masked, picture) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("power", [1, 2])
def test_a_masked_dream_is_a_weighted_mean_of_activations(net, mask, power):
    picture = noise(*SIZE)
    f, w = features(net, picture, "second"), means(mask, 2)[..., np.newaxis]
    expected = (w * f**power).mean() / w.mean()
    masked = Masked(Dream(net, "second", power=power), mask)
    assert value(masked, picture) == pytest.approx(expected, rel=1e-6)


def terms(network):
    """Every kind of term, at a shallow and a deep layer."""
    layers = ["fire2", "fire6"]
    yield Content(noise(140, 132, 1), network, layers)
    yield Style(noise(80, 90, 2), network, layers)
    yield Dream(network, layers)
    yield Dream(network, layers, power=2)
    yield Dream(network, layers, guide=noise(60, 60, 3))


KINDS = ["content", "style", "dream", "squares", "guide"]


@pytest.mark.parametrize("number", range(5), ids=KINDS)
def test_a_white_mask_changes_nothing(squeezenet, number):
    term, picture = [*terms(squeezenet)][number], noise(140, 132)
    white = Masked(term, np.ones((5, 5), "float32"))
    assert float(white(picture)[0]) == pytest.approx(float(term(picture)[0]), rel=1e-5)


@pytest.mark.parametrize("number", range(5), ids=KINDS)
def test_masked_terms_work_in_tiles_exactly(squeezenet, number):
    mask = np.zeros((140, 132), "float32")
    mask[30:90, :70] = 1
    mask[90:100, :70] = 0.5
    masked = accelerated(Masked([*terms(squeezenet)][number], mask))
    picture = tf.constant(noise(140, 132), tf.float64)
    whole, tiled = (s.value_and_gradient(picture) for s in (masked, Tiled(masked, 48)))
    assert float(tiled.total) == pytest.approx(float(whole.total), rel=1e-6)
    scale = abs(whole.gradient.numpy()).max()
    np.testing.assert_allclose(tiled.gradient, whole.gradient, atol=1e-5 * scale)


@pytest.mark.parametrize("number", range(5), ids=KINDS)
def test_the_gradient_is_zero_outside_the_mask_beyond_the_receptive_field(squeezenet, number):
    mask = np.zeros((140, 132), "float32")
    mask[:30] = 1
    masked = Masked([*terms(squeezenet)][number], mask)
    gradient = abs(masked.value_and_gradient(noise(140, 132)).gradient.numpy())
    reach = max(map(squeezenet.receptive_field, ("fire2", "fire6")))
    assert gradient[:30].max() > 0
    assert gradient[30 + reach // 2 + 8 :].max() == 0  # 8 px: half a feature's stride


def test_the_gradient_equals_finite_differences(net, mask):
    masked = Masked(Style(noise(20, 20, seed=1), net), mask)
    picture = np.float64(noise(*SIZE))
    gradient = masked.value_and_gradient(tf.constant(picture)).gradient.numpy()
    for place in [(0, 0, 0), (5, 7, 1), (12, 9, 2)]:
        step = np.zeros_like(picture)
        step[place] = 1e-6
        slope = (value(masked, picture + step) - value(masked, picture - step)) / 2e-6
        assert gradient[place] == pytest.approx(slope, rel=1e-6)


def test_a_masked_term_adds_and_scales_like_any_other(net, mask):
    term = Masked(Dream(net), mask)
    total, values = (3 * term - TotalVariation())(tf.constant(noise(*SIZE), tf.float64))
    assert list(values) == ["dream", "total_variation"]
    assert float(total) == pytest.approx(float(3 * values["dream"] - values["total_variation"]))


def test_outside_all_masks_a_picture_stays_as_it_was():
    picture, changed, half = noise(8, 9), noise(8, 9, 1), np.zeros((8, 9), "float32")
    half[:4], grey = 1, np.full((8, 9), 0.5, "float32")
    kept = keep_outside(picture, changed, [half])
    np.testing.assert_array_equal(kept[4:], picture[4:])
    np.testing.assert_allclose(kept[:4], changed[:4], atol=1e-6)
    both = keep_outside(picture, changed, [half, grey])
    np.testing.assert_allclose(both[4:], (picture + changed)[4:] / 2, atol=1e-6)
    assert keep_outside(picture, changed, [half, None]) is changed


def test_a_black_mask_is_refused(net):
    with pytest.raises(SettingsError, match="black everywhere"):
        Masked(Dream(net), np.zeros((4, 4), "float32"))


def test_a_term_on_pixels_cannot_be_masked():
    with pytest.raises(SettingsError, match="total_variation"):
        Masked(TotalVariation(), np.ones((4, 4), "float32"))


def test_a_mask_that_is_not_a_picture_is_refused(net):
    with pytest.raises(ImageError):
        Masked(Dream(net), "no such mask")
