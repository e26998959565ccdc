"""The verdicts on all distortions under many readings, in one figure.  (Notebook 05.)"""

import numpy as np
from matplotlib.patches import Rectangle

from ..plots import new_figure
from .effects import CLAIM, per_cent
from .figures import RECIPES, VERDICTS, explain_verdicts, kind_label, mark_style, select, signed


def plot_verdicts(found, severity=1.0, variant="base", role="content"):
    """Draw the verdict on each distortion under each reading of the claim, as a table.

    Args:
        found: tables from `effects`, one for each measure, combined with `pandas.concat`.
        severity: of the distortions.
        variant, role: which rows.

    Returns:
        The matplotlib figure: a panel for each recipe, a row for each distortion, a column for
        each network (the largest first) and measure; each field shows the verdict's mark and the
        change in per cent.

    Introduced in notebook 05.
    """
    rows = select(found, severity=severity, variant=variant, role=role)
    rows = rows.assign(group=rows["network"], column=rows["measure"].map(_reading))
    panels = {}
    for recipe in CLAIM:
        part = rows[rows["recipe"] == recipe]
        groups, columns = part["group"].unique()[::-1], part["column"].unique()
        if len(part):
            panels[recipe] = part, [(group, column) for group in groups for column in columns]
    return _verdict_table(panels)


def plot_variants(found, recipe="style"):
    """Draw the verdict on each distortion under each variant, as a table.

    Args:
        found: tables from `effects`, one for each measure, combined with `pandas.concat`; of one
            network and one severity.
        recipe: which rows.

    Returns:
        The matplotlib figure: a row for each distortion, a column for each measure and variant.

    Introduced in notebook 05.
    """
    rows = select(found, recipe=recipe)
    words = rows["measure"].map(_reading).str.replace("\n", " ")
    rows = rows.assign(group=words, column=rows["variant"].str.replace(" ", "\n"))
    columns = [(g, c) for g in rows["group"].unique() for c in rows["column"].unique()]
    return _verdict_table({recipe: (rows, columns)})


def _reading(measure):
    """The column heading of a measure: `raw,` above `at the end` for `end_raw`."""
    return "{1},\nat the {0}".format(*measure.split("_"))


def _verdict_table(panels):
    """The figure of {recipe: (rows with a `group` and a `column`, [(group, column), …])}."""
    kinds = list(dict.fromkeys(kind for rows, _ in panels.values() for kind in rows["kind"]))
    count = sum(len(columns) for _, columns in panels.values())
    figure = new_figure(0.98 * count + 1.5, 0.42 * len(kinds) + 2.3)
    drawn = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for axes, (recipe, (rows, columns)) in zip(drawn, panels.items(), strict=True):
        _draw_fields(axes, rows, columns, kinds)
        words = {1: "claimed: higher loss", -1: "claimed: lower score"}[CLAIM[recipe]]
        axes.set_title(f"{RECIPES[recipe]} ({words})", pad=34)
    drawn[0].set_yticks(range(len(kinds)), [kind_label(kind) for kind in kinds])
    explain_verdicts(figure, [rows for rows, _ in panels.values()])
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
