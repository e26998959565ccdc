"""The settings of a run: everything needed to make it again.  (Notebook 00.)"""

import contextlib
import functools
import inspect
from collections.abc import Mapping
from dataclasses import asdict

import numpy as np

from ..arguments.checked import check_arguments
from ..errors import DivergedError, SettingsError, shown
from ..film.recording import open_film
from ..networks.backbone import Backbone
from ..profiles import Profile
from ..profiles import profile as choose_profile
from ..startup import check_process
from .checkpoint import OTHER_RUN, Checkpoint
from .identity import changed_weights, decisive, phases_identity, weights
from .pictures import open_pictures, picture, recorded
from .steering import Steered
from .stopping import between_steps, stop_requested
from .versions import versions


def reproducible(*pictures, prepare=None, expand=None, **rules):
    """Decorate a recipe so that its Run records everything needed to make it again.

    Args:
        pictures: names of the arguments that are pictures. They are loaded here and recorded by
            source and hash; other arguments are recorded by value.
        prepare: function from the arguments, with pictures loaded, to {name: value} of those that
            depend on a picture, so that what was found is recorded.
        expand: function from the arguments to {name: value} of those that another one stands for
            and that were not given; what was given is recorded.
        rules: {argument: rule} for those whose rule here is not the usual one; see `checked`.

    A missing seed is drawn and the profile is resolved here, so that both are recorded too.
    """

    def decorate(recipe):
        signature = inspect.signature(recipe)

        def resolve(*args, **kwargs):
            """The arguments with seed, profile and pictures filled in, and the Run's settings."""
            check_process()
            call = signature.bind(*args, **kwargs)
            call.apply_defaults()
            given = call.arguments
            check_arguments(signature, given, rules)
            given["profile"] = resolve_profile(given["profile"])
            if given["seed"] is None:
                given["seed"] = int(np.random.default_rng().integers(2**31))
            found = open_pictures(pictures, given)
            given.update(prepare(given) if prepare else {})
            return given, describe(recipe.__name__, found, given)

        def perform(given, settings):
            """The Run of resolved arguments, with everything that decided it in its settings."""
            settings = settings | {"weights": weights(given)}
            given["checkpoint"] = saved = open_checkpoint(given["checkpoint"], settings, given)
            filled = run_and_record.expand(given)
            first = saved.notes["settings"] if saved else settings
            film, steered = open_film(given["film"], first), given["callback"]
            given["callback"] = film.alongside(given["callback"]) if film else given["callback"]
            inside = contextlib.nullcontext()
            if saved:
                inside = saved.within(phases_identity(settings, filled))
            try:
                with inside, between_steps():
                    run = recipe(**given | filled)
                    if stop_requested():
                        run.stopped = "interrupted"
            except DivergedError as error:
                if error.run is not None:
                    error.run.settings = ended(settings, error.run, "diverged")
                raise
            run.settings = ended(settings, run, run.stopped)
            if isinstance(steered, Steered) and steered.events:
                run.settings["steered"] = steered.events
            if film:
                film.finish(run)
            return run

        @functools.wraps(recipe)
        def run_and_record(*args, **kwargs):
            return perform(*resolve(*args, **kwargs))

        run_and_record.expand = expand or (lambda given: {})
        run_and_record.resolve, run_and_record.perform = resolve, perform
        return run_and_record

    return decorate


def ended(settings, run, reason):
    """A run's settings; for one that ended early, with the reason and its last step."""
    if reason is None:
        return settings
    last = run.history.iloc[-1] if len(run.history) else {"phase": None, "step": 0}
    return settings | {"stopped": reason, "stopped_at": [last["phase"], int(last["step"])]}


def resolve_profile(value):
    """A Profile from a Profile, a name, a recorded dict, or None for the environment's."""
    if isinstance(value, Mapping):
        try:
            return Profile(**value)
        except TypeError as error:  # fields that are missing or unknown
            fix = "give a profile's name or a Profile."
            raise SettingsError(f"profile cannot be {shown(value)}: {fix}") from error
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
    """The checkpoint at `path`, new or to be continued; None for None.

    Raises:
        SettingsError: it belongs to another run.
    """
    if path is None:
        return None
    checkpoint = path if isinstance(path, Checkpoint) else Checkpoint(path)
    if checkpoint.identity:  # a recipe as a part of another one
        return checkpoint
    known = checkpoint.notes.get("settings")
    if known and checkpoint.path:
        check_same_run(checkpoint, known, settings)
    if not (known and checkpoint.resumed):
        checkpoint.notes["settings"] = settings
    checkpoint.arrays.update({f"input:{key}": picture(given, key) for key in settings["inputs"]})
    return checkpoint


def check_same_run(checkpoint, known, settings):
    """Raise a `SettingsError` unless a checkpoint's settings are those of this run."""
    recorded = known.get("weights", settings["weights"])
    if argument := changed_weights(recorded, settings["weights"]):
        raise SettingsError(
            f"{checkpoint.path} was started with other weights of {recorded[argument]['name']}:"
            " restore them, or start again under another name."
        )
    known = known | {"weights": settings["weights"]}
    one, other = (known, settings)
    if checkpoint.resumed:  # with its own input pictures, which have no source
        one, other = decisive(known), decisive(settings)
    if one != other:
        raise SettingsError(OTHER_RUN.format(path=checkpoint.path))
