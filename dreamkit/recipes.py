"""style_transfer(), deep_dream() and dream_style(): the loop at work.  (Notebooks 02 to 04.)"""

import functools

import numpy as np

from .balanced import Balanced
from .errors import check_choice, check_range
from .images import resize
from .large.memory import fitted
from .networks.backbone import load_backbone
from .octaves import SMALLEST_PAINTING, octave_sizes, through_octaves
from .optimize import ascend, descend
from .runs.reproduce import remembered, rerun, resume
from .runs.run import join
from .terms import Content, Dream, Style, TotalVariation, layer_weights

__all__ = ["deep_dream", "dream_style", "rerun", "resume", "style_transfer"]

STYLE_WEIGHT = 40.0  # against a content weight of 1; both terms are relative
TV_WEIGHT = 0.5
ORDERS = ("style-dream", "dream-style", "joint")


@remembered("content", "style")
def style_transfer(
    content,
    style,
    backbone=None,
    steps=None,
    seed=None,
    *,
    size=None,
    init="content",
    content_weight=1.0,
    style_weight=STYLE_WEIGHT,
    tv_weight=TV_WEIGHT,
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
        content: the photo: a sample's name, path, address, PIL image or array in [0, 1].
        style: the painting, likewise, of any size.
        backbone: a network's name or a `Backbone`; the profile's when None.
        steps: steps of descent; the profile's when None.
        seed: for `init="noise"`; drawn and noted when None.
        size: longest side of the result, px; for a named photo the profile's when None, for an
            array its own.
        init: start from `"content"`, `"style"` or `"noise"`.
        content_weight, style_weight, tv_weight: weights of the three terms.
        content_layers, style_layers: names, or {name: weight}; the backbone's own when None.
        style_scale: longest side of the painting over that of the photo: larger, larger strokes.
        octaves: how many sizes, each half the next, to paint at: broad strokes first. The steps
            are shared out among them.
        formula: `"relative"`, `"gatys"` or `"tutorial"`; see `Content` and `Style`.
        optimizer, learning_rate, callback, progress: see `descend`.
        precision: `"float32"`, `"bfloat16"` (about half the time, the same picture to the eye)
            or `"auto"`: bfloat16 where the machine computes in it.
        tile: side of the tiles, px, in which a picture too large for memory is computed, to the
            same result; `"auto"` cuts where memory asks for it, None never.
        profile: a profile's name or a `Profile`; the environment's when None.
        checkpoint: path of a file from which `resume` can go on.

    Returns:
        A `Run`.

    Raises:
        DreamkitError: its subclasses name what is wrong with a picture, a setting or the weights.

    Source: Gatys, Ecker and Bethge 2016. Introduced in notebook 02.

    >>> run = style_transfer("astronaut", "mosaic", profile="ci", seed=1, progress=False)
    >>> run.image.shape
    (96, 96, 3)
    """
    network = load_backbone(backbone or profile.style_backbone).at(precision)
    check_range("style_scale", style_scale, 0.01)
    smallest = smallest_painting(content, network, content_layers, style_layers)
    begin = start(init, content, style, seed)
    terms = dict(content_layers=content_layers, style_layers=style_layers, formula=formula)
    weights = dict(content=content_weight, style=style_weight, total_variation=tv_weight)
    sizes = octave_sizes(content.shape[:2], octaves, scale=2, smallest=SMALLEST_PAINTING)
    shares = share_steps(profile.steps if steps is None else steps, len(sizes))

    def one_size(picture, number):
        painting = scale_painting(style, round(style_scale * max(picture.shape)), smallest)
        objective = style_objective(content, painting, network, weights, **terms)
        return descend(
            picture,
            fitted(objective, picture.shape[:2], tile),
            shares[number - 1],
            optimizer,
            learning_rate=learning_rate,
            phase=f"style {number}/{len(sizes)}",
            callback=callback,
            progress=progress,
            checkpoint=checkpoint,
        )

    return through_octaves(begin, sizes, one_size)


def style_objective(
    content, painting, network, weights, content_layers=None, style_layers=None, formula="relative"
):
    """What a style transfer descends: content, style and total variation under their weights.

    Source: Gatys, Ecker and Bethge 2016, equation 7. Introduced in notebook 02.
    """
    return (
        weights["content"] * Content(content, network, content_layers, formula)
        + weights["style"] * Style(painting, network, style_layers, formula)
        + weights["total_variation"]
        * TotalVariation("tutorial" if formula == "tutorial" else "relative")
    )


def smallest_painting(content, network, content_layers=None, style_layers=None):
    """The shortest side that reaches the layers, px; an `ImageError` if the photo is smaller."""
    own = network.architecture
    layers = layer_weights(network, content_layers, own.content_layers)
    layers |= layer_weights(network, style_layers, own.style_layers)
    network.check_size(content.shape[:2], layers)
    return max(network.smallest(layer) for layer in layers)


def scale_painting(style, longest, smallest):
    """The painting with its longest side as asked, or larger if its shorter one needs it."""
    sides = style.shape[:2]
    return resize(style, max(longest, -(-smallest * max(sides) // min(sides))))


def share_steps(steps, shares):
    """Steps for each of several sizes, as even as can be, the last taking what is over.

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


@remembered("image", "guide")
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
        image: the picture: a sample's name, path, address, PIL image or array in [0, 1].
        backbone: a network's name or a `Backbone`; the profile's when None.
        layers: names, or {name: weight}; the backbone's own when None.
        octaves: how many sizes, from small to large; the profile's when None. Sizes too small
            for the network are left out.
        steps: steps at each size; the profile's when None.
        seed: of the jitter; drawn and noted when None.
        size: longest side of the result, px; for a named picture the profile's when None, for an
            array its own.
        octave_scale: each size over the one before.
        channel, label, guide, power: what to dream of; see `Dream`.
        learning_rate: how far the typical pixel moves in a step, in units of [0, 1].
        smooth: bands of the Laplacian pyramid that each get the same say; see `normalise`.
        jitter: the picture is rolled by up to so many px before each step.
        precision, tile, profile, callback, progress, checkpoint: as for `style_transfer`.

    Returns:
        A `Run`; its phases are the octaves.

    Raises:
        DreamkitError: its subclasses name what is wrong with a picture, a setting or the weights.

    Source: Mordvintsev, Olah and Tyka 2015. Introduced in notebook 03.

    >>> run = deep_dream("astronaut", profile="ci", seed=1, progress=False)
    >>> list(run.history["phase"].unique())
    ['octave 1/2', 'octave 2/2']
    """
    network = load_backbone(backbone or profile.dream_backbone).at(precision)
    dream = Dream(network, layers, channel, label, guide, power)
    smallest = max(network.smallest(layer) for layer in dream.layers)
    network.check_size(image.shape[:2], dream.layers)
    octaves = profile.octaves if octaves is None else octaves
    sizes = octave_sizes(image.shape[:2], octaves, octave_scale, smallest)

    def one_octave(picture, number):
        return ascend(
            picture,
            fitted(dream, picture.shape[:2], tile),
            profile.octave_steps if steps is None else steps,
            learning_rate=learning_rate,
            smooth=smooth,
            jitter=jitter,
            seed=seed + number,
            phase=f"octave {number}/{len(sizes)}",
            callback=callback,
            progress=progress,
            keep="last",
            checkpoint=checkpoint,
        )

    return through_octaves(image, sizes, one_octave)


@remembered("content", "style")
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
    style_weight=STYLE_WEIGHT,
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
    """Dream in a style: down one network's style loss, up another's dream score.

    Args:
        content, style: pictures, as for `style_transfer`.
        order: `"style-dream"`, the paper's: transfer, then dream on the result; `"dream-style"`;
            or `"joint"`: one picture, both networks, one loop.
        steps: steps of the style transfer, or of the joint loop; the profile's when None.
        seed: of the jitter; drawn and noted when None.
        size: longest side of the result, px; see `style_transfer`.
        style_backbone, dream_backbone: names or `Backbone`s; the profile's when None.
        style_weight: weight of the style against the content, whose weight is 1.
        octaves, octave_steps: of the dream; see `deep_dream`.
        learning_rate: strength of the dream's steps, for the two serial orders.
        balance: for `"joint"`: the say of the dream's gradient against the style's.
        precision, tile, profile, callback, progress, checkpoint: as for `style_transfer`.

    Returns:
        A `Run`.

    Raises:
        DreamkitError: its subclasses name what is wrong with a picture, a setting or the weights.

    Source: Al-Khazraji, Abbas and Jamil 2022. Introduced in notebook 04.

    >>> run = dream_style("astronaut", "mosaic", "joint", profile="ci", seed=1, progress=False)
    >>> [name for name in run.history if name in ("content", "style", "total_variation", "dream")]
    ['content', 'style', 'total_variation', 'dream']
    """
    check_choice("order", order, ORDERS)
    shared = dict(precision=precision, tile=tile, profile=profile, callback=callback)
    shared |= dict(progress=progress, checkpoint=checkpoint)
    paint = functools.partial(
        style_transfer,
        style=style,
        backbone=style_backbone,
        steps=steps,
        seed=seed,
        style_weight=style_weight,
        **shared,
    )
    dream = functools.partial(
        deep_dream,
        backbone=dream_backbone,
        octaves=octaves,
        steps=octave_steps,
        seed=seed,
        learning_rate=learning_rate,
        **shared,
    )
    if order == "style-dream":
        return in_turn(content, paint, dream)
    if order == "dream-style":
        return in_turn(content, dream, paint)
    painter = load_backbone(style_backbone or profile.style_backbone).at(precision)
    dreamer = load_backbone(dream_backbone or profile.dream_backbone).at(precision)
    smallest = smallest_painting(content, painter)
    octaves = profile.octaves if octaves is None else octaves
    sizes = octave_sizes(content.shape[:2], octaves, smallest=SMALLEST_PAINTING)

    weights = dict(content=1.0, style=style_weight, total_variation=TV_WEIGHT)
    shares = share_steps(profile.steps if steps is None else steps, len(sizes))

    def both(picture, number):
        painting = scale_painting(style, max(picture.shape), smallest)
        down = style_objective(content, painting, painter, weights)
        both_ways = Balanced(down, Dream(dreamer), balance, smooth=2)
        return descend(
            picture,
            fitted(both_ways, picture.shape[:2], tile),
            shares[number - 1],
            phase=f"joint {number}/{len(sizes)}",
            keep="last",
            callback=callback,
            progress=progress,
            checkpoint=checkpoint,
        )

    return through_octaves(content, sizes, both)


def in_turn(picture, first, second):
    """Two recipes, the second working on what the first has made."""
    made = first(picture)
    if made.stopped:
        return made
    try:
        return join([made, second(made.image)])
    except KeyboardInterrupt:  # before the second had anything to show
        made.stopped = "interrupted"
        return made
