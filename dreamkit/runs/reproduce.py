"""rerun() makes a picture again, resume() continues an interrupted run.  (Notebook 00.)"""

import json
from pathlib import Path

from ..errors import SettingsError, check_range
from ..film.morph import morph
from ..film.video import transform_video
from ..film.zoom import zoom_dream
from ..images import read_metadata
from ..networks.devices import gpu
from ..recipes import RECIPES
from ..startup import tf
from .checkpoint import Checkpoint
from .pictures import call_arguments
from .run import METADATA_KEY
from .steering import Steered

FILMS = {maker.__name__: maker for maker in (zoom_dream, morph, transform_video)}
MAKERS = {**RECIPES, **FILMS}


def rerun(path, **changes):
    """Make a picture or film again from the settings saved with it.

    Args:
        path: a `.png` or `.json` file that `Run.save` wrote, or a film's `.json`.
        changes: arguments to change, such as `style=` or `size=`; pictures that were arrays must
            be passed again. A film needs `out=`, the file to write.

    Returns:
        A new `Run` or `Movie`; with the same machine and versions, the same picture or film. On a
        GPU, TensorFlow's deterministic operations are switched on for the rest of the process, so
        that all reruns are the same; a run made without them may differ in the last bits.

    Raises:
        SettingsError: the file holds no settings, or an input is missing or has changed.

    Introduced in notebook 00.
    """
    settings = read_settings(path)
    pictures = {}
    for key, recorded in settings["inputs"].items():
        name, pictures[key] = key.partition(" ")[0], recorded["source"]
        if pictures[key] is None and name not in changes:
            raise SettingsError(f"The {key} was an array: pass it again, as rerun(…, {name}=…).")
    if settings["recipe"] in FILMS and "out" not in changes:
        raise SettingsError("A film is written to a file: name it, as rerun(…, out='again.mp4').")
    if "steered" in settings:
        changes = {"callback": Steered(settings["steered"]), **changes}
    make_deterministic()
    run = MAKERS[settings["recipe"]](**{**call_arguments(settings, pictures), **changes})
    resized = changes.keys() & {"size", "profile"}
    for key, recorded in settings["inputs"].items():
        now, source = run.settings["inputs"].get(key, recorded), recorded["source"]
        if not resized and now["source"] == source and now["sha256"] != recorded["sha256"]:
            raise SettingsError(
                f"The {key} {source or 'array'} has changed since the run: restore the old one."
            )
    return run


def make_deterministic():
    """On a GPU, let every operation give the same bits each time, and say so in one line."""
    if gpu():
        tf.config.experimental.enable_op_determinism()
        print("On a GPU: all reruns are the same, but the last bits of the first run may differ.")


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


def resume(checkpoint, steps=None, **changes):
    """Continue an interrupted run, or a finished one with more steps.

    Args:
        checkpoint: the `.npz` file given to the recipe as `checkpoint=`.
        steps: how many more steps to do at full size after the last; None for no more.
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
    if steps is not None:
        settings["arguments"] |= _more_steps(settings, steps)
    pictures = {key: saved.arrays[f"input:{key}"] for key in settings["inputs"]}
    call = {**call_arguments(settings, pictures), **changes}
    run = RECIPES[settings["recipe"]](**call, checkpoint=saved)
    run.settings = settings | ({"stopped": run.stopped} if run.stopped else {})
    return run


def _more_steps(settings, steps):
    """{argument: numbers of steps}, for the last part of a run to go on after its end."""
    check_range("steps", steps, 1)
    arguments, recipe = settings["arguments"], settings["recipe"]
    dreams_last = recipe == "deep_dream" or arguments.get("order") == "style-dream"
    name = "octave_steps" if arguments.get("order") == "style-dream" else "steps"
    planned = arguments[name]
    if planned is None:
        planned = settings["profile"]["octave_steps" if dreams_last else "steps"]
    return {name: [*(planned if isinstance(planned, list) else [planned]), steps]}
