"""Checks of notebook 06_clear_or_distorted."""

import functools
import itertools

import numpy as np

from ..exercises import diagnose, exercise


@exercise(
    "6.1",
    because="each picture is compared with itself, and halving and doubling count equally",
)
def mean_effect(answer):
    """(clear, distorted) → the mean over pictures of ln(distorted / clear)."""
    clear, distorted = np.random.default_rng(51).uniform(1, 9, (2, 6))
    ratios, difference = distorted / clear, np.mean(distorted - clear)
    effects, change = np.log(ratios), np.mean(ratios - 1)
    of_means = np.log(distorted.mean() / clear.mean())
    mistakes = {
        "these are the effects of the single pictures: now take their mean": effects,
        "the sign is wrong: above 0 means the distorted picture has more": -np.mean(effects),
        "that is a mean of differences, which depends on the units: take logarithms": difference,
        "that is a mean of ratios: take the logarithm of each first": np.mean(ratios),
        "that is a mean change, where 1/2 and 2 aren't equally far from 0: take logarithms": change,
        "you take the means first and lose the pairs: divide picture by picture": of_means,
        "you average the ratios first: the logarithm comes before the mean": np.log(ratios.mean()),
        "that is the logarithm to base 10: np.log is the natural one": np.mean(np.log10(ratios)),
        "that is the logarithm to base 2: np.log is the natural one": np.mean(np.log2(ratios)),
        "that is the sum: divide it by the number of pictures": np.sum(effects),
        "that is the median: take the mean": np.median(effects),
    }
    advice = "np.mean(np.log(distorted / clear))"
    return diagnose(answer, np.mean(effects), mistakes, advice, arguments=(clear, distorted))


@exercise(
    "6.2",
    because="if a distortion has no effect, each picture's sign is a coin toss, and p is the share"
    " of outcomes at least as extreme as what we saw",
)
def flip_p(answer):
    """Effects → the two-sided p of all sign flips; for 4, 5 and 7 effects."""
    from scipy.stats import binomtest, ttest_1samp

    advice = "take all 2ⁿ ways to flip the signs, and find the share with |mean| ≥ |seen|"
    for n in (4, 5, 7):
        effects = np.random.default_rng(112 + n).normal(0.7, 1, n)
        signs = np.array(list(itertools.product([-1, 1], repeat=n)))
        means, seen = (signs * effects).mean(1), effects.mean()
        above, below = np.mean(means >= seen - 1e-12), np.mean(means <= seen + 1e-12)
        count = np.sum(np.abs(means) >= abs(seen) - 1e-12)
        right, without = count / 2**n, (count - 1) / (2**n - 1)
        sign_test = binomtest(int((effects > 0).sum()), n).pvalue
        t_test = ttest_1samp(effects, 0).pvalue
        mistakes = {
            "that is one-sided: also count flips as far off below, |mean| ≥ |seen|": above,
            "that is one-sided, on the other side: compare |mean| with |seen|": below,
            "the signs as they are count too: use ≥, not >": (count - 2) / 2**n,
            "don't leave out the signs as they are: they are one of the 2ⁿ ways": without,
            "that is the count: divide it by the 2ⁿ flips": count,
            "that is 1 − p: p is the share that is at least as far off": 1 - right,
            "shuffling the order changes no mean: flip the signs instead": 1.0,
            "that is the sign test, which ignores the sizes: use the means": sign_test,
            "that is a t test, which assumes a bell curve: count flips instead": t_test,
        }
        if hint := diagnose(answer, right, mistakes, advice, arguments=(effects,), tolerance=1e-6):
            return hint
    negative = np.array([-3.0, -2.5, -2.0, -0.5])
    advice = "right for effects above 0, wrong below: compare |mean| with |seen|"
    return diagnose(answer, 2 / 16, {}, advice, arguments=(negative,))


@exercise(
    "6.3",
    because="the blurred picture has less detail to lose, so its raw loss is lower; but that is"
    " divided by an energy that has fallen even more, so its relative loss is higher",
)
def raw_and_relative(answer):
    """Which way do the raw and the relative content loss go for a blurred picture?"""
    words = answer.split() if isinstance(answer, str) else answer
    words = [str(word).strip(" ,;").lower() for word in words]
    if len(words) != 2 or not set(words) <= {"lower", "higher"}:
        return "give two words, raw first, such as ('higher', 'higher')"
    mistakes = {
        "the raw loss is 60 for the clear and 25 for the blurred picture": ["higher", "higher"],
        "divide each by its own energy: 60 / 200 and 25 / 50": ["lower", "lower"],
    }
    advice = "it's the other way round: compare 60 with 25, and 60/200 with 25/50"
    return diagnose(words, ["lower", "higher"], mistakes, advice)


@exercise(
    "6.4",
    because="a claim with two parts holds only where both parts do, each tested at its corrected p",
)
def bears_out(answer):
    """The kinds for which both recipes' effects go the claim's way, at a corrected p < 0.05."""
    advice = "take the kinds with effect > 0 for style, < 0 for dream, and both p_corrected < 0.05"
    measures = "end_raw", "end_relative"
    for seed, measure in itertools.product(range(4), measures):
        table = table_of_effects(seed)
        (other,) = set(measures) - {measure}

        def inspect(kinds, known=frozenset(table["kind"])):
            if isinstance(kinds, str) or not np.iterable(kinds):
                return "return a set or list of kinds, such as {'blur', 'lines'}"
            strange = set(kinds) - known
            return f"{min(strange)!r} is not in the column 'kind'" if strange else None

        claimed = functools.partial(_claimed, table, measure)
        uncorrected = claimed(p="p_permutation")
        mistakes = {
            "you use the uncorrected p: of many tests some have a small p by chance": uncorrected,
            "you use no p, so it may be chance: ask for p_corrected < 0.05": claimed(alpha=2),
            "both recipes must go the claim's way, style and dream": claimed(both=False),
            "both signs are wrong: style loss is claimed higher, dream score lower": claimed(-1, 1),
            "the dream's sign is wrong: the claim is a lower score": claimed(1, 1),
            "the style transfer's sign is wrong: the claim is a higher loss": claimed(-1, -1),
            "you check that p is small, but not which way the effects go": claimed(0, 0),
            "that is the other measure: select table['measure'] == measure": _claimed(table, other),
        }
        arguments = table, measure
        if hint := diagnose(
            answer, claimed(), mistakes, advice, arguments=arguments, inspect=inspect
        ):
            return hint
    return None


def _claimed(table, measure, style=1, dream=-1, p="p_corrected", alpha=0.05, both=True):
    """The kinds that bear out the claim; the options make the usual mistakes."""
    rows = table[(table["measure"] == measure) & (table[p] < alpha)]
    signs = rows["recipe"].map({"style": style, "dream": dream})
    claimed = rows["kind"][(rows["effect"] * signs > 0) | (signs == 0)].tolist()
    return {kind for kind in claimed if not both or claimed.count(kind) == 2}


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
        for kind, case in zip(rng.permutation(kinds), cases, strict=True):
            style, dream, p_style, p_dream, p = case
            for recipe, sign, corrected in (("style", style, p_style), ("dream", dream, p_dream)):
                rows.append((measure, recipe, str(kind), sign * rng.uniform(0.1, 1), p, corrected))
    columns = ["measure", "recipe", "kind", "effect", "p_permutation", "p_corrected"]
    return pd.DataFrame(rows, columns=columns)
