"""What is done to a gradient before it is followed.  (Notebooks 03 and 04.)"""

import functools
from dataclasses import dataclass

from .scores import Score, as_tensor, compiled, graph_of
from .startup import tf
from .tiles import Tiled


def normalise(gradient, levels=0):
    """Bring a gradient to unit strength, so that a step has the same length wherever we are.

    Args:
        gradient: (H, W, 3).
        levels: 0 divides by the standard deviation; n > 0 splits the gradient into n bands of a
            Laplacian pyramid, from fine to coarse, and brings each to unit strength by itself.

    Returns:
        (H, W, 3), of standard deviation about 1.

    Sources: Burt and Adelson 1983 (the pyramid); Mordvintsev's deep dream notebook, 2015.
    Introduced in notebook 03.

    >>> g = tf.random.stateless_normal((16, 16, 3), seed=(0, 1)) * 1e-6
    >>> round(float(tf.math.reduce_std(normalise(g))), 3)
    1.0
    """
    bands, rest = [], gradient[tf.newaxis]
    for _ in range(levels):
        coarse = tf.nn.avg_pool2d(rest, 2, 2, "SAME")
        bands.append(rest - _blown_up(coarse, rest))
        rest = coarse
    merged = _unit(rest)
    for band in reversed(bands):
        merged = _blown_up(merged, band) + _unit(band)
    return _unit(merged)[0] if bands else merged[0]


def _blown_up(small, large):
    return tf.cast(tf.image.resize(small, tf.shape(large)[1:3]), large.dtype)


def _unit(x):
    return x / (tf.math.reduce_std(x) + 1e-20)


def quickly_normalise(gradient, levels=0):
    """`normalise`, compiled once for gradients of every size.

    Introduced in notebook 03.
    """
    unit = functools.partial(normalise, levels=levels)
    return graph_of(unit, ("normalise", levels), {}, gradient)(gradient)


@dataclass(frozen=True, eq=False)
class Balanced:
    """Down one score and up another at once, each with the same say, whatever their scales.

    The direction is ∇down / |∇down| − balance · ∇up / |∇up|, so neither gradient drowns the
    other; the total told is down − balance · up.

    Args:
        down, up: objectives.
        balance: the say of `up` against that of `down`; 1 is half and half.
        smooth: bands of the Laplacian pyramid that get the same say in ∇up, so that it paints
            shapes rather than grain; 0 takes it as it is.
        tile: side of the tiles, px, in which each score is computed; None: whole.

    Introduced in notebook 04.
    """

    down: Score
    up: Score
    balance: float = 1.0
    smooth: int = 0
    tile: int | None = None

    @property
    def terms(self):
        """{name: term} of both."""
        return self._whole.terms

    def __call__(self, picture):
        """Total and terms of a picture, (H, W, 3) in [0, 1], as an objective's call gives them."""
        return (Tiled(self._whole, self.tile) if self.tile else self._whole)(picture)

    def value_and_gradient(self, picture):
        """Total, terms and the balanced direction, scaled to the length of ∇down."""
        total, terms, slope, rise = self._sides(as_tensor(picture))
        rise = quickly_normalise(rise, self.smooth) if self.smooth else rise
        say = abs(self.balance) * tf.norm(slope) / (tf.norm(rise) + 1e-20)
        return total, terms, slope + say * rise

    def _sides(self, picture):
        """Total, terms, and each side's gradient: in one pass, or in tiles."""
        if self.tile:
            (down, seen, slope), (up, more, rise) = (
                side.value_and_gradient(picture) for side in self._tiled
            )
            return (
                down + up,
                dict(zip(self.terms, [*seen.values(), *more.values()], strict=True)),
                slope,
                rise,
            )
        targets = self._whole.targets(picture)
        names, downs = tuple(self.terms), len(self.down.parts)
        step = compiled(self.terms, picture, targets, (names[:downs], names[downs:]))
        (down, up), terms, (slope, rise) = step(picture, targets, self._whole.weights)
        return down + up, terms, slope, rise

    @functools.cached_property
    def _tiled(self):
        return Tiled(self.down, self.tile), Tiled(-self.balance * self.up, self.tile)

    @functools.cached_property
    def _whole(self):
        """Both scores as one, so that a backbone they share sees the picture once a step."""
        return self.down - self.balance * self.up
