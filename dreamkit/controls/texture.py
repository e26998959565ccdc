"""texture(): more of what a picture is made of, also as a tile that repeats.  (Notebook 03.)"""

import functools
import operator

import numpy as np
from PIL import Image

from ..arguments import kinds
from ..errors import ImageError, check_range
from ..images import resize, resize_channels
from ..large.memory import check_tiling
from ..large.wrapped import Wrapped, wrap
from ..networks.backbone import load_backbone
from ..octaves import octave_sizes, plan, through_octaves
from ..optimize import descend
from ..runs.settings import reproducible
from ..terms import Style, TotalVariation
from .paintings import paintings, scale_paintings

SMALLEST = 32  # px; the coarsest size only has to place light and dark
HALO = 4  # px around a picture that bicubic enlarging reads


@reproducible("style", size=kinds.one_or_both_sides)
def texture(
    style,
    size=None,
    backbone=None,
    steps=None,
    seed=None,
    *,
    tileable=False,
    tv_weight=0.01,
    style_layers=None,
    style_scale=1.0,
    octaves=3,
    formula="relative",
    statistics="gram",
    optimizer="adam",
    learning_rate=0.03,
    precision="auto",
    tile="auto",
    profile=None,
    callback=None,
    progress=True,
    checkpoint=None,
    film=None,
):
    """Make a texture from noise: descend the style loss alone, from coarse to fine.

    Args:
        style: what to make more of: a picture, or several with their shares, as for
            `style_transfer`.
        size: side of a square, or (height, width), px; None for the profile's. For `tileable`, a
            multiple of the network's stride: 16 px for VGG.
        backbone: a network's name or a `Backbone`; None for the profile's.
        steps: steps of descent, shared by the sizes; None for the profile's.
        seed: seed of the noise; None draws and records one.
        tileable: True for a picture that repeats without a seam; see `Wrapped`. It takes two to
            four times as long, more when small, and is not computed in tiles.
        tv_weight: weight of the total variation; the style's is 1.
        style_layers: names, or {name: weight}; None for the backbone's defaults.
        style_scale: the painting's longest side over the texture's; larger gives larger strokes.
        octaves: number of sizes, each half the next, so that large shapes come first.
        formula, statistics: what to compare, and how; see `Style`.
        optimizer, tile, callback, progress: see `descend`.
        learning_rate: step size in units of [0, 1]; larger ones leave dull patches.
        precision, profile, checkpoint, film: see `style_transfer`.

    Returns:
        A `Run`.

    Raises:
        DreamkitError: the subclass and message name the invalid picture, setting or weights.

    Source: Gatys, Ecker and Bethge 2015, "Texture synthesis using convolutional neural networks".
    Introduced in notebook 03.

    >>> run = texture("mosaic", (48, 64), tileable=True, profile="ci", seed=1, progress=False)
    >>> run.image.shape
    (48, 64, 3)
    """
    network = load_backbone(backbone or profile.style_backbone).with_precision(precision)
    styles = paintings(style, None, network, style_layers)
    layers = [layer for painting in styles for layer in painting.layers]
    check_range("style_scale", style_scale, 0.01)
    full = full_size(size, profile)
    if tileable:
        check_repeats(full, max(map(network.stride, layers)))
    sizes = octave_sizes(full, octaves, 2, max(SMALLEST, *map(network.smallest, layers)))
    stages = plan("texture", sizes, profile.steps if steps is None else steps, shared=True)
    noise = np.random.default_rng(seed).normal(0.5, 0.15, (*sizes[-1], 3)).astype("float32")
    rate = None if optimizer == "lbfgs" else learning_rate  # which has none
    options = dict(optimizer=optimizer, learning_rate=rate, tile=tile)
    options |= dict(callback=callback, progress=progress, checkpoint=checkpoint)
    made = []

    def score(size):
        scaled = scale_paintings(styles, round(style_scale * max(size)), network)
        compared = formula, statistics
        terms = [p.share * Style(p.picture, network, p.layers, *compared) for p in scaled]
        smooth = TotalVariation("tutorial" if formula == "tutorial" else "relative")
        return functools.reduce(operator.add, [*terms, tv_weight * smooth])

    def one_size(picture, number):
        if made:  # noise has no lost detail to put back
            picture = enlarge(made[-1].image, stages[number - 1].size, tileable)
        size, steps, phase = stages[number - 1]
        around = Wrapped(score(size)) if tileable else score(size)
        made.append(descend(picture, around, steps, phase=phase, **options))
        return made[-1]

    if not tileable:
        check_tiling(score(full), full, tile)  # before the first size, not after it
    run = through_octaves(np.clip(noise, 0, 1), [stage.size for stage in stages], one_size)
    run.image = enlarge(made[-1].image, sizes[-1], tileable)  # if it was stopped early
    return run


def full_size(size, profile):
    """(height, width) of a texture from its side, both sides, or None for the profile's size."""
    size = profile.size if size is None else size
    sides = tuple(size) if isinstance(size, list | tuple) else (size, size)
    if len(sides) != 2:
        raise ImageError(f"size cannot be {size!r}: give one side, or (height, width), in px.")
    for side in sides:
        check_range("size", side, 1)
    return sides


def check_repeats(size, stride):
    """Raise an `ImageError` unless the network's grid meets itself across the seam."""
    for side in size:
        if side % stride:
            fitting = max(1, round(side / stride)) * stride
            raise ImageError(
                f"A tileable texture of {side} px does not fit this network, which works in steps"
                f" of {stride} px: choose a multiple, such as {fitting}."
            )


def enlarge(picture, size, tileable):
    """Scale a picture up to (height, width); a tileable one as a part of its repetitions."""
    if not tileable:
        return resize(picture, size)
    height, width = picture.shape[:2]
    box = (HALO, HALO, HALO + width, HALO + height)
    around = wrap(picture, HALO).numpy()
    return np.clip(resize_channels(around, *size, Image.Resampling.BICUBIC, box), 0, 1)
