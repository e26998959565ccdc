"""Spectral L-BFGS: the textbook's formula with 1/f as its first guess, in every kind of run."""

import itertools

import numpy as np
import pytest

from dreamkit import Content, Style, ascend, descend, load_backbone, load_image, style_transfer
from dreamkit.large.spectral_lbfgs import SpectralLBFGS, broaden, memory
from dreamkit.networks.weights import available_offline
from dreamkit.runs.checkpoint import Checkpoint
from dreamkit.startup import tf

SIDE = 96
QUIET = dict(progress=False)


def noise(seed=0, shape=(8, 10, 3)):
    return np.random.default_rng(seed).uniform(0.2, 0.8, shape).astype("float32")


class Score:
    """A score with a known gradient, for `descend`; it counts how often it is asked."""

    def __init__(self, function):
        self.function, self.asked = function, 0

    def __call__(self, picture):
        return self.value_and_gradient(picture)[:2]

    def value_and_gradient(self, picture):
        self.asked += 1
        total, gradient = self.function(picture.numpy())
        return total, {"bowl": total}, tf.constant(gradient, picture.dtype)


@pytest.mark.parametrize(("side", "moves"), [(64, 100), (512, 85), (1024, 21), (4096, 20)])
def test_it_remembers_more_moves_of_a_small_picture(side, moves):
    assert memory(tf.TensorSpec((side, side, 3), tf.float32)) == moves


def bowl(goal, weights, scale=1):
    """scale · Σ w (x − goal)²"""
    return Score(
        lambda x: (
            scale * np.sum(weights * (x - goal) ** 2),
            2 * scale * weights * (x - goal),
        )
    )


def ripples(goal):
    """Σ of the squared differences of neighbours in x − goal: its curvature grows with f²."""

    def function(x):
        error = x - goal
        total, gradient = 0.0, np.zeros_like(x)
        for axis in (0, 1):
            step = np.roll(error, -1, axis) - error
            total += np.sum(step**2)
            gradient += 2 * (np.roll(step, 1, axis) - step)
        return total, gradient

    return Score(function)


def test_it_finds_the_minimum_within_the_bounds_and_the_maximum():
    goal = np.random.default_rng(6).normal(0.5, 0.6, (8, 10, 3)).astype("float32")
    weights = np.random.default_rng(7).uniform(0.5, 2, goal.shape).astype("float32")
    for walk, scale in ((descend, 1), (ascend, -1)):
        run = walk(noise(), bowl(goal, weights, scale), 60, "spectral", **QUIET)
        assert np.abs(run.image - np.clip(goal, 0, 1)).max() < 1e-3


def test_where_fine_detail_curves_more_it_needs_half_of_scipys_evaluations():
    start, goal = noise(1, (48, 64, 3)), noise(2, (48, 64, 3))

    def evaluations(optimizer):
        totals = descend(start, ripples(goal), 60, optimizer, **QUIET).history["total"]
        return np.argmax(totals < totals[0] * 1e-6)

    assert 0 < 2 * evaluations("spectral") < evaluations("lbfgs")


def test_every_step_is_one_evaluation():
    score = ripples(noise(2))
    descend(noise(1), score, 7, "spectral", **QUIET)
    assert score.asked == 7 + 1


def test_broaden_divides_each_wave_by_its_frequency():
    y, x = np.mgrid[:12, :16]
    for down, across in ((0, 3), (2, 0), (2, 3), (6, 8)):
        wave = np.cos(2 * np.pi * (down * y / 12 + across * x / 16))[..., np.newaxis]
        wave = (wave * [1, -2, 0.5]).astype("float32")
        assert broaden(wave) == pytest.approx(wave / np.hypot(down / 12, across / 16), abs=1e-4)
    assert broaden(np.ones((12, 16, 3), "float32")) == pytest.approx(16, rel=1e-5)


@pytest.mark.parametrize("count", [1, 5])
def test_its_direction_is_that_of_bfgs_with_one_over_f_as_its_first_guess(count):
    """Against the dense formula of Broyden, Fletcher, Goldfarb and Shanno in float64."""
    rng, shape = np.random.default_rng(count), (4, 5, 3)
    size = int(np.prod(shape))
    curvature = np.diag(rng.uniform(0.5, 5, size))
    moves = [rng.normal(size=size) for _ in range(count)]
    pairs = [(move, curvature @ move) for move in moves]
    f = np.hypot(*np.meshgrid(np.fft.fftfreq(4), np.fft.fftfreq(5), indexing="ij"))
    f[0, 0] = 1 / 5
    waves = [np.fft.fft2(unit.reshape(shape), axes=(0, 1)) for unit in np.eye(size)]
    guess = np.array([np.fft.ifft2(w / f[..., None], axes=(0, 1)).real.ravel() for w in waves])
    move, change = pairs[-1]
    inverse = guess * (move @ change) / (change @ guess @ change)
    for move, change in pairs:
        across = np.eye(size) - np.outer(move, change) / (move @ change)
        inverse = across @ inverse @ across.T + np.outer(move, move) / (move @ change)
    gradient = rng.normal(size=size)
    stepper = SpectralLBFGS(tf.Variable(np.zeros(shape, "float32")), 10, 0.005, 0)
    for pair in pairs:
        stepper.learn(*(x.reshape(shape).astype("float32") for x in pair))
    direction = stepper.direction(gradient.reshape(shape).astype("float32"))
    expected = (inverse @ gradient).reshape(shape)
    assert direction == pytest.approx(expected, abs=1e-4 * np.abs(expected).max())


def lengths(pictures):
    return [np.sqrt(np.mean((b - a) ** 2)) for a, b in itertools.pairwise(pictures)]


def walk(steps, callback, **options):
    start, score = noise(1, (24, 32, 3)), ripples(noise(2, (24, 32, 3)))
    options |= dict(callback=callback, progress=False)
    return descend(start, score, steps, "spectral", **options)


def test_no_step_is_longer_than_its_rate():
    pictures = []
    walk(12, lambda step: pictures.append(step.image), learning_rate=0.01)
    assert max(lengths(pictures)) <= 0.01 * (1 + 1e-5)
    assert max(lengths(pictures)) > 0.0099


def test_a_resumed_run_continues_with_steps_as_short_as_before(tmp_path):
    """Its first step, made without any curvature, would otherwise be as long as the very first."""
    path, before, after = tmp_path / "run.npz", [], []

    def crash(step):
        before.append(step.image)
        if len(before) == 20:
            raise RuntimeError

    with pytest.raises(RuntimeError):
        walk(30, crash, checkpoint=Checkpoint(path, every=0))
    resumed = Checkpoint(path, every=0)
    history = walk(30, lambda step: after.append(step.image), checkpoint=resumed).history
    assert lengths(after)[0] == pytest.approx(lengths(before)[-1], rel=0.01)
    assert lengths(after)[0] < 0.1 * lengths(before)[0]
    assert list(history["step"]) == list(range(31))
    assert history["total"].iloc[-1] < history["total"].iloc[19]


def test_in_tiles_it_makes_the_same_steps(squeezenet):
    photo = load_image("chelsea", SIDE)
    score = Content(photo, squeezenet) + 40 * Style(load_image("mosaic", SIDE), squeezenet)
    whole, tiled = (
        descend(photo, score, 4, "spectral", tile=tile, **QUIET).history["total"]
        for tile in (None, 64)
    )
    assert tiled.to_numpy() == pytest.approx(whole.to_numpy(), rel=1e-3)
    assert whole.iloc[-1] < whole.iloc[0]


def test_where_a_mask_keeps_the_photo_it_stays():
    mask = np.zeros((SIDE, SIDE), "float32")
    mask[:, : SIDE // 2] = 1
    run = style_transfer(
        "chelsea", "mosaic", "squeezenet", steps=4, octaves=1, size=SIDE, optimizer="spectral",
        style_mask=mask, **QUIET,
    )  # fmt: skip
    changed = np.abs(run.image - load_image("chelsea", SIDE)).max((0, 2))
    width = run.image.shape[1]
    assert changed[-width // 4 :].max() < 1e-6
    assert changed[: width // 4].min() > 0.01


def test_with_jitter_it_still_descends(squeezenet):
    photo = load_image("chelsea", SIDE)
    score = Content(photo, squeezenet) + 40 * Style(load_image("mosaic", SIDE), squeezenet)
    totals = descend(photo, score, 20, "spectral", jitter=8, **QUIET).history["total"]
    assert totals.min() < 0.5 * totals[0]


@pytest.mark.slow
@pytest.mark.skipif(not available_offline("vgg19"), reason="VGG-19's weights are not available")
def test_with_vgg19_it_needs_fewer_steps_than_adam():
    vgg19, picture = load_backbone("vgg19"), load_image("astronaut", 64)
    objective = Content(picture, vgg19) + 40 * Style(load_image("night_flow", 64), vgg19)
    spectral, adam = (
        descend(picture, objective, steps, optimizer, **QUIET).history["total"].min()
        for optimizer, steps in (("spectral", 30), ("adam", 40))
    )
    assert spectral < adam
