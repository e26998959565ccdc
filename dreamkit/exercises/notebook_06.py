"""Checks of notebook 06_clear_or_distorted."""

import functools
import itertools

import numpy as np

from ..exercises import diagnose, exercise


@exercise(
    "6.1",
    because="the ratios 0.5 · 2 · 0.75 · 1 multiply to 0.75, whose fourth root is 0.931; to bring"
    " the product to 1, the last ratio must be 1 / 0.75",
)
def mean_change(answer):
    """The mean change of four pairs in per cent, and the last loss that would make it 0."""
    if not np.iterable(answer) or isinstance(answer, str) or len(list(answer)) != 2:
        return "give two numbers, such as (12.5, 7)"
    clear, distorted = np.array([20.0, 10, 40, 5]), np.array([10.0, 20, 30, 5])
    ratios = distorted / clear
    product, changes = np.prod(ratios), 100 * (ratios - 1)
    first, second = answer
    mistakes = {
        "(a) that averages per cents, where −50 % and +100 % don't cancel": changes.mean(),
        "(a) that divides the sums, which loses the pairs": 100 * (distorted.sum() / 75 - 1),
        "(a) that is the product of the ratios: take its fourth root first": 100 * (product - 1),
        "(a) you divide clear by distorted: it's the other way round": 100 * (product**-0.25 - 1),
        "(a) that is the mean ratio: take 1 away, and multiply by 100": product**0.25,
        "(a) the sign is wrong: a mean ratio below 1 is a fall": 100 * (1 - product**0.25),
        "(a) that is the median of the changes": np.median(changes),
    }
    advice = "(a) multiply the four ratios distorted / clear, and take the fourth root"
    right = 100 * (product**0.25 - 1)
    if hint := diagnose(first, right, mistakes, advice, tolerance=0.01):
        return hint
    mistakes = {
        "(b) with 3.75 the per cents add up to 0, but the ratios don't multiply to 1": 3.75,
        "(b) with 15 the sums are equal, but the ratios don't multiply to 1": 15.0,
        "(b) that is the ratio: multiply it by the clear photo's 5": 1 / 0.75,
    }
    advice = "(b) the four ratios must multiply to 1, and the first three multiply to 0.75"
    return diagnose(second, 5 / 0.75, mistakes, advice, tolerance=0.01)


@exercise(
    "6.2",
    because="a swap turns the ratio d/c into c/d, and p is the share of swaps whose geometric mean"
    " is at least as far from 1 as the real one",
)
def swap_p(answer):
    """(clear, distorted) → the two-sided p of all swaps; for 6, 5 and 7 pairs."""
    from scipy.stats import binomtest

    advice = "raise the ratios to the powers 1 and −1, and take each row's geometric mean"
    for n in (6, 5, 7):
        clear, distorted = pairs_of(n)
        ratios = distorted / clear
        swaps = np.array(list(itertools.product([1, -1], repeat=n)))
        means = np.prod(ratios**swaps, axis=1) ** (1 / n)
        far = np.maximum(means, 1 / means)
        count = np.sum(far >= far[0] - 1e-12)
        plain = (ratios**swaps).mean(axis=1)
        without = (count - 1) / (2**n - 1)
        mistakes = {
            "that is 2/2ⁿ, whatever the numbers are: −1 times a ratio is no swap, which turns"
            " d/c into c/d": 2 / 2**n,
            "that compares sums, not products: take the geometric mean": np.mean(
                np.abs(plain - 1) >= abs(plain[0] - 1) - 1e-12
            ),
            "0.5 and 2 should be equally far from 1: compare max(mean, 1 / mean)": np.mean(
                np.abs(means - 1) >= abs(means[0] - 1) - 1e-12
            ),
            "that is one-sided: means as far on the other side count too": np.mean(
                means >= means[0] - 1e-12
            ),
            "that is one-sided, on the wrong side": np.mean(means <= means[0] + 1e-12),
            "the pairs as they are count too: use ≥, not >": (count - 2) / 2**n,
            "don't leave out the pairs as they are: they are one of the 2ⁿ ways": without,
            "that is the count: divide it by the 2ⁿ ways": count,
            "that is 1 − p: p is the share that is at least as far": 1 - count / 2**n,
            "that counts the signs and ignores the sizes: use the means": binomtest(
                int((ratios > 1).sum()), n
            ).pvalue,
        }
        arguments = clear, distorted
        if hint := diagnose(
            answer, count / 2**n, mistakes, advice, arguments=arguments, tolerance=1e-6
        ):
            return hint
    falls = np.full(4, 2.0), np.array([0.1, 0.2, 0.3, 1.2])
    advice = "right for a rise, wrong for a fall: compare max(mean, 1 / mean)"
    return diagnose(answer, 2 / 16, {}, advice, arguments=falls)


def pairs_of(n):
    """n made-up pairs, clear and distorted, on which the usual mistakes show."""
    rng = np.random.default_rng(181 + n)
    clear = rng.uniform(1, 9, n)
    return clear, clear * np.exp(rng.normal(0.5, 0.8, n))


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
