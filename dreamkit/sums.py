"""Sums over features, taken in enough precision.  (Notebook 02.)"""

from .startup import tf


def at_least_float32(x):
    """A tensor as float32, so that sums lose nothing; float64 stays what it is."""
    return x if x.dtype == tf.float64 else tf.cast(x, tf.float32)


def sum_up(x):
    """Σx of a tensor of any shape, summed in float32 or more."""
    return tf.reduce_sum(at_least_float32(x))


def energy(x):
    """Σx² of a tensor of any shape, summed in float32 or more, without a copy of the squares.

    >>> float(energy(tf.constant([3.0, 4.0])))
    25.0
    """
    return 2 * tf.nn.l2_loss(at_least_float32(x))


def count(x):
    """How many numbers a tensor has, as a scalar tensor of the type that its sums have."""
    return tf.cast(tf.size(x, tf.int64), tf.float64 if x.dtype == tf.float64 else tf.float32)


def positions(features):
    """How many positions feature maps (1, h, w, C) have, likewise."""
    return count(features) / features.shape[-1]
