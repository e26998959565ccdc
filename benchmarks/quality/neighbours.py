"""Neural neighbours, after Kolkin et al. 2022 (NNST), in a short form for this benchmark only.

Each column of the picture's features is pulled to the painting's column that is most like it, at
sizes from 64 px, and at each size the photo is mixed in again. Left out: matching each layer by
itself at the end, and the Laplacian pyramid as the variable.
"""

import functools

import numpy as np

from dreamkit import resize
from dreamkit.startup import tf

from .methods import method, share_of
from .walks import Adam, State

LAYERS = ("block1_conv1", "block2_conv1", "block3_conv1", "block4_conv1")
STEPS, MATCHES = 50, 4  # steps after each matching, and matchings at each size


def columns(network, picture):
    """All layers' features of a picture (H, W, 3) at every fourth pixel, (positions, C)."""
    found = network.raw_features(picture[tf.newaxis], LAYERS)
    grid = tf.shape(found["block3_conv1"])[1:3]
    maps = [tf.image.resize(tf.cast(f, tf.float32), grid, antialias=True) for f in found.values()]
    joined = tf.concat(maps, -1)
    return tf.reshape(joined, (-1, joined.shape[-1]))


def unit(columns):
    """Columns minus their mean, of length 1."""
    return tf.math.l2_normalize(columns - tf.reduce_mean(columns, 0), 1)


@tf.function(reduce_retracing=True)
def nearest(columns, painted):
    """For each column of the first, the most similar one of the second."""
    return tf.gather(
        painted, tf.argmax(tf.matmul(unit(columns), unit(painted), transpose_b=True), 1)
    )


@functools.cache
def gradient_function(network):
    """A compiled function (picture, target columns) → gradient of their mean cosine distance."""

    @tf.function(reduce_retracing=True)
    def gradient(picture, target):
        with tf.GradientTape() as tape:
            tape.watch(picture)
            own = unit(columns(network, picture))
            loss = tf.reduce_mean(1 - tf.reduce_sum(own * unit(target), 1))
        return tape.gradient(loss, picture)

    return gradient


@method("NNST, short form", "Kolkin et al. 2022, arXiv:2203.13215")
def neighbours(pair, network, factor):
    """Three sizes by 2; at each, the photo's share of the start is 3 to `factor`."""
    share, laps, image = 3 / (3 + factor), {}, None
    longest = max(pair.photo.shape)
    for side in (longest // 4, longest // 2, longest):
        photo, painting = resize(pair.photo, side), resize(pair.painting, side)
        image = photo if image is None else resize(image, photo.shape[:2])
        state, seconds = State(share * photo + (1 - share) * image), []
        painted = columns(network, tf.constant(painting))
        for _ in range(MATCHES):
            target = nearest(columns(network, state.picture.value()), painted)
            gradient = functools.partial(gradient_function(network), target=target)
            seconds += state.walk(gradient, share_of(STEPS), Adam(0.02))
        image, laps[f"{side} px"] = np.clip(state.picture.numpy(), 0, 1), seconds
    return image, laps
