"""Small random moves of the picture before each step, against the network's grid.  (Notebook 03.)

A network has favourite places (its strides) and favourite directions. A picture that has to please
it wherever it lies, however it is turned and at any nearby scale cannot rely on them, and gets
clearer shapes. A move is linear, x ↦ Ax, so the gradient at x is Aᵀ times the gradient at Ax: the
score need not know that its picture was moved, in tiles or whole.
"""

import itertools
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from .errors import check_range
from .startup import tf


@dataclass(frozen=True)
class Transforms:
    """How far to move a picture at random before each step.

    Args:
        jitter: roll it by up to this many px, down or up and right or left.
        rotate: turn it by up to this many degrees either way, 0 to 180.
        zoom: enlarge or shrink it by up to this fraction, 0 to 1.

    Raises:
        SettingsError: an argument is out of range.

    Sources: Mordvintsev, Olah and Tyka 2015 (the roll); Olah, Mordvintsev and Schubert 2017
    (rotation and scale). Introduced in notebook 03.

    >>> Transforms(jitter=8).draw(seed=1, step=0)
    Move(shift=(0, 0), angle=0.0, scale=1.0)
    """

    jitter: int = 0
    rotate: float = 0.0
    zoom: float = 0.0

    def __post_init__(self):
        check_range("jitter", self.jitter, 0)
        check_range("rotate", self.rotate, 0.0, 180.0)
        check_range("zoom", self.zoom, 0.0, 1.0)

    def __bool__(self):
        return bool(self.jitter or self.rotate or self.zoom)

    def draw(self, seed, step):
        """The `Move` of one step; the same seed and step always give the same one."""
        rng = np.random.default_rng((seed, step))
        shift = rng.integers(-self.jitter, self.jitter + 1, 2)
        turn, growth = rng.uniform(-1, 1, 2).tolist()  # drawn last: no roll depends on them
        return Move(tuple(shift.tolist()), self.rotate * turn, (1 + self.zoom) ** growth)


class Move(NamedTuple):
    """One linear move of a picture: a roll, then a turn and a zoom about its centre.

    Attributes:
        shift: (down, right), px; what leaves the picture at one edge comes in at the other.
        angle: degrees.
        scale: above 1 enlarges. Past its edges, the picture is continued by its mirror image.
    """

    shift: tuple
    angle: float
    scale: float

    def apply(self, picture):
        """The moved picture: A times (H, W, 3)."""
        return self.turn(self.roll(picture))

    def adjoint(self, gradient):
        """The gradient at the picture from the one at the moved picture: Aᵀ times (H, W, 3)."""
        return self.roll_back(self.turn_back(gradient))

    def roll(self, picture):
        return tf.roll(picture, self.shift, (0, 1))

    def roll_back(self, picture):
        return tf.roll(picture, [-px for px in self.shift], (0, 1))

    def turn(self, picture):
        """Each pixel is the bilinear mean of the four pixels around the place it comes from."""
        if not self.turns:
            return picture
        flat, moved = tf.reshape(picture, (-1, picture.shape[-1])), 0
        for pixels, weights in self.corners(*picture.shape[:2]):
            moved += tf.cast(weights, picture.dtype) * tf.gather(flat, pixels)
        return tf.reshape(moved, picture.shape)

    def turn_back(self, gradient):
        """What each pixel gave to others with a weight comes back to it with the same weight."""
        if not self.turns:
            return gradient
        flat, back = tf.reshape(gradient, (-1, gradient.shape[-1])), 0
        for pixels, weights in self.corners(*gradient.shape[:2]):
            share = tf.cast(weights, gradient.dtype) * flat
            back += tf.math.unsorted_segment_sum(share, pixels, flat.shape[0])
        return tf.reshape(back, gradient.shape)

    @property
    def turns(self):
        """False if the move is only a roll."""
        return self.angle != 0 or self.scale != 1

    def corners(self, height, width):
        """For each of four neighbours: its numbers in the flat picture, and (H·W, 1) weights."""
        middle, centre = (height - 1) / 2, (width - 1) / 2
        down, right = np.arange(height)[:, None] - middle, np.arange(width) - centre
        cos, sin = (f(np.deg2rad(self.angle)) / self.scale for f in (np.cos, np.sin))
        y, x = cos * down + sin * right + middle, cos * right - sin * down + centre
        top, left = np.floor(y).astype(int), np.floor(x).astype(int)
        for below, beside in itertools.product((0, 1), (0, 1)):
            pixels = mirrored(top + below, height) * width + mirrored(left + beside, width)
            weights = np.abs(1 - below - (y - top)) * np.abs(1 - beside - (x - left))
            yield pixels.ravel(), weights.reshape(-1, 1)


STAY = Move((0, 0), 0.0, 1.0)  # moves nothing


def mirrored(places, length):
    """Places along a side, with those outside reflected back into 0 … length − 1.

    >>> mirrored(np.arange(-2, 5), 3).tolist()
    [1, 0, 0, 1, 2, 2, 1]
    """
    places = places % (2 * length)
    return np.minimum(places, 2 * length - 1 - places)
