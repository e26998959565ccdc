"""The verdicts on all distortions under many readings, in one figure.  (Notebook 05.)"""

import numpy as np

from ..plots import _figure
from .effects import CLAIM, per_cent
from .figures import RECIPES, VERDICTS, _explain_verdicts, chosen, plain, signed


def plot_readings(found, severity=1.0, variant="base", role="content"):
    """Draw the verdict on each distortion under each reading of the claim, as a chequered table.

    Args:
        found: tables of `effects`, one for each measure, put together with `pandas.concat`.
        severity: of the distortions.
        variant, role: which rows.

    Returns:
        The matplotlib figure: a panel for each recipe, a row for each distortion, a column for
        each network (the largest first) and measure; in each field the verdict's mark and the
        change in per cent.

    Introduced in notebook 05.
    """
    rows = chosen(found, severity=severity, variant=variant, role=role)
    rows = rows.assign(group=rows["network"], column=rows["measure"].map(_reading))
    recipes = [recipe for recipe in CLAIM if recipe in set(rows["recipe"])]
    panels = {}
    for recipe in recipes:
        mine = chosen(rows, recipe=recipe)
        networks = list(dict.fromkeys(mine["network"]))[::-1]
        panels[recipe] = mine, [(n, c) for n in networks for c in mine["column"].unique()]
    return _chequered(panels)


def plot_variants(found, recipe="style"):
    """Draw the verdict on each distortion under each variant, as a chequered table.

    Args:
        found: tables of `effects`, one for each measure, put together with `pandas.concat`; of
            one network and one severity.
        recipe: which rows.

    Returns:
        The matplotlib figure: a row for each distortion, a column for each measure and variant.

    Introduced in notebook 05.
    """
    rows = chosen(found, recipe=recipe)
    words = rows["measure"].map(_reading).str.replace("\n", " ")
    rows = rows.assign(group=words, column=rows["variant"].str.replace(" ", "\n"))
    columns = [(g, c) for g in rows["group"].unique() for c in rows["column"].unique()]
    return _chequered({recipe: (rows, columns)})


def _reading(measure):
    """`end_raw` as a column is headed: `raw,` above `at the end`."""
    return "{1},\nat the {0}".format(*measure.split("_"))


def _chequered(panels):
    """The figure of {recipe: (rows with a `group` and a `column`, [(group, column), …])}."""
    kinds = list(dict.fromkeys(kind for rows, _ in panels.values() for kind in rows["kind"]))
    wide = sum(len(columns) for _, columns in panels.values())
    figure = _figure(0.98 * wide + 1.5, 0.42 * len(kinds) + 2.3)
    drawn = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for axes, (recipe, (rows, columns)) in zip(drawn, panels.items(), strict=True):
        _draw_fields(axes, rows, columns, kinds)
        words = {1: "claimed: higher loss", -1: "claimed: lower score"}[CLAIM[recipe]]
        axes.set_title(f"{RECIPES[recipe]} ({words})", pad=34)
    drawn[0].set_yticks(range(len(kinds)), [plain(kind) for kind in kinds])
    _explain_verdicts(figure, [rows for rows, _ in panels.values()])
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
        mine = [place for place, (name, _) in enumerate(columns) if name == group]
        below = dict(transform=axes.get_xaxis_transform(), ha="center", va="top", fontsize=10.5)
        axes.text(np.mean(mine), -0.012, group, **below)
        axes.axvline(max(mine) + 0.5, color="0.6", lw=1)
    axes.spines[:].set_visible(False)


def _draw_field(axes, place, height, row):
    """One field: the verdict as tint and mark, the change beside it."""
    from matplotlib.patches import Rectangle

    colour, marker, full = VERDICTS[row.verdict]
    look = dict(color=colour, alpha=0.16 if full else 0.05, lw=0, zorder=0)
    axes.add_patch(Rectangle((place - 0.48, height - 0.46), 0.96, 0.92, **look))
    face = colour if full else "white"
    axes.plot(place - 0.32, height, marker, color=colour, mfc=face, ms=6, mew=1.4)
    change = signed(round(float(per_cent(row.effect))))
    axes.text(place + 0.45, height, change, ha="right", va="center", fontsize=9.5)
