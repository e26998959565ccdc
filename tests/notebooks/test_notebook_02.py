"""Notebook 02: its exercises tell right from wrong; its definitions equal the package's."""

import numpy as np
import pytest

import dreamkit as dk
from dreamkit.exercises import check
from dreamkit.exercises.notebook_02 import CANDIDATES, SAME_GRAM
from notebook_tools import definitions


def gram(features):
    bag = features.reshape(-1, features.shape[-1])
    return bag.T @ bag / len(bag)


def gram_without_division(features):
    bag = features.reshape(-1, features.shape[-1])
    return bag.T @ bag


def gram_of_positions(features):
    bag = features.reshape(-1, features.shape[-1])
    return bag @ bag.T / len(bag)


def gram_scrambled(features):
    h, w, c = features.shape
    bag = features.reshape(c, -1)
    return bag @ bag.T / (h * w)


def gram_in_place(features):
    features *= 2
    return gram(features)


def distance(G, A):
    return np.sum((G - A) ** 2) / np.sum(A**2)


def report(pair, textures, verdict, reason="a bag has no order"):
    return dict(reason=reason, pair=pair, textures=textures, verdict=verdict)


@pytest.mark.parametrize(
    ("number", "stub"),
    [
        ("2.1", ...),
        ("2.2", lambda features: ...),
        ("2.2", ...),
        ("2.3", ...),
        ("2.4", ...),
        ("2.5", ...),
    ],
)
def test_an_unfilled_exercise_is_not_yet_right(number, stub):
    verdict = check(number, stub)
    assert not verdict.right
    assert "three dots" in verdict.words


@pytest.mark.parametrize(
    ("number", "answer"),
    [
        ("2.1", 11),
        ("2.1", 11.0),
        ("2.1", np.int64(11)),
        ("2.2", gram),
        ("2.2", lambda f: np.einsum("hwc,hwd->cd", f, f) / np.prod(f.shape[:2])),
        ("2.2", lambda f: dk.gram_matrix([f])[0]),
        ("2.3", "abd"),
        ("2.3", "D, b, A"),
        ("2.3", ["a", "b", "d"]),
        ("2.4", (0.5625, 0, 2)),
        ("2.4", [9 / 16, 0.0, np.float32(2)]),
        ("2.5", report(0.02, [0.05, 0.2, 0.1], "fools")),
        ("2.5", report(0.3, np.array([0.05, 0.2, 0.1]), "fails")),
        ("2.5", report(0.15, [0.05, 0.2, 0.1], "fails")),
    ],
)
def test_a_solution_is_right(number, answer):
    verdict = check(number, answer)
    assert verdict.right, verdict


@pytest.mark.parametrize(
    ("number", "answer", "hint"),
    [
        ("2.1", 10, "columns"),
        ("2.1", 30, "place by place"),
        ("2.1", 11 / 3, "mean"),
        ("2.1", [0, 3, 8], "three products"),
        ("2.1", [3, 8], "expected one number"),
        ("2.1", "eleven", "multiply dot and stripe"),
        ("2.2", gram_without_division, "divide them"),
        ("2.2", gram_of_positions, "channels by channels"),
        ("2.2", gram_scrambled, "mixes"),
        ("2.2", gram_in_place, "changes the array"),
        ("2.2", lambda f: np.cov(f.reshape(-1, 3).T), "covariance"),
        ("2.2", lambda f: 1.0, "shape"),
        ("2.2", gram(np.ones((2, 2, 3))), "function itself"),
        ("2.3", "ab", "Look at d"),
        ("2.3", "abcd", "not c"),
        ("2.3", "abdz", "'z' is not one of the letters"),
        ("2.4", (9, 0, 2), "yardstick"),
        ("2.4", (0.75, 0, 2), "square the difference"),
        ("2.4", (0.25, 0, 2), "quarter of the positions"),
        ("2.4", (0, 0, 2), "the picture's size counts"),
        ("2.4", (0.5, 0, 2), "multiple of A"),
        ("2.4", (0.5625, 0.5625, 2), "takes the size out"),
        ("2.4", (0.5625, 1, 2), "with means"),
        ("2.4", (0.5625, 0, 4), "quadratic"),
        ("2.4", (0.5625, 0, 0.5), "stronger"),
        ("2.4", (0.5625, 0, 3), "as large as A"),
        ("2.4", 0.5625, "raised"),
        ("2.5", {"reason": "order"}, "has no 'pair'"),
        ("2.5", report(0.02, [0.05, 0.2, 0.1], "fails"), "0.02 apart"),
        ("2.5", report(0.3, [0.05, 0.2, 0.1], "fools"), "median of the textures is 0.1"),
        ("2.5", report(0.3, [0.05, 0.2], "fails"), "at least three"),
        ("2.5", report(0.3, [0.05, 0.2, 0.1], "perhaps"), '"fools" or "fails"'),
        ("2.5", report(0.3, [0.05, 0.2, 0.1], "fails", reason="…"), "your reason"),
    ],
)
def test_a_common_mistake_gets_its_hint(number, answer, hint):
    verdict = check(number, answer)
    assert not verdict.right
    assert hint in verdict.words


def test_the_pictures_of_exercise_3_have_the_gram_matrices_its_check_claims():
    tiles = np.random.default_rng(1).random((6, 6, 3))
    pictures = {
        "a": tiles[:, ::-1],
        "b": np.random.default_rng(2).permutation(tiles.reshape(-1, 3)).reshape(6, 6, 3),
        "c": tiles[:, :, ::-1],
        "d": np.concatenate([tiles, tiles], axis=1),
        "e": tiles / 2,
        "f": np.broadcast_to(tiles.mean(axis=(0, 1)), tiles.shape),
    }
    same = [name for name, picture in pictures.items() if np.allclose(gram(picture), gram(tiles))]
    assert "".join(same) == SAME_GRAM
    assert set(pictures) == set(CANDIDATES)


def test_the_bug_of_exercise_2_keeps_shape_symmetry_and_trace_as_the_text_says():
    features = np.random.default_rng(1).random((4, 5, 3))
    right, wrong = gram(features), gram_scrambled(features)
    assert wrong.shape == right.shape
    assert np.array_equal(wrong, wrong.T)
    assert np.isclose(np.trace(wrong), np.trace(right))
    assert not np.allclose(wrong, right, rtol=0.01)


def test_the_numbers_of_exercise_4_are_those_of_a_quarter_of_a_texture():
    piece = np.random.default_rng(1).random((4, 4, 3))
    texture = np.tile(piece, (2, 2, 1))
    target = gram_without_division(texture)
    assert np.isclose(distance(gram_without_division(piece), target), 0.5625)
    assert np.isclose(distance(gram(piece), gram(texture)), 0)
    assert np.isclose(distance(gram_without_division(2 * piece), target), 0)


@pytest.fixture(scope="module")
def lesson():
    return definitions("02_gram_matrices.ipynb")


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_the_lesson_ends_with_the_gram_matrix_of_the_package(lesson, dtype):
    features = np.random.default_rng(1).normal(0.5, 1, (2, 5, 7, 6)).astype(dtype)
    ours, package = lesson["gram_matrix"](features), dk.gram_matrix(features)
    assert ours.dtype == package.dtype
    np.testing.assert_array_equal(ours, package)


def test_the_gram_matrix_of_the_lesson_refuses_what_the_package_refuses(lesson):
    for gram_matrix in (lesson["gram_matrix"], dk.gram_matrix):
        with pytest.raises(ValueError, match=r"\(N, H, W, C\)"):
            gram_matrix(np.ones((5, 7, 6)))
