"""Tiles: scores and gradients computed in tiles equal those of the whole picture."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

from dreamkit import (
    Content,
    Dream,
    SettingsError,
    Style,
    Tiled,
    TotalVariation,
    deep_dream,
    load_backbone,
    load_image,
    resize,
    style_transfer,
)
from dreamkit.balanced import Balanced
from dreamkit.large import memory
from dreamkit.large.memory import fit_to_memory
from dreamkit.large.tiles import tiles
from dreamkit.networks.backbone import Backbone
from dreamkit.startup import tf
from dreamkit.terms import Term

SIZES = [(230, 301), (256, 192), (157, 96)]
LARGE = [pytest.param(name, marks=pytest.mark.slow) for name in ("vgg19", "inception")]


def noise(size, seed=0):
    return np.random.default_rng(seed).random((*size, 3), "float32")


def relative_error(a, b):
    """|a − b| / |b|."""
    a, b = np.asarray(a, "float64"), np.asarray(b, "float64")
    return np.linalg.norm(a - b) / np.linalg.norm(b)


def in_float64(network):
    return Backbone(network.model, network.architecture, network.name, precision="float64")


def style_objective(network, size):
    photo, painting = load_image("astronaut", 400)[: size[0], : size[1]], load_image("mosaic", 280)
    return Content(photo, network) + 40 * Style(painting, network) + 0.5 * TotalVariation()


@pytest.fixture(params=["squeezenet", "vgg19", "inception"])
def network(request):
    return request.getfixturevalue(request.param)


# Tiled equals untiled


@pytest.mark.parametrize("network", ["squeezenet", *LARGE], indirect=True)
def test_the_tiled_style_gradient_equals_the_untiled_one_in_float64(network):
    exact, picture = in_float64(network), tf.constant(noise((150, 170)), tf.float64)
    objective = style_objective(exact, (150, 170))
    whole, tiled = (x.value_and_gradient(picture)[2] for x in (objective, Tiled(objective, 64)))
    assert relative_error(tiled, whole) < 1e-7


@pytest.mark.parametrize("network", ["squeezenet", *LARGE], indirect=True)
def test_the_tiled_style_gradient_equals_the_untiled_one(network, avx512):
    size = SIZES[0]
    objective, picture = style_objective(network, size), noise(size)
    total, terms, gradient = objective.value_and_gradient(picture)
    tiled = Tiled(objective, 64)
    tiled_total, tiled_terms, tiled_gradient = tiled.value_and_gradient(picture)
    # Kernels may round differently at another size and flip the sign of a unit near 0; the untiled
    # gradient in float32 is then just as far from that in float64.
    assert relative_error(tiled_gradient, gradient) < (1e-4 if avx512 else 5e-3)
    assert float(tiled_total) == pytest.approx(float(total), rel=1e-5)
    assert float(tiled(picture)[0]) == pytest.approx(float(total), rel=1e-5)
    assert {k: float(v) for k, v in tiled_terms.items()} == pytest.approx(
        {k: float(v) for k, v in terms.items()}, rel=1e-5
    )


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("power", [1, 2])
def test_the_tiled_dream_gradient_equals_the_untiled_one_at_every_step(squeezenet, size, power):
    dream = Dream(squeezenet, power=power)
    tiled = Tiled(dream, 64)
    for seed in range(2):  # the first call must not affect the second
        total, _, gradient = dream.value_and_gradient(noise(size, seed))
        tiled_total, _, tiled_gradient = tiled.value_and_gradient(noise(size, seed))
        assert relative_error(tiled_gradient, gradient) < 1e-4
        assert float(tiled_total) == pytest.approx(float(total), rel=1e-5)


def test_guided_and_single_channel_dreams_can_be_tiled(squeezenet):
    picture = noise((150, 130))
    for dream in (
        Dream(squeezenet, guide=load_image("coffee", 120)),
        Dream(squeezenet, "fire4", channel=7),
        Dream(squeezenet, channel={"fire4": [7, 9], "fire6": {3: -0.5}}),
        Dream(squeezenet, label="goldfish"),
    ):
        whole, tiled = (x.value_and_gradient(picture)[2] for x in (dream, Tiled(dream, 48)))
        assert relative_error(tiled, whole) < 1e-4


def test_a_balanced_score_can_be_tiled(squeezenet):
    down, picture = style_objective(squeezenet, (160, 160)), noise((160, 160))
    whole, tiled = (
        fit_to_memory(Balanced(down, Dream(squeezenet), 0.7, smooth=2), (160, 160), tile)
        for tile in (None, 48)
    )
    a, b = whole.value_and_gradient(picture), tiled.value_and_gradient(picture)
    assert relative_error(b[2], a[2]) < 1e-4
    assert list(a[1]) == list(b[1])
    assert float(a[0]) == pytest.approx(float(b[0]), rel=1e-5)
    assert float(tiled(picture)[0]) == pytest.approx(float(a[0]), rel=1e-5)


@dataclass(eq=False)
class Means(Term):
    """A term of one's own that knows nothing of tiles: mean features, near a reference's maps."""

    image: np.ndarray
    backbone: Backbone
    layers: dict
    name: ClassVar[str] = "means"

    def reference(self, size):
        return resize(self.image, size)

    def target(self, features):
        """A map, a list of vectors and a sum for each layer: all that a target may hold."""
        spots = {n: tf.reshape(f, (-1, f.shape[-1])) for n, f in features.items()}
        return {n: (f, spots[n], tf.reduce_sum(f, (1, 2))) for n, f in features.items()}

    def statistics(self, features, target):
        apart = {n: tf.abs(f - target[n][0]) * f for n, f in features.items()}
        return {
            n: (tf.reduce_sum(a, (1, 2)), tf.cast(tf.size(a), a.dtype)) for n, a in apart.items()
        }

    def loss(self, statistics, target):
        each = {
            n: tf.reduce_sum(total * target[n][2]) / number + tf.reduce_max(target[n][1])
            for n, (total, number) in statistics.items()
        }
        return self.layer_mean(each)


def test_any_term_whose_statistics_add_up_is_tiled_without_knowing_it(squeezenet):
    exact, picture = in_float64(squeezenet), tf.constant(noise((150, 170)), tf.float64)
    term = Means(noise((90, 80), seed=3), exact, {"conv1": 1.0, "fire4": 2.0, "fire6": 0.5})
    for score in (term, 2 * term - Dream(exact)):
        whole, tiled = (x.value_and_gradient(picture) for x in (score, Tiled(score, 48)))
        assert relative_error(tiled.gradient, whole.gradient) < 1e-7
        assert float(tiled.total) == pytest.approx(float(whole.total), rel=1e-9)


def test_a_term_whose_statistics_do_not_add_up_is_refused_with_the_size_that_fits(
    squeezenet, monkeypatch
):
    dream = Dream(squeezenet, border=2)
    assert not isinstance(fit_to_memory(dream, (128, 128)), Tiled)
    short_of_memory(monkeypatch, 2 * 2**30)
    with pytest.raises(SettingsError, match=r"up to about \d+"):
        fit_to_memory(dream, (2048, 2048))


def test_real_vgg_is_tiled_exactly_to_block5(pretrained):
    network = pretrained("vgg16")
    objective, picture = style_objective(network, (230, 301)), noise((230, 301))
    whole, tiled = (x.value_and_gradient(picture)[2] for x in (objective, Tiled(objective, 96)))
    assert relative_error(tiled, whole) < 1e-4


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_flat_picture_shows_no_seam(squeezenet, dtype, avx512):
    flat = tf.fill((256, 256, 3), tf.constant(0.5, dtype))
    dream = Dream(squeezenet if dtype == "float32" else in_float64(squeezenet))
    whole, tiled = (x.value_and_gradient(flat)[2].numpy() for x in (dream, Tiled(dream, 64)))
    across = lambda g: np.abs(np.diff(g, axis=0)).mean((1, 2))  # noqa: E731
    assert across(tiled)[63:-1:64].max() < 1.05 * across(whole)[32:-32].max()  # at the seams
    if dtype == "float64" or avx512:  # elsewhere rounding decides which of equal values is largest
        assert np.allclose(across(tiled), across(whole), rtol=1e-3, atol=1e-3 * across(whole).max())


def test_the_recipes_give_the_same_picture_in_tiles():
    for recipe, pictures in ((style_transfer, ("astronaut", "mosaic")), (deep_dream, ("coffee",))):
        whole, tiled = (
            recipe(
                *pictures, seed=1, steps=3, octaves=1, size=128, tile=tile, profile="ci",
                precision="float32", progress=False,
            ).image
            for tile in (None, 48)
        )  # fmt: skip
        assert np.abs(whole - tiled).mean() < 1e-3


# How a picture is cut


@pytest.mark.parametrize("size", SIZES)
def test_every_feature_is_counted_once(network, size):
    layers = network.architecture.style_layers
    for layer, features in network.features(noise(size), layers).items():
        counted = np.zeros(features.shape[1:3])
        for tile in tiles(size, 64, network, layers):
            counted[tile.place[layer]] += 1
        assert (counted == 1).all()


def test_each_pass_is_traced_once_for_all_sizes(squeezenet):
    from dreamkit import objectives

    before = set(objectives._graphs)
    dream = Dream(squeezenet, {"fire3": 0.31})
    for size in SIZES:
        Tiled(dream, 64).value_and_gradient(noise(size))
    new = [objectives._graphs[key] for key in set(objectives._graphs) - before]
    assert [graph.experimental_get_tracing_count() for graph in new] == [1, 1, 1]


# When a picture is cut


def test_a_picture_that_fits_is_computed_whole(squeezenet):
    dream = Dream(squeezenet)
    for tile in ("auto", None):
        assert not isinstance(fit_to_memory(dream, (96, 96), tile), Tiled)


def test_a_picture_too_large_for_memory_is_tiled(squeezenet, monkeypatch):
    short_of_memory(monkeypatch, 2 * 2**30)
    assert fit_to_memory(Dream(squeezenet), (2048, 2048)).side == 1024
    assert not isinstance(fit_to_memory(Dream(squeezenet), (200, 200)), Tiled)


def test_a_step_that_will_not_fit_is_reported_before_it_starts(squeezenet, monkeypatch):
    short_of_memory(monkeypatch, 2**30)
    with pytest.warns(UserWarning, match=r"choose size=\d+"):
        fit_to_memory(Dream(squeezenet), (4096, 4096))
    with pytest.warns(UserWarning, match='choose tile="auto"'):
        fit_to_memory(Dream(squeezenet), (2048, 2048), None)


def short_of_memory(monkeypatch, free):
    import psutil

    real = psutil.virtual_memory()._replace(available=free)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: real)


@pytest.mark.parametrize("wrong", [0, 7, "large", True, 2.5])
def test_an_invalid_tile_is_a_settings_error(squeezenet, wrong):
    with pytest.raises(SettingsError, match="tile"):
        fit_to_memory(Dream(squeezenet), (96, 96), wrong)


def test_a_border_cannot_be_tiled(squeezenet):
    with pytest.raises(SettingsError, match="border"):
        Tiled(Dream(squeezenet, border=2), 64)


# Precision


def test_bfloat16_reaches_the_same_loss_and_a_similar_picture():
    exact, quick = (
        style_transfer(
            "astronaut", "mosaic", seed=1, steps=30, size=128, profile="quick",
            precision=precision, progress=False,
        )
        for precision in ("float32", "bfloat16")
    )  # fmt: skip
    assert np.corrcoef(exact.image.ravel(), quick.image.ravel())[0, 1] > 0.9
    judge = style_objective(load_backbone("squeezenet"), (128, 128))
    totals = [float(judge(run.image)[0]) for run in (exact, quick)]
    assert totals[1] == pytest.approx(totals[0], rel=0.03)


def test_a_network_in_another_precision_keeps_its_weights_and_its_float32_features(squeezenet):
    quick = squeezenet.with_precision("bfloat16")
    assert quick.precision == "bfloat16"
    assert quick.with_precision("float32") is squeezenet
    assert squeezenet.with_precision("bfloat16") is quick
    picture = noise((96, 96))
    a, b = (net.features(picture, "fire4")["fire4"] for net in (squeezenet, quick))
    assert a.dtype == b.dtype == "float32"
    assert 0 < relative_error(b, a) < 0.05


def test_an_unknown_precision_is_a_settings_error(squeezenet):
    with pytest.raises(SettingsError, match="precision"):
        squeezenet.with_precision("float8")


def test_smaller_tiles_are_not_chosen_where_they_save_no_memory(monkeypatch):
    monkeypatch.setattr(memory, "memory_limit", lambda: 1.0)  # nothing fits
    needed = dict(zip(memory.TILES, (5, 5, 5), strict=True))
    monkeypatch.setattr(memory, "step_bytes", lambda score, size, tile=None: needed.get(tile, 9))
    assert memory.choose_tile(None, (4096, 4096)) == 1024
    needed[512] = 4
    assert memory.choose_tile(None, (4096, 4096)) == 512
    needed[256] = 0.5
    assert memory.choose_tile(None, (4096, 4096)) == 256
