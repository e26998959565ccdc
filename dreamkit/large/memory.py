"""How much memory a step takes, and so whether to compute it whole or in tiles.

On a GPU, it is the GPU's memory that counts. What a step takes was measured on a CPU only.
"""

import re
import warnings
from pathlib import Path

import psutil

from ..balanced import Balanced
from ..errors import SettingsError, check_range
from ..networks.devices import device_memory
from ..objectives import Score, layers_by_backbone
from ..terms import Style
from .checkpointing import segments, split
from .fast import FastBalanced, accelerated
from .loss_scaling import LossScaled, in_float32, uses_float16
from .tiles import Tiled, tiles
from .wrapped import Wrapped

GIB = 2**30
# A step that needs more than SHARE of the free memory, or on a CPU more than LIMIT, is tiled, which
# takes half as long again but leaves room for other programs.
SHARE, LIMIT = 0.6, 6 * GIB
TILES = (1024, 512, 256)  # px
# Measured, see benchmarks/README.md: the memory that a step keeps, relative to the outputs of all
# layers but normalisations and activations, which are computed in place; other bytes per pixel.
KEPT = {True: 1.9, False: 0.9}  # with Gram matrices, and without
OVERHEAD = 150
SORTED = 17  # bytes for each feature that a style sorts: it is sorted in float32, with its place


def peak_memory():
    """Peak memory of this process, bytes; its current memory if the system keeps no peak."""
    status = Path("/proc/self/status")
    if status.exists():  # unlike this, getrusage includes the parent's memory at the fork
        return int(re.search(r"VmHWM:\s+(\d+)", status.read_text())[1]) * 1024
    memory = psutil.Process().memory_info()
    return getattr(memory, "peak_wset", memory.rss)


def fit_to_memory(score, size, tile="auto"):
    """The fastest version of a score that fits in memory, tiled if necessary.

    Args:
        score: an objective, a term or a `Balanced`; any other object is returned unchanged.
        size: (height, width) of the picture, px.
        tile: side of a tile, px; None never tiles; `"auto"` tiles only if memory requires it.

    Returns:
        A score with the same values. Warns if a step will not fit even so.

    Raises:
        SettingsError: an invalid tile, or a score that needs tiles but cannot be tiled.
    """
    if isinstance(score, Balanced):
        sides = [fit_to_memory(each, size, tile) for each in (score.down, score.up)]
        down, up = (layers_by_backbone(side.terms).keys() for side in sides)
        one_pass = down & up and not any(isinstance(side, Tiled | LossScaled) for side in sides)
        return (FastBalanced if one_pass else Balanced)(*sides, score.balance, score.smooth)
    if isinstance(score, Wrapped):
        return _fit_wrapped(score, size, tile)
    if not isinstance(score, Score):
        return score
    if uses_float16(score):
        exact = lambda: _fit(in_float32(score), size, tile)  # noqa: E731
        return LossScaled(_fit(score, size, tile), exact)
    return _fit(score, size, tile)


def _fit(score, size, tile):
    """`fit_to_memory` for an objective or a term, in whatever precision its networks have."""
    side = choose_tile(score, size, tile)
    needed, memory = step_bytes(score, size, side), device_memory()
    if needed > memory.free:
        largest = int(max(size) * (memory.free / needed) ** 0.5)
        fix = f"choose size={largest}" if side else 'choose tile="auto"'
        where = " on the GPU" if memory.on_gpu else ""
        warnings.warn(
            f"A step at {size[1]}×{size[0]} px needs about {needed / GIB:.1f} GiB, but only"
            f" {memory.free / GIB:.1f} GiB are free{where}: {fix} or close other programs.",
            stacklevel=4,
        )
    if side is None:
        return accelerated(score)
    check_tiling(score, size, tile)
    return Tiled(accelerated(score), side)


def check_tiling(score, size, tile="auto"):
    """Raise a `SettingsError` if a picture of this size would be tiled, and a term cannot be."""
    whole = [term for term in score.terms.values() if not term.adds_up]
    if whole and choose_tile(score, size, tile):
        largest = int(max(size) * min(1, memory_limit() / step_bytes(score, size)) ** 0.5)
        raise SettingsError(
            f"The {whole[0].name} term has a border, or statistics that do not add up, so it cannot"
            f" be tiled: choose others, or tile=None with a size of up to about {largest}."
        )


def _fit_wrapped(score, size, tile):
    """The fastest version of a `Wrapped`, which isn't computed in tiles."""
    around = tuple(side + 2 * score.margin for side in size)
    if choose_tile(score.score, around, tile):
        largest = max(around) * min(1, memory_limit() / step_bytes(score.score, around)) ** 0.5
        raise SettingsError(
            "A picture that wraps around cannot be computed in tiles: choose tileable=False, or"
            f" tile=None with a size of up to about {max(1, int(largest) - 2 * score.margin)}."
        )
    return Wrapped(fit_to_memory(score.score, around, tile=None))


def choose_tile(score, size, tile="auto"):
    """Side of the tiles for a picture of this size, px; None to compute it whole."""
    if tile is None:
        return None
    if tile != "auto":
        if not isinstance(tile, int) or isinstance(tile, bool):
            raise SettingsError(f'tile cannot be {tile!r}: give an integer (px), "auto" or None.')
        check_range("tile", tile, 16)
        return tile if tile < max(size) else None
    limit = memory_limit()
    if step_bytes(score, size) <= limit:
        return None
    needed = {side: step_bytes(score, size, side) for side in TILES}
    fits = [side for side in TILES if needed[side] <= limit]
    # Smaller tiles save nothing where the deep layers, which see the whole picture, need most.
    return fits[0] if fits else min(TILES, key=needed.get)


def memory_limit():
    """Memory that a step may take before it is tiled, bytes."""
    memory = device_memory()
    return SHARE * memory.free if memory.on_gpu else min(LIMIT, SHARE * memory.free)


def step_bytes(score, size, tile=None):
    """Memory that a step needs on top of what the process already uses, bytes."""
    peak, area = 0, size[0] * size[1]
    for backbone, layers in layers_by_backbone(score.terms).items():
        itemsize = 2 if backbone.precision in ("bfloat16", "float16") else 4
        kept = KEPT[any(isinstance(term, Style) for term in score.terms.values())] * itemsize
        if not tile:
            extra = SORTED * _sorted_per_pixel(score, backbone)
            peak = max(peak, area * (kept * _features_per_pixel(backbone, layers) + extra))
            continue
        shallow, deep = split(backbone, layers)
        spans = [[s.stop - s.start for s in t.pixels] for t in tiles(size, tile, backbone, shallow)]
        largest = max(height * width for height, width in spans)
        peak = max(peak, largest * kept * _features_per_pixel(backbone, shallow))
        if deep:
            parts = segments(backbone, deep)
            densities = [_features_per_pixel(backbone, names, start) for start, names in parts]
            peak = max(peak, area * kept * max(densities))
    return peak + OVERHEAD * area


def _features_per_pixel(backbone, layers, start=None):
    """Number of features that the network stores per pixel, up to the deepest of the layers."""
    in_place = ("BatchNormalization", "Activation", "InputLayer")
    model = backbone.extractor(layers, start)
    kept = [x for x in model.layers if type(x).__name__ not in in_place]
    return sum(x.output.shape[-1] / backbone.stride(x.name) ** 2 for x in kept)


def _sorted_per_pixel(score, backbone):
    """Number of features of this network that the terms sort, per pixel."""
    terms = [t for t in score.terms.values() if t.backbone is backbone and t.degree is None]
    layers = {layer for term in terms for layer in term.layers}
    return sum(backbone.layer(n).output.shape[-1] / backbone.stride(n) ** 2 for n in layers)
