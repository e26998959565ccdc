"""Checks of notebook 05_dreaming_in_style."""

import numpy as np

from ..exercises import close, diagnose, diagnose_letters, exercise

ORDERS = ("style-dream", "dream-style", "joint")


@exercise(
    "5.1",
    because="ascending a score is descending its negative: a, d and f all lower L and raise D",
)
def signs(answer):
    """Which of the six calls want a low L and a high D?"""
    swapped = "it raises L and lowers D: multiply the score by the walk's sign to see it"
    reasons = {
        "a": "descending L - D lowers L and raises D",
        "b": swapped,
        "c": swapped,
        "d": "ascend(S) and descend(-S) do the same",
        "e": "descending L + D lowers D as well, so nothing is dreamt",
        "f": "positive weights don't change a sign",
    }
    return diagnose_letters(answer, "adf", reasons)


@exercise(
    "5.2",
    because="each gradient is scaled to length 1 first, so their own lengths no longer matter, only"
    " the balance does",
)
def direction(answer):
    """(∇L, ∇D, balance) → ∇L/|∇L| − balance · ∇D/|∇D|."""
    rng = np.random.default_rng(4)
    g, h = rng.normal(size=(4, 5, 3)), 300 * rng.normal(size=(4, 5, 3))  # ∇L and ∇D
    length, other = np.linalg.norm(g), np.linalg.norm(h)
    rows, other_rows = (np.linalg.norm(array, axis=-1, keepdims=True) for array in (g, h))
    down, up, b = g / length, h / other, 0.5
    mistakes = {
        "you add the two: the walk goes down along d, so subtract ∇D to raise D": down + b * up,
        "the signs are swapped: the walk goes down along d, so it is ∇L − ∇D": b * up - down,
        "the balance is missing: it multiplies the second part": down - up,
        "the balance multiplies the wrong part: it belongs to ∇D": b * down - up,
        "that is the plain difference: divide each gradient by its own length": g - b * h,
        "only ∇D was scaled to length 1: divide ∇L by its length too": g - b * up,
        "only ∇L was scaled to length 1: divide ∇D by its length too": down - b * h,
        "right except for its length: leave out the factor |∇L|": g - b * length * up,
        "you divide by the squared length: take its square root": down / length - b * up / other,
        "use the length of the whole array, not along one axis": g / rows - b * h / other_rows,
    }
    advice = "compare with ∇L/|∇L| − balance · ∇D/|∇D|, term by term"
    without = "the balance is 1 if there is no third argument"
    return diagnose(answer, down - b * up, mistakes, advice, arguments=(g, h, b)) or diagnose(
        answer, down - up, {}, without, arguments=(g, h)
    )


@exercise(
    "5.3",
    because="a loss is a distance, so the order with the lowest style loss keeps the most style",
)
def keeps_most_style(answer):
    """The order with the lowest style loss, from a table of all results."""

    def every(*tables):
        return [answer(table) for table in tables]

    def inspect(names):
        if values := [name for name in names if not isinstance(name, str)]:
            return f"return the name of a row, not {values[0]!r}: use idxmin(), not min()"
        if others := [name for name in names if name not in ORDERS]:
            return f"{others[0]!r} isn't one of the three orders: select those first, with .loc"
        return None

    tables = [small_table(seed) for seed in range(6)]
    orders = [table.loc[list(ORDERS)] for table in tables]
    found = {
        f"{end} {column!r}": [getattr(table[column], method)() for table in orders]
        for column in orders[0]
        for end, method in (("lowest", "idxmin"), ("highest", "idxmax"))
    }
    right = found.pop("lowest 'style'")
    mistakes = {
        f"that has the {extreme}: take the lowest 'style', as a loss is a distance": names
        for extreme, names in found.items()
    }
    advice = "another order has a lower value in the column 'style'"
    answer_each = every if callable(answer) else answer
    return diagnose(answer_each, right, mistakes, advice, arguments=tables, inspect=inspect)


def small_table(seed):
    """A table like the notebook's, with random values; style only always has the lowest loss."""
    import pandas as pd

    rng = np.random.default_rng(seed)
    names = ["photo", "style only", "dream only", *rng.permutation(ORDERS)]
    columns = ["content", "style", "style-transfer loss", "dream score"]
    table = pd.DataFrame(rng.uniform(0.1, 3, (6, 4)), index=names, columns=columns)
    table.loc["style only", "style"] = 0.01
    return table


@exercise(
    "5.4",
    because="the step named first is applied first, so in nested calls it is the inner one",
)
def in_two_orders(answer):
    """(picture, paint, dream) → both serial orders, on functions that do not commute."""
    rng = np.random.default_rng(5)
    picture = rng.random((3, 4, 3))
    factor, shift = rng.uniform(0.2, 0.8, 2)

    def paint(image):
        return factor * image

    def dream(image):
        return image + shift

    def inspect(found):
        if not isinstance(found, dict) or set(found) != {"style-dream", "dream-style"}:
            return "return a dict with the keys 'style-dream' and 'dream-style'"
        if any(map(callable, found.values())):
            return "these are functions, not pictures yet: call them with the picture"
        for name, result in found.items():
            if close(result, paint(picture)) or close(result, dream(picture)):
                return f"{name!r} has only one step: the second works on the result of the first"
        return None

    right = {"style-dream": dream(paint(picture)), "dream-style": paint(dream(picture))}
    swapped = {"style-dream": right["dream-style"], "dream-style": right["style-dream"]}
    mistakes = {"the two are swapped: in dream(paint(picture)), paint comes first": swapped}
    advice = "call one function with the picture, and the other with its result; then swap the two"
    arguments = picture, paint, dream
    return diagnose(answer, right, mistakes, advice, arguments=arguments, inspect=inspect)
