"""descend() and ascend(): right direction, textbook arithmetic, clean endings."""

import os
import signal
import subprocess
import sys

import numpy as np
import pytest

from dreamkit import (
    Content,
    DivergedError,
    Dream,
    SettingsError,
    Style,
    TotalVariation,
    ascend,
    descend,
    load_backbone,
    load_image,
    resize,
    samples,
    style_transfer,
)
from dreamkit.gradients import normalise
from dreamkit.optimize import LEARNING_RATES
from dreamkit.startup import tf

SIDE = 96
QUIET = dict(progress=False)


@pytest.fixture(scope="module")
def network():
    return load_backbone("squeezenet")


@pytest.fixture(scope="module")
def painted(network):
    """{name of a style: the objective of a transfer to it}."""
    objectives = {}
    for name in samples("style"):
        style = 40 * Style(load_image(name, SIDE), network)
        objectives[name] = Content(load_image("chelsea", SIDE), network) + style
    return objectives


def noise(seed=0, shape=(8, 10, 3)):
    return np.random.default_rng(seed).uniform(0.2, 0.8, shape).astype("float32")


class Bowl:
    """scale · Σ w (x − goal)²: an objective whose gradient is known in closed form."""

    def __init__(self, goal, weights=1.0, scale=1.0):
        self.goal, self.weights, self.scale = goal, weights, scale
        self.pictures = []

    def __call__(self, picture):
        return self.value_and_gradient(picture)[:2]

    def value_and_gradient(self, picture):
        self.pictures.append(np.array(picture))
        difference = picture - self.goal
        total = self.scale * tf.reduce_sum(self.weights * difference**2)
        return total, {"bowl": total}, self.scale * 2 * self.weights * difference


class Scripted(Bowl):
    """A bowl too narrow to converge quickly, which first returns the given totals."""

    def __init__(self, totals=()):
        weights = np.geomspace(0.01, 100, 8 * 10 * 3).reshape(8, 10, 3).astype("float32")
        super().__init__(noise(9), weights)
        self.totals = totals

    def value_and_gradient(self, picture):
        total, _, gradient = super().value_and_gradient(picture)
        if len(self.pictures) <= len(self.totals):
            total = tf.constant(self.totals[len(self.pictures) - 1])
        return total, {"bowl": total}, gradient


# The direction


@pytest.mark.parametrize("optimizer", LEARNING_RATES)
@pytest.mark.parametrize("sample", [*samples("photo"), *samples("style")])
def test_descend_lowers_content_and_style_on_every_sample(sample, optimizer, painted):
    name = "mosaic" if sample != "mosaic" else "night_flow"
    picture = resize(load_image(sample), (SIDE, SIDE))
    totals = descend(picture, painted[name], 4, optimizer, **QUIET).history["total"]
    assert totals.iloc[-1] < totals.iloc[0]


@pytest.mark.parametrize("style", samples("style"))
def test_descend_lowers_the_loss_to_every_style(style, painted):
    picture = resize(load_image("astronaut"), (SIDE, SIDE))
    history = descend(picture, painted[style], 4, **QUIET).history
    assert history["style"].iloc[-1] < history["style"].iloc[0]


@pytest.mark.parametrize("sample", [*samples("photo"), *samples("style")])
def test_ascend_raises_the_dream_on_every_sample(sample, network):
    picture = resize(load_image(sample), (SIDE, SIDE))
    totals = ascend(picture, Dream(network), 4, **QUIET).history["total"]
    assert totals.iloc[-1] > totals.iloc[0]


@pytest.mark.parametrize("optimizer", LEARNING_RATES)
def test_ascend_is_descend_on_the_negative(optimizer):
    picture, variation = noise(), TotalVariation()
    up = ascend(picture, variation, 4, optimizer, **QUIET)
    down = descend(picture, -variation, 4, optimizer, **QUIET)
    assert np.array_equal(up.image, down.image)
    assert np.array_equal(up.history["total"], -down.history["total"])


# Textbook arithmetic


def numpy_adam(x, gradient, steps, rate, total_steps):
    """Kingma and Ba 2015, algorithm 1, in float64; the rate falls along a cosine, β₁ grows."""
    x, m, v = x.astype("float64"), 0.0, 0.0
    for t in range(1, steps + 1):
        g, progress = gradient(x), (t - 1) / total_steps
        momentum = 1 - 1 / ((1 + 0.06 * total_steps) * (1 + progress))
        m = momentum * m + (1 - momentum) * g
        v = 0.85 * v + 0.15 * g**2
        alpha = rate * (0.2 + 0.8 * (1 + np.cos(np.pi * progress)) / 2)
        x = np.clip(
            x - alpha * (m / (1 - momentum**t)) / (np.sqrt(v / (1 - 0.85**t)) + 1e-10), 0, 1
        )
    return x


@pytest.mark.parametrize("rate", [0.06, 0.3])
def test_adams_pixels_equal_numpys_in_float64(rate):
    picture, goal = noise(1), np.random.default_rng(2).normal(0.5, 0.6, (8, 10, 3))
    weights = np.random.default_rng(3).uniform(0.1, 5, picture.shape)
    bowl = Bowl(goal.astype("float32"), weights.astype("float32"))
    run = descend(picture, bowl, 3, learning_rate=rate, keep="last", **QUIET)
    expected = numpy_adam(picture, lambda x: 2 * weights * (x - goal), 3, rate, 3)
    assert np.abs(expected - picture).max() > rate
    assert np.abs(run.image - expected).max() < 2e-6


@pytest.mark.parametrize("optimizer", LEARNING_RATES)
def test_a_float64_picture_is_descended_in_float64(optimizer):
    picture = tf.constant(noise(1), tf.float64)
    exact = descend(picture, Bowl(noise(2).astype("float64")), 3, optimizer, **QUIET)
    assert exact.image.dtype == "float64"
    single = descend(noise(1), Bowl(noise(2)), 3, optimizer, **QUIET)
    assert np.abs(exact.image - single.image).max() < 1e-5


@pytest.mark.parametrize("scale", [1e-5, 1e7])
def test_adams_steps_do_not_depend_on_the_scale_of_the_objective(scale):
    runs = [descend(noise(1), Bowl(noise(2) + 1, scale=by), 5, **QUIET).image for by in (1, scale)]
    assert np.abs(runs[0] - runs[1]).max() < 1e-4


def test_the_history_holds_the_total_at_every_step():
    picture, goal = noise(1), noise(2)
    history = descend(picture, Bowl(goal), 3, **QUIET).history
    for steps, total in enumerate(history["total"]):
        x = numpy_adam(picture, lambda x: 2 * (x - goal), steps, 0.06, 3)
        assert total == pytest.approx(np.sum((x - goal.astype("float64")) ** 2), rel=1e-5)


@pytest.mark.parametrize("smooth", [0, 3])
@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_a_normalised_step_has_the_same_length_at_any_scale_of_the_objective(scale, smooth):
    picture, goal = noise(4, (32, 32, 3)), noise(5, (32, 32, 3))
    bowl = Bowl(goal, scale=scale)
    run = ascend(picture, bowl, 1, learning_rate=0.01, smooth=smooth, keep="last", **QUIET)
    step = run.image.astype("float64") - picture
    assert step.std() == pytest.approx(0.01, rel=1e-3)
    plain = ascend(picture, Bowl(goal), 1, smooth=smooth, keep="last", **QUIET)
    assert np.abs(run.image - plain.image).max() < 1e-6


def test_a_normalised_step_is_the_gradient_over_its_standard_deviation():
    picture, goal = noise(4), noise(5)
    run = descend(picture, Bowl(goal), 1, "gradient", keep="last", **QUIET)
    gradient = 2 * (picture.astype("float64") - goal)
    assert np.abs(run.image - (picture - 0.01 * gradient / gradient.std())).max() < 1e-6


def test_smoothing_gives_coarse_and_fine_detail_equal_weight():
    y, x = np.mgrid[0:64, 0:64]
    fine, coarse = (x + y) % 2 - 0.5, np.sin(2 * np.pi * x / 64)
    gradient = np.stack([1e-3 * coarse + fine] * 3, -1).astype("float32")
    smoothed = normalise(tf.constant(gradient), 5).numpy()
    before, after = (np.corrcoef(g[..., 0].ravel(), coarse.ravel()) for g in (gradient, smoothed))
    assert abs(before[0, 1]) < 0.01
    assert after[0, 1] > 0.2


def test_where_the_gradient_is_zero_nothing_moves():
    picture = noise()
    assert np.array_equal(ascend(picture, Bowl(picture), 3, **QUIET).image, picture)


def test_lbfgs_finds_the_minimum_within_the_bounds():
    goal = np.random.default_rng(6).normal(0.5, 0.6, (8, 10, 3)).astype("float32")
    weights = np.random.default_rng(7).uniform(0.5, 2, goal.shape).astype("float32")
    run = descend(noise(), Bowl(goal, weights), 40, "lbfgs", **QUIET)
    assert np.abs(run.image - np.clip(goal, 0, 1)).max() < 1e-3


@pytest.mark.parametrize("steps", [0, 1, 2, 7])
def test_lbfgs_stays_in_range_and_evaluates_at_most_once_more_than_its_steps(steps):
    bowl = Bowl(np.random.default_rng(8).normal(0.5, 2, (8, 10, 3)).astype("float32"))
    run = descend(noise(), bowl, steps, "lbfgs", **QUIET)
    assert 1 <= len(bowl.pictures) <= steps + 1
    assert len(run.history) == len(bowl.pictures)
    assert min(x.min() for x in bowl.pictures) >= 0
    assert max(x.max() for x in bowl.pictures) <= 1


@pytest.mark.parametrize("optimizer", LEARNING_RATES)
def test_the_picture_stays_in_range_however_long_the_steps(optimizer):
    goal = np.full((8, 10, 3), 5, "float32")
    rate = {} if optimizer == "lbfgs" else {"learning_rate": 3.0}  # L-BFGS finds its own
    run = descend(noise(), Bowl(goal), 5, optimizer, keep="last", **rate, **QUIET)
    assert run.image.dtype == np.float32
    assert run.image.shape == (8, 10, 3)
    assert run.image.min() >= 0
    assert run.image.max() <= 1


# Reproducibility

SEEDED = """
import sys
import numpy as np
from dreamkit import deep_dream, style_transfer

options = dict(profile="ci", seed=7, progress=False)
np.savez(
    sys.argv[1],
    style=style_transfer("chelsea", "mosaic", init="noise", **options).image,
    dream=deep_dream("chelsea", **options).image,
)
"""


@pytest.mark.slow  # a rerun and Keras' settings are compared bit by bit in quicker tests
def test_seeded_runs_are_the_same_to_the_last_bit_here_and_in_a_fresh_process(tmp_path):
    made = []
    for name in ("first", "second"):
        code = compile(SEEDED.replace("sys.argv[1]", repr(str(tmp_path / name))), "seeded", "exec")
        exec(code, {})
        made.append(tmp_path / f"{name}.npz")
    command = [sys.executable, "-c", SEEDED, tmp_path / "third.npz"]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    first, second, third = (dict(np.load(p)) for p in (*made, tmp_path / "third.npz"))
    for name, picture in first.items():
        assert picture.dtype == np.float32
        assert np.array_equal(picture, second[name])
        assert np.array_equal(picture, third[name]), f"{name} differs in a fresh process"


def test_another_seed_is_another_picture():
    one, two = (descend(noise(), Bowl(noise(1)), 3, jitter=4, seed=s, **QUIET) for s in (1, 2))
    assert not np.array_equal(one.image, two.image)


# The history


@pytest.mark.parametrize("optimizer", ["adam", "gradient"])
def test_the_history_has_every_term_at_every_step(optimizer, network, painted):
    picture = resize(load_image("coffee"), (SIDE, SIDE))
    objective = painted["mosaic"] + 0.5 * TotalVariation() - 1e-3 * Dream(network)
    history = descend(picture, objective, 4, optimizer, **QUIET).history
    terms = ["content", "style", "total_variation", "dream"]
    assert list(history.columns) == ["step", "phase", "total", *terms, "seconds"]
    assert list(history["step"]) == [0, 1, 2, 3, 4]
    assert np.isfinite(history[terms].to_numpy()).all()
    weighted = history[terms] @ [1.0, 40.0, 0.5, -1e-3]
    assert np.allclose(history["total"], weighted, rtol=1e-4)
    assert set(history["phase"]) == {"descend"}
    assert history["seconds"].iloc[0] > 0
    assert history["seconds"].is_monotonic_increasing


def test_zero_steps_only_score_the_picture():
    for optimizer in LEARNING_RATES:
        run = descend(noise(), Bowl(noise(1)), 0, optimizer, **QUIET)
        assert np.array_equal(run.image, noise())
        assert list(run.history["step"]) == [0]


def test_the_best_picture_is_kept_and_the_last_on_request():
    images = []
    options = dict(callback=lambda step: images.append(step.image), **QUIET)
    totals = [5.0, 1.0, 3.0, 4.0]
    best = descend(noise(), Scripted(totals), 3, **options)
    last = descend(noise(), Scripted(totals), 3, keep="last", **QUIET)
    assert np.array_equal(best.image, images[1])
    assert np.array_equal(last.image, images[3])
    assert not np.array_equal(images[1], images[3])
    images.clear()
    top = ascend(noise(), Scripted([1.0, 4.0, 2.0, 3.0]), 3, **options)
    assert np.array_equal(top.image, images[1])


@pytest.mark.parametrize("keep", ["best", "last"])
def test_a_callback_may_keep_its_pictures_but_not_change_them(keep):
    images, copies = [], []

    def collect(step):
        images.append(step.image)
        copies.append(step.image.copy())

    run = descend(noise(), Bowl(noise(1)), 3, keep=keep, callback=collect, **QUIET)
    np.testing.assert_array_equal(images, copies)
    with pytest.raises(ValueError, match="read-only"):
        images[0][:] = 0
    run.image[:] = 0  # the result may be changed


def test_a_callback_sees_every_step_of_the_history():
    steps = []
    run = descend(noise(), Bowl(noise(1)), 3, phase="named", callback=steps.append, **QUIET)
    assert [s.step for s in steps] == list(run.history["step"]) == [0, 1, 2, 3]
    assert [s.total for s in steps] == list(run.history["total"])
    assert [s.terms["bowl"] for s in steps] == list(run.history["bowl"])
    assert {s.phase for s in steps} == {"named"}
    assert np.array_equal(steps[0].image, noise())


# The end of a run


@pytest.mark.parametrize("optimizer", LEARNING_RATES)
@pytest.mark.parametrize("total", [np.nan, np.inf, -np.inf])
def test_a_total_that_is_not_finite_says_what_to_change_and_keeps_the_picture(total, optimizer):
    objective, images = Scripted([9e3, 8e3, float(total)]), []
    options = dict(callback=lambda step: images.append(step.image), **QUIET)
    with pytest.raises(DivergedError, match=r"at step 2 \(bowl\): lower learning_rate") as caught:
        descend(noise(), objective, 9, optimizer, **options)
    run = caught.value.run
    assert np.array_equal(run.image, images[1])
    assert list(run.history["step"]) == [0, 1]
    assert "\n" not in str(caught.value)


def test_a_weight_beyond_float32_diverges():
    with pytest.raises(DivergedError, match="the weights"):
        descend(noise(), 1e39 * TotalVariation(), 3, **QUIET)


@pytest.mark.parametrize("optimizer", LEARNING_RATES)
def test_ctrl_c_returns_the_run_so_far(optimizer):
    images = []

    def interrupt(step):
        images.append(step.image)
        if step.step == 3:
            raise KeyboardInterrupt

    run = descend(noise(), Scripted(), 50, optimizer, callback=interrupt, **QUIET)
    assert run.stopped == "interrupted"
    assert list(run.history["step"]) == [0, 1, 2, 3]
    best = run.history["total"].idxmin()
    assert np.array_equal(run.image, images[best])


def test_ctrl_c_before_the_first_score_is_raised():
    class Slow(Bowl):
        def value_and_gradient(self, picture):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        descend(noise(), Slow(noise()), 5, **QUIET)


INTERRUPTED = """
import signal

import dreamkit

# A shell that starts a process in the background makes it ignore interrupts.
signal.signal(signal.SIGINT, signal.default_int_handler)

def announce(step):
    if step.step == 3:
        print("go", flush=True)

run = dreamkit.style_transfer(
    "chelsea", "mosaic", steps=5_000, profile="ci", progress=False, callback=announce
)
print(run.stopped, len(run.history) >= 4, run.image.shape)
"""


def test_a_real_interrupt_returns_the_run_so_far():
    command = [sys.executable, "-c", INTERRUPTED]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as child:
        for line in child.stdout:
            if line.strip() == "go":
                break
        os.kill(child.pid, signal.SIGINT)
        out, err = child.communicate(timeout=60)
    assert child.returncode == 0, err
    assert out.split("\n")[0] == "interrupted True (64, 96, 3)"


@pytest.mark.parametrize("optimizer", LEARNING_RATES)
def test_a_callback_can_stop_the_run(optimizer):
    run = descend(noise(), Scripted(), 50, optimizer, callback=lambda s: s.step == 2, **QUIET)
    assert run.stopped == "callback"
    assert list(run.history["step"]) == [0, 1, 2]


def test_a_stopped_recipe_returns_a_full_size_picture():
    run = style_transfer(
        "astronaut", "mosaic", size=192, profile="ci", callback=lambda s: s.step == 1, **QUIET
    )
    assert run.stopped == "callback"
    assert set(run.history["phase"]) == {"style 1/2"}
    assert run.image.shape == (192, 192, 3)


@pytest.mark.parametrize(
    ("wrong", "culprit"),
    [
        (dict(optimizer="sgd"), "optimizer cannot be 'sgd': choose 'adam', 'gradient', 'lbfgs' or"),
        (dict(steps=-1), "steps cannot be -1"),
        (dict(steps=2.5), "steps cannot be 2.5"),
        (dict(steps="5"), "steps cannot be '5'"),
        (dict(steps=None), "steps cannot be None"),
        (dict(steps=True), "steps cannot be True"),
        (dict(learning_rate=0), "learning_rate cannot be 0"),
        (dict(learning_rate=-0.1), "learning_rate cannot be -0.1"),
        (dict(learning_rate=float("nan")), "learning_rate cannot be nan"),
        (dict(learning_rate="fast"), "learning_rate cannot be 'fast'"),
        (dict(keep="first"), "keep cannot be 'first'"),
        (dict(jitter=-1), "jitter cannot be -1"),
        (dict(smooth=-1), "smooth cannot be -1"),
        (dict(seed=-1), "seed cannot be -1"),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_a_wrong_setting_is_named(wrong, culprit):
    with pytest.raises(SettingsError, match=culprit):
        descend(noise(), TotalVariation(), **{"steps": 3, **QUIET, **wrong})
