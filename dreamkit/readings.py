"""The verdicts on all distortions under all readings of the claim, in one figure.  (Notebook 05.)"""

import numpy as np

from .effects import CLAIM, per_cent
from .plots import _figure
from .study_plots import RECIPES, VERDICTS, _explain_verdicts, chosen, plain, signed


def plot_readings(found, severity=1.0, variant="base", role="content"):
    """Draw the verdict on each distortion under each reading of the claim, as a chequered table.

    Args:
        found: tables of `effects`, one for each measure, put together with `pandas.concat`.
        severity: of the distortions.
        variant, role: which rows.

    Returns:
        The matplotlib figure: a panel for each recipe, a row for each distortion, a column for
        each network and measure; in each field the verdict's mark and the change in per cent.

    Introduced in notebook 05.
    """
    rows = chosen(found, severity=severity, variant=variant, role=role)
    recipes = [recipe for recipe in CLAIM if recipe in set(rows["recipe"])]
    columns = [_columns(chosen(rows, recipe=recipe)) for recipe in recipes]
    kinds = list(rows["kind"].unique())
    figure = _figure(1.05 * sum(map(len, columns)) + 1.5, 0.42 * len(kinds) + 2.3)
    panels = figure.subplots(1, len(recipes), sharey=True, squeeze=False)[0]
    for axes, recipe, readings in zip(panels, recipes, columns, strict=True):
        _draw_readings(axes, chosen(rows, recipe=recipe), readings, kinds)
        words = {1: "claimed: higher loss", -1: "claimed: lower score"}[CLAIM[recipe]]
        axes.set_title(f"{RECIPES[recipe]} ({words})", pad=34)
        axes.set_xlim(-0.5, len(readings) - 0.5)
    panels[0].set_yticks(range(len(kinds)), [plain(kind) for kind in kinds])
    _explain_verdicts(figure, [rows])
    return figure


def _columns(rows):
    """(network, measure) of each column, the largest network first."""
    networks = list(dict.fromkeys(rows["network"]))[::-1]
    return [(network, measure) for network in networks for measure in rows["measure"].unique()]


def _draw_readings(axes, rows, readings, kinds):
    """One panel of fields: (network, measure) across, distortions downward."""
    from matplotlib.patches import Rectangle

    for place, (network, measure) in enumerate(readings):
        part = chosen(rows, network=network, measure=measure).set_index("kind").reindex(kinds)
        for height, row in enumerate(part.itertuples()):
            if row.verdict not in VERDICTS or not np.isfinite(row.effect):
                continue
            colour, marker, full = VERDICTS[row.verdict]
            box = (place - 0.48, height - 0.46)
            look = dict(alpha=0.16 if full else 0.05, lw=0, zorder=0)
            axes.add_patch(Rectangle(box, 0.96, 0.92, color=colour, **look))
            face = colour if full else "white"
            axes.plot(place - 0.32, height, marker, color=colour, mfc=face, ms=6, mew=1.4)
            change = signed(round(float(per_cent(row.effect))))
            axes.text(place + 0.45, height, change, ha="right", va="center", fontsize=9.5)
    names = ["{1},\nat the {0}".format(*measure.split("_")) for _, measure in readings]
    axes.set_xticks(range(len(readings)), names, fontsize=9.5)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.set_ylim(len(kinds) - 0.5, -0.5)
    for network in dict(readings):
        mine = [place for place, (name, _) in enumerate(readings) if name == network]
        middle = (np.mean(mine), -0.012)
        where = axes.get_xaxis_transform()
        axes.text(*middle, network, transform=where, ha="center", va="top", fontsize=10.5)
        axes.axvline(max(mine) + 0.5, color="0.6", lw=1)
    axes.spines[:].set_visible(False)
