"""Checks of notebook 05_dreaming_in_style."""

import numpy as np

from ..exercises import diagnose, diagnose_letters, diagnose_report, exercise


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
    because="one number scales the whole gradient, so its own length no longer matters, and pixels"
    " that matter more still move further",
)
def direction(answer):
    """(∇L, ∇D, balance) → ∇L/|∇L| − balance · ∇D/|∇D|."""
    rng = np.random.default_rng(4)
    g, h = rng.normal(size=(4, 5, 3)), 300 * rng.normal(size=(4, 5, 3))  # ∇L and ∇D
    length, other = np.linalg.norm(g), np.linalg.norm(h)
    rows, other_rows = (np.linalg.norm(array, axis=-1, keepdims=True) for array in (g, h))
    down, up, b = g / length, h / other, 0.5
    mistakes = {
        "still the bug: print length_L.shape, and ask how many lengths a gradient has": (
            g / rows - b * h / other_rows
        ),
        "∇L is right, and ∇D still has the bug": down - b * h / other_rows,
        "∇D is right, and ∇L still has the bug": g / rows - b * up,
        "you add the two: the walk goes down along d, so subtract ∇D to raise D": down + b * up,
        "the signs are swapped: the walk goes down along d, so it is ∇L − ∇D": b * up - down,
        "the balance is missing: it multiplies the second part": down - up,
        "the balance multiplies the wrong part: it belongs to ∇D": b * down - up,
        "that is the plain difference: divide each gradient by its own length": g - b * h,
        "only ∇D was scaled to length 1: divide ∇L by its length too": g - b * up,
        "only ∇L was scaled to length 1: divide ∇D by its length too": down - b * h,
        "right except for its length: leave out the factor |∇L|": g - b * length * up,
        "you divide by the squared length: take its square root": down / length - b * up / other,
    }
    advice = "compare with ∇L/|∇L| − balance · ∇D/|∇D|, term by term"
    without = "the balance is 1 if there is no third argument"
    return diagnose(answer, down - b * up, mistakes, advice, arguments=(g, h, b)) or diagnose(
        answer, down - up, {}, without, arguments=(g, h)
    )


@exercise(
    "5.3",
    because="cos θ = 8 / (2 · 5) = 0.8: the score rises if b > cos θ, and the loss falls if"
    " b cos θ < 1, so b may lie between 0.8 and 1.25",
)
def range_of_balances(answer):
    """The balances at which a step improves both, for ∇L = (0, 2) and ∇D = (3, 4)."""
    down, up = np.array([0.0, 2.0]), np.array([3.0, 4.0])
    lengths = np.linalg.norm(down), np.linalg.norm(up)
    cosine = down @ up / np.prod(lengths)
    right = np.array([cosine, 1 / cosine])
    mistakes = {
        "the smaller number comes first": right[::-1],
        "these are weights w in L − wD: b is w · |∇D| / |∇L|": right * lengths[0] / lengths[1],
        "the lower end is right; the loss falls as long as b · cos θ is below 1": [cosine, 1],
        "the upper end is right; the score rises once b is above cos θ": [0, 1 / cosine],
        "the upper end is right, and at b = 1 both improve: go lower": [1, 1 / cosine],
        "that is sin θ: the formulas have cos θ, the dot product over both lengths": [0.6, 1 / 0.6],
        "that is the dot product: divide it by both lengths to get cos θ": [1 / 8, 8],
    }
    advice = "work out cos θ first; then ask when b − cos θ and 1 − b cos θ are both above 0"
    return diagnose(answer, right, mistakes, advice, tolerance=1e-3)


@exercise(
    "5.4",
    because="in b and d each network is asked equally often, by the same optimiser at the same"
    " size, so only the order differs",
)
def fair_comparison(answer):
    """Which of six pairs of runs allow a comparison of orders?"""
    reasons = {
        "a": "steps and optimiser differ, and either may explain a higher score",
        "b": "all but the order is the same",
        "c": "the size differs, and a score is not the same at another size",
        "d": "each network is asked 60 times in both runs, which is what should be equal",
        "e": "two layers have two scales, so the scores can't be compared",
        "f": "the content losses have different targets, so they measure different things",
    }
    return diagnose_letters(answer, "bd", reasons)


@exercise(
    "5.5",
    because="your sentence could have failed, and your verdict agrees with the numbers. Now give"
    " yourself the points",
)
def tested_sentence(answer):
    """dict(sentence, first, second, verdict): does the verdict agree with the pairs?"""
    texts = {"sentence": "write down the sentence that you tested"}
    if hint := diagnose_report(answer, texts, ("first", "second", "verdict")):
        return hint
    first, second = (np.asarray(answer[name], float).ravel() for name in ("first", "second"))
    if first.size != second.size:
        return "first and second are pairs: give one number of each for every photo"
    if first.size < 3:
        return "test the sentence on at least three photos"
    share = np.mean(first > second)
    right, wrong = ("holds", "fails") if share >= 0.75 else ("fails", "holds")
    hint = f"first is higher for {share:.0%} of the photos: look again"
    return diagnose(answer["verdict"], right, {hint: wrong}, 'the verdict is "holds" or "fails"')
