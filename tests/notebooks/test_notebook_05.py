"""Notebook 05: its checks tell right from wrong; its definitions equal the package's."""

import numpy as np
import pytest

from dreamkit.balanced import Balanced
from dreamkit.dream import Dream
from dreamkit.exercises import EXERCISES, check
from dreamkit.exercises.notebook_05 import ORDERS, small_table
from dreamkit.startup import tf
from dreamkit.terms import Content, Style, TotalVariation
from notebook_tools import definitions


def length(array):
    return np.sqrt(np.sum(np.asarray(array) ** 2))


def balanced(down, up, balance=1.0):
    return down / length(down) - balance * up / length(up)


def two_orders(picture, paint, dream):
    return {"style-dream": dream(paint(picture)), "dream-style": paint(dream(picture))}


STUBS = {
    "5.1": ...,
    "5.2": lambda down, up, balance=1.0: ...,
    "5.3": lambda table: ...,
    "5.4": lambda picture, paint, dream: {"style-dream": ..., "dream-style": ...},
}
SOLUTIONS = {
    "5.1": "adf",
    "5.2": balanced,
    "5.3": lambda table: table.loc[list(ORDERS), "style"].idxmin(),
    "5.4": two_orders,
}
MISTAKES = [
    ("5.1", "a", "there are more"),
    ("5.1", "df", "Look at a: descending"),
    ("5.1", "ad", "Look at f"),
    ("5.1", "ab", "not b: it raises L"),
    ("5.1", "aef", "not e: descending"),
    ("5.1", "xyz", "letters a, b, c, d, e, f"),
    ("5.2", lambda g, h, b=1.0: g - b * h, "plain difference"),
    ("5.2", lambda g, h, b=1.0: g / length(g) + b * h / length(h), "you add"),
    ("5.2", lambda g, h, b=1.0: b * h / length(h) - g / length(g), "signs are swapped"),
    ("5.2", lambda g, h, b=1.0: balanced(g, h), "balance is missing"),
    ("5.2", lambda g, h, b=1.0: g - b * length(g) / length(h) * h, "leave out the factor"),
    ("5.2", lambda g, h, b=1.0: g / length(g) ** 2 - b * h / length(h) ** 2, "square root"),
    ("5.2", lambda g, h, b=0.5: balanced(g, h, b), "the balance is 1"),
    ("5.2", lambda g, h, b=1.0: length(balanced(g, h, b)), "expected an array of shape (4, 5, 3)"),
    ("5.3", lambda table: table["style"].idxmin(), "isn't one of the three orders"),
    ("5.3", lambda table: table.loc[list(ORDERS), "style"].idxmax(), "a loss is a distance"),
    ("5.3", lambda table: table.loc[list(ORDERS), "style"].min(), "name of a row"),
    ("5.3", lambda table: table.loc[list(ORDERS), "content"].idxmin(), "lowest 'content'"),
    ("5.3", lambda table: "joint", "another order"),
    ("5.4", lambda x, paint, dream: two_orders(x, dream, paint), "two are swapped"),
    (
        "5.4",
        lambda x, paint, dream: {"style-dream": dream(x), "dream-style": paint(x)},
        "only one step",
    ),
    ("5.4", lambda x, paint, dream: dream(paint(x)), "return a dict"),
    ("5.4", lambda x, paint, dream: {"style-dream": paint, "dream-style": dream}, "functions"),
    ("5.4", lambda x, paint, dream: {"style-dream": x, "dream-style": x}, "call one function"),
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


def test_the_tables_of_the_check_ask_for_every_order():
    best = {small_table(seed).loc[list(ORDERS), "style"].idxmin() for seed in range(6)}
    assert best == set(ORDERS)


@pytest.fixture(scope="module")
def notebook():
    return definitions("05_dreaming_in_style.ipynb")


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
