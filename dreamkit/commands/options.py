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
Out = Annotated[Path, typer.Option(help="Output folder, or for one photo a file like picture.png.")]
Size = Annotated[int | None, typer.Option(min=1, help="Longest side, px; default: the profile's.")]
Side = Annotated[
    int | None, typer.Option("--size", min=1, help="Side, px; default: the profile's.")
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
