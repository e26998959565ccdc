"""The walks of methods that dreamkit's own loop does not have.  Plain Adam, and sizes by √2."""

import functools
import time
from typing import NamedTuple

import numpy as np

from dreamkit import resize
from dreamkit.large.fast import adam_in_place
from dreamkit.large.memory import fit_to_memory
from dreamkit.networks.backbone import Backbone
from dreamkit.startup import tf


class Adam(NamedTuple):
    """Adam's settings: rate, decay rates of the two moments, and of the average of iterates."""

    rate: float
    beta1: float = 0.9
    beta2: float = 0.999
    average: float = 0.0


class State:
    """A picture with Adam's two moments and the average of its iterates."""

    def __init__(self, picture, moments=None, step=0):
        self.picture = tf.Variable(picture)
        zeros = (tf.zeros_like(self.picture),) * 2
        self.moments = tuple(map(tf.Variable, moments or zeros))
        self.mean, self.share, self.step = np.zeros_like(picture), 1.0, step

    def walk(self, score, steps, adam):
        """Take some steps; gives the seconds of each."""
        seconds = []
        for _ in range(steps):
            started = time.perf_counter()
            gradient = score(self.picture.value())
            adam_in_place(
                self.picture, *self.moments, gradient, adam.rate, self.step, adam.beta1, adam.beta2
            )
            self.picture.assign(tf.clip_by_value(self.picture, 0, 1))
            self.mean = adam.average * self.mean + (1 - adam.average) * self.picture.numpy()
            self.share *= adam.average
            self.step += 1
            seconds.append(time.perf_counter() - started)
        return seconds

    @property
    def image(self):
        """The bias-corrected average of the iterates; without averaging, the last of them."""
        return self.mean / (1 - self.share)

    def scaled(self, size):
        """The same at another size: the picture and both of Adam's moments."""
        mean, square = (resize_any(moment.numpy(), size) for moment in self.moments)
        picture = np.clip(resize_any(self.image, size), 0, 1)
        return State(picture, (mean, np.maximum(square, 0)), self.step)


def resize_any(values, size):
    """An array (H, W, 3) of any values, scaled."""
    return tf.image.resize(values, size, "bicubic", antialias=True).numpy()


def gradient_of(objective, size):
    """A function from a picture to the gradient of an objective, as fast as dreamkit makes it."""
    score = fit_to_memory(objective, size, tile=None)
    return lambda picture: score.value_and_gradient(picture).gradient


def sizes_by_root_two(size, smallest=128):
    """(height, width) from the full size down by √2, while the longest side is ≥ `smallest`."""
    sizes, scale = [], 1.0
    while round(max(size) * scale) >= smallest or not sizes:
        sizes.append(tuple(max(1, round(side * scale)) for side in size))
        scale /= 2**0.5
    return sizes[::-1]


def through_sizes(pair, sizes, steps, objective, adam):
    """Descend at each size in turn, with Adam's moments and the average carried along.

    Args:
        pair: a `Pair`.
        sizes: list of (height, width).
        steps: number of steps at each.
        objective: function from the photo and the painting at a size to an objective.
        adam: an `Adam`.

    Returns:
        (picture, laps).
    """
    state, laps = None, {}
    for size, count in zip(sizes, steps, strict=True):
        photo, painting = resize(pair.photo, size), resize(pair.painting, max(size))
        state = State(photo) if state is None else state.scaled(size)
        gradient = gradient_of(objective(photo, painting), size)
        laps[f"{size[1]}×{size[0]}"] = state.walk(gradient, count, adam)
    return np.clip(state.image, 0, 1), laps


class Replicated(Backbone):
    """A VGG whose first convolution sees the picture's edge continued, not black beyond it."""

    def raw_features(self, images, layers, start=None):
        if start is not None:
            return super().raw_features(images, layers, start)
        inputs = self.architecture.preprocess(images)
        inputs = tf.pad(inputs, [[0, 0], [1, 1], [1, 1], [0, 0]], "SYMMETRIC")
        kernel, bias = self.layer("block1_conv1").weights
        first = tf.nn.relu(tf.nn.conv2d(inputs, kernel, 1, "VALID") + bias)
        deeper = tuple(layer for layer in layers if layer != "block1_conv1")
        found = super().raw_features(first, deeper, "block1_conv1") if deeper else {}
        found["block1_conv1"] = first
        return {layer: found[layer] for layer in layers}


@functools.cache
def replicated(network):
    """The same network with `Replicated` padding."""
    return Replicated(
        network.model, network.architecture, network.name, precision=network.precision
    )
