"""What every film has in common: recorded settings, frame after frame, stop and continue."""

import contextlib
import contextvars

import numpy as np

from ..runs.identity import weights
from .reel import Reel, unfinished

_check = contextvars.ContextVar("check", default=None)


@contextlib.contextmanager
def checking(check):
    """Within the block, a function gets the settings of each film before it is begun."""
    token = _check.set(check)
    try:
        yield
    finally:
        _check.reset(token)


class Maker:
    """A film in the making, which continues where it was stopped.

    Args:
        path: the film; an unfinished one with the same settings is continued, and lends its seed
            and profile where none are given.
        fps, overwrite, keep_frames, progress: see `zoom_dream`.
    """

    def __init__(self, path, fps, overwrite=False, keep_frames=False, progress=True):
        self.path, self.fps, self.overwrite = path, fps, overwrite
        self.keep_frames, self.progress = keep_frames, progress
        self.earlier = (unfinished(path) or {}).get("settings") or {}

    def resolve(self, recipe, *pictures, seed, profile, **options):
        """The recipe's resolved arguments and settings; see `reproducible`."""
        seed = self.earlier.get("seed") if seed is None else seed
        profile = self.earlier.get("profile") if profile is None else profile
        given, settings = recipe.resolve(*pictures, seed=seed, profile=profile, **options)
        settings |= {"weights": weights(given)}
        return given | dict(checkpoint=None, progress=False), settings

    def open(self, name, settings, arguments, **inputs):
        """Open the film with a recipe's settings, to which its own are added.

        Args:
            name: the function that makes the film; `rerun` calls it again.
            settings: the recipe's.
            arguments: the film's own arguments, as JSON values.
            inputs: records of inputs that are not the recipe's.
        """
        arguments = {**settings["arguments"], "fps": self.fps, **arguments}
        inputs = inputs or settings["inputs"]
        self.settings = {**settings, "recipe": name, "inputs": inputs, "arguments": arguments}
        if check := _check.get():
            check(self.settings)
        self.reel = Reel(self.path, self.settings, self.fps, self.overwrite)
        return self.reel

    def shoot(self, draw, count):
        """Make the missing frames: `draw(number)` returns frame `number`, or None at the end.

        Raises:
            KeyboardInterrupt: stopped; its message says how to continue. The frames so far are
            kept.
        """
        from tqdm.auto import tqdm

        numbers = range(len(self.reel), count)
        bar = dict(initial=len(self.reel), total=count, desc="frames", disable=not self.progress)
        try:
            for number in tqdm(numbers, leave=False, **bar):
                picture = draw(number)
                if picture is None:
                    break
                self.reel.add(picture)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(
                f"stopped after {len(self.reel)} of {count} frames, which are in"
                f" {self.reel.folder}: repeat the same to continue"
            ) from None

    def finish(self, order=None, **results):
        """Write the film; the `Movie`. `results` are added to its settings."""
        from .watching import Movie

        shown = len(self.reel if order is None else order)
        settings = {**self.settings, "frames": shown, **results}
        return Movie(self.reel.finish(settings, order, keep_frames=self.keep_frames), settings)


def picture_of(run):
    """A run's picture; a run that was interrupted stops the film instead."""
    if run.stopped == "interrupted":
        raise KeyboardInterrupt
    return run.image


def frame_seed(seed, number):
    """The seed of one frame, so that every frame has its own jitter and a film can be continued."""
    return int(np.random.default_rng((seed, number)).integers(2**31))


def smooth_rise(x):
    """0 below 0, 1 above 1, and a smooth rise between them."""
    x = np.clip(x, 0.0, 1.0)
    return x * x * (3 - 2 * x)
