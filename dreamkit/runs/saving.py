"""Saving a run whatever happens, and under a name that says how it ended.  (Notebook 00.)"""

import contextlib
import os
import tempfile
from pathlib import Path

from ..errors import DreamkitError
from ..images import load_alpha
from ..inputs.files import free_name, with_ending

COMPANIONS = ".json", ".csv"  # what `Run.save` writes next to a picture
UNFINISHED = {"interrupted": "stopped", "callback": "stopped", "diverged": "diverged"}


def save_somewhere(run, path, overwrite=False, alpha=None):
    """Save a run or, if that is impossible, save it under a free name nearby.

    Nearby is the same folder, then the current one, then the system's for temporary files.

    Args:
        run: a `Run`. If it ended early, a file's name that says so is used instead.
        path, overwrite, alpha: see `Run.save`.

    Returns:
        The picture's path, and what went wrong in a sentence, or None.

    Raises:
        DreamkitError, OSError: it could not be saved anywhere.
    """
    path = named_for_its_end(run, path, overwrite)
    try:
        return run.save(path, overwrite, alpha), None
    except (DreamkitError, OSError) as error:
        problem = error
    for folder in (lambda: path.parent, Path.cwd, lambda: Path(tempfile.gettempdir())):
        with contextlib.suppress(DreamkitError, OSError):  # also from a folder that has vanished
            where = run.save(free_name(folder() / path.name, COMPANIONS), alpha=alpha)
            reason = f"'{path}' could not be written ({reason_of(problem)})"
            return where, f"{reason}: the picture is in '{where}' instead."
    raise problem


def kept_alpha(photo, run):
    """A photo's alpha channel for the picture of a run, and what went wrong or None.

    The work is done by now, and must not be lost whatever has become of the photo meanwhile.
    """
    try:
        return load_alpha(photo, run.image.shape[:2]), None
    except Exception as error:
        return None, f"The transparency could not be kept: {reason_of(error)}."


def best_so_far(error, path):
    """What to report about a run that diverged, and whose best picture is saved."""
    advice = str(error).partition("; the best picture")[0]
    return f"{advice}; the best picture so far is in '{spelled(path)}'."


def named_for_its_end(run, path, overwrite=False):
    """The path; for a run that ended early with the reason in its name, and free."""
    reason = run.settings.get("stopped")
    if reason is None:
        return path
    path = with_ending(path, f"-{UNFINISHED[reason]}", room="-999")
    taken = any(os.path.lexists(path.with_suffix(s)) for s in (path.suffix, *COMPANIONS))
    return free_name(path, COMPANIONS) if taken and not overwrite else path


def reason_of(error):
    """Why something failed, in a few words or a sentence."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(text.split()).rstrip(".")


def spelled(path):
    """A path as text that can be printed in UTF-8, even if its name is not UTF-8.

    >>> print(spelled("\\udce9t\\udce9.jpg"))
    \\xe9t\\xe9.jpg
    """
    return os.fsencode(path).decode("utf-8", "backslashreplace")
