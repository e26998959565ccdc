"""Sums over features, in enough precision.  (Notebook 03.)"""

from .startup import tf


def at_least_float32(x):
    """Cast a tensor to float32, so that sums stay accurate; float64 stays float64."""
    return x if x.dtype == tf.float64 else tf.cast(x, tf.float32)


def sum_up(x):
    """Σx of a tensor of any shape, in float32 or better."""
    return tf.reduce_sum(at_least_float32(x))


def energy(x):
    """Σx² of a tensor of any shape, in float32 or better, without storing the squares.

    >>> float(energy(tf.constant([3.0, 4.0])))
    25.0
    """
    return 2 * tf.nn.l2_loss(at_least_float32(x))


def count(x):
    """Number of elements of a tensor, as a scalar of the same type as its sums."""
    return tf.cast(tf.size(x, tf.int64), tf.float64 if x.dtype == tf.float64 else tf.float32)


def positions(features):
    """Number of positions of feature maps (1, h, w, C), as a scalar of the same type."""
    return count(features) / features.shape[-1]
