"""What a picture is made from and how, so that nothing else passes for it.  (Notebook 00.)"""

import dataclasses
import hashlib
import json
from collections.abc import Mapping

import numpy as np

from ..networks.backbone import Backbone, load_backbone
from ..networks.weights import NETWORKS

BACKBONES = ("backbone", "style_backbone", "dream_backbone")  # arguments of recipes


def digest(value):
    """SHA-256, in hexadecimal digits, of a value that may hold pictures, scores and networks."""
    text = json.dumps(described(value), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def described(value):
    """A value as JSON values: arrays and networks become digests, other objects their kind."""
    value = value.item() if isinstance(value, np.generic) else value
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, Mapping):
        return {str(key): described(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [described(item) for item in value]
    if isinstance(value, Backbone):
        return [value.name, value.precision, network_digest(value)]
    if hasattr(value, "__array__"):
        array = np.asarray(value)
        return [array.dtype.str, array.shape, hashlib.sha256(array.tobytes()).hexdigest()]
    fields = dataclasses.fields(value) if dataclasses.is_dataclass(value) else ()
    names = [field.name for field in fields] or ["parts"] * hasattr(value, "parts")
    return [type(value).__name__, {name: described(getattr(value, name)) for name in names}]


def networks(given):
    """{argument: the `Backbone` that it stands for}, from a recipe's resolved arguments."""
    usual = "style_backbone" if "style" in given else "dream_backbone"
    defaults = {name: usual if name == "backbone" else name for name in BACKBONES}
    return {
        name: load_backbone(given[name] or getattr(given["profile"], default))
        for name, default in defaults.items()
        if name in given
    }


def weights(given):
    """{argument: {"name", "sha256"}} of the networks that a recipe uses, for its settings."""
    return {
        argument: {"name": network.name, "sha256": network_digest(network)}
        for argument, network in networks(given).items()
    }


def network_digest(network):
    """SHA-256 of a network's weights and, unless it is one of ours, of its layers."""
    found = hashlib.sha256()
    for variable in network.model.weights:
        array = np.asarray(variable.value)
        found.update(f"{array.dtype}{array.shape}".encode() + array.tobytes())
    if network.name not in NETWORKS:
        found.update(digest([_numbers(layer) for layer in network.model.layers]).encode())
    return found.hexdigest()


def _numbers(layer):
    """A layer's kind and numbers; its name may differ each time that a network is built."""
    plain = {
        key: value
        for key, value in layer.get_config().items()
        if isinstance(value, str | int | float | list | tuple) and key not in ("name", "dtype")
    }
    return [type(layer).__name__, plain]


def is_own(record):
    """True if recorded weights are of a network that `load_backbone` does not know."""
    return record["name"] not in NETWORKS


def decisive(settings):
    """The settings that decide how a picture comes out, as JSON values."""
    inputs = {name: {**record, "source": None} for name, record in settings["inputs"].items()}
    chosen = {name: settings[name] for name in ("recipe", "arguments", "seed", "weights")}
    chosen |= dict(inputs=inputs, profile={**settings["profile"], "reason": None})
    return json.loads(json.dumps(chosen))


def phases_identity(settings, filled):
    """A digest of what decides a run's phases, each up to its number of steps.

    It is the same for a recipe and for that recipe as a part of another one: the photo then comes
    at its final size. More steps after the last ones don't change what came before.

    Args:
        settings: the run's.
        filled: {argument: value} of those that another argument stands for.
    """
    chosen = decisive({**settings, "arguments": {**settings["arguments"], **filled}})
    arguments = chosen["arguments"]
    if arguments.get("quality") == "gatys":  # written so that earlier versions' checkpoints go on
        arguments["quality"] = "default"
        if settings["recipe"] == "dream_style":
            del arguments["quality"]
    if {"content", "image"} & chosen["inputs"].keys():
        arguments.pop("size", None)
    for name in {"steps", "octave_steps"} & arguments.keys():
        first = arguments[name][0] if isinstance(arguments[name], list) else arguments[name]
        arguments[name] = None if first == usual_steps(settings, name) else first
    return digest(chosen)


def usual_steps(settings, name):
    """How many steps a run takes if its argument "steps" or "octave_steps" is None."""
    dream = settings["recipe"] == "deep_dream" or name == "octave_steps"
    return settings["profile"]["octave_steps" if dream else "steps"]


def changed_weights(recorded, now, chosen=()):
    """The first argument whose network isn't the recorded one any more, or None.

    Args:
        recorded, now: what `weights` returned then and now; empty if that is not known.
        chosen: arguments that were given now, of which only a network of one's own must be the
            same.
    """
    for argument, record in recorded.items():
        found = now.get(argument, record)
        checked = argument not in chosen or is_own(record)
        if checked and found["name"] == record["name"] and found["sha256"] != record["sha256"]:
            return argument
    return None
