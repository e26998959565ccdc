"""Options that several commands share.  (Notebook 00.)"""

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

Order = Enum("Order", {order: order for order in ("style-dream", "dream-style", "joint")}, type=str)
Recipe = Enum("Recipe", {name: name for name in ("style", "dream")}, type=str)
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
        help="Style picture, a sample's name or a file; several times, each with its share: a"
        " number, coarse or fine, as in --style mosaic:0.7 --style night_flow:0.3.",
    ),
]
Strength = Annotated[
    float | None, typer.Option(min=0, max=1, help="From 0, the photo, to 1, the default.")
]
Weight = Annotated[float | None, typer.Option(min=0, help="Weight of the style; 40 by default.")]
StyleMask = Annotated[
    list[str] | None,
    typer.Option(
        metavar="[STYLE:]MASK",
        help="Picture, white where the style counts; several times for several styles.",
    ),
]
ContentMask = Annotated[
    str | None, typer.Option(help="Picture, white where the photo is kept, black where it is not.")
]
DreamMask = Annotated[str | None, typer.Option(help="Picture, white where to dream.")]
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
    if text.isdigit() and int(text) > 0:
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
Steps = Annotated[int | None, typer.Option(min=1, help="Steps; default: the profile's.")]
Tile = Annotated[
    int | None, typer.Option(min=16, help="Side of tiles, px; default: to fit memory.")
]
Seed = Annotated[int | None, typer.Option(min=0, help="The same seed gives the same picture.")]
Backbone = Annotated[str | None, typer.Option(help="vgg19, vgg16, inception_v3 or squeezenet.")]
Workers = Annotated[int, typer.Option(min=1, help="Number of processes to share the pictures.")]
Scheduler = Annotated[
    str | None, typer.Option(help="Use the workers of this Dask scheduler, tcp://HOST:PORT.")
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace existing files.")]
