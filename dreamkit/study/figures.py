"""Figures of the clear-or-distorted study.  (Notebook 06.)"""

from itertools import product

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.textpath import TextPath
from matplotlib.ticker import LogLocator, NullFormatter
from matplotlib.transforms import Bbox

from ..errors import SettingsError
from ..plots import COLOURS, panel_grid
from .effects import CLAIM, by_clutter, clear_pictures, paired, per_cent
from .statistics import ALPHA

# Colour, marker and filling, so that verdicts also differ to colour-blind readers and in black and
# white. None has the colour of a term.
VERDICTS = {
    "as claimed": ("#332288", "o", True),
    "opposite": ("#CC6677", "s", True),
    "open": ("#555555", "D", False),
}
ORIGINS = {
    "photo": ("#0072B2", "o", "photos"),
    "scene": ("#E69F00", "^", "drawn scenes, with their level of clutter"),
}
SHADE = "#E9E7F4"  # of the claimed side
RECIPES = {"style": "style transfer", "dream": "deep dream"}
TICKS = (-99, -95, -90, -80, -60, -40, -20, -10, -5, -2, 0, 2, 5, 10, 25, 50, 100, 200, 400, 900)
TICKS += (2900, 9900)


def measure_label(recipe, measure):
    """The axis label of a measure.

    >>> measure_label("dream", "end_raw"), measure_label("style", "content_end")
    ('raw dream score at the end', 'content term at the end')
    """
    first, second = measure.split("_")
    if first in ("start", "end"):
        what = {"style": "style-transfer loss", "dream": "dream score"}[recipe]
        return f"{second} {what} at the {first}"
    return f"{first} term at the {second}"


def change_label(recipe, measure):
    """The label of an axis of changes, ln(ratio), with ticks from `change_ticks`."""
    return f"change in the {measure_label(recipe, measure)}\n(log scale)"


def kind_label(kind):
    """A distortion's name in words."""
    return kind.replace("_", " ")


def signed(change):
    """A change in per cent, with its sign.

    >>> signed(-20.0), signed(0.0), signed(25.0)
    ('−20 %', '0 %', '+25 %')
    """
    return f"{change:+g} %".replace("-", "−") if change else "0 %"


def select(table, **wanted):
    """The rows of a table with these values; a `SettingsError` if there are none."""
    for name, value in wanted.items():
        table = table[table[name] == value]
    if table.empty:
        values = ", ".join(map(str, wanted.values()))
        raise SettingsError(f"There is nothing to draw for {values}: choose what the table has.")
    return table


def of_largest(rows):
    """{(recipe, network): rows} of each recipe's last network in a table, its largest."""
    last = rows.groupby("recipe")["network"].last()
    pairs = [(recipe, last[recipe]) for recipe in CLAIM if recipe in last]
    return {pair: select(rows, recipe=pair[0], network=pair[1]) for pair in pairs}


def mark_style(verdict, **options):
    """The matplotlib options of a verdict's mark."""
    colour, marker, filled = VERDICTS[verdict]
    return dict(color=colour, marker=marker, mfc=colour if filled else "white", **options)


def plot_pairs(table, measure, recipe, network, severity=1.0, kinds=None, columns=4):
    """Draw each picture's measure, clear and distorted, joined by a line; a panel for each kind.

    Args:
        table: of a study.
        measure: one of `effects.MEASURES`.
        recipe, network: which base cells.
        severity: of the distorted pictures.
        kinds: distortions, in this order; all when None.
        columns: panels in a row.

    Returns the matplotlib figure. Lines that go the claimed way are indigo, the others rose and
    dashed; the titles count the former. Introduced in notebook 06.
    """
    cells = dict(recipe=recipe, network=network, variant="base", severity=severity)
    pairs = select(paired(table, measure), **cells)
    kinds = pairs["kind"].unique() if kinds is None else kinds
    figure, panels = panel_grid(len(kinds), columns, 2.6, 2.7, margin=(0.6, 0.4), sharey=True)
    for axes, kind in zip(panels, kinds, strict=True):
        _draw_pairs(axes, select(pairs, kind=kind), CLAIM[recipe], kind_label(kind))
    log_ticks(panels[0])
    label = measure_label(recipe, measure) + "\n(log scale)"
    figure.supylabel(label, fontsize="medium", ma="center")
    return figure


def _draw_pairs(axes, pairs, claim, title):
    """One panel: a line for each picture from clear to distorted."""
    claimed = claim * pairs["effect"] > 0
    for pair, as_claimed in zip(pairs.itertuples(), claimed, strict=True):
        colour, marker, _ = VERDICTS["as claimed" if as_claimed else "opposite"]
        look = dict(ls="-" if as_claimed else "--", marker=marker, ms=5, lw=1.3, alpha=0.85)
        axes.plot([0, 1], [pair.clear, pair.distorted], color=colour, **look)
    axes.set(xticks=[0, 1], xticklabels=["clear", "distorted"], xlim=(-0.25, 1.25))
    axes.set_title(f"{title}: {claimed.sum()} of {len(claimed)}\nas claimed", fontsize="medium")


def plot_effects(found, severity=1.0):
    """Draw what each distortion does to a measure, with its interval; both recipes side by side.

    Args:
        found: a table from `effects`; each recipe's last network is drawn, without its variants.
        severity: of the distortions.

    Returns the matplotlib figure: a row for each distortion, in the order of the first panel's
    effects, and a panel for each recipe; the claimed side is shaded. Introduced in notebook 06.
    """
    parts = of_largest(select(found, severity=severity, variant="base", role="content"))
    parts = {pair: part.set_index("kind") for pair, part in parts.items()}
    kinds = next(iter(parts.values()))["effect"].sort_values().index
    size = dict(width=5.2, height=0.42 * len(kinds), margin=(1.2, 1.9))
    figure, panels = panel_grid(len(parts), len(parts), **size, sharey=True)
    for axes, ((recipe, network), part) in zip(panels, parts.items(), strict=True):
        _draw_forest(axes, CLAIM[recipe], part.reindex(kinds))
        axes.set_xlabel(change_label(recipe, part["measure"].iloc[0]))
        axes.set_title(f"{RECIPES[recipe]}, {network}", fontsize="medium", pad=22)
    panels[0].set_yticks(range(len(kinds)), [kind_label(kind) for kind in kinds])
    explain_verdicts(figure, parts.values())
    return figure


def _draw_forest(axes, claim, part):
    """One panel of effects: points with their intervals, on an axis of logarithms."""
    ends = part[["low", "high", "effect"]].to_numpy()
    lowest, highest = np.nanmin(ends, initial=0), np.nanmax(ends, initial=0)
    margin = 0.08 * max(-lowest, highest, 0.02)
    limits = min(lowest - margin, -4 * margin), max(highest + margin, 4 * margin)
    axes.axvspan(0, limits[claim > 0], color=SHADE, zorder=0)
    axes.axvline(0, color="black", lw=1)
    for place, row in enumerate(part.itertuples()):
        if np.isfinite(row.effect):
            mark = mark_style(row.verdict, ms=8, mew=1.8)
            bar = dict(color=mark["color"], lw=2.2, solid_capstyle="butt")
            axes.plot([row.low, row.high], [place, place], **bar)
            axes.plot(row.effect, place, **mark)
    axes.set(xlim=limits, ylim=(-0.6, len(part) - 0.4))
    words, side = ("claimed: higher", "right") if claim > 0 else ("claimed: lower", "left")
    look = dict(color=VERDICTS["as claimed"][0], fontsize=10)
    axes.annotate(words, (float(claim > 0), 1.01), xycoords="axes fraction", ha=side, **look)
    change_ticks(axes, limits)


def change_ticks(axes, limits, across=True):
    """Label an axis of effects, ln(ratio), with as many changes in per cent as fit."""
    places = np.log1p(np.array(TICKS) / 100)
    gap, kept = 0.13 * (limits[1] - limits[0]), [0.0]
    for place in sorted(places, key=lambda place: (abs(place) < 0.2, abs(place))):
        inside = limits[0] <= place <= limits[1]
        if inside and min(abs(place - other) for other in kept) >= gap:
            kept.append(place)
    labels = [signed(round(float(per_cent(place)))) for place in kept]
    (axes.set_xticks if across else axes.set_yticks)(kept, labels)


def explain_verdicts(figure, tables):
    """Add a legend of verdicts below all panels; it says if only "open" was possible."""
    few = not any((table["smallest_possible_p"] < ALPHA).any() for table in tables)
    why = "too few pictures for any other verdict" if few else "corrected p ≥ 0.05"
    labels = ["as the paper claims", "the opposite", f"open ({why})"]
    marks = [Line2D([], [], **mark_style(verdict, mew=1.8, ms=8)) for verdict in VERDICTS]
    figure.legend(marks, labels, loc="outside lower center", ncols=3, frameon=False)


def plot_clutter(table, measure, resamples=2000):
    """Draw the measure of clear pictures against their own clutter; a panel for each recipe.

    Args:
        table: of a study; each recipe's last network is drawn, without its variants.
        measure: one of `effects.MEASURES`.
        resamples: for the interval in the title.

    Returns the matplotlib figure: photos and scenes with their names, and in the title the rank
    correlation over all of them, with its 95 % interval. Introduced in notebook 06's appendix.
    """
    table = select(table, variant="base")
    parts = of_largest(select(clear_pictures(table, measure), variant="base"))
    found = by_clutter(table, measure, resamples)
    figure, panels = panel_grid(len(parts), len(parts), 5.6, 4.8)
    for axes, ((recipe, network), points) in zip(panels, parts.items(), strict=True):
        _draw_clutter(axes, points, measure)
        row = select(found, recipe=recipe, network=network, pictures="both").iloc[0]
        axes.set_ylabel(measure_label(recipe, measure) + " (log scale)")
        claimed = "ρ > 0" if CLAIM[recipe] > 0 else "ρ < 0"
        rho = "ρ = {rho:.2f} [{low:.2f}, {high:.2f}], {verdict}".format(**row).replace("-", "−")
        axes.set_title(f"{RECIPES[recipe]}, {network} (claimed: {claimed})\nSpearman {rho}")
    marks = panels[0].get_legend_handles_labels()
    figure.legend(*marks, loc="outside lower center", ncols=2, frameon=False)
    for axes, points in zip(panels, parts.values(), strict=True):
        names = [kind_label(name).removeprefix("scene-") for name in points["picture"]]
        name_points(axes, points["clutter"].to_numpy(), points[measure].to_numpy(), names)
    return figure


def _draw_clutter(axes, points, measure):
    """One panel: a named point for each picture."""
    for origin, (colour, marker, label) in ORIGINS.items():
        rows = points[points["origin"] == origin]
        axes.scatter(rows["clutter"], rows[measure], c=colour, marker=marker, s=45, label=label)
    axes.set(xlabel="clutter of the clear picture (0: plain, 1: cluttered)")
    axes.margins(0.12)
    log_ticks(axes)


def name_points(axes, x, y, names, bars=(), size=9):
    """Write each point's name where it covers least, with a thin line to it if that isn't near.

    Args:
        axes: its limits, and everything else that changes its size, must be set.
        x, y: the points' coordinates, (n,) arrays.
        names: what to write.
        bars: (x₀, y₀, x₁, y₁) of lines that names shouldn't cover either, in data coordinates.
        size: of the letters, pt.
    """
    axes.figure.draw_without_rendering()  # the layout decides where the points are
    scale = 72 / axes.figure.dpi
    frame = Bbox(axes.get_window_extent().get_points() * scale).padded(-4)
    points = axes.transData.transform(np.stack([x, y], -1)) * scale
    ends = axes.transData.transform(np.reshape(bars, (-1, 2))).reshape(-1, 4) * scale
    taken = [Bbox.from_bounds(a - 5, b - 5, 10, 10) for a, b in points]
    taken += [Bbox.from_extents(a - 1, b - 1, c + 1, d + 1) for a, b, c, d in ends]

    def cost(box, distance):
        shared = sum(map(_area, (Bbox.intersection(box, other) for other in taken)))
        outside = box.width * box.height - _area(Bbox.intersection(box, frame))
        return shared + 10 * outside + 0.1 * distance

    for point, name, place in zip(points, names, zip(x, y, strict=True), strict=True):
        width = 1.05 * TextPath((0, 0), name, size).get_extents().width
        angles = np.arange(12) * np.pi / 6 + np.pi / 2
        boxes = {}
        for distance, angle in product((7, 16, 28, 42, 58), angles):
            across, up = np.cos(angle), np.sin(angle)
            left, bottom = distance * across, distance * up
            left, bottom = left + width * (across - 1) / 2, bottom + size * (up - 1) / 2
            box = Bbox.from_bounds(point[0] + left, point[1] + bottom, width, size)
            boxes[left, bottom, distance] = box, cost(box, distance)
        left, bottom, distance = min(boxes, key=lambda key: boxes[key][1])
        taken.append(boxes[left, bottom, distance][0].padded(4, 1))
        line = dict(arrowstyle="-", color="0.6", lw=0.8, shrinkA=0, shrinkB=5)
        offset = dict(xytext=(left, bottom), textcoords="offset points", va="bottom")
        look = dict(fontsize=size, color="0.25", arrowprops=line if distance > 7 else None)
        axes.annotate(name, place, **offset, **look)


def _area(box):
    return 0.0 if box is None else box.width * box.height


def log_ticks(axes):
    """Make the y axis logarithmic, with readable numbers."""
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 1.5, 2, 3, 5, 7)))
    axes.yaxis.set_major_formatter(_number)
    axes.yaxis.set_minor_formatter(NullFormatter())


def _number(value, position=None):
    """A number on a log axis: in full, or with a power of ten."""
    if 1e-3 <= value < 1e4:
        return f"{value:g}"
    factor, power = f"{value:.1e}".split("e")
    return rf"${factor.removesuffix('.0')}\cdot10^{{{int(power)}}}$"


def plot_severity(found):
    """Draw the effect of each distortion at each severity: dose and response.

    Args:
        found: a table from `effects`; each recipe's last network is drawn, without its variants.

    Returns the matplotlib figure: a panel for each recipe, a row for each distortion, in the order
    of the first panel's effects at the highest severity. A line runs from no change to a mark for
    each severity; the mark of the highest is filled. Introduced in notebook 06's appendix.
    """
    parts = of_largest(select(found, variant="base", role="content"))
    first, highest = next(iter(parts.values())), found["severity"].max()
    kinds = select(first, severity=highest).set_index("kind")["effect"].sort_values().index
    size = dict(width=5.2, height=0.42 * len(kinds), margin=(1.2, 1.9))
    figure, panels = panel_grid(len(parts), len(parts), **size, sharey=True)
    for axes, ((recipe, network), part) in zip(panels, parts.items(), strict=True):
        _draw_response(axes, part.sort_values("severity"), kinds, COLOURS[recipe])
        axes.set_xlabel(change_label(recipe, part["measure"].iloc[0]))
        claimed = "higher" if CLAIM[recipe] > 0 else "lower"
        axes.set_title(f"{RECIPES[recipe]}, {network} (claimed: {claimed})", fontsize="medium")
    panels[0].set_yticks(range(len(kinds)), [kind_label(kind) for kind in kinds])
    severities = sorted(first["severity"].unique())
    looks = [dict(mfc="0.3" if severity == highest else "white") for severity in severities]
    marks = [Line2D([], [], ls="", marker="o", color="0.3", ms=8, **look) for look in looks]
    labels = [f"severity {severity:g}" for severity in severities]
    figure.legend(marks, labels, loc="outside lower center", ncols=len(marks), frameon=False)
    return figure


def _draw_response(axes, part, kinds, colour):
    """One panel: for each distortion, a line from no change to the marks of its severities."""
    for place, kind in enumerate(kinds):
        values = part.loc[part["kind"] == kind, "effect"].to_numpy()
        axes.plot([0, *values], [place] * (len(values) + 1), color="0.75", lw=2)
        axes.plot(values[:-1], [place] * (len(values) - 1), "o", color=colour, mfc="white", ms=8)
        axes.plot(values[-1], place, "o", color=colour, ms=8)
    axes.axvline(0, color="black", lw=1, zorder=0)
    axes.set(xlim=axes.get_xlim(), ylim=(-0.6, len(kinds) - 0.4))
    change_ticks(axes, axes.get_xlim())
