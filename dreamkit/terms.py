"""Scores a picture can climb or descend; they add, subtract and scale.  (Notebooks 02 to 04.)

objective = 1.0 * Content(photo, vgg) + 20.0 * Style(painting, vgg) - 0.5 * Dream(inception)
total, terms = objective(picture)
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from .errors import SettingsError, check_choice
from .gram import energy, outer_products, widen
from .images import load_image, resize
from .networks.backbone import Backbone
from .networks.imagenet import class_index
from .objectives import Score
from .startup import tf


def look_whole(term, image, gather=None):
    """What a term takes from an image: its {layer: features}, or what `gather` makes of them."""
    features = term.backbone.raw_features(image[tf.newaxis], tuple(term.layers))
    return gather(features, {}) if gather else features


class Term(Score):
    """One thing to score. Each kind of term says what it compares with, and how."""

    name: ClassVar[str]
    backbone: Backbone | None = None
    layers: Mapping = {}

    @property
    def parts(self):
        return ((1.0, self),)

    def target(self, picture, look=look_whole):
        """What a picture of this size and type is compared with: {layer: one or more tensors}."""
        return {}

    def part(self, target, place):
        """Of the target, what the features at `place`, {layer: two slices}, are compared with."""
        return target

    def gather(self, features, target):
        """{layer: sums over positions} of {layer: features}: those of two tiles can be added.

        Of its own layers it takes those that it is given.
        """
        raise NotImplementedError

    def own(self, features):
        """{layer: features} of the term's own layers."""
        return {layer: features[layer] for layer in self.layers if layer in features}

    def finish(self, sums, target):
        """The term's value, a scalar tensor, from the sums over all positions."""
        raise NotImplementedError

    def score(self, picture, features, target):
        """The term's value, a scalar tensor, from the picture and its {layer: features}."""
        return self.finish(self.gather(features, target), target)

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


# Content, between features F and the photo's P, with S = Σ(F−P)², E = ΣP² and how many they are:
# Gatys et al. 2016, equation 1, and its kin.
CONTENT_FORMULAS = {
    "relative": lambda s, e, number: s / e,
    "gatys": lambda s, e, number: s / 2,
    "tutorial": lambda s, e, number: s / number,
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
    >>> import numpy as np
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

    def target(self, picture, look=look_whole):
        """{layer: (P, ΣP², how many they are)}."""
        photo = resize(self.image, tuple(picture.shape[:2]))
        number = lambda p: tf.cast(tf.size(p, tf.int64), picture.dtype)  # noqa: E731
        found = look(self, tf.cast(photo, picture.dtype))
        return {layer: (p, energy(p), number(p)) for layer, p in found.items()}

    def part(self, target, place):
        cut = lambda p, rows, columns: p[:, rows, columns]  # noqa: E731
        return {n: (cut(p, *place[n]), *of) for n, (p, *of) in target.items() if n in place}

    def gather(self, features, target):
        return {n: energy(f - target[n][0]) for n, f in self.own(features).items()}

    def finish(self, sums, target):
        formula = CONTENT_FORMULAS[self.formula]
        return self._layer_mean({n: formula(s, *target[n][1:]) for n, s in sums.items()})

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
    >>> import numpy as np
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

    def target(self, picture, look=look_whole):
        sums = look(self, tf.cast(self.image, picture.dtype), self.gather)
        return {layer: products / positions for layer, (products, positions) in sums.items()}

    def gather(self, features, target):
        return {layer: outer_products(f) for layer, f in self.own(features).items()}

    def finish(self, sums, target):
        formula = STYLE_FORMULAS[self.formula]
        grams = {layer: products / positions for layer, (products, positions) in sums.items()}
        return self._layer_mean({layer: formula(g, target[layer]) for layer, g in grams.items()})

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

    >>> import numpy as np
    >>> float(TotalVariation()(np.zeros((8, 8, 3), "float32"))[0])
    0.0
    """

    formula: str = "relative"
    name: ClassVar[str] = "total_variation"

    def __post_init__(self):
        check_choice("formula", self.formula, ("relative", "tutorial"))

    def score(self, picture, features, target):
        reduce = tf.reduce_sum if self.formula == "tutorial" else tf.reduce_mean
        rows = tf.reshape(picture, (tf.shape(picture)[0], -1))
        # tf.split, as its slope takes a third of the time that a slice's takes
        across = tf.split(rows, [3, -1], 1)[1] - tf.split(rows, [-1, 3], 1)[0]
        down = tf.split(rows, [1, -1], 0)[1] - tf.split(rows, [-1, 1], 0)[0]
        return reduce(tf.abs(across)) + reduce(tf.abs(down))

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

    def target(self, picture, look=look_whole):
        self.backbone.check_size(picture.shape[:2], self.layers, side=2 * self.border + 1)
        return {} if self.guide is None else look(self, tf.cast(self.guide, picture.dtype))

    def gather(self, features, target):
        sums = {}
        for layer, f in self.own(features).items():
            if self.border:
                f = f[:, self.border : -self.border, self.border : -self.border]
            if self.channel is not None:
                f = f[..., self.channel]
            if self.guide is not None:
                f = best_match(widen(f), widen(target[layer]))
            summed = energy(f) if self.power == 2 else tf.reduce_sum(widen(f))
            sums[layer] = summed, tf.cast(tf.size(f), summed.dtype)
        return sums

    def finish(self, sums, target):
        return tf.add_n([self.layers[layer] * s / count for layer, (s, count) in sums.items()])

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
