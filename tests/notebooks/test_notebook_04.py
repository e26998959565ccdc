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


def up_step(x, g, rate):
    return np.clip(x + rate * g / g.std(), 0, 1)


def roll_and_roll_back(x, shift, gradient):
    return np.roll(gradient(np.roll(x, shift, AXES)), -np.array(shift), AXES)


def start_with_detail(dreamed, smaller, base):
    size = base.shape[:2]
    return np.clip(dk.resize(dreamed, size) + base - dk.resize(smaller, size), 0, 1)


def pink(noise):
    return np.fft.irfft2(np.fft.rfft2(noise) / frequencies(noise.shape), noise.shape)


def divides_by_zero(noise):
    down, right = np.fft.fftfreq(noise.shape[0])[:, None], np.fft.rfftfreq(noise.shape[1])
    with np.errstate(all="ignore"):
        return np.fft.irfft2(np.fft.rfft2(noise) / np.hypot(down, right), noise.shape)


RIGHT = {
    "4.1": up_step,
    "4.2": roll_and_roll_back,
    "4.3": [(60, 80), (120, 160), (240, 320)],
    "4.4": start_with_detail,
    "4.5": pink,
}
WRONG = {
    "descends": ("4.1", lambda x, g, r: np.clip(x - r * g / g.std(), 0, 1), "descent"),
    "takes the raw gradient": ("4.1", lambda x, g, r: x + r * g, "raw"),
    "takes the raw gradient, clipped": ("4.1", lambda x, g, r: np.clip(x + r * g, 0, 1), "raw"),
    "divides by the norm": ("4.1", lambda x, g, r: x + r * g / np.linalg.norm(g), "norm"),
    "gives only the step": ("4.1", lambda x, g, r: r * g / g.std(), "only the step"),
    "does not clip": ("4.1", lambda x, g, r: x + r * g / g.std(), "np.clip"),
    "does not roll": ("4.2", lambda x, t, gradient: gradient(x), "never rolled"),
    "does not roll back": ("4.2", lambda x, t, gradient: gradient(np.roll(x, t, AXES)), "-shift"),
    "rolls twice the same way": (
        "4.2",
        lambda x, t, gradient: np.roll(gradient(np.roll(x, t, AXES)), t, AXES),
        "opposite",
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
    "starts large": ("4.3", RIGHT["4.3"][::-1], "smallest"),
    "puts width first": ("4.3", [(80, 60), (160, 120), (320, 240)], "height comes first"),
    "leaves out the picture's size": ("4.3", [(30, 40), (60, 80), (120, 160)], "own size"),
    "takes equal distances": ("4.3", [(80, 107), (160, 213), (240, 320)], "equal amounts"),
    "gives two sizes": ("4.3", [(120, 160), (240, 320)], "three sizes"),
    "gives plain numbers": ("4.3", [60, 120, 240], "pair"),
    "forgets the detail": (
        "4.4",
        lambda dreamed, smaller, base: dk.resize(dreamed, base.shape[:2]),
        "lost detail is missing",
    ),
    "loses the dream": ("4.4", lambda dreamed, smaller, base: base, "lose the dream"),
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
    "gives the noise back": ("4.5", lambda noise: noise, "noise itself"),
    "multiplies by f": (
        "4.5",
        lambda noise: np.fft.irfft2(np.fft.rfft2(noise) * frequencies(noise.shape), noise.shape),
        "you multiply",
    ),
    "divides by the square": (
        "4.5",
        lambda noise: np.fft.irfft2(
            np.fft.rfft2(noise) / frequencies(noise.shape) ** 2, noise.shape
        ),
        "not by its square",
    ),
    "divides by the root": (
        "4.5",
        lambda noise: np.fft.irfft2(
            np.fft.rfft2(noise) / np.sqrt(frequencies(noise.shape)), noise.shape
        ),
        "not by its root",
    ),
    "stays in the spectrum": (
        "4.5",
        lambda noise: np.fft.rfft2(noise) / frequencies(noise.shape),
        "still a spectrum",
    ),
    "divides by zero": ("4.5", divides_by_zero, "frequency of zero"),
    "looks across only": (
        "4.5",
        lambda noise: np.fft.irfft2(
            np.fft.rfft2(noise) / np.maximum(np.fft.rfftfreq(noise.shape[1]), 1 / max(noise.shape)),
            noise.shape,
        ),
        "down counts too",
    ),
    "loses a column": (
        "4.5",
        lambda noise: np.fft.irfft2(np.fft.rfft2(noise) / frequencies(noise.shape)),
        "last column",
    ),
}


@pytest.mark.parametrize("number", RIGHT)
def test_a_right_answer_is_right(number):
    verdict = check(number, RIGHT[number])
    assert verdict.right, verdict
    assert repr(verdict).startswith("Right, because")


@pytest.mark.parametrize("number", RIGHT)
def test_an_unfilled_stub_is_not_yet(number):
    stub = ... if number == "4.3" else lambda *args: ...
    verdict = check(number, stub)
    assert not verdict.right
    assert "three dots" in verdict.words


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
