"""Checks of notebook 01_gram_matrices."""

import numpy as np

from ..exercises import close, exercise


@exercise("1.1", because="1·0 + 1·3 + 4·2 = 11: dot and stripe go together at two of three places")
def entry_by_hand(answer):
    """The inner product of the channels dot (1, 1, 4) and stripe (0, 3, 2)."""
    if np.shape(answer):
        return "one entry is one number: the sum of three products"
    hints = {
        10: "you multiplied two rows, that is two places: take the columns of dot and stripe",
        30: "you multiplied the two sums: multiply place by place first, then add",
        6: "this is edge with dot: take dot with stripe",
        2: "this is edge with stripe: take dot with stripe",
        18: "this is dot with itself: take dot with stripe",
        13: "this is stripe with itself: take dot with stripe",
        8: "this is the last place alone: add the products of all three",
        3: "this is the middle place alone: add the products of all three",
        12: "at the first place the product is 1·0 = 0, not 1",
        3.67: "this is the mean over the places: that comes later, here leave it a sum",
    }
    rounded = round(float(answer), 2)
    if rounded == 11:
        return None
    return hints.get(rounded, "multiply dot and stripe at each place, then add the three")


@exercise("1.2", because="FᵀF adds up the products of every two channels, and H·W makes it a mean")
def gram(answer):
    """(H, W, C) → (C, C), FᵀF / (H·W)."""
    features = np.random.default_rng(12).normal(0.5, 1, (5, 4, 3))
    h, w, c = features.shape
    bag = features.reshape(-1, c)
    total, mean, mixed = bag.T @ bag, bag.mean(0), features.reshape(c, -1)
    rows = "this is F·Fᵀ, positions by positions: the channels are to remain, so FᵀF"
    scrambled = "reshape(C, …) mixes positions and channels up: reshape to (H·W, C), then use .T"
    covariance = "you subtracted the means, for a covariance: leave the features as they are"
    mistakes = [
        (total, "the sums are right: now divide them by the number of positions"),
        (total / (h * w * c), "you divide by C too: divide by H·W, the number of positions"),
        (total / c, "you divide by the number of channels: divide by that of the positions"),
        (total / h, "you divide by the number of rows: there are H·W positions"),
        (bag @ bag.T, rows),
        (bag @ bag.T / (h * w), rows),
        (mixed @ mixed.T, scrambled),
        (mixed @ mixed.T / (h * w), scrambled),
        (np.cov(bag.T), covariance),
        (np.cov(bag.T, bias=True), covariance),
        (np.outer(mean, mean), "you multiply means: take the mean of the products"),
    ]
    return diagnose(answer, (features,), total / (h * w), mistakes)


SAME_GRAM = "abd"
CANDIDATES = {
    "a": "a mirror only moves the pixels, so the bag stays the same",
    "b": "shuffling only moves the pixels, so the bag stays the same",
    "c": "with red and blue swapped, the entry of red with red becomes that of blue with blue",
    "d": "two copies hold every pixel twice, but there are twice as many positions to divide by",
    "e": "at half the brightness every product is a quarter of what it was",
    "f": "where all is the mean colour, red, green and blue are always there together",
}


@exercise("1.3", because="a, b and d hold the same colours in the same shares, only elsewhere")
def same_gram(answer):
    """Which of six pictures have the Gram matrix of the original?"""
    chosen = set("".join(answer).lower()) - set(" ,;")
    if not chosen:
        return "replace the three dots with letters, such as 'cf'"
    if strange := chosen - set(CANDIDATES):
        return f"{min(strange)!r} is none of the letters a to f: give some of them, such as 'cf'"
    if wrong := chosen - set(SAME_GRAM):
        return f"not {min(wrong)}: {CANDIDATES[min(wrong)]}"
    if missing := set(SAME_GRAM) - chosen:
        return f"there are more. Look at {min(missing)}: {CANDIDATES[min(missing)]}"
    return None


@exercise(
    "1.4",
    because="the target's own energy is the yardstick: 0 is the same texture, and 1 is as far off"
    " as an empty Gram matrix, in faint and in strong layers alike",
)
def relative_distance(answer):
    """(G, A) → Σ(G−A)² / ΣA²."""
    rng = np.random.default_rng(14)
    bags = rng.normal(0.5, 1, (20, 4)), rng.normal(1, 2, (20, 4))
    g, a = (bag.T @ bag / 20 for bag in bags)
    squares, energy = np.sum((g - a) ** 2), np.sum(a**2)
    mistakes = [
        (squares / np.sum(g**2), "you divide by the energy of G: the yardstick is the target, A"),
        (squares, "these are the squared differences: divide them by the sum of A²"),
        (squares / a.size, "this is a mean: divide by the sum of A², not by how many they are"),
        (np.sqrt(squares / energy), "this is the root of it: leave the squares as they are"),
        (np.sum(g - a) / energy, "the differences are not squared, so they cancel"),
        (np.sum(g - a) ** 2 / energy, "square each difference first, then add them up"),
        (squares / np.sum(a) ** 2, "you divide by (ΣA)²: square the entries first, then add"),
        (squares / np.sum(a), "you divide by ΣA: square the entries of A too"),
        (np.sum((g - a) ** 2 / a**2), "add up above and below the line first, then divide"),
        ((g - a) ** 2 / a**2, "add up above and below the line first, then divide"),
    ]
    return diagnose(answer, (g, a), squares / energy, mistakes)


def diagnose(function, arguments, expected, mistakes):
    """A hint for what a learner's function gives, or None if it is right.

    Args:
        function: the learner's.
        arguments: arrays to call it with.
        expected: the right result.
        mistakes: pairs of a wrong result and the hint for it.
    """
    if not callable(function):
        return "give the function itself: its name, without brackets behind it"
    copies = [argument.copy() for argument in arguments]
    result = function(*copies)
    if result is ... or result is None:
        return "replace the three dots inside your function, and return a result"
    if not all(map(np.array_equal, copies, arguments)):
        return "your function changes the array it is given: make a new one"
    if close(result, expected):
        return None
    for wrong, hint in mistakes:
        if close(result, wrong):
            return hint
    if np.shape(result) != np.shape(expected):
        wanted = f"shape {np.shape(expected)}" if np.shape(expected) else "one number"
        return f"your function gives shape {np.shape(result)}, where {wanted} is asked for"
    return "the values differ: try your function on numbers that you can check by hand"
