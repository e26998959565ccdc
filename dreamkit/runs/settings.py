"""The settings of a run: everything needed to make it again.  (Notebook 00.)"""

import functools
import inspect
from collections.abc import Mapping
from dataclasses import asdict

import numpy as np

from ..errors import SettingsError, check_range
from ..film.recording import open_film
from ..networks.backbone import Backbone
from ..profiles import Profile
from ..profiles import profile as choose_profile
from .checkpoint import Checkpoint
from .pictures import open_pictures, picture, recorded
from .steering import Steered
from .versions import versions


def reproducible(*pictures, prepare=None):
    """Decorate a recipe so that its Run records everything needed to make it again.

    Args:
        pictures: names of the arguments that are pictures. They are loaded here and recorded by
            source and hash; other arguments are recorded by value.
        prepare: function from the arguments, with pictures loaded, to {name: value} of those that
            depend on a picture, so that what was found is recorded.

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
            found = open_pictures(pictures, given)
            given.update(prepare(given) if prepare else {})
            return given, describe(recipe.__name__, found, given)

        @functools.wraps(recipe)
        def run_and_record(*args, **kwargs):
            given, settings = resolve(*args, **kwargs)
            given["checkpoint"] = open_checkpoint(given["checkpoint"], settings, given)
            saved = given["checkpoint"]
            first = saved.notes.get("settings", settings) if saved else settings
            film, steered = open_film(given["film"], first), given["callback"]
            given["callback"] = film.alongside(given["callback"]) if film else given["callback"]
            run = recipe(**given)
            run.settings = settings | ({"stopped": run.stopped} if run.stopped else {})
            if isinstance(steered, Steered) and steered.events:
                run.settings["steered"] = steered.events
            if film:
                film.finish(run)
            return run

        run_and_record.resolve = resolve
        return run_and_record

    return decorate


def resolve_profile(value):
    """A Profile from a Profile, a name, a recorded dict, or None for the environment's."""
    if isinstance(value, dict):
        return Profile(**value)
    return value if isinstance(value, Profile) else choose_profile(value, quiet=True)


def describe(recipe, found, given):
    """The settings needed to make a picture again, as JSON values; `found` is {key: source}."""
    left_out = {*found, "profile", "seed", "callback", "progress", "checkpoint", "film"}
    arguments = {name: value for name, value in given.items() if name not in left_out}
    for name in {key.partition(" ")[0] for key in found} & arguments.keys():
        shares = [share for _, share in given[name]]
        arguments[name] = [[f"{name} {n}", share] for n, share in enumerate(shares, start=1)]
    return {
        "recipe": recipe,
        "inputs": recorded(found, given),
        "arguments": {name: to_json(name, value) for name, value in arguments.items()},
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
    if isinstance(value, Mapping):
        return {str(key): to_json(name, item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(name, item) for item in value]
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
    checkpoint.arrays.update({f"input:{key}": picture(given, key) for key in settings["inputs"]})
    return checkpoint
