"""Know before you go: how long a recipe will take, how much memory, and in what tiles."""

import re
import time
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil

from .backbones import load_backbone
from .errors import SettingsError, check_choice, check_range
from .gradients import Balanced, quickly_normalise
from .objectives import Content, Dream, Style, TotalVariation
from .octaves import SMALLEST_PAINTING, octave_sizes
from .profiles import Profile
from .profiles import profile as choose_profile
from .scores import layers_by_backbone
from .tiles import Tiled, tiles

GIB = 2**30
# A step that takes more is cut into tiles: a share of the free memory, and never more than MOST,
# for in tiles it takes but half as long again and leaves room to others.
SHARE, MOST = 0.6, 6 * GIB
TILES = (1024, 512, 256)  # px
SMALL = 320  # px: longest side of the pictures on which a step is timed, and half of it
# What a step keeps, over the output of each layer but normalisations and activations, which are
# computed in place; and beside it, bytes a pixel. Measured: see benchmarks/README.md.
KEPT = {True: 1.9, False: 0.9}  # with a style's Gram matrices, without
BESIDE = 150


@dataclass(frozen=True)
class Estimate:
    """What a run will take.

    Attributes:
        seconds: time of all steps, s.
        gib: peak memory of the process, GiB.
        tile: side of the tiles at the full size, px; None: it is computed whole.
        free: memory that is free now, GiB.
    """

    seconds: float
    gib: float
    tile: int | None
    free: float

    def __str__(self):
        tiles = f"in tiles of {self.tile} px" if self.tile else "whole"
        room = "" if self.gib < self.free else ": too much"
        time_ = f"{self.seconds / 60:.1f} min" if self.seconds > 90 else f"{self.seconds:.0f} s"
        return f"about {time_}, {self.gib:.1f} GiB of {self.free:.1f} GiB free{room}, {tiles}"


def estimate(
    recipe,
    size=None,
    backbone=None,
    steps=None,
    *,
    octaves=None,
    tile="auto",
    precision="auto",
    profile=None,
):
    """Tell a run's time and peak memory from a few timed small steps.

    Args:
        recipe: `"style"` or `"dream"`.
        size: (height, width) or the longest side of a square, px; the profile's when None.
        backbone: a network's name or a `Backbone`; the profile's when None.
        steps: steps in all (style) or at each size (dream); the profile's when None.
        octaves: how many sizes; the recipe's own when None.
        tile, precision, profile: as for the recipes.

    Returns:
        An `Estimate`.

    Raises:
        SettingsError: a recipe, size or step count that cannot be.

    For runs larger than those of notebook 03.

    >>> print(estimate("dream", 64, "squeezenet", steps=2, octaves=1))  # doctest: +ELLIPSIS
    about ... s, ... GiB of ... GiB free, whole
    """
    check_choice("recipe", recipe, ("style", "dream"))
    chosen = profile if isinstance(profile, Profile) else choose_profile(profile, quiet=True)
    height, width = size if isinstance(size, tuple | list) else [size or chosen.size] * 2
    check_range("size", min(height, width), 1)
    name = backbone or (chosen.style_backbone if recipe == "style" else chosen.dream_backbone)
    if steps is not None:
        check_range("steps", steps, 1)
    network = load_backbone(name).at(precision)
    if recipe == "style":
        steps = chosen.steps if steps is None else steps
        sizes = octave_sizes((height, width), octaves or 2, 2, SMALLEST_PAINTING)
        shares = [steps / len(sizes)] * len(sizes)
    else:
        sizes = octave_sizes((height, width), octaves or chosen.octaves)
        shares = [chosen.octave_steps if steps is None else steps] * len(sizes)
    score = _small_score(recipe, network, (height, width))
    fixed, pace = _seconds(score, (height, width))
    cuts = [choose_tile(score, side, tile) for side in sizes]
    seconds = sum(
        share * (fixed + pace * _pixels(score, side, cut))
        for share, side, cut in zip(shares, sizes, cuts, strict=True)
    )
    needed = psutil.Process().memory_info().rss + step_bytes(score, sizes[-1], cuts[-1])
    gib = max(needed, peak_memory()) / GIB
    return Estimate(seconds, gib, cuts[-1], psutil.virtual_memory().available / GIB)


def peak_memory():
    """The most memory that this process has had, bytes; where the system does not tell, now."""
    status = Path("/proc/self/status")
    if status.exists():  # not getrusage, which counts what the parent had when it started us
        return int(re.search(r"VmHWM:\s+(\d+)", status.read_text())[1]) * 1024
    memory = psutil.Process().memory_info()
    return getattr(memory, "peak_wset", memory.rss)


def fitted(score, size, tile="auto"):
    """A score as it is, or in tiles if its step would not fit into memory; a warning if neither.

    Args:
        score: an objective, a term or a `Balanced`.
        size: (height, width) of the picture, px.
        tile: side of a tile, px; None never cuts; `"auto"` cuts where memory asks for it.
    """
    side = choose_tile(score, size, tile)
    needed, free = step_bytes(score, size, side), psutil.virtual_memory().available
    if needed > free:
        shrunk = max(size) * (free / needed) ** 0.5
        mend = f"choose size={int(shrunk)}" if side else 'choose tile="auto"'
        warnings.warn(
            f"A step at {size[1]}×{size[0]} px needs about {needed / GIB:.1f} GiB, and"
            f" {free / GIB:.1f} GiB are free: {mend} or close other programs.",
            stacklevel=3,
        )
    if side is None:
        return score
    if isinstance(score, Balanced):
        return Balanced(score.down, score.up, score.balance, score.smooth, side)
    return Tiled(score, side)


def choose_tile(score, size, tile="auto"):
    """Side of the tiles for a picture of this size, px; None if it is computed whole."""
    if tile is None:
        return None
    if tile != "auto":
        if not isinstance(tile, int) or isinstance(tile, bool):
            raise SettingsError(f'tile cannot be {tile!r}: give a number of px, "auto" or None.')
        check_range("tile", tile, 16)
        return tile if tile < max(size) else None
    room = min(MOST, SHARE * psutil.virtual_memory().available)
    if step_bytes(score, size) <= room:
        return None
    return next((side for side in TILES if step_bytes(score, size, side) <= room), TILES[-1])


def step_bytes(score, size, tile=None):
    """Memory that a step takes beyond what the process has already, bytes."""
    most, area = 0, size[0] * size[1]
    for backbone, layers in layers_by_backbone(score.terms).items():
        item = 2 if backbone.precision == "bfloat16" else 4
        kept = KEPT[any(isinstance(term, Style) for term in score.terms.values())] * item
        if not tile:
            most = max(most, area * kept * _features_a_pixel(backbone, layers))
            continue
        shallow, deep = backbone.split(layers)
        spans = [[s.stop - s.start for s in t.pixels] for t in tiles(size, tile, backbone, shallow)]
        largest = max(height * width for height, width in spans)
        most = max(most, largest * kept * _features_a_pixel(backbone, shallow))
        if deep:
            way = [
                _features_a_pixel(backbone, found, waist)
                for waist, found in backbone.stretches(deep)
            ]
            most = max(most, area * kept * max(way))
    return most + BESIDE * area


def _features_a_pixel(backbone, layers, start=None):
    """How many numbers the network keeps for each pixel, up to the deepest of the layers."""
    passing = ("BatchNormalization", "Activation", "InputLayer")
    model = backbone.extractor(layers, start)
    kept = [x for x in model.layers if type(x).__name__ not in passing]
    return sum(x.output.shape[-1] / backbone.stride(x.name) ** 2 for x in kept)


def _products_a_pixel(backbone, layers):
    """How many multiplications its convolutions take for each pixel."""
    kernels = [x for x in backbone.extractor(layers).layers if hasattr(x, "kernel_size")]
    return sum(np.prod(x.kernel.shape) / backbone.stride(x.name) ** 2 for x in kernels)


def _small_score(recipe, network, size):
    """The recipe's objective at a size whose step takes no time."""
    if recipe == "dream":
        return Dream(network)
    noise = np.random.default_rng(0).random((*_small(size), 3), "float32")
    return Content(noise, network) + 40.0 * Style(noise, network) + 0.5 * TotalVariation()


def _small(size, most=SMALL):
    scale = min(1, most / max(size))
    return tuple(max(96, round(side * scale)) for side in size)


def _seconds(score, size):
    """What a step takes at any size, s, and what each pixel adds, from steps at two small sizes."""
    rng, sizes = np.random.default_rng(1), (_small(size, SMALL // 2), _small(size))
    pictures = [rng.random((*side, 3), "float32") for side in sizes]
    times = [[_step_seconds(score, picture) for picture in pictures] for _ in range(7)]
    less, more = np.median(times[2:], axis=0)  # two to warm up
    fewer, many = (picture[..., 0].size for picture in pictures)
    whole = more / many
    pace = (more - less) / (many - fewer) if many > fewer else whole
    pace = np.clip(pace, whole / 2, whole)  # times are noisy
    return more - pace * many, pace


def _step_seconds(score, picture):
    started = time.perf_counter()
    _, _, gradient = score.value_and_gradient(picture)
    if isinstance(score, Dream):
        gradient = quickly_normalise(gradient, 3)
    gradient.numpy()
    return time.perf_counter() - started


def _pixels(score, size, tile):
    """Pixels that a step works on: in tiles their halos too, and one more pass forward."""
    if tile is None:
        return size[0] * size[1]
    ((backbone, layers),) = layers_by_backbone(score.terms).items()
    shallow, _ = backbone.split(layers)
    cut = [[s.stop - s.start for s in t.pixels] for t in tiles(size, tile, backbone, shallow)]
    tiled = 3 / 2 * sum(height * width for height, width in cut)
    share = _products_a_pixel(backbone, shallow) / _products_a_pixel(backbone, layers)
    return share * tiled + (1 - share) * size[0] * size[1]
