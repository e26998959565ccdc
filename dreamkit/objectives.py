"""How scores add and scale, and how their slope is computed in one pass.  (Notebook 02.)"""

import functools
from dataclasses import dataclass

import numpy as np

from .startup import tf


class Score:
    """What terms and sums of terms have in common: `parts`, pairs of a weight and a term."""

    parts: tuple

    def __add__(self, other):
        return Objective(self.parts + other.parts) if isinstance(other, Score) else NotImplemented

    def __mul__(self, factor):
        return Objective(tuple((float(factor) * weight, term) for weight, term in self.parts))

    __rmul__ = __mul__

    def __neg__(self):
        return self * -1.0

    def __sub__(self, other):
        return self + -other

    def __call__(self, picture):
        """Score a picture.

        Args:
            picture: (H, W, 3) in [0, 1].

        Returns:
            total: scalar tensor, the sum of weight × term.
            terms: {name: scalar tensor}, each before its weight; a second term of the same name
                is called `name_2`.
        """
        picture = as_tensor(picture)
        targets = self.targets(picture)
        see = functools.partial(evaluate, self.terms)
        values = graph_of(see, "score", self.terms, picture, targets)(picture, targets)
        return weigh(values, self.weights), {name: values[name] for name in self.terms}

    def value_and_gradient(self, picture):
        """The score and its slope at a picture, from one compiled pass forward and back.

        Args:
            picture: (H, W, 3) float tensor in [0, 1].

        Returns:
            total and terms, as from a call, and the gradient of total, (H, W, 3).
        """
        picture = as_tensor(picture)
        targets = self.targets(picture)
        step = compiled(self.terms, picture, targets, (tuple(self.terms),))
        (total,), terms, (gradient,) = step(picture, targets, self.weights)
        return total, terms, gradient

    @functools.cached_property
    def terms(self):
        """{name: term}."""
        named = {}
        for _, term in self.parts:
            twins = sum(other.name == term.name for other in named.values())
            named[f"{term.name}_{twins + 1}" if twins else term.name] = term
        return named

    @functools.cached_property
    def weights(self):
        """{name: weight}."""
        return {name: weight for name, (weight, _) in zip(self.terms, self.parts, strict=True)}

    @functools.cached_property
    def _targets(self):
        return {}

    def targets(self, picture):
        """{name: what the term compares with}, computed when a size is first met, then kept."""
        met = (*picture.shape, picture.dtype)
        if met not in self._targets:
            for backbone, layers in layers_by_backbone(self.terms).items():
                backbone.check_size(picture.shape[:2], layers)
            self._targets[met] = {name: t.target(picture) for name, t in self.terms.items()}
        return self._targets[met]


@dataclass(frozen=True, eq=False)
class Objective(Score):
    """A weighted sum of terms, made by adding and scaling them: `parts` is ((weight, term), …)."""

    parts: tuple


def evaluate(terms, picture, targets):
    """{name: value} of a picture: one forward pass for each backbone, however many terms."""
    features = {
        backbone: backbone.raw_features(picture[tf.newaxis], layers)
        for backbone, layers in layers_by_backbone(terms).items()
    }
    return {
        name: term.score(picture, features.get(term.backbone), targets[name])
        for name, term in terms.items()
    }


def weigh(values, weights):
    """Σ weight · value, a scalar tensor."""
    exact = {name: tf.convert_to_tensor(weights[name], tf.float64) for name in values}
    return tf.add_n([tf.cast(exact[name], v.dtype) * v for name, v in values.items()])


_graphs = {}


def compiled(terms, picture, targets, sides):
    """The compiled step for objectives of this shape: traced once, for pictures of every size.

    `sides` are tuples of names of terms; each side gets a total and a gradient of its own.
    """

    def step(picture, targets, weights):
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(picture)
            values = evaluate(terms, picture, targets)
            totals = [weigh({n: values[n] for n in side}, weights) for side in sides]
        return totals, values, [tape.gradient(total, picture) for total in totals]

    weights = {name: tf.constant(0.0, tf.float64) for name in terms}
    return graph_of(step, sides, terms, picture, targets, weights)


def graph_of(function, kind, terms, *examples):
    """A function of terms as a graph for tensors like the examples, of any height and width.

    Graphs are kept: terms of the same shape share one, and nothing is traced twice.
    """
    dtype = tf.nest.flatten(examples)[0].dtype
    shape = kind, tuple((name, term.shape()) for name, term in terms.items()), dtype
    if shape not in _graphs:
        signature = tf.nest.map_structure(_any_size, examples)
        own = functools.partial(function)  # TensorFlow counts traces by code; this has none
        _graphs[shape] = tf.function(own, input_signature=signature, autograph=False)
    return _graphs[shape]


def _any_size(tensor):
    """The type of a tensor, with the height and width of pictures and features left open."""
    free = {3: [None, None], 4: [1, None, None]}.get(tensor.shape.rank)
    return tf.TensorSpec([*free, tensor.shape[-1]] if free else tensor.shape, tensor.dtype)


def layers_by_backbone(terms):
    """{backbone: all layers its terms need}, so that one forward pass serves them all."""
    wanted = {}
    for term in terms.values():
        if term.backbone is not None:
            wanted.setdefault(term.backbone, {}).update(dict.fromkeys(term.layers))
    return {backbone: tuple(layers) for backbone, layers in wanted.items()}


def as_tensor(picture):
    """A picture as a float tensor: tensors keep their type, everything else becomes float32."""
    return picture if tf.is_tensor(picture) else tf.constant(np.asarray(picture), tf.float32)
