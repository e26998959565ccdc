"""Down one score and up another at once.  (Notebook 04.)"""

import functools
from dataclasses import dataclass

from .gradients import quickly_normalise
from .large.tiles import Tiled
from .objectives import Score, as_tensor, compiled
from .startup import tf


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
