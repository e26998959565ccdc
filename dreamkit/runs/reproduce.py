"""Make a picture again, or go on with it: rerun() and resume().  (Notebook 00.)"""

import json
from pathlib import Path

from ..errors import SettingsError
from ..images import read_metadata
from ..recipes import RECIPES
from .checkpoint import Checkpoint
from .run import METADATA_KEY


def rerun(path, **changes):
    """Make a picture again from the settings saved with it.

    Args:
        path: a `.png` or `.json` that `Run.save` wrote.
        changes: arguments to change, such as `style=` or `size=`; pictures that were arrays
            have to be given.

    Returns:
        A new `Run`: the same picture, on the same machine and versions.

    Raises:
        SettingsError: no settings there, or an input that cannot be had or has changed.

    Introduced in notebook 00.
    """
    settings = read_settings(path)
    given = {}
    for name, recorded in settings["inputs"].items():
        given[name] = changes.pop(name, recorded["source"])
        if given[name] is None:
            raise SettingsError(f"The {name} was an array: pass it again, as rerun(…, {name}=…).")
    call = {**settings["arguments"], "seed": settings["seed"], "profile": settings["profile"]}
    run = RECIPES[settings["recipe"]](**{**given, **call, **changes})
    resized = changes.keys() & {"size", "profile"}
    for name, recorded in settings["inputs"].items():
        now, source = run.settings["inputs"][name], recorded["source"]
        if not resized and now["source"] == source and now["sha256"] != recorded["sha256"]:
            changed = source or "The array"
            raise SettingsError(f"{changed} is not the {name} it was: bring the old one back.")
    return run


def read_settings(path):
    """The settings beside or inside a picture that `Run.save` wrote."""
    path = Path(path)
    try:
        text = path.read_text("utf-8") if path.suffix == ".json" else None
        settings = json.loads(text or read_metadata(path)[METADATA_KEY])
        if settings["recipe"] in RECIPES:
            return settings
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise SettingsError(
            f"{path} holds no settings of dreamkit: give the .png or .json that a run saved."
        ) from error
    recipe = settings["recipe"]
    raise SettingsError(f"{path} was made by {recipe!r}, which this version does not know.")


def resume(checkpoint, **changes):
    """Continue a run that was cut off.

    Args:
        checkpoint: the `.npz` file given to the recipe as `checkpoint=`.
        changes: `callback=` or `progress=`, which no file can hold.

    Returns:
        The finished `Run`: with Adam and gradient steps, the picture of an uninterrupted run.

    Raises:
        SettingsError: the file is missing or is no checkpoint.

    Introduced in notebook 00.
    """
    if not Path(checkpoint).is_file():
        raise SettingsError(
            f"There is no checkpoint at {checkpoint}: name the file a run was given."
        )
    kept = Checkpoint(checkpoint)
    if "settings" not in kept.notes:
        raise SettingsError(f"{checkpoint} was not kept by a recipe: start that run again.")
    settings = kept.notes["settings"]
    pictures = {name: kept.arrays[f"input:{name}"] for name in settings["inputs"]}
    call = {**settings["arguments"], "seed": settings["seed"], "profile": settings["profile"]}
    run = RECIPES[settings["recipe"]](**pictures, **{**call, **changes}, checkpoint=kept)
    run.settings = settings
    return run
