"""Batch: many pictures with one call, failures reported at the end.  (Notebook 00.)

Finished pictures are skipped: those that are complete, with their history next to them and settings
that say they were made from the same photo in the same way.
"""

import contextlib
import inspect
import os
import platform
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import DivergedError, DreamkitError, ImageError, SettingsError
from ..images import MAX_PIXELS, WRITABLE, load_image
from ..inputs.files import check_room, shortened
from ..inputs.names import plain_name
from ..runs.saving import best_so_far, kept_alpha, reason_of, save_somewhere, spelled
from ..runs.stopping import completing
from .jobs import run_all
from .sources import expand, is_source, names, recorded, shared

MADE_DIFFERENTLY = (
    "'{path}' exists but was made differently: add --overwrite or choose another --out."
)
OTHER_WEIGHTS = (
    "'{path}' exists but was made with other weights of {name}: restore them, add --overwrite or"
    " choose another --out."
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
    noted = recorded(record) or recorded(path)
    if noted and (name := _other_weights(noted, settings)):
        raise ImageError(OTHER_WEIGHTS.format(path=path, name=name))
    if not noted or "stopped" in noted or not _same(noted, settings, seeded):
        raise ImageError(MADE_DIFFERENTLY.format(path=path))
    return bool(recorded(record)) and _is_complete(path, history)


def result_files(path):
    """A picture, its settings and its history."""
    return path, path.with_suffix(".json"), path.with_suffix(".csv")


def _other_weights(noted, settings):
    """The name of a network whose weights aren't those of a file's settings, or None."""
    from ..runs.identity import changed_weights

    recorded = noted.get("weights", {})
    argument = changed_weights(recorded, settings.get("weights", {}))
    return argument and recorded[argument]["name"]


def _same(noted, settings, seeded):
    """Whether settings in a file, which may be anything, would give the same picture."""
    try:
        wanted = settings if "weights" in noted else {**settings, "weights": None}
        return _decisive({"weights": None, **noted}, seeded) == _decisive(wanted, seeded)
    except (AttributeError, KeyError, TypeError, ValueError):
        return False


def _decisive(settings, seeded):
    """The settings that decide how a picture comes out, as a file would return them."""
    from ..runs.identity import decisive

    chosen = decisive(settings)
    chosen["arguments"] = _defaults(chosen["recipe"]) | chosen["arguments"]
    return chosen if seeded else {**chosen, "seed": None}


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
    from ..runs.identity import changed_weights, weights
    from ..runs.stopping import between_steps
    from ..runs.versions import versions

    names = job.given.keys() & job.settings["inputs"].keys()  # several styles are arrays already
    pictures = {name: load_image(job.given[name]) for name in names}
    given = {**job.given, **pictures}
    used = weights(given)
    if argument := changed_weights(job.settings.get("weights", {}), used):
        raise SettingsError(
            f"The worker on {platform.node()} has other weights of {used[argument]['name']} than"
            " the first one: give all workers the same files."
        )
    recipe = getattr(recipes, job.settings["recipe"])
    with between_steps():
        run = recipe.__wrapped__(**given | recipe.expand(given))
    if run.stopped:
        raise KeyboardInterrupt
    run.settings = {**job.settings, "weights": used, "versions": versions()}
    return run


def make_or_explain(job):
    """Like `make`, but whatever fails is an error that ends only this job."""
    try:
        return make(job)
    except Exception as error:
        raise reported(error) from None


def reported(error):
    """Any error as one that ends only its own picture: whatever one file does, we go on."""
    if isinstance(error, DreamkitError | OSError):
        return error
    return ImageError(f"It cannot be made ({type(error).__name__}: {reason_of(error)}).")


def compact(picture):
    """The picture in bytes, a quarter of the size to send, if that loses nothing."""
    pixels = np.rint(picture * 255).astype(np.uint8)
    return pixels if np.array_equal(load_image(pixels), picture) else picture


def summary(run, path):
    """One line about a picture just saved."""
    seconds = run.history["seconds"].iloc[-1]
    return f"{time.strftime('%H:%M')}  {spelled(path)}  ({seconds:.0f} s)"


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
        if out.suffix.lower() in WRITABLE and not os.path.isdir(out):
            raise SettingsError(f"--out '{out}' is a file, but a batch needs a folder: name one.")
        check_room(out / "picture.png")
        photos = expand(photos, out)
        self.label, self.out = plain_name(label), out
        self.failures, self.unfinished, self.weights = {}, set(), None
        alike = shared([names(photo)[0] for photo in photos])
        self.paths = {p: self.place(p, other) for p, other in zip(photos, alike, strict=True)}

    def place(self, photo, alike):
        """Where the result of a photo is, or goes; `alike` if another photo has the same stem."""
        stems = [shortened(f"{name}-{self.label}", ".png") for name in names(photo)]
        plain, own, *others = [self.out / f"{stem}.png" for stem in stems]
        records = {path: self.photo_of(path) for path in (plain, own, *others)}
        for path, record in records.items():
            if record and is_source(photo, record):
                return path
        if alike or (records[plain] and self.digest(photo) not in (None, records[plain]["sha256"])):
            return own
        return plain

    def photo_of(self, path):
        """The record of the photo that the result at a path was made from, or None."""
        if not any(map(os.path.lexists, result_files(path))):
            return None
        noted = recorded(path.with_suffix(".json")) or recorded(path)
        return noted and noted["inputs"].get(next(iter(inspect.signature(self.recipe).parameters)))

    def digest(self, photo):
        """The SHA-256 that a result would record of its photo; None if it cannot be read."""
        with contextlib.suppress(Exception):  # it is reported when its turn comes
            (record, *_) = self.job(photo, None).settings["inputs"].values()
            return record["sha256"]

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
                message = " ".join((str(error) or type(error).__name__).split())
                prefix = "" if repr(photo) in message else f"{spelled(photo)}: "
                print(f"dreamkit: {prefix}{message}", file=sys.stderr)
        return self.failures

    def check(self):
        """Score a small picture of noise; an error it raises would be every picture's."""
        size = self.arguments["size"] or self.arguments["profile"].size
        if size == "own":  # which each photo's turn will show
            size = TRIAL
        if size**2 > 16 * MAX_PIXELS:
            raise ImageError(f"Size {size} px is too large: choose a smaller one.")
        noise = np.random.default_rng(0).random((min(size, TRIAL), min(size, TRIAL), 3), "f4")
        steps = {"steps", "octave_steps"} & inspect.signature(self.recipe).parameters.keys()
        if self.arguments.get("order") == "joint":  # in which dreams have no steps of their own
            steps -= {"octave_steps"}
        given = dict.fromkeys(steps, 0) | dict(progress=False)
        if self.recipe.__name__ != "texture":  # whose size is not its picture's
            given["size"] = None
        trial = self.job(noise, None, **given)
        ((_, result),) = run_all(make, [trial], **self.where)
        if isinstance(result, Exception):
            raise result
        self.weights = getattr(result, "settings", {}).get("weights")

    def job(self, photo, path, **changes):
        remote = self.where["workers"] > 1 or self.where["scheduler"]
        call = {**self.arguments, "progress": not remote, **changes}
        given, settings = self.recipe.resolve(photo, **call)
        if remote:
            names = given.keys() & settings["inputs"].keys()
            given |= {name: compact(given[name]) for name in names}
        settings = settings | ({"weights": self.weights} if self.weights else {})
        return Job(photo, path, given, settings)

    def is_wanted(self, photo, path):
        """Whether the picture must be made; one that must not be replaced is a failure."""
        if self.overwrite or not any(map(os.path.lexists, result_files(path))):
            return True
        seeded = self.arguments["seed"] is not None
        try:
            if not is_finished(path, self.job(photo, path).settings, seeded):
                self.unfinished.add(path)
        except Exception as error:
            self.failures[photo] = reported(error)
        return path in self.unfinished

    def work(self, wanted):
        from tqdm.auto import tqdm

        style = "{n_fmt} of {total_fmt} pictures |{bar}| {remaining} left"
        with tqdm(total=len(wanted), bar_format=style, dynamic_ncols=True) as bar:
            for job, result in run_all(make_or_explain, self.jobs(wanted, bar), **self.where):
                try:
                    if isinstance(result, Exception):
                        raise result
                    with completing():
                        self.save(job, result, bar)
                except DivergedError as error:
                    self.failures[job.photo] = self.save_best(job, error)
                except Exception as error:
                    self.failures[job.photo] = reported(error)
                bar.update()

    def jobs(self, wanted, bar):
        """A job for each photo that can be read, one at a time."""
        for photo, path in wanted.items():
            try:
                job = self.job(photo, path)
            except Exception as error:
                self.failures[photo] = reported(error)
                bar.update()
            else:
                yield job

    def save(self, job, run, bar):
        """Write a picture, but not over one that has appeared since this call began."""
        replace = self.overwrite or job.path in self.unfinished
        alpha, lost = kept_alpha(job.photo, run) if self.keep_alpha else (None, None)
        path, problem = save_somewhere(run, job.path, replace, alpha)
        if problem and not replace and os.path.lexists(job.path):
            path, problem = self._made_meanwhile(job, path)
        bar.write(summary(run, path))
        if problem or lost:
            raise ImageError(problem or lost)

    def _made_meanwhile(self, job, path):
        """Where a picture is whose place was taken, and what to report: None if by its equal."""
        try:
            is_finished(job.path, job.settings, self.arguments["seed"] is not None)
        except ImageError as error:
            return path, f"{error} This one is '{spelled(path)}'."
        for file in result_files(path):  # another process was asked for the same
            file.unlink()
        return job.path, None

    def save_best(self, job, error):
        """Save the best picture of a run that diverged; the error to report."""
        from ..runs.settings import ended

        if error.run is None or error.run.image is None:
            return error
        error.run.settings = ended(job.settings, error.run, "diverged")
        try:
            path, _ = save_somewhere(error.run, job.path)
        except (DreamkitError, OSError) as problem:
            return problem
        return ImageError(best_so_far(error, path))
