"""Adding and scaling scores, and computing their gradient in one pass.  (Notebook 03.)"""

import functools
from typing import NamedTuple

import numpy as np

from .arguments import kinds
from .arguments.checked import checked, plain
from .startup import check_process, tf


class Evaluation(NamedTuple):
    """The result of scoring a picture.

    Attributes:
        total: scalar tensor, the sum of weight × term.
        terms: {name: scalar tensor}, unweighted.
        gradient: (H, W, 3) tensor, the gradient of the total with respect to the picture.
    """

    total: tf.Tensor
    terms: dict
    gradient: tf.Tensor


class Score:
    """What terms and sums of terms share: `parts`, a tuple of (weight, term)."""

    parts: tuple
    __array_ufunc__ = None  # so that NumPy's numbers times a score are scores, too

    def __add__(self, other):
        return Objective(self.parts + other.parts) if isinstance(other, Score) else NotImplemented

    def __mul__(self, factor):
        factor = float(kinds.weight("A weight", plain(factor)))
        return Objective(tuple((factor * own, term) for own, term in self.parts))

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
            terms: {name: scalar tensor}, unweighted; a second term of the same name is called
                `name_2`.
        """
        picture = as_tensor(picture)
        evaluate = functools.partial(values_of, self.terms)
        values = compiled("values", evaluate, self.terms, picture, self.targets(picture))
        return weighted_sum(values, self.weights), values

    def value_and_gradient(self, picture):
        """The `Evaluation` of a picture, (H, W, 3) in [0, 1]: the score and its gradient."""

        def evaluate(picture, targets, weights):
            with tf.GradientTape() as tape:
                tape.watch(picture)
                values = values_of(self.terms, picture, targets)
                total = weighted_sum(values, weights)
            return total, values, tape.gradient(total, picture)

        picture = as_tensor(picture)
        given = picture, self.targets(picture), as_tensors(self.weights)
        total, values, gradient = compiled("gradient", evaluate, self.terms, *given)
        return Evaluation(total, {name: values[name] for name in self.terms}, gradient)

    @functools.cached_property
    def terms(self):
        """{name: term}."""
        named = {}
        for _, term in self.parts:
            count = sum(other.name == term.name for other in named.values())
            named[f"{term.name}_{count + 1}" if count else term.name] = term
        return named

    @functools.cached_property
    def weights(self):
        """{name: weight}."""
        return {name: weight for name, (weight, _) in zip(self.terms, self.parts, strict=True)}

    def targets(self, picture):
        """{name: the term's target}, computed once for each picture size."""
        size = (*picture.shape, picture.dtype)
        if size not in self._targets:
            for term in self.terms.values():
                term.check_size(picture.shape[:2])
            self._targets[size] = {name: target_of(t, picture) for name, t in self.terms.items()}
        return self._targets[size]

    @functools.cached_property
    def _targets(self):
        return {}


class Objective(Score):
    """A weighted sum of terms, `parts` = ((weight, term), …), made by adding and scaling them.

    Introduced in notebook 03.

    >>> from dreamkit import TotalVariation
    >>> (3 * TotalVariation() - TotalVariation()).weights
    {'total_variation': 3.0, 'total_variation_2': -1.0}
    """

    @checked
    def __init__(self, parts):
        self.parts = tuple(parts)


def target_of(term, picture):
    """A term's target for pictures of this size and dtype, from its reference picture."""
    reference, features = term.reference(tuple(picture.shape[:2])), {}
    if reference is not None:
        images = tf.cast(reference, picture.dtype)[tf.newaxis]
        features = term.backbone.raw_features(images, tuple(term.layers))
    return term.complete(term.target(features), picture)


def values_of(terms, picture, targets):
    """{name: value} of each term, with a single forward pass per backbone."""
    features = {
        backbone: backbone.raw_features(picture[tf.newaxis], layers)
        for backbone, layers in layers_by_backbone(terms).items()
    }
    features[None] = {"pixels": picture[tf.newaxis]}
    return {
        name: term.loss(term.statistics(term.select(features[term.backbone]), target), target)
        for (name, term), target in zip(terms.items(), targets.values(), strict=True)
    }


def weighted_sum(values, weights):
    """Σ weight · value, a scalar tensor."""
    weights = as_tensors(weights)
    return tf.add_n([tf.cast(weights[name], v.dtype) * v for name, v in values.items()])


def layers_by_backbone(terms):
    """{backbone: all layers that its terms need}, so that they share one forward pass."""
    needed = {}
    for term in terms.values():
        if term.backbone is not None:
            needed.setdefault(term.backbone, {}).update(dict.fromkeys(term.layers))
    return {backbone: tuple(layers) for backbone, layers in needed.items()}


def as_tensor(picture):
    """A picture as a float tensor: tensors keep their dtype, everything else becomes float32."""
    return picture if tf.is_tensor(picture) else tf.constant(np.asarray(picture), tf.float32)


def as_tensors(weights):
    """{name: weight} as float64 tensors: inputs of a graph, which then serves any weights."""
    return {name: tf.convert_to_tensor(weight, tf.float64) for name, weight in weights.items()}


_graphs = {}


def compiled(purpose, function, terms, *given):
    """Call a function of tensors as a TensorFlow graph, which is traced once and reused.

    The same graph serves pictures of every size, and all terms with the same `graph_key`.

    Args:
        purpose: what the function does; together with the terms it identifies the graph.
        function: called with tensors, or with dicts and tuples of them.
        terms: {name: term} that the function uses.
        given: its arguments; the sides of (H, W, C) and (1, h, w, C) tensors may differ next time.
    """
    check_process()
    dtype = tf.nest.flatten(given)[0].dtype
    key = purpose, tuple((name, term.graph_key()) for name, term in terms.items()), dtype
    if key not in _graphs:
        signature = tf.nest.map_structure(_any_size, given)
        own = functools.partial(function)  # TensorFlow counts traces by code object; this has none
        _graphs[key] = tf.function(own, input_signature=signature, autograph=False)
    return _graphs[key](*given)


def _any_size(tensor):
    """A tensor's spec, with the height and width of pictures and features left open."""
    free = {2: [None], 3: [None, None], 4: [1, None, None]}.get(tensor.shape.rank)
    return tf.TensorSpec([*free, tensor.shape[-1]] if free else tensor.shape, tensor.dtype)
