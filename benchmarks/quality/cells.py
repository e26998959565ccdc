"""A cell: one pair painted by one method with one weight, judged, and saved with its figures."""

import functools
import json
import time
from pathlib import Path
from typing import NamedTuple

from dreamkit import load_backbone, load_image, save_image
from dreamkit.runs.versions import versions

from . import neighbours, ours, peers  # noqa: F401 (they fill the table)
from .judges import Jury
from .methods import METHODS, SHARE, seconds, slug
from .pairs import name_of, pair

network = functools.cache(lambda: load_backbone("vgg19").with_precision("auto"))
jury = functools.lru_cache(maxsize=1)(lambda number, size: Jury(pair(number, size)))


class Cell(NamedTuple):
    """What is painted.

    Attributes:
        folder: where the picture and its figures are saved.
        size: the longest side in px.
        share: which part of every method's steps is taken.
        cores: how many of the machine's cores it has to itself.
        end: when no picture is begun any more, seconds as in `time.time`.
        number: the pair's.
        method: its name.
        factor: what the weight of style is multiplied by.
    """

    folder: Path
    size: int
    share: float
    cores: int
    end: float
    number: int
    method: str
    factor: float

    @property
    def stem(self):
        """The path of its files, without their suffixes."""
        factor = slug(f"{self.factor:g}")  # with a dot, 0.25 would look like a suffix
        return self.folder / f"{name_of(self.number)}--{slug(self.method)}--{factor}"


def run_cell(cell):
    """Paint and judge a cell, unless that is done; a method that is missing here is skipped."""
    if cell.stem.with_suffix(".json").exists() or time.time() > cell.end:
        return
    SHARE[0], here = cell.share, pair(cell.number, cell.size)
    started = time.perf_counter()
    try:
        picture, laps = METHODS[cell.method].paint(here, network(), cell.factor)
    except ModuleNotFoundError as error:
        print(f"{cell.method}: skipped, {error}", flush=True)
        return
    taken = time.perf_counter() - started
    cell.folder.mkdir(parents=True, exist_ok=True)
    save_image(cell.stem.with_suffix(".png"), picture, overwrite=True)
    picture = load_image(cell.stem.with_suffix(".png"))  # what is judged is what was saved
    found = jury(cell.number, cell.size)(picture)
    figures = dict(pair=here.name, method=cell.method, factor=cell.factor, seconds=seconds(laps))
    figures |= dict(cores=cell.cores, taken=taken, steps=sum(map(len, laps.values())))
    figures |= dict(judges=found, versions=versions())
    partial = cell.stem.with_suffix(".part")
    partial.write_text(json.dumps(figures, indent=1), "utf-8")
    partial.replace(cell.stem.with_suffix(".json"))
    print(
        f"{here.name}, {cell.method}, {cell.factor:g}: style {found['style']:.3f}, content"
        f" {found['content']:.3f}, {figures['seconds']:.0f} s ({taken:.0f} s taken)",
        flush=True,
    )
