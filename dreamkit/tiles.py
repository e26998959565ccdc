"""Pictures of any size: what a network says of a large one, tile by tile, exactly.

Every term is made of sums over positions, and sums do not care in how many tiles they are taken.
A first pass over the tiles gathers them; the whole picture's score follows, and how it changes
with each sum; a second pass takes that slope back to the pixels.
"""

import functools
from dataclasses import dataclass

import numpy as np

from .errors import SettingsError, check_range
from .scores import Objective, Score, as_tensor, graph_of, weigh
from .startup import tf

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
    """A score of a picture of any size, computed in tiles: the same values, bounded memory.

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
        sums = self._gather(picture, targets)
        values = {name: self._value(name, picture, sums, targets) for name in self.terms}
        return weigh(values, self.weights), values

    def value_and_gradient(self, picture):
        """Total, terms and gradient, equal to the untiled ones up to rounding."""
        picture = as_tensor(picture)
        targets = self.targets(picture)
        gradient = np.zeros(picture.shape, picture.dtype.as_numpy_dtype)
        sums, slopes = self._slopes(picture, targets)
        again = None if sums else {}
        for terms in self._groups:
            for tile in self._cut(terms, picture.shape):
                part, slope = _back(terms, *_view(terms, tile, picture, targets), slopes)
                gradient[tile.pixels] += slope.numpy()
                again = again if sums else _add(again, part)
        sums = sums or again
        values = {name: self._value(name, picture, sums, targets) for name in self.terms}
        gradient = tf.constant(gradient)
        if self._local.parts:
            gradient += self._local.value_and_gradient(picture)[2]
        return weigh(values, self.weights), values, gradient

    @functools.cached_property
    def _groups(self):
        """[{name: term}] of the terms on each backbone."""
        groups = {}
        for name, term in self.terms.items():
            if term.backbone is not None:
                groups.setdefault(term.backbone, {})[name] = term
        return list(groups.values())

    @functools.cached_property
    def _local(self):
        """The part of the score that needs no network."""
        return Objective(tuple(part for part in self.parts if part[1].backbone is None))

    def _cut(self, terms, shape):
        """The tiles of a picture of this shape for terms on one backbone."""
        backbone = next(iter(terms.values())).backbone
        layers = dict.fromkeys(layer for term in terms.values() for layer in term.layers)
        return tiles(tuple(shape[:2]), self.side, backbone, tuple(layers))

    def targets(self, picture):
        """As those of every score, computed in tiles."""
        met = (*picture.shape, picture.dtype)
        if met not in self._targets:
            self._targets[met] = {n: t.target(picture, self._look) for n, t in self.terms.items()}
        return self._targets[met]

    def _look(self, term, image, gather=None):
        """What `look_whole` gives, tile by tile."""
        term.backbone.check_size(image.shape[:2], term.layers)
        whole, sums = {}, {}
        for tile in self._cut({"": term}, image.shape):
            pixels = image[tile.pixels][tf.newaxis]
            features = _inner(term.backbone.raw_features(pixels, tuple(term.layers)), tile.inner)
            if gather:
                sums = _add(sums, gather(features, {}))
                continue
            for layer, f in features.items():
                whole.setdefault(layer, {})[tuple(s.start for s in tile.place[layer])] = f
        return sums or {layer: _assemble(parts) for layer, parts in whole.items()}

    def _gather(self, picture, targets):
        """{name: sums over the whole picture}, from a pass forward over all tiles."""
        sums = {}
        for terms in self._groups:
            for tile in self._cut(terms, picture.shape):
                sums = _add(sums, _forward(terms, *_view(terms, tile, picture, targets)))
        return sums

    def _slopes(self, picture, targets):
        """Sums, and how the total changes with each; where that never changes, no sums at all."""
        met = (*picture.shape, picture.dtype)
        if met in self._constant:
            return None, self._constant[met]
        sums = self._gather(picture, targets)
        with tf.GradientTape() as tape:
            tape.watch(sums)
            values = {name: self.terms[name].finish(sums[name], targets[name]) for name in sums}
            total = weigh(values, self.weights)
        slopes = tape.gradient(total, sums, unconnected_gradients="zero")
        if all(self.terms[name].linear for name in sums):
            self._constant[met] = slopes
        return sums, slopes

    @functools.cached_property
    def _constant(self):
        return {}

    def _value(self, name, picture, sums, targets):
        term = self.terms[name]
        if term.backbone is None:
            return term.score(picture, None, {})
        return term.finish(sums[name], targets[name])


def _view(terms, tile, picture, targets):
    """A tile's pixels, the part of each target that it meets, and the features it counts."""
    part = {name: term.part(targets[name], tile.place) for name, term in terms.items()}
    return picture[tile.pixels], part, {n: tf.constant(box) for n, box in tile.inner.items()}


def _inner(features, boxes):
    """Of each layer's features those that are a tile's own."""
    return {
        layer: features[layer][:, top : top + height, left : left + width]
        for layer, (top, left, height, width) in ((n, tf.unstack(b)) for n, b in boxes.items())
    }


def _sums(terms, pixels, targets, boxes):
    backbone = next(iter(terms.values())).backbone
    inner = _inner(backbone.raw_features(pixels[tf.newaxis], tuple(boxes)), boxes)
    return {name: term.gather(inner, targets[name]) for name, term in terms.items()}


def _forward(terms, pixels, targets, boxes):
    """{name: sums over a tile}, compiled."""
    gather = functools.partial(_sums, terms)
    return graph_of(gather, "forward", terms, pixels, targets, boxes)(pixels, targets, boxes)


def _back(terms, pixels, targets, boxes, slopes):
    """Sums over a tile, and the slope of the whole picture's total at its pixels, compiled."""
    slopes = {name: slopes[name] for name in terms}

    def back(pixels, targets, boxes, slopes):
        with tf.GradientTape() as tape:
            tape.watch(pixels)
            sums = _sums(terms, pixels, targets, boxes)
        return sums, tape.gradient(sums, pixels, output_gradients=slopes)

    everything = pixels, targets, boxes, slopes
    return graph_of(back, "back", terms, *everything)(*everything)


def _add(sums, more):
    """Sums with more sums added, name by name."""
    fresh = {name: part for name, part in more.items() if name not in sums}
    met = {name: part for name, part in more.items() if name in sums}
    old = {name: sums[name] for name in met}
    return {**sums, **fresh, **tf.nest.map_structure(tf.add, old, met)}


def _assemble(parts):
    """Features of the whole picture from {(top, left): features of a tile}."""
    rows = {}
    for (top, left), part in sorted(parts.items()):
        rows.setdefault(top, {})[left] = part
    return tf.concat([tf.concat(list(row.values()), 2) for row in rows.values()], 1)
