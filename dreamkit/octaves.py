"""Octaves: dream small first, then larger, and put the lost detail back.  (Notebook 04.)"""

import contextlib
import itertools
from typing import NamedTuple

import numpy as np

from .arguments import kinds
from .arguments.checked import checked
from .errors import DivergedError, check_range
from .images import resize
from .runs.run import concatenate

SMALLEST_PAINTING = 96  # px; smaller than this, there is no room for brush strokes


@checked(size=kinds.height_and_width, scale=kinds.called("octave_scale", kinds.number(1.01, 100)))
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

    Introduced in notebook 04.

    >>> octave_sizes((300, 400), 3, scale=2)
    [(75, 100), (150, 200), (300, 400)]
    """
    check_range("octaves", octaves, 1)
    check_range("octave_scale", scale, 1.01)
    shrunk = [tuple(round(side / scale**n) for side in size) for n in range(1, octaves)]
    return [small for small in reversed(shrunk) if min(small) >= smallest] + [tuple(size)]


def count_octaves(size, smallest, scale=1.4):
    """How many sizes a pyramid has if the shortest side is at least `smallest`, px.

    >>> count_octaves((300, 400), smallest=75, scale=2)
    3
    """
    check_range("octave_scale", scale, 1.01)
    sides = (round(min(size) / scale**n) for n in itertools.count(1))
    return 1 + sum(1 for _ in itertools.takewhile(lambda side: side >= smallest, sides))


class Stage(NamedTuple):
    """A part of a run: the picture's (height, width), how many steps, and the history's phase."""

    size: tuple
    steps: int
    phase: str


def plan(name, sizes, steps, shared):
    """The `Stage`s of a run: one for each size, and one for each time that more steps follow.

    Args:
        name: what the phases' names start with.
        sizes: list of (height, width), from small to large.
        steps: a number, or a list: a number and then how many more to do at full size.
        shared: True to share the steps among the sizes, False to do all of them at each.

    >>> for stage in plan("style", [(75, 100), (150, 200)], [150, 50], shared=True):
    ...     print(*stage)
    (75, 100) 75 style 1/2
    (150, 200) 75 style 2/2
    (150, 200) 50 style more 1
    """
    first, *more = steps if isinstance(steps, list | tuple) else [steps]
    for count in (first, *more):
        check_range("steps", count, 0)
    counts = share_steps(first, len(sizes)) if shared else [first] * len(sizes)
    numbered = enumerate(zip(sizes, counts, strict=True), start=1)
    stages = [Stage(size, count, f"{name} {n}/{len(sizes)}") for n, (size, count) in numbered]
    extra = (Stage(sizes[-1], n, f"{name} more {k}") for k, n in enumerate(more, start=1))
    return [*stages, *extra]


def share_steps(steps, shares):
    """Split steps evenly among several sizes; the last also gets the remainder.

    >>> share_steps(150, 2), share_steps(5, 2), share_steps(1, 2)
    ([75, 75], [2, 3], [0, 1])
    """
    return [steps // shares] * (shares - 1) + [steps - steps // shares * (shares - 1)]


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

    Raises:
        DivergedError: its `run` holds the best picture so far, at full size.

    Source: Mordvintsev, Olah and Tyka 2015. Introduced in notebook 04.
    """
    runs, smaller = [], None
    for number, size in enumerate(sizes, start=1):
        base = resize(image, size)
        picture = base
        if runs:
            lost_detail = base - resize(smaller, size)
            picture = np.clip(resize(runs[-1].image, size) + lost_detail, 0, 1)
        with keeping(runs, sizes):
            runs.append(walk(picture, number))
        smaller = base
        if runs[-1].stopped:
            break
    return at_full_size(runs, sizes)


@contextlib.contextmanager
def keeping(runs, sizes):
    """Within the block, work that ends early leaves what the sizes before it made."""
    try:
        yield
    except KeyboardInterrupt:  # before the first score at this size
        if not runs:
            raise
        runs[-1].stopped = "interrupted"
    except DivergedError as error:
        error.run = at_full_size([*runs, error.run], sizes)
        raise


def at_full_size(runs, sizes):
    """One `Run` of several, with the last picture there is; None if there is none."""
    made = [run for run in runs if run.image is not None]
    if not made:
        return None
    run = concatenate(made)
    run.image = resize(run.image, sizes[-1])
    return run
