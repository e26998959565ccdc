"""Gradients that pass through float16, whose numbers end at 65,504 and at 0.00000006.

A loss is multiplied by a power of two before its gradient is computed, and the gradient divided by
it after, so that the numbers in between fit (Micikevicius et al. 2018, "Mixed precision training").
Networks in float16 are rescaled (`networks/rescaling.py`), which brings the gradients of all their
layers near the gradient of the pixels: measured with VGG-19, SqueezeNet and Inception v3, their
largest elements are 0.0001 to 2 times as large. So the pixels' gradient says how to scale the loss.
"""

import copy
import math

from ..controls.masks import Masked
from ..objectives import Evaluation, Objective, Score, as_tensor
from ..startup import tf
from .tiles import Tiled

TARGET = 2.0**8  # for the gradient's largest element: 256 times less than float16's largest number
TOO_SMALL = TARGET / 2**12  # so much smaller, and too many of the elements would become zero
FIRST, LARGEST = 2.0**8, 2.0**60  # factors


class LossScaled(Score):
    """A score with networks in float16, and gradients as if they computed in float32.

    A step whose gradient or total is not finite is computed again in float32.

    Args:
        score: an `Objective` or a `Tiled` score.
        in_float32: function () → the same score with networks in float32.
    """

    def __init__(self, score, in_float32):
        self.score, self.parts, self.factor = score, score.parts, FIRST
        self._in_float32, self._exact = in_float32, None

    def __call__(self, picture):
        """Total and terms of a picture, (H, W, 3) in [0, 1], in the form the score returns."""
        total, terms = self.score(picture)
        return (total, terms) if math.isfinite(total) else self.exact(picture)

    def value_and_gradient(self, picture):
        """The `Evaluation` of a picture, (H, W, 3) in [0, 1]."""
        picture = as_tensor(picture)
        found, largest = self._scaled(picture)
        while largest < TOO_SMALL and self.factor < LARGEST:
            self.factor = self._factor_for(largest)
            found, largest = self._scaled(picture)
        if math.isfinite(largest):
            self.factor = self._factor_for(largest)
            return found
        found = self.exact.value_and_gradient(picture)
        largest = float(tf.reduce_max(tf.abs(found.gradient))) * self.factor
        self.factor = min(self._factor_for(largest), self.factor / TARGET)
        return found

    @property
    def exact(self):
        """The same score in float32, which is only built when it is needed."""
        self._exact = self._exact or self._in_float32()
        return self._exact

    def _scaled(self, picture):
        """The `Evaluation`, and the largest element of its gradient before it is divided again.

        The latter is NaN or infinite if the total or the gradient is not finite.
        """
        factor = self.factor
        total, terms, gradient = multiplied(self.score, factor).value_and_gradient(picture)
        largest = tf.reduce_max(tf.abs(gradient)) + 0 * tf.reduce_sum(gradient) + 0 * total
        return Evaluation(total / factor, terms, gradient / factor), float(largest)

    def _factor_for(self, largest):
        """The factor that would have made a gradient's largest element about `TARGET`."""
        if largest == 0:  # a gradient of zero, or one that has underflowed
            return self.factor * 2.0**20 if self.factor < LARGEST else FIRST
        if not math.isfinite(largest):
            return self.factor
        return min(LARGEST, self.factor * 2.0 ** round(math.log2(TARGET / largest)))


def multiplied(score, factor):
    """`score` times `factor`, computed in the same way and with the same targets."""
    product = score * factor
    if isinstance(score, Tiled):
        product = Tiled(product, score.side)
    product._targets = score._targets
    return product


def uses_float16(score):
    """True if a network that a score uses computes in float16."""
    backbones = {term.backbone for term in score.terms.values()} - {None}
    return any(backbone.precision == "float16" for backbone in backbones)


def in_float32(score):
    """The same score with its networks in float32."""
    return Objective((weight, _in_float32(term)) for weight, term in score.parts)


def _in_float32(term):
    if term.backbone is None:
        return term
    exact = copy.copy(term)
    if isinstance(term, Masked):
        exact.term = _in_float32(term.term)
    exact.backbone = term.backbone.with_precision("float32")
    return exact
