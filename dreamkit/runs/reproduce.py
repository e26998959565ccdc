"""rerun() makes a picture again, resume() continues an interrupted run.  (Notebook 00.)"""

import json
from pathlib import Path

from ..errors import SettingsError
from ..film.morph import morph
from ..film.video import transform_video
from ..film.zoom import zoom_dream
from ..images import read_metadata
from ..recipes import RECIPES
from .checkpoint import Checkpoint
from .run import METADATA_KEY

FILMS = {maker.__name__: maker for maker in (zoom_dream, morph, transform_video)}
MAKERS = {**RECIPES, **FILMS}


def rerun(path, **changes):
    """Make a picture or film again from the settings saved with it.

    Args:
        path: a `.png` or `.json` file that `Run.save` wrote, or a film's `.json`.
        changes: arguments to change, such as `style=` or `size=`; pictures that were arrays must
            be passed again. A film needs `out=`, the file to write.

    Returns:
        A new `Run` or `Movie`; with the same machine and versions, the same picture or film.

    Raises:
        SettingsError: the file holds no settings, or an input is missing or has changed.

    Introduced in notebook 00.
    """
    settings = read_settings(path)
    given = {}
    for name, recorded in settings["inputs"].items():
        given[name] = changes.pop(name, recorded["source"])
        if given[name] is None:
            raise SettingsError(f"The {name} was an array: pass it again, as rerun(…, {name}=…).")
    call = {**settings["arguments"], "seed": settings["seed"], "profile": settings["profile"]}
    if settings["recipe"] in FILMS and "out" not in changes:
        raise SettingsError("A film is written to a file: name it, as rerun(…, out='again.mp4').")
    run = MAKERS[settings["recipe"]](**{**given, **call, **changes})
    resized = changes.keys() & {"size", "profile"}
    for name, recorded in settings["inputs"].items():
        now, source = run.settings["inputs"][name], recorded["source"]
        if not resized and now["source"] == source and now["sha256"] != recorded["sha256"]:
            raise SettingsError(
                f"The {name} {source or 'array'} has changed since the run: restore the old one."
            )
    return run


def read_settings(path):
    """The settings that `Run.save` wrote into a `.png` or `.json`."""
    path = Path(path)
    try:
        text = path.read_text("utf-8") if path.suffix == ".json" else None
        settings = json.loads(text or read_metadata(path)[METADATA_KEY])
        if settings["recipe"] in MAKERS:
            return settings
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise SettingsError(
            f"{path} holds no dreamkit settings: give the .png or .json that a run saved."
        ) from error
    recipe = settings["recipe"]
    raise SettingsError(f"{path} was made by an unknown recipe, {recipe!r}: update dreamkit.")


def resume(checkpoint, **changes):
    """Continue an interrupted run.

    Args:
        checkpoint: the `.npz` file given to the recipe as `checkpoint=`.
        changes: `callback=` or `progress=`, which a file cannot store.

    Returns:
        The finished `Run`: with Adam and gradient steps, the same picture as without the break.

    Raises:
        SettingsError: the file is missing, or is not a checkpoint of a recipe.

    Introduced in notebook 00.
    """
    if not Path(checkpoint).is_file():
        raise SettingsError(f"There is no checkpoint at {checkpoint}: give the run's checkpoint=.")
    saved = Checkpoint(checkpoint)
    if "settings" not in saved.notes:
        raise SettingsError(f"{checkpoint} was not written by a recipe: start that run again.")
    settings = saved.notes["settings"]
    pictures = {name: saved.arrays[f"input:{name}"] for name in settings["inputs"]}
    call = {**settings["arguments"], "seed": settings["seed"], "profile": settings["profile"]}
    run = RECIPES[settings["recipe"]](**pictures, **{**call, **changes}, checkpoint=saved)
    run.settings = settings
    return run
