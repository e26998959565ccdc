"""Scoring a picture as if it went on forever, repeated like a tile on a wall.  (Notebook 03.)"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ..errors import SettingsError
from ..objectives import Evaluation, Objective, Score, as_tensor
from ..startup import tf
from ..terms import Content, Term


class Wrapped:
    """A score of a picture whose right edge meets its left one, and its bottom its top.

    The network sees the picture with a margin copied from the opposite sides, so that no feature
    sees an edge; only features of the picture itself are counted. If the sides are multiples of
    the network's stride, rolling the picture by that stride doesn't change the score at all.

    Args:
        score: an objective or a term that looks at a style or at pixels, not at a photo.

    Raises:
        SettingsError: a content term.

    Introduced in notebook 03.

    >>> from dreamkit import Style, load_backbone
    >>> import numpy as np
    >>> x = np.random.default_rng(0).random((64, 64, 3), "float32")
    >>> score = Wrapped(Style(x, load_backbone("squeezenet")))
    >>> bool(abs(score(np.roll(x, 16, axis=1))[0] / score(x)[0] - 1) < 1e-4)
    True
    """

    def __init__(self, score):
        if any(isinstance(term, Content) for term in score.terms.values()):
            raise SettingsError("A photo has edges, so its content term cannot wrap: leave it out.")
        self.score, self.margin = score, max(map(margin_of, score.terms.values()))
        self._inside = Objective((weight, Inside(t, self.margin)) for weight, t in score.parts)

    def __call__(self, picture):
        """Total and terms of a picture, (H, W, 3) in [0, 1], in the form an objective returns."""
        return self._inside(wrap(as_tensor(picture), self.margin))

    def value_and_gradient(self, picture):
        """The `Evaluation`; the margin's gradient is added to the pixels it was copied from."""
        picture = as_tensor(picture)
        with tf.GradientTape() as tape:
            tape.watch(picture)
            around = wrap(picture, self.margin)
        total, terms, gradient = self._inside.value_and_gradient(around)
        folded = tape.gradient(around, picture, gradient)
        return Evaluation(total, terms, tf.convert_to_tensor(folded))


@dataclass(eq=False)
class Inside(Term):
    """A term that counts only the features of a picture, not those of the margin around it.

    Args:
        term: the term.
        margin: width of the margin, px; a multiple of the strides of the term's layers.
    """

    term: Score
    margin: int
    adds_up: ClassVar[bool] = False  # each tile would lose a margin of its own

    def __post_init__(self):
        self.name, self.backbone, self.layers = self.term.name, self.term.backbone, self.term.layers

    def graph_key(self):
        return type(self), self.margin, self.term.graph_key()

    def reference(self, size):
        """The term's reference picture with a margin that mirrors it, as it may not repeat."""
        picture = self.term.reference(size)
        edges = [(self.margin, self.margin)] * 2 + [(0, 0)]
        return None if picture is None else np.pad(picture, edges, "symmetric")

    def target(self, features):
        return self.term.target(self.crop(features))

    def complete(self, target, picture):
        return self.term.complete(target, picture)

    def statistics(self, features, target):
        return self.term.statistics(self.crop(features), target)

    def loss(self, statistics, target):
        return self.term.loss(statistics, target)

    def crop(self, features):
        """{layer: the picture's own features}; of its pixels, also those across the seam."""
        own = {layer: slice(*self.edges(layer)) for layer in features}
        return {layer: f[:, own[layer], own[layer]] for layer, f in features.items()}

    def edges(self, layer):
        """Where the picture's own features begin and end, the end counted from the last."""
        if self.backbone is None:
            return self.margin, 1 - self.margin
        first = self.margin // self.backbone.stride(layer)
        both = 2 * first
        while self.backbone.smallest(layer, both) > 2 * self.margin:  # the network drops some
            both -= 1
        return first, first - both


def margin_of(term):
    """Width of the margin in which a term's features see an edge, in whole strides, px."""
    if term.backbone is None:
        return 2
    strides = {layer: term.backbone.stride(layer) for layer in term.layers}
    halos = {layer: term.backbone.halo(layer) for layer in term.layers}
    widest = max(max(before, after + 1 - strides[n]) for n, (before, after) in halos.items())
    return -(-widest // max(strides.values())) * max(strides.values())


def wrap(picture, margin):
    """The picture with a margin on all sides, copied from the opposite ones.

    Args:
        picture: (H, W, 3) tensor or array.
        margin: px; may be larger than the picture.

    Returns:
        (H + 2·margin, W + 2·margin, 3) tensor.

    >>> wrap(np.array([[[1.0], [2.0]]]), 1)[..., 0].numpy().tolist()
    [[2.0, 1.0, 2.0, 1.0], [2.0, 1.0, 2.0, 1.0], [2.0, 1.0, 2.0, 1.0]]
    """
    for axis, side in enumerate(picture.shape[:2]):
        picture = tf.gather(picture, np.arange(-margin, side + margin) % side, axis=axis)
    return picture
