"""The verdicts on all distortions under many readings, in one figure.  (Notebook 06.)"""

from itertools import product

import numpy as np
from matplotlib.patches import Rectangle

from ..plots import panel_grid
from .effects import CLAIM, per_cent
from .figures import RECIPES, VERDICTS, explain_verdicts, kind_label, mark_style, select, signed


def plot_verdicts(found, severity=1.0):
    """Draw the verdict on each distortion under each reading of the claim, as a table.

    Args:
        found: tables from `effects`, one for each measure, combined with `pandas.concat`; no
            variants are drawn.
        severity: of the distortions.

    Returns the matplotlib figure: a panel for each recipe, a row for each distortion, a column for
    each network (the largest first) and measure; each field shows the verdict's mark and the change
    in per cent. Introduced in notebook 06's appendix.
    """
    rows = select(found, severity=severity, variant="base", role="content")
    rows = rows.assign(group=rows["network"], column=rows["measure"].map(_reading))
    return _verdict_table(rows, order=-1)


def plot_variants(found):
    """Draw the verdict on each distortion under each variant, as a table.

    Args:
        found: tables from `effects`, one for each measure, combined with `pandas.concat`; of one
            network and one severity. Only style transfers are drawn.

    Returns the matplotlib figure: a row for each distortion, a column for each measure and variant.
    Introduced in notebook 06's appendix.
    """
    rows = select(found, recipe="style")
    words = rows["measure"].map(_reading).str.replace("\n", " ")
    rows = rows.assign(group=words, column=rows["variant"].str.replace(" ", "\n"))
    return _verdict_table(rows)


def _reading(measure):
    """The column heading of a measure: `raw,` above `at the end` for `end_raw`."""
    return "{1},\nat the {0}".format(*measure.split("_"))


def _verdict_table(rows, order=1):
    """The figure of rows with a `group` (in this order: 1 or -1) and a `column`."""
    recipes, kinds = [r for r in CLAIM if r in set(rows["recipe"])], rows["kind"].unique()
    parts = [rows[rows["recipe"] == recipe] for recipe in recipes]
    columns = [[*product(p["group"].unique()[::order], p["column"].unique())] for p in parts]
    size = dict(height=0.42 * len(kinds), margin=(1.5, 2.3))
    width = 0.98 * sum(map(len, columns)) / len(parts)
    figure, panels = panel_grid(len(parts), len(parts), width, **size, sharey=True)
    for axes, recipe, part, across in zip(panels, recipes, parts, columns, strict=True):
        _draw_fields(axes, part, across, kinds)
        words = {1: "claimed: higher loss", -1: "claimed: lower score"}[CLAIM[recipe]]
        axes.set_title(f"{RECIPES[recipe]} ({words})", pad=34)
    panels[0].set_yticks(range(len(kinds)), [kind_label(kind) for kind in kinds])
    explain_verdicts(figure, [rows])
    return figure


def _draw_fields(axes, rows, columns, kinds):
    """One panel: (group, column) across, distortions downward."""
    for place, (group, column) in enumerate(columns):
        part = rows[(rows["group"] == group) & (rows["column"] == column)].set_index("kind")
        for height, row in enumerate(part.reindex(kinds).itertuples()):
            if row.verdict in VERDICTS and np.isfinite(row.effect):
                _draw_field(axes, place, height, row)
    axes.set_xticks(range(len(columns)), [column for _, column in columns], fontsize=9.5)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.set(xlim=(-0.5, len(columns) - 0.5), ylim=(len(kinds) - 0.5, -0.5))
    for group in dict(columns):
        places = [place for place, (name, _) in enumerate(columns) if name == group]
        below = dict(transform=axes.get_xaxis_transform(), ha="center", va="top", fontsize=10.5)
        axes.text(np.mean(places), -0.012, group, **below)
        axes.axvline(max(places) + 0.5, color="0.6", lw=1)
    axes.spines[:].set_visible(False)


def _draw_field(axes, place, height, row):
    """One field: the verdict as tint and mark, with the change next to it."""
    colour, _, filled = VERDICTS[row.verdict]
    look = dict(color=colour, alpha=0.16 if filled else 0.05, lw=0, zorder=0)
    axes.add_patch(Rectangle((place - 0.48, height - 0.46), 0.96, 0.92, **look))
    axes.plot(place - 0.32, height, **mark_style(row.verdict, ms=6, mew=1.4))
    change = signed(round(float(per_cent(row.effect))))
    axes.text(place + 0.45, height, change, ha="right", va="center", fontsize=9.5)
