"""Octaves: dream small first, then larger, and put the lost detail back.  (Notebook 03.)"""

import numpy as np

from .errors import check_range
from .images import resize
from .runs.run import concatenate

SMALLEST_PAINTING = 96  # px; below it there is no room for a stroke


def octave_sizes(size, octaves, scale=1.4, smallest=1):
    """Sizes of a pyramid, from small to large; the last is the picture's own.

    Args:
        size: (height, width) of the picture, px.
        octaves: how many sizes, at least 1.
        scale: how much larger each is than the one before, above 1.
        smallest: sizes whose shorter side is below this, px, are left out.

    Returns:
        List of (height, width), at least one.

    Raises:
        SettingsError: octaves below 1, or a scale not above 1.

    Introduced in notebook 03.

    >>> octave_sizes((300, 400), 3, scale=2)
    [(75, 100), (150, 200), (300, 400)]
    """
    check_range("octaves", octaves, 1)
    check_range("octave_scale", scale, 1.01)
    shrunk = [tuple(round(side / scale**n) for side in size) for n in range(1, octaves)]
    return [small for small in reversed(shrunk) if min(small) >= smallest] + [tuple(size)]


def through_octaves(image, sizes, walk):
    """Work on a picture at each size in turn, from small to large, and keep its detail.

    What a smaller picture cannot hold, its lost detail, is the difference between the picture at
    this size and the smaller one blown up; it is put back on the way to the next size.

    Args:
        image: (H, W, 3) in [0, 1].
        sizes: list of (height, width), the last being the picture's own.
        walk: function (picture, number from 1) → `Run`, the work at one size.

    Returns:
        One `Run` of all octaves. If one is stopped, the picture so far, at full size.

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
        except KeyboardInterrupt:  # before this size had its first score
            if not runs:
                raise
            runs[-1].stopped = "interrupted"
        smaller = base
        if runs[-1].stopped:
            break
    whole = concatenate(runs)
    whole.image = resize(whole.image, sizes[-1])
    return whole
