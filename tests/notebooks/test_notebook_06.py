"""Notebook 06: its checks tell right from wrong, and accept the package's own functions."""

import itertools

import numpy as np
import pytest
from tables import study_table

from dreamkit.exercises import EXERCISES, check
from dreamkit.exercises.notebook_06 import table_of_effects
from dreamkit.study.effects import effects, paired
from dreamkit.study.statistics import flip_test


def mean_effect(clear, distorted):
    return np.mean(np.log(distorted / clear))


def all_means(values):
    signs = np.array(list(itertools.product([-1, 1], repeat=len(values))))
    return (signs * values).mean(axis=1)


def flip_p(values):
    return np.mean(np.abs(all_means(values)) >= abs(values.mean()) - 1e-12)


def bears_out(table, measure, style=1, dream=-1, p="p_corrected", alpha=0.05):
    rows = table[(table["measure"] == measure) & (table[p] < alpha)]
    up = rows[(rows["recipe"] == "style") & (rows["effect"] * style > 0)]
    down = rows[(rows["recipe"] == "dream") & (rows["effect"] * dream > 0)]
    return set(up["kind"]) & set(down["kind"])


def one_recipe(table, measure):
    rows = table[(table["measure"] == measure) & (table["p_corrected"] < 0.05)]
    return set(rows["kind"][(rows["effect"] > 0) == (rows["recipe"] == "style")])


STUBS = {
    "6.1": lambda clear, distorted: ...,
    "6.2": lambda values: ...,
    "6.3": ...,
    "6.4": lambda table, measure: ...,
}
SOLUTIONS = {
    "6.1": mean_effect,
    "6.2": flip_p,
    "6.3": ("lower", "higher"),
    "6.4": bears_out,
}
MISTAKES = [
    ("6.1", lambda c, d: np.log(d / c), "single pictures"),
    ("6.1", lambda c, d: d - c, "one number"),
    ("6.1", lambda c, d: np.mean(np.log(c / d)), "sign is wrong"),
    ("6.1", lambda c, d: np.mean(d - c), "depends on the units"),
    ("6.1", lambda c, d: np.mean(d / c), "mean of ratios"),
    ("6.1", lambda c, d: np.mean((d - c) / c), "mean change"),
    ("6.1", lambda c, d: np.log(np.mean(d) / np.mean(c)), "lose the pairs"),
    ("6.1", lambda c, d: np.log(np.mean(d / c)), "before the mean"),
    ("6.1", lambda c, d: np.mean(np.log10(d / c)), "base 10"),
    ("6.1", lambda c, d: np.mean(np.log2(d / c)), "base 2"),
    ("6.1", lambda c, d: np.sum(np.log(d / c)), "number of pictures"),
    ("6.1", lambda c, d: np.median(np.log(d / c)), "median"),
    ("6.1", lambda c, d: 7.0, "np.mean(np.log"),
    ("6.2", lambda x: np.mean(all_means(x) >= x.mean() - 1e-12), "one-sided"),
    ("6.2", lambda x: np.mean(np.abs(all_means(x)) > abs(x.mean()) + 1e-12), "not >"),
    ("6.2", lambda x: (flip_p(x) * 2 ** len(x) - 1) / (2 ** len(x) - 1), "don't leave out"),
    ("6.2", lambda x: flip_p(x) * 2 ** len(x), "the count"),
    ("6.2", lambda x: 1 - flip_p(x), "1 − p"),
    ("6.2", lambda x: 1.0, "shuffling"),
    ("6.2", lambda x: all_means(x), "one number"),
    ("6.2", lambda x: np.mean(np.abs(all_means(x)) >= x.mean() - 1e-12), "wrong below"),
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


def test_the_packages_own_functions_pass_the_checks():
    assert check("6.2", flip_test).right
    table = study_table(dict(blur=-0.4), pictures=9)
    by_hand = paired(table).groupby(["kind", "severity"])[["clear", "distorted"]]
    found = effects(table, resamples=99).set_index(["kind", "severity"])["effect"]
    for key, pairs in by_hand:
        assert mean_effect(pairs["clear"], pairs["distorted"]) == pytest.approx(found[key])


def test_every_mistake_differs_from_the_solution_on_the_checks_tables():
    answers = [answer for number, answer, _ in MISTAKES if number == "6.4"]
    for answer in answers:
        differing = {
            (seed, measure)
            for seed, measure in itertools.product(range(4), ("end_raw", "end_relative"))
            if answer(table_of_effects(seed), measure) != bears_out(table_of_effects(seed), measure)
        }
        assert differing
