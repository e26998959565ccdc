"""Temporal: a term that holds a picture close to another, where the flow is reliable."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from ..startup import tf
from ..sums import count, sum_up
from ..terms import Term


@dataclass(eq=False)
class Temporal(Term):
    """How far a picture is from the last frame's result, with parts moved to where they are now.

    With W that result, x the picture and c how reliable the flow is: mean c (x − W)².

    Args:
        image: W, (H, W, 3) in [0, 1].
        reliable: c, (H, W, 1) in [0, 1].

    Source: Ruder, Dosovitskiy and Brox 2016, equation 7.

    >>> import numpy as np
    >>> last, certain = np.zeros((8, 8, 3), "float32"), np.ones((8, 8, 1), "float32")
    >>> float(Temporal(last, certain)(last + 0.5)[0])
    0.25
    """

    image: Any
    reliable: Any
    name: ClassVar[str] = "temporal"
    backbone: ClassVar[None] = None
    layers: ClassVar[Mapping] = {"pixels": 1.0}
    pictures: ClassVar[tuple] = ("image", "reliable")

    def target(self, features):
        """{"pixels": (W, c)}."""
        return {"pixels": tuple(tf.constant(x)[tf.newaxis] for x in (self.image, self.reliable))}

    def statistics(self, features, target):
        """{"pixels": (Σ c (x − W)², number of values)}."""
        (x,) = features.values()
        image, reliable = (tf.cast(value, x.dtype) for value in target["pixels"])
        return {"pixels": (sum_up(reliable * (x - image) ** 2), count(x))}

    def loss(self, statistics, target):
        total, number = statistics["pixels"]
        return total / number
