"""Statistics beyond Gram matrices: each equals a plain NumPy or SciPy reference in float64."""

import json

import numpy as np
import pytest
from scipy.linalg import sqrtm

from conftest import toy_network
from dreamkit.controls.masks import Masked
from dreamkit.controls.texture import texture
from dreamkit.distributions import RIDGE, STATISTICS, directions, nearest_rotation
from dreamkit.errors import SettingsError
from dreamkit.large import memory
from dreamkit.large.fast import accelerated
from dreamkit.large.memory import fit_to_memory
from dreamkit.large.statistics import polar
from dreamkit.large.tiles import Tiled
from dreamkit.recipes import dream_style, style_transfer
from dreamkit.startup import tf
from dreamkit.terms import Style
from references import toy_features, value

BEYOND = ["adain", "moments", "sliced"]
SUMS = ["adain", "moments"]


@pytest.fixture(scope="module")
def net():
    return toy_network()


def noise(height, width, seed=0):
    return np.random.default_rng(seed).random((height, width, 3), "float32")


X, PAINTING = noise(10, 12), noise(22, 18, seed=2)


def points(net, picture, layer="second"):
    """The picture's features at a layer as points, (positions, C)."""
    features = toy_features(net, picture, layer)[layer]
    return features.reshape(-1, features.shape[-1])


def ridge(points):
    return RIDGE * (points**2).mean()


# References. Each is {statistic: function of two clouds of points, weights of the first}.


def moments_of(points, weights=None):
    mean = np.average(points, axis=0, weights=weights)
    return mean, np.atleast_2d(np.cov(points.T, aweights=weights, ddof=0))


def adain(x, a):
    """Squared differences of means and standard deviations, over the painting's."""
    (m, s), (n, t) = ((p.mean(0), np.sqrt(p.var(0) + ridge(p))) for p in (x, a))
    return (((m - n) ** 2).sum() + ((s - t) ** 2).sum()) / ((n**2).sum() + (t**2).sum())


def gaussian_wasserstein(m, s, n, t):
    """The squared 2-Wasserstein distance of two Gaussians, by its textbook formula."""
    root = sqrtm(t)
    cross = sqrtm(root @ s @ root)
    return ((m - n) ** 2).sum() + np.trace(s + t - 2 * cross).real


def moments(x, a):
    (m, s), (n, t) = map(moments_of, (x, a))
    s, t = s + ridge(x) * np.eye(len(s)), t + ridge(a) * np.eye(len(t))
    return gaussian_wasserstein(m, s, n, t) / ((n**2).sum() + np.trace(t))


def sliced(x, a):
    """Along each direction, the sorted points one by one; of other counts, those of equal rank."""
    squares = energy = 0
    for direction in directions(x.shape[1]).T:
        p, q = np.sort(x @ direction), np.sort(a @ direction)
        for rank, here in enumerate(p):
            there = q[int((rank + 0.5) / len(p) * len(q))]
            squares += (here - there) ** 2
            energy += there**2
    return squares / energy


REFERENCES = {"adain": adain, "moments": moments, "sliced": sliced}


@pytest.mark.parametrize("statistics", BEYOND)
@pytest.mark.parametrize("painting", [PAINTING, noise(10, 12, seed=3)], ids=["larger", "same size"])
def test_a_style_equals_its_reference(net, statistics, painting):
    values = [
        REFERENCES[statistics](points(net, X, layer), points(net, painting, layer))
        for layer in ("first", "second")
    ]
    style = Style(painting, net, {"first": 1, "second": 3}, statistics=statistics)
    found = value(style, tf.constant(X, tf.float64))
    assert found == pytest.approx(np.average(values, weights=[1, 3]), rel=1e-7)


def test_moments_without_their_ridge_are_the_textbooks_distance_of_gaussians(net):
    x, a = points(net, X), points(net, PAINTING)
    (m, s), (n, t) = map(moments_of, (x, a))
    expected = gaussian_wasserstein(m, s, n, t) / (a**2).sum(1).mean()
    found = value(Style(PAINTING, net, "second", statistics="moments"), X)
    assert found == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize("statistics", BEYOND)
def test_a_painting_has_no_distance_from_itself(net, statistics):
    style = Style(PAINTING, net, statistics=statistics)
    assert abs(value(style, tf.constant(PAINTING, tf.float64))) < 1e-20


def test_the_order_of_what_each_statistic_notices(net):
    """Clouds with equal means; with equal covariances too; and equal but for their order."""
    rng = np.random.default_rng(4)
    gauss = rng.normal(size=(4000, 2))
    wide = gauss * [2, 1]
    tilted = gauss @ np.linalg.cholesky([[1, 0.8], [0.8, 1]]).T
    corners = rng.choice([-1.0, 1.0], (4000, 2))
    cases = {"wide": wide, "tilted": tilted, "corners": corners, "shuffled": gauss[::-1]}
    found = {}
    for statistics in BEYOND:
        compare = STATISTICS[statistics]
        summary = lambda cloud, c=compare: c.summary(c.sums(tf.constant(cloud[None, None])))  # noqa: E731
        distances = {
            name: float(compare.formulas["relative"](summary(cloud), summary(gauss)))
            for name, cloud in cases.items()
        }
        found[statistics] = {name for name, distance in distances.items() if distance > 0.01}
    assert found == {
        "adain": {"wide"},
        "moments": {"wide", "tilted"},
        "sliced": {"wide", "tilted", "corners"},
    }


@pytest.mark.parametrize("rank", [5, 3, 0])
def test_the_gradient_of_moments_is_finite_where_eigenvalues_are_equal_or_zero(net, rank):
    rng = np.random.default_rng(5)
    basis = np.linalg.qr(rng.normal(size=(5, 5)))[0][:rank]
    signs = np.array([[1 - 2 * (n >> k & 1) for k in range(rank)] for n in range(2**rank)], float)
    features = tf.constant((signs @ basis if rank else np.ones((1, 5)))[None, None])
    compare = STATISTICS["moments"]
    with tf.GradientTape() as tape:
        tape.watch(features)
        summary = compare.summary(compare.sums(features))
        target = compare.summary(compare.sums(2 * features))
        loss = compare.formulas["relative"](summary, target)
    assert np.isfinite(tape.gradient(loss, features)).all()


def test_the_nearest_rotation_by_products_is_that_by_singular_values():
    matrix = np.random.default_rng(6).normal(size=(40, 40))
    found = polar(tf.constant(matrix)).numpy()
    np.testing.assert_allclose(found @ found.T, np.eye(40), atol=1e-6)
    np.testing.assert_allclose(found, nearest_rotation(tf.constant(matrix)), atol=1e-6)


@pytest.mark.parametrize("statistics", BEYOND)
def test_the_fast_version_equals_the_plain_one(net, statistics):
    style, x = Style(PAINTING, net, statistics=statistics), tf.constant(X, tf.float64)
    plain, fast = (score.value_and_gradient(x) for score in (style, accelerated(style)))
    assert float(fast.total) == pytest.approx(float(plain.total), rel=1e-8)
    np.testing.assert_allclose(fast.gradient, plain.gradient, rtol=1e-6, atol=1e-9)


# Tiles


def assert_tiles_agree(style, mask, picture, side):
    style = style if mask is None else Masked(style, mask)
    fast, picture = accelerated(style), tf.constant(picture, tf.float64)
    whole, tiled = (score.value_and_gradient(picture) for score in (fast, Tiled(fast, side)))
    assert float(tiled.total) == pytest.approx(float(whole.total), rel=1e-6)
    error = np.linalg.norm(tiled.gradient - whole.gradient) / np.linalg.norm(whole.gradient)
    assert error < 1e-6


@pytest.mark.parametrize("statistics", SUMS)
@pytest.mark.parametrize("mask", [None, noise(50, 44, 3)[..., 0]], ids=["everywhere", "masked"])
def test_tiles_give_the_same_value_and_gradient(net, statistics, mask):
    style = Style(noise(41, 38, 2), net, statistics=statistics)
    assert_tiles_agree(style, mask, noise(50, 44), 16)


@pytest.mark.slow
@pytest.mark.parametrize("statistics", SUMS)
def test_tiles_agree_on_both_sides_of_a_bottleneck(squeezenet, statistics):
    style = Style(noise(110, 90, 2), squeezenet, ("fire2", "fire6"), statistics=statistics)
    assert_tiles_agree(style, noise(140, 132, 3)[..., 0], noise(140, 132), 48)


def test_sorted_features_are_refused_in_tiles_with_the_size_that_would_work(net, monkeypatch):
    style = Style(PAINTING, net, statistics="sliced")
    with pytest.raises(SettingsError, match="style term cannot be tiled"):
        Tiled(style, 64)
    enough = memory.step_bytes(style, (100, 100))
    monkeypatch.setattr(memory, "memory_limit", lambda: enough)
    fit_to_memory(style, (100, 100))
    with pytest.raises(SettingsError, match=r"size of up to about 100\b"):
        fit_to_memory(style, (400, 400))


def test_sorting_takes_memory_for_every_feature(net):
    gram, sliced = (Style(PAINTING, net, statistics=name) for name in ("gram", "sliced"))
    extra = memory.step_bytes(sliced, (100, 100)) - memory.step_bytes(gram, (100, 100))
    assert extra == pytest.approx(memory.SORTED * (4 + 5 / 4) * 100**2)


def test_a_recipe_refuses_before_its_first_step(monkeypatch):
    monkeypatch.setattr(memory, "memory_limit", lambda: 1e6)
    seen = []
    options = dict(statistics="sliced", profile="ci", seed=1, progress=False, callback=seen.append)
    for recipe in (
        lambda: style_transfer("astronaut", "mosaic", size=256, **options),
        lambda: texture("mosaic", 192, **options),
    ):
        with pytest.raises(SettingsError, match="do not add up"):
            recipe()
    assert not seen


# Masks


@pytest.mark.parametrize("statistics", SUMS)
def test_a_mask_weights_means_and_products(net, statistics):
    mask = noise(10, 12, 7)[..., 0]
    x, a = points(net, X, "first"), points(net, PAINTING, "first")
    weights = mask.ravel() / mask.mean()
    (m, s), (n, t) = moments_of(x, weights), moments_of(a)
    noise_x = RIDGE * np.average(x**2, axis=0, weights=weights).mean()
    s, t = s + noise_x * np.eye(4), t + ridge(a) * np.eye(4)
    if statistics == "adain":
        s, t = np.diag(np.diag(s)), np.diag(np.diag(t))
    expected = gaussian_wasserstein(m, s, n, t) / ((n**2).sum() + np.trace(t))
    masked = Masked(Style(PAINTING, net, "first", statistics=statistics), mask)
    found = value(masked, tf.constant(X, tf.float64))
    assert found == pytest.approx(expected, rel=1e-6)


def test_sorted_features_cannot_be_masked(net):
    with pytest.raises(SettingsError, match="leave the mask out"):
        Masked(Style(PAINTING, net, statistics="sliced"), X)


# Settings and recipes


@pytest.mark.parametrize("formula", ["gatys", "tutorial"])
@pytest.mark.parametrize("statistics", BEYOND)
def test_formulas_for_gram_matrices_are_refused_for_others(net, statistics, formula):
    with pytest.raises(SettingsError, match='choose formula="relative"'):
        Style(PAINTING, net, formula=formula, statistics=statistics)


def test_unknown_statistics_are_refused(net):
    with pytest.raises(SettingsError, match="'moment': choose 'gram', 'adain', 'moments' or"):
        Style(PAINTING, net, statistics="moment")


def test_gram_is_the_default_and_shares_its_graph(net):
    named, default = Style(PAINTING, net, statistics="gram"), Style(PAINTING, net)
    assert named.graph_key() == default.graph_key()
    assert default.graph_key() != Style(PAINTING, net, statistics="adain").graph_key()
    assert value(named, X) == value(default, X)


SMALL = dict(size=64, steps=4, profile="ci", seed=1, progress=False)


RUNS = {
    "sliced": lambda: style_transfer("coffee", "mosaic", statistics="sliced", **SMALL),
    "moments": lambda: dream_style(
        "coffee", "mosaic", "joint", statistics="moments", **SMALL, octaves=1
    ),
    "adain": lambda: texture("mosaic", statistics="adain", tileable=True, **SMALL),
}


@pytest.mark.parametrize("statistics", RUNS)
def test_recipes_descend_every_statistic_and_record_it(statistics):
    run = RUNS[statistics]()
    assert run.settings["arguments"]["statistics"] == statistics
    assert run.history["style"].iloc[-1] < run.history["style"].iloc[0]


def test_the_command_line_chooses_statistics(command, tmp_path):
    code, _, err = command(
        *("style", "coffee", "--statistics", "adain", "--size", 48, "--steps", 1, "--seed", 1),
        *("--out", tmp_path / "out.png"),
    )
    assert code == 0, err
    settings = json.loads((tmp_path / "out.json").read_text())
    assert settings["arguments"]["statistics"] == "adain"
    code, _, err = command("texture", "mosaic", "--statistics", "moment")
    assert code == 2
    assert "'moment' is not one of 'gram', 'adain', 'moments', 'sliced'" in err


@pytest.mark.parametrize(
    ("statistics", "precision"),
    [
        ("adain", "bfloat16"),
        ("moments", "bfloat16"),
        ("sliced", "bfloat16"),
        ("moments", "float16"),
    ],
)
def test_half_precision_gives_nearly_the_same_loss(squeezenet, statistics, precision):
    exact = Style(noise(64, 64, 1), squeezenet, statistics=statistics)
    half = Style(noise(64, 64, 1), squeezenet.with_precision(precision), statistics=statistics)
    picture = noise(80, 64)
    full, low = (
        fit_to_memory(term, (80, 64)).value_and_gradient(picture) for term in (exact, half)
    )
    assert float(low.total) == pytest.approx(float(full.total), rel=0.05)
    one, other = (np.ravel(found.gradient) for found in (full, low))
    assert np.corrcoef(one, other)[0, 1] > 0.9
