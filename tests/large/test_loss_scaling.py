"""float16 gradients: scaled so that they neither overflow nor underflow, or computed in float32."""

import numpy as np
import pytest

from dreamkit import Content, Dream, Style, TotalVariation, descend, style_transfer
from dreamkit.balanced import Balanced
from dreamkit.large.loss_scaling import FIRST, LARGEST, TARGET, LossScaled, multiplied
from dreamkit.large.memory import fit_to_memory
from dreamkit.large.tiles import Tiled
from dreamkit.startup import tf

SIZE = (72, 56)


@pytest.fixture(scope="module")
def half(squeezenet):
    return squeezenet.with_precision("float16")


@pytest.fixture
def style(picture):
    """Function (network, formula) → the objective of a style transfer."""

    def objective(network, formula="relative"):
        photo, painting = picture(*SIZE, seed=1), picture(64, 64, seed=2) ** 3
        content = Content(photo, network, "fire4", formula)
        return content + 40 * Style(painting, network, ("conv1", "fire3"), formula)

    return objective


def dream(network):
    return Dream(network, "fire4")


def cosine(a, b):
    a, b = np.ravel(a), np.ravel(b)
    return a @ b / np.linalg.norm(a) / np.linalg.norm(b)


def fitted(score, tile=None):
    return fit_to_memory(score, SIZE, tile)


@pytest.mark.parametrize(
    ("formula", "tile"), [("relative", None), ("relative", 32), ("gatys", None), ("dream", 32)]
)
def test_totals_and_gradients_are_those_of_float32(
    squeezenet, half, style, picture, tile, formula, monkeypatch
):
    make = dream if formula == "dream" else lambda network: style(network, formula)
    exact, scaled = fitted(make(squeezenet), tile), fitted(make(half), tile)
    assert isinstance(scaled.score, Tiled) is bool(tile)
    x = picture(*SIZE)
    expected = exact.value_and_gradient(x)
    scaled.value_and_gradient(x)  # the first may have to be computed in float32
    monkeypatch.setattr(LossScaled, "exact", property(lambda _: pytest.fail("used float32")))
    found = scaled.value_and_gradient(x)
    assert float(found.total) == pytest.approx(float(expected.total), rel=0.005)
    assert list(found.terms) == list(expected.terms)
    for name, value in expected.terms.items():
        assert float(found.terms[name]) == pytest.approx(float(value), rel=0.005)
    assert cosine(found.gradient, expected.gradient) > 0.99
    lengths = [float(tf.norm(each.gradient)) for each in (found, expected)]
    assert lengths[0] == pytest.approx(lengths[1], rel=0.02)
    total, terms = scaled(x)
    assert float(total) == pytest.approx(float(expected.total), rel=0.005)
    assert list(terms) == list(expected.terms)


def test_float16_is_closer_to_float32_than_bfloat16_is(squeezenet, half, style, picture):
    x = picture(*SIZE)
    exact, ours, other = (
        np.asarray(fitted(style(network)).value_and_gradient(x).gradient)
        for network in (squeezenet, half, squeezenet.with_precision("bfloat16"))
    )
    assert np.linalg.norm(ours - exact) < 0.5 * np.linalg.norm(other - exact)


def test_a_tiny_loss_underflows_without_scaling_and_not_with_it(squeezenet, half, picture):
    x, weight = picture(*SIZE), 1e-7
    assert np.max(np.abs((weight * dream(half)).value_and_gradient(x).gradient)) == 0
    expected = (weight * dream(squeezenet)).value_and_gradient(x).gradient
    found = fitted(weight * dream(half)).value_and_gradient(x).gradient
    assert cosine(found, expected) > 0.99


def test_a_huge_loss_overflows_without_scaling_and_not_with_it(squeezenet, half, picture):
    x, weight = picture(*SIZE), 1e9
    assert not np.isfinite((weight * dream(half)).value_and_gradient(x).gradient).all()
    scaled, expected = fitted(weight * dream(half)), weight * dream(squeezenet)
    expected = expected.value_and_gradient(x).gradient
    np.testing.assert_allclose(scaled.value_and_gradient(x).gradient, expected, rtol=1e-4)
    scaled._exact = None  # from the second step on, float16 is enough
    assert cosine(scaled.value_and_gradient(x).gradient, expected) > 0.99
    assert scaled._exact is None


class Stub:
    """A score of one pixel whose gradient is `derivative` times the weight, in float16's range."""

    def __init__(self, derivative, factor=1.0):
        self.derivative, self.factor, self.parts, self._targets = derivative, factor, (), {}

    def __mul__(self, factor):
        return Stub(self.derivative, factor)

    def value_and_gradient(self, picture):
        from dreamkit.objectives import Evaluation

        gradient = tf.cast(tf.fill(picture.shape, self.derivative * self.factor), tf.float16)
        total = tf.constant(self.derivative * self.factor)
        return Evaluation(total, {}, tf.cast(gradient, tf.float32))

    def __call__(self, picture):
        return tf.constant(self.derivative), {}


@pytest.mark.parametrize("derivative", [1e-9, 1e-3, 1.0, 200.0])
def test_the_gradients_largest_element_is_brought_to_the_target(derivative):
    scaled = LossScaled(Stub(derivative), lambda: pytest.fail("needed float32"))
    for _ in range(2):
        found = scaled.value_and_gradient(tf.zeros((1, 1, 3)))
        np.testing.assert_allclose(found.gradient, derivative, rtol=0.01)
        assert float(found.total) == pytest.approx(derivative)
    assert 0.7 < derivative * scaled.factor / TARGET < 1.5
    assert np.log2(scaled.factor) == round(np.log2(scaled.factor))


def test_a_gradient_of_zero_is_zero_and_the_next_one_is_scaled_as_at_first():
    scaled = LossScaled(Stub(0.0), lambda: pytest.fail("needed float32"))
    assert not np.any(scaled.value_and_gradient(tf.zeros((1, 1, 3))).gradient)
    assert scaled.factor == FIRST < LARGEST


def test_a_step_that_is_not_finite_is_computed_in_float32(squeezenet, half, picture, monkeypatch):
    scaled, x = fitted(dream(half)), picture(*SIZE)
    expected = fitted(dream(squeezenet)).value_and_gradient(x)
    scaled.factor = 2.0**50
    found = scaled.value_and_gradient(x)
    np.testing.assert_array_equal(found.gradient, expected.gradient)
    assert scaled.factor < FIRST * TARGET
    scaled.score = Stub(float("inf"))
    assert float(scaled(x)[0]) == pytest.approx(float(expected.total), rel=1e-6)


def test_a_loss_times_a_factor_shares_the_targets(half, style, picture):
    for tile in (None, 32):
        score = fitted(style(half), tile).score
        product = multiplied(score, 8.0)
        assert type(product) is type(score)
        assert product._targets is score._targets
        assert product.weights == {name: 8 * weight for name, weight in score.weights.items()}


def test_only_float16_is_scaled(squeezenet, half, style):
    assert not isinstance(fitted(style(squeezenet)), LossScaled)
    assert not isinstance(fitted(TotalVariation()), LossScaled)
    assert isinstance(fitted(style(half)), LossScaled)


def test_two_balanced_scores_are_scaled_each_by_itself(squeezenet, half, style, picture):
    x = picture(*SIZE)
    exact, ours = (
        fitted(Balanced(style(network), dream(network), 0.7, smooth=2))
        for network in (squeezenet, half)
    )
    assert type(ours) is Balanced
    found, expected = ours.value_and_gradient(x), exact.value_and_gradient(x)
    assert list(found.terms) == list(expected.terms)
    assert cosine(found.gradient, expected.gradient) > 0.99


def test_a_style_transfer_reaches_the_same_loss_in_float16():
    options = dict(seed=1, steps=4, size=64, octaves=1, profile="ci", progress=False)
    options |= dict(content_layers=["fire4"], style_layers=["conv1", "fire3"])
    exact, ours = (
        style_transfer("astronaut", "mosaic", precision=precision, **options)
        for precision in ("float32", "float16")
    )
    totals = [run.history["total"].iloc[-1] for run in (exact, ours)]
    assert totals[1] == pytest.approx(totals[0], rel=0.02)
    assert np.corrcoef(exact.image.ravel(), ours.image.ravel())[0, 1] > 0.99


def test_lbfgs_works_in_float16(half, style, picture):
    run = descend(picture(*SIZE), style(half), 4, optimizer="lbfgs", progress=False)
    assert run.history["total"].min() < 0.9 * run.history["total"].iloc[0]
