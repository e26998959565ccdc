"""quality=: which layers count, and how much style.  (Notebook 03.)"""

from typing import NamedTuple

from ..errors import check_choice
from ..networks.backbone import load_backbone

FALL = 3.0  # how much less each deeper style layer counts than the one before
STYLE_WEIGHTS = {"best": 120.0, "gatys": 40.0}  # the content's is 1
QUALITIES = tuple(STYLE_WEIGHTS)


class Choice(NamedTuple):
    """What a quality stands for.

    Attributes:
        content_layers, style_layers: names, or {name: weight}; None for the network's own.
        style_weight: weight of the style.
    """

    content_layers: tuple | None
    style_layers: dict | None
    style_weight: float


def choice(quality, network):
    """The `Choice` that a quality stands for, for a network.

    `"gatys"` has the network's own layers, for VGG those of Gatys et al. 2016, and all style
    layers count alike. In `"best"`, shallow style layers count more than deep ones, because deep
    ones bring in whole shapes of the painting. The photo is compared at the second style layer,
    which preserves every edge, so the style weight can be three times as large. The book's page on
    quality has the measurements.

    Args:
        quality: `"best"` or `"gatys"`.
        network: a `Backbone`.

    Raises:
        SettingsError: an unknown quality.

    Source: Gatys, Ecker and Bethge 2016, section 3, for `"gatys"`. Introduced in notebook 03.

    >>> choice("best", load_backbone("squeezenet")).content_layers
    ('fire2',)
    """
    check_choice("quality", quality, QUALITIES)
    if quality == "gatys":
        return Choice(None, None, STYLE_WEIGHTS[quality])
    layers = network.architecture.style_layers
    content = layers[1:2] or layers or None
    return Choice(content, falling(layers) or None, STYLE_WEIGHTS[quality])


def from_quality(given):
    """What `quality` stands for among a recipe's arguments: those of a `Choice` that are None.

    Args:
        given: {argument: value} of `style_transfer` or `dream_style`, with the profile resolved.

    Returns:
        {argument: value}.

    Raises:
        SettingsError: an unknown quality.

    Introduced in notebook 03.
    """
    backbone = given["backbone" if "backbone" in given else "style_backbone"]
    network = load_backbone(backbone or given["profile"].style_backbone)
    chosen = choice(given["quality"], network)._asdict()
    return {name: chosen[name] for name in chosen if given.get(name, 0) is None}


def falling(layers):
    """{layer: weight}, from shallow to deep, each `FALL` times less; only the ratios matter.

    >>> falling(["fire2", "fire3", "fire5"])
    {'fire2': 9.0, 'fire3': 3.0, 'fire5': 1.0}
    """
    return {layer: FALL ** (len(layers) - n) for n, layer in enumerate(layers, start=1)}
