"""descend() and ascend(): one loop with two signs.  (Notebooks 03 and 04.)"""

import itertools
import math

import numpy as np

from .arguments import kinds
from .arguments.checked import checked
from .canvas import CANVASES
from .controls.transforms import STAY, Transforms
from .errors import SettingsError, check_choice
from .images import check_image
from .large.fast import adam_in_place, normalise_compiled
from .large.memory import fit_to_memory
from .large.spectral_lbfgs import SpectralLBFGS
from .objectives import as_tensor
from .runs.recorder import Halt, Recorder
from .startup import check_process, tf

LEARNING_RATES = {"adam": 0.06, "gradient": 0.01, "lbfgs": None, "spectral": 0.05}

# Adam's schedule, tuned for style transfer in 20 to 300 steps (see benchmarks/README.md).
WINDOW = 0.06  # the momentum's averaging window at the start, as a fraction of all steps
WINDOW_GROWTH = 2.0  # how much wider the window is at the end, which helps it settle
LAST_RATE = 0.2  # fraction of the first rate: long steps find the valley, short ones its floor
SECOND_MOMENT = 0.85  # β₂: the scale of a pixel's gradient changes quickly as the pixel moves


def descend(image, objective, steps, optimizer="adam", **options):
    """Change a picture so that an objective falls: gradient descent on pixels.

    Args:
        image: the picture to start from, (H, W, 3) in [0, 1].
        objective: an objective or a term, such as `Content(…) + 20 * Style(…)`.
        steps: number of steps; 0 only scores the picture.
        optimizer: `"adam"` (the rate falls to a fifth along a cosine, while the momentum's window
            grows from 6 to 12 % of the steps), `"lbfgs"` (SciPy's L-BFGS-B; a step is one
            evaluation), `"spectral"` (L-BFGS that moves broad strokes further than fine detail; see
            `SpectralLBFGS`) or `"gradient"` (normalised gradient steps).
        learning_rate: size of a step in units of [0, 1], for `"spectral"` of the longest
            (root mean square); None for 0.06 (adam), 0.05 (spectral) or 0.01 (gradient).
        smooth: for `"gradient"`, the number of Laplacian pyramid bands to bring to equal strength;
            0 leaves the gradient as it is.
        jitter, rotate, zoom, pad: roll the picture by up to this many px, turn it by up to this
            many degrees, scale it by up to this fraction and lay it on grey, this many px larger on
            each side, before each step; see `Transforms`.
        seed: seed of these moves.
        canvas: what is moved: `"pixels"`, `"spectrum"` (Fourier coefficients) or `"phase"` (only
            their phases); a step is then in units of theirs. See `dreamkit/canvas.py`.
        phase: what to call these steps in the history.
        callback: called with a `Step` after each step; return True to stop, or {term: weight} to
            change weights from the next step on.
        progress: False hides the progress bar.
        keep: `"best"` returns the picture with the best total, `"last"` the last one.
        checkpoint: a `Checkpoint` that saves the state, so that the run can be resumed.
        tile: side of the tiles, px, in which to compute a picture too large for memory (the result
            is the same); `"auto"` tiles only if memory requires it, None never.

    Returns:
        A `Run`. Ctrl-C ends the loop early and returns the result so far.

    Raises:
        DivergedError: the total is not finite; the error's `run` holds the best picture so far.
        ImageError: not a picture, or one too small for the objective's networks.
        SettingsError: an argument is out of range.

    Sources: Gatys, Ecker and Bethge 2016; Kingma and Ba 2015 (Adam); Smith 2018 (trading momentum
    against the rate); Zhu et al. 1997 (L-BFGS-B). Introduced in notebook 03.

    >>> from dreamkit import TotalVariation
    >>> noise = np.random.default_rng(0).random((8, 8, 3), "float32")
    >>> run = descend(noise, TotalVariation(), steps=5, progress=False)
    >>> bool(run.history["total"].iloc[-1] < run.history["total"].iloc[0])
    True
    """
    return _walk(image, objective, steps, optimizer, sign=-1, **options)


def ascend(image, objective, steps, optimizer="gradient", **options):
    """Change a picture so that an objective rises: gradient ascent on pixels.

    The same loop, arguments, result and errors as `descend`, with the opposite sign and, by
    default, normalised gradient steps.

    Source: Mordvintsev, Olah and Tyka 2015. Introduced in notebook 04.

    >>> from dreamkit import TotalVariation
    >>> noise = np.random.default_rng(0).random((8, 8, 3), "float32")
    >>> run = ascend(noise, TotalVariation(), steps=5, progress=False)
    >>> bool(run.history["total"].iloc[-1] > run.history["total"].iloc[0])
    True
    """
    return _walk(image, objective, steps, optimizer, sign=1, **options)


@checked(
    image=kinds.opened, steps=kinds.number(0, kinds.MOST_STEPS), learning_rate=kinds.above_zero(10)
)
def _walk(
    image,
    objective,
    steps,
    optimizer,
    sign,
    learning_rate=None,
    smooth=0,
    jitter=0,
    rotate=0.0,
    zoom=0.0,
    pad=0,
    seed=0,
    canvas="pixels",
    phase=None,
    callback=None,
    progress=True,
    keep="best",
    checkpoint=None,
    tile="auto",
):
    transforms = Transforms(jitter, rotate, zoom, pad)
    _check_choices(optimizer, keep, canvas, smooth, transforms)
    rate = LEARNING_RATES[optimizer] if learning_rate is None else learning_rate
    picture = tf.Variable(image if tf.is_tensor(image) else as_tensor(check_image(image)))
    score = fit_to_memory(objective, tuple(side + 2 * pad for side in picture.shape[:2]), tile)
    phase = phase or ("descend" if sign < 0 else "ascend")
    options = [optimizer, rate, steps, smooth, jitter, rotate, zoom, pad, seed, keep, canvas]
    start = [picture, objective]
    recorder = Recorder(phase, sign, callback, keep, checkpoint, start, options, score)
    if recorder.finished:
        return recorder.run()
    canvas = CANVASES[canvas](picture)

    def evaluate(step):
        """Total, terms and gradient, evaluated on the picture as this step's move leaves it."""
        if not transforms:
            return score.value_and_gradient(picture.value())
        move = transforms.draw(seed, step)
        picture.assign(move.roll(picture))  # avoids a second full-size copy
        total, terms, gradient = score.value_and_gradient(move.frame(move.turn(picture.value())))
        picture.assign(move.roll_back(picture))
        return total, terms, move.adjoint(gradient)

    with recorder.open(steps, progress):
        if optimizer == "lbfgs":
            _lbfgs(canvas, picture, evaluate, steps, sign, recorder)
        else:
            methods = {"adam": Adam, "gradient": GradientSteps, "spectral": SpectralLBFGS}
            rate = -sign * rate  # ascent: a negative rate
            stepper = methods[optimizer](canvas.variable, steps, rate, smooth)
            slots = canvas.slots + stepper.slots
            for step in range(recorder.restore(picture, slots), steps):
                total, terms, gradient = evaluate(step)
                recorder.record(step, total, terms, picture, slots)
                gradient = canvas.pull_back(gradient)
                stepper.move(step, gradient)
                del gradient  # avoids a second full-size copy
                canvas.paint()
            total, terms, _ = score.value_and_gradient(picture.value())  # traced already
            recorder.record(steps, total, terms, picture, slots)
    return recorder.run()


def _check_choices(optimizer, keep, canvas, smooth, transforms):
    check_choice("optimizer", optimizer, LEARNING_RATES)
    check_choice("keep", keep, ("best", "last"))
    check_choice("canvas", canvas, CANVASES)
    if canvas != "pixels" and (smooth or optimizer == "spectral"):
        what = "smooth" if smooth else "optimizer='spectral'"
        raise SettingsError(f"{what} is for pixels, and canvas is {canvas!r}: leave it out.")
    if optimizer == "lbfgs" and transforms:
        raise SettingsError(
            "lbfgs cannot work with jitter, rotate or zoom, as its line search compares scores of"
            " several steps: leave these moves out, or choose 'adam' or 'gradient'."
        )


class Adam:
    """Adam: each pixel moves by its gradient's mean divided by the root of its mean square.

    The rate falls to `LAST_RATE` of the first along a cosine; the momentum's window grows.

    Sources: Kingma and Ba 2015; Smith 2018.
    """

    def __init__(self, picture, steps, rate, _smooth):
        self.picture, self.steps, self.rate = picture, steps, rate
        self.slots = tuple(tf.Variable(tf.zeros_like(picture)) for _ in range(2))  # two moments

    def move(self, step, gradient):
        progress = step / self.steps
        window = (1 + WINDOW * self.steps) * (1 + (WINDOW_GROWTH - 1) * progress)  # in steps
        middle, amplitude = (1 + LAST_RATE) / 2, (1 - LAST_RATE) / 2
        rate = self.rate * (middle + amplitude * math.cos(math.pi * progress))
        momentum = 1 - 1 / window
        adam_in_place(self.picture, *self.slots, gradient, rate, step, momentum, SECOND_MOMENT)


class GradientSteps:
    """Steps of equal length along the normalised gradient, as in deep dream.

    Source: Mordvintsev, Olah and Tyka 2015.
    """

    slots = ()

    def __init__(self, picture, _steps, rate, smooth):
        self.picture, self.rate, self.smooth = picture, rate, smooth

    def move(self, _step, gradient):
        self.picture.assign_sub(self.rate * normalise_compiled(gradient, self.smooth))


def _lbfgs(canvas, picture, evaluate, steps, sign, recorder):
    """L-BFGS-B, in SciPy's own loop, which calls back for each score.

    Source: Zhu et al. 1997.
    """
    from scipy.optimize import minimize

    variable = canvas.variable
    # SciPy's gradient history is not saved.
    counter = itertools.count(recorder.restore(picture, canvas.slots))

    def loss(x):
        step = next(counter)
        variable.assign(tf.reshape(tf.cast(x, variable.dtype), variable.shape))
        canvas.paint()
        total, terms, gradient = evaluate(step)
        recorder.record(step, total, terms, picture, canvas.slots)
        if step == steps:
            raise Halt
        gradient = canvas.pull_back(gradient)
        return -sign * float(total), np.ravel(-sign * gradient.numpy().astype("float64"))

    x = np.ravel(variable.numpy().astype("float64"))
    limits = dict(maxiter=steps, maxfun=2 * steps, maxcor=10, ftol=0, gtol=0)
    minimize(loss, x, jac=True, method="L-BFGS-B", bounds=[canvas.bounds] * x.size, options=limits)
    print(f"L-BFGS found nothing better after {next(counter) - 1} of {steps} steps, and stopped.")


def responds(picture, objective, transforms, seed, tile="auto"):
    """False if the gradient is zero everywhere on the picture, and on its first few moves.

    There is then no way up or down: a ReLU that is shut lets no gradient through.
    """
    check_process()
    score = fit_to_memory(objective, picture.shape[:2], tile)
    moves = [transforms.draw(seed, step) for step in range(3 if transforms else 0)]
    for move in (STAY, *moves):
        moved = move.apply(as_tensor(picture))
        if tf.reduce_any(score.value_and_gradient(moved).gradient != 0):
            return True
    return False
