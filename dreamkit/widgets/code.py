"""A picture's call: run it, or print the code that makes the same picture."""

import inspect
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

import numpy as np

from ..errors import ImageError
from ..images import load_image

GRID = 100  # rows and columns of a mask: the rectangle is given in per cent
LIMIT = 20  # MB that an uploaded picture may have
LARGEST = 4096  # px; no recipe here can use more


@dataclass(frozen=True)
class Upload:
    """A picture from the reader's own disk.

    Raises:
        ImageError: too large, or not a picture.
    """

    name: str
    content: bytes = field(repr=False)
    limit: float = LIMIT

    def __post_init__(self):
        if len(self.content) > self.limit * 1e6:
            raise ImageError(
                f"{self.file} has {len(self.content) / 1e6:.0f} MB, more than the"
                f" {self.limit:g} MB allowed: make it smaller."
            )
        try:
            load_image(self.content, 1)
        except ImageError as error:
            raise ImageError(str(error).replace("The bytes object", self.file)) from error

    @property
    def file(self):
        """The file's name without its folders, whichever system it comes from."""
        return PurePath(self.name.replace("\\", "/")).name or "picture"


@dataclass(frozen=True)
class Rectangle:
    """A part of a picture.

    Attributes:
        columns, rows: (from, to), per cent of the width and of the height.
        inside: True for the rectangle, False for everything around it.
    """

    columns: tuple
    rows: tuple
    inside: bool = True

    def mask(self):
        """White where it counts, (100, 100) float32."""
        mask = np.full((GRID, GRID), not self.inside, "float32")
        mask[slice(*self.rows), slice(*self.columns)] = self.inside
        return mask

    def code(self):
        """Lines that make `mask`."""
        (left, right), (top, bottom) = self.columns, self.rows
        ground, area = ("zeros", 1) if self.inside else ("ones", 0)
        return [
            f'mask = np.{ground}(({GRID}, {GRID}), "float32")  # rows and columns in per cent',
            f"mask[{top}:{bottom}, {left}:{right}] = {area}",
        ]


@dataclass(frozen=True)
class Call:
    """A recipe with its arguments; a picture may be a sample's name or an `Upload`.

    Attributes:
        make: the `Make`.
        arguments: {name: value}, in any order.
        where: a `Rectangle`, or None for everywhere.
    """

    make: Any
    arguments: dict
    where: Rectangle | None = None

    def given(self):
        """The arguments to call the recipe with."""
        mask = dict.fromkeys(self.make.masks, self.where.mask()) if self.where else {}
        plain = {
            name: value.content if isinstance(value, Upload) else value
            for name, value in self.arguments.items()
        }
        return self._ordered(plain | mask)

    def code(self, events=()):
        """Python that makes the same picture; `events` are those of the run that was steered."""
        written = {name: _written(value) for name, value in self.arguments.items()}
        imports, before = [], []
        if self.where:
            imports, before = ["import numpy as np\n"], [*self.where.code(), ""]
            written |= dict.fromkeys(self.make.masks, "mask")
        imports.append("import dreamkit as dk")
        if events:
            imports.append("from dreamkit.runs.steering import Steered")
            lines = "".join(f"    {event!r},\n" for event in events)
            before += [
                "# What was changed while it ran: phase, step, weights.",
                f"events = [\n{lines}]",
            ]
            before.append("")
        call = self._ordered(written) | ({"callback": "Steered(events)"} if events else {})
        lines = "".join(f"    {self._named(name)}{value},\n" for name, value in call.items())
        return "\n".join(
            [*imports, "", *before, f"run = dk.{self.make.recipe}(\n{lines})", "run\n"]
        )

    def uploads(self):
        """The names of the files that it needs."""
        return [value.file for value in self.arguments.values() if isinstance(value, Upload)]

    def _named(self, name):
        return "" if name in ("content", "image", "style") else f"{name}="

    def _ordered(self, arguments):
        """In the recipe's own order, which begins with the pictures."""
        order = inspect.signature(self.make.function).parameters
        return {name: arguments[name] for name in order if name in arguments}


def _written(value):
    if isinstance(value, Upload):
        return (
            f'"{value.file}"'
            if value.file.isprintable() and '"' not in value.file
            else repr(value.file)
        )
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, float):
        return repr(round(value, 6))
    return repr(list(value)) if isinstance(value, tuple) else repr(value)
