"""Checks of notebook 04_dreaming_in_style."""

import numpy as np

from ..exercises import close, exercise

DOTS = "replace the three dots with your answer"
ORDERS = ("style-dream", "dream-style", "joint")


@exercise(
    "4.1",
    because="ascending a score is descending its negative: a, d and f all lower L and raise D",
)
def signs(answer):
    """Which of the six calls want a low L and a high D?"""
    letters = set("".join(answer).lower()) - set(" ,;")
    if letters - set("abcdef"):
        return "give letters from a to f in one string, such as 'ac'"
    if "e" in letters:
        return "e descends L + D, so it lowers D as well: the dream would be put out"
    if letters & set("bc"):
        wrong = min(letters & set("bc"))
        return f"{wrong} raises L and lowers D: multiply the objective by the walk's sign to see it"
    if "f" not in letters and letters >= set("ad"):
        return "weights above 0 do not turn a sign: look at f again"
    if letters < set("adf"):
        return "there are more: ascend(S) and descend(-S) walk the same way"
    return None


@exercise(
    "4.2",
    because="each gradient is brought to length 1 first, so that scales no longer matter and only"
    " the balance does",
)
def direction(answer):
    """slope/|slope| − balance · rise/|rise| on arrays."""
    rng = np.random.default_rng(4)
    slope, rise = rng.normal(size=(4, 5, 3)), 300 * rng.normal(size=(4, 5, 3))
    found = answer(slope.copy(), rise.copy(), 0.5)
    if found is None or found is ...:
        return DOTS
    s, r = (np.sqrt(np.sum(array**2)) for array in (slope, rise))
    if np.shape(found) != slope.shape:
        return f"the direction has the shape of the gradients, {slope.shape}, not {np.shape(found)}"
    row = np.linalg.norm
    mistakes = {
        "you add the two: the walk goes down along the direction, so the score to be raised is"
        " subtracted": slope / s + 0.5 * rise / r,
        "the sign is turned round: the walk goes down along the direction, so slope counts plus and"
        " rise minus": -slope / s + 0.5 * rise / r,
        "the balance is missing: it multiplies the second part": slope / s - rise / r,
        "the balance stands with the wrong part: it multiplies the rise": 0.5 * slope / s
        - rise / r,
        "that is the plain difference: divide each gradient by its own length": slope - 0.5 * rise,
        "only the rise was brought to length 1: divide the slope by its length, too": slope
        - 0.5 * rise / r,
        "only the slope was brought to length 1: divide the rise by its length, too": slope / s
        - 0.5 * rise,
        "right up to its length: leave out the factor |slope|, both parts have length 1 here": slope
        - 0.5 * s / r * rise,
        "you divide by the squared length: take the square root of the sum": slope / s**2
        - 0.5 * rise / r**2,
        "you divide by the length along one axis only: the length is that of the whole array": slope
        / row(slope, axis=-1, keepdims=True)
        - 0.5 * rise / row(rise, axis=-1, keepdims=True),
    }
    for hint, mistake in mistakes.items():
        if close(found, mistake):
            return hint
    if not close(found, slope / s - 0.5 * rise / r):
        return "compare with slope/|slope| − balance · rise/|rise|, term by term"
    if not close(answer(slope, rise), slope / s - rise / r):
        return "without a third argument the balance is 1"
    return None


@exercise(
    "4.3",
    because="a loss is a distance, so the order with the lowest style loss keeps most of the style",
)
def keeps_most_style(answer):
    """The order with the lowest style loss, from a table of all results."""
    tables = [small_table(seed) for seed in range(6)]
    found = [answer(table.copy()) for table in tables]
    if found[0] is None or found[0] is ...:
        return DOTS
    if wrong := [name for name in found if not isinstance(name, str)]:
        return f"give the name of a row, not {wrong[0]!r}: idxmin() gives a name, min() a value"
    if wrong := [name for name in found if name not in ORDERS]:
        return f"{wrong[0]!r} is none of the three orders: choose their rows first, with .loc"
    orders = [table.loc[list(ORDERS)] for table in tables]
    if found == [table["style"].idxmin() for table in orders]:
        return None
    if found == [table["style"].idxmax() for table in orders]:
        return "that order has the highest style loss: a loss is a distance, low is close"
    for column in orders[0]:
        if found in ([t[column].idxmin() for t in orders], [t[column].idxmax() for t in orders]):
            return f"you have read the column {column!r}: take 'style'"
    return "another order has a lower value in the column 'style'"


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
    "4.4",
    because="the one named first is applied first, which in nested calls makes it the inner one",
)
def in_two_orders(answer):
    """Both serial orders, on functions that do not commute."""
    rng = np.random.default_rng(5)
    picture = rng.random((3, 4, 3))
    factor, shift = rng.uniform(0.2, 0.8, 2)

    def paint(image):
        return factor * image

    def dream(image):
        return image + shift

    found = answer(picture.copy(), paint, dream)
    if found is None or found is ...:
        return DOTS
    if not isinstance(found, dict) or set(found) != {"style-dream", "dream-style"}:
        return "return a dict with the keys 'style-dream' and 'dream-style'"
    if any(value is ... for value in found.values()):
        return DOTS
    if any(callable(value) for value in found.values()):
        return "these are functions, not pictures yet: call them with the picture"
    right = {"style-dream": dream(paint(picture)), "dream-style": paint(dream(picture))}
    if all(close(found[name], right[name]) for name in right):
        return None
    if close(found["style-dream"], right["dream-style"]):
        return "the two are exchanged: in dream(paint(picture)) it is paint that comes first"
    for name in right:
        if any(close(found[name], alone) for alone in (paint(picture), dream(picture))):
            return f"{name!r} has one step only: the second works on what the first has made"
    wrong = next(name for name in right if not close(found[name], right[name]))
    return f"{wrong!r} is not what the two functions give one after the other"
