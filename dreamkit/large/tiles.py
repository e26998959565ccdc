"""Pictures of any size: what a network says of a large one, tile by tile, exactly.

Every term is made of sums over positions, and sums do not care in how many tiles they are taken.
A first pass over the tiles gathers them, with the features at the network's waist, where they are
few enough to be kept whole. From there the deep layers, which look so far that tiles would be
mostly halo, see the whole picture at once. Its score follows, and how it changes with each sum and
each feature of the waist; a second pass takes that slope back to the pixels.
"""

import functools
from dataclasses import dataclass

from ..errors import SettingsError, check_range
from ..objectives import Objective, Score, as_tensor, graph_of, layers_by_backbone, weigh
from ..startup import tf

EDGES = 4  # a last tile narrower than so many strides joins the one before


@dataclass(frozen=True)
class Tile:
    """A part of a picture: `pixels` are read, and at each layer `inner` of its features counted.

    Attributes:
        pixels: two slices, of rows and columns: the tile with its halo.
        inner: {layer: (top, left, height, width)} of the tile's own features among those computed.
        place: {layer: two slices}, where they lie in the features of the whole picture.
    """

    pixels: tuple
    inner: dict
    place: dict


def tiles(size, side, backbone, layers):
    """Cut a picture into tiles, so that each feature of the whole is computed right just once.

    A tile's halo is as wide as the network's reach. Both ends keep the whole picture's phase
    under the network's strides, so padding falls as it does there.

    Args:
        size: (height, width) of the picture, px.
        side: side of a tile without its halo, px; rounded to the network's stride.
        backbone: a `Backbone`.
        layers: names of the layers whose features are wanted.

    Returns:
        List of `Tile`, from the top left to the bottom right.

    For pictures larger than those of notebook 03.
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
    before, after = map(max, zip(*map(backbone.reach, layers), strict=True))
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


@dataclass(frozen=True, eq=False)
class Tiled(Score):
    """A score of a picture of any size, computed in tiles: the same values, less memory.

    Args:
        score: an objective or a term.
        side: side of a tile, px, without the halo that it reads beyond.

    For pictures larger than those of notebook 03.

    >>> from dreamkit import Dream, load_backbone
    >>> dream = Dream(load_backbone("squeezenet"))
    >>> x = tf.random.stateless_uniform((96, 80, 3), seed=(0, 1))
    >>> bool(abs(Tiled(dream, 48)(x)[0] / dream(x)[0] - 1) < 1e-5)
    True
    """

    score: Score
    side: int

    def __post_init__(self):
        check_range("tile", self.side, 16)
        if any(getattr(term, "border", 0) for term in self.terms.values()):
            raise SettingsError("A border cannot be left out in tiles: choose border=0.")

    @property
    def parts(self):
        return self.score.parts

    def __call__(self, picture):
        """Total and terms of a picture, (H, W, 3) in [0, 1], as the score's own call gives them."""
        picture = as_tensor(picture)
        targets = self.targets(picture)
        values = {name: term.score(picture, None, {}) for name, term in self._local.items()}
        for view in self._views:
            values |= view.finish(*view.gather(picture, targets), targets, self.weights)
        return self._told(values)

    def value_and_gradient(self, picture):
        """Total, terms and gradient, equal to the untiled ones up to rounding."""
        picture = as_tensor(picture)
        targets = self.targets(picture)
        seen = [v.slopes(*v.gather(picture, targets), targets, self.weights) for v in self._views]
        values, slope = {}, tf.zeros_like(picture)
        if self._local:
            local = Objective(tuple((self.weights[n], term) for n, term in self._local.items()))
            _, found, slope = local.value_and_gradient(picture)
            values |= dict(zip(self._local, found.values(), strict=True))
        gradient = tf.Variable(slope)
        del slope  # of a large picture there is no room for two
        for view, (found, *slopes) in zip(self._views, seen, strict=True):
            values |= found
            for tile in view.cut(picture.shape):
                here = gradient[tile.pixels]
                here.assign(here + view.back(tile, picture, targets, *slopes))
        return *self._told(values), gradient.value()

    def _told(self, values):
        values = {name: values[name] for name in self.terms}
        return weigh(values, self.weights), values

    def targets(self, picture):
        """As those of every score, computed in tiles."""
        met = (*picture.shape, picture.dtype)
        if met not in self._targets:
            self._targets[met] = {n: t.target(picture, self._look) for n, t in self.terms.items()}
        return self._targets[met]

    def _look(self, term, image, gather=None):
        """What `look_whole` gives, tile by tile."""
        term.backbone.check_size(image.shape[:2], term.layers)
        view = View(term.backbone, {"": term} if gather else {}, tuple(term.layers), self.side)
        sums, features = view.gather(image, {"": {}}, () if gather else view.shallow)
        features |= view.deepen(features)
        return sums[""] | gather(features, {}) if gather else term.own(features)

    @functools.cached_property
    def _views(self):
        """The terms that look through a network, network by network."""
        return [
            View(net, {n: t for n, t in self.terms.items() if t.backbone is net}, layers, self.side)
            for net, layers in layers_by_backbone(self.terms).items()
        ]

    @functools.cached_property
    def _local(self):
        """{name: term} of those that need no network."""
        return {name: term for name, term in self.terms.items() if term.backbone is None}


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
        self.shallow, self.deep = backbone.split(layers)
        self.waist = backbone.architecture.waists[:1] if self.deep else ()

    def cut(self, shape):
        """The tiles of a picture of this shape."""
        return tiles(tuple(shape[:2]), self.side, self.backbone, self.shallow)

    def deepen(self, features):
        """{layer: features} of the deep layers, from those at the waist."""
        if not self.deep:
            return {}
        return self.backbone.features_from(features[self.waist[0]], self.deep)

    def gather(self, picture, targets, keep=()):
        """{name: sums} over a whole picture's shallow layers; {layer: features} kept of it.

        They are kept at the waist, if there are deep layers, and at the layers `keep`.
        """
        sums, kept = {name: {} for name in self.terms}, {}
        keep = tuple(dict.fromkeys([*self.waist, *keep]))

        def forward(pixels, targets, boxes):
            inner, found = self._tile(pixels, targets, boxes)
            return found, {layer: inner[layer] for layer in keep}

        for tile in self.cut(picture.shape):
            more, features = self._compiled(forward, (keep,), *self._of(tile, picture, targets))
            sums = _add(sums, more)
            for layer, f in features.items():
                kept.setdefault(layer, {})[tuple(s.start for s in tile.place[layer])] = f
        return sums, {layer: _assemble(kept.pop(layer)) for layer in keep}

    def finish(self, sums, features, targets, weights):
        """{name: value} from the sums of the shallow layers and the features at the waist."""
        ends = lambda *given: self._values(*given)[1]  # noqa: E731
        return self._compiled(ends, (), sums, features, *self._own(targets, weights))

    def slopes(self, sums, features, targets, weights):
        """{name: value}, and how their total changes with the sums and with the features."""

        def both(sums, features, *given):
            with tf.GradientTape() as tape:
                tape.watch((sums, features))
                total, values = self._values(sums, features, *given)
            zero = tf.UnconnectedGradients.ZERO
            return values, *tape.gradient(total, (sums, features), unconnected_gradients=zero)

        return self._compiled(both, (), sums, features, *self._own(targets, weights))

    def back(self, tile, picture, targets, slopes, steep):
        """The slope of the whole picture's total at a tile's pixels."""

        def back(pixels, targets, boxes, slopes, steep):
            with tf.GradientTape() as tape:
                tape.watch(pixels)
                inner, sums = self._tile(pixels, targets, boxes)
                seen = sums, {layer: inner[layer] for layer in self.waist}
            return tape.gradient(seen, pixels, output_gradients=(slopes, steep))

        here = {n: f[:, tile.place[n][0], tile.place[n][1]] for n, f in steep.items()}
        return self._compiled(back, (), *self._of(tile, picture, targets), slopes, here)

    def _tile(self, pixels, targets, boxes):
        """{layer: features that are the tile's own}, and {name: sums over them}."""
        features = self.backbone.raw_features(pixels[tf.newaxis], self.shallow)
        inner = {layer: _inner(features[layer], box) for layer, box in boxes.items()}
        return inner, {name: t.gather(inner, targets[name]) for name, t in self.terms.items()}

    def _values(self, sums, features, targets, weights):
        """Total and {name: value} of the whole picture."""
        deep, values = self.deepen(features), {}
        for name, term in self.terms.items():
            everything = sums[name] | term.gather(deep, targets[name])
            values[name] = term.finish(everything, targets[name])
        return weigh(values, weights), values

    def _of(self, tile, picture, targets):
        """A tile's pixels, the part of each target that it meets, and the features it counts."""
        part = {name: term.part(targets[name], tile.place) for name, term in self.terms.items()}
        return picture[tile.pixels], part, {n: tf.constant(box) for n, box in tile.inner.items()}

    def _own(self, targets, weights):
        """Targets and weights of the terms that look through this network."""
        exact = {name: tf.constant(weights[name], tf.float64) for name in self.terms}
        return {name: targets[name] for name in self.terms}, exact

    def _compiled(self, function, more, *given):
        kind = function.__qualname__, self.backbone, self.shallow, self.deep, *more
        return graph_of(function, kind, self.terms, *given)(*given)


@tf.custom_gradient
def _inner(features, box):
    """The tile's own features, at a box (top, left, height, width), among all that were computed.

    Their slope is put back with `tf.pad`: TensorFlow's slope of a slice takes five times as long.
    """
    top, left, height, width = tf.unstack(box)
    own = features[:, top : top + height, left : left + width]
    _, below, right, _ = tf.unstack(tf.shape(features) - tf.shape(own))
    edges = [[0, 0], [top, below - top], [left, right - left], [0, 0]]
    return own, lambda slope: (tf.pad(slope, edges), None)


def _add(sums, more):
    """Sums with more sums added, name by name and layer by layer."""
    return {
        name: tf.nest.map_structure(tf.add, sums[name], part) if sums[name] else part
        for name, part in more.items()
    }


def _assemble(parts):
    """Features of the whole picture from {(top, left): features of a tile}."""
    rows = {}
    for (top, left), part in sorted(parts.items()):
        rows.setdefault(top, {})[left] = part
    return tf.concat([tf.concat(list(row.values()), 2) for row in rows.values()], 1)
