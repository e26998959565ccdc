"""Notebook 03: its exercises tell right from wrong; its formulas equal the package's."""

import numpy as np
import pytest

from dreamkit import distributions, terms
from dreamkit.exercises import check
from dreamkit.startup import tf
from notebook_tools import definitions


def stub(*_):
    return ...


def gradient_step(picture, gradient, rate):
    return np.clip(picture - rate * gradient, 0, 1)


def the_notebooks_bug(picture, gradient, rate):
    return np.clip(picture, 0, 1) + rate * gradient


def in_place(picture, gradient, rate):
    picture -= rate * gradient
    return np.clip(picture, 0, 1, out=picture)


def painting_size(painting, photo, style_scale):
    factor = style_scale * max(photo) / max(painting)
    return tuple(round(side * factor) for side in painting)


THREE = {"relative": 0.64, "gatys": 32, "tutorial": 8}
POWERS = {"m": 1, "v": 2, "adam": 0, "plain": 1, "unit": 0}
RIGHT_PREDICTION = {"style": "b", "content": "d", "total variation": "a", "all three": "c"}
REPORT = {
    "change": "ten times the style weight",
    "predicted": {"content": "up", "style": "down"},
    "before": {"content": 0.8, "style": 0.07},
    "after": {"content": 1.7, "style": 0.04},
    "verdict": "holds",
}
FAILED = {"after": {"content": 0.7, "style": 0.04}, "verdict": "fails"}


def three_formulas():
    """The answer to exercise 3.1, from the package's own formulas."""
    f, p = np.tile([3.0, 0], (4, 1)), np.tile([3.0, 4], (4, 1))
    sums = np.sum((f - p) ** 2), np.sum(p**2), f.size
    return {name: formula(*sums) for name, formula in terms.CONTENT_FORMULAS.items()}


@pytest.mark.parametrize(
    ("number", "answer"),
    [
        ("3.1", THREE),
        ("3.1", three_formulas()),
        ("3.2", gradient_step),
        ("3.3", POWERS),
        ("3.4", RIGHT_PREDICTION),
        ("3.4", {change: letter.upper() for change, letter in RIGHT_PREDICTION.items()}),
        ("3.5", painting_size),
        ("3.6", REPORT),
        ("3.6", REPORT | FAILED),
    ],
)
def test_a_solution_is_right_and_says_why(number, answer):
    verdict = check(number, answer)
    assert verdict.right, verdict
    assert repr(verdict).startswith("Right, because ")


@pytest.mark.parametrize("number", ["3.2", "3.5"])
@pytest.mark.parametrize("answer", [..., None, stub, lambda *_: None])
def test_an_unfilled_function_is_not_yet(number, answer):
    assert repr(check(number, answer)).startswith("Not yet: replace the three dots")


@pytest.mark.parametrize(("number", "right"), [("3.1", THREE), ("3.3", POWERS)])
def test_an_unfilled_dictionary_is_not_yet(number, right):
    for key in right:
        assert f" for {key}." in repr(check(number, {**right, key: ...}))


def test_an_unfilled_prediction_is_not_yet():
    verdict = check("3.4", dict.fromkeys(RIGHT_PREDICTION, ...))
    assert "choose a letter for style, content, total variation, all three" in repr(verdict)


@pytest.mark.parametrize(
    ("number", "answer", "hint"),
    [
        ("3.1", THREE | {"gatys": 8}, "before the picture is enlarged"),
        ("3.1", {"relative": 2.56, "gatys": 32, "tutorial": 32}, "not all of them grow"),
        ("3.1", THREE | {"tutorial": 32}, "loss is a mean"),
        ("3.1", THREE | {"relative": 2.56}, "a ratio of two sums"),
        ("3.1", THREE | {"relative": 16 / 9}, "not of F²"),
        ("3.1", THREE | {"gatys": 64}, "½ is missing"),
        ("3.1", THREE | {"gatys": 16}, "four times the positions"),
        ("3.1", THREE | {"tutorial": 7}, "tutorial: F − P is"),
        ("3.1", 0.64, "dictionary with the keys"),
        ("3.2", the_notebooks_bug, "both bugs"),
        ("3.2", lambda x, g, rate: np.clip(x + rate * g, 0, 1), "still one bug: this goes uphill"),
        ("3.2", lambda x, g, rate: np.clip(x, 0, 1) - rate * g, "leave [0, 1]"),
        ("3.2", lambda x, g, rate: np.clip(x - g, 0, 1), "the rate was right"),
        ("3.2", lambda x, g, rate: x - rate * np.clip(g, 0, 1), "clip the new picture"),
        ("3.2", in_place, "make a new array"),
        ("3.2", 0.5, "give the function itself"),
        ("3.3", POWERS | {"m": 0}, "m: 0 would mean"),
        ("3.3", POWERS | {"v": 1}, "v: it is a running mean of squared"),
        ("3.3", POWERS | {"adam": -1}, "the power of m by that of the root of v"),
        ("3.3", POWERS | {"plain": 0}, "plain: 0 would mean"),
        ("3.3", POWERS | {"unit": 1}, "cancels it"),
        ("3.4", {**RIGHT_PREDICTION, "all three": "b"}, "style doesn't gain"),
        ("3.4", {**RIGHT_PREDICTION, "style": "d", "content": "b"}, "photo still counts"),
        ("3.4", {**RIGHT_PREDICTION, "style": "c"}, "one weight changes"),
        ("3.4", {**RIGHT_PREDICTION, "style": "x"}, "not one of the letters"),
        ("3.4", "b", "dictionary with the keys"),
        ("3.5", lambda a, p, scale: tuple(round(scale * x) for x in a), "still the bug"),
        ("3.5", lambda a, p, scale: painting_size(a, p, 1), "style_scale must come in too"),
        ("3.5", lambda a, p, scale: painting_size(a, p, 1 / scale), "divide by style_scale"),
        ("3.5", lambda a, p, scale: tuple(scale * x for x in p), "its own proportions"),
        ("3.5", lambda a, p, scale: painting_size(a, p[:1], scale), "longest sides: here"),
        ("3.5", lambda a, p, scale: painting_size(a, p, scale)[::-1], "height comes first"),
        ("3.5", lambda a, p, scale: painting_size(p, a, scale)[0], "but got one number"),
        ("3.6", REPORT | {"verdict": "fails"}, "every term went its way: look again"),
        ("3.6", REPORT | FAILED | {"verdict": "holds"}, "content didn't go up: look again"),
        ("3.6", REPORT | {"verdict": "perhaps"}, '"holds" or "fails"'),
        ("3.6", REPORT | {"change": "…"}, "what you changed"),
        ("3.6", REPORT | {"predicted": {"style": "down"}}, "at least two terms"),
        ("3.6", REPORT | {"predicted": {"style": "down", "content": "more"}}, "not 'more'"),
        ("3.6", REPORT | {"before": {"style": 1.0}}, "'content' before and after"),
        ("3.6", {"change": "none"}, "your report has no 'after'"),
    ],
)
def test_a_common_mistake_gets_its_hint(number, answer, hint):
    verdict = check(number, answer)
    assert not verdict.right
    assert hint in repr(verdict)


def test_a_common_factor_of_the_loss_gives_the_powers_of_exercise_3_3():
    """Adam's recursion in float64, with and without the factor."""

    def recursion(gradients):
        m = v = 0.0
        for g in gradients:
            m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        return {"m": m, "v": v, "adam": m / np.sqrt(v), "plain": gradients[-1], "unit": g / g.std()}

    gradients, c = np.random.default_rng(3).normal(size=(9, 20)), 100.0
    once, scaled = recursion(gradients), recursion(c * gradients)
    for name, power in POWERS.items():
        np.testing.assert_allclose(scaled[name], c**power * once[name], rtol=1e-12)


@pytest.mark.parametrize("name", ["CONTENT_FORMULAS", "STYLE_FORMULAS"])
def test_the_notebooks_formulas_are_the_packages(name):
    ours = definitions("03_neural_style_transfer.ipynb")[name]
    theirs = getattr(terms if name == "CONTENT_FORMULAS" else distributions, name)
    random = np.random.default_rng(2)
    f, p = random.normal(size=(2, 1, 7, 7))
    content = np.sum((f - p) ** 2), np.sum(p**2), p.size
    given = content if name == "CONTENT_FORMULAS" else (tf.constant(f), p)
    assert list(ours) == list(theirs)
    for formula in ours:
        assert float(ours[formula](*given)) == pytest.approx(float(theirs[formula](*given)))
