"""Batch: many pictures with one call, failures reported at the end.  (Notebook 00.)

Finished pictures are skipped: those that are complete, with their history next to them and settings
that say they were made from the same photo in the same way.
"""

import inspect
import json
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import DreamkitError, ImageError, SettingsError
from ..images import MAX_PIXELS, WRITABLE, load_alpha, load_image
from ..inputs.files import check_folder
from ..inputs.names import plain_name
from .jobs import run_all
from .sources import distinct_names, expand

MADE_DIFFERENTLY = (
    "'{path}' exists but was made differently: add --overwrite or choose another --out."
)
TRIAL = 256  # px: small enough to score in a moment, and large enough for every network


@dataclass
class Job:
    """A picture to make: from which photo, where to, and its recipe's arguments and settings."""

    photo: str
    path: Path
    given: dict
    settings: dict


# What is finished


def is_finished(path, settings, seeded):
    """Whether a picture is complete; an `ImageError` if it was made with other settings.

    Unless `seeded`, any seed will do.
    """
    _, record, history = result_files(path)
    noted = _recorded(record) or _recorded(path)
    if not noted or "stopped" in noted or _decisive(noted, seeded) != _decisive(settings, seeded):
        raise ImageError(MADE_DIFFERENTLY.format(path=path))
    return bool(_recorded(record)) and _is_complete(path, history)


def result_files(path):
    """A picture, its settings and its history."""
    return path, path.with_suffix(".json"), path.with_suffix(".csv")


def _recorded(path):
    from ..runs.reproduce import read_settings

    try:
        return read_settings(path)
    except DreamkitError:
        return None


def _decisive(settings, seeded):
    """The settings that decide how a picture comes out, as a file would return them."""
    settings = json.loads(json.dumps(settings))
    inputs = {name: {**noted, "source": None} for name, noted in settings["inputs"].items()}
    arguments = _defaults(settings["recipe"]) | settings["arguments"]
    chosen = [settings["recipe"], arguments, {**settings["profile"], "reason": None}]
    return [*chosen, inputs, settings["seed"] if seeded else None]


def _defaults(recipe):
    """A recipe's default arguments: settings from before an argument existed do not have it."""
    from .. import recipes

    parameters = inspect.signature(getattr(recipes, recipe)).parameters.values()
    return {p.name: p.default for p in parameters if p.default is not p.empty}


def _is_complete(picture, history):
    try:
        load_image(picture)
        return history.read_text("utf-8").endswith("\n")
    except (DreamkitError, OSError, ValueError):
        return False


# The work


def make(job):
    """The finished Run of a job, in whichever process does the work."""
    from .. import recipes

    names = job.given.keys() & job.settings["inputs"].keys()  # several styles are arrays already
    pictures = {name: load_image(job.given[name]) for name in names}
    run = getattr(recipes, job.settings["recipe"]).__wrapped__(**{**job.given, **pictures})
    if run.stopped:
        raise KeyboardInterrupt
    run.settings = job.settings
    return run


def compact(picture):
    """The picture in bytes, a quarter of the size to send, if that loses nothing."""
    pixels = np.rint(picture * 255).astype(np.uint8)
    return pixels if np.array_equal(load_image(pixels), picture) else picture


def summary(run, path):
    """One line about a picture just saved."""
    return f"{time.strftime('%H:%M')}  {path}  ({run.history['seconds'].iloc[-1]:.0f} s)"


class Batch:
    """Pictures made with one call.

    Args:
        recipe: a recipe, such as `style_transfer`.
        photos: list of str: see `expand`.
        label: what the results' names end in.
        out: folder for the results.
        arguments: the recipe's arguments except for the photo.
        overwrite: True to make existing pictures again.
        workers, scheduler: see `run_all`.
        keep_alpha: True to make results as transparent as their photos.

    Raises:
        DreamkitError: something is wrong with every picture; none has been made.
    """

    def __init__(
        self, recipe, photos, label, out, arguments, overwrite, workers, scheduler, keep_alpha=False
    ):
        self.recipe, self.arguments, self.overwrite = recipe, arguments, overwrite
        self.keep_alpha = keep_alpha
        self.where = dict(workers=workers, scheduler=scheduler)
        out = Path(out).expanduser()
        if out.suffix.lower() in WRITABLE and not out.is_dir():
            raise SettingsError(f"--out '{out}' is a file, but a batch needs a folder: name one.")
        check_folder(out)
        photos = expand(photos, out)
        files = [f"{name}-{plain_name(label)}.png" for name in distinct_names(photos)]
        self.paths = {photo: out / file for photo, file in zip(photos, files, strict=True)}
        self.failures, self.unfinished = {}, set()

    def run(self):
        """Make every picture not yet finished, report each, and return {photo: its error}."""
        self.check()
        wanted = {photo: path for photo, path in self.paths.items() if self.is_wanted(photo, path)}
        if done := len(self.paths) - len(wanted) - len(self.failures):
            print(f"{done} of {len(self.paths)} already done (--overwrite makes them again)")
        try:
            self.work(wanted)
        finally:
            for photo, error in self.failures.items():
                message = " ".join(str(error).split())
                prefix = "" if repr(photo) in message else f"{photo}: "
                print(f"dreamkit: {prefix}{message}", file=sys.stderr)
        return self.failures

    def check(self):
        """Score a small picture of noise; an error it raises would be every picture's."""
        size = self.arguments["size"] or self.arguments["profile"].size
        if size**2 > 16 * MAX_PIXELS:
            raise ImageError(f"Size {size} px is too large: choose a smaller one.")
        noise = np.random.default_rng(0).random((min(size, TRIAL), min(size, TRIAL), 3), "f4")
        steps = {"steps", "octave_steps"} & inspect.signature(self.recipe).parameters.keys()
        given = dict.fromkeys(steps, 0) | dict(progress=False)
        if self.recipe.__name__ != "texture":  # whose size is not its picture's
            given["size"] = None
        trial = self.job(noise, None, **given)
        ((_, result),) = run_all(make, [trial], **self.where)
        if isinstance(result, Exception):
            raise result

    def job(self, photo, path, **changes):
        remote = self.where["workers"] > 1 or self.where["scheduler"]
        call = {**self.arguments, "progress": not remote, **changes}
        given, settings = self.recipe.resolve(photo, **call)
        if remote:
            names = given.keys() & settings["inputs"].keys()
            given |= {name: compact(given[name]) for name in names}
        return Job(photo, path, given, settings)

    def is_wanted(self, photo, path):
        """Whether the picture must be made; one that must not be replaced is a failure."""
        if self.overwrite or not any(map(os.path.lexists, result_files(path))):
            return True
        seeded = self.arguments["seed"] is not None
        try:
            if not is_finished(path, self.job(photo, path).settings, seeded):
                self.unfinished.add(path)
        except (DreamkitError, OSError) as error:
            self.failures[photo] = error
        return path in self.unfinished

    def work(self, wanted):
        from tqdm.auto import tqdm

        style = "{n_fmt} of {total_fmt} pictures |{bar}| {remaining} left"
        with tqdm(total=len(wanted), bar_format=style, dynamic_ncols=True) as bar:
            for job, result in run_all(make, self.jobs(wanted, bar), **self.where):
                if isinstance(result, Exception):
                    self.failures[job.photo] = result
                else:
                    self.save(job, result, bar)
                bar.update()

    def jobs(self, wanted, bar):
        """A job for each photo that can be read, one at a time."""
        for photo, path in wanted.items():
            try:
                job = self.job(photo, path)
            except (DreamkitError, OSError) as error:
                self.failures[photo] = error
                bar.update()
            else:
                yield job

    def save(self, job, run, bar):
        """Write a picture, but not over one that has appeared since this call began."""
        free = self.overwrite or job.path in self.unfinished or not job.path.exists()
        try:
            if not free:
                raise ImageError(MADE_DIFFERENTLY.format(path=job.path))
            alpha = load_alpha(job.photo, run.image.shape[:2]) if self.keep_alpha else None
            run.save(job.path, overwrite=True, alpha=alpha)
        except (DreamkitError, OSError) as error:
            self.failures[job.photo] = error
        else:
            bar.write(summary(run, job.path))
