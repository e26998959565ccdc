"""Notebook 05: its checks tell right from wrong; its definitions equal the package's."""

import numpy as np
import pytest

from dreamkit.balanced import Balanced
from dreamkit.dream import Dream
from dreamkit.exercises import EXERCISES, check
from dreamkit.startup import tf
from dreamkit.terms import Content, Style, TotalVariation
from notebook_tools import cells, definitions, load

NAME = "05_dreaming_in_style.ipynb"


def length(array):
    return np.sqrt(np.sum(np.asarray(array) ** 2))


def balanced(down, up, balance=1.0):
    return down / length(down) - balance * up / length(up)


def with_the_bug(down, up, balance=1.0):
    down_lengths, up_lengths = (np.linalg.norm(g, axis=-1, keepdims=True) for g in (down, up))
    return down / down_lengths - balance * up / up_lengths


def half_fixed(down, up, balance=1.0):
    return down / length(down) - balance * up / np.linalg.norm(up, axis=-1, keepdims=True)


def report(first, second, verdict, sentence="joint keeps more of the style"):
    return dict(sentence=sentence, first=first, second=second, verdict=verdict)


STUBS = {"5.1": ..., "5.2": lambda down, up, balance=1.0: ..., "5.3": ..., "5.4": ..., "5.5": ...}
SOLUTIONS = {
    "5.1": "adf",
    "5.2": balanced,
    "5.3": (0.8, 1.25),
    "5.4": "bd",
    "5.5": report([3, 4, 5], [1, 2, 2], "holds"),
}
MISTAKES = [
    ("5.1", "a", "there are more"),
    ("5.1", "df", "Look at a: descending"),
    ("5.1", "ad", "Look at f"),
    ("5.1", "ab", "not b: it raises L"),
    ("5.1", "aef", "not e: descending"),
    ("5.1", "xyz", "letters a, b, c, d, e, f"),
    ("5.2", with_the_bug, "still the bug"),
    ("5.2", half_fixed, "∇D still has the bug"),
    ("5.2", lambda g, h, b=1.0: g - b * h, "plain difference"),
    ("5.2", lambda g, h, b=1.0: g / length(g) + b * h / length(h), "you add"),
    ("5.2", lambda g, h, b=1.0: b * h / length(h) - g / length(g), "signs are swapped"),
    ("5.2", lambda g, h, b=1.0: balanced(g, h), "balance is missing"),
    ("5.2", lambda g, h, b=1.0: g - b * length(g) / length(h) * h, "leave out the factor"),
    ("5.2", lambda g, h, b=1.0: g / length(g) ** 2 - b * h / length(h) ** 2, "square root"),
    ("5.2", lambda g, h, b=0.5: balanced(g, h, b), "the balance is 1"),
    ("5.2", lambda g, h, b=1.0: length(balanced(g, h, b)), "expected an array of shape (4, 5, 3)"),
    ("5.3", (1.25, 0.8), "comes first"),
    ("5.3", (0.32, 0.5), "weights w"),
    ("5.3", (0.8, 1), "lower end is right"),
    ("5.3", (0, 1.25), "upper end is right; the score"),
    ("5.3", (1, 1.25), "go lower"),
    ("5.3", (0.6, 1.667), "sin"),
    ("5.3", (0.125, 8), "dot product"),
    ("5.3", (0.5, 2), "work out cos"),
    ("5.3", 0.8, "shape (2,)"),
    ("5.4", "b", "Look at d: each network"),
    ("5.4", "abd", "not a: steps and optimiser"),
    ("5.4", "bcd", "not c: the size"),
    ("5.4", "bde", "not e: two layers"),
    ("5.4", "bdf", "not f: the content losses"),
    ("5.5", {"sentence": "so"}, "has no 'first'"),
    ("5.5", report([3, 4, 5], [1, 2, 2], "fails"), "100% of the photos"),
    ("5.5", report([3, 1, 5], [1, 2, 2], "holds"), "67% of the photos"),
    ("5.5", report([3, 4, 5], [1, 2], "holds"), "are pairs"),
    ("5.5", report([3, 4], [1, 2], "holds"), "three photos"),
    ("5.5", report([3, 4, 5], [1, 2, 2], "maybe"), '"holds" or "fails"'),
    ("5.5", report([3, 4, 5], [1, 2, 2], "holds", sentence="…"), "write down"),
]


def test_every_exercise_of_the_notebook_is_tested():
    assert {number for number in EXERCISES if number.startswith("5.")} == set(SOLUTIONS)


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


@pytest.mark.parametrize("letters", ["adf", "fda", "A, D, F", ["a", "d", "f"], {"a", "d", "f"}])
def test_letters_may_be_given_in_any_form(letters):
    assert check("5.1", letters).right


def test_a_sentence_that_fails_is_as_good_an_answer():
    assert check("5.5", report([1, 2, 5], [3, 4, 2], "fails")).right


def test_the_notebook_shows_the_function_with_the_bug():
    (cell,) = [c for c in cells(load(NAME), "code", "exercise") if "def direction" in c.source]
    space = {"np": np}
    exec(cell.source.split("\n\n\ncheck")[0], space)
    g, h = np.random.default_rng(1).normal(size=(2, 4, 5, 3))
    np.testing.assert_allclose(space["direction"](g, h, 0.5), with_the_bug(g, h, 0.5))


@pytest.mark.parametrize(("balance", "both"), [(0.79, 0), (0.81, 1), (1.24, 1), (1.26, 0)])
def test_both_scores_improve_inside_the_range_of_exercise_3_and_nowhere_else(balance, both):
    down, up = np.array([0.0, 2.0]), np.array([3.0, 4.0])
    step = -1e-3 * balanced(down, up, balance)
    assert (down @ step < 0 < up @ step) == both


@pytest.fixture(scope="module")
def notebook():
    return definitions(NAME)


@pytest.mark.parametrize("options", [(), (0.0,), (0.5,), (3.0, 0), (1.0, 4), (-1.0, 2)])
def test_the_notebooks_balanced_is_the_packages(notebook, squeezenet, picture, options):
    photo, painting, start = (picture(48, 40, seed=seed) for seed in range(3))
    down = Content(photo, squeezenet) + 40 * Style(painting, squeezenet) + 0.5 * TotalVariation()
    up = Dream(squeezenet)
    ours, theirs = (kind(down, up, *options) for kind in (notebook["Balanced"], Balanced))
    for found, expected in (
        (ours(start), theirs(start)),
        (ours.value_and_gradient(start), theirs.value_and_gradient(start)),
    ):
        tf.nest.map_structure(
            lambda a, b: np.testing.assert_allclose(a, b, 1e-4, 1e-5), found, expected
        )


@pytest.mark.parametrize("balance", [0.5, 1.0])
def test_a_balanced_step_changes_both_scores_as_the_notebook_says(toy, double, balance):
    """The loss falls by η|∇L|²(1 − b·cosθ), the score rises by η|∇L||∇D|(b − cosθ)."""
    photo, painting, picture = (double(12, 10, seed=seed) for seed in range(3))
    down, up = Content(photo.numpy(), toy) + 40 * Style(painting.numpy(), toy), Dream(toy)
    (loss, _, g), (score, _, h) = (s.value_and_gradient(picture) for s in (down, up))
    cosine = np.sum(g * h) / length(g) / length(h)
    step = 1e-7
    moved = picture - step * Balanced(down, up, balance).value_and_gradient(picture)[2]
    loss_change = -step * length(g) ** 2 * (1 - balance * cosine)
    score_change = step * length(g) * length(h) * (balance - cosine)
    np.testing.assert_allclose(down(moved)[0] - loss, loss_change, rtol=1e-3)
    np.testing.assert_allclose(up(moved)[0] - score, score_change, rtol=1e-3)
