"""Notebook 06: its checks tell right from wrong, and accept the package's own functions."""

import itertools

import numpy as np
import pytest
from scipy.stats import gmean
from tables import study_table

from dreamkit.exercises import EXERCISES, check
from dreamkit.exercises.notebook_06 import pairs_of, table_of_effects
from dreamkit.study.effects import effects, paired, per_cent
from dreamkit.study.statistics import flip_test, sign_test
from notebook_tools import load


def all_means(clear, distorted, mean=gmean):
    ratios = distorted / clear
    swaps = np.array(list(itertools.product([1, -1], repeat=len(ratios))))
    return mean(ratios**swaps, axis=1)


def distance(means):
    return np.maximum(means, 1 / means)


def swap_p(clear, distorted):
    far = distance(all_means(clear, distorted))
    return np.mean(far >= far[0] - 1e-12)


def with_the_bug(clear, distorted):
    ratios = distorted / clear
    swaps = np.array(list(itertools.product([1, -1], repeat=len(ratios))))
    means = np.mean(swaps * ratios, axis=1)
    return np.mean(np.abs(means) >= np.abs(np.mean(ratios)) - 1e-12)


def from_one(means):
    return np.mean(np.abs(means - 1) >= np.abs(means[0] - 1) - 1e-12)


def bears_out(table, measure, style=1, dream=-1, p="p_corrected", alpha=0.05):
    rows = table[(table["measure"] == measure) & (table[p] < alpha)]
    up = rows[(rows["recipe"] == "style") & (rows["effect"] * style > 0)]
    down = rows[(rows["recipe"] == "dream") & (rows["effect"] * dream > 0)]
    return set(up["kind"]) & set(down["kind"])


def one_recipe(table, measure):
    rows = table[(table["measure"] == measure) & (table["p_corrected"] < 0.05)]
    return set(rows["kind"][(rows["effect"] > 0) == (rows["recipe"] == "style")])


STUBS = {"6.1": ..., "6.3": ..., "6.4": lambda table, measure: ...}
SOLUTIONS = {
    "6.1": (100 * (0.75**0.25 - 1), 5 / 0.75),
    "6.2": swap_p,
    "6.3": ("lower", "higher"),
    "6.4": bears_out,
}
MISTAKES = [
    ("6.1", 7, "two numbers"),
    ("6.1", (6.25, 6.67), "don't cancel"),
    ("6.1", (-13.3, 6.67), "loses the pairs"),
    ("6.1", (-25, 6.67), "fourth root first"),
    ("6.1", (7.46, 6.67), "other way round"),
    ("6.1", (0.93, 6.67), "multiply by 100"),
    ("6.1", (6.94, 6.67), "sign is wrong"),
    ("6.1", (-12.5, 6.67), "median"),
    ("6.1", (3, 6.67), "take the fourth root"),
    ("6.1", (-6.9, 3.75), "add up to 0"),
    ("6.1", (-6.9, 15), "sums are equal"),
    ("6.1", (-6.9, 1.33), "clear photo's 5"),
    ("6.1", (-6.9, 8), "must multiply to 1"),
    ("6.2", with_the_bug, "no swap"),
    ("6.2", lambda c, d: from_one(all_means(c, d, np.mean)), "geometric mean"),
    ("6.2", lambda c, d: from_one(all_means(c, d)), "equally far from 1"),
    ("6.2", lambda c, d: np.mean(all_means(c, d) >= gmean(d / c) - 1e-12), "one-sided: means"),
    ("6.2", lambda c, d: np.mean(all_means(c, d) <= gmean(d / c) + 1e-12), "on the wrong side"),
    ("6.2", lambda c, d: swap_p(c, d) - 2 / 2 ** len(c), "not >"),
    ("6.2", lambda c, d: (swap_p(c, d) * 2 ** len(c) - 1) / (2 ** len(c) - 1), "don't leave out"),
    ("6.2", lambda c, d: swap_p(c, d) * 2 ** len(c), "the count"),
    ("6.2", lambda c, d: 1 - swap_p(c, d), "1 − p"),
    ("6.2", lambda c, d: sign_test(d - c), "ignores the sizes"),
    ("6.2", all_means, "one number"),
    ("6.2", lambda c, d: np.mean(distance(all_means(c, d)) >= gmean(d / c) - 1e-12), "for a fall"),
    ("6.3", "higher higher", "60 for the clear"),
    ("6.3", ("lower", "lower"), "60 / 200"),
    ("6.3", ["higher", "lower"], "other way round"),
    ("6.3", "lower", "two words"),
    ("6.3", "-+", "two words"),
    ("6.4", lambda t, m: bears_out(t, m, p="p_permutation"), "uncorrected p"),
    ("6.4", lambda t, m: bears_out(t, m, alpha=2), "you use no p"),
    ("6.4", one_recipe, "both recipes"),
    ("6.4", lambda t, m: bears_out(t, m, -1, 1), "both signs"),
    ("6.4", lambda t, m: bears_out(t, m, 1, 1), "dream's sign is wrong"),
    ("6.4", lambda t, m: bears_out(t, m, -1, -1), "style transfer's sign is wrong"),
    ("6.4", lambda t, m: bears_out(t, "end_raw"), "other measure"),
    ("6.4", lambda t, m: {"blurr"}, "not in the column 'kind'"),
    ("6.4", lambda t, m: "blur", "set or list"),
    ("6.4", lambda t, m: set(), "effect > 0 for style"),
]


def test_every_exercise_of_the_notebook_is_tested():
    assert {number for number in EXERCISES if number.startswith("6.")} == set(SOLUTIONS)


@pytest.mark.parametrize("number", STUBS)
def test_a_stub_is_not_yet(number):
    verdict = check(number, STUBS[number])
    assert not verdict.right
    assert "three dots" in verdict.words


@pytest.mark.parametrize("number", SOLUTIONS)
def test_a_solution_is_right(number):
    assert check(number, SOLUTIONS[number]).right, check(number, SOLUTIONS[number])


@pytest.mark.parametrize(("number", "answer", "hint"), MISTAKES)
def test_a_mistake_gets_its_hint(number, answer, hint):
    verdict = check(number, answer)
    assert not verdict.right
    assert hint in verdict.words


@pytest.mark.parametrize("words", ["lower higher", "Lower, higher", ["lower", "higher"]])
def test_words_may_be_given_in_any_form(words):
    assert check("6.3", words).right


def test_a_list_of_kinds_is_as_good_as_a_set():
    assert check("6.4", lambda table, measure: sorted(bears_out(table, measure))).right


def test_rounded_numbers_are_near_enough():
    assert check("6.1", (-6.9, 6.67)).right
    assert check("6.1", [-6.94, 6.7]).right


def test_the_notebook_shows_the_function_with_the_bug():
    cell = next(c for c in load("06_clear_or_distorted.ipynb").cells if "def swap_p" in c.source)
    space = {"np": np, "itertools": itertools}
    exec(cell.source.split("\n\n\ncheck")[0], space)
    for n in (5, 6, 7):
        assert space["swap_p"](*pairs_of(n)) == with_the_bug(*pairs_of(n)) == 2 / 2**n


def test_the_packages_own_functions_pass_the_checks():
    assert check("6.2", lambda clear, distorted: flip_test(np.log(distorted / clear))).right


def test_a_mean_change_is_the_geometric_mean_of_the_pairs_ratios():
    table = study_table(dict(blur=-0.4), pictures=9)
    by_hand = paired(table).groupby(["kind", "severity"])[["clear", "distorted"]]
    found = effects(table, resamples=99).set_index(["kind", "severity"])["effect"]
    for key, pairs in by_hand:
        change = 100 * (gmean(pairs["distorted"]) / gmean(pairs["clear"]) - 1)
        assert change == pytest.approx(100 * (gmean(pairs["distorted"] / pairs["clear"]) - 1))
        assert change == pytest.approx(per_cent(found[key]))


def test_every_mistake_differs_from_the_solution_on_the_checks_tables():
    answers = [answer for number, answer, _ in MISTAKES if number == "6.4"]
    for answer in answers:
        differing = {
            (seed, measure)
            for seed, measure in itertools.product(range(4), ("end_raw", "end_relative"))
            if answer(table_of_effects(seed), measure) != bears_out(table_of_effects(seed), measure)
        }
        assert differing
