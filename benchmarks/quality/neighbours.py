"""Neural neighbours, after Kolkin et al. 2022 (NNST), in a short form for this benchmark only.

Each column of the picture's features (all layers at one place) is pulled to the painting's column
that is most like the photo's there, at sizes from 64 px, each twice the last. At the end each layer
finds its own neighbours, anew in every step. Left out: rotated copies of the painting, the
Laplacian pyramid as the variable (and with it the finest bands' blank start and their share in the
search), all other layers, and half of the steps.
"""

import functools

import numpy as np

from dreamkit import resize
from dreamkit.startup import tf

from .methods import method, share_of
from .walks import Adam, State

LAYERS = ("block1_conv1", "block2_conv1", "block3_conv1", "block4_conv1")
STEPS, PHOTO = 200, 0.75  # steps at each size and at the end; the photo's share in what is matched
PART = 0.5  # of these steps, for time
GRID = 64  # points along the longest side at which a layer's neighbours are found


def maps(network, picture):
    """Each layer's features of a picture (H, W, 3), (1, h, w, C), over its number of channels."""
    found = network.raw_features(picture[tf.newaxis], LAYERS)
    return [tf.cast(f, tf.float32) / f.shape[-1] for f in found.values()]


def columns(network, picture):
    """All layers' features at every fourth pixel, (positions, channels)."""
    found = maps(network, picture)
    grid = tf.shape(found[2])[1:3]
    joined = tf.concat([tf.image.resize(f, grid, antialias=True) for f in found], -1)
    return tf.reshape(joined, (-1, joined.shape[-1]))


def centred(points):
    """Directions of points (n, C) from their mean."""
    return tf.math.l2_normalize(points - tf.reduce_mean(points, 0), 1)


def nearest(points, painted):
    """For each of the first points, which of the others lies in the most similar direction."""
    return tf.argmax(tf.matmul(centred(points), centred(painted), transpose_b=True), 1)


@functools.cache
def gradient_function(network, loss):
    """A compiled function (picture, target) → gradient of a loss(network, picture, target)."""

    @tf.function(reduce_retracing=True)
    def gradient(picture, target):
        with tf.GradientTape() as tape:
            tape.watch(picture)
            value = loss(network, picture, target)
        return tape.gradient(value, picture)

    return gradient


def from_columns(network, picture, target):
    """Mean cosine distance of the picture's columns from the target's, not centred.

    The mean holds the colours, so it must count.
    """
    own = tf.math.l2_normalize(columns(network, picture), 1)
    return tf.reduce_mean(1 - tf.reduce_sum(own * tf.math.l2_normalize(target, 1), 1))


def from_layers(network, picture, painted):
    """Sum over layers of the mean distance of their points from the painting's nearest."""
    total = 0.0
    for own, other in zip(maps(network, picture), painted, strict=True):
        own = thinned(own)
        found = tf.gather(centred(other), tf.stop_gradient(nearest(own, other)))
        total += tf.reduce_mean(1 - tf.reduce_sum(centred(own) * found, 1))
    return total


def thinned(features):
    """At most `GRID` × `GRID` points of features (1, h, w, C), (points, C)."""
    stride = tf.maximum(1, tf.reduce_max(tf.shape(features)[1:3]) // GRID)
    return tf.reshape(features[:, ::stride, ::stride], (-1, features.shape[-1]))


@method("NNST, short form", "Kolkin et al. 2022, arXiv:2203.13215", part=PART)
def neighbours(pair, network, factor):
    """Three sizes by 2; what is matched is 75 % photo, at the smallest size all of it."""
    steps, laps, image = share_of(PART * STEPS), {}, None
    share, longest = max(0.0, 1 - (1 - PHOTO) * factor), max(pair.photo.shape)
    for side in (longest // 4, longest // 2, longest):
        photo, painting = resize(pair.photo, side), resize(pair.painting, side)
        image = photo if image is None else resize(image, photo.shape[:2])
        mixed = share * photo + (1 - share) * image
        painted = columns(network, tf.constant(painting))
        target = tf.gather(painted, nearest(columns(network, tf.constant(mixed)), painted))
        pull = functools.partial(gradient_function(network, from_columns), target=target)
        state = State(image)
        laps[f"{side} px"] = state.walk(pull, steps, Adam(0.02))
        image = np.clip(state.picture.numpy(), 0, 1)
    painted = [thinned(f) for f in maps(network, tf.constant(painting))]
    pull = functools.partial(gradient_function(network, from_layers), target=painted)
    state = State(image)
    laps["each layer"] = state.walk(pull, steps, Adam(0.005))
    return state.picture.numpy(), laps
