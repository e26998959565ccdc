"""Checks of notebook 02_gram_matrices."""

import numpy as np

from ..exercises import diagnose, diagnose_letters, diagnose_report, exercise


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
        "reshape(C, …) mixes up positions and channels: print the first row of bag": mixed / n,
        "reshape(C, …) still mixes up positions and channels, and the division is gone": mixed,
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
    because="a quarter of the positions gives G = A/4, so d = (3/4)² = 0.5625 although the picture"
    " is perfect; means don't mind the size; and G is quadratic, so it takes features twice as"
    " strong to make G four times as large",
)
def wrong_size(answer):
    """d of the sums, d of the means, and the factor on the features that makes d of the sums 0."""
    sums, means, factor = answer
    mistakes = {
        "the first number: you divide by the energy of G, but the yardstick is the target, A": 9,
        "the first number: square the difference": 3 / 4,
        "the first number: this is G / A, a quarter of the positions: now take the distance": (
            1 / 4
        ),
        "the first number: with sums, the picture's size counts": 0,
    }
    hint = diagnose(sums, 9 / 16, mistakes, "the first number: write G as a multiple of A")
    mistakes = {"the second number: the division takes the size out, so G is A": 9 / 16}
    advice = "the second number: with means, what differs between G and A"
    hint = hint or diagnose(means, 0, mistakes, advice)
    mistakes = {
        "the third number: that is the factor on G, and G is quadratic in the features": 4,
        "the third number: the features must get stronger, as G is too small": 1 / 2,
        "the third number: that would make them weaker, and G is too small": 1 / 4,
        "the third number: with a factor of 1 the distance stays": 1,
    }
    advice = "the third number: which factor makes G as large as A"
    return hint or diagnose(factor, 2, mistakes, advice)


@exercise(
    "2.5",
    because="your pair was tested against pieces of real textures, and your verdict agrees with"
    " the numbers. Now give yourself the points",
)
def fooled(answer):
    """dict(reason, pair, textures, verdict): does the verdict agree with the distances?"""
    texts = {"reason": "give your reason, in a sentence"}
    if hint := diagnose_report(answer, texts, ("pair", "textures", "verdict")):
        return hint
    textures = np.asarray(answer["textures"], float).ravel()
    if textures.size < 3:
        return "measure the two pieces of at least three textures"
    usual, pair = np.median(textures), float(answer["pair"])
    right, wrong = ("fools", "fails") if pair < usual else ("fails", "fools")
    hint = f"your pair is {pair:.2g} apart, and the median of the textures is {usual:.2g}"
    return diagnose(answer["verdict"], right, {hint: wrong}, 'the verdict is "fools" or "fails"')
