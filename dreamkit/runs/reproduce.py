"""Runs that remember how they were made: rerun() and resume().  (Notebook 00.)"""

import functools
import importlib.metadata
import inspect
import json
import os
import platform
from dataclasses import asdict
from pathlib import Path

import numpy as np

from .. import __version__
from ..errors import SettingsError, check_range
from ..images import image_digest, load_image, read_metadata
from ..networks.backbone import Backbone
from ..profiles import Profile
from ..profiles import profile as choose_profile
from .checkpoint import Checkpoint
from .run import METADATA_KEY

RECIPES = {}


def remembered(*pictures):
    """Decorate a recipe so that its Run's settings are all it takes to make it again.

    Args:
        pictures: names of the arguments that are pictures. They are loaded here, at the profile's
            size unless they are arrays, and noted by source and hash; the rest by value.

    A missing seed is drawn and the profile settled here, so that both can be noted too.
    """

    def decorate(recipe):
        signature = inspect.signature(recipe)

        def settle(*args, **kwargs):
            """The arguments with all that was left open settled, and the Run's settings."""
            call = signature.bind(*args, **kwargs)
            call.apply_defaults()
            given = call.arguments
            given["profile"] = settle_profile(given["profile"])
            if given["seed"] is None:
                given["seed"] = int(np.random.default_rng().integers(2**31))
            check_range("seed", given["seed"], 0)
            sources = {name: given[name] for name in pictures if given[name] is not None}
            given.update({name: open_picture(name, given) for name in sources})
            return given, describe(recipe.__name__, sources, given)

        @functools.wraps(recipe)
        def run_and_note(*args, **kwargs):
            given, settings = settle(*args, **kwargs)
            given["checkpoint"] = open_checkpoint(given["checkpoint"], settings, given)
            run = recipe(**given)
            run.settings = settings | ({"stopped": run.stopped} if run.stopped else {})
            return run

        run_and_note.settle = settle
        RECIPES[recipe.__name__] = run_and_note
        return run_and_note

    return decorate


def settle_profile(value):
    """A Profile from itself, its name, its noted dict, or None for the environment's."""
    if isinstance(value, dict):
        return Profile(**value)
    return value if isinstance(value, Profile) else choose_profile(value, quiet=True)


def open_picture(name, given):
    """Load a recipe's picture; one named by sample, path or address at `size` or the profile's."""
    source, size = given[name], given["size"]
    if name in ("style", "guide"):
        size = None  # its scale is the recipe's own choice
    elif size is None and isinstance(source, str | os.PathLike):
        size = given["profile"].size
    picture = load_image(source, size)
    picture.setflags(write=False)  # so that all who look at it may share it
    return picture


def describe(recipe, sources, given):
    """Settings: all it takes to make a picture again, in plain values that JSON can hold."""
    left_out = {*sources, "profile", "seed", "callback", "progress", "checkpoint"}
    inputs = {
        name: {
            "source": str(source) if isinstance(source, str | os.PathLike) else None,
            "shape": list(given[name].shape),
            "sha256": image_digest(given[name]),
        }
        for name, source in sources.items()
    }
    return {
        "recipe": recipe,
        "inputs": inputs,
        "arguments": {k: plain(k, v) for k, v in given.items() if k not in left_out},
        "seed": given["seed"],
        "profile": asdict(given["profile"]),
        "versions": versions(),
    }


def plain(name, value):
    """An argument as JSON can hold it: a network by its name, a picture not at all."""
    if isinstance(value, Backbone):
        return value.name
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, dict):
        return {str(key): float(weight) for key, weight in value.items()}
    if isinstance(value, list | tuple):
        return [str(item) for item in value]
    if isinstance(value, np.generic):
        return value.item()
    raise SettingsError(
        f"{name} cannot be a {type(value).__name__}: give a name, a number or a list."
    )


def versions():
    """Versions of all that decides how a picture comes out."""
    names = ("tensorflow", "keras", "numpy", "scipy", "pillow", "scikit-image")
    found = {name: importlib.metadata.version(name) for name in names}
    return {"dreamkit": __version__, "python": platform.python_version(), **found}


def open_checkpoint(path, settings, given):
    """The checkpoint at `path`, new or to be gone on with; None for None."""
    if path is None or isinstance(path, Checkpoint):
        return path
    checkpoint = Checkpoint(path)
    if checkpoint.notes.setdefault("settings", settings) != settings:
        raise SettingsError(
            f"{path} belongs to a run with other settings: give another name, or resume() it."
        )
    checkpoint.arrays.update({f"input:{name}": given[name] for name in settings["inputs"]})
    return checkpoint


def rerun(path, **changes):
    """Make a picture again from the settings saved with it.

    Args:
        path: a `.png` or `.json` that `Run.save` wrote.
        changes: arguments to give anew, such as `style=` or `size=`; pictures that were arrays
            have to be given.

    Returns:
        A new `Run`: the same picture, on the same machine and versions.

    Raises:
        SettingsError: no settings there, or an input that cannot be had or has changed.

    Introduced in notebook 00.
    """
    settings = read_settings(path)
    given = {}
    for name, noted in settings["inputs"].items():
        given[name] = changes.pop(name, noted["source"])
        if given[name] is None:
            raise SettingsError(f"The {name} was an array: pass it again, as rerun(…, {name}=…).")
    call = {**settings["arguments"], "seed": settings["seed"], "profile": settings["profile"]}
    run = RECIPES[settings["recipe"]](**{**given, **call, **changes})
    resized = changes.keys() & {"size", "profile"}
    for name, noted in settings["inputs"].items():
        now = run.settings["inputs"][name]
        if not resized and now["source"] == noted["source"] and now["sha256"] != noted["sha256"]:
            source = noted["source"] or "The array"
            raise SettingsError(f"{source} is not the {name} it was: bring the old one back.")
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
    raise SettingsError(f"{path} was made by {settings['recipe']!r}, which cannot be made again.")


def resume(checkpoint, **changes):
    """Go on with a run that was cut off.

    Args:
        checkpoint: the `.npz` file given to the recipe as `checkpoint=`.
        changes: `callback=` or `progress=`, which no file can hold.

    Returns:
        The finished `Run`; with Adam and gradient steps the very picture that an uncut run gives.

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
