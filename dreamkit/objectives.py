"""Scores a picture can climb or descend; they add, subtract and scale.  (Notebooks 02 to 04.)

objective = 1.0 * Content(photo, vgg) + 20.0 * Style(painting, vgg) - 0.5 * Dream(inception)
total, terms = objective(picture)
"""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from .backbones import Backbone, class_index
from .errors import SettingsError
from .gram import gram_matrix
from .images import load_image, resize
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
        values = evaluate(self.terms, picture, self.targets(picture))
        return weigh(values, self.weights), values

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


class Term(Score):
    """One thing to score. Each kind of term says what it compares with, and how."""

    name: ClassVar[str]
    backbone: Backbone | None = None
    layers: Mapping = {}

    @property
    def parts(self):
        return ((1.0, self),)

    def target(self, picture):
        """What a picture of this size and type is compared with: {layer: tensor}."""
        return {}

    def score(self, picture, features, target):
        """The term's value, a scalar tensor, from the picture and its {layer: features}."""
        raise NotImplementedError

    def shape(self):
        """All that shapes the computation but the pictures: equal shapes share one graph."""
        return (type(self), self.backbone, tuple(self.layers.items()))

    def _settle(self, **values):
        for field, value in values.items():
            object.__setattr__(self, field, value)

    def _layer_mean(self, values):
        """Mean of {layer: value} under the layers' weights."""
        weighted = [self.layers[layer] * value for layer, value in values.items()]
        return tf.add_n(weighted) / sum(self.layers.values())


# Content, between features F and the photo's P: Gatys et al. 2016, equation 1, and its kin.
CONTENT_FORMULAS = {
    "relative": lambda f, p: tf.reduce_sum((f - p) ** 2) / tf.reduce_sum(p**2),
    "gatys": lambda f, p: tf.reduce_sum((f - p) ** 2) / 2,
    "tutorial": lambda f, p: tf.reduce_mean((f - p) ** 2),
}


@dataclass(frozen=True, eq=False)
class Content(Term):
    """How far a picture's features are from a photo's: does it still show the same things?

    With F the picture's features at a layer and P the photo's, averaged over layers:
    `"relative"` Σ(F−P)² / ΣP²; `"gatys"` ½ Σ(F−P)²; `"tutorial"` mean (F−P)².

    Args:
        image: the photo, anything `load_image` takes; resized to the picture it judges.
        backbone: a `Backbone`.
        layers: a name, several, or {name: weight}; the backbone's own when None.
        formula: `"relative"`, `"gatys"` or `"tutorial"`.

    Raises:
        SettingsError: an unknown formula.
        LayerError: an unknown layer.

    Source: Gatys, Ecker and Bethge 2016, equation 1. Introduced in notebook 02.

    >>> from dreamkit import load_backbone
    >>> photo = np.full((48, 48, 3), 0.5, "float32")
    >>> total, terms = Content(photo, load_backbone("squeezenet"))(photo)
    >>> float(total)
    0.0
    """

    image: Any
    backbone: Backbone
    layers: Any = None
    formula: str = "relative"
    name: ClassVar[str] = "content"

    def __post_init__(self):
        layers = layer_weights(
            self.backbone, self.layers, self.backbone.architecture.content_layers
        )
        self._settle(image=load_image(self.image), layers=layers)
        check_choice("formula", self.formula, CONTENT_FORMULAS)

    def target(self, picture):
        photo = tf.cast(resize(self.image, tuple(picture.shape[:2])), picture.dtype)
        return self.backbone.features(photo, self.layers)

    def score(self, picture, features, target):
        formula = CONTENT_FORMULAS[self.formula]
        return self._layer_mean(
            {layer: formula(features[layer], target[layer]) for layer in target}
        )

    def shape(self):
        return (*super().shape(), self.formula)


# Style, between Gram matrices G and A, both already divided by the number of positions M; N is
# the number of channels. "gatys" is Gatys et al. 2016, equation 4, where they are not divided.
STYLE_FORMULAS = {
    "relative": lambda g, a: tf.reduce_sum((g - a) ** 2) / tf.reduce_sum(a**2),
    "gatys": lambda g, a: tf.reduce_sum((g - a) ** 2) / (4 * a.shape[-1] ** 2),
    "tutorial": lambda g, a: tf.reduce_mean((g - a) ** 2),
}


@dataclass(frozen=True, eq=False)
class Style(Term):
    """How far a picture's Gram matrices are from a painting's: is it made of the same strokes?

    With G the picture's Gram matrix at a layer and A the painting's, averaged over layers:
    `"relative"` Σ(G−A)² / ΣA²; `"gatys"` 1/(4N²M²) Σ(G−A)² of the undivided matrices;
    `"tutorial"` mean (G−A)².

    Args:
        image: the painting, anything `load_image` takes, of any size: it is used as it is.
        backbone: a `Backbone`.
        layers: a name, several, or {name: weight}; the backbone's own when None.
        formula: `"relative"`, `"gatys"` or `"tutorial"`.

    Raises:
        SettingsError: an unknown formula.
        LayerError: an unknown layer.
        ImageError: the painting is too small for the layers.

    Source: Gatys, Ecker and Bethge 2016, equations 3 to 5. Introduced in notebook 02.

    >>> from dreamkit import load_backbone
    >>> painting = np.full((48, 48, 3), 0.5, "float32")
    >>> total, terms = Style(painting, load_backbone("squeezenet"))(painting)
    >>> float(total)
    0.0
    """

    image: Any
    backbone: Backbone
    layers: Any = None
    formula: str = "relative"
    name: ClassVar[str] = "style"

    def __post_init__(self):
        layers = layer_weights(self.backbone, self.layers, self.backbone.architecture.style_layers)
        self._settle(image=load_image(self.image), layers=layers)
        check_choice("formula", self.formula, STYLE_FORMULAS)
        self.backbone.check_size(self.image.shape[:2], layers, "the style picture")

    def target(self, picture):
        features = self.backbone.features(tf.cast(self.image, picture.dtype), self.layers)
        return {layer: gram_matrix(feature) for layer, feature in features.items()}

    def score(self, picture, features, target):
        formula = STYLE_FORMULAS[self.formula]
        return self._layer_mean(
            {layer: formula(gram_matrix(features[layer]), target[layer]) for layer in target}
        )

    def shape(self):
        return (*super().shape(), self.formula)


@dataclass(frozen=True, eq=False)
class TotalVariation(Term):
    """How much neighbouring pixels differ: low for a calm picture, high for a grainy one.

    Args:
        formula: `"relative"`, the mean of |difference| over all pairs of neighbours and colours,
            across plus down; `"tutorial"`, the sum, as `tf.image.total_variation`.

    Raises:
        SettingsError: an unknown formula.

    Source: Rudin, Osher and Fatemi 1992, in its anisotropic form. Introduced in notebook 02.

    >>> float(TotalVariation()(np.zeros((8, 8, 3), "float32"))[0])
    0.0
    """

    formula: str = "relative"
    name: ClassVar[str] = "total_variation"

    def __post_init__(self):
        check_choice("formula", self.formula, ("relative", "tutorial"))

    def score(self, picture, features, target):
        reduce = tf.reduce_sum if self.formula == "tutorial" else tf.reduce_mean
        across = tf.abs(picture[:, 1:] - picture[:, :-1])
        down = tf.abs(picture[1:] - picture[:-1])
        return reduce(across) + reduce(down)

    def shape(self):
        return (*super().shape(), self.formula)


@dataclass(frozen=True, eq=False)
class Dream(Term):
    """How strongly a network responds: the score that a deep dream climbs.

    Over layers with weights w: Σ w · mean(Fᵖ), where F is all features of a layer, one channel,
    one ImageNet class, or their likeness to a guide picture.

    Args:
        backbone: a `Backbone`.
        layers: a name, several, or {name: weight}; the backbone's own when None.
        channel: only this channel of each layer, from 0.
        label: only this ImageNet class, by name or number (needs a backbone with a classifier).
        guide: a picture; each position is drawn to its best match among the guide's features.
        power: 1 for the mean activation (TensorFlow's tutorial), 2 for the mean square (Keras).
        border: features left out at each edge (Keras' example leaves out 2).

    Raises:
        SettingsError: a power, channel, label or combination that cannot be.
        LayerError: an unknown layer.

    Source: Mordvintsev, Olah and Tyka 2015. Introduced in notebook 03.

    >>> from dreamkit import load_backbone
    >>> dream = Dream(load_backbone("squeezenet"), label="goldfish")
    >>> dream.layers, dream.channel
    ({'conv10': 1.0}, 1)
    """

    backbone: Backbone
    layers: Any = None
    channel: int | None = None
    label: Any = None
    guide: Any = None
    power: int = 1
    border: int = 0
    name: ClassVar[str] = "dream"

    def __post_init__(self):
        check_choice("power", self.power, (1, 2))
        if not self.border >= 0:
            raise SettingsError(f"border cannot be {self.border}: give 0 or more.")
        if sum(value is not None for value in (self.channel, self.label, self.guide)) > 1:
            raise SettingsError(
                "Dream takes one of channel, label and guide: leave out the others."
            )
        if self.label is not None:
            self._settle(layers=self._classes(), channel=class_index(self.label))
        default = self.backbone.architecture.dream_layers
        self._settle(layers=layer_weights(self.backbone, self.layers, default))
        for layer in self.layers if self.channel is not None else ():
            channels = self.backbone.layer(layer).output.shape[-1]
            if not 0 <= self.channel < channels:
                raise SettingsError(
                    f"{layer} has no channel {self.channel}: choose one from 0 to {channels - 1}."
                )
        if self.guide is not None:
            self._settle(guide=load_image(self.guide))
            self.backbone.check_size(self.guide.shape[:2], self.layers, "the guide picture")

    def _classes(self):
        layer = self.backbone.architecture.classes
        if layer is None:
            raise SettingsError(
                f"{self.backbone.name} was loaded without its classifier, so it cannot dream of a"
                " label: use the squeezenet backbone, or layers= and channel=."
            )
        return layer

    def target(self, picture):
        self.backbone.check_size(picture.shape[:2], self.layers, side=2 * self.border + 1)
        if self.guide is None:
            return {}
        return self.backbone.features(tf.cast(self.guide, picture.dtype), self.layers)

    def score(self, picture, features, target):
        values = []
        for layer, weight in self.layers.items():
            f = features[layer]
            if self.border:
                f = f[:, self.border : -self.border, self.border : -self.border]
            if self.channel is not None:
                f = f[..., self.channel]
            if self.guide is not None:
                f = best_match(f, target[layer])
            values.append(weight * tf.reduce_mean(f**self.power))
        return tf.add_n(values)

    def shape(self):
        guided = self.guide is not None
        return (*super().shape(), self.channel, guided, self.power, self.border)


def best_match(features, guide):
    """For each feature vector its dot product with the guide's best match, per channel.

    Args:
        features: (N, h, w, C).
        guide: (1, k, l, C).

    Returns:
        (N·h·w,) tensor.

    Source: the guided dreams of Mordvintsev et al. 2015. Introduced in notebook 03.
    """
    channels = guide.shape[-1]
    f, g = tf.reshape(features, (-1, channels)), tf.reshape(guide, (-1, channels))
    return tf.reduce_max(tf.matmul(f, g, transpose_b=True), axis=-1) / channels


@dataclass(frozen=True, eq=False)
class Balanced:
    """Down one score and up another at once, each with the same say, whatever their scales.

    The direction is ∇down / |∇down| − balance · ∇up / |∇up|, so neither gradient drowns the
    other; the total told is down − balance · up.

    Args:
        down, up: objectives.
        balance: the say of `up` against that of `down`; 1 is half and half.

    Introduced in notebook 04.
    """

    down: Score
    up: Score
    balance: float = 1.0

    def __call__(self, picture):
        """Total and terms of a picture, (H, W, 3) in [0, 1], as an objective's call gives them."""
        return self._whole(picture)

    def value_and_gradient(self, picture):
        """Total, terms and the balanced direction, scaled to the length of ∇down."""
        picture = as_tensor(picture)
        targets = self._whole.targets(picture)
        names, downs = tuple(self._whole.terms), len(self.down.parts)
        step = compiled(self._whole.terms, picture, targets, (names[:downs], names[downs:]))
        (down, up), terms, (slope, rise) = step(picture, targets, self._whole.weights)
        say = abs(self.balance) * tf.norm(slope) / (tf.norm(rise) + 1e-20)
        return down + up, terms, slope + say * rise

    @functools.cached_property
    def _whole(self):
        """Both scores as one, so that a backbone they share sees the picture once a step."""
        return self.down - self.balance * self.up


def evaluate(terms, picture, targets):
    """{name: value} of a picture: one forward pass for each backbone, however many terms."""
    features = {
        backbone: backbone.features(picture, layers)
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
    shape = tuple((name, term.shape()) for name, term in terms.items()), picture.dtype, sides
    if shape not in _graphs:
        anywhere = lambda t: [1, None, None, t.shape[-1]] if t.shape.rank == 4 else t.shape  # noqa: E731
        signature = (
            tf.TensorSpec([None, None, 3], picture.dtype),
            tf.nest.map_structure(lambda t: tf.TensorSpec(anywhere(t), t.dtype), targets),
            {name: tf.TensorSpec([], tf.float64) for name in terms},
        )

        def step(picture, targets, weights):
            with tf.GradientTape(persistent=True) as tape:
                tape.watch(picture)
                values = evaluate(terms, picture, targets)
                totals = [weigh({n: values[n] for n in side}, weights) for side in sides]
            return totals, values, [tape.gradient(total, picture) for total in totals]

        own = functools.partial(step)  # TensorFlow counts traces by code, and warns; this has none
        _graphs[shape] = tf.function(own, input_signature=signature, autograph=False)
    return _graphs[shape]


def layers_by_backbone(terms):
    """{backbone: all layers its terms need}, so that one forward pass serves them all."""
    wanted = {}
    for term in terms.values():
        if term.backbone is not None:
            wanted.setdefault(term.backbone, {}).update(dict.fromkeys(term.layers))
    return {backbone: tuple(layers) for backbone, layers in wanted.items()}


def layer_weights(backbone, layers, default):
    """{layer: weight} from a name, several names, a mapping, or None for the default."""
    layers = default if layers is None else layers
    layers = (layers,) if isinstance(layers, str) else layers
    weights = dict(layers) if isinstance(layers, Mapping) else dict.fromkeys(layers, 1.0)
    if not weights:
        raise SettingsError(f"No layers for {backbone.name}: name at least one with layers=.")
    for layer in weights:
        backbone.layer(layer)
    return weights


def as_tensor(picture):
    """A picture as a float tensor: tensors keep their type, everything else becomes float32."""
    return picture if tf.is_tensor(picture) else tf.constant(np.asarray(picture), tf.float32)


def check_choice(what, value, choices):
    """Raise a `SettingsError` unless `value` is one of `choices`."""
    if value not in choices:
        *rest, last = map(repr, choices)
        raise SettingsError(f"{what} cannot be {value!r}: choose {', '.join(rest)} or {last}.")
