"""The diagnosis of answers: what it says in each case; every known mistake gets its own hint."""

import subprocess
import sys

import numpy as np
import pytest

from dreamkit.exercises import EXERCISES, check, diagnose, diagnose_letters

MODULES = [f"dreamkit.exercises.notebook_0{number}" for number in range(7)]
FORMED = {  # answers of the right form, without which these checks make no diagnosis
    "1.4": (1, 1),
    "2.4": (1, 1, 1),
    "2.5": {"reason": "alike", "pair": 0.1, "textures": [0.2, 0.3, 0.4], "verdict": "fools"},
    "3.1": {"relative": 0.64, "gatys": 32, "tutorial": 8},
    "3.3": {"m": 1, "v": 2, "adam": 0, "plain": 1, "unit": 0},
    "3.4": {"style": "b", "content": "d", "total variation": "a", "all three": "c"},
    "3.6": {
        "change": "more style",
        "predicted": {"content": "up", "style": "down"},
        "before": {"content": 0.8, "style": 0.07},
        "after": {"content": 1.7, "style": 0.04},
        "verdict": "holds",
    },
    "4.1": (1, 1, 1),
    "4.3": (1, 1),
    "4.5": {-1: "d", 0: "a", 1: "b", 2: "c"},
    "4.6": {
        "claim": "jitter",
        "measure": "score",
        "larger": [3, 4, 5],
        "smaller": [0, 1, 2],
        "verdict": "holds",
    },
    "6.1": (1, 1),
    "6.3": "lower higher",
}
ONES = np.ones((2, 3))


def double(answer, mistakes=None, **options):
    """The diagnosis of an answer to: double an array of ones."""
    return diagnose(answer, 2 * ONES, mistakes or {}, "double it", arguments=(ONES,), **options)


def in_place(x):
    x *= 2
    return x


@pytest.mark.parametrize(
    "answer", [lambda x: 2 * x, lambda x: [[2, 2, 2]] * 2, np.add(1, 1).__mul__]
)
def test_a_right_function_gets_no_hint(answer):
    assert double(answer) is None


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (2 * ONES, "the function itself"),
        (lambda x: ..., "three dots"),
        (lambda x: None, "three dots"),
        (lambda x: [..., ...], "three dots"),
        (lambda x: {"x": ...}, "three dots"),
        (in_place, "make a new array"),
        (lambda x: 2 * x[0], "expected an array of shape (2, 3), but got an array of shape (3,)"),
        (lambda x: 2, "but got one number"),
        (lambda x: x, "as it was"),
        (lambda x: x[:, 0], "one column"),
        (lambda x: 3 * x, "double it"),
        (lambda x: [["two"] * 3] * 2, "double it"),
    ],
)
def test_a_wrong_function_gets_the_hint_for_its_mistake(answer, hint):
    assert hint in double(answer, {"it is as it was": ONES, "this is one column": ONES[:, 0]})


def test_the_learners_function_never_gets_the_checks_own_array():
    double(in_place)
    np.testing.assert_array_equal(ONES, np.ones((2, 3)))


def test_inspect_runs_before_anything_is_compared():
    assert double(lambda x: 2 * x, inspect=lambda result: f"{result.sum():g}") == "12"
    assert double(lambda x: 3 * x, inspect=lambda result: None) == "double it"


def test_a_value_needs_no_function():
    assert diagnose(8, 8, {}) is None
    assert diagnose("lower", "higher", {"just the other": "lower"}) == "just the other"
    assert diagnose({"a": 1}, {"a": 1.0}, {}) is None
    assert diagnose({"b": 1}, {"a": 1.0}, {}, "another key") == "another key"
    assert diagnose(["b", "a"], {"a", "b"}, {}) is None


def test_numbers_may_be_off_by_the_tolerance_only():
    assert diagnose(1.001, 1, {}, "off", tolerance=1e-2) is None
    assert diagnose(1.001, 1, {}, "off") == "off"


@pytest.mark.parametrize("answer", ["ac", "C, a", ["a", "c"], {"a", "c"}])
def test_letters_may_come_in_any_form(answer):
    assert diagnose_letters(answer, "ac", dict.fromkeys("abc", "")) is None


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        ("a", "Look at c: three"),
        ("abc", "not b: two"),
        ("acx", "'x' is not one of"),
        ("", "one letter or more"),
    ],
)
def test_wrong_letters_get_the_hint_for_the_first_of_them(answer, hint):
    assert hint in diagnose_letters(answer, "ac", {"a": "one", "b": "two", "c": "three"})


LETTERS_OR_OPEN = {"0.0", "1.2", "1.5", "2.3", "5.1", "5.4", "5.5"}  # have no table of mistakes


@pytest.mark.parametrize("number", sorted(set(EXERCISES) - LETTERS_OR_OPEN))
def test_every_known_mistake_gets_its_own_hint(number, monkeypatch):
    cases = []

    def record(answer, right, mistakes, *_, tolerance=1e-4, **__):
        cases.append((right, mistakes, tolerance))

    for module in MODULES:
        monkeypatch.setattr(sys.modules[module], "diagnose", record)
    assert check(number, FORMED.get(number, len)).right, "every diagnosis was left out"
    hints = {hint for _, mistakes, _ in cases for hint in mistakes}
    assert hints
    for hint in hints:
        hints_given = [
            diagnose(mistakes[hint], right, mistakes, tolerance=tolerance)
            for right, mistakes, tolerance in cases
            if hint in mistakes
        ]
        assert next(filter(None, hints_given), None) == hint


def test_the_checks_load_without_tensorflow_so_that_grading_a_class_is_quick():
    code = "import sys, dreamkit.exercises; sys.exit('tensorflow' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
