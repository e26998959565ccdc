"""Pictures of any size: the same score and gradient, computed tile by tile.

Every term consists of sums over positions, and a sum over the picture is the sum over its tiles.
The first pass over the tiles adds up the terms' statistics and keeps the features at the network's
first bottleneck, which are few enough to store. From them the deep layers compute the whole picture
at once: their receptive fields are so large that a tile would be mostly halo. This gives the losses
and their gradients with respect to each sum and each bottleneck feature. A second pass over the
tiles takes those gradients back to the pixels. The terms need not know about any of this.
"""

import functools
from dataclasses import dataclass

from ..errors import SettingsError, check_range
from ..objectives import (
    Evaluation,
    Objective,
    Score,
    as_tensor,
    as_tensors,
    compiled,
    layers_by_backbone,
    target_of,
    weighted_sum,
)
from ..startup import tf
from .checkpointing import features_from, split

SHORTEST = 4  # strides; a last tile narrower than this is merged with the one before


@dataclass(frozen=True)
class Tile:
    """A part of a picture.

    Attributes:
        pixels: slices of rows and columns to read: the tile with its halo.
        inner: {layer: (top, left, height, width)}, the box of the tile's own features among those
            computed from `pixels`.
        place: {layer: slices of rows and columns}, where they belong in the whole picture's
            features.
    """

    pixels: tuple
    inner: dict
    place: dict


def tiles(size, side, backbone, layers):
    """Cut a picture into tiles, so that each feature belongs to exactly one of them.

    A tile's halo is as wide as the layers' receptive fields require. Both of its ends stay aligned
    with the network's strides, so that padding falls where it does for the whole picture.

    Args:
        size: (height, width) of the picture, px.
        side: side of a tile without its halo, px; rounded to the network's stride.
        backbone: a `Backbone`.
        layers: names of the layers whose features are needed.

    Returns:
        List of `Tile`, from the top left to the bottom right.
    """
    check_range("tile", side, 16)
    rows, columns = (_spans(length, side, backbone, tuple(layers)) for length in size)
    return [
        Tile(
            (row[0], column[0]),
            {n: (row[1][n][0], column[1][n][0], row[1][n][1], column[1][n][1]) for n in layers},
            {n: (row[2][n], column[2][n]) for n in layers},
        )
        for row in rows
        for column in columns
    ]


def _spans(length, side, backbone, layers):
    """Along one axis, for each tile: its pixels, {layer: (start, count)} and {layer: slice}."""
    coarsest = max(map(backbone.stride, layers))
    before, after = map(max, zip(*map(backbone.halo, layers), strict=True))
    tile_count = max(1, round(length / side))
    width = -(-length // (tile_count * coarsest)) * coarsest
    starts = list(range(0, length, width))
    if len(starts) > 1 and length - starts[-1] < SHORTEST * coarsest:
        starts.pop()
    spans = []
    for start, end in zip(starts, [*starts[1:], length], strict=True):
        first = max(0, (start - before) // coarsest * coarsest)
        last = length - max(0, (length - end - after) // coarsest * coarsest)
        inner, place = {}, {}
        for layer in layers:
            stride = backbone.stride(layer)
            count = (end - start) // stride if end < length else length  # the last takes the rest
            inner[layer] = ((start - first) // stride, count)
            place[layer] = slice(start // stride, start // stride + count)
        spans.append((slice(first, last), inner, place))
    return spans


class Tiled(Score):
    """A score computed in tiles: the same values for a picture of any size, in less memory.

    Args:
        score: an objective or a term.
        side: side of a tile without its halo, px.

    Raises:
        SettingsError: a side below 16 px, or a term whose statistics do not add up.

    >>> from dreamkit import Dream, load_backbone
    >>> dream = Dream(load_backbone("squeezenet"))
    >>> x = tf.random.stateless_uniform((96, 80, 3), seed=(0, 1))
    >>> bool(abs(Tiled(dream, 48)(x)[0] / dream(x)[0] - 1) < 1e-5)
    True
    """

    def __init__(self, score, side):
        check_range("tile", side, 16)
        self.parts, self.side = score.parts, side
        for name, term in self.terms.items():
            if not term.adds_up:
                raise SettingsError(
                    f"The {name} term cannot be tiled (it has a border, or a statistic that does"
                    " not add up): choose other settings, or tile=None."
                )

    def __call__(self, picture):
        """Total and terms of a picture, (H, W, 3) in [0, 1], in the form the score returns."""
        picture = as_tensor(picture)
        targets = self.targets(picture)
        values = self._pixel_terms(picture)[1] if self._pixel_terms else {}
        for view in self._views:
            values |= view.losses(*view.statistics(picture, targets), targets, self.weights)
        return self._total_and_terms(values)

    def value_and_gradient(self, picture):
        """Total, terms and gradient, equal to the untiled ones up to rounding."""
        picture = as_tensor(picture)
        targets = self.targets(picture)
        results = [v.differentiate(picture, targets, self.weights) for v in self._views]
        values, gradient = {}, tf.zeros_like(picture)
        if self._pixel_terms:
            _, values, gradient = self._pixel_terms.value_and_gradient(picture)
        gradient = tf.Variable(gradient)  # each tile is added in place
        for view, (losses, *gradients) in zip(self._views, results, strict=True):
            values |= losses
            for tile in view.cut(picture.shape):
                part = gradient[tile.pixels]
                part.assign(part + view.pixel_gradient(tile, picture, targets, *gradients))
        return Evaluation(*self._total_and_terms(values), gradient.value())

    def _total_and_terms(self, values):
        values = {name: values[name] for name in self.terms}
        return weighted_sum(values, self.weights), values

    def targets(self, picture):
        """{name: target} for every term, with the reference pictures tiled too."""
        size = (*picture.shape, picture.dtype)
        if size not in self._targets:
            self._targets[size] = {n: self._target(t, picture) for n, t in self.terms.items()}
        return self._targets[size]

    def _target(self, term, picture):
        term.check_size(picture.shape[:2])
        reference = term.reference(tuple(picture.shape[:2]))
        if reference is None:
            return target_of(term, picture)
        view = View(term.backbone, {"reference": term}, tuple(term.layers), self.side)
        return term.complete(view.target(tf.cast(reference, picture.dtype)), picture)

    @functools.cached_property
    def _views(self):
        """One `View` for each network."""
        return [
            View(net, {n: t for n, t in self.terms.items() if t.backbone is net}, layers, self.side)
            for net, layers in layers_by_backbone(self.terms).items()
        ]

    @functools.cached_property
    def _pixel_terms(self):
        """The terms that use no network and need no tiles; None if there are none."""
        parts = [part for part in self.parts if part[1].backbone is None]
        return Objective(parts) if parts else None


class View:
    """The terms that use one network: its shallow layers in tiles, its deep ones on the whole.

    Args:
        backbone: a `Backbone`.
        terms: {name: term} of the terms that use it.
        layers: all layers that those terms need.
        side: side of a tile, px.
    """

    def __init__(self, backbone, terms, layers, side):
        self.backbone, self.terms, self.side = backbone, terms, side
        self.shallow, self.deep = split(backbone, layers)
        self.bottleneck = backbone.architecture.bottlenecks[:1] if self.deep else ()

    def cut(self, shape):
        """The tiles of a picture of this shape."""
        return tiles(tuple(shape[:2]), self.side, self.backbone, self.shallow)

    def statistics(self, picture, targets):
        """{name: statistics} of the shallow layers, and {bottleneck: features}."""
        return self._collect("statistics", self._statistics, picture, targets)

    def target(self, picture):
        """The target of the view's only term, from its reference picture."""

        def tile_target(inner, _):
            return {name: term.target(term.select(inner)) for name, term in self.terms.items()}

        targets, features = self._collect("target", tile_target, picture, {})
        (term,), (shallow,) = self.terms.values(), targets.values()
        return shallow | term.target(term.select(self._deep_features(features)))

    def losses(self, statistics, features, targets, weights):
        """{name: value} from the two results of `statistics`."""
        values = lambda *given: self._losses(*given)[1]  # noqa: E731
        given = self._targets_and_weights(targets, weights)
        return self._compiled("losses", values, statistics, features, *given)

    def differentiate(self, picture, targets, weights):
        """{name: value}, and the total's gradients by each statistic and bottleneck feature."""

        def evaluate(statistics, features, *given):
            with tf.GradientTape() as tape:
                tape.watch((statistics, features))
                total, values = self._losses(statistics, features, *given)
            zero = tf.UnconnectedGradients.ZERO
            return values, *tape.gradient(total, (statistics, features), None, zero)

        given = *self.statistics(picture, targets), *self._targets_and_weights(targets, weights)
        return self._compiled("differentiate", evaluate, *given)

    def pixel_gradient(self, tile, picture, targets, by_statistic, by_feature):
        """The gradient of the whole picture's total at a tile's pixels."""

        def backward(pixels, targets, boxes, by_statistic, by_feature):
            with tf.GradientTape() as tape:
                tape.watch(pixels)
                inner = self._inner(pixels, boxes)
                outputs = self._statistics(inner, targets), {n: inner[n] for n in self.bottleneck}
            return tape.gradient(outputs, pixels, (by_statistic, by_feature))

        given = *self._tile_inputs(tile, picture, targets), by_statistic, _part(by_feature, tile)
        return self._compiled("backward", backward, *given)

    def _collect(self, purpose, function, picture, targets):
        """The combined results of `function` on all tiles, and {bottleneck: features}."""

        def forward(pixels, targets, boxes):
            inner = self._inner(pixels, boxes)
            return function(inner, targets), {layer: inner[layer] for layer in self.bottleneck}

        cut, results, features = self.cut(picture.shape), [], []
        for tile in cut:
            given = self._tile_inputs(tile, picture, targets)
            result, kept = self._compiled(purpose, forward, *given)
            results.append(result)
            features.append(kept)
            if len(results) > 1 and purpose == "statistics":  # sums can be added straight away
                results = [tf.nest.map_structure(tf.add, *results)]
        return _merge(results, cut), _merge(features, cut)

    def _inner(self, pixels, boxes):
        """{layer: the tile's own features}."""
        features = self.backbone.raw_features(pixels[tf.newaxis], self.shallow)
        return {layer: _inside(features[layer], box) for layer, box in boxes.items()}

    def _deep_features(self, features):
        """{deep layer: features} from {bottleneck: features}."""
        return features_from(self.backbone, *features.values(), self.deep) if self.deep else {}

    def _statistics(self, features, targets):
        """{name: statistics} of {layer: features}."""
        terms = self.terms.items()
        return {name: term.statistics(term.select(features), targets[name]) for name, term in terms}

    def _losses(self, statistics, features, targets, weights):
        """Total and {name: value} of the whole picture."""
        deep, values = self._statistics(self._deep_features(features), targets), {}
        for name, term in self.terms.items():
            values[name] = term.loss(statistics[name] | deep[name], targets[name])
        return weighted_sum(values, weights), values

    def _tile_inputs(self, tile, picture, targets):
        """A tile's pixels, the part of each target under it, and the boxes of its own features."""
        part = {name: _part(targets[name], tile) for name in self.terms if name in targets}
        return picture[tile.pixels], part, {n: tf.constant(box) for n, box in tile.inner.items()}

    def _targets_and_weights(self, targets, weights):
        """Targets and weights of the terms that use this network."""
        own = {name: weights[name] for name in self.terms}
        return {name: targets[name] for name in self.terms}, as_tensors(own)

    def _compiled(self, purpose, function, *given):
        key = f"tiles: {purpose}", self.backbone, self.shallow, self.deep
        return compiled(key, function, self.terms, *given)


@tf.custom_gradient
def _inside(features, box):
    """The tile's own features: those in a box (top, left, height, width).

    The gradient uses `tf.pad`, as TensorFlow's own for a slice takes five times as long.
    """
    top, left, height, width = tf.unstack(box)
    own = features[:, top : top + height, left : left + width]
    _, below, right, _ = tf.unstack(tf.shape(features) - tf.shape(own))
    edges = [[0, 0], [top, below - top], [left, right - left], [0, 0]]
    return own, lambda gradient: (tf.pad(gradient, edges), None)


def _part(by_layer, tile):
    """The part of {layer: …} under a tile: maps are cropped, everything else stays as it is."""

    def crop(tensor, place):
        return tensor[:, place[0], place[1]] if tensor.shape.rank == 4 else tensor

    return {
        layer: tf.nest.map_structure(functools.partial(crop, place=place), by_layer[layer])
        for layer, place in tile.place.items()
        if layer in by_layer
    }


def _merge(results, cut):
    """Merge the tiles' results: maps are tiled, lists of vectors concatenated, the rest added."""
    if len(results) == 1:
        return results[0]
    (rows_and_columns, *_) = zip(*(tile.place.values() for tile in cut), strict=True)
    rows = len({place[0].start for place in rows_and_columns})

    def merge(*parts):
        if parts[0].shape.rank == 4:
            columns = len(parts) // rows
            strips = [tf.concat(parts[n : n + columns], 2) for n in range(0, len(parts), columns)]
            return tf.concat(strips, 1)
        return tf.concat(parts, 0) if parts[0].shape.rank == 2 else tf.add_n(parts)

    return tf.nest.map_structure(merge, *results)
