"""What a dream ascends: how strongly a network responds.  (Notebook 04.)"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np

from .arguments.checked import checked
from .errors import SettingsError, check_choice, check_range
from .images import load_image, resize
from .networks.backbone import Backbone, loaded
from .networks.imagenet import class_index
from .startup import tf
from .sums import at_least_float32, count, energy, positions, sum_up
from .terms import Term, layer_weights

MEASURED = 384  # px on the shorter side, at which channels are ranked: any photo fits in memory


@checked(backbone=loaded)
@dataclass(eq=False)
class Dream(Term):
    """How strongly a network responds: the score that a deep dream ascends.

    The sum over layers of w · mean(Fᵖ), with w the layer's weight and F its features: all of them,
    one channel, a weighted sum of channels, one ImageNet class, or their similarity to a guide
    picture. A negative weight silences its layer or channel: a calm dream.

    Args:
        backbone: a `Backbone`.
        layers: a name, several names, or {name: weight}; None for the backbone's defaults.
        channel: use only this channel of each layer, counted from 0; or several, [channel, …] or
            {channel: weight}, which add up; or {layer: channels}, with channels of its own for
            each layer.
        label: use only this ImageNet class, by name or number; needs a backbone with a classifier.
        guide: a picture; each position is drawn to its best match among the guide's features.
        power: 1 for the mean activation (TensorFlow's tutorial), 2 for the mean square (Keras).
        border: number of features to leave out at each edge; Keras' example leaves out 2.

    Raises:
        SettingsError: an invalid power, border, channel or label, or more than one of channel,
            label and guide.
        LayerError: an unknown layer.

    Source: Mordvintsev, Olah and Tyka 2015. Introduced in notebook 04.

    >>> from dreamkit import load_backbone
    >>> dream = Dream(load_backbone("squeezenet"), label="goldfish")
    >>> dream.layers, dream.channel
    ({'conv10': 1.0}, 1)
    """

    backbone: Backbone
    layers: Any = None
    channel: Any = None
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
        if self.layers is None and gives_layers(self.channel):
            self.layers = {name: default.get(name, 1.0) for name in self.channel}
        self.layers = layer_weights(self.backbone, self.layers, default)
        if self.channel is not None:
            channels = channel_weights(self.channel, self.layers, self.backbone)
            self.channel = self.channel if isinstance(self.channel, Integral) else channels
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
        """{layer: (Σ Fᵖ, number of features)}; with several channels, (Σ w · Fᵖ, positions)."""
        b = self.border
        inside = {n: f[:, b:-b, b:-b] if b else f for n, f in features.items()}
        if isinstance(self.channel, Mapping):
            return {n: (self._sum_channels(n, f), positions(f)) for n, f in inside.items()}
        chosen = {n: self._choose(f, target.get(n)) for n, f in inside.items()}
        total = energy if self.power == 2 else sum_up
        return {n: (total(f), count(f)) for n, f in chosen.items()}

    def loss(self, statistics, target):
        layers = statistics.items()
        return tf.add_n([self.layers[n] * total / number for n, (total, number) in layers])

    def _choose(self, f, guide):
        """The part of a layer's features (1, h, w, C) that is scored."""
        if self.channel is not None:
            f = f[..., self.channel]
        return f if guide is None else best_match(at_least_float32(f), guide)

    def _sum_channels(self, layer, f):
        """Σ w · Fᵖ over the positions and channels of a layer's features (1, h, w, C)."""
        f = at_least_float32(f)
        by_channel = tf.reduce_sum(f * f if self.power == 2 else f, (0, 1, 2))
        weights = np.zeros(f.shape[-1])
        weights[list(self.channel[layer])] = list(self.channel[layer].values())
        return tf.tensordot(by_channel, tf.constant(weights, f.dtype), 1)

    def named_channels(self):
        """The channels in words: "channel 3 of mixed3 and mixed5"."""
        if not isinstance(self.channel, Mapping):
            return f"channel {self.channel} of {' and '.join(self.layers)}"
        numbers = {n: ", ".join(map(str, weights)) for n, weights in self.channel.items()}
        return " and ".join(f"channel {text} of {name}" for name, text in numbers.items())

    def graph_key(self):
        *key, fields = super().graph_key()
        return *key, tuple((name, repr(x) if name == "channel" else x) for name, x in fields)


def gives_layers(channel):
    """True for {layer: channels}, False for {channel: weight} and everything else."""
    return isinstance(channel, Mapping) and not all(
        isinstance(key, Integral) or str(key).isdigit() for key in channel
    )


def channel_weights(channel, layers, backbone):
    """{layer: {channel: weight}} from what `Dream` takes as `channel`.

    Channels may also be strings of digits, as in a JSON file.
    """
    by_layer = channel if gives_layers(channel) else dict.fromkeys(layers, channel)
    if by_layer.keys() != set(layers):
        raise SettingsError(
            f"channel= gives channels for {', '.join(by_layer)}, but layers= has"
            f" {', '.join(layers)}: name the same layers in both."
        )
    return {name: _weights(name, by_layer[name], backbone) for name in layers}


def _weights(layer, channel, backbone):
    """{channel: weight} of one layer, checked."""
    if not isinstance(channel, Mapping):
        channel = dict.fromkeys([channel] if np.ndim(channel) == 0 else channel, 1.0)
    if not channel:
        raise SettingsError(f"No channels given for {layer}: name at least one in channel=.")
    last = backbone.layer(layer).output.shape[-1] - 1
    for number, weight in channel.items():
        if not isinstance(weight, Real) or not math.isfinite(weight):
            raise SettingsError(
                f"The weight of channel {number} cannot be {weight!r}: give a number, below 0 to"
                " calm the channel."
            )
        if not str(number).isdecimal() or len(str(number)) > 9 or int(number) > last:
            raise SettingsError(
                f"{layer} has no channel {str(number)[:40]}: choose one from 0 to {last}, or for"
                ' deep_dream "strongest" or "weakest".'
            )
    return {int(number): float(weight) for number, weight in channel.items()}


def rank_channels(image, backbone, layers=None, order="strongest", number=5):
    """The channels of each layer that respond most, or least, to a picture: by mean activation.

    Channels that do not respond at all are left out, because their gradient is zero.

    Args:
        image: a picture; measured at up to 384 px on its shorter side.
        backbone: a `Backbone`.
        layers: a name, several names, or {name: weight}; None for the backbone's dream layers.
        order: `"strongest"` or `"weakest"`, which comes first.
        number: how many channels of each layer.

    Returns:
        {layer: [channel, …]}, to give to `Dream` as `channel`.

    Introduced in notebook 04.

    >>> from dreamkit import load_backbone
    >>> rank_channels(load_image("chelsea", 96), load_backbone("squeezenet"), "fire6", number=3)
    {'fire6': [219, 273, 254]}
    """
    check_choice("channel", order, ("strongest", "weakest"))
    check_range("the number of channels", number, 1)
    names = tuple(layer_weights(backbone, layers, backbone.architecture.dream_layers))
    shrink = min(1, MEASURED / min(image.shape[:2]))
    small, ranked = resize(image, [round(side * shrink) for side in image.shape[:2]]), {}
    for name, f in backbone.features(small, names).items():
        means = np.asarray(tf.reduce_mean(at_least_float32(f), (0, 1, 2)), "float64")
        awake = np.flatnonzero(tf.reduce_any(f != 0, (0, 1, 2)))
        ascending = awake[np.argsort(means[awake], kind="stable")]
        chosen = ascending[::-1] if order == "strongest" else ascending
        ranked[name] = chosen[:number].tolist()
    return ranked


def best_match(features, guide):
    """Each feature vector's dot product with its best match in the guide, divided by C.

    Args:
        features: (N, h, w, C).
        guide: (n, C), or (1, k, l, C).

    Returns:
        (N·h·w,) tensor.

    Source: the guided dreams of Mordvintsev et al. 2015. Introduced in notebook 04.
    """
    channels = guide.shape[-1]
    f, g = tf.reshape(features, (-1, channels)), tf.reshape(guide, (-1, channels))
    return tf.reduce_max(tf.matmul(f, g, transpose_b=True), axis=-1) / channels
