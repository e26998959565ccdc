"""Recording a run: history, best picture, progress bar and checkpoints.  (Notebook 03.)"""

import contextlib
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..errors import DivergedError, SettingsError
from ..startup import check_process
from .checkpoint import DAMAGED
from .run import Run
from .steering import reweight
from .stopping import between_steps, stop_requested


@dataclass
class Step:
    """What a callback receives after each step.

    `image`, (H, W, 3) in [0, 1], is read-only; it may be kept.
    """

    step: int
    phase: str
    total: float
    terms: dict
    seconds: float
    image: np.ndarray


class Halt(Exception):
    """Raised to end the loop: all steps are done, otherwise its message says who asked to stop."""


class Recorder:
    """Records every step, keeps the best picture, shows progress, and stops the loop.

    Args:
        phase: what to call these steps in the history.
        sign: 1 if the best total is the highest, -1 if it is the lowest.
        callback, keep, checkpoint: see `descend`.
        start: the picture that the phase starts from, and its objective.
        options: JSON values, everything else that decides it.
        score: the score that is optimised; a callback may change its weights.
    """

    def __init__(self, phase, sign, callback, keep, checkpoint, start, options, score=None):
        check_process()
        self.phase, self.sign, self.callback, self.score = phase, sign, callback, score
        self.keep, self.checkpoint = keep, checkpoint
        self.mark = checkpoint.mark(start, options) if checkpoint else None
        self.state = (checkpoint.state(phase, self.mark) if checkpoint else None) or {}
        self.rows, self.total = self.state.get("rows", []), self.state.get("total")
        self.image, self.stopped = self.state.get("image"), None
        self.earlier = self.rows[-1]["seconds"] if self.rows else 0.0
        kept = [
            self.state[name] for name in ("picture", "image") if self.state.get(name) is not None
        ]
        if any(np.shape(picture) != tuple(start[0].shape) for picture in kept) or (
            self.finished and self.image is None
        ):
            raise SettingsError(DAMAGED.format(path=checkpoint.path))

    @contextlib.contextmanager
    def open(self, steps, progress):
        """Time the steps and show progress; Ctrl-C or a callback ends the loop without an error."""
        from tqdm.auto import tqdm

        self.steps, self.started = steps, time.perf_counter()
        self.bar = tqdm(total=steps, desc=self.phase, disable=not progress, leave=False)
        try:
            with between_steps():
                yield
                if stop_requested():
                    raise Halt("interrupted")
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
        """True if the checkpoint shows this phase as complete."""
        return bool(self.state) and self.state["step"] > self.state["steps"]

    def restore(self, variable, slots=()):
        """Restore the checkpoint's state; returns the step to continue from."""
        if not self.state:
            return 0
        try:
            variable.assign(self.state["picture"])
            for number, slot in enumerate(slots):
                slot.assign(self.state[f"slot{number}"])
        except (KeyError, TypeError, ValueError) as error:
            raise SettingsError(DAMAGED.format(path=self.checkpoint.path)) from error
        return self.state["step"]

    def record(self, step, total, terms, variable, slots=()):
        """Record the picture after `step` steps; raises `Halt` or `DivergedError`."""
        seconds = self.earlier + time.perf_counter() - self.started
        total, terms = float(total), {name: float(value) for name, value in terms.items()}
        if not np.isfinite(total):
            raise DivergedError(_advice(step, total, terms), self.run())
        if self.checkpoint and self.checkpoint.due():
            self._keep(step, variable.numpy(), slots)
        row = dict(step=step, phase=self.phase, total=total, **terms, seconds=seconds)
        self.rows.append(row)
        if self.keep == "last" or self.total is None or self.sign * (total - self.total) > 0:
            self.image, self.total = _shared(variable), total
        self.bar.set_postfix_str(f"total {total:.4g}", refresh=False)
        self.bar.update(step - self.bar.n)
        asked = self.callback and self.callback(
            Step(step, self.phase, total, terms, seconds, _shared(variable))
        )
        if asked and isinstance(asked, Mapping):
            reweight(self.score, asked)
            self.total, asked = None, False  # totals with other weights cannot be compared with it
        if asked or stop_requested():
            if self.checkpoint:
                self._keep(step, variable.numpy(), slots, self.rows[:-1])
            raise Halt("callback" if asked else "interrupted")

    def _keep(self, step, picture, slots=(), rows=None):
        state = {f"slot{n}": np.asarray(slot.numpy()) for n, slot in enumerate(slots)}
        state |= dict(step=step, steps=self.steps, picture=picture, mark=self.mark)
        state |= dict(rows=self.rows if rows is None else rows, total=self.total, image=self.image)
        try:
            self.checkpoint.keep(self.phase, state)
        except OSError as error:  # the run is worth more than its checkpoint
            self._report(error)

    def _report(self, error):
        """Say once that the checkpoint cannot be written."""
        if not self.checkpoint.failed:
            self.checkpoint.failed = True
            self.bar.write(
                f"dreamkit: {self.checkpoint.path} could not be written"
                f" ({error.strerror or error}): the run continues, but if it ends early, it can"
                " only be resumed from what was written before.",
                file=sys.stderr,
            )

    def run(self):
        """The run so far."""
        import pandas as pd

        image = None if self.image is None else np.array(self.image)
        return Run(image, pd.DataFrame(self.rows), {}, self.stopped)


def _advice(step, total, terms):
    culprits = [name for name, value in terms.items() if not np.isfinite(value)]
    which = f" ({', '.join(culprits)})" if culprits else ""
    return (
        f"The total became {total} at step {step}{which}: lower learning_rate or the weights;"
        " the best picture so far is in this error's .run.image."
    )


def _shared(variable):
    """A read-only view of a variable's value; TensorFlow copies it before overwriting it."""
    return np.asarray(variable.value())
