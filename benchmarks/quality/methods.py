"""The table of methods. To add one, write a function of (pair, network, factor) and register it.

    @method("ours, more style", source="dreamkit", curve=(0.5, 2))
    def more_style(pair, network, factor):
        run = style_transfer(pair.photo, pair.painting, network, style_weight=240 * factor, …)
        return run.image, laps(run)

`factor` multiplies the weight of style over content; 1 is the setting as published. A method gives
its picture and its laps, {stage: [seconds of each step]}, from which `seconds` estimates what a
picture takes on an idle machine. Every method computes on the same network, in the precision that
is fastest here, so that seconds compare methods and not programs.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

METHODS = {}
SHARE = [1.0]  # of every method's steps; less in a quick run


class Method(NamedTuple):
    """A way to paint.

    Attributes:
        curve: at which factors beside 1 its curve is drawn.
        part: which part of its published steps is taken.
        beside: names of methods with which it is compared. It is a check of them, or a trial, and
            painted only when asked for by name. Empty for a method that takes part in everything.
    """

    name: str
    source: str
    curve: tuple
    part: float
    beside: tuple
    paint: Callable


def method(name, source, curve=(0.25, 4), part=1.0, beside=()):
    """Register a function (pair, network, factor) → (picture, laps)."""

    def register(paint):
        METHODS[name] = Method(name, source, curve, part, beside, paint)
        return paint

    return register


def share_of(steps):
    """The number of steps to take: all, or in a quick run a share of them."""
    return max(2, round(SHARE[0] * steps))


def laps(run):
    """{phase: [seconds of each step]} of a `Run`."""
    history = run.history
    return {
        phase: np.diff(steps["seconds"]).tolist()
        for phase, steps in history.groupby("phase", sort=False)
    }


def seconds(laps):
    """What a picture takes when nothing else runs: the quickest step of each stage, times all.

    A busy machine makes some steps slower and none faster, so the quickest of many is what a step
    costs. A stage's first step, which compiles, does not count.
    """
    return sum(len(steps) * min(steps[1:] or steps) for steps in laps.values() if steps)


def slug(name):
    """A method's name as a part of a file's name."""
    return "".join(c if c.isalnum() else "_" for c in name.lower())
