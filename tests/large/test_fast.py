"""The fast versions equal the lesson's plain formulas, in value and in gradient."""

import numpy as np
import pytest

from dreamkit import Content, Dream, Style, TotalVariation, gram_matrix, normalise
from dreamkit.balanced import Balanced
from dreamkit.large.fast import (
    FastBalanced,
    accelerated,
    adam_in_place,
    normalise_compiled,
)
from dreamkit.large.statistics import outer_products
from dreamkit.startup import tf


def same(fast, plain, rtol=1e-10):
    np.testing.assert_allclose(fast, plain, rtol=rtol, atol=1e-14)


def test_outer_products_over_positions_are_the_gram_matrix_and_its_gradient():
    features = tf.constant(np.random.default_rng(0).normal(size=(2, 5, 7, 4)))
    upstream = np.random.default_rng(1).normal(size=(2, 4, 4))
    grams, gradients = [], []
    for gram in (gram_matrix, lambda f: outer_products(f)[0] / outer_products(f)[1]):
        with tf.GradientTape() as tape:
            tape.watch(features)
            grams.append(gram(features))
        gradients.append(tape.gradient(grams[-1], features, upstream))
    same(*grams)
    same(*gradients)


@pytest.mark.parametrize("formula", ["relative", "tutorial"])
def test_an_accelerated_objective_equals_the_plain_one(toy, picture, double, formula):
    photo, x = picture(12, 14, seed=1), double(10, 12)
    plain = Content(photo, toy, formula=formula) + 3 * Style(photo, toy, formula=formula)
    plain += 0.5 * TotalVariation(formula) - 2 * Dream(toy)
    fast = accelerated(plain)
    assert [type(term).__name__ for term in fast.terms.values()] == [
        "Content",
        "FastStyle",
        "FastTotalVariation",
        "Dream",
    ]
    for one, other in zip(fast.value_and_gradient(x), plain.value_and_gradient(x), strict=True):
        tf.nest.map_structure(same, one, other)
    tf.nest.map_structure(same, fast(x), plain(x))


@pytest.mark.parametrize("balance", [0.7, -0.5])
def test_one_pass_for_two_scores_equals_two_passes(toy, picture, double, balance):
    photo, x = picture(12, 14, seed=1), double(32, 24)
    down = Content(photo, toy) + 3 * Style(photo, toy)
    for up in (Dream(toy), Style(photo, toy) - Dream(toy)):
        fast, plain = (cls(down, up, balance, 2) for cls in (FastBalanced, Balanced))
        for one, other in zip(fast.value_and_gradient(x), plain.value_and_gradient(x), strict=True):
            tf.nest.map_structure(same, one, other)


@pytest.mark.parametrize("levels", [0, 3])
def test_a_compiled_normalisation_equals_the_plain_one(levels):
    for size in ((17, 33), (40, 24)):
        gradient = tf.constant(np.random.default_rng(2).normal(size=(*size, 3)))
        same(normalise_compiled(gradient, levels), normalise(gradient, levels))


def test_adam_in_place_equals_kingma_and_bas_algorithm():
    rng = np.random.default_rng(3)
    start, zeros = rng.random((4, 5)), np.zeros((4, 5))
    x, m, v = (tf.Variable(value) for value in (start, zeros, zeros))
    expected, mean, square = x.numpy(), 0.0, 0.0
    for step in range(3):
        g = rng.normal(size=(4, 5))
        adam_in_place(x, m, v, g, 0.1, step, 0.9, 0.99)
        mean, square = 0.9 * mean + 0.1 * g, 0.99 * square + 0.01 * g**2
        unbiased = mean / (1 - 0.9 ** (step + 1)), square / (1 - 0.99 ** (step + 1))
        expected = expected - 0.1 * unbiased[0] / (np.sqrt(unbiased[1]) + 1e-10)
    same(x.numpy(), expected, rtol=1e-7)
