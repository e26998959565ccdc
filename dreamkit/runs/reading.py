"""Settings and checkpoints from files, which anyone may have written.  (Notebook 00.)

Anyone who sends a picture can put anything into it. So everything in it is checked before it is
used: it may decide how a picture is made, but not where a file is written or which address is
opened.
"""

import inspect
import json
import math
import re
import zipfile
from pathlib import Path

import numpy as np

from ..arguments import kinds
from ..arguments.checked import without_effect
from ..arguments.rules import RULES
from ..errors import DreamkitError, SettingsError, shown
from ..images import read_metadata
from ..inputs.web import is_address
from ..system.console import say
from .pictures import STARTS
from .run import METADATA_KEY
from .versions import versions

LARGEST = 2**24  # bytes of settings; ours have a few thousand
PICTURE_RULES = (kinds.picture, kinds.pictures, kinds.masks_of_styles, kinds.first_picture)
PICTURES = {name for name, rule in RULES.items() if rule in PICTURE_RULES} | {"video"}
# Arguments that no run records: they write files, or concern the caller only.
NOT_SETTINGS = {"checkpoint", "film", "out", "overwrite", "keep_frames", "callback", "progress"}


def read_settings(path, makers):
    """The settings that `Run.save` wrote into a `.png` or `.json`.

    Args:
        path: the file.
        makers: {name: function} of all that can make a picture or a film.

    Raises:
        SettingsError: it holds none, or what no run writes.
    """
    path, unreadable = Path(path).expanduser(), f"{shown(str(path))} holds no dreamkit settings"
    try:
        if path.suffix.lower() == ".json":
            with open(path, "rb") as file:
                text = file.read(LARGEST + 1).decode("utf-8-sig") if path.is_file() else ""
        else:
            text = read_metadata(path)[METADATA_KEY]
        if len(text) > LARGEST:
            raise ValueError("too long")
        settings = json.loads(text)
        settings["recipe"]
    except (OSError, KeyError, TypeError, ValueError, RecursionError, DreamkitError) as error:
        raise SettingsError(f"{unreadable}: give the .png or .json that a run saved.") from error
    return check_settings(settings, shown(str(path)), makers)


def check_settings(settings, name, makers):
    """The settings in the file `name`, or a `SettingsError` if no run can have written them."""
    recipe = settings.get("recipe") if isinstance(settings, dict) else None
    if not isinstance(recipe, str) or recipe not in makers:
        raise SettingsError(
            f"{name} was made by an unknown recipe, {shown(recipe)}: update dreamkit."
        )
    try:
        inputs, arguments = settings["inputs"], settings["arguments"]
        valid = isinstance(arguments, dict) and all(isinstance(key, str) for key in arguments)
        valid = valid and isinstance(settings["profile"], dict | str) and "seed" in settings
        valid = valid and all(map(_is_input, inputs, inputs.values(), [arguments] * len(inputs)))
        valid = valid and _required(recipe, makers) <= arguments.keys() | _names(inputs)
        valid = valid and all(map(_is_event, settings.get("steered", [])))
        valid = valid and all(map(_is_digest, settings.get("weights", {}).values()))
    except (KeyError, TypeError, ValueError, AttributeError):
        valid = False
    if not valid:
        raise SettingsError(f"{name} holds damaged settings: give the file that a run saved.")
    for argument in arguments:
        if argument in NOT_SETTINGS:
            raise SettingsError(
                f"{name} asks for {argument}=, which no run records and which may write a file, so"
                " nothing was done: give settings that a run saved."
            )
        if argument not in _known(recipe, makers):
            raise SettingsError(
                f"{name} has an argument that {recipe} does not know,"
                f" {shown(argument)}: update dreamkit."
            )
        if argument in PICTURES and not _refers(argument, arguments[argument], inputs):
            raise SettingsError(
                f"{name} has a picture that is not among its inputs, {argument}: give settings that"
                " a run saved."
            )
    signature = inspect.signature(makers[recipe])
    for name, _ in without_effect(signature, arguments):  # which earlier versions recorded
        arguments[name] = signature.parameters[name].default
    if "style_weight" in arguments and arguments.get("quality", "default") == "default":
        arguments["quality"] = "gatys"  # which earlier versions painted with
    return settings


def _required(recipe, makers):
    """The arguments that a recipe or film cannot do without, and that settings record."""
    parameters = inspect.signature(makers[recipe]).parameters.values()
    named = (p for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD))
    return {p.name for p in named if p.default is p.empty} - NOT_SETTINGS


def _names(inputs):
    """The arguments that the inputs, such as `style 2`, belong to."""
    return {key.partition(" ")[0] for key in inputs}


def _known(recipe, makers):
    """The arguments of a recipe; of a film, which passes some on, those of all of them."""
    parameters = inspect.signature(makers[recipe]).parameters
    if not any(p.kind == p.VAR_KEYWORD for p in parameters.values()):
        return parameters.keys()
    return {name for maker in makers.values() for name in inspect.signature(maker).parameters}


def _is_digest(record):
    """Whether this names a network and its weights' SHA-256."""
    return isinstance(record["name"], str) and isinstance(record["sha256"], str)


def _is_event(event):
    """Whether this is [phase, step, change], as `Steered` records them."""
    phase, step, change = event
    named = isinstance(change, dict) and all(
        isinstance(weight, int | float) and math.isfinite(weight) for weight in change.values()
    )
    return isinstance(phase, str) and isinstance(step, int) and (named or change == "stop")


def _is_input(key, recorded, arguments):
    """Whether an entry of the inputs is one of a picture, such as `style 2`."""
    match = re.fullmatch(r"(\w+)(?: ([1-9]\d{0,3}))?", key)
    if not match or match[1] not in PICTURES or not isinstance(recorded, dict):
        return False
    digest = isinstance(recorded["sha256"], str)
    shares = arguments.get(match[1]) if match[2] else [None]
    placed = isinstance(shares, list) and int(match[2] or 1) <= len(shares)
    return digest and placed and isinstance(recorded["source"], str | None)


def _refers(argument, value, inputs):
    """Whether a picture's place among the arguments only points to the inputs."""
    if value is None or (argument == "init" and isinstance(value, str) and value in STARTS):
        return True
    return isinstance(value, list) and all(
        isinstance(pair, list)
        and len(pair) == 2
        and pair[0] == f"{argument} {number}"
        and pair[0] in inputs
        for number, pair in enumerate(value, start=1)
    )


def check_sources(settings, changes):
    """Raise a `SettingsError` for a picture on the web, unless it is given again.

    Args:
        settings: those of a run.
        changes: the arguments that the caller passes again.
    """
    for key, recorded in settings["inputs"].items():
        name, source = key.partition(" ")[0], recorded["source"]
        if source and name not in changes and (is_address(source) or source[:2] in ("\\\\", "//")):
            again = f"{name}={shown(source)}" if key == name else f"{name}=[(picture, share), …]"
            raise SettingsError(
                f"The {key} is at {shown(source)}, and settings may come from anyone: to open that"
                f" address, pass it again, as rerun(…, {again})."
            )


def mention_versions(settings):
    """Say in one line which other versions made a picture."""
    made, here = settings.get("versions"), versions()
    if not isinstance(made, dict):
        return
    others = [
        f"{name} {made[name]} (here {here[name]})"
        for name in here
        if name in made and made[name] != here[name] and len(str(made[name])) < 40
    ]
    if others:
        say(f"Made with {', '.join(others)}: the picture may differ a little.")


def read_checkpoint(path):
    """A checkpoint's notes and its {name: array}.

    Only uncompressed files are read, as ours are, so that none unpacks to more than its size.

    Raises:
        Exception: of any kind, if it is not one.
    """
    with zipfile.ZipFile(path) as file:
        if any(entry.compress_type != zipfile.ZIP_STORED for entry in file.infolist()):
            raise ValueError("it is compressed")
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files if name != "notes"}
        notes = json.loads(str(file["notes"]))
    written_by_a_recipe = "settings" in notes  # which alone can be resumed
    for phase, state in notes["phases"].items() if written_by_a_recipe else ():
        _check_phase(state, {n: x for n, x in arrays.items() if n.startswith(f"{phase}:")})
    for name, array in arrays.items():
        if name.startswith("input:"):
            kinds.picture(name, array)
    return notes, arrays


def _check_phase(state, arrays):
    """Raise an error unless this can be the state of a loop."""
    step, steps, rows = state["step"], state["steps"], state["rows"]
    whole = all(isinstance(n, int) and 0 <= n <= kinds.MOST_STEPS + 1 for n in (step, steps))
    named = all({"step", "phase", "total", "seconds"} <= row.keys() for row in rows)
    numbers = all(
        isinstance(value, int | float) and not isinstance(value, bool)
        for row in rows
        for name, value in row.items()
        if name != "phase"
    )
    if not (whole and named and numbers and isinstance(state["total"], int | float | None)):
        raise ValueError("its notes are damaged")
    names = {name.rpartition(":")[2] for name in arrays}
    if "picture" not in names or not all(np.isfinite(x).all() for x in arrays.values()):
        raise ValueError("its arrays are damaged")
    for name, array in arrays.items():
        if name.endswith((":picture", ":image")):
            kinds.picture(name, array)
