"""Notebook 01: its exercises tell right from wrong; its rules agree with SciPy and counting."""

import re

import numpy as np
import pytest
from scipy import signal

from dreamkit.exercises import check
from dreamkit.exercises.notebook_01 import (
    KERNEL,
    PICTURE,
    STACK,
    STATEMENTS,
    TRUE_OF_ALL,
    field_and_stride,
)
from notebook_tools import cells, definitions, load

NAME = "01_what_a_network_sees.ipynb"
EDGE = np.array([[-1, 0, 1]] * 3)


def with_the_bug(layers):
    """As the notebook gives it."""
    field, stride = 1, 1
    for size, step in layers:
        stride = stride * step
        field = field + (size - 1) * stride
    return field, stride


def with_the_whole_kernel(layers):
    field, stride = 1, 1
    for size, step in layers:
        field, stride = field + size * stride, stride * step
    return field, stride


def with_the_last_stride(layers):
    field, stride = 1, 1
    for size, step in layers:
        field, stride = field + (size - 1) * stride, step
    return field, stride


def fixed(layers):
    field, stride = 1, 1
    for size, step in layers:
        field, stride = field + (size - 1) * stride, stride * step
    return field, stride


def report(yes, no, verdict, name="upright lines"):
    return dict(name=name, yes=yes, no=no, verdict=verdict)


@pytest.mark.parametrize(
    ("number", "stub"),
    [
        ("1.1", ...),
        ("1.2", ...),
        ("1.3", lambda layers: ...),
        ("1.4", ...),
        ("1.5", ...),
    ],
)
def test_an_unfilled_exercise_is_not_yet_right(number, stub):
    verdict = check(number, stub)
    assert not verdict.right
    assert "three dots" in verdict.words


@pytest.mark.parametrize(
    ("number", "answer"),
    [
        ("1.1", 4),
        ("1.1", np.float32(4)),
        ("1.2", "ace"),
        ("1.2", ["E", "c", "a"]),
        ("1.3", fixed),
        ("1.3", lambda layers: list(fixed(layers))),
        ("1.4", (50, 9)),
        ("1.4", [50, 9]),
        ("1.5", report([3, 4, 5], [1, 2, 2.5], "holds")),
        ("1.5", report([3, 1, 5], [2, 4, 2], "fails")),
        ("1.5", report([3, 4, 1, 5], np.array([2, 2, 2]), "holds")),
    ],
)
def test_a_solution_is_right(number, answer):
    verdict = check(number, answer)
    assert verdict.right, verdict


@pytest.mark.parametrize(
    ("number", "answer", "hint"),
    [
        ("1.1", 8, "turned the kernel round"),
        ("1.1", 20, "minus signs"),
        ("1.1", -4, "middle of the map"),
        ("1.1", 0, "left column"),
        ("1.1", 14, "multiply by the kernel"),
        ("1.1", 4 / 9, "doesn't divide"),
        ("1.1", PICTURE[1:4, 2:5] * KERNEL, "add all nine"),
        ("1.1", 99, "rows 2 to 4"),
        ("1.2", "ac", "Look at e"),
        ("1.2", "abce", "not b"),
        ("1.2", "acdef", "not d"),
        ("1.3", with_the_bug, "still the bug"),
        ("1.3", with_the_whole_kernel, "size 1"),
        ("1.3", with_the_last_stride, "multiply from layer to layer"),
        ("1.3", lambda layers: fixed(layers)[::-1], "in this order"),
        ("1.3", lambda layers: fixed(layers)[0], "shape (2,)"),
        ("1.3", (10, 2), "function itself"),
        ("1.4", (49, 9), "just too few"),
        ("1.4", (34, 9), "not 3"),
        ("1.4", (99, 9), "not 1"),
        ("1.4", (50, 8), "76 px"),
        ("1.4", (50, 10), "a pooling widens"),
        ("1.4", (50, 13), "count convolutions only"),
        ("1.4", (50, 50), "twice as much"),
        ("1.4", 50, "raised"),
        ("1.5", {"name": "edges"}, "has no 'no'"),
        ("1.5", report([3, 4, 5], [1, 2, 2.5], "fails"), "100% of the pairs"),
        ("1.5", report([1, 1, 1], [2, 2, 2], "holds"), "0% of the pairs"),
        ("1.5", report([3, 4], [1, 2, 2.5], "holds"), "at least three"),
        ("1.5", report([3, 4, 5], [1, 2, 2], "maybe"), '"holds" or "fails"'),
        ("1.5", report([3, 4, 5], [1, 2, 2], "holds", name="…"), "a name"),
    ],
)
def test_a_common_mistake_gets_its_hint(number, answer, hint):
    verdict = check(number, answer)
    assert not verdict.right
    assert hint in verdict.words


def test_the_number_of_exercise_1_is_scipys():
    assert signal.correlate2d(PICTURE, KERNEL, "valid")[1, 2] == 4
    assert signal.convolve2d(PICTURE, KERNEL, "valid")[1, 2] == 8  # the kernel turned round


def test_exercise_1_checks_the_picture_it_shows():
    (text,) = [c.source for c in cells(load(NAME), "markdown") if "1: one number" in c.source]
    rows = [line.replace("−", "-").split("|")[1:-1] for line in re.findall(r"(?m)^\|.*\d.*$", text)]
    table = [[cell.strip() for cell in row] for row in rows]
    assert np.array_equal([[int(x) for x in row[:5]] for row in table], PICTURE)
    assert np.array_equal([[int(x) for x in row[6:]] for row in table[:3]], KERNEL)


def test_the_statements_of_exercise_2_are_true_or_false_as_its_check_claims():
    def plain(x):
        return signal.correlate2d(x, EDGE, "valid")

    def same(x):
        return signal.correlate2d(x, EDGE, "same")

    def relu(x):
        return np.maximum(x, 0)

    def hold(x):
        thing = np.pad(x, 2)
        yield "a", plain(x + 1), plain(x)
        yield "b", same(x + 1), same(x)
        yield "c", relu(plain(2 * x)), 2 * relu(plain(x))
        yield "d", plain(x[:, ::-1]), plain(x)[:, ::-1]
        yield "e", same(np.roll(thing, 1, 1))[:, 1:], same(thing)[:, :-1]
        yield "f", plain(relu(x)), relu(plain(x))

    pictures = np.random.default_rng(1).normal(size=(20, 6, 7))
    tried = [{name: np.allclose(a, b) for name, a, b in hold(x)} for x in pictures]
    assert "".join(name for name in STATEMENTS if all(t[name] for t in tried)) == TRUE_OF_ALL


@pytest.fixture(scope="module")
def lesson():
    return definitions(NAME)


def test_the_lessons_convolution_is_scipys_correlation(lesson):
    rng = np.random.default_rng(1)
    for shape, side in (((5, 5), 3), ((7, 4), 1), ((6, 9), 5)):
        picture, kernel = rng.normal(size=shape), rng.normal(size=(side, side))
        expected = signal.correlate2d(picture, kernel, "valid")
        np.testing.assert_allclose(lesson["convolve"](picture, kernel), expected)


@pytest.mark.parametrize(
    "stack", [[(3, 1)], [(3, 1), (3, 1), (2, 2), (3, 1)], [(7, 2), (3, 2), (5, 1)], STACK]
)
def test_the_rule_of_the_receptive_field_agrees_with_counting_pixels(lesson, stack):
    seen = {0: [0], 1: [1]}  # two neighbours at the top, followed down to the picture
    for size, step in reversed(stack):
        seen = {top: lesson["reads"](units, size, step) for top, units in seen.items()}
    assert field_and_stride(stack) == (len(seen[0]), seen[1][0] - seen[0][0])


def test_the_table_of_the_text_follows_the_rule():
    text = "\n".join(c.source for c in cells(load(NAME), "markdown"))
    row = r"(?m)^\| (?:conv|pool) \| (\d) \| (\d) \| (\d+) \+ (\d) · (\d) = (\d+) \| (\d) \|$"
    rows = [tuple(map(int, found)) for found in re.findall(row, text)]
    assert len(rows) == 4
    before = (1, 1)
    for k, (size, step, field, more, stride, result, after) in enumerate(rows, 1):
        assert (field, more, stride) == (before[0], size - 1, before[1])
        before = field_and_stride([row[:2] for row in rows[:k]])
        assert (result, after) == before == (field + more * stride, stride * step)


def test_the_layers_of_exercise_4_are_the_first_to_see_100_pixels():
    def convolutions(count, pooling):
        stack = []
        for n in range(1, count):
            stack += [(3, 1)] + [(2, 2)] * (pooling and n % 2 == 0)
        return field_and_stride([*stack, (3, 1)])[0]

    assert convolutions(49, False) < 100 <= convolutions(50, False)
    assert convolutions(8, True) < 100 <= convolutions(9, True)
