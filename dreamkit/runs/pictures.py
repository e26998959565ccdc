"""A recipe's pictures: one or several to an argument, opened here and recorded.  (Notebook 00.)

The settings know each picture by a key: the argument's name, or for the second of several styles
`style 2`. Where an argument holds several, its place in the settings' arguments is a list of
[key, what goes with the picture].
"""

import os
from collections.abc import Mapping

import numpy as np

from ..errors import ImageError, SettingsError, shown
from ..images import image_digest, load_image

STARTS = ("content", "style", "noise")  # values of init= that aren't pictures
AS_STYLE, AS_IT_IS = ("style", "guide"), ("init", "mask")  # the recipe scales these itself


def sources(name, given):
    """{key: picture} of an argument, as given."""
    value = given[name]
    if value is None or (name == "init" and isinstance(value, str) and value in STARTS):
        return {}
    if not isinstance(value, list):
        return {name: value}
    return {f"{name} {number}": picture for number, (picture, _) in enumerate(value, start=1)}


def as_pairs(given):
    """Give several styles, and the masks of several, the form [(picture, what goes with it), …].

    Raises a `SettingsError` for a mask of a style that is not there.
    """
    names = list(given["style"]) if isinstance(given.get("style"), Mapping) else None
    for name in ("style", "style_mask"):
        if isinstance(value := given.get(name), Mapping):
            given[name] = [*value.items()] if name == "style" else _by_style(value, names)
        elif isinstance(value, list | tuple):
            given[name] = [_pair(name, item) for item in value]


def _pair(name, item):
    if isinstance(item, list | tuple) and len(item) == 2:
        return tuple(item)
    raise SettingsError(
        f"{name} cannot be a list of this kind: give one picture, {{name: share}} or"
        " [(picture, share), …]."
    )


def _by_style(masks, names):
    """[(mask, number of its style)] from {name of the style: mask}."""
    for name in masks:
        if name not in (names or ()):
            raise SettingsError(
                f"style_mask has a mask for {name!r}, but there is no style of that name: use the"
                " names given in style=."
            )
    return [(mask, names.index(name)) for name, mask in masks.items()]


def open_pictures(names, given):
    """Load the pictures of a recipe's call in place; returns {key: source}.

    Args:
        names: names of the arguments that hold pictures.
        given: {name: value} of the call, with its profile; changed in place.
    """
    as_pairs(given)
    found = {}
    for name in names:  # the photo comes first
        found |= (named := sources(name, given))
        pictures = [open_picture(name, source, given) for source in named.values()]
        if isinstance(given[name], list):
            pairs = zip(pictures, given[name], strict=True)
            given[name] = [(picture, share) for picture, (_, share) in pairs]
        elif pictures:
            (given[name],) = pictures
    return found


def open_picture(name, source, given):
    """Load a picture; the photo at `size`, or if it is not an array at the profile's size."""
    size, largest = given["size"], None
    if name.startswith(AS_STYLE) and "mask" not in name:  # from no more than the recipe can use
        photo = given.get("content", given.get("image"))
        size, largest = None, max(4096, 4 * max(np.shape(photo)[:2], default=0))
    elif name.endswith(AS_IT_IS) or size == "own":
        size = None
    elif size is None and isinstance(source, str | os.PathLike):
        size = given["profile"].size
    try:
        picture = load_image(source, size, largest)
    except ImageError as error:
        if name != "init":
            raise
        raise SettingsError(
            f"init cannot be {shown(source)}: give 'content', 'style', 'noise' or a picture"
            f" ({error})"
        ) from error
    picture.setflags(write=False)  # lets check_image share it instead of copying
    return picture


def picture(given, key):
    """The opened picture with this key."""
    name, _, number = key.partition(" ")
    return given[name][int(number) - 1][0] if number else given[name]


def recorded(found, given):
    """{key: {"source", "shape", "sha256"}}, as JSON values; the source of an array is None."""
    return {
        key: {
            "source": noted(source),
            "shape": list(picture(given, key).shape),
            "sha256": image_digest(picture(given, key)),
        }
        for key, source in found.items()
    }


def noted(source):
    """What the settings say of a picture's source: its name, path or address, or None."""
    inside = isinstance(source, str) and source[:5].lower() == "data:"
    return str(source) if isinstance(source, str | os.PathLike) and not inside else None


def call_arguments(settings, pictures):
    """The recipe's arguments that settings recorded, with pictures instead of their keys.

    Args:
        settings: those of a `Run`.
        pictures: {key: picture} for each of its inputs.
    """
    arguments = {**settings["arguments"], "seed": settings["seed"], "profile": settings["profile"]}
    for key, value in pictures.items():
        name, _, number = key.partition(" ")
        if not number:
            arguments[name] = value
        elif name in arguments:
            number = int(number) - 1
            pairs = [tuple(pair) for pair in arguments[name]]
            pairs[number] = value, pairs[number][1]
            arguments[name] = pairs
    return arguments
