"""style_transfer(), deep_dream() and dream_style().  (Notebooks 02 to 04.)"""

import functools

import numpy as np

from .balanced import Balanced
from .dream import Dream
from .errors import check_choice, check_range
from .images import resize
from .networks.backbone import load_backbone
from .octaves import SMALLEST_PAINTING, octave_sizes, through_octaves
from .optimize import ascend, descend
from .runs.run import concatenate
from .runs.settings import reproducible
from .terms import Content, Style, TotalVariation, layer_weights

# For relative terms, so that the same weights suit any network and any size.
WEIGHTS = {"content": 1.0, "style": 40.0, "total_variation": 0.5}
ORDERS = ("style-dream", "dream-style", "joint")


@reproducible("content", "style")
def style_transfer(
    content,
    style,
    backbone=None,
    steps=None,
    seed=None,
    *,
    size=None,
    init="content",
    content_weight=WEIGHTS["content"],
    style_weight=WEIGHTS["style"],
    tv_weight=WEIGHTS["total_variation"],
    content_layers=None,
    style_layers=None,
    style_scale=1.0,
    octaves=2,
    formula="relative",
    optimizer="adam",
    learning_rate=None,
    precision="auto",
    tile="auto",
    profile=None,
    callback=None,
    progress=True,
    checkpoint=None,
):
    """Paint a photo in the style of another picture: descend content and style loss together.

    Args:
        content: the photo: a sample's name, path, URL, PIL image or array in [0, 1].
        style: the painting, given in the same way, of any size.
        backbone: a network's name or a `Backbone`; None for the profile's.
        steps: steps of descent; None for the profile's.
        seed: for `init="noise"`; None draws and records one.
        size: longest side of the result, px; None for the profile's, or for an array its own.
        init: start from `"content"`, `"style"` or `"noise"`.
        content_weight, style_weight, tv_weight: weights of the three terms.
        content_layers, style_layers: names, or {name: weight}; None for the backbone's defaults.
        style_scale: the painting's longest side over the photo's; larger gives larger strokes.
        octaves: number of sizes to paint at, each half the next, so that broad strokes come first.
            They share the steps.
        formula: `"relative"`, `"gatys"` or `"tutorial"`; see `Content` and `Style`.
        optimizer, learning_rate, tile, callback, progress: see `descend`.
        precision: `"float32"`, `"bfloat16"` (about half the time, visually the same picture),
            `"float16"` or `"auto"`, the fastest of them for this network on this machine.
        profile: a profile's name or a `Profile`; None for the environment's.
        checkpoint: path of a file from which `resume` can continue.

    Returns:
        A `Run`.

    Raises:
        DreamkitError: the subclass and message name the invalid picture, setting or weights.

    Source: Gatys, Ecker and Bethge 2016. Introduced in notebook 02.

    >>> run = style_transfer("astronaut", "mosaic", profile="ci", seed=1, progress=False)
    >>> run.image.shape
    (96, 96, 3)
    """
    network = load_backbone(backbone or profile.style_backbone).with_precision(precision)
    check_range("style_scale", style_scale, 0.01)
    smallest = smallest_painting(content, network, content_layers, style_layers)
    initial = start(init, content, style, seed)
    terms = dict(content_layers=content_layers, style_layers=style_layers, formula=formula)
    weights = dict(content=content_weight, style=style_weight, total_variation=tv_weight)
    sizes = octave_sizes(content.shape[:2], octaves, scale=2, smallest=SMALLEST_PAINTING)
    shares = share_steps(profile.steps if steps is None else steps, len(sizes))
    options = dict(optimizer=optimizer, learning_rate=learning_rate, tile=tile)
    options |= dict(callback=callback, progress=progress, checkpoint=checkpoint)

    def one_size(picture, number):
        painting = scale_painting(style, round(style_scale * max(picture.shape)), smallest)
        objective = style_objective(content, painting, network, weights, **terms)
        phase = f"style {number}/{len(sizes)}"
        return descend(picture, objective, shares[number - 1], phase=phase, **options)

    return through_octaves(initial, sizes, one_size)


def style_objective(
    content, painting, network, weights, content_layers=None, style_layers=None, formula="relative"
):
    """The objective of a style transfer: the weighted sum of content, style and total variation.

    Source: Gatys, Ecker and Bethge 2016, equation 7. Introduced in notebook 02.
    """
    return (
        weights["content"] * Content(content, network, content_layers, formula)
        + weights["style"] * Style(painting, network, style_layers, formula)
        + weights["total_variation"]
        * TotalVariation("tutorial" if formula == "tutorial" else "relative")
    )


def smallest_painting(content, network, content_layers=None, style_layers=None):
    """Minimum side of a painting for these layers, px; an `ImageError` if the photo is smaller."""
    defaults = network.architecture
    layers = layer_weights(network, content_layers, defaults.content_layers)
    layers |= layer_weights(network, style_layers, defaults.style_layers)
    network.check_size(content.shape[:2], layers)
    return max(network.smallest(layer) for layer in layers)


def scale_painting(style, longest, smallest):
    """The painting scaled to `longest`, or larger if its shorter side would be below `smallest`."""
    sides = style.shape[:2]
    return resize(style, max(longest, -(-smallest * max(sides) // min(sides))))


def share_steps(steps, shares):
    """Split steps evenly among several sizes; the last also gets the remainder.

    >>> share_steps(150, 2), share_steps(5, 2), share_steps(1, 2)
    ([75, 75], [2, 3], [0, 1])
    """
    check_range("steps", steps, 0)
    return [steps // shares] * (shares - 1) + [steps - steps // shares * (shares - 1)]


def start(init, content, style, seed):
    """The picture a style transfer starts from: the photo, the painting or seeded noise."""
    check_choice("init", init, ("content", "style", "noise"))
    if init == "noise":
        noise = np.random.default_rng(seed).normal(0.5, 0.15, content.shape)
        return np.clip(noise, 0, 1).astype("float32")
    return content if init == "content" else resize(style, content.shape[:2])


@reproducible("image", "guide")
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
    channel=None,
    label=None,
    guide=None,
    power=1,
    learning_rate=0.01,
    smooth=3,
    jitter=32,
    precision="auto",
    tile="auto",
    profile=None,
    callback=None,
    progress=True,
    checkpoint=None,
):
    """Let a network dream into a picture: octaves × steps of normalised gradient ascent.

    Args:
        image: the picture: a sample's name, path, URL, PIL image or array in [0, 1].
        backbone: a network's name or a `Backbone`; None for the profile's.
        layers: names, or {name: weight}; None for the backbone's defaults.
        octaves: number of sizes, from small to large; None for the profile's. Sizes too small for
            the network are left out.
        steps: steps at each size; None for the profile's.
        seed: seed of the jitter; None draws and records one.
        size: longest side of the result, px; None for the profile's, or for an array its own.
        octave_scale: ratio of each size to the one before.
        channel, label, guide, power: what to dream of; see `Dream`.
        learning_rate: how far a typical pixel moves in one step, in units of [0, 1].
        smooth: number of Laplacian pyramid bands to bring to equal strength; see `normalise`.
        jitter: roll the picture by up to this many px before each step.
        precision, tile, profile, callback, progress, checkpoint: see `style_transfer`.

    Returns:
        A `Run`; its phases are the octaves.

    Raises:
        DreamkitError: the subclass and message name the invalid picture, setting or weights.

    Source: Mordvintsev, Olah and Tyka 2015. Introduced in notebook 03.

    >>> run = deep_dream("astronaut", profile="ci", seed=1, progress=False)
    >>> list(run.history["phase"].unique())
    ['octave 1/2', 'octave 2/2']
    """
    network = load_backbone(backbone or profile.dream_backbone).with_precision(precision)
    dream = Dream(network, layers, channel, label, guide, power)
    smallest = max(network.smallest(layer) for layer in dream.layers)
    network.check_size(image.shape[:2], dream.layers)
    octaves = profile.octaves if octaves is None else octaves
    sizes = octave_sizes(image.shape[:2], octaves, octave_scale, smallest)
    steps = profile.octave_steps if steps is None else steps
    options = dict(learning_rate=learning_rate, smooth=smooth, jitter=jitter, tile=tile)
    options |= dict(callback=callback, progress=progress, checkpoint=checkpoint)

    def one_octave(picture, number):
        phase = f"octave {number}/{len(sizes)}"
        seeded = dict(seed=seed + number, phase=phase, keep="last")
        return ascend(picture, dream, steps, **seeded, **options)

    return through_octaves(image, sizes, one_octave)


@reproducible("content", "style")
def dream_style(
    content,
    style,
    order="style-dream",
    steps=None,
    seed=None,
    *,
    size=None,
    style_backbone=None,
    dream_backbone=None,
    style_weight=WEIGHTS["style"],
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
):
    """Dream in a style: descend one network's style loss and ascend another's dream score.

    Args:
        content, style: pictures; see `style_transfer`.
        order: `"style-dream"` (transfer, then dream on the result, as in the paper),
            `"dream-style"`, or `"joint"` (both networks in one loop).
        steps: steps of the style transfer or of the joint loop; None for the profile's.
        seed: seed of the jitter; None draws and records one.
        size: longest side of the result, px; see `style_transfer`.
        style_backbone, dream_backbone: names or `Backbone`s; None for the profile's.
        style_weight: weight of the style loss; the content's weight is 1.
        octaves, octave_steps: for the dream; see `deep_dream`.
        learning_rate: learning rate of the dream, for the two serial orders.
        balance: for `"joint"`, how hard the dream's gradient pulls relative to the style's.
        precision, tile, profile, callback, progress, checkpoint: see `style_transfer`.

    Returns:
        A `Run`.

    Raises:
        DreamkitError: the subclass and message name the invalid picture, setting or weights.

    Source: Al-Khazraji, Abbas and Jamil 2022. Introduced in notebook 04.

    >>> run = dream_style("astronaut", "mosaic", "joint", profile="ci", seed=1, progress=False)
    >>> [name for name in run.history if name in ("content", "style", "total_variation", "dream")]
    ['content', 'style', 'total_variation', 'dream']
    """
    check_choice("order", order, ORDERS)
    options = dict(tile=tile, callback=callback, progress=progress, checkpoint=checkpoint)
    shared = dict(seed=seed, precision=precision, profile=profile, **options)
    painting = dict(backbone=style_backbone, steps=steps, style_weight=style_weight, **shared)
    dreaming = dict(backbone=dream_backbone, octaves=octaves, steps=octave_steps, **shared)
    paint = functools.partial(style_transfer, style=style, **painting)
    dream = functools.partial(deep_dream, learning_rate=learning_rate, **dreaming)
    if order == "style-dream":
        return one_after_the_other(content, paint, dream)
    if order == "dream-style":
        return one_after_the_other(content, dream, paint)
    painter = load_backbone(style_backbone or profile.style_backbone).with_precision(precision)
    dreamer = load_backbone(dream_backbone or profile.dream_backbone).with_precision(precision)
    smallest = smallest_painting(content, painter)
    octaves = profile.octaves if octaves is None else octaves
    sizes = octave_sizes(content.shape[:2], octaves, smallest=SMALLEST_PAINTING)
    shares = share_steps(profile.steps if steps is None else steps, len(sizes))

    def one_size(picture, number):
        scaled = scale_painting(style, max(picture.shape), smallest)
        down = style_objective(content, scaled, painter, WEIGHTS | {"style": style_weight})
        balanced = Balanced(down, Dream(dreamer), balance, smooth=2)
        phase = f"joint {number}/{len(sizes)}"
        return descend(picture, balanced, shares[number - 1], phase=phase, keep="last", **options)

    return through_octaves(content, sizes, one_size)


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


# The recipes that `rerun` and `resume` can repeat.
RECIPES = {recipe.__name__: recipe for recipe in (style_transfer, deep_dream, dream_style)}
