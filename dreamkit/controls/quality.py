"""quality="best": style transfer with more of the painting and of the photo.  (Notebook 03.)"""

from ..errors import check_choice
from ..networks.backbone import load_backbone

QUALITIES = ("default", "best")
FALL = 3.0  # how much less each deeper style layer counts than the one before
STYLE_WEIGHT = 120.0


def best_settings(given, defaults):
    """The arguments of a style transfer, after `quality` has filled in those left at their default.

    `"best"` lets shallow style layers count more than deep ones, which bring in whole shapes of the
    painting, and compares the photo at the second of these layers, which knows every edge. That
    leaves room for three times the weight of style. It takes no longer. The book's page on quality
    has the measurements.

    Args:
        given: {argument: value} of `style_transfer`, with the profile resolved.
        defaults: {argument: its default}.

    Returns:
        {argument: value}.

    Raises:
        SettingsError: an unknown quality.

    Introduced in notebook 03.
    """
    check_choice("quality", given["quality"], QUALITIES)
    if given["quality"] == "default":
        return given
    network = load_backbone(given["backbone"] or given["profile"].style_backbone)
    layers = network.architecture.style_layers
    best = dict(style_layers=falling(layers), style_weight=STYLE_WEIGHT)
    best |= dict(content_layers=layers[1:2] or layers)
    return given | {name: best[name] for name in best if given[name] == defaults[name]}


def falling(layers):
    """{layer: weight}, from shallow to deep: each counts `FALL` times less than the one before.

    >>> falling(["fire2", "fire3", "fire5"])
    {'fire2': 9.0, 'fire3': 3.0, 'fire5': 1.0}
    """
    return {layer: FALL ** (len(layers) - n) for n, layer in enumerate(layers, start=1)}
