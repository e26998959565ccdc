"""Checks of notebook 05_clear_or_distorted."""

import itertools

import numpy as np

from ..exercises import close, exercise

DOTS = "replace the three dots with your answer"


@exercise(
    "5.1",
    because="each picture is compared with itself, and halving and doubling count alike",
)
def mean_effect(answer):
    """The mean over pictures of ln(distorted / clear)."""
    clear, distorted = np.random.default_rng(51).uniform(1, 9, (2, 6))
    found = answer(clear.copy(), distorted.copy())
    if found is None or found is ...:
        return DOTS
    effects = np.log(distorted / clear)
    if close(found, effects):
        return "these are the effects of the single pictures: now take their mean"
    if np.shape(found):
        return f"one number is asked for, the mean over pictures, not an array {np.shape(found)}"
    mistakes = {
        "the sign is turned: an effect above 0 says that the distorted picture has more": -np.mean(
            effects
        ),
        "that is a mean of differences, which depends on the units: take logarithms": np.mean(
            distorted - clear
        ),
        "that is a mean of ratios: take the logarithm of each first": np.mean(distorted / clear),
        "that is a mean change: 1/2 and 2 are not equally far from 0 on it; take logarithms"
        " instead": np.mean(distorted / clear - 1),
        "you take the means first and lose the pairs: divide picture by picture": np.log(
            distorted.mean() / clear.mean()
        ),
        "you average the ratios first: the logarithm comes before the mean": np.log(
            np.mean(distorted / clear)
        ),
        "that is the logarithm to base 10: np.log is the natural one": np.mean(
            np.log10(distorted / clear)
        ),
        "that is the logarithm to base 2: np.log is the natural one": np.mean(
            np.log2(distorted / clear)
        ),
        "that is the sum: divide it by the number of pictures": np.sum(effects),
        "that is the median: take the mean": np.median(effects),
    }
    return _diagnose(found, np.mean(effects), mistakes, "np.mean(np.log(distorted / clear))")


@exercise(
    "5.2",
    because="if a distortion does nothing, each picture's sign is a toss of a coin, and p is the"
    " share of tosses that look like what we saw",
)
def flip_p(answer):
    """Two-sided p of all sign flips, for 4 to 7 effects."""
    for n in (4, 5, 7):
        effects = np.random.default_rng(73 + n).normal(0.7, 1, n)
        found = answer(effects.copy())
        if found is None or found is ...:
            return DOTS
        if np.shape(found):
            return f"p is one number, not an array {np.shape(found)}"
        signs = np.array(list(itertools.product([-1, 1], repeat=n)))
        means, seen = (signs * effects).mean(1), effects.mean()
        far = np.abs(means) >= abs(seen) - 1e-12
        if hint := _flip_hint(found, effects, means, far):
            return hint
    shifted = np.array([-3.0, -2.5, -2.0, -0.5])
    if not close(answer(shifted.copy()), 2 / 16):
        return "right for effects above 0, wrong below: compare |mean| with |mean|"
    return None


def _flip_hint(found, effects, means, far):
    """A hint if one p is wrong."""
    from scipy.stats import binomtest, ttest_1samp

    n, count = len(effects), far.sum()
    upper = means >= effects.mean() - 1e-12
    mistakes = {
        "that is one-sided: count as well the flips that are as far off below, |mean| ≥ |seen|": (
            upper.mean()
        ),
        "also one-sided, but the other side: compare |mean| with |seen|": np.mean(
            means <= effects.mean() + 1e-12
        ),
        "the signs as they are count too: use ≥, not >": (count - 2) / 2**n,
        "do not leave out the signs as they are: they are one of the 2ⁿ": (count - 1) / (2**n - 1),
        "that is the count: divide it by the 2ⁿ flips": count,
        "that is 1 − p: p is the share that is as far off or farther": 1 - far.mean(),
        "shuffling the order changes no mean: flip the signs instead": 1.0,
        "that is the sign test, which forgets how large the effects are: use their means": (
            binomtest(int((effects > 0).sum()), n).pvalue
        ),
        "that is a t test: here count flips, which asks for no bell curve": (
            ttest_1samp(effects, 0).pvalue
        ),
    }
    advice = "take all 2ⁿ ways to flip the signs, and count the share with |mean| ≥ |seen|"
    return _diagnose(found, far.mean(), mistakes, advice, tolerance=1e-6)


@exercise(
    "5.3",
    because="the plain picture has less to give up, so the raw loss is lower; but it is divided by"
    " an energy that has fallen even more, so the relative loss is higher",
)
def raw_and_relative(answer):
    """Which way do the raw and the relative content loss go for a blurred picture?"""
    words = answer.split() if isinstance(answer, str) else list(answer)
    words = [str(word).strip(" ,;").lower() for word in words]
    if len(words) != 2 or not set(words) <= {"lower", "higher"}:
        return "give two words, raw first: such as ('higher', 'higher')"
    hints = {
        ("higher", "higher"): "the raw loss is 60 for the clear and 25 for the blurred picture",
        ("lower", "lower"): "divide each by its own energy: 60 / 200 and 25 / 50",
        ("higher", "lower"): "just the other way round: compare 60 with 25, 60/200 with 25/50",
    }
    return hints.get(tuple(words))


@exercise(
    "5.4",
    because="a claim of two parts is borne out where both are, each tested at its corrected p",
)
def bears_out(answer):
    """The kinds for which both recipes' effects go the claim's way, at a corrected p < 0.05."""
    for seed in range(4):
        table = table_of_effects(seed)
        for measure in ("end_raw", "end_relative"):
            found = answer(table.copy(), measure)
            if found is None or found is ...:
                return DOTS
            if isinstance(found, str) or not np.iterable(found):
                return "give a set or list of kinds, such as {'blur', 'lines'}"
            if hint := _reading_hint({str(kind) for kind in found}, table, measure):
                return hint
    return None


def _reading_hint(found, table, measure):
    """A hint if a set of kinds is not the one that the table gives for a measure."""
    if found == _claimed(table, measure):
        return None
    if strange := found - set(table["kind"]):
        return f"{min(strange)!r} is none of the kinds in the column 'kind'"
    other = {"end_raw": "end_relative", "end_relative": "end_raw"}[measure]
    mistakes = {
        "you take the p that is not corrected: with this many tests some are small by chance": (
            _claimed(table, measure, p="p_permutation")
        ),
        "you ask for no p at all: an effect may be chance; use p_corrected < 0.05": (
            _claimed(table, measure, alpha=2)
        ),
        "one recipe is not enough: style and dream must both go the claim's way": (
            _claimed(table, measure, both=False)
        ),
        "both signs are turned: claimed is a higher style loss and a lower dream score": (
            _claimed(table, measure, signs=(-1, 1))
        ),
        "for the dream the claim has the other sign: its score is to be lower": (
            _claimed(table, measure, signs=(1, 1))
        ),
        "for the style transfer the claim has the other sign: its loss is to be higher": (
            _claimed(table, measure, signs=(-1, -1))
        ),
        "you ask whether the p are small, not which way the effects go": (
            _claimed(table, measure, signs=(0, 0))
        ),
        "you read the other measure: choose the rows with table['measure'] == measure first": (
            _claimed(table, other)
        ),
    }
    for hint, mistake in mistakes.items():
        if found == mistake:
            return hint
    return "take the kinds with effect > 0 for style, < 0 for dream, and both p_corrected < 0.05"


def _claimed(table, measure, p="p_corrected", alpha=0.05, both=True, signs=(1, -1)):
    """The kinds that bear the claim out; the options make the usual mistakes."""
    rows, found = table[table["measure"] == measure], []
    for recipe, sign in zip(("style", "dream"), signs, strict=True):
        mine = rows[rows["recipe"] == recipe]
        goes = (mine["effect"] * sign > 0) | (sign == 0)
        found.append(set(mine["kind"][goes & (mine[p] < alpha)]))
    return found[0] & found[1] if both else found[0] | found[1]


def table_of_effects(seed):
    """A table like the notebook's with made-up values, in which each usual mistake shows."""
    import pandas as pd

    rng = np.random.default_rng(seed)
    kinds = ["blur", "noise", "jpeg", "swirl", "lines", "circles", "shapes", "mixed", "patches"]
    cases = [  # the effects of style and dream, and their p: corrected, not corrected
        (1, -1, 0.01, 0.01, 0.001),
        (1, -1, 0.2, 0.01, 0.01),
        (1, -1, 0.3, 0.4, 0.1),
        (1, 1, 0.01, 0.01, 0.001),
        (-1, -1, 0.01, 0.01, 0.001),
        (-1, 1, 0.01, 0.01, 0.001),
        (1, -1, 0.02, 0.02, 0.002),
        (1, -1, 0.01, 0.4, 0.001),
        (-1, 1, 0.3, 0.3, 0.04),
    ]
    rows = []
    for measure in ("end_raw", "end_relative"):
        for kind, (style, dream, p_style, p_dream, p) in zip(
            rng.permutation(kinds), cases, strict=True
        ):
            for recipe, sign, corrected in (("style", style, p_style), ("dream", dream, p_dream)):
                values = dict(effect=sign * rng.uniform(0.1, 1), p_permutation=p)
                of = dict(measure=measure, recipe=recipe, kind=str(kind))
                rows.append(of | values | dict(p_corrected=corrected))
    return pd.DataFrame(rows)


def _diagnose(found, right, mistakes, advice, tolerance=1e-4):
    """None if an answer is right, or the hint of the mistake it shows."""
    if close(found, right, tolerance):
        return None
    hints = (hint for hint, wrong in mistakes.items() if close(found, wrong, tolerance))
    return next(hints, advice)
