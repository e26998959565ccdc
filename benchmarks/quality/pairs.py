"""The 24 pairs of a photo and a painting, all free to use (`dreamkit.samples` has the licences)."""

from typing import NamedTuple

import numpy as np

from dreamkit import load_image, resize

PHOTOS = ("astronaut", "china", "chelsea", "flower", "coffee", "rocket")
PAINTINGS = (
    *("night_flow", "woodcut_wave", "mosaic", "watercolour"),
    *("pointillism", "geometric", "oil_autumn", "stained_glass"),
)
COUNT = 24  # each photo four times, each painting three times
TRIED = 3  # the first pairs: on these dreamkit's own settings were chosen


class Pair(NamedTuple):
    """A photo and a painting, float32 in [0, 1]; the painting's longest side is the photo's."""

    name: str
    photo: np.ndarray
    painting: np.ndarray


def pair(number, size):
    """Pair `number`, from 0 to 23, with a longest side of `size` px."""
    pictures = (load_image(name) for name in _samples(number))
    return Pair(name_of(number), *(resize(x, size) for x in pictures))


def name_of(number):
    """The name of pair `number`, from 0 to 23."""
    return "-".join((f"{number:02}", *_samples(number)))


def _samples(number):
    return PHOTOS[number % len(PHOTOS)], PAINTINGS[number % len(PAINTINGS)]
