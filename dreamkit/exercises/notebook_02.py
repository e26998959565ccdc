"""Checks of notebook 02_gram_matrices."""

import numpy as np

from ..exercises import diagnose, diagnose_letters, exercise


@exercise(
    "2.1", because="1·0 + 1·3 + 4·2 = 11: dot and stripe occur together at two of the three places"
)
def entry_by_hand(answer):
    """The inner product of the channels dot (1, 1, 4) and stripe (0, 3, 2)."""
    mistakes = {
        "these are the three products: add them": [0, 3, 8],
        "you multiplied two rows, which are places: use the columns of dot and stripe": 10,
        "you multiplied the two sums: multiply place by place first, then add": 30,
        "this is edge with dot: take dot with stripe": 6,
        "this is edge with stripe: take dot with stripe": 2,
        "this is dot with itself: take dot with stripe": 18,
        "this is stripe with itself: take dot with stripe": 13,
        "this is only the last place: add the products of all three": 8,
        "this is only the middle place: add the products of all three": 3,
        "at the first place the product is 1·0 = 0, not 1": 12,
        "this is the mean over the places: that comes later, so leave it as a sum here": 11 / 3,
    }
    advice = "multiply dot and stripe at each place, then add the three products"
    return diagnose(answer, 11, mistakes, advice, tolerance=1e-3)


@exercise(
    "2.2",
    because="FᵀF adds up the products of every pair of channels, and dividing by H·W gives means",
)
def gram(answer):
    """(H, W, C) → (C, C), FᵀF / (H·W)."""
    features = np.random.default_rng(12).normal(0.5, 1, (5, 4, 3))
    h, w, c = features.shape
    n, bag, scrambled = h * w, features.reshape(-1, c), features.reshape(c, -1)
    total, places, mixed, mean = bag.T @ bag, bag @ bag.T, scrambled @ scrambled.T, bag.mean(0)
    mistakes = {
        "the sums are right: now divide them by the number of positions": total,
        "you divide by C too: divide by H·W, the number of positions": total / (n * c),
        "you divide by the number of channels: divide by the number of positions": total / c,
        "you divide by the number of rows: there are H·W positions": total / h,
        "this is F·Fᵀ, positions by positions: channels by channels is FᵀF": places / n,
        "this is F·Fᵀ, positions by positions: take FᵀF and divide it by H·W": places,
        "reshape(C, …) mixes up positions and channels: reshape to (H·W, C), then .T": mixed / n,
        "reshape(C, …) mixes up positions and channels: reshape to (H·W, C), and divide": mixed,
        "np.cov subtracts the means, for a covariance: leave them in": np.cov(bag.T),
        "you subtract the means, for a covariance: leave them in": np.cov(bag.T, bias=True),
        "you multiply means: take the mean of the products": np.outer(mean, mean),
    }
    return diagnose(answer, total / n, mistakes, arguments=(features,))


SAME_GRAM = "abd"
CANDIDATES = {
    "a": "a mirror only moves the pixels, so the bag stays the same",
    "b": "shuffling only moves the pixels, so the bag stays the same",
    "c": "with red and blue swapped, the red-red entry becomes the blue-blue one",
    "d": "two copies contain every pixel twice, but there are twice as many positions to divide by",
    "e": "at half the brightness every product is a quarter of what it was",
    "f": "where everything is the mean colour, red, green and blue always occur together",
}


@exercise("2.3", because="a, b and d have the same colours in the same proportions, just elsewhere")
def same_gram(answer):
    """Which of six pictures have the Gram matrix of the original?"""
    return diagnose_letters(answer, SAME_GRAM, CANDIDATES)


@exercise(
    "2.4",
    because="the target's own energy is the yardstick: 0 means the same texture, and 1 means as"
    " far off as a Gram matrix of zeros, in weak and strong layers alike",
)
def relative_distance(answer):
    """(G, A) → Σ(G−A)² / ΣA²."""
    rng = np.random.default_rng(14)
    bags = rng.normal(0.5, 1, (20, 4)), rng.normal(1, 2, (20, 4))
    g, a = (bag.T @ bag / 20 for bag in bags)
    squares, energy, entries = np.sum((g - a) ** 2), np.sum(a**2), (g - a) ** 2 / a**2
    mistakes = {
        "you divide by the energy of G: the yardstick is the target, A": squares / np.sum(g**2),
        "these are the squared differences: divide them by the sum of A²": squares,
        "this is a mean: divide by the sum of A², not by the number of entries": squares / a.size,
        "this is the root: leave the squares as they are": np.sqrt(squares / energy),
        "the differences aren't squared, so they cancel": np.sum(g - a) / energy,
        "square each difference first, then add them up": np.sum(g - a) ** 2 / energy,
        "you divide by (ΣA)²: square the entries first, then add": squares / np.sum(a) ** 2,
        "you divide by ΣA: square the entries of A too": squares / np.sum(a),
        "you add up ratios: take the two sums first, then divide": np.sum(entries),
        "these are ratios of entries: take the two sums first, then divide": entries,
    }
    return diagnose(answer, squares / energy, mistakes, arguments=(g, a))
