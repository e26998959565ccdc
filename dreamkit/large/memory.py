"""How much memory a step takes, and the one decision that follows: whole or in tiles."""

import re
import warnings
from pathlib import Path

import psutil

from ..balanced import Balanced
from ..errors import SettingsError, check_range
from ..objectives import Score, layers_by_backbone
from ..terms import Style
from .checkpointing import segments, split
from .fast import FastBalanced, accelerated, share_a_network
from .tiles import Tiled, tiles

GIB = 2**30
# A step that takes more is cut into tiles: a share of the free memory, and never more than MOST,
# as in tiles it takes only half as long again, and leaves room to other programs.
SHARE, MOST = 0.6, 6 * GIB
TILES = (1024, 512, 256)  # px
# What a step keeps, over the output of each layer but normalisations and activations, which are
# computed in place; and beside it, bytes a pixel. Measured: see benchmarks/README.md.
KEPT = {True: 1.9, False: 0.9}  # with a style's Gram matrices, without
BESIDE = 150


def peak_memory():
    """The most memory that this process has had, bytes; where the system does not tell, now."""
    status = Path("/proc/self/status")
    if status.exists():  # not getrusage, which counts what the parent had when it started us
        return int(re.search(r"VmHWM:\s+(\d+)", status.read_text())[1]) * 1024
    memory = psutil.Process().memory_info()
    return getattr(memory, "peak_wset", memory.rss)


def fit_to_memory(score, size, tile="auto"):
    """A score made ready for many steps: as fast as can be, and in tiles where memory asks for it.

    Args:
        score: an objective, a term or a `Balanced`; any other object is returned as it is.
        size: (height, width) of the picture, px.
        tile: side of a tile, px; None never cuts; `"auto"` cuts where memory asks for it.

    Returns:
        A score of the same values. A step that cannot fit is reported in a warning.

    Raises:
        SettingsError: a tile that cannot be, or a score that needs tiles and cannot have them.
    """
    if isinstance(score, Balanced):
        sides = [fit_to_memory(each, size, tile) for each in (score.down, score.up)]
        whole = not any(isinstance(side, Tiled) for side in sides)
        kind = FastBalanced if whole and share_a_network(*sides) else Balanced
        return kind(*sides, score.balance, score.smooth)
    if not isinstance(score, Score):
        return score
    side = choose_tile(score, size, tile)
    needed, free = step_bytes(score, size, side), psutil.virtual_memory().available
    if needed > free:
        fitting = int(max(size) * (free / needed) ** 0.5)
        fix = f"choose size={fitting}" if side else 'choose tile="auto"'
        warnings.warn(
            f"A step at {size[1]}×{size[0]} px needs about {needed / GIB:.1f} GiB, and"
            f" {free / GIB:.1f} GiB are free: {fix} or close other programs.",
            stacklevel=3,
        )
    if side is None:
        return accelerated(score)
    if not all(term.adds_up for term in score.terms.values()):
        fitting = int(max(size) * min(1, room() / step_bytes(score, size)) ** 0.5)
        raise SettingsError(
            "A term that leaves out a border, or whose statistics do not add up, cannot be computed"
            f" in tiles: choose another, or tile=None at up to about size={fitting}."
        )
    return Tiled(accelerated(score), side)


def choose_tile(score, size, tile="auto"):
    """Side of the tiles for a picture of this size, px; None if it is computed whole."""
    if tile is None:
        return None
    if tile != "auto":
        if not isinstance(tile, int) or isinstance(tile, bool):
            raise SettingsError(f'tile cannot be {tile!r}: give a number of px, "auto" or None.')
        check_range("tile", tile, 16)
        return tile if tile < max(size) else None
    most = room()
    if step_bytes(score, size) <= most:
        return None
    return next((side for side in TILES if step_bytes(score, size, side) <= most), TILES[-1])


def room():
    """Memory that a step may take before it is cut into tiles, bytes."""
    return min(MOST, SHARE * psutil.virtual_memory().available)


def step_bytes(score, size, tile=None):
    """Memory that a step takes beyond what the process has already, bytes."""
    most, area = 0, size[0] * size[1]
    for backbone, layers in layers_by_backbone(score.terms).items():
        item = 2 if backbone.precision == "bfloat16" else 4
        kept = KEPT[any(isinstance(term, Style) for term in score.terms.values())] * item
        if not tile:
            most = max(most, area * kept * _features_a_pixel(backbone, layers))
            continue
        shallow, deep = split(backbone, layers)
        spans = [[s.stop - s.start for s in t.pixels] for t in tiles(size, tile, backbone, shallow)]
        largest = max(height * width for height, width in spans)
        most = max(most, largest * kept * _features_a_pixel(backbone, shallow))
        if deep:
            steps = segments(backbone, deep)
            held = [_features_a_pixel(backbone, names, start) for start, names in steps]
            most = max(most, area * kept * max(held))
    return most + BESIDE * area


def _features_a_pixel(backbone, layers, start=None):
    """How many numbers the network keeps for each pixel, up to the deepest of the layers."""
    passing = ("BatchNormalization", "Activation", "InputLayer")
    model = backbone.extractor(layers, start)
    kept = [x for x in model.layers if type(x).__name__ not in passing]
    return sum(x.output.shape[-1] / backbone.stride(x.name) ** 2 for x in kept)
