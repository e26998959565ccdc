"""Options that several commands share.  (Notebook 00.)"""

import os
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from ..errors import SettingsError
from ..inputs.checks import check_path

Order = Enum("Order", {order: order for order in ("style-dream", "dream-style", "joint")}, type=str)
Recipe = Enum("Recipe", {name: name for name in ("style", "dream")}, type=str)
Colour = Enum("Colour", {name: name for name in ("luminance", "match")}, type=str)
Statistic = Enum(
    "Statistic", {name: name for name in ("gram", "adain", "moments", "sliced")}, type=str
)
QualityName = Enum("QualityName", {name: name for name in ("best", "gatys")}, type=str)
Canvas = Enum("Canvas", {name: name for name in ("spectrum", "phase", "pixels")}, type=str)
Preset = Enum("Preset", {name: name for name in ("quick", "full")}, type=str)
Photos = Annotated[
    list[str],
    typer.Argument(help="Names of samples, files, folders, 'patterns*.jpg' or http(s) URLs."),
]
Painting = Annotated[str, typer.Option("--style", help="Style picture: a sample's name or a file.")]
Paintings = Annotated[
    list[str],
    typer.Option(
        "--style",
        metavar="STYLE[:SHARE]",
        help="Style picture, a sample's name or a file; may be repeated, each with its share:"
        " a number, coarse or fine, as in --style mosaic:0.7 --style night_flow:0.3.",
    ),
]
Strength = Annotated[
    float | None, typer.Option(min=0, max=1, help="From 0, the photo, to 1, the default.")
]
Weight = Annotated[
    float | None,
    typer.Option(min=0, help="Weight of the style; default: 120, or 40 with --quality gatys."),
]
Statistics = Annotated[
    Statistic | None, typer.Option(help="What the style compares; gram by default.")
]
Quality = Annotated[
    QualityName | None, typer.Option(help="best by default; gatys has the layers of Gatys et al.")
]
StyleMask = Annotated[
    list[str] | None,
    typer.Option(
        metavar="[STYLE:]MASK",
        help="Picture, white where the style counts; may be repeated for several styles.",
    ),
]
ContentMask = Annotated[
    str | None, typer.Option(help="Picture, white where the photo is kept, black where it is not.")
]
DreamMask = Annotated[str | None, typer.Option(help="Picture, white where to dream.")]
PreserveColor = Annotated[
    Colour | None, typer.Option(help="Keep the photo's colours, or give the style their range.")
]
KeepAlpha = Annotated[
    bool, typer.Option("--keep-alpha", help="Keep the photo's transparency, if it has any.")
]
Start = Annotated[
    str | None, typer.Option("--init", help="Start from content, style, noise or a picture.")
]
Saved = Annotated[
    Path | None,
    typer.Option("--checkpoint", help="A file from which `resume` continues, for one photo."),
]
Out = Annotated[Path, typer.Option(help="Output folder, or for one photo a file like picture.png.")]


def parse_size(text):
    """A number of pixels, or "own"."""
    if text == "own" or not isinstance(text, str):
        return text
    if text.isdecimal() and len(text) < 10 and int(text) > 0:
        return int(text)
    raise typer.BadParameter(f"{text!r} is not a size: give pixels, 1 or more, or own.")


Size = Annotated[
    int | None,
    typer.Option(
        parser=parse_size,
        metavar="PX|own",
        help="Longest side, px, or own for the photo's; default: the profile's.",
    ),
]
Side = Annotated[
    int | None, typer.Option("--size", min=1, help="Side, px; default: the profile's.")
]
Steps = Annotated[int | None, typer.Option(min=1, help="Steps; default: the profile's.")]
Tile = Annotated[
    int | None, typer.Option(min=16, help="Side of tiles, px; default: to fit memory.")
]
Seed = Annotated[int | None, typer.Option(min=0, help="The same seed gives the same picture.")]
Backbone = Annotated[str | None, typer.Option(help="vgg19, vgg16, inception_v3 or squeezenet.")]
Workers = Annotated[
    int, typer.Option(min=1, max=1000, help="Number of processes to share the pictures.")
]
Scheduler = Annotated[
    str | None, typer.Option(help="Use the workers of this Dask scheduler, tcp://HOST:PORT.")
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace existing files.")]

# What to dream of, and how
Layers = Annotated[
    list[str] | None,
    typer.Option("--layer", help="NAME or NAME:WEIGHT, below 0 for a calm dream; may be repeated."),
]
Channels = Annotated[
    list[str] | None,
    typer.Option(
        "--channel",
        help="NUMBER or NUMBER:WEIGHT; may be repeated. Or strongest or weakest: the 5 that respond"
        " most or least to the photo; strongest:8 for 8.",
    ),
]
Guide = Annotated[str | None, typer.Option(help="Picture whose features to dream of.")]
Jitter = Annotated[
    int | None, typer.Option(min=0, help="Largest random roll before each step, px; 32 by default.")
]
Rotate = Annotated[
    float | None,
    typer.Option(min=0, max=180, help="Largest random turn before each step, degrees."),
]
Zoom = Annotated[
    float | None,
    typer.Option(min=0, max=1, help="Largest random zoom before each step, a fraction."),
]
Smooth = Annotated[
    int | None,
    typer.Option(min=0, help="Bands of the gradient to make equally strong; 3 by default."),
]
LearningRate = Annotated[
    float | None,
    typer.Option(min=1e-6, help="Size of a step, in units of [0, 1]; 0.01 by default."),
]
OctaveScale = Annotated[
    float | None,
    typer.Option(min=1.01, help="Ratio of each size to the one before; 1.4 by default."),
]
Smallest = Annotated[
    int | None, typer.Option(min=1, help="Shorter side of the smallest octave, px, or a bit more.")
]


def check_homes(words):
    """Raise a `SettingsError` if a word of the command line is in the home folder of nobody."""
    for word in words:
        option, _, value = word.partition("=") if word[:2] == "--" else ("A path", "", word)
        if value.startswith("~") and not os.path.lexists(value):
            check_path(option, value)


def with_weights(option, texts):
    """A list of names, or {name: weight}, from the texts NAME or NAME:WEIGHT; None if none.

    >>> with_weights("--layer", ["mixed3", "mixed5:-0.5"])
    {'mixed3': 1.0, 'mixed5': -0.5}
    """
    pairs = [text.partition(":") for text in texts or ()]
    if not any(colon for _, colon, _ in pairs):
        return [name for name, *_ in pairs] or None
    try:
        return {name: float(weight) if colon else 1.0 for name, colon, weight in pairs}
    except ValueError:
        raise SettingsError(
            f"{option} cannot be {', '.join(texts)}: give NAME, or NAME:WEIGHT with a number."
        ) from None


def channels(texts):
    """`deep_dream`'s channel= from the texts of --channel.

    >>> channels(["7"]), channels(["7", "9:-1"]), channels(["strongest:8"])
    (['7'], {'7': 1.0, '9': -1.0}, ('strongest', 8))
    """
    order, colon, number = texts[0].partition(":") if texts else ("", "", "")
    if order not in ("strongest", "weakest"):
        return with_weights("--channel", texts)
    if len(texts) > 1 or (colon and not number.isdecimal()):
        raise SettingsError(
            f"--channel cannot be {', '.join(texts)}: give {order}, or {order}:8 for another"
            " number, and nothing else."
        )
    return (order, int(number)) if colon else order
