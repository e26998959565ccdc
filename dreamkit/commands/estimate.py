"""Estimate how long a recipe will take and how much memory it needs.  (Notebook 00.)"""

import time
from dataclasses import dataclass

import numpy as np

from ..arguments import kinds
from ..arguments.checked import checked
from ..controls.paintings import style_objective
from ..dream import Dream
from ..errors import check_choice, check_range
from ..large.checkpointing import split
from ..large.fast import normalise_compiled
from ..large.memory import GIB, choose_tile, fit_to_memory, peak_memory, step_bytes
from ..large.tiles import tiles
from ..networks.backbone import load_backbone
from ..networks.devices import device_memory
from ..objectives import layers_by_backbone
from ..octaves import SMALLEST_PAINTING, octave_sizes
from ..profiles import Profile
from ..profiles import profile as choose_profile
from ..recipes import WEIGHTS

SMALL = 320  # px; steps are timed on pictures with this longest side, and half of it


@dataclass(frozen=True)
class Estimate:
    """The estimated cost of a run.

    Attributes:
        seconds: time of all steps, s.
        gib: peak memory of the process where the work is done, GiB.
        tile: side of the tiles at full size, px; None if the picture is computed whole.
        free: memory that is currently free there, GiB.
        on_gpu: True if that is a GPU.
    """

    seconds: float
    gib: float
    tile: int | None
    free: float
    on_gpu: bool = False

    def __str__(self):
        tiles = f"in tiles of {self.tile} px" if self.tile else "whole"
        free = f"{self.free:.1f} GiB free{' on the GPU' if self.on_gpu else ''}"
        verdict = "" if self.gib < self.free else ": too much"
        length = f"{self.seconds / 60:.1f} min" if self.seconds > 90 else f"{self.seconds:.0f} s"
        return f"about {length}, {self.gib:.1f} GiB of {free}{verdict}, {tiles}"


@checked(size=kinds.one_or_both_sides, steps=kinds.number(1, kinds.MOST_STEPS), pace=kinds.pace)
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
    pace=None,
):
    """Estimate a run's time and peak memory from a few small timed steps.

    Args:
        recipe: `"style"` or `"dream"`.
        size: (height, width) or the side of a square, px; None for the profile's.
        backbone: a network's name or a `Backbone`; None for the profile's.
        steps: total steps (style) or steps at each size (dream); None for the profile's.
        octaves: number of sizes; None for the recipe's default.
        tile, precision, profile: see `style_transfer`.
        pace: what `measure` returned for this recipe and network; None measures now.

    Returns:
        An `Estimate`.

    Raises:
        SettingsError: an invalid recipe, size or number of steps.

    >>> print(estimate("dream", 64, "squeezenet", steps=2, octaves=1))  # doctest: +ELLIPSIS
    about ... s, ... GiB of ... GiB free..., whole
    """
    check_choice("recipe", recipe, ("style", "dream"))
    chosen = profile if isinstance(profile, Profile) else choose_profile(profile, quiet=True)
    height, width = size if isinstance(size, tuple | list) else [size or chosen.size] * 2
    check_range("size", min(height, width), 1)
    name = backbone or (chosen.style_backbone if recipe == "style" else chosen.dream_backbone)
    if steps is not None:
        check_range("steps", steps, 1)
    network = load_backbone(name).with_precision(precision)
    if recipe == "style":
        steps = chosen.steps if steps is None else steps
        sizes = octave_sizes((height, width), octaves or 2, 2, SMALLEST_PAINTING)
        shares = [steps / len(sizes)] * len(sizes)
    else:
        sizes = octave_sizes((height, width), octaves or chosen.octaves)
        shares = [chosen.octave_steps if steps is None else steps] * len(sizes)
    score = _small_score(recipe, network, (height, width))
    fixed, pace = pace or _seconds(score, (height, width))
    cuts = [choose_tile(score, side, tile) for side in sizes]
    seconds = sum(
        share * (fixed + pace * _pixels(score, side, cut))
        for share, side, cut in zip(shares, sizes, cuts, strict=True)
    )
    memory = device_memory()
    needed = memory.used + step_bytes(score, sizes[-1], cuts[-1])
    gib = max(needed, memory.peak if memory.on_gpu else peak_memory()) / GIB
    return Estimate(seconds, gib, cuts[-1], memory.free / GIB, memory.on_gpu)


def measure(recipe, network, size):
    """Fixed seconds per step, and seconds per pixel, from a few small timed steps.

    Args:
        recipe: `"style"` or `"dream"`.
        network: a `Backbone`.
        size: (height, width) of the picture, px; larger than 320 px is measured at 320.
    """
    return _seconds(_small_score(recipe, network, size), size)


def _products_per_pixel(backbone, layers):
    """Number of multiplications in the convolutions per pixel."""
    convolutions = [x for x in backbone.extractor(layers).layers if hasattr(x, "kernel_size")]
    return sum(np.prod(x.kernel.shape) / backbone.stride(x.name) ** 2 for x in convolutions)


def _small_score(recipe, network, size):
    """The recipe's objective at a size small enough to be quick."""
    if recipe == "dream":
        return Dream(network)
    noise = np.random.default_rng(0).random((*_small(size), 3), "float32")
    return style_objective(noise, noise, network, WEIGHTS)


def _small(size, longest=SMALL):
    scale = min(1, longest / max(size))
    return tuple(max(96, round(side * scale)) for side in size)


def _seconds(score, size):
    """Fixed seconds per step, and seconds per pixel, from steps at two small sizes."""
    dreams = any(isinstance(term, Dream) for term in score.terms.values())
    score = fit_to_memory(score, _small(size), tile=None)
    rng, sizes = np.random.default_rng(1), (_small(size, SMALL // 2), _small(size))
    pictures = [rng.random((*side, 3), "float32") for side in sizes]
    times = [[_step_seconds(score, picture, dreams) for picture in pictures] for _ in range(7)]
    quick, slow = np.median(times[2:], axis=0)  # the first two warm up
    few, many = (picture[..., 0].size for picture in pictures)
    average = slow / many
    pace = (slow - quick) / (many - few) if many > few else average
    pace = np.clip(pace, average / 2, average)  # times are noisy
    return slow - pace * many, pace


def _step_seconds(score, picture, dreams):
    started = time.perf_counter()
    _, _, gradient = score.value_and_gradient(picture)
    if dreams:
        gradient = normalise_compiled(gradient, 3)
    gradient.numpy()
    return time.perf_counter() - started


def _pixels(score, size, tile):
    """Pixels that a step computes; tiles add their halos and a second forward pass."""
    if tile is None:
        return size[0] * size[1]
    ((backbone, layers),) = layers_by_backbone(score.terms).items()
    shallow, _ = split(backbone, layers)
    cut = [[s.stop - s.start for s in t.pixels] for t in tiles(size, tile, backbone, shallow)]
    tiled = 3 / 2 * sum(height * width for height, width in cut)
    share = _products_per_pixel(backbone, shallow) / _products_per_pixel(backbone, layers)
    return share * tiled + (1 - share) * size[0] * size[1]
