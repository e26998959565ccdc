"""Steering: changing weights during a run, and repeating those changes.  (Notebook 07.)"""

from ..balanced import Balanced
from ..large.loss_scaling import LossScaled
from ..large.wrapped import Wrapped
from ..objectives import Score


class Steered:
    """A callback that repeats what was done to an earlier run: changes its weights, or stops it.

    A run made with it records its events, so `rerun` repeats them.

    Args:
        events: [[phase, step, change], …]: what to do after `step` steps of a phase. A change is
            {name of a term, or "balance": weight}, or `"stop"`.

    >>> import numpy as np
    >>> from dreamkit import TotalVariation, descend
    >>> steered = Steered([["descend", 1, {"total_variation": 0.0}]])
    >>> noise = np.random.default_rng(0).random((8, 8, 3), "float32")
    >>> run = descend(noise, 2 * TotalVariation(), 3, callback=steered, progress=False)
    >>> run.history["total"].round(1).tolist()[2:]
    [0.0, 0.0]
    """

    def __init__(self, events=()):
        self.events = [list(event) for event in events]

    def __call__(self, step):
        """What a callback returns after a `Step`: True to stop, {name: weight}, or None."""
        for phase, number, change in self.events:
            if (phase, number) == (step.phase, step.step):
                return True if change == "stop" else change
        return None


def reweight(score, weights):
    """Change the weights of a score's terms in place, and the balance of a `Balanced`.

    Args:
        score: what `fit_to_memory` returned, so that nobody else uses it.
        weights: {name of a term, or "balance": weight}; names that it does not have are ignored.
    """
    if isinstance(score, Balanced):
        score.balance = weights.get("balance", score.balance)
        reweight(score.down, weights)
        reweight(score.up, weights)
    elif isinstance(score, Wrapped):
        reweight(score._inside, weights)
    elif isinstance(score, LossScaled):
        reweight(score.score, weights)
        reweight(score.exact, weights)
    elif isinstance(score, Score):
        named = zip(score.terms, score.parts, strict=True)
        score.parts = tuple((weights.get(name, weight), term) for name, (weight, term) in named)
        for derived in ("weights", "_pixel_terms"):  # what was worked out from the old weights
            score.__dict__.pop(derived, None)
