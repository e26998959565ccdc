"""Notebook 04: its exercises tell right from wrong; its definitions equal the package's."""

import numpy as np
import pytest

import dreamkit as dk
from dreamkit.canvas import frequencies
from dreamkit.dream import best_match
from dreamkit.errors import SettingsError
from dreamkit.exercises import check
from dreamkit.gradients import normalise
from dreamkit.octaves import octave_sizes, through_octaves
from dreamkit.startup import tf
from notebook_tools import definitions

AXES = (0, 1)


def roll_and_roll_back(x, shift, gradient):
    return np.roll(gradient(np.roll(x, shift, AXES)), -np.array(shift), AXES)


def start_with_detail(dreamed, smaller, base):
    size = base.shape[:2]
    return np.clip(dk.resize(dreamed, size) + base - dk.resize(smaller, size), 0, 1)


def the_notebooks_start(dreamed, smaller, base):
    up = dk.resize(dreamed, base.shape[:2])
    return np.clip(up + base - up, 0, 1)


LOOKS = {-1: "d", 0: "a", 1: "b", 2: "c"}
REPORT = {
    "claim": "octaves make larger shapes",
    "measure": "strength of waves longer than 32 px",
    "larger": [3, 4, 5],
    "smaller": [1, 2, 3.5],
    "verdict": "holds",
}


RIGHT = {
    "4.1": (0.0025, 0.01, 100),
    "4.2": roll_and_roll_back,
    "4.3": (6, 119),
    "4.4": start_with_detail,
    "4.5": LOOKS,
    "4.6": REPORT,
}
WRONG = {
    "halves the gradient": ("4.1", (0.005, 0.01, 50), "four times as many pixels"),
    "makes the gradient larger": ("4.1", (0.04, 0.01, 100), "less of a say"),
    "keeps the raw step": ("4.1", (0.01, 0.01, 100), "follows the gradient"),
    "lets the normalised step shrink": ("4.1", (0.0025, 0.0025, 100), "takes the quarter out"),
    "lowers the rate": ("4.1", (0.0025, 0.01, 6.25), "needs a larger rate"),
    "keeps the rate": ("4.1", (0.0025, 0.01, 25), "the rate for the small picture"),
    "does not roll": ("4.2", lambda x, t, gradient: gradient(x), "never rolled"),
    "does not roll back": ("4.2", lambda x, t, gradient: gradient(np.roll(x, t, AXES)), "-shift"),
    "rolls twice the same way": (
        "4.2",
        lambda x, t, gradient: np.roll(gradient(np.roll(x, t, AXES)), t, AXES),
        "still the bug",
    ),
    "rolls without axes": (
        "4.2",
        lambda x, t, gradient: np.roll(gradient(np.roll(x, t[0])), -t[0]),
        "axis=(0, 1)",
    ),
    "negates a tuple": (
        "4.2",
        lambda x, t, gradient: np.roll(gradient(np.roll(x, t, AXES)), -t, AXES),
        "TypeError",
    ),
    "forgets the photo's own size": ("4.3", (5, 119), "is an octave too"),
    "halves": ("4.3", (4, 80), "1.4 here, not 2"),
    "divides once too often": ("4.3", (7, 85), "one division less"),
    "stops a division early": ("4.3", (6, 167), "one division too few"),
    "gives the sixth division": ("4.3", (6, 85), "six octaves, five divisions"),
    "gives the window": ("4.3", (6, 159), "that is the window"),
    "forgets the detail": (
        "4.4",
        lambda dreamed, smaller, base: dk.resize(dreamed, base.shape[:2]),
        "lost detail is missing",
    ),
    "keeps the bug": ("4.4", the_notebooks_start, "still the bug"),
    "turns the sign": (
        "4.4",
        lambda dreamed, smaller, base: (
            dk.resize(dreamed, base.shape[:2]) + dk.resize(smaller, base.shape[:2]) - base
        ),
        "sign",
    ),
    "does not clip the start": (
        "4.4",
        lambda dreamed, smaller, base: (
            dk.resize(dreamed, base.shape[:2]) + base - dk.resize(smaller, base.shape[:2])
        ),
        "np.clip",
    ),
    "turns the power round": ("4.5", {-1: "b", 0: "a", 1: "d", 2: "c"}, "multiplies by f"),
    "takes clouds for blobs": ("4.5", LOOKS | {1: "c", 2: "b"}, "at every size"),
    "thinks that 0 is pink": ("4.5", LOOKS | {0: "b"}, "nothing happens"),
    "leaves a power out": ("4.5", {0: "a", 1: "b", 2: "c"}, "dictionary with the keys"),
    "uses another letter": ("4.5", LOOKS | {2: "e"}, "'e' is not one of the letters"),
    "sees what it hoped for": ("4.6", REPORT | {"larger": [1, 2, 3]}, "of the pairs"),
    "gives up a claim that holds": ("4.6", REPORT | {"verdict": "fails"}, "in 89% of the pairs"),
    "measures twice": ("4.6", REPORT | {"smaller": [1, 2]}, "at least three dreams"),
    "makes no claim": ("4.6", REPORT | {"claim": " "}, "what your claim is"),
    "gives no verdict": ("4.6", REPORT | {"verdict": ""}, '"holds" or "fails"'),
}


@pytest.mark.parametrize("number", RIGHT)
def test_a_right_answer_is_right(number):
    verdict = check(number, RIGHT[number])
    assert verdict.right, verdict
    assert repr(verdict).startswith("Right, because")


@pytest.mark.parametrize("number", RIGHT)
def test_an_unfilled_stub_is_not_yet(number):
    stub = (lambda *args: ...) if callable(RIGHT[number]) else ...
    verdict = check(number, stub)
    assert not verdict.right
    assert "three dots" in verdict.words


def test_unfilled_letters_are_not_yet():
    assert "choose a letter for -1, 0, 1, 2" in check("4.5", dict.fromkeys(LOOKS, ...)).words


def test_the_gradient_of_a_mean_shrinks_as_exercise_4_1_says():
    small = tf.constant(np.random.default_rng(1).random((8, 8, 3)))
    large = tf.tile(small, (2, 2, 1))  # four times as many pixels of the same kind
    lengths = []
    for picture in (small, large):
        with tf.GradientTape() as tape:
            tape.watch(picture)
            score = tf.reduce_mean(picture**2)
        lengths.append(float(tf.math.reduce_std(tape.gradient(score, picture))))
    assert lengths[1] == pytest.approx(lengths[0] / 4)


def test_noise_looks_as_exercise_4_5_says():
    """The share of fine waves falls from one power to the next."""
    noise = np.random.default_rng(2).normal(size=(96, 96))
    shares = []
    for power in LOOKS:
        picture = np.fft.irfft2(np.fft.rfft2(noise) / frequencies(noise.shape) ** power)
        shares.append(np.abs(np.diff(picture)).mean() / picture.std())
    assert shares == sorted(shares, reverse=True)


@pytest.mark.parametrize("mistake", WRONG)
def test_a_common_mistake_gets_its_hint(mistake):
    number, answer, hint = WRONG[mistake]
    verdict = check(number, answer)
    assert not verdict.right
    assert hint in verdict.words, verdict


@pytest.mark.parametrize("answer", [7, "octaves", [], [(1, 2, 3)], lambda *args: 1, np.zeros(3)])
@pytest.mark.parametrize("number", RIGHT)
def test_no_answer_makes_a_check_raise(number, answer):
    assert not check(number, answer).right


@pytest.fixture(scope="module")
def lesson():
    return definitions("04_deep_dream.ipynb")


@pytest.mark.parametrize("levels", [0, 1, 3, 9])
def test_normalise_is_the_packages(lesson, levels):
    gradient = tf.random.stateless_normal((33, 20, 3), seed=(3, levels)) * 1e-5
    np.testing.assert_array_equal(
        lesson["normalise"](gradient, levels), normalise(gradient, levels)
    )


def test_octave_sizes_is_the_packages(lesson):
    rng = np.random.default_rng(33)
    for size in rng.integers(1, 900, (30, 2)).tolist():
        octaves, scale = int(rng.integers(1, 7)), float(rng.uniform(1.1, 3))
        arguments = (tuple(size), octaves, scale, int(rng.integers(1, 60)))
        assert lesson["octave_sizes"](*arguments) == octave_sizes(*arguments)
    with pytest.raises(SettingsError):
        lesson["octave_sizes"]((9, 9), 0)


def test_through_octaves_is_the_packages(lesson, picture):
    image = picture(40, 60, seed=4)
    sizes = octave_sizes(image.shape[:2], 3)

    def walk(start, number):
        steps = dict(learning_rate=0.02, progress=False)
        return dk.ascend(start, dk.TotalVariation(), number, **steps)

    ours, theirs = (f(image, sizes, walk) for f in (lesson["through_octaves"], through_octaves))
    np.testing.assert_array_equal(ours.image, theirs.image)
    assert list(ours.history["total"]) == list(theirs.history["total"])


def test_best_match_is_the_packages(lesson):
    features = tf.random.stateless_normal((1, 4, 5, 6), seed=(1, 2))
    guide = tf.random.stateless_normal((1, 3, 2, 6), seed=(3, 4))
    np.testing.assert_array_equal(
        lesson["best_match"](features, guide), best_match(features, guide)
    )


def test_frequencies_is_the_packages(lesson):
    for size in ((8, 12), (9, 7), (1, 5), (160, 160)):
        np.testing.assert_array_equal(lesson["frequencies"](size), frequencies(size))
