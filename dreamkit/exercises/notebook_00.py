"""Checks of notebook 00_start_here."""

import numpy as np

from ..exercises import close, exercise


@exercise("0.1", because="a picture is an array of height × width × 3 numbers")
def picture_size(answer):
    """How many numbers is a picture of 64 × 96 px?"""
    if np.ndim(answer) > 0:
        return "that is the shape: how many numbers are there in an array of that shape?"
    if answer == 64 * 96:
        return "that is the number of pixels: each has a red, a green and a blue value"
    if answer == 64 * 96 * 4:
        return "that would be four values a pixel: here there are red, green and blue"
    return None if answer == 64 * 96 * 3 else "multiply height, width and the values of each pixel"


@exercise("0.2", because="a step along the gradient goes uphill, and clipping keeps a picture one")
def climb(answer):
    """Write climb(picture, gradient, rate)."""
    rng = np.random.default_rng()
    picture, gradient = rng.random((6, 5, 3)), rng.normal(size=(6, 5, 3))
    before, rate = picture.copy(), 0.5
    stepped = answer(picture, gradient, rate)
    if stepped is None or stepped is ...:
        return "your function gives nothing back yet: replace the three dots"
    if not close(picture, before):
        return "your function changes the picture it was given: make a new array, without +="
    up, down = before + rate * gradient, before - rate * gradient
    if close(stepped, np.clip(up, 0, 1)):
        return None
    if close(stepped, up):
        return "uphill, but some values have left [0, 1]: np.clip brings them back"
    if close(stepped, down) or close(stepped, np.clip(down, 0, 1)):
        return "that goes downhill: uphill is along the gradient, not against it"
    if close(stepped, np.clip(before + gradient, 0, 1)) or close(stepped, before + gradient):
        return "the step is too long: multiply the gradient by the rate"
    if np.shape(stepped) != before.shape:
        return f"the shape should stay {before.shape}, not become {np.shape(stepped)}"
    return "add rate × gradient to the picture, then clip to [0, 1]"
