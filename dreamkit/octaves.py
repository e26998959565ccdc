"""Octaves: dream small first, then larger, and put the lost detail back.  (Notebook 03.)"""

import numpy as np

from .errors import check_range
from .images import resize
from .runs.run import concatenate

SMALLEST_PAINTING = 96  # px; smaller than this, there is no room for brush strokes


def octave_sizes(size, octaves, scale=1.4, smallest=1):
    """Sizes of a pyramid, from small to large; the last is the picture's own size.

    Args:
        size: (height, width) of the picture, px.
        octaves: number of sizes, at least 1.
        scale: ratio of each size to the one before, at least 1.01.
        smallest: sizes whose shorter side is below this, px, are left out.

    Returns:
        Non-empty list of (height, width).

    Raises:
        SettingsError: `octaves` or `scale` is too small.

    Introduced in notebook 03.

    >>> octave_sizes((300, 400), 3, scale=2)
    [(75, 100), (150, 200), (300, 400)]
    """
    check_range("octaves", octaves, 1)
    check_range("octave_scale", scale, 1.01)
    shrunk = [tuple(round(side / scale**n) for side in size) for n in range(1, octaves)]
    return [small for small in reversed(shrunk) if min(small) >= smallest] + [tuple(size)]


def share_steps(steps, shares):
    """Split steps evenly among several sizes; the last also gets the remainder.

    >>> share_steps(150, 2), share_steps(5, 2), share_steps(1, 2)
    ([75, 75], [2, 3], [0, 1])
    """
    check_range("steps", steps, 0)
    return [steps // shares] * (shares - 1) + [steps - steps // shares * (shares - 1)]


def scale_painting(style, longest, smallest):
    """The painting scaled to `longest`, or larger if its shorter side would be below `smallest`."""
    sides = style.shape[:2]
    return resize(style, max(longest, -(-smallest * max(sides) // min(sides))))


def through_octaves(image, sizes, walk):
    """Work on a picture at each size, from small to large, without losing detail.

    The lost detail is what a smaller copy cannot hold: the picture at one size minus the next
    smaller one scaled up to it. It is added back before each larger size.

    Args:
        image: (H, W, 3) in [0, 1].
        sizes: list of (height, width); the last is the picture's own.
        walk: function (picture, number) → `Run` that works at one size; numbers start at 1.

    Returns:
        One `Run` over all octaves. If an octave was stopped, the picture so far, at full size.

    Source: Mordvintsev, Olah and Tyka 2015. Introduced in notebook 03.
    """
    runs, smaller = [], None
    for number, size in enumerate(sizes, start=1):
        base = resize(image, size)
        picture = base
        if runs:
            lost_detail = base - resize(smaller, size)
            picture = np.clip(resize(runs[-1].image, size) + lost_detail, 0, 1)
        try:
            runs.append(walk(picture, number))
        except KeyboardInterrupt:  # before the first score at this size
            if not runs:
                raise
            runs[-1].stopped = "interrupted"
        smaller = base
        if runs[-1].stopped:
            break
    run = concatenate(runs)
    run.image = resize(run.image, sizes[-1])
    return run
