"""Notebook 03: its exercises tell right from wrong; its formulas equal the package's."""

import numpy as np
import pytest

from dreamkit import terms
from dreamkit.exercises import check
from dreamkit.startup import tf
from notebook_tools import definitions

LAYERS = "shallow", "deep"


def stub(*_):
    return ...


def ratio(f, p):
    return np.sum((f - p) ** 2) / np.sum(p**2)


def loss_over_layers(features, targets):
    return np.mean([ratio(features[layer], targets[layer]) for layer in targets])


def tensor_loss(features, targets):
    ratios = [
        tf.reduce_sum((features[k] - targets[k]) ** 2) / tf.reduce_sum(targets[k] ** 2)
        for k in targets
    ]
    return tf.add_n(ratios) / len(ratios)


def total_variation(x):
    return np.abs(x[:, 1:] - x[:, :-1]).mean() + np.abs(x[1:] - x[:-1]).mean()


def gradient_step(picture, gradient, rate):
    return np.clip(picture - rate * gradient, 0, 1)


def in_place(picture, gradient, rate):
    picture -= rate * gradient
    return np.clip(picture, 0, 1, out=picture)


RIGHT_PREDICTION = {"style": "b", "content": "d", "total variation": "a", "all three": "c"}


@pytest.mark.parametrize(
    ("number", "answer"),
    [
        ("3.1", loss_over_layers),
        ("3.1", tensor_loss),
        ("3.2", total_variation),
        ("3.2", lambda x: float(terms.TotalVariation()(x)[0])),
        ("3.3", gradient_step),
        ("3.4", RIGHT_PREDICTION),
        ("3.4", {change: letter.upper() for change, letter in RIGHT_PREDICTION.items()}),
    ],
)
def test_a_solution_is_right_and_says_why(number, answer):
    verdict = check(number, answer)
    assert verdict.right
    assert repr(verdict).startswith("Right, because ")


@pytest.mark.parametrize("number", ["3.1", "3.2", "3.3"])
@pytest.mark.parametrize("answer", [..., None, stub, lambda *_: None])
def test_an_unfilled_function_is_not_yet(number, answer):
    assert repr(check(number, answer)).startswith("Not yet: replace the three dots")


def test_an_unfilled_prediction_is_not_yet():
    verdict = check("3.4", dict.fromkeys(RIGHT_PREDICTION, ...))
    assert "choose a letter for style, content, total variation, all three" in repr(verdict)


def first_layer_only(features, targets):
    for layer in targets:
        return ratio(features[layer], targets[layer])


@pytest.mark.parametrize(
    ("number", "answer", "hint"),
    [
        ("3.1", lambda f, p: sum(ratio(f[k], p[k]) for k in p), "divide by the number of layers"),
        ("3.1", lambda f, p: loss_over_layers(p, f), "energy of the picture's features F"),
        ("3.1", first_layer_only, "return after the loop"),
        ("3.1", lambda f, p: ratio(f["deep"], p["deep"]), "only the last layer"),
        (
            "3.1",
            lambda f, p: (
                sum(np.sum((f[k] - p[k]) ** 2) for k in p) / sum(np.sum(p[k] ** 2) for k in p)
            ),
            "layer by layer",
        ),
        ("3.1", lambda f, p: np.mean([np.mean((f[k] - p[k]) ** 2) for k in p]), "the tutorial's"),
        ("3.1", lambda f, p: np.mean([np.sum((f[k] - p[k]) ** 2) for k in p]) / 2, "the papers'"),
        ("3.1", lambda f, p: np.mean([np.sum((f[k] - p[k]) ** 2) for k in p]), "raw sums"),
        ("3.1", lambda f, p: [ratio(f[k], p[k]) for k in p], "expected one number"),
        ("3.1", 0.5, "give the function itself"),
        ("3.1", lambda f, p: f["missing"], "raised KeyError"),
        ("3.2", lambda x: (x[:, 1:] - x[:, :-1]).mean() + (x[1:] - x[:-1]).mean(), "np.abs"),
        ("3.2", lambda x: np.abs(np.diff(x, axis=0)).mean(), "not those side by side"),
        ("3.2", lambda x: np.abs(np.diff(x, axis=1)).mean(), "not those above each other"),
        ("3.2", lambda x: tf.image.total_variation(tf.constant(x)).numpy(), "take means"),
        ("3.2", lambda x: total_variation(x) / 2, "just add them"),
        ("3.2", lambda x: sum((np.diff(x, axis=k) ** 2).mean() for k in (0, 1)), "squared"),
        ("3.2", lambda x: np.abs(x[:, 1:] - x[:, :-1]), "expected one number"),
        ("3.3", lambda x, g, rate: np.clip(x + rate * g, 0, 1), "uphill"),
        ("3.3", lambda x, g, rate: x + rate * g, "uphill"),
        ("3.3", lambda x, g, rate: x - rate * g, "leave [0, 1]"),
        ("3.3", lambda x, g, rate: np.clip(x - g, 0, 1), "rate is missing"),
        ("3.3", lambda x, g, rate: x - rate * np.clip(g, 0, 1), "clip the new picture"),
        ("3.3", in_place, "make a new array"),
        ("3.4", {**RIGHT_PREDICTION, "all three": "b"}, "style doesn't gain"),
        ("3.4", {**RIGHT_PREDICTION, "style": "d", "content": "b"}, "photo still counts"),
        ("3.4", {**RIGHT_PREDICTION, "style": "c"}, "one weight changes"),
        ("3.4", {**RIGHT_PREDICTION, "style": "x"}, "not one of the letters"),
        ("3.4", "b", "dictionary with the keys"),
    ],
)
def test_a_common_mistake_gets_its_hint(number, answer, hint):
    verdict = check(number, answer)
    assert not verdict.right
    assert hint in repr(verdict)


@pytest.mark.parametrize("name", ["CONTENT_FORMULAS", "STYLE_FORMULAS"])
def test_the_notebooks_formulas_are_the_packages(name):
    ours, theirs = definitions("03_neural_style_transfer.ipynb")[name], getattr(terms, name)
    random = np.random.default_rng(2)
    f, p = random.normal(size=(2, 1, 7, 7))
    content = np.sum((f - p) ** 2), np.sum(p**2), p.size
    given = content if name == "CONTENT_FORMULAS" else (f, p)
    assert list(ours) == list(theirs)
    for formula in ours:
        assert float(ours[formula](*given)) == pytest.approx(float(theirs[formula](*given)))
