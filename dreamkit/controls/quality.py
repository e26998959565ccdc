"""quality="best": a slower style transfer with the benchmark's best settings.  (Notebook 03.)"""

from ..errors import SettingsError, check_choice
from ..networks.backbone import load_backbone

QUALITIES = ("default", "best")
LONGER = 2  # how many times the profile's steps
FALL = 4.0  # how much less each deeper style layer counts than the one before
STYLE_WEIGHT = 10.0  # of means and covariances


def best_settings(given, defaults):
    """The arguments of a style transfer, after `quality` has filled in those left at their default.

    `"best"` compares means and covariances instead of Gram matrices, lets shallow layers count
    more, and takes twice the steps. The book's page on quality has the measurements.

    Args:
        given: {argument: value} of `style_transfer`, with the profile resolved.
        defaults: {argument: its default}.

    Returns:
        {argument: value}.

    Raises:
        SettingsError: an unknown quality, or a formula that only Gram matrices have.

    Introduced in notebook 03.
    """
    check_choice("quality", given["quality"], QUALITIES)
    if given["quality"] == "default":
        return given
    network = load_backbone(given["backbone"] or given["profile"].style_backbone)
    layers = network.architecture.style_layers
    falling = {layer: FALL ** (len(layers) - n) for n, layer in enumerate(layers, start=1)}
    best = dict(style_layers=falling, steps=LONGER * given["profile"].steps)
    if given["statistics"] == defaults["statistics"]:
        check_formula(given["formula"])
        best |= dict(statistics="moments", style_weight=STYLE_WEIGHT)
    return given | {name: best[name] for name in best if given[name] == defaults[name]}


def check_formula(formula):
    """Raise a `SettingsError` for a formula with which `"best"` cannot work."""
    if formula != "relative":
        raise SettingsError(
            f"quality='best' does not compare Gram matrices, and formula={formula!r} is for them"
            " only: leave one of the two out."
        )
