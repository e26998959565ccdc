"""What a dream ascends: how strongly a network responds.  (Notebook 03.)"""

from dataclasses import dataclass
from typing import Any, ClassVar

from .errors import SettingsError, check_choice, check_range
from .images import load_image
from .networks.backbone import Backbone
from .networks.imagenet import class_index
from .startup import tf
from .sums import at_least_float32, count, energy, sum_up
from .terms import Term, layer_weights


@dataclass(eq=False)
class Dream(Term):
    """How strongly a network responds: the score that a deep dream ascends.

    The sum over layers of w · mean(Fᵖ), with w the layer's weight and F its features: all of them,
    one channel, one ImageNet class, or their similarity to a guide picture.

    Args:
        backbone: a `Backbone`.
        layers: a name, several names, or {name: weight}; None for the backbone's defaults.
        channel: use only this channel of each layer, counted from 0.
        label: use only this ImageNet class, by name or number; needs a backbone with a classifier.
        guide: a picture; each position is drawn to its best match among the guide's features.
        power: 1 for the mean activation (TensorFlow's tutorial), 2 for the mean square (Keras).
        border: number of features to leave out at each edge; Keras' example leaves out 2.

    Raises:
        SettingsError: an invalid power, border, channel or label, or more than one of channel,
            label and guide.
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
        check_range("border", self.border, 0)
        if sum(value is not None for value in (self.channel, self.label, self.guide)) > 1:
            raise SettingsError("Dream takes only one of channel, label and guide: drop the rest.")
        if self.label is not None:
            self.layers, self.channel = self._classifier(), class_index(self.label)
        default = self.backbone.architecture.dream_layers
        self.layers = layer_weights(self.backbone, self.layers, default)
        for layer in self.layers if self.channel is not None else ():
            channels = self.backbone.layer(layer).output.shape[-1]
            if not 0 <= self.channel < channels:
                raise SettingsError(
                    f"{layer} has no channel {self.channel}: choose one from 0 to {channels - 1}."
                )
        if self.guide is not None:
            self.guide = load_image(self.guide)
            self.backbone.check_size(self.guide.shape[:2], self.layers, "the guide picture")

    def _classifier(self):
        layer = self.backbone.architecture.classes
        if layer is None:
            raise SettingsError(
                f"{self.backbone.name} was loaded without its classifier, so label= cannot be used:"
                " use the squeezenet backbone, or layers= and channel=."
            )
        return layer

    @property
    def degree(self):
        return self.power

    @property
    def adds_up(self):
        return self.border == 0  # each tile has edges of its own

    def check_size(self, size):
        self.backbone.check_size(size, self.layers, side=2 * self.border + 1)

    def reference(self, size):
        return self.guide

    def target(self, features):
        """{layer: the guide's feature vectors, (n, C)}."""
        return {n: tf.reshape(at_least_float32(f), (-1, f.shape[-1])) for n, f in features.items()}

    def statistics(self, features, target):
        """{layer: (Σ Fᵖ, number of features)}."""
        chosen = {n: self._choose(f, target.get(n)) for n, f in features.items()}
        total = energy if self.power == 2 else sum_up
        return {n: (total(f), count(f)) for n, f in chosen.items()}

    def loss(self, statistics, target):
        layers = statistics.items()
        return tf.add_n([self.layers[n] * total / number for n, (total, number) in layers])

    def _choose(self, f, guide):
        """The part of a layer's features (1, h, w, C) that is scored."""
        if self.border:
            f = f[:, self.border : -self.border, self.border : -self.border]
        if self.channel is not None:
            f = f[..., self.channel]
        return f if guide is None else best_match(at_least_float32(f), guide)


def best_match(features, guide):
    """Each feature vector's dot product with its best match in the guide, divided by C.

    Args:
        features: (N, h, w, C).
        guide: (n, C), or (1, k, l, C).

    Returns:
        (N·h·w,) tensor.

    Source: the guided dreams of Mordvintsev et al. 2015. Introduced in notebook 03.
    """
    channels = guide.shape[-1]
    f, g = tf.reshape(features, (-1, channels)), tf.reshape(guide, (-1, channels))
    return tf.reduce_max(tf.matmul(f, g, transpose_b=True), axis=-1) / channels
