"""Small random moves of the picture before each step, against the network's grid.  (Notebook 04.)

A network has favourite places (its strides) and favourite directions. A picture that has to please
it wherever it lies, however it is turned and at any nearby scale cannot rely on them, and gets
clearer shapes. A move is linear, x ↦ Ax, so the gradient at x is Aᵀ times the gradient at Ax: the
score need not know that its picture was moved, in tiles or whole. Grey margins add a constant.
"""

import itertools
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..errors import check_range
from ..startup import tf


@dataclass(frozen=True)
class Transforms:
    """How far to move a picture at random before each step.

    Args:
        jitter: roll it by up to this many px, down or up and right or left.
        rotate: turn it by up to this many degrees either way, 0 to 180.
        zoom: enlarge or shrink it by up to this fraction, 0 to 1.
        pad: lay it on grey that is this many px larger on each side, at a random place. Only for
            scores without a photo to compare with, which would have to be as large.

    Raises:
        SettingsError: an argument is out of range.

    Sources: Mordvintsev, Olah and Tyka 2015 (the roll); Olah, Mordvintsev and Schubert 2017
    (rotation, scale and padding). Introduced in notebook 04.

    >>> Transforms(jitter=8).draw(seed=1, step=0)
    Move(shift=(0, 0), angle=0.0, scale=1.0, margins=((0, 0), (0, 0)))
    """

    jitter: int = 0
    rotate: float = 0.0
    zoom: float = 0.0
    pad: int = 0

    def __post_init__(self):
        check_range("jitter", self.jitter, 0)
        check_range("rotate", self.rotate, 0.0, 180.0)
        check_range("zoom", self.zoom, 0.0, 1.0)
        check_range("pad", self.pad, 0)

    def __bool__(self):
        return bool(self.jitter or self.rotate or self.zoom or self.pad)

    def draw(self, seed, step):
        """The `Move` of one step; the same seed and step always give the same one."""
        rng = np.random.default_rng((seed, step))
        shift = rng.integers(-self.jitter, self.jitter + 1, 2)
        turn, growth = rng.uniform(-1, 1, 2).tolist()  # last, so that no roll depends on them
        place = rng.integers(0, 2 * self.pad, 2, endpoint=True).tolist()
        margins = tuple((before, 2 * self.pad - before) for before in place)
        return Move(tuple(shift.tolist()), self.rotate * turn, (1 + self.zoom) ** growth, margins)


class Move(NamedTuple):
    """One move of a picture: a roll, then a turn and a zoom about its centre, then grey margins.

    Attributes:
        shift: (down, right), px; what leaves the picture at one edge comes in at the other.
        angle: degrees.
        scale: above 1 enlarges. Past its edges, the picture is continued by its mirror image.
        margins: ((above, below), (left, right)), px.
    """

    shift: tuple
    angle: float
    scale: float
    margins: tuple = ((0, 0), (0, 0))

    def apply(self, picture):
        """The moved picture: A times (H, W, 3), on grey."""
        return self.frame(self.turn(self.roll(picture)))

    def adjoint(self, gradient):
        """The gradient at the picture from the one at the moved picture: Aᵀ times (H, W, 3)."""
        return self.roll_back(self.turn_back(self.unframe(gradient)))

    def roll(self, picture):
        return tf.roll(picture, self.shift, (0, 1))

    def roll_back(self, picture):
        return tf.roll(picture, [-px for px in self.shift], (0, 1))

    def turn(self, picture):
        """A turned picture; a roll alone leaves it as it is."""
        return times(self.matrix(picture), picture) if self.turns else picture

    def turn_back(self, gradient):
        return times(self.matrix(gradient).T, gradient) if self.turns else gradient

    def frame(self, picture):
        """The picture on grey; without margins, the picture as it is."""
        if not np.any(self.margins):
            return picture
        return tf.pad(picture, (*self.margins, (0, 0)), constant_values=GREY)

    def unframe(self, gradient):
        """What is inside the margins."""
        if not np.any(self.margins):
            return gradient
        (above, below), (left, right) = self.margins
        height, width = gradient.shape[:2]
        return gradient[above : height - below, left : width - right]

    @property
    def turns(self):
        """False if the move is only a roll."""
        return self.angle != 0 or self.scale != 1

    def matrix(self, picture):
        """The turn of (H, W, 3) as a sparse matrix, (H·W, H·W), in the picture's precision.

        A row has four weights: each pixel becomes the bilinear mean of the four pixels around the
        place that it comes from.
        """
        from scipy.sparse import csr_array

        height, width = picture.shape[:2]
        middle, centre = (height - 1) / 2, (width - 1) / 2
        down, right = np.arange(height)[:, None] - middle, np.arange(width) - centre
        cos, sin = (f(np.deg2rad(self.angle)) / self.scale for f in (np.cos, np.sin))
        rows = neighbours(cos * down + sin * right + middle, height)
        columns = neighbours(cos * right - sin * down + centre, width)
        corners = list(itertools.product(rows, columns))
        pixels = np.stack([y * width + x for (y, _), (x, _) in corners], -1)
        weights = np.stack([a * b for (_, a), (_, b) in corners], -1)
        starts = np.arange(0, pixels.size + 1, 4, dtype=pixels.dtype)
        weights = weights.ravel().astype(picture.dtype.as_numpy_dtype)
        return csr_array((weights, pixels.ravel(), starts), [height * width] * 2)


def times(matrix, picture):
    """A matrix (H·W, H·W) times a picture (H, W, 3)."""
    flat = matrix @ np.reshape(picture, (-1, picture.shape[-1]))
    return tf.reshape(tf.constant(flat), picture.shape)


GREY = 0.5  # of margins
STAY = Move((0, 0), 0.0, 1.0)  # moves nothing


def neighbours(places, length):
    """The two pixels on either side of places along an axis, and the weight of each."""
    below = np.floor(places)
    share = (places - below).astype("float32")
    before, after = (mirrored(below.astype("int32") + offset, length) for offset in (0, 1))
    return (before, 1 - share), (after, share)


def mirrored(pixels, length):
    """Pixels along an axis, with those past its ends reflected back.

    >>> mirrored(np.arange(-2, 5), 3).tolist()
    [1, 0, 0, 1, 2, 2, 1]
    """
    pixels = pixels % (2 * length)
    return np.minimum(pixels, 2 * length - 1 - pixels)
