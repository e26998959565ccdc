"""A channel before its ReLU, where its gradient is never cut off.  (Notebook 04.)

A ReLU turns everything below zero into zero, and lets no gradient through there: a silent channel
cannot be woken, and nothing says what a channel dislikes. One step earlier, both are numbers like
any other.
"""

import dataclasses
import functools

from ..errors import SettingsError, shown
from ..startup import keras
from .architectures import keras_defaults
from .backbone import Backbone


def before_relu(backbone, layer, channel):
    """Where a channel is before its ReLU.

    Args:
        backbone: a `Backbone`.
        layer: the layer's name.
        channel: the number of one of its channels.

    Returns:
        (backbone, layer, channel) to use instead; the backbone is the same one if it has a layer
        before the ReLU, otherwise a copy that has one more layer.

    Raises:
        SettingsError: the layer has no such channel.
        LayerError: there is no such layer.

    Introduced in notebook 04.

    >>> from dreamkit import load_backbone
    >>> before_relu(load_backbone("squeezenet"), "fire6", 200)[1:]
    ('fire6_expand3x3_linear', 8)
    """
    found = backbone.layer(layer)
    channels = found.output.shape[-1]
    if isinstance(channel, bool) or not isinstance(channel, int) or not 0 <= channel < channels:
        raise SettingsError(
            f"{layer} has no channel {shown(channel)}: choose one from 0 to {channels - 1}."
        )
    makers = {id(each.output): each for each in backbone.model.layers}
    while not hasattr(found, "kernel_size"):
        if isinstance(found, keras.layers.Concatenate):
            for branch in found.input:
                if channel < branch.shape[-1]:
                    break
                channel -= branch.shape[-1]
            found = makers[id(branch)]
        elif isinstance(found, keras.layers.BatchNormalization | keras.layers.InputLayer):
            return backbone, found.name, channel
        else:  # an activation, or a pooling of the same channels
            found = makers[id(found.input)]
    if found.activation is keras.activations.linear:
        return backbone, found.name, channel
    return with_linear(backbone, found.name), f"{found.name}_linear", channel


@functools.lru_cache
def with_linear(backbone, name):
    """A backbone with one more layer, `<name>_linear`: a convolution without its ReLU."""
    found = backbone.layer(name)
    settings = {**found.get_config(), "name": f"{name}_linear", "activation": None}
    with keras_defaults():
        linear = keras.layers.Conv2D.from_config(settings)
        output = linear(found.input)
        linear.set_weights(found.get_weights())
        model = keras.Model(backbone.model.inputs, [found.output, output])
    names = {layer.name for layer in model.layers}
    kept = tuple(name for name in backbone.architecture.bottlenecks if name in names)
    architecture = dataclasses.replace(backbone.architecture, bottlenecks=kept)
    return Backbone(model, architecture, backbone.name, backbone.origin)
