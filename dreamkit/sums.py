"""Sums over all positions, in float32 or more, that keep little for their slope.

Of a large picture's features there is no room for many copies, least of all for wider ones.
"""

from .startup import tf


def widen(x):
    """A tensor as float32, so that sums lose nothing; float64 stays what it is."""
    return x if x.dtype == tf.float64 else tf.cast(x, tf.float32)


@tf.custom_gradient
def total(x):
    """Σx of a tensor of any shape and precision, a scalar tensor; its slope is never wider than x.

    The dream's score is made of it (Mordvintsev, Olah and Tyka 2015). For notebook 03.

    >>> float(total(tf.constant([3.0, 4.0])))
    7.0
    """
    return tf.reduce_sum(widen(x)), lambda u: tf.fill(tf.shape(x), tf.cast(u, x.dtype))


def energy(x):
    """Σx² of a tensor of any shape and precision, a scalar tensor, without a copy of the squares.

    The content loss is made of it (Gatys, Ecker and Bethge 2016, equation 1). For notebook 02.

    >>> float(energy(tf.constant([3.0, 4.0])))
    25.0
    """
    return 2 * tf.nn.l2_loss(widen(x))
