"""Beyond the Gram matrix: more to say about what a picture is made of.  (Notebook 03.)

At a layer, a picture is a cloud of points: one for each position, with a coordinate for each
channel. Like the Gram matrix, every statistic here forgets where the points were in the picture.
`sums` are taken over a picture's features; two pictures' clouds are compared by a `summary` of
these sums.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from .gram import gram_matrix
from .startup import tf
from .sums import at_least_float32, energy, positions

# Added to every variance, relative to the mean square of a channel: roots have no gradient at 0.
RIDGE = 1e-4


class Statistics(NamedTuple):
    """One way to compare what two pictures are made of.

    Attributes:
        sums: function from features (1, h, w, C) to a tuple of sums over positions. The optional
            second argument, (1, h, w, 1), is the square root of each position's weight; the
            features are multiplied by it already.
        summary: function from the sums to what is compared.
        formulas: {name: function from a picture's and a painting's summaries to a loss}.
        adds_up: True if these are sums: those of a picture's tiles can be added, and weighted.
    """

    sums: Callable
    summary: Callable
    formulas: dict
    adds_up: bool = True


# Given Gram matrices G and A, both already divided by the number of positions M; N is the number
# of channels. "gatys" is Gatys et al. 2016, equation 4, in which they are not divided.
STYLE_FORMULAS = {
    "relative": lambda g, a: tf.reduce_sum((g - a) ** 2) / tf.reduce_sum(a**2),
    "gatys": lambda g, a: tf.reduce_sum((g - a) ** 2) / (4 * a.shape[-1] ** 2),
    "tutorial": lambda g, a: tf.reduce_mean((g - a) ** 2),
}


def relative(x, a):
    """Σ(x−a)² / Σa² over all numbers of two summaries, each a tuple of tensors."""
    differences = [energy(p - q) for p, q in zip(x, a, strict=True)]
    return tf.add_n(differences) / tf.add_n([energy(q) for q in a])


def sum_of_products(features, root=1.0):
    """(FᵀF, (1, C, C), and the number of positions)."""
    return positions(features) * gram_matrix(features), positions(features)


def gram_of_sums(sums):
    """The Gram matrix."""
    return sums[0] / sums[1]


def sum_of_points(features, root=1.0):
    """Σf over positions, (C,)."""
    f = at_least_float32(features)
    return tf.reduce_sum(tf.cast(root, f.dtype) * f, (0, 1, 2))


def sum_of_squares(features, root=1.0):
    """(Σf, Σf² and the number of positions)."""
    squares = tf.reduce_sum(at_least_float32(features) ** 2, (0, 1, 2))
    return sum_of_points(features, root), squares, positions(features)


def means_and_deviations(sums):
    """Each channel's mean and standard deviation, (C,).

    Source: Huang and Belongie 2017 (adaptive instance normalisation, AdaIN).
    """
    total, squares, number = sums
    mean, square = total / number, squares / number
    return mean, tf.sqrt(square - mean**2 + ridge(square))


def ridge(square):
    """What is added to variances, given the mean square of each channel."""
    return RIDGE * tf.reduce_mean(square) + 1e-12


def sum_of_moments(features, root=1.0):
    """(Σf, FᵀF and the number of positions)."""
    return sum_of_points(features, root), *sum_of_products(features)


def means_and_factors(sums):
    """The cloud's mean m, (C,), and L, (C, C), with its covariance matrix S = LLᵀ (Cholesky)."""
    total, products, number = sums
    mean, square = total / number, products[0] / number
    noise = ridge(tf.linalg.diag_part(square)) * tf.eye(mean.shape[0], dtype=mean.dtype)
    return mean, tf.linalg.cholesky(square - mean[:, tf.newaxis] * mean + noise)


def nearest_rotation(matrix):
    """The rotation (or reflection) nearest to a square matrix."""
    _, u, v = tf.linalg.svd(matrix)
    return tf.matmul(u, v, transpose_b=True)


def rotated(a, x, nearest=nearest_rotation):
    """The painting's summary `a`, (m, L), with L rotated as close to the picture's as possible.

    If S = LLᵀ, then S = (LQ)(LQ)ᵀ for every rotation Q. With the best one, Σ(x−a)² is the squared
    2-Wasserstein distance of two Gaussians: what it costs to carry one cloud to the other. As Q is
    the best, a small change of it changes nothing, so no gradient needs to flow through it.

    Source: Bhatia, Jain and Lim 2019, section 3.
    """
    (mean, factor), (_, other) = a, x
    turn = tf.stop_gradient(nearest(tf.matmul(factor, other, transpose_a=True)))
    return mean, factor @ turn


def wasserstein(x, a):
    """The 2-Wasserstein distance of two Gaussians, squared, over the painting's energy."""
    return relative(x, rotated(a, x))


def directions(channels):
    """As many random directions as there are channels, the columns of (C, C); always the same."""
    random = np.random.default_rng(channels).normal(size=(channels, channels))
    return random / np.linalg.norm(random, axis=0)


def projections(features, root=1.0):
    """(The points' coordinates along each of the `directions`, (h·w, C)).

    Source: Heitz et al. 2021.
    """
    points = tf.reshape(at_least_float32(features), (-1, features.shape[-1]))
    return (points @ tf.constant(directions(points.shape[-1]), points.dtype),)


def in_order(projected):
    """The coordinates along each direction, from small to large."""
    return (tf.sort(projected[0], axis=0),)


def sliced(x, a):
    """The squared 2-Wasserstein distance along each direction, over the painting's energy.

    Along a line, the cheapest way to carry one cloud to the other keeps the order of the points.
    With different numbers of points, each takes the painting's of the same rank.
    """
    count, other = (tf.shape(ordered, tf.int64)[0] for (ordered,) in (x, a))
    ranks = (2 * tf.range(count) + 1) * other // (2 * count)
    return relative(x, (tf.gather(a[0], ranks),))


STATISTICS = {
    "gram": Statistics(sum_of_products, gram_of_sums, STYLE_FORMULAS),
    "adain": Statistics(sum_of_squares, means_and_deviations, {"relative": relative}),
    "moments": Statistics(sum_of_moments, means_and_factors, {"relative": wasserstein}),
    "sliced": Statistics(projections, in_order, {"relative": sliced}, adds_up=False),
}
