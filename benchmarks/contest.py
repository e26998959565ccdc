"""How long does our style transfer take to reach another program's loss after many steps?

A time is a number of steps times the seconds of one. How many steps a loss takes doesn't depend on
how busy the machine is; what a step takes does, so the programs take turns, and the medians count.
"""

import time
from collections import defaultdict
from statistics import median
from typing import NamedTuple

import numpy as np

from dreamkit import load_image, objectives, style_transfer
from dreamkit.large.spectral_lbfgs import MOST
from dreamkit.octaves import share_steps

from .goals import EVERY


def pictures(size):
    """The contest's photo and painting with 8 bits per channel, as all programs see them."""
    loaded = (load_image(name, size) for name in ("astronaut", "night_flow"))
    return tuple((np.round(picture * 255) / 255).astype("float32") for picture in loaded)


class Walk(NamedTuple):
    """One of our runs, in which the other programs took a step now and then.

    Attributes:
        setup: seconds for set-up and tracing, at all sizes.
        counts: number of steps at each size, from small to large.
        seconds: seconds of a step at each size.
        losses: by the judge, after 0, `EVERY`, 2 · `EVERY`, … steps at full size.
        rivals: {name: seconds of a step}.
    """

    setup: float
    counts: list
    seconds: list
    losses: list
    rivals: dict

    def seconds_to(self, steps):
        """How long it takes to do so many steps at full size."""
        *smaller, full = self.seconds
        # A size ends by scoring its last picture, which counts as one more step.
        before = sum((n + 1) * each for n, each in zip(self.counts, smaller, strict=False))
        return self.setup + before + steps * full


def walk(photo, painting, backbone, judge, rivals, steps, octaves=1, goal=0.0, **options):
    """Our recipe until its loss, by the judge, is at most `goal`: a `Walk`.

    Our set-up counts as in a fresh process whose network is loaded: the features of both pictures,
    the tracing of TensorFlow's graphs, the resizing. Of the others only their steps count.

    Args:
        judge: the loss of a picture, a function.
        rivals: {name: function that takes one step of that program}.
    """
    ours, theirs, losses = defaultdict(list), defaultdict(list), []
    objectives._graphs.clear()

    def after(step):
        nonlocal since
        ours[len(step.image)].append(time.perf_counter() - since)
        if len(step.image) == len(photo) and step.step % EVERY == 0:
            losses.append(judge(step.image))
            for name, take_step in rivals.items():
                started = time.perf_counter()
                take_step()
                theirs[name].append(time.perf_counter() - started)
        since = time.perf_counter()
        return bool(losses) and losses[-1] <= goal

    since = time.perf_counter()
    options |= dict(seed=0, octaves=octaves, progress=False, callback=after)
    style_transfer(photo, painting, backbone, steps=steps, **options)
    typical = [median(seconds[MOST:] or seconds) for seconds in ours.values()]
    setup = sum(seconds[0] for seconds in ours.values()) - sum(typical)
    others = {name: median(seconds) for name, seconds in theirs.items()}
    return Walk(setup, share_steps(steps, octaves), typical, losses, others)


def steps_to(losses, goal):
    """After how many steps the losses are at most `goal`; None if never."""
    return next((n * EVERY for n, loss in enumerate(losses) if loss <= goal), None)
