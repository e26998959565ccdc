"""The scores we ascend or descend; they add, subtract and scale.  (Notebook 03.)

objective = 1.0 * Content(photo, vgg) + 20.0 * Style(painting, vgg) - 0.5 * Dream(inception)
total, terms = objective(picture)
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from .arguments import kinds
from .arguments.checked import checked
from .distributions import STATISTICS
from .errors import SettingsError, check_choice
from .images import load_image, resize
from .networks.backbone import Backbone, loaded
from .objectives import Score
from .startup import tf
from .sums import count, energy


class Term(Score):
    """One thing to score: three small methods, each about one line of mathematics.

    They take and return dictionaries by layer, for all or only some of the term's layers.

    Attributes:
        name: its column in a history.
        backbone: the network whose features it scores; None to score the pixels.
        layers: {layer: weight}; {"pixels": 1.0} for a term that scores the pixels.
        pictures: names of the fields that hold pictures, which do not affect the graph.
        degree: p if features λF give λᵖ times the statistics that F gives; None if no p does, so
            that positions cannot be weighted.
        takes_roots: True if `statistics` also takes {layer: √w} of weights w, (1, h, w, 1).
        adds_up: True if the statistics of a picture's tiles can be added. The targets of its tiles
            combine too: maps (1, h, w, C) are tiled, lists of vectors (n, C) are concatenated,
            and everything else is added.
    """

    name: ClassVar[str]
    backbone: Backbone | None
    layers: Mapping
    pictures: ClassVar[tuple] = ("image", "guide")
    degree = 2
    takes_roots = False
    adds_up = True

    def target(self, features):
        """What to compare with: {layer: …}, from the reference picture's {layer: features}."""
        return {}

    def statistics(self, features, target):
        """Sums over positions: {layer: …}, from a picture's {layer: features}."""
        raise NotImplementedError

    def loss(self, statistics, target):
        """The term's value, a scalar tensor."""
        raise NotImplementedError

    def reference(self, size):
        """The reference picture, (h, w, 3), for scoring pictures of `size`, or None."""
        return None

    def complete(self, target, picture):
        """The target for scoring pictures of this one's size, from that of all tiles together."""
        return target

    def check_size(self, size):
        """Raise an `ImageError` if a picture of (height, width) is too small for the layers."""
        if self.backbone is not None:
            self.backbone.check_size(size, self.layers)

    @property
    def parts(self):
        return ((1.0, self),)

    def select(self, features):
        """The entries of {layer: features} that belong to the term's layers."""
        return {layer: features[layer] for layer in self.layers if layer in features}

    def graph_key(self):
        """Everything that affects the term's graph: terms with equal keys share one."""
        fields = {field.name for field in dataclasses.fields(self)} - {"backbone", "layers"}
        values = {name: getattr(self, name) for name in sorted(fields)}
        values |= {name: values[name] is not None for name in self.pictures if name in values}
        return type(self), self.backbone, tuple(self.layers.items()), tuple(values.items())

    def layer_mean(self, values):
        """Mean of {layer: value}, weighted by the layers' weights."""
        weighted = [self.layers[layer] * value for layer, value in values.items()]
        return tf.add_n(weighted) / sum(self.layers.values())


# Given Σ(F−P)², ΣP² and the number of features. "gatys" is Gatys et al. 2016, equation 1.
CONTENT_FORMULAS = {
    "relative": lambda difference, energy, count: difference / energy,
    "gatys": lambda difference, energy, count: difference / 2,
    "tutorial": lambda difference, energy, count: difference / count,
}


@checked(backbone=loaded, layers=kinds.averaged_layers)
@dataclass(eq=False)
class Content(Term):
    """How far a picture's features are from a photo's: does it still show the same things?

    With F the picture's features at a layer and P the photo's, averaged over layers:
    `"relative"` Σ(F−P)² / ΣP²; `"gatys"` ½ Σ(F−P)²; `"tutorial"` mean (F−P)².

    Args:
        image: the photo, anything `load_image` accepts; resized to the picture being scored.
        backbone: a `Backbone`.
        layers: a name, several names, or {name: weight}; None for the backbone's defaults.
        formula: `"relative"`, `"gatys"` or `"tutorial"`.

    Raises:
        SettingsError: an unknown formula.
        LayerError: an unknown layer.

    Source: Gatys, Ecker and Bethge 2016, equation 1. Introduced in notebook 03.

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
        default = self.backbone.architecture.content_layers
        self.layers = layer_weights(self.backbone, self.layers, default)
        self.image = load_image(self.image)
        check_choice("formula", self.formula, CONTENT_FORMULAS)

    def reference(self, size):
        return resize(self.image, size)

    def target(self, features):
        """{layer: (P, ΣP², number of features)}."""
        return {layer: (p, energy(p), count(p)) for layer, p in features.items()}

    def statistics(self, features, target):
        """{layer: Σ(F−P)²}."""
        return {layer: energy(f - target[layer][0]) for layer, f in features.items()}

    def loss(self, statistics, target):
        formula = CONTENT_FORMULAS[self.formula]
        return self.layer_mean({n: formula(s, *target[n][1:]) for n, s in statistics.items()})


@checked(backbone=loaded, layers=kinds.averaged_layers)
@dataclass(eq=False, init=False)
class Style(Term):
    """How far a picture's Gram matrices are from a painting's: is it made of the same strokes?

    With G the picture's Gram matrix at a layer and A the painting's, averaged over layers:
    `"relative"` Σ(G−A)² / ΣA²; `"gatys"` 1/(4N²M²) Σ(G−A)² of the undivided matrices;
    `"tutorial"` mean (G−A)². Other statistics of the features say more than Gram matrices do; they
    are compared by the relative formula only.

    Args:
        image: the painting, anything `load_image` accepts; used at its own size.
        backbone: a `Backbone`.
        layers: a name, several names, or {name: weight}; None for the backbone's defaults.
        formula: `"relative"`, `"gatys"` or `"tutorial"`.
        statistics: what is compared: `"gram"`; `"adain"`, each channel's mean and standard
            deviation; `"moments"`, means and covariances, by the 2-Wasserstein distance of
            Gaussians; `"sliced"`, the whole distribution along random directions.

    Raises:
        SettingsError: an unknown formula or statistic, or a formula for Gram matrices with others.
        LayerError: an unknown layer.
        ImageError: the painting is too small for the layers.

    Sources: Gatys, Ecker and Bethge 2016, equations 3 to 5; Huang and Belongie 2017 (AdaIN);
    Heitz et al. 2021 (sliced). Introduced in notebook 03.

    >>> from dreamkit import load_backbone
    >>> import numpy as np
    >>> painting = np.full((48, 48, 3), 0.5, "float32")
    >>> total, terms = Style(painting, load_backbone("squeezenet"))(painting)
    >>> float(total)
    0.0
    """

    image: Any
    backbone: Backbone
    layers: Any
    formula: str
    compared: str
    name: ClassVar[str] = "style"
    takes_roots: ClassVar[bool] = True
    table: ClassVar[Mapping] = STATISTICS

    def __init__(self, image, backbone, layers=None, formula="relative", statistics="gram"):
        check_choice("statistics", statistics, STATISTICS)
        self.backbone, self.formula, self.compared = backbone, formula, statistics
        self.layers = layer_weights(backbone, layers, backbone.architecture.style_layers)
        self.image = load_image(image)
        check_formula(formula, statistics)
        backbone.check_size(self.image.shape[:2], self.layers, "the style picture")

    @property
    def compare(self):
        """The `Statistics` to compare."""
        return self.table[self.compared]

    @property
    def degree(self):
        return 2 if self.adds_up else None

    @property
    def adds_up(self):
        return self.compare.adds_up

    def reference(self, size):
        return self.image

    def target(self, features):
        """The painting's own sums."""
        return self.statistics(features, {})

    def complete(self, target, picture):
        """{layer: the summary of the painting's sums}."""
        return {layer: self.compare.summary(sums) for layer, sums in target.items()}

    def statistics(self, features, target, roots=None):
        """{layer: sums over positions}, of features that a mask may have multiplied by `roots`."""
        roots = roots or dict.fromkeys(features, 1.0)
        return {layer: self.compare.sums(f, roots[layer]) for layer, f in features.items()}

    def loss(self, statistics, target):
        compare = self.compare
        formula, layers = compare.formulas[self.formula], statistics.items()
        return self.layer_mean({n: formula(compare.summary(s), target[n]) for n, s in layers})


def check_formula(formula, statistics):
    """Raise a `SettingsError` unless a style's formula exists and suits its statistics."""
    check_choice("formula", formula, STATISTICS["gram"].formulas)
    if formula not in STATISTICS[statistics].formulas:
        raise SettingsError(
            f"formula={formula!r} is for Gram matrices only: with statistics={statistics!r}, choose"
            ' formula="relative".'
        )


@dataclass(eq=False)
class TotalVariation(Term):
    """How much neighbouring pixels differ: low for a smooth picture, high for a grainy one.

    Args:
        formula: `"relative"` for the mean |difference| of horizontal neighbours plus that of
            vertical ones; `"tutorial"` for the sum, like `tf.image.total_variation`.

    Raises:
        SettingsError: an unknown formula.

    Source: Rudin, Osher and Fatemi 1992, in its anisotropic form. Introduced in notebook 03.

    >>> import numpy as np
    >>> float(TotalVariation()(np.zeros((8, 8, 3), "float32"))[0])
    0.0
    """

    formula: str = "relative"
    name: ClassVar[str] = "total_variation"
    backbone: ClassVar[None] = None
    layers: ClassVar[Mapping] = {"pixels": 1.0}

    def __post_init__(self):
        check_choice("formula", self.formula, ("relative", "tutorial"))

    def statistics(self, features, target):
        """{"pixels": [(Σ|difference|, number of pairs)]}, horizontally and vertically."""
        (x,) = features.values()
        across, down = x[:, :, 1:] - x[:, :, :-1], x[:, 1:] - x[:, :-1]
        return {"pixels": [(tf.reduce_sum(tf.abs(d)), count(d)) for d in (across, down)]}

    def loss(self, statistics, target):
        average = self.formula == "relative"
        return tf.add_n([s / number if average else s for s, number in statistics["pixels"]])


def layer_weights(backbone, layers, default):
    """{layer: weight} from a name, several names, a mapping, or None for `default`."""
    layers = default if layers is None else layers
    layers = (layers,) if isinstance(layers, str) else layers
    weights = dict(layers) if isinstance(layers, Mapping) else dict.fromkeys(layers, 1.0)
    if not weights:
        raise SettingsError(f"No layers given for {backbone.name}: name at least one in layers=.")
    for layer in weights:
        backbone.layer(layer)
    return weights
