"""descend() and ascend(): one loop with two signs.  (Notebooks 02 and 03.)"""

import contextlib
import itertools
import math
import time
from dataclasses import dataclass
from numbers import Real

import numpy as np

from .errors import DivergedError, SettingsError, check_choice, check_range
from .gradients import quickly_normalise
from .images import check_image
from .objectives import as_tensor
from .runs.run import Run
from .startup import tf

LEARNING_RATES = {"adam": 0.06, "gradient": 0.01, "lbfgs": None}


@dataclass
class Step:
    """What a callback sees after each step: where the run is, and the picture it has reached.

    `image`, (H, W, 3) in [0, 1], may be kept but not written to: it is the run's own.
    """

    step: int
    phase: str
    total: float
    terms: dict
    seconds: float
    image: np.ndarray


def descend(image, objective, steps, optimizer="adam", **options):
    """Change a picture so that an objective falls: gradient descent on pixels.

    Args:
        image: the picture to start from, (H, W, 3) in [0, 1].
        objective: an objective or a term, such as `Content(…) + 20 * Style(…)`.
        steps: how many steps; with 0 the picture is only scored.
        optimizer: `"adam"` (its rate falls to a fifth along a cosine, while its momentum's memory
            grows from 6 to 12 % of the steps), `"lbfgs"` (SciPy's L-BFGS-B; a step is one
            evaluation) or `"gradient"` (steps of one length).
        learning_rate: size of a step in units of [0, 1]; None for 0.06 (adam) or 0.01 (gradient).
        smooth: for `"gradient"`: levels of the Laplacian pyramid whose gradients are brought to
            one strength; 0 takes the gradient as it is.
        jitter: roll the picture by up to so many px before each step, and back after it.
        seed: seed of the jitter.
        phase: what to call these steps in the history.
        callback: called with a `Step` after each step; return True to stop.
        progress: False hides the progress bar.
        keep: `"best"` gives back the picture with the best total, `"last"` the last one.
        checkpoint: a `Checkpoint` that keeps the state, so that the run can go on later.

    Returns:
        A `Run`. Ctrl-C ends the loop early and returns what there is.

    Raises:
        DivergedError: the total is not finite; the error's `run` holds the picture so far.
        ImageError: the picture is no picture, or too small for the objective's networks.
        SettingsError: an argument out of range.

    Sources: Gatys, Ecker and Bethge 2016; Kingma and Ba 2015 (Adam); Smith
    2018 (momentum against the rate); Zhu et al. 1997 (L-BFGS-B).
    Introduced in notebook 02.

    >>> from dreamkit import TotalVariation
    >>> noise = np.random.default_rng(0).random((8, 8, 3), "float32")
    >>> run = descend(noise, TotalVariation(), steps=5, progress=False)
    >>> bool(run.history["total"].iloc[-1] < run.history["total"].iloc[0])
    True
    """
    return _walk(image, objective, steps, optimizer, sign=-1, **options)


def ascend(image, objective, steps, optimizer="gradient", **options):
    """Change a picture so that an objective rises: gradient ascent on pixels.

    The same loop as `descend`, with the other sign and, by default, normalised gradient steps.
    Arguments, result and errors are those of `descend`.

    Source: Mordvintsev, Olah and Tyka 2015. Introduced in notebook 03.

    >>> from dreamkit import TotalVariation
    >>> noise = np.random.default_rng(0).random((8, 8, 3), "float32")
    >>> run = ascend(noise, TotalVariation(), steps=5, progress=False)
    >>> bool(run.history["total"].iloc[-1] > run.history["total"].iloc[0])
    True
    """
    return _walk(image, objective, steps, optimizer, sign=1, **options)


def _walk(
    image,
    objective,
    steps,
    optimizer,
    sign,
    learning_rate=None,
    smooth=0,
    jitter=0,
    seed=0,
    phase=None,
    callback=None,
    progress=True,
    keep="best",
    checkpoint=None,
):
    check_choice("optimizer", optimizer, LEARNING_RATES)
    check_choice("keep", keep, ("best", "last"))
    for what, value in dict(steps=steps, smooth=smooth, jitter=jitter, seed=seed).items():
        check_range(what, value, 0)
    rate = LEARNING_RATES[optimizer] if learning_rate is None else learning_rate
    if rate is not None and not (isinstance(rate, Real) and rate > 0):
        raise SettingsError(f"learning_rate cannot be {rate!r}: give a number above 0.")
    variable = tf.Variable(image if tf.is_tensor(image) else as_tensor(check_image(image)))
    diary = Diary(phase or ("descend" if sign < 0 else "ascend"), sign, callback, keep, checkpoint)

    def slope(step):
        """Total, terms and gradient, seen through this step's roll."""
        if not jitter:
            return objective.value_and_gradient(variable.value())
        shift = np.random.default_rng((seed, step)).integers(-jitter, jitter + 1, 2)
        variable.assign(tf.roll(variable, shift, (0, 1)))  # of a large picture no room for two
        total, terms, gradient = objective.value_and_gradient(variable.value())
        variable.assign(tf.roll(variable, -shift, (0, 1)))
        return total, terms, tf.roll(gradient, -shift, (0, 1))

    walk = {"adam": _adam, "gradient": _normalised, "lbfgs": _lbfgs}[optimizer]
    if diary.finished:
        return diary.run()
    with diary.open(steps, progress):
        walk(variable, objective, slope, steps, sign, rate, smooth, diary)
    return diary.run()


def _adam(variable, objective, slope, steps, sign, rate, _smooth, diary):
    mean, square = (tf.Variable(tf.zeros_like(variable)) for _ in range(2))
    first = diary.restore(variable, (mean, square))
    for step in range(first, steps):
        total, terms, gradient = slope(step)
        diary.write(step, total, terms, variable, (mean, square))
        memory = (1 + 0.06 * steps) * (1 + step / steps)  # in steps: β₁ = 1 − 1/memory
        tf.raw_ops.ResourceApplyAdam(  # Keras' Adam in one pass, and in place
            var=variable.handle,
            m=mean.handle,
            v=square.handle,
            grad=-sign * gradient,
            lr=rate * (0.6 + 0.4 * math.cos(math.pi * step / steps)),
            beta1=1 - 1 / memory,
            beta1_power=(1 - 1 / memory) ** (step + 1),
            beta2=0.85,
            beta2_power=0.85 ** (step + 1),
            epsilon=1e-10,
        )
        del gradient  # of a large picture there is no room for two
        variable.assign(tf.clip_by_value(variable, 0, 1))
    diary.write(steps, *objective(variable.value()), variable)


def _normalised(variable, objective, slope, steps, sign, rate, smooth, diary):
    first = diary.restore(variable)
    for step in range(first, steps):
        total, terms, gradient = slope(step)
        diary.write(step, total, terms, variable)
        variable.assign_add(sign * rate * quickly_normalise(gradient, smooth))
        del gradient
        variable.assign(tf.clip_by_value(variable, 0, 1))
    diary.write(steps, *objective(variable.value()), variable)


def _lbfgs(variable, objective, slope, steps, sign, _rate, _smooth, diary):
    from scipy.optimize import minimize

    first = diary.restore(variable)  # SciPy's memory of past slopes starts afresh
    counter = itertools.count(first)

    def flat(x):
        step = next(counter)
        variable.assign(tf.reshape(tf.cast(x, variable.dtype), variable.shape))
        total, terms, gradient = slope(step)
        diary.write(step, total, terms, variable)
        if step == steps:
            raise Halt
        return -sign * float(total), np.ravel(-sign * gradient.numpy().astype("float64"))

    x = np.ravel(variable.numpy().astype("float64"))
    limits = dict(maxiter=steps, maxfun=2 * steps, maxcor=10, ftol=0, gtol=0)
    minimize(flat, x, jac=True, method="L-BFGS-B", bounds=[(0, 1)] * x.size, options=limits)


class Halt(Exception):
    """Ends the loop from inside: all steps are done, or the callback wants no more."""


class Diary:
    """Writes down every step, keeps the picture, shows progress, and knows when to stop."""

    def __init__(self, phase, sign, callback, keep, checkpoint):
        self.phase, self.sign, self.callback = phase, sign, callback
        self.keep, self.checkpoint = keep, checkpoint
        self.rows, self.image, self.total, self.stopped = [], None, None, None
        self.earlier = 0.0
        self.state = checkpoint.state(phase) if checkpoint else None
        if self.state:
            self.rows, self.total = self.state["rows"], self.state["total"]
            self.image = self.state["image"]
            self.earlier = self.rows[-1]["seconds"] if self.rows else 0.0

    @contextlib.contextmanager
    def open(self, steps, progress):
        """Time the steps and show them; Ctrl-C and a callback's wish end them without an error."""
        from tqdm.auto import tqdm

        self.steps, self.started = steps, time.perf_counter()
        self.bar = tqdm(total=steps, desc=self.phase, disable=not progress, leave=False)
        try:
            yield
        except Halt as halt:
            self.stopped = str(halt) or None
        except KeyboardInterrupt:
            if self.image is None:
                raise
            self.stopped = "interrupted"
        finally:
            self.bar.close()
        if self.checkpoint and not self.stopped:
            self._keep(self.steps + 1, self.image)

    @property
    def finished(self):
        """True if the checkpoint holds this phase complete."""
        return bool(self.state) and self.state["step"] > self.state["steps"]

    def restore(self, variable, slots=()):
        """Put back what the checkpoint holds; returns the step to go on from."""
        if not self.state:
            return 0
        variable.assign(self.state["picture"])
        for number, slot in enumerate(slots):
            slot.assign(self.state[f"slot{number}"])
        return self.state["step"]

    def write(self, step, total, terms, variable, slots=()):
        """Record the picture as it is after `step` steps; raises `Halt` or `DivergedError`."""
        seconds = self.earlier + time.perf_counter() - self.started
        total, terms = float(total), {name: float(value) for name, value in terms.items()}
        if not np.isfinite(total):
            raise DivergedError(self._advice(step, total, terms), self.run())
        if self.checkpoint and self.checkpoint.due():
            self._keep(step, variable.numpy(), slots)
        row = dict(step=step, phase=self.phase, total=total, **terms, seconds=seconds)
        self.rows.append(row)
        kept = self.keep == "last" or self.total is None or self.sign * (total - self.total) > 0
        if kept:
            self.image, self.total = _shared(variable), total
        self.bar.set_postfix_str(f"total {total:.4g}", refresh=False)
        self.bar.update(step - self.bar.n)
        if self.callback:
            image = _shared(variable)
            if self.callback(Step(step, self.phase, total, terms, seconds, image)):
                raise Halt("callback")

    def _keep(self, step, picture, slots=()):
        state = dict(
            step=step, steps=self.steps, rows=self.rows, total=self.total, image=self.image
        )
        state.update({f"slot{n}": np.asarray(slot.numpy()) for n, slot in enumerate(slots)})
        self.checkpoint.keep(self.phase, {**state, "picture": picture})

    def _advice(self, step, total, terms):
        culprits = [name for name, value in terms.items() if not np.isfinite(value)]
        which = f" ({', '.join(culprits)})" if culprits else ""
        return (
            f"The total became {total} at step {step}{which}: lower learning_rate or the weights;"
            " the best picture so far is in this error's .run.image."
        )

    def run(self):
        """What there is so far."""
        import pandas as pd

        image = None if self.image is None else np.array(self.image)
        return Run(image, pd.DataFrame(self.rows), {}, self.stopped)


def _shared(variable):
    """A variable's value for reading, not copied: TensorFlow copies before it writes over it."""
    return np.asarray(variable.value())
