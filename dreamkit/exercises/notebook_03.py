"""Checks of notebook 03_deep_dream."""

import numpy as np

from ..exercises import close, exercise
from ..images import resize


@exercise("3.1", because="a normalised step has one length, whatever the layer and the size")
def ascent_step(answer):
    """Up the gradient over its standard deviation, kept in [0, 1]."""
    rng = np.random.default_rng(31)
    for scale in (1e-4, 1.0, 1e3):
        picture = rng.uniform(0.2, 0.8, (7, 5, 3))
        gradient = scale * rng.normal(0.3, 1, picture.shape)
        hint = _step_hint(answer, picture, gradient, 0.01)
        if hint:
            return hint
    edge = np.full((7, 5, 3), 0.995)
    expected = np.clip(edge + 0.02 * gradient / gradient.std(), 0, 1)
    if not close(answer(edge.copy(), gradient.copy(), 0.02), expected):
        return "the step is right, but the picture leaves [0, 1]: finish with np.clip"
    return None


def _step_hint(answer, picture, gradient, rate):
    """A hint if one step, far from 0 and 1, is wrong."""
    found = answer(picture.copy(), gradient.copy(), rate)
    if found is ... or found is None:
        return "let ascent_step return the next picture instead of the three dots"
    unit = gradient / gradient.std()
    if close(found, picture + rate * unit):
        return None
    mistakes = [
        (picture - rate * unit, "that is descent: to climb, add the gradient"),
        (
            np.clip(picture + rate * gradient, 0, 1),
            "the gradient goes in raw: divide it by its standard deviation first",
        ),
        (picture + rate * gradient, "the gradient goes in raw: divide it by its std() first"),
        (rate * unit, "that is the step alone: add it to the picture"),
        (picture + unit, "the rate is missing: it says how far to go"),
        (
            picture + rate * (gradient - gradient.mean()) / gradient.std(),
            "do not take the mean away: only divide by the standard deviation",
        ),
        (
            picture + rate * gradient / np.linalg.norm(gradient),
            "you divide by the norm, which grows with the number of pixels: use the std",
        ),
        (
            picture + rate * gradient / np.abs(gradient).max(),
            "you divide by the largest value, which one odd pixel decides: use the std",
        ),
        (
            picture + rate * gradient / gradient.var(),
            "you divide by the variance: take its square root, the standard deviation",
        ),
        (
            picture + rate * np.sign(gradient),
            "the sign alone forgets which pixels matter most: divide by the std",
        ),
    ]
    return _first(mistakes, found) or (
        "x + rate · g / std(g) gives another picture; compare yours with it for a small array"
    )


@exercise("3.2", because="the grid falls on other pixels each time, and the picture stays in place")
def jittered_gradient(answer):
    """Roll, take the gradient, roll back."""
    rng = np.random.default_rng(32)
    for shift in ((2, -3), (-1, 4)):
        picture, grid = rng.random((2, 8, 9, 3))

        def slope(x, grid=grid):
            return grid * x

        def roll(x, sign, axes=(0, 1), shift=shift):
            return np.roll(x, sign * np.array(shift), axes)

        found = answer(picture.copy(), shift, slope)
        if found is ... or found is None:
            return "let jittered_gradient return the gradient instead of the three dots"
        if close(found, roll(slope(roll(picture, 1)), -1)):
            continue
        mistakes = [
            (slope(picture), "the picture is never rolled: roll it before you call slope"),
            (
                slope(roll(picture, 1)),
                "the gradient lies where the rolled picture was: roll it back by -shift",
            ),
            (
                roll(slope(roll(picture, 1)), 1),
                "you roll twice the same way: the way back has the opposite shift",
            ),
            (
                roll(slope(roll(picture, -1)), 1),
                "you roll by -t first and by t after: the formula has it the other way round",
            ),
            (
                roll(slope(picture), -1),
                "only the gradient is rolled: roll the picture too, before you call slope",
            ),
            (roll(slope(picture), 1), "only the gradient is rolled: roll the picture first"),
            (
                slope(roll(roll(picture, 1), -1)),
                "the picture is rolled back before slope has seen it: roll back the gradient",
            ),
            (roll(picture, 1), "that is the rolled picture: hand it to slope"),
        ]
        return _first(mistakes, found) or (
            "three lines will do: roll the picture, call slope on it, roll the result by -shift;"
            " roll along axis=(0, 1), not along the colours"
        )
    return None


@exercise("3.3", because="each size is half the next, and the last is the picture's own")
def sizes_of_octaves(answer):
    """240 × 320 px, three octaves, scale 2."""
    right = [(60, 80), (120, 160), (240, 320)]
    if not isinstance(answer, list | tuple | np.ndarray) or len(answer) == 0:
        return "give a list of three pairs, such as [(10, 20), (20, 40), (40, 80)]"
    if any(np.shape(pair) != (2,) for pair in answer):
        return "each size is a pair: (height, width)"
    pairs = [tuple(int(side) if side == int(side) else side for side in pair) for pair in answer]
    if pairs == right:
        return None
    if pairs == right[::-1]:
        return "the sizes are right, but dreaming starts with the smallest"
    if [pair[::-1] for pair in pairs] in (right, right[::-1]):
        return "height comes first here, as in a picture's shape"
    if pairs == [(30, 40), (60, 80), (120, 160)]:
        return "the picture's own size is an octave too: it is the last of the three"
    if pairs == [(80, 107), (160, 213), (240, 320)] or pairs[0] == (80, 320 / 3):
        return "each size is the next one divided by 2; yours grow by equal amounts"
    if (240, 320) not in pairs:
        return "one of the octaves has the picture's own size, 240 × 320"
    if len(pairs) != 3:
        return f"three octaves have three sizes; you give {len(pairs)}"
    return "start from (240, 320) and halve both sides, twice"


@exercise("3.4", because="the dream is blown up, and what the small photo could not hold is added")
def next_start(answer):
    """clip(up(dreamed) + base − up(smaller))."""
    rng = np.random.default_rng(34)
    base = rng.uniform(0.3, 0.7, (18, 24, 3)).astype("float32")
    smaller = resize(base, (9, 12))
    dreamed = np.clip(smaller + rng.normal(0, 0.05, smaller.shape), 0, 1).astype("float32")
    found = answer(dreamed.copy(), smaller.copy(), base.copy())
    if found is ... or found is None:
        return "let next_start return a picture instead of the three dots"
    up, blurred = resize(dreamed, (18, 24)), resize(smaller, (18, 24))
    if not close(found, up + base - blurred):
        mistakes = [
            (up, "the dream is blown up, but the lost detail is missing"),
            (base - blurred, "that is the lost detail alone: add the dream, blown up"),
            (up - (base - blurred), "the sign is turned: lost detail is base minus blown-up"),
            (up + blurred - base, "the sign is turned: lost detail is base minus blown-up"),
            (base, "you lose the dream: the detail is base − ↑smaller, not base − ↑dreamed"),
            (up + base, "you add the whole photo: add only what the smaller one lacks"),
            (np.clip(up + base, 0, 1), "you add the whole photo: add only what it lacks"),
            ((up + base) / 2, "a mean of the two mixes dream and photo: follow the formula"),
        ]
        return _first(mistakes, found) or "x = clip(↑dreamed + base − ↑smaller)"
    bright = np.clip(base + 0.4, 0, 1)
    glaring = np.clip(dreamed + 0.5, 0, 1)
    small = resize(bright, (9, 12))
    expected = np.clip(resize(glaring, (18, 24)) + bright - resize(small, (18, 24)), 0, 1)
    if not close(answer(glaring.copy(), small.copy(), bright.copy()), expected):
        return "right but for values outside [0, 1]: finish with np.clip(…, 0, 1)"
    return None


def _first(mistakes, found):
    """The hint of the first known mistake that an answer shows, or None."""
    return next((hint for wrong, hint in mistakes if close(found, wrong)), None)
