"""Down one score and up another at once.  (Notebook 04.)"""

from dataclasses import dataclass

from .gradients import normalise
from .objectives import Evaluation, Score
from .startup import tf


@dataclass(eq=False)
class Balanced:
    """Down one score and up another at once, each pulling equally hard, whatever their scales.

    The direction is ∇down / |∇down| − balance · ∇up / |∇up|, so neither gradient drowns the
    other; the total in the history is down − balance · up.

    Args:
        down, up: objectives.
        balance: how hard `up` pulls, relative to `down`; 1 is half and half.
        smooth: bands of the Laplacian pyramid of ∇up that are brought to equal strength, so that
            it paints shapes rather than grain; 0 takes the gradient as it is.

    Source: balancing by the length of gradients, as in Chen et al. 2018 (GradNorm). Introduced in
    notebook 04.
    """

    down: Score
    up: Score
    balance: float = 1.0
    smooth: int = 0

    def __call__(self, picture):
        """Total and terms of a picture, (H, W, 3) in [0, 1], as an objective's call gives them."""
        return self._together(self.down(picture), self.up(picture))

    def value_and_gradient(self, picture):
        """Total, terms and the balanced direction, scaled to the length of ∇down."""
        down, up = self.both(picture)
        rise = normalise(up.gradient, self.smooth) if self.smooth else up.gradient
        pull = self.balance * tf.norm(down.gradient) / (tf.norm(rise) + 1e-20)
        return Evaluation(*self._together(down, up), down.gradient - pull * rise)

    def both(self, picture):
        """The `Evaluation` of each score."""
        return self.down.value_and_gradient(picture), self.up.value_and_gradient(picture)

    def _together(self, down, up):
        """Total and terms; a term of `up` that `down` has, too, is called `name_2`."""
        names = (self.down + self.up).terms
        values = [*down[1].values(), *up[1].values()]
        return down[0] - self.balance * up[0], dict(zip(names, values, strict=True))
