"""Pictures of any size: what a network says of a large one, tile by tile, exactly.

Every term is made of sums over positions, and sums do not care in how many tiles they are taken.
A first pass over the tiles adds up the terms' statistics, and keeps the features at the network's
first bottleneck, where they are few enough to be kept whole. From there the deep layers, which look
so far that tiles would be mostly halo, see the whole picture at once. The losses follow, and how
they change with each sum and each feature of the bottleneck; a second pass takes that gradient back
to the pixels. The terms know nothing of it.
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

EDGES = 4  # a last tile narrower than so many strides joins the one before


@dataclass(frozen=True)
class Tile:
    """A part of a picture: `pixels` are read, and at each layer `inner` of its features counted.

    Attributes:
        pixels: two slices, of rows and columns: the tile with its halo.
        inner: {layer: (top, left, height, width)} of the tile's own features among those computed.
        place: {layer: two slices}, where they are in the features of the whole picture.
    """

    pixels: tuple
    inner: dict
    place: dict


def tiles(size, side, backbone, layers):
    """Cut a picture into tiles, so that each feature of the whole is computed right just once.

    A tile's halo is as wide as the layers' receptive fields ask for. Both ends keep the whole
    picture's phase under the network's strides, so padding falls where it does in the whole.

    Args:
        size: (height, width) of the picture, px.
        side: side of a tile without its halo, px; rounded to the network's stride.
        backbone: a `Backbone`.
        layers: names of the layers whose features are wanted.

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
    """Along one axis: for each tile its pixels, {layer: (start, count)} and {layer: slice}."""
    phase = max(map(backbone.stride, layers))
    before, after = map(max, zip(*map(backbone.halo, layers), strict=True))
    count = max(1, round(length / side))
    width = -(-length // (count * phase)) * phase
    starts = list(range(0, length, width))
    if len(starts) > 1 and length - starts[-1] < EDGES * phase:
        starts.pop()
    spans = []
    for start, end in zip(starts, [*starts[1:], length], strict=True):
        first = max(0, (start - before) // phase * phase)
        last = length - max(0, (length - end - after) // phase * phase)
        inner, place = {}, {}
        for layer in layers:
            stride = backbone.stride(layer)
            many = (end - start) // stride if end < length else length  # the last takes the rest
            inner[layer] = ((start - first) // stride, many)
            place[layer] = slice(start // stride, start // stride + many)
        spans.append((slice(first, last), inner, place))
    return spans


class Tiled(Score):
    """A score of a picture of any size, computed in tiles: the same values, less memory.

    Args:
        score: an objective or a term.
        side: side of a tile, px, without the halo that it reads beyond.

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
                    f"The {name} term cannot be computed in tiles as it is (a border, or a"
                    " statistic that sorts): choose other settings, or tile=None."
                )

    def __call__(self, picture):
        """Total and terms of a picture, (H, W, 3) in [0, 1], as the score's own call gives them."""
        picture = as_tensor(picture)
        targets = self.targets(picture)
        values = self._whole(picture)[1] if self._whole else {}
        for view in self._views:
            values |= view.losses(*view.statistics(picture, targets), targets, self.weights)
        return self._together(values)

    def value_and_gradient(self, picture):
        """Total, terms and gradient, equal to the untiled ones up to rounding."""
        picture = as_tensor(picture)
        targets = self.targets(picture)
        steps = [v.differentiate(picture, targets, self.weights) for v in self._views]
        values, gradient = {}, tf.zeros_like(picture)
        if self._whole:
            _, values, gradient = self._whole.value_and_gradient(picture)
        gradient = tf.Variable(gradient)  # each tile is added in place
        for view, (found, *gradients) in zip(self._views, steps, strict=True):
            values |= found
            for tile in view.cut(picture.shape):
                here = gradient[tile.pixels]
                here.assign(here + view.pixel_gradient(tile, picture, targets, *gradients))
        return Evaluation(*self._together(values), gradient.value())

    def _together(self, values):
        values = {name: values[name] for name in self.terms}
        return weighted_sum(values, self.weights), values

    def targets(self, picture):
        """As those of every score; reference pictures are cut into tiles as well."""
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
        return view.target(tf.cast(reference, picture.dtype))

    @functools.cached_property
    def _views(self):
        """The terms that look through a network, network by network."""
        return [
            View(net, {n: t for n, t in self.terms.items() if t.backbone is net}, layers, self.side)
            for net, layers in layers_by_backbone(self.terms).items()
        ]

    @functools.cached_property
    def _whole(self):
        """The terms that need no network, which see the picture whole; None if there are none."""
        parts = [part for part in self.parts if part[1].backbone is None]
        return Objective(parts) if parts else None


class View:
    """A large picture seen through one network: its shallow layers in tiles, its deep ones whole.

    Args:
        backbone: a `Backbone`.
        terms: {name: term} of those that look through it.
        layers: all layers they look at.
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
        """The target of the view's one term, of which this is the reference picture."""

        def see(inner, _):
            return {name: term.target(term.own(inner)) for name, term in self.terms.items()}

        found, features = self._collect("target", see, picture, {})
        (term,), (shallow,) = self.terms.values(), found.values()
        deep = features_from(self.backbone, *features.values(), self.deep) if self.deep else {}
        return shallow | term.target(term.own(deep))

    def losses(self, statistics, features, targets, weights):
        """{name: value} from what `statistics` gives."""
        values = lambda *given: self._losses(*given)[1]  # noqa: E731
        return self._compiled("losses", values, statistics, features, *self._own(targets, weights))

    def differentiate(self, picture, targets, weights):
        """{name: value}, and the total's gradient by each statistic and bottleneck feature."""

        def both(statistics, features, *given):
            with tf.GradientTape() as tape:
                tape.watch((statistics, features))
                total, values = self._losses(statistics, features, *given)
            zero = tf.UnconnectedGradients.ZERO
            return values, *tape.gradient(total, (statistics, features), None, zero)

        found = self.statistics(picture, targets)
        return self._compiled("differentiate", both, *found, *self._own(targets, weights))

    def pixel_gradient(self, tile, picture, targets, by_statistic, by_feature):
        """The gradient of the whole picture's total at a tile's pixels."""

        def back(pixels, targets, boxes, by_statistic, by_feature):
            with tf.GradientTape() as tape:
                tape.watch(pixels)
                inner = self._inner(pixels, boxes)
                seen = self._statistics(inner, targets), {n: inner[n] for n in self.bottleneck}
            return tape.gradient(seen, pixels, (by_statistic, by_feature))

        here = _part(by_feature, tile)
        return self._compiled("back", back, *self._of(tile, picture, targets), by_statistic, here)

    def _collect(self, purpose, see, picture, targets):
        """What `see` says of each tile, put together, and {bottleneck: features}."""

        def forward(pixels, targets, boxes):
            inner = self._inner(pixels, boxes)
            return see(inner, targets), {layer: inner[layer] for layer in self.bottleneck}

        cut, found, features = self.cut(picture.shape), [], []
        for tile in cut:
            seen, kept = self._compiled(purpose, forward, *self._of(tile, picture, targets))
            found.append(seen)
            features.append(kept)
            if len(found) > 1 and purpose == "statistics":  # sums need not wait for each other
                found = [tf.nest.map_structure(tf.add, *found)]
        return _put_together(found, cut), _put_together(features, cut)

    def _inner(self, pixels, boxes):
        """{layer: features that are the tile's own}."""
        features = self.backbone.raw_features(pixels[tf.newaxis], self.shallow)
        return {layer: _inside(features[layer], box) for layer, box in boxes.items()}

    def _statistics(self, features, targets):
        """{name: statistics} of {layer: features}."""
        terms = self.terms.items()
        return {name: term.statistics(term.own(features), targets[name]) for name, term in terms}

    def _losses(self, statistics, features, targets, weights):
        """Total and {name: value} of the whole picture."""
        deep = features_from(self.backbone, *features.values(), self.deep) if self.deep else {}
        more, values = self._statistics(deep, targets), {}
        for name, term in self.terms.items():
            values[name] = term.loss(statistics[name] | more[name], targets[name])
        return weighted_sum(values, weights), values

    def _of(self, tile, picture, targets):
        """A tile's pixels, the part of each target that is under it, and the features it counts."""
        part = {name: _part(targets[name], tile) for name in self.terms if name in targets}
        return picture[tile.pixels], part, {n: tf.constant(box) for n, box in tile.inner.items()}

    def _own(self, targets, weights):
        """Targets and weights of the terms that look through this network."""
        own = {name: weights[name] for name in self.terms}
        return {name: targets[name] for name in self.terms}, as_tensors(own)

    def _compiled(self, purpose, function, *given):
        key = f"tiles: {purpose}", self.backbone, self.shallow, self.deep
        return compiled(key, function, self.terms, *given)


@tf.custom_gradient
def _inside(features, box):
    """The tile's own features, at a box (top, left, height, width), among all that were computed.

    Their gradient is put back with `tf.pad`: TensorFlow's own for a slice takes five times as long.
    """
    top, left, height, width = tf.unstack(box)
    own = features[:, top : top + height, left : left + width]
    _, below, right, _ = tf.unstack(tf.shape(features) - tf.shape(own))
    edges = [[0, 0], [top, below - top], [left, right - left], [0, 0]]
    return own, lambda gradient: (tf.pad(gradient, edges), None)


def _part(by_layer, tile):
    """Of {layer: …} what is under a tile: of a map its part, everything else as it is."""

    def cut(tensor, place):
        return tensor[:, place[0], place[1]] if tensor.shape.rank == 4 else tensor

    return {
        layer: tf.nest.map_structure(
            functools.partial(cut, place=tile.place[layer]), by_layer[layer]
        )
        for layer in tile.place
        if layer in by_layer
    }


def _put_together(found, cut):
    """Of the tiles' results one: maps side by side, lists of vectors in a row, the rest added."""
    if len(found) == 1:
        return found[0]
    (rows_and_columns, *_) = zip(*(tile.place.values() for tile in cut), strict=True)
    rows = len({place[0].start for place in rows_and_columns})

    def join(*parts):
        if parts[0].shape.rank == 4:
            columns = len(parts) // rows
            strips = [tf.concat(parts[n : n + columns], 2) for n in range(0, len(parts), columns)]
            return tf.concat(strips, 1)
        return tf.concat(parts, 0) if parts[0].shape.rank == 2 else tf.add_n(parts)

    return tf.nest.map_structure(join, *found)
