"""Many pictures in one go: what is done is skipped, what fails is told at the end.  (Notebook 00.)

"Done" is a picture that is whole, with its history and settings beside it, and whose settings say
that it came from the same photo in the same way.
"""

import json
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import DreamkitError, ImageError, SettingsError
from ..files import check_folder
from ..images import MAX_PIXELS, WRITABLE, load_image
from ..runs.checkpoint import Checkpoint
from .jobs import run_all
from .sources import distinct_names, expand

MADE_OTHERWISE = "'{path}' is there already, made otherwise: add --overwrite or give another --out."
GREY = 0.5
LARGEST_TRIAL = 1024  # px: of this size no picture is too small for a network


@dataclass
class Job:
    """A picture to make: from what, to where, and the call of its recipe with all settled."""

    photo: str
    path: Path
    given: dict
    settings: dict


# Which pictures


# What is done


def state(path, settings, seeded):
    """How far a picture is: `"free"`, `"done"`, `"unfinished"` or, made otherwise, `"other"`.

    Args:
        path: where the picture is to be.
        settings: those it is to have.
        seeded: whether the seed was asked for; if not, any will do.
    """
    beside = path.with_suffix(".json"), path.with_suffix(".csv")
    if not any(map(os.path.lexists, (path, *beside))):
        return "free"
    noted = _noted(beside[0]) or _noted(path)
    if not noted or "stopped" in noted or _deciding(noted, seeded) != _deciding(settings, seeded):
        return "other"
    return "done" if _noted(beside[0]) and _is_whole(path, beside[1]) else "unfinished"


def _noted(path):
    from ..runs.reproduce import read_settings

    try:
        return read_settings(path)
    except DreamkitError:
        return None


def _deciding(settings, seeded):
    """What decides how a picture comes out, in the form that a file gives back."""
    settings = json.loads(json.dumps(settings))
    inputs = {name: {**noted, "source": None} for name, noted in settings["inputs"].items()}
    chosen = [settings["recipe"], settings["arguments"], {**settings["profile"], "reason": None}]
    return [*chosen, inputs, settings["seed"] if seeded else None]


def _is_whole(picture, history):
    try:
        load_image(picture)
        return history.read_text("utf-8").endswith("\n")
    except (DreamkitError, OSError, ValueError):
        return False


# The work


class AllDone(Checkpoint):
    """By this checkpoint every phase is finished: a recipe checks its call, and takes no step."""

    def state(self, phase):
        row = dict(step=0, phase=phase, total=0.0, seconds=0.0)
        return dict(step=1, steps=0, rows=[row], total=0.0, image=np.full((1, 1, 3), GREY, "f4"))


def make(job):
    """The finished Run of a job; called in whatever process does the work."""
    from .. import recipes

    pictures = {name: load_image(job.given[name]) for name in job.settings["inputs"]}
    run = getattr(recipes, job.settings["recipe"]).__wrapped__(**{**job.given, **pictures})
    if run.stopped:
        raise KeyboardInterrupt
    run.settings = job.settings
    return run


def compact(picture):
    """A picture's pixels as bytes if they are as good, which spares the way to another process."""
    pixels = np.rint(picture * 255).astype(np.uint8)
    return pixels if np.array_equal(load_image(pixels), picture) else picture


class Batch:
    """Pictures that one call makes.

    Args:
        recipe: a recipe, such as `style_transfer`.
        photos: list of str: see `expand`.
        what: the end of the results' names.
        out: their folder.
        arguments: the recipe's arguments but for the photo.
        overwrite: True to make again what is there.
        workers, scheduler: see `run_all`.

    Raises:
        DreamkitError: the call as a whole is wrong: no picture has been made then.
    """

    def __init__(self, recipe, photos, what, out, arguments, overwrite, workers, scheduler):
        self.recipe, self.arguments, self.overwrite = recipe, arguments, overwrite
        self.how = dict(workers=workers, scheduler=scheduler)
        out = Path(out).expanduser()
        if out.suffix.lower() in WRITABLE and not out.is_dir():
            raise SettingsError(f"--out '{out}' is a file, and a batch needs a folder: name one.")
        check_folder(out)
        photos = expand(photos, out)
        files = [f"{name}-{what}.png".replace(" ", "_") for name in distinct_names(photos)]
        self.paths = {photo: out / file for photo, file in zip(photos, files, strict=True)}
        self.failures, self.unfinished = {}, set()

    def check(self):
        """Go through a call without taking a step; what it raises is wrong with all calls."""
        size = self.arguments["size"] or self.arguments["profile"].size
        if size**2 > 16 * MAX_PIXELS:
            raise ImageError(f"Size {size} px is too large: ask for a smaller one.")
        side = min(size, LARGEST_TRIAL)
        job = self.job(np.full((side, side, 3), GREY, "f4"), None, checkpoint=AllDone())
        ((_, result),) = run_all(make, [job], **self.how)
        if isinstance(result, Exception):
            raise result

    def job(self, photo, path, **changes):
        given, settings = self.recipe.resolve(photo, **self.arguments)
        away = self.how["workers"] > 1 or self.how["scheduler"]
        sent = {name: compact(given[name]) for name in settings["inputs"]} if away else {}
        return Job(photo, path, {**given, "progress": not away, **sent, **changes}, settings)

    def run(self):
        """Make what is not done, tell of each picture, and return {photo: why it failed}."""
        self.check()
        wanted = {photo: path for photo, path in self.paths.items() if self.is_wanted(photo, path)}
        if done := len(self.paths) - len(wanted) - len(self.failures):
            print(f"{done} of {len(self.paths)} done before (--overwrite makes them again)")
        try:
            self.work(wanted)
        finally:
            for photo, error in self.failures.items():
                why = " ".join(str(error).split())
                named = "" if repr(photo) in why else f"{photo}: "
                print(f"dreamkit: {named}{why}", file=sys.stderr)
        return self.failures

    def is_wanted(self, photo, path):
        """Whether the picture has to be made; one that may not be replaced is a failure."""
        if self.overwrite or not any(
            os.path.lexists(path.with_suffix(end)) for end in (".png", ".json", ".csv")
        ):
            return True
        try:
            found = state(path, self.job(photo, path).settings, self.arguments["seed"] is not None)
        except (DreamkitError, OSError) as error:
            self.failures[photo] = error
            return False
        if found == "other":
            self.failures[photo] = ImageError(MADE_OTHERWISE.format(path=path))
        if found == "unfinished":
            self.unfinished.add(path)
        return found == "unfinished"

    def work(self, wanted):
        from tqdm.auto import tqdm

        style = "{n_fmt} of {total_fmt} pictures |{bar}| {remaining} left"
        with tqdm(total=len(wanted), bar_format=style, dynamic_ncols=True) as bar:
            for job, result in run_all(make, self.jobs(wanted, bar), **self.how):
                if isinstance(result, Exception):
                    self.failures[job.photo] = result
                else:
                    self.save(job, result, bar)
                bar.update()

    def jobs(self, wanted, bar):
        """A job for each photo that can be read, as it is asked for."""
        for photo, path in wanted.items():
            try:
                job = self.job(photo, path)
            except (DreamkitError, OSError) as error:
                self.failures[photo] = error
                bar.update()
            else:
                yield job

    def save(self, job, run, bar):
        """Write a picture, but not over one that has come there since this call began."""
        free = self.overwrite or job.path in self.unfinished or not job.path.exists()
        try:
            if not free:
                raise ImageError(MADE_OTHERWISE.format(path=job.path))
            run.save(job.path, overwrite=True)
        except (DreamkitError, OSError) as error:
            self.failures[job.photo] = error
        else:
            seconds = run.history["seconds"].iloc[-1]
            bar.write(f"{time.strftime('%H:%M')}  {job.path}  ({seconds:.0f} s)")
