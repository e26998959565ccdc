"""The paintings of a style transfer: one or several, each with its share and its place.

Notebook 03 introduces them.
"""

from collections.abc import Mapping
from numbers import Real
from typing import Any, NamedTuple

import numpy as np

from ..errors import SettingsError, check_choice, check_range
from ..images import resize
from ..terms import Content, Style, TotalVariation, layer_weights
from .colour import grey, match_colours
from .masks import Masked


class Painting(NamedTuple):
    """A style picture, (H, W, 3), with its share of the style, its layers, and where it counts."""

    picture: np.ndarray
    share: float
    layers: dict
    mask: Any = None


def paintings(style, mask, network, layers=None):
    """The `Painting`s that a recipe's arguments describe; their shares add up to 1.

    Args:
        style: a picture, or a list of (picture, share). A share is a number, or the layers that
            the picture decides: `"coarse"` (the deeper half), `"fine"` (the rest), or names, which
            count like the average layer.
        mask: where the style counts: None, a mask for all paintings, or a list of (mask, number of
            the painting, from 0).
        network: a `Backbone`.
        layers: names, or {name: weight}; None for the network's defaults.

    Raises:
        SettingsError: a share that is neither of these, or shares that are all zero.

    Introduced in notebook 03.
    """
    layers = layer_weights(network, layers, network.architecture.style_layers)
    styles = style if isinstance(style, list) else [(style, 1.0)]
    masks = {n: m for m, n in mask} if isinstance(mask, list) else {}
    for number in masks.keys() - range(len(styles)):
        raise SettingsError(
            f"style_mask has a mask for style {number}, but the last style is {len(styles) - 1}."
        )
    found = []
    for number, (picture, share) in enumerate(styles):
        own = layers if isinstance(share, Real) else _layers(share, layers, network)
        amount = _amount(share) if isinstance(share, Real) else 1.0
        place = masks.get(number) if masks else mask
        found.append(Painting(picture, amount * sum(own.values()), own, place))
    total = sum(painting.share for painting in found)
    if not total > 0:
        raise SettingsError("The shares of the styles are all zero: give one of them more.")
    return [painting._replace(share=painting.share / total) for painting in found]


def _amount(share):
    check_range("The share of a style", share, 0.0, 1e6)
    return float(share)


def _layers(share, layers, network):
    """{layer: weight} of a painting that decides some layers only."""
    names = list(layers)
    parts = {"coarse": names[len(names) - len(names) // 2 :], "fine": names[: -(len(names) // 2)]}
    if isinstance(share, str) and share in parts:
        return {name: layers[name] for name in parts[share]}
    if isinstance(share, str | list | tuple | Mapping) and share:
        usual = float(np.mean(list(layers.values()) or [1.0]))
        return {name: usual * w for name, w in layer_weights(network, share, ()).items()}
    raise SettingsError(
        f"The share of a style cannot be {share!r}: give a number, 'coarse', 'fine' or layers."
    )


def recolour(photo, styles, preserve_color):
    """The photo and the paintings to work with, so that the photo's colours are preserved.

    Args:
        photo: (H, W, 3) in [0, 1].
        styles: list of `Painting`.
        preserve_color: None changes nothing; `"match"` gives the paintings the photo's colours;
            `"luminance"` makes everything grey, for `keep_chroma` to put the photo's colours back.

    Source: Gatys et al. 2017, section 5. Introduced in notebook 03.
    """
    check_choice("preserve_color", preserve_color, (None, "luminance", "match"))
    if preserve_color is None:
        return photo, styles
    toned = grey if preserve_color == "luminance" else lambda picture: picture
    photo = toned(photo)
    match = lambda picture: match_colours(toned(picture), photo)  # noqa: E731
    return photo, [style._replace(picture=match(style.picture)) for style in styles]


def style_objective(
    content,
    style,
    network,
    weights,
    content_layers=None,
    style_layers=None,
    formula="relative",
    content_mask=None,
    statistics="gram",
):
    """The objective of a style transfer: the weighted sum of content, style and total variation.

    Args:
        content: the photo, (H, W, 3) in [0, 1].
        style: a painting, (H, W, 3) in [0, 1], or a list of `Painting`.
        network: a `Backbone`.
        weights: {"content": …, "style": …, "total_variation": …}.
        content_layers, style_layers: names, or {name: weight}; None for the network's defaults.
        formula: see `Content` and `Style`.
        content_mask: where the photo is kept; None for everywhere.
        statistics: what is compared of the styles; see `Style`.

    Source: Gatys, Ecker and Bethge 2016, equation 7. Introduced in notebook 03.
    """
    if not isinstance(style, list):
        style = paintings(style, None, network, style_layers)
    photo = Content(content, network, content_layers, formula)
    total = weights["content"] * masked(photo, content_mask)
    for painting in style:
        term = Style(painting.picture, network, painting.layers, formula, statistics)
        total += weights["style"] * painting.share * masked(term, painting.mask)
    smooth = TotalVariation("tutorial" if formula == "tutorial" else "relative")
    return total + weights["total_variation"] * smooth


def weaken(weights, strength):
    """The weights of a style transfer that goes only part of the way from the photo.

    The eye sees ratios of the style's weight, so its fourth power makes the change look even.
    """
    check_range("strength", strength, 0.0, 1)
    factors = dict(style=strength**4, total_variation=strength)
    return {name: weight * factors.get(name, 1) for name, weight in weights.items()}


def masked(term, mask):
    """The term, counted only where the mask says, if there is one."""
    return term if mask is None else Masked(term, mask)


def check_photo(content, styles, network, content_layers=None):
    """Raise an `ImageError` if the photo is too small for the content's or a painting's layers."""
    layers = dict(layer_weights(network, content_layers, network.architecture.content_layers))
    for painting in styles:
        layers |= painting.layers
    network.check_size(content.shape[:2], layers)


def scale_paintings(styles, longest, network):
    """The paintings scaled to `longest`, or larger where the network's layers require it."""
    return [painting._replace(picture=_scale(painting, longest, network)) for painting in styles]


def _scale(painting, longest, network):
    sides = painting.picture.shape[:2]
    smallest = max(map(network.smallest, painting.layers))
    return resize(painting.picture, max(longest, -(-smallest * max(sides) // min(sides))))
