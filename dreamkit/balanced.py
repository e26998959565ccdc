"""Descend one score and ascend another at the same time.  (Notebook 05.)"""

from dataclasses import dataclass

from .gradients import normalise
from .objectives import Evaluation, Score
from .startup import tf


@dataclass(eq=False)
class Balanced:
    """Descend one score and ascend another, each pulling equally hard whatever its scale.

    The direction is ∇down / |∇down| − balance · ∇up / |∇up|, so neither gradient drowns out the
    other. The total in the history is down − balance · up.

    Args:
        down: the objective to descend.
        up: the objective to ascend.
        balance: how hard `up` pulls relative to `down`; 1 means equally hard.
        smooth: number of Laplacian pyramid bands of ∇up to bring to equal strength, which gives
            shapes rather than grain; 0 leaves the gradient as it is.

    Source: balancing gradients by their length follows Chen et al. 2018 (GradNorm). Introduced in
    notebook 05.
    """

    down: Score
    up: Score
    balance: float = 1.0
    smooth: int = 0

    def __call__(self, picture):
        """Total and terms of a picture, (H, W, 3) in [0, 1], in the form an objective returns."""
        return self._combine(self.down(picture), self.up(picture))

    def value_and_gradient(self, picture):
        """Total, terms and the balanced direction, scaled to the length of ∇down."""
        down, up = self.both(picture)
        up_gradient = normalise(up.gradient, self.smooth) if self.smooth else up.gradient
        pull = self.balance * tf.norm(down.gradient) / (tf.norm(up_gradient) + 1e-20)
        return Evaluation(*self._combine(down, up), down.gradient - pull * up_gradient)

    def both(self, picture):
        """The `Evaluation` of each score."""
        return self.down.value_and_gradient(picture), self.up.value_and_gradient(picture)

    def _combine(self, down, up):
        """Total and terms; a term name that occurs in both scores becomes `name_2` in `up`."""
        names = (self.down + self.up).terms
        values = [*down[1].values(), *up[1].values()]
        return down[0] - self.balance * up[0], dict(zip(names, values, strict=True))
