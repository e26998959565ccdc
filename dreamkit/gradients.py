"""Normalising a gradient before taking a step along it.  (Notebook 04.)"""

from .startup import tf


def normalise(gradient, levels=0):
    """Scale a gradient to unit standard deviation, so that every step has the same length.

    Args:
        gradient: (H, W, 3).
        levels: 0 divides by the standard deviation; n > 0 splits the gradient into a Laplacian
            pyramid of n bands plus the rest, and scales each of them to unit standard deviation.

    Returns:
        (H, W, 3), with a standard deviation of about 1.

    Sources: Burt and Adelson 1983 (the pyramid); Mordvintsev's deep dream notebook, 2015.
    Introduced in notebook 04.

    >>> g = tf.random.stateless_normal((16, 16, 3), seed=(0, 1)) * 1e-6
    >>> round(float(tf.math.reduce_std(normalise(g))), 3)
    1.0
    """
    bands, rest = [], gradient[tf.newaxis]
    for _ in range(levels):
        coarse = tf.nn.avg_pool2d(rest, 2, 2, "SAME")
        bands.append(rest - _enlarged(coarse, rest))
        rest = coarse
    merged = _unit(rest)
    for band in reversed(bands):
        merged = _enlarged(merged, band) + _unit(band)
    return _unit(merged)[0] if bands else merged[0]


def _enlarged(small, large):
    return tf.cast(tf.image.resize(small, tf.shape(large)[1:3]), large.dtype)


def _unit(x):
    return x / (tf.math.reduce_std(x) + 1e-20)
