"""The networks that are measured: with real weights where they are available."""

import functools

import numpy as np

from dreamkit.networks.architectures import ARCHITECTURES
from dreamkit.networks.backbone import Backbone, load_backbone
from dreamkit.networks.weights import available_offline
from dreamkit.startup import keras


@functools.cache
def network(name):
    """A backbone with its real weights if they are available, else with random ones.

    Random weights cost the same per step; nothing else is measured with them.
    """
    if available_offline(name):
        return load_backbone(name)
    keras.utils.set_random_seed(0)
    model = ARCHITECTURES[name].build()
    he_normal(model)
    return Backbone(model, ARCHITECTURES[name], name, "random numbers")


def he_normal(model, seed=0):
    """Fill the convolutions with seeded He-normal kernels."""
    rng = np.random.default_rng(seed)
    for layer in model.layers:
        if hasattr(layer, "kernel_size"):
            kernel, *bias = layer.get_weights()
            spread = (2 / np.prod(kernel.shape[:3])) ** 0.5
            layer.set_weights([rng.normal(0, spread, kernel.shape).astype("float32"), *bias])
