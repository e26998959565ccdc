"""style_transfer(), deep_dream() and dream_style().  (Notebooks 03 to 05.)"""

import functools

import numpy as np

from .balanced import Balanced
from .controls.colour import keep_chroma
from .controls.masks import keep_outside
from .controls.paintings import (
    check_photo,
    masked,
    paintings,
    recolour,
    scale_paintings,
    style_objective,
    weaken,
)
from .controls.quality import STYLE_WEIGHTS, choice, from_quality
from .controls.texture import texture
from .controls.transforms import Transforms
from .controls.visualisation import visualise
from .dream import Dream, rank_channels
from .errors import DivergedError, SettingsError, check_choice, check_range
from .images import resize
from .large.memory import check_tiling
from .networks.backbone import load_backbone
from .octaves import SMALLEST_PAINTING, count_octaves, octave_sizes, plan, through_octaves
from .optimize import ascend, descend, responds
from .runs.run import concatenate
from .runs.settings import reproducible

# For relative terms, so that the same weights suit any network and any size.
WEIGHTS = {"content": 1.0, "style": STYLE_WEIGHTS["best"], "total_variation": 0.5}
ORDERS = ("style-dream", "dream-style", "joint")


@reproducible("content", "style", "init", "style_mask", "content_mask", expand=from_quality)
def style_transfer(
    content,
    style,
    backbone=None,
    steps=None,
    seed=None,
    *,
    quality="best",
    size=None,
    init="content",
    strength=1.0,
    content_weight=WEIGHTS["content"],
    style_weight=None,
    tv_weight=WEIGHTS["total_variation"],
    content_layers=None,
    style_layers=None,
    content_mask=None,
    style_mask=None,
    preserve_color=None,
    style_scale=1.0,
    octaves=2,
    formula="relative",
    statistics="gram",
    optimizer="adam",
    learning_rate=None,
    canvas="pixels",
    precision="auto",
    tile="auto",
    profile=None,
    callback=None,
    progress=True,
    checkpoint=None,
    film=None,
):
    """Paint a photo in the style of another picture: descend content and style loss together.

    Args:
        content: the photo: a sample's name, path, URL, PIL image or array in [0, 1].
        style: the painting, given in the same way, of any size; or several with their shares,
            {"mosaic": 0.7, "night_flow": 0.3} or [(picture, 0.7), …]. A share may also be the
            layers that a painting decides: `"coarse"`, `"fine"` or layers' names.
        backbone: a network's name or a `Backbone`; None for the profile's.
        steps: steps of descent; None for the profile's. [150, 50] adds 50 at full size.
        seed: for `init="noise"`; None draws and records one.
        quality: `"best"`, or `"gatys"` for the layers of Gatys et al. and a style weight of 40,
            where these are not given; see `dreamkit.controls.quality.choice`.
        size: longest side of the result, px, or `"own"` for the photo's. None: the profile's for a
            photo given by name, path or address; an array, PIL image or bytes keep their own.
        init: start from `"content"`, `"style"`, `"noise"` or any picture.
        strength: how far to go, from 0 (the photo) to 1 (all of the style's weight).
        content_weight, tv_weight: weights of these terms.
        style_weight: weight of the style; None for the quality's, 120 or 40.
        content_layers, style_layers: names (alike) or {name: weight}; None for the quality's.
        content_mask, style_mask: where the photo is kept and where the style counts: a picture or
            array, white for there; see `Masked`. For several paintings, {"mosaic": mask, …}.
        preserve_color: None; `"luminance"` paints only brightness, and the photo keeps its colours;
            `"match"` gives the painting the photo's range of colours first.
        style_scale: the painting's longest side over the photo's; larger gives larger strokes.
        octaves: number of sizes that share the steps, each half the next: broad strokes come first.
        formula: `"relative"`, `"gatys"` or `"tutorial"`; see `Content` and `Style`.
        statistics: `"gram"`, `"adain"`, or, with a style_weight of 60, `"moments"` or `"sliced"`.
        optimizer, learning_rate, canvas, tile, callback, progress: see `descend`.
        precision: `"float32"`, `"bfloat16"` (about half the time, visually the same picture),
            `"float16"` or `"auto"`, the fastest of them for this network on this machine.
        profile: a profile's name or a `Profile`; None for the environment's.
        checkpoint: path of a file from which `resume` can continue.
        film: path of a film of the steps, `.mp4`, `.gif` or `.webp`, or a `Film`.

    Returns:
        A `Run`.

    Raises:
        DreamkitError: the subclass and message name the invalid picture, setting or weights.

    Source: Gatys, Ecker and Bethge 2016. Introduced in notebook 03.

    >>> run = style_transfer("astronaut", "mosaic", profile="ci", seed=1, progress=False)
    >>> run.image.shape
    (96, 96, 3)
    """
    network = load_backbone(backbone or profile.style_backbone).with_precision(precision)
    check_range("style_scale", style_scale, 0.01)
    styles = paintings(style, style_mask, network, style_layers)
    check_photo(content, styles, network, content_layers)
    photo, styles = recolour(content, styles, preserve_color)
    initial = start(init, photo, styles[0].picture, seed)
    terms = dict(content_layers=content_layers, content_mask=content_mask)
    terms |= dict(formula=formula, statistics=statistics)
    weights = dict(content=content_weight, style=style_weight, total_variation=tv_weight)
    if not any(weights.values()):
        raise SettingsError("The weights of a style transfer are all zero: give one of them more.")
    weights = weaken(weights, strength)
    sizes = octave_sizes(content.shape[:2], octaves, scale=2, smallest=SMALLEST_PAINTING)
    stages = plan("style", sizes, profile.steps if steps is None else steps, shared=True)
    options = dict(optimizer=optimizer, learning_rate=learning_rate, canvas=canvas, tile=tile)
    options |= dict(callback=callback, progress=progress, checkpoint=checkpoint)

    def objective(size):
        scaled = scale_paintings(styles, round(style_scale * max(size)), network)
        return style_objective(photo, scaled, network, weights, **terms)

    def one_size(picture, number):
        size, steps, phase = stages[number - 1]
        run = descend(picture, objective(size), steps, phase=phase, **options)
        run.image = keep_outside(resize(photo, size), run.image, [p.mask for p in styles])
        return run

    check_tiling(objective(sizes[-1]), sizes[-1], tile)  # before the first size, not after it
    run = through_octaves(initial, [stage.size for stage in stages], one_size)
    if preserve_color == "luminance":
        run.image = keep_chroma(run.image, content)
    return run


def start(init, content, style, seed):
    """The picture a style transfer starts from: the photo, the painting, noise, or any other."""
    if not isinstance(init, str):
        return resize(init, content.shape[:2])
    if init == "noise":
        noise = np.random.default_rng(seed).normal(0.5, 0.15, content.shape)
        return np.clip(noise, 0, 1).astype("float32")
    return content if init == "content" else resize(style, content.shape[:2])


def find_channels(given):
    """{"channel": this photo's channels} for "strongest", ("weakest", 8) …; {} for all else."""
    words = given["channel"]
    words = words if isinstance(words, tuple | list) else (words,)
    if not words or words[0] not in ("strongest", "weakest"):
        return {}
    network = load_backbone(given["backbone"] or given["profile"].dream_backbone)
    return {"channel": rank_channels(given["image"], network, given["layers"], *words)}


@reproducible("image", "guide", "dream_mask", prepare=find_channels)
def deep_dream(
    image,
    backbone=None,
    layers=None,
    octaves=None,
    steps=None,
    seed=None,
    *,
    size=None,
    octave_scale=1.4,
    smallest=None,
    channel=None,
    label=None,
    guide=None,
    dream_mask=None,
    power=1,
    learning_rate=0.01,
    smooth=3,
    jitter=32,
    rotate=0.0,
    zoom=0.0,
    precision="auto",
    tile="auto",
    profile=None,
    callback=None,
    progress=True,
    checkpoint=None,
    film=None,
):
    """Let a network dream into a picture: octaves × steps of normalised gradient ascent.

    Args:
        image: the picture: a sample's name, path, URL, PIL image or array in [0, 1].
        backbone: a network's name or a `Backbone`; None for the profile's.
        layers: names, or {name: weight}; None for the backbone's defaults. A weight below 0 calms
            a layer, best with `smooth=0` and `learning_rate=0.005`.
        octaves: number of sizes, from small to large; None for the profile's, or with `smallest`
            for as many as there are. Sizes too small for the network are left out.
        steps: steps at each size; None for the profile's. [15, 10] adds 10 at full size.
        seed: seed of the jitter; None draws and records one.
        size: longest side of the result, px; see `style_transfer`.
        octave_scale: ratio of each size to the one before.
        smallest: leave out sizes whose shorter side is below this, px.
        channel: channels to dream of, see `Dream`; or the five that respond most or least to this
            photo, `"strongest"` or `"weakest"`, or another number, `("strongest", 8)`.
        label, guide, power: what else to dream of; see `Dream`.
        dream_mask: where to dream: a picture or array, white for there; see `Masked`.
        learning_rate: how far a typical pixel moves in one step, in units of [0, 1].
        smooth: number of Laplacian pyramid bands to bring to equal strength; see `normalise`.
        jitter, rotate, zoom: roll the picture by up to this many px, turn it by up to this many
            degrees and scale it by up to this fraction before each step.
        precision, tile, profile, callback, progress, checkpoint, film: see `style_transfer`.

    Returns:
        A `Run`; its phases are the octaves.

    Raises:
        DreamkitError: the subclass and message name the invalid picture, setting or weights.

    Source: Mordvintsev, Olah and Tyka 2015. Introduced in notebook 04.

    >>> run = deep_dream("astronaut", profile="ci", seed=1, progress=False)
    >>> list(run.history["phase"].unique())
    ['octave 1/2', 'octave 2/2']
    """
    network = load_backbone(backbone or profile.dream_backbone).with_precision(precision)
    dream = Dream(network, layers, channel, label, guide, power)
    network.check_size(image.shape[:2], dream.layers)
    whole, least = image.shape[:2], 1 if smallest is None else smallest
    check_range("smallest", least, 1)
    if octaves is None:
        fixed = smallest is None
        octaves = profile.octaves if fixed else count_octaves(whole, least, octave_scale)
    least = max(least, *map(network.smallest, dream.layers))
    sizes = octave_sizes(whole, octaves, octave_scale, least)
    steps = profile.octave_steps if steps is None else steps
    stages = plan("octave", sizes, steps, shared=False)
    moves, score = dict(jitter=jitter, rotate=rotate, zoom=zoom), masked(dream, dream_mask)
    if dream.channel is not None and steps:
        check_awake(image, score, sizes, Transforms(**moves), seed, tile)
    options = dict(learning_rate=learning_rate, smooth=smooth, tile=tile, **moves)
    options |= dict(callback=callback, progress=progress, checkpoint=checkpoint)

    def one_octave(picture, number):
        _, steps, phase = stages[number - 1]
        seeded = dict(seed=seed + number, phase=phase, keep="last")
        run = ascend(picture, score, steps, **seeded, **options)
        run.image = keep_outside(picture, run.image, [dream_mask])
        return run

    return through_octaves(image, [stage.size for stage in stages], one_octave)


def check_awake(image, score, sizes, transforms, seed, tile):
    """Raise a `SettingsError` if a dream's channels don't respond to the picture at any size."""
    for number, size in enumerate(sizes, start=1):
        if responds(resize(image, size), score, transforms, seed + number, tile):
            return
    dream = getattr(score, "term", score)
    raise SettingsError(
        f"This picture leaves {dream.named_channels()} silent, and the gradient of a silent channel"
        " is zero, so no step can wake it: choose another channel, or start from a picture of"
        " noise."
    )


@reproducible("content", "style", "content_mask", "style_mask", "dream_mask", expand=from_quality)
def dream_style(
    content,
    style,
    order="style-dream",
    steps=None,
    seed=None,
    *,
    quality="best",
    size=None,
    style_backbone=None,
    dream_backbone=None,
    strength=1.0,
    style_weight=None,
    statistics="gram",
    content_mask=None,
    style_mask=None,
    dream_mask=None,
    preserve_color=None,
    octaves=None,
    octave_steps=None,
    learning_rate=0.01,
    balance=1.0,
    precision="auto",
    tile="auto",
    profile=None,
    callback=None,
    progress=True,
    checkpoint=None,
    film=None,
):
    """Dream in a style: descend one network's style loss and ascend another's dream score.

    Args:
        content, style: pictures; see `style_transfer`.
        order: `"style-dream"` (transfer, then dream on the result, as in the paper),
            `"dream-style"`, or `"joint"` (both networks in one loop).
        steps: steps of the style transfer or of the joint loop; None for the profile's.
        seed: seed of the jitter; None draws and records one.
        style_backbone, dream_backbone: names or `Backbone`s; None for the profile's.
        quality, size, strength, style_weight, statistics, preserve_color: see `style_transfer`.
        content_mask, style_mask, dream_mask: where each of them counts; see `style_transfer`.
        octaves, octave_steps: for the dream; see `deep_dream`.
        learning_rate: learning rate of the dream, for the two serial orders.
        balance: for `"joint"`, how hard the dream's gradient pulls relative to the style's.
        precision, tile, profile, callback, progress, checkpoint, film: see `style_transfer`.

    Returns:
        A `Run`.

    Raises:
        DreamkitError: the subclass and message name the invalid picture, setting or weights.

    Source: Al-Khazraji, Abbas and Jamil 2022. Introduced in notebook 05.

    >>> run = dream_style("astronaut", "mosaic", "joint", profile="ci", seed=1, progress=False)
    >>> [name for name in run.history if name in ("content", "style", "total_variation", "dream")]
    ['content', 'style', 'total_variation', 'dream']
    """
    check_choice("order", order, ORDERS)
    options = dict(tile=tile, callback=callback, progress=progress, checkpoint=checkpoint)
    shared = dict(seed=seed, precision=precision, profile=profile, **options)
    painting = dict(backbone=style_backbone, steps=steps, strength=strength, **shared)
    painting |= dict(style_weight=style_weight, content_mask=content_mask, style_mask=style_mask)
    painting |= dict(preserve_color=preserve_color, statistics=statistics, quality=quality)
    dreaming = dict(backbone=dream_backbone, octaves=octaves, steps=octave_steps, **shared)
    dreaming |= dict(learning_rate=learning_rate, dream_mask=dream_mask)
    paint = functools.partial(style_transfer, style=style, **painting)
    dream = functools.partial(deep_dream, **dreaming)
    if order == "style-dream":
        return one_after_the_other(content, paint, dream)
    if order == "dream-style":
        return one_after_the_other(content, dream, paint)
    painter = load_backbone(style_backbone or profile.style_backbone).with_precision(precision)
    dreamer = load_backbone(dream_backbone or profile.dream_backbone).with_precision(precision)
    content_layers, style_layers, _ = choice(quality, painter)
    styles = paintings(style, style_mask, painter, style_layers)
    check_photo(content, styles, painter, content_layers)
    photo, styles = recolour(content, styles, preserve_color)
    weights = weaken(WEIGHTS | {"style": style_weight}, strength)
    terms = dict(content_layers=content_layers, content_mask=content_mask, statistics=statistics)
    up = masked(Dream(dreamer), dream_mask)
    octaves = profile.octaves if octaves is None else octaves
    sizes = octave_sizes(content.shape[:2], octaves, smallest=SMALLEST_PAINTING)
    stages = plan("joint", sizes, profile.steps if steps is None else steps, shared=True)

    def one_size(picture, number):
        scaled = scale_paintings(styles, max(picture.shape), painter)
        down = style_objective(photo, scaled, painter, weights, **terms)
        _, steps, phase = stages[number - 1]
        balanced = Balanced(down, up, balance, smooth=2)
        run = descend(picture, balanced, steps, phase=phase, keep="last", **options)
        run.image = keep_outside(picture, run.image, [dream_mask, *(p.mask for p in styles)])
        return run

    run = through_octaves(photo, [stage.size for stage in stages], one_size)
    if preserve_color == "luminance":
        run.image = keep_chroma(run.image, content)
    return run


def one_after_the_other(picture, first, second):
    """Apply two recipes, the second to the result of the first."""
    run = first(picture)
    if run.stopped:
        return run
    try:
        return concatenate([run, second(run.image)])
    except KeyboardInterrupt:  # before the second recipe's first score
        run.stopped = "interrupted"
        return run
    except DivergedError as error:
        error.run = concatenate([run, *([error.run] if error.run else [])])
        raise


# The recipes that `rerun` and `resume` can repeat.
RECIPES = {
    recipe.__name__: recipe
    for recipe in (style_transfer, deep_dream, dream_style, texture, visualise)
}
