"""The settings of a run: everything needed to make it again.  (Notebook 00.)"""

import functools
import inspect
import os
from dataclasses import asdict

import numpy as np

from ..errors import SettingsError, check_range
from ..images import image_digest, load_image
from ..networks.backbone import Backbone
from ..profiles import Profile
from ..profiles import profile as choose_profile
from .checkpoint import Checkpoint
from .versions import versions


def reproducible(*pictures):
    """Decorate a recipe so that its Run records everything needed to make it again.

    Args:
        pictures: names of the arguments that are pictures. They are loaded here and recorded by
            source and hash; other arguments are recorded by value.

    A missing seed is drawn and the profile is resolved here, so that both are recorded too.
    """

    def decorate(recipe):
        signature = inspect.signature(recipe)

        def resolve(*args, **kwargs):
            """The arguments with seed, profile and pictures filled in, and the Run's settings."""
            call = signature.bind(*args, **kwargs)
            call.apply_defaults()
            given = call.arguments
            given["profile"] = resolve_profile(given["profile"])
            if given["seed"] is None:
                given["seed"] = int(np.random.default_rng().integers(2**31))
            check_range("seed", given["seed"], 0)
            sources = {name: given[name] for name in pictures if given[name] is not None}
            for name in sources:  # the photo comes first
                given[name] = open_picture(name, given)
            return given, describe(recipe.__name__, sources, given)

        @functools.wraps(recipe)
        def run_and_record(*args, **kwargs):
            given, settings = resolve(*args, **kwargs)
            given["checkpoint"] = open_checkpoint(given["checkpoint"], settings, given)
            run = recipe(**given)
            run.settings = settings | ({"stopped": run.stopped} if run.stopped else {})
            return run

        run_and_record.resolve = resolve
        return run_and_record

    return decorate


def resolve_profile(value):
    """A Profile from a Profile, a name, a recorded dict, or None for the environment's."""
    if isinstance(value, dict):
        return Profile(**value)
    return value if isinstance(value, Profile) else choose_profile(value, quiet=True)


def open_picture(name, given):
    """Load a recipe's picture: by name or address, at `size` or the profile's size."""
    source, size, largest = given[name], given["size"], None
    if name in ("style", "guide"):  # the recipe scales these itself, from no more than it can use
        photo = given["content" if "content" in given else "image"]
        size, largest = None, max(4096, 4 * max(photo.shape[:2]))
    elif size is None and isinstance(source, str | os.PathLike):
        size = given["profile"].size
    picture = load_image(source, size, largest)
    picture.setflags(write=False)  # lets check_image share it instead of copying
    return picture


def noted(source):
    """What the settings say of a picture's source: its name, path or address, or None."""
    inside = isinstance(source, str) and source[:5].lower() == "data:"
    return str(source) if isinstance(source, str | os.PathLike) and not inside else None


def describe(recipe, sources, given):
    """The settings needed to make a picture again, as JSON values."""
    left_out = {*sources, "profile", "seed", "callback", "progress", "checkpoint"}
    inputs = {
        name: {
            "source": noted(source),
            "shape": list(given[name].shape),
            "sha256": image_digest(given[name]),
        }
        for name, source in sources.items()
    }
    return {
        "recipe": recipe,
        "inputs": inputs,
        "arguments": {k: to_json(k, v) for k, v in given.items() if k not in left_out},
        "seed": given["seed"],
        "profile": asdict(given["profile"]),
        "versions": versions(),
    }


def to_json(name, value):
    """An argument as a JSON value; a network becomes its name."""
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


def open_checkpoint(path, settings, given):
    """The checkpoint at `path`, new or to be continued; None for None."""
    if path is None or isinstance(path, Checkpoint):
        return path
    checkpoint = Checkpoint(path)
    if checkpoint.notes.setdefault("settings", settings) != settings:
        raise SettingsError(
            f"{path} belongs to a run with other settings: choose another name, or resume() it."
        )
    checkpoint.arrays.update({f"input:{name}": given[name] for name in settings["inputs"]})
    return checkpoint
