"""Whether two networks give the same answer to one question.  (Notebook 06.)"""

import numpy as np
import pandas as pd
from matplotlib.lines import Line2D
from scipy.stats import spearmanr

from ..plots import panel_grid
from .figures import (
    VERDICTS,
    change_ticks,
    kind_label,
    mark_style,
    measure_label,
    name_points,
    select,
)

KEYS = ["measure", "kind"]
DIFFER = dict(color="black", marker="X")  # the mark where two verdicts differ


def compare(found, first, second, severity=1.0):
    """Put the effects of two networks side by side.

    Args:
        found: tables from `effects`, combined with `pandas.concat`, that hold both networks; only
            style transfers with a distorted content are compared, without the variants.
        first, second: the networks' names.
        severity: of the distortions.

    Returns:
        A pandas DataFrame with a row for each measure and kind that both networks have: `effect`,
        `low`, `high` and `verdict`, each with the suffix `_first` and `_second`, and
        `same_verdict`.

    Raises:
        SettingsError: one of the networks has no such effects.

    Introduced in notebook 06's appendix.
    """
    base = select(found, recipe="style", variant="base", role="content", severity=severity)
    columns = [*KEYS, "effect", "low", "high", "verdict"]
    parts = [select(base, network=network)[columns] for network in (first, second)]
    both = parts[0].merge(parts[1], on=KEYS, suffixes=("_first", "_second"), validate="one_to_one")
    return both.assign(same_verdict=both["verdict_first"] == both["verdict_second"])


def agreement(both):
    """Count where two networks agree.

    Args:
        both: a table from `compare`.

    Returns:
        A pandas DataFrame with a row for each measure: how many `kinds` there are, how many have
        the `same_sign` and the `same_verdict`, how many are `contradicted` (as claimed with one
        network and the opposite with the other), and `rho`, the rank correlation of the effects
        (Spearman).

    Source: Spearman 1904. Introduced in notebook 06's appendix.
    """
    rows = {}
    for measure, part in both.groupby("measure", sort=False):
        decided = (part[["verdict_first", "verdict_second"]] != "open").all(axis=1)
        rows[measure] = {
            "kinds": len(part),
            "same_sign": int((part["effect_first"] * part["effect_second"] > 0).sum()),
            "same_verdict": int(part["same_verdict"].sum()),
            "contradicted": int((decided & ~part["same_verdict"]).sum()),
            "rho": float(spearmanr(part["effect_first"], part["effect_second"]).statistic),
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("measure")


def plot_agreement(found, first, second, severity=1.0):
    """Draw one network's effects against the other's; a panel for each measure.

    Args:
        found, first, second, severity: as for `compare`.

    Returns the matplotlib figure: `first` across, `second` upward, a point with both 95 % intervals
    for each distortion, and the diagonal, on which both effects are equal. A point has the mark of
    the verdict that both networks share, or a cross and a bold name if their verdicts differ.
    Introduced in notebook 06's appendix.
    """
    both = compare(found, first, second, severity)
    measures = both["measure"].unique()
    figure, panels = panel_grid(len(measures), len(measures), 5.8, 5.4, margin=(0.3, 0.9))
    for axes, measure in zip(panels, measures, strict=True):
        _draw_agreement(axes, both[both["measure"] == measure])
        words = (f"change with {name} (log scale)" for name in (first, second))
        axes.set(**dict(zip(("xlabel", "ylabel"), words, strict=True)))
        axes.set_title(measure_label("style", measure), fontsize="medium")
    labels = ["both as the paper claims", "both the opposite", "both open", "verdicts differ"]
    looks = [*map(mark_style, VERDICTS), DIFFER]
    marks = [Line2D([], [], ls="", ms=8, mew=1.6, **look) for look in looks]
    figure.legend(marks, labels, loc="outside lower center", ncols=4, frameon=False)
    for axes, measure in zip(panels, measures, strict=True):
        _name_kinds(axes, both[both["measure"] == measure])
    return figure


def _draw_agreement(axes, part):
    """One panel: the diagonal, and a named point with two bars for each distortion."""
    for row in part.itertuples():
        look = mark_style(row.verdict_first) if row.same_verdict else DIFFER
        bars = dict(color=look["color"], lw=1.4, alpha=0.6)
        axes.plot([row.low_first, row.high_first], [row.effect_second] * 2, **bars)
        axes.plot([row.effect_first] * 2, [row.low_second, row.high_second], **bars)
        axes.plot(row.effect_first, row.effect_second, ms=7, mew=1.6, **look)
    axes.margins(0.1)
    axes.set(xlim=axes.get_xlim(), ylim=axes.get_ylim())  # whatever is drawn next
    change_ticks(axes, axes.get_xlim())
    change_ticks(axes, axes.get_ylim(), across=False)
    for line in (axes.axhline, axes.axvline):
        line(0, color="0.8", lw=1, zorder=0)
    axes.axline((0, 0), (1, 1), ls=":", color="0.5", lw=1.2, zorder=0)


def _name_kinds(axes, part):
    """Write each distortion's name near its point, in bold if the verdicts differ."""
    x, y = part["effect_first"].to_numpy(), part["effect_second"].to_numpy()
    level = np.stack([part["low_first"], y, part["high_first"], y], -1)
    upright = np.stack([x, part["low_second"], x, part["high_second"]], -1)
    names = [kind_label(kind) for kind in part["kind"]]
    name_points(axes, x, y, names, np.concatenate([level, upright]))
    for text, same in zip(axes.texts, part["same_verdict"], strict=True):
        text.set_fontweight("normal" if same else "bold")
