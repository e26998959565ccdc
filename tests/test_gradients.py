"""Gradients: every term's equals central differences of its value, in float64."""

import numpy as np
import pytest

from dreamkit.balanced import Balanced
from dreamkit.dream import Dream
from dreamkit.startup import tf
from dreamkit.terms import Content, Style, TotalVariation

STEP = 1e-5

TERMS = {
    "content, relative": lambda net, photo: Content(photo, net),
    "content, gatys": lambda net, photo: Content(photo, net, "first", "gatys"),
    "content, tutorial": lambda net, photo: Content(photo, net, ["first", "second"], "tutorial"),
    "style, relative": lambda net, photo: Style(photo, net),
    "style, gatys": lambda net, photo: Style(photo, net, {"first": 2, "second": 1}, "gatys"),
    "style, tutorial": lambda net, photo: Style(photo, net, "second", "tutorial"),
    "style, adain": lambda net, photo: Style(photo, net, statistics="adain"),
    "style, moments": lambda net, photo: Style(photo, net, statistics="moments"),
    "style, sliced": lambda net, photo: Style(photo, net, statistics="sliced"),
    "total variation, relative": lambda net, photo: TotalVariation(),
    "total variation, tutorial": lambda net, photo: TotalVariation("tutorial"),
    "dream, mean": lambda net, photo: Dream(net),
    "dream, mean square": lambda net, photo: Dream(net, power=2),
    "dream, without border": lambda net, photo: Dream(net, power=2, border=1),
    "dream, channel": lambda net, photo: Dream(net, "second", channel=3),
    "dream, channels": lambda net, photo: Dream(net, channel={0: 2.0, 3: -0.5}, power=2),
    "dream, guide": lambda net, photo: Dream(net, "second", guide=photo),
    "a sum": lambda net, photo: (
        3 * Content(photo, net) + 0.1 * Style(photo, net) - 2 * Dream(net) + TotalVariation()
    ),
}


def central_difference(score, picture, place):
    """(score(x + h) − score(x − h)) / 2h for one colour of one pixel."""
    values = picture.numpy()
    ends = []
    for sign in (1, -1):
        moved = values.copy()
        moved[place] += sign * STEP
        ends.append(float(score(tf.constant(moved))[0]))
    return (ends[0] - ends[1]) / (2 * STEP)


@pytest.mark.parametrize("name", TERMS)
def test_gradient_equals_central_differences(name, toy, picture, double):
    score, x = TERMS[name](toy, picture(12, 14, seed=1)), double(10, 12)
    total, _, gradient = score.value_and_gradient(x)
    assert gradient.dtype == total.dtype == tf.float64
    assert float(total) == pytest.approx(float(score(x)[0]), rel=1e-12)
    rng = np.random.default_rng(3)
    for place in zip(*(rng.integers(0, side, 10) for side in x.shape), strict=True):
        expected = central_difference(score, x, place)
        assert float(gradient[place]) == pytest.approx(expected, rel=1e-5, abs=1e-9), place


def test_balanced_direction_scales_both_gradients_to_unit_length(toy, picture, double):
    x = double(10, 12)
    down, up = Style(picture(12, 14, seed=1), toy), 1000 * Dream(toy)
    down_gradient, up_gradient = (s.value_and_gradient(x)[2].numpy() for s in (down, up))
    unit = lambda gradient: gradient / np.linalg.norm(gradient)  # noqa: E731
    direction = Balanced(down, up, balance=0.5).value_and_gradient(x)[2]
    expected = unit(down_gradient) - 0.5 * unit(up_gradient)
    expected *= np.linalg.norm(down_gradient)
    np.testing.assert_allclose(direction, expected, rtol=1e-9, atol=1e-12)
