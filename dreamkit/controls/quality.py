"""quality="best": a slower style transfer that keeps more of the photo.  (Notebook 03.)"""

from ..errors import check_choice
from ..networks.backbone import load_backbone

QUALITIES = ("default", "best")
LONGER = 2  # how many times the profile's steps
FALL = 2.0  # how much less each deeper style layer counts than the one before


def best_settings(given, defaults):
    """The arguments of a style transfer, after `quality` has filled in those left at their default.

    `"best"` lets shallow style layers count more than deep ones, which bring in whole shapes of the
    painting, and takes twice the steps. The book's page on quality has the measurements.

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
    best = dict(style_layers=falling(network.architecture.style_layers))
    best |= dict(steps=LONGER * given["profile"].steps)
    return given | {name: best[name] for name in best if given[name] == defaults[name]}


def falling(layers):
    """{layer: weight}, from shallow to deep: each counts `FALL` times less than the one before.

    >>> falling(["fire2", "fire3", "fire5"])
    {'fire2': 4.0, 'fire3': 2.0, 'fire5': 1.0}
    """
    return {layer: FALL ** (len(layers) - n) for n, layer in enumerate(layers, start=1)}
