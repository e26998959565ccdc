"""Checks of notebook 00_start_here."""

import numpy as np

from ..exercises import diagnose, exercise


@exercise("0.1", because="a picture is an array of height × width × 3 numbers")
def picture_size(answer):
    """The number of values in a picture of 64 × 96 px."""
    mistakes = {
        "that is the shape: count the numbers in an array of that shape": (64, 96, 3),
        "that is the number of pixels: each has a red, a green and a blue value": 64 * 96,
        "that would be four values per pixel: there are three, red, green and blue": 64 * 96 * 4,
    }
    advice = "multiply height, width and the number of values per pixel"
    return diagnose(answer, 64 * 96 * 3, mistakes, advice)


@exercise(
    "0.2", because="a step along the gradient goes uphill, and np.clip keeps the picture in [0, 1]"
)
def climb(answer):
    """(picture, gradient, rate) → clip(picture + rate · gradient)."""
    rng = np.random.default_rng()
    picture, gradient, rate = rng.random((6, 5, 3)), rng.normal(size=(6, 5, 3)), 0.5
    up, down, far = picture + rate * gradient, picture - rate * gradient, picture + gradient
    mistakes = {
        "uphill, but some values have left [0, 1]: np.clip brings them back": up,
        "that goes downhill: uphill is along the gradient, not against it": np.clip(down, 0, 1),
        "that goes downhill: add the step, then clip to [0, 1]": down,
        "the step is too long: multiply the gradient by the rate": np.clip(far, 0, 1),
        "the step is too long: multiply the gradient by the rate, and clip to [0, 1]": far,
    }
    advice = "add rate × gradient to the picture, then clip to [0, 1]"
    arguments = picture, gradient, rate
    return diagnose(answer, np.clip(up, 0, 1), mistakes, advice, arguments=arguments)
