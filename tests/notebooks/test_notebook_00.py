"""Notebook 00: its exercises respond to stubs, solutions and common mistakes."""

import numpy as np
import pytest

from dreamkit.exercises import check


def right(picture, gradient, rate):
    return np.clip(picture + rate * gradient, 0, 1)


def stub(picture, gradient, rate):
    return ...


def unclipped(picture, gradient, rate):
    return picture + rate * gradient


def downhill(picture, gradient, rate):
    return np.clip(picture - rate * gradient, 0, 1)


def without_rate(picture, gradient, rate):
    return np.clip(picture + gradient, 0, 1)


def in_place(picture, gradient, rate):
    picture += rate * gradient
    return np.clip(picture, 0, 1)


@pytest.mark.parametrize(("number", "answer"), [("0.1", 64 * 96 * 3), ("0.2", right)])
def test_solutions_are_right(number, answer):
    assert check(number, answer).right
    assert repr(check(number, answer)).startswith("Right, because ")


@pytest.mark.parametrize(
    ("number", "answer", "hint"),
    [
        ("0.1", ..., "three dots"),
        ("0.1", 64 * 96, "pixels"),
        ("0.1", (64, 96, 3), "shape"),
        ("0.1", 64 * 96 * 4, "four values"),
        ("0.1", [64, 96], "expected one number"),
        ("0.1", 64 + 96 + 3, "multiply"),
        ("0.1", "many", "multiply"),
        ("0.2", stub, "three dots"),
        ("0.2", unclipped, "np.clip"),
        ("0.2", downhill, "downhill"),
        ("0.2", lambda x, g, rate: x - rate * g, "downhill"),
        ("0.2", without_rate, "rate"),
        ("0.2", lambda x, g, rate: x + g, "and clip"),
        ("0.2", in_place, "new array"),
        ("0.2", lambda picture, gradient, rate: right(picture, gradient, rate)[0], "shape"),
        ("0.2", lambda picture: picture, "TypeError"),
        ("0.2", 7, "function itself"),
    ],
)
def test_a_mistake_gets_its_hint(number, answer, hint):
    verdict = check(number, answer)
    assert not verdict.right
    assert hint in verdict.words


def test_a_check_defined_in_a_notebook_works_like_the_others(monkeypatch):
    from dreamkit import exercises

    monkeypatch.setattr(exercises, "EXERCISES", dict(exercises.EXERCISES))
    exercises.exercise("0.0", because="so")(lambda answer: None if answer == 8 else "no")
    assert str(check("0.0", 8)) == "Right, because so."
    assert str(check("0.0", 4)) == "Not yet: no."
