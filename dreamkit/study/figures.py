"""Figures of the clear-or-distorted study.  (Notebook 05.)"""

import numpy as np

from ..errors import SettingsError
from ..plots import COLOURS, _figure
from .effects import CLAIM, by_nature, paired, per_cent, ranked
from .statistics import ALPHA

# Colour, marker and filling, so that neither colour-blind nor black-and-white readers need ask;
# and no colour that the course has for a term, as a verdict is not one.
VERDICTS = {
    "as claimed": ("#332288", "o", True),
    "opposite": ("#CC6677", "s", True),
    "open": ("#555555", "D", False),
}
ORIGINS = {"photo": ("#0072B2", "o"), "scene": ("#E69F00", "^")}
SHADE = "#E9E7F4"  # of where the claim points
RECIPES = {"style": "style transfer", "dream": "deep dream"}
TICKS = (-99, -95, -90, -80, -60, -40, -20, -10, -5, -2, 0, 2, 5, 10, 25, 50, 100, 200, 400, 900)
TICKS += (2900, 9900)


def measure_label(recipe, measure):
    """What a measure is called on an axis.

    >>> measure_label("dream", "end_raw"), measure_label("style", "content_end")
    ('raw dream score at the end', 'content term at the end')
    """
    first, second = measure.split("_")
    if first in ("start", "end"):
        what = {"style": "style-transfer loss", "dream": "dream score"}[recipe]
        return f"{second} {what} at the {first}"
    return f"{first} term at the {second}"


def plain(kind):
    """A distortion's name in words."""
    return kind.replace("_", " ")


def signed(change):
    """A change in per cent as a reader sees it.

    >>> signed(-20.0), signed(0.0), signed(25.0)
    ('−20 %', '0 %', '+25 %')
    """
    sign = "−" if change < 0 else "+" if change > 0 else ""
    return f"{sign}{abs(change):g} %"


def chosen(table, **wanted):
    """The rows of a table with these values; a `SettingsError` if there are none."""
    for name, value in wanted.items():
        if value is not None:
            table = table[table[name] == value]
    if table.empty:
        told = ", ".join(str(value) for value in wanted.values() if value is not None)
        raise SettingsError(f"There is nothing to draw for {told}: choose what the table holds.")
    return table


def plot_pairs(
    table, measure, recipe, network, severity=1.0, kinds=None, columns=4, variant="base"
):
    """Draw each picture's measure, clear and distorted, joined by a line; a panel for each kind.

    Args:
        table: of a study.
        measure: one of `effects.MEASURES`.
        recipe, network, variant: which cells.
        severity: of the distorted pictures.
        kinds: distortions, in this order; all when None.
        columns: panels in a row.

    Returns:
        The matplotlib figure. Lines that go the claim's way are indigo, others rose and dashed;
        the title counts those that go its way.

    Introduced in notebook 05.
    """
    pairs = chosen(
        paired(table, measure), recipe=recipe, network=network, variant=variant, severity=severity
    )
    kinds = list(pairs["kind"].unique() if kinds is None else kinds)
    columns = min(columns, len(kinds))
    rows = -(-len(kinds) // columns)
    figure = _figure(2.6 * columns + 0.6, 2.7 * rows + 0.4)
    panels = figure.subplots(rows, columns, sharey=True, squeeze=False)
    for axes, kind in zip(panels.flat, kinds, strict=False):
        _draw_pairs(axes, chosen(pairs, kind=kind), CLAIM[recipe], plain(kind))
    for axes in panels.flat[len(kinds) :]:
        axes.axis("off")
    log_ticks(panels[0, 0])
    figure.supylabel(
        measure_label(recipe, measure) + "\n(log scale)", fontsize="medium", ma="center"
    )
    return figure


def _draw_pairs(axes, pairs, claim, title):
    """One panel: a line for each picture from clear to distorted."""
    goes = claim * pairs["effect"] > 0
    for clear, distorted, claimed in zip(pairs["clear"], pairs["distorted"], goes, strict=True):
        colour, marker, _ = VERDICTS["as claimed" if claimed else "opposite"]
        look = dict(ls="-" if claimed else "--", marker=marker, ms=5, lw=1.3, alpha=0.85)
        axes.plot([0, 1], [clear, distorted], color=colour, **look)
    axes.set(xticks=[0, 1], xticklabels=["clear", "distorted"], xlim=(-0.25, 1.25))
    axes.set_title(f"{title}: {goes.sum()} of {len(goes)}\nas claimed", fontsize="medium")


def plot_effects(found, severity=1.0, networks=None, variant="base", role="content"):
    """Draw what each distortion does to a measure, with its interval; both recipes side by side.

    Args:
        found: of `effects`.
        severity: of the distortions.
        networks: {recipe: network}; the last in the table of each recipe when None.
        variant, role: which rows.

    Returns:
        The matplotlib figure: a row for each distortion, in the order of the first panel's
        effects, a panel for each recipe; the side to which the claim points is shaded.

    Introduced in notebook 05.
    """
    rows = chosen(found, severity=severity, variant=variant, role=role)
    recipes = [recipe for recipe in CLAIM if recipe in set(rows["recipe"])]
    networks = networks or last_networks(rows)
    parts = [chosen(rows, recipe=r, network=networks[r]).set_index("kind") for r in recipes]
    kinds = list(parts[0]["effect"].sort_values().index)
    figure = _figure(5.2 * len(parts) + 1.2, 0.42 * len(kinds) + 1.9)
    panels = figure.subplots(1, len(parts), sharey=True, squeeze=False)[0]
    for axes, recipe, part in zip(panels, recipes, parts, strict=True):
        _draw_forest(axes, recipe, part.reindex(kinds))
        measure = measure_label(recipe, part["measure"].iloc[0])
        axes.set_xlabel(f"change of the {measure}")
        axes.set_title(f"{RECIPES[recipe]}, {networks[recipe]}", fontsize="medium", pad=22)
    panels[0].set_yticks(range(len(kinds)), [plain(kind) for kind in kinds])
    _explain_verdicts(figure, parts)
    return figure


def _draw_forest(axes, recipe, part):
    """One panel of effects: points with their intervals on an axis of logarithms."""
    ends = part[["low", "high", "effect"]].to_numpy()
    reach = np.nanmax(np.abs(ends)) if np.isfinite(ends).any() else 0
    lowest, highest = np.nanmin(ends, initial=0), np.nanmax(ends, initial=0)
    margin = 0.08 * max(reach, 0.02)
    limits = min(lowest - margin, -4 * margin), max(highest + margin, 4 * margin)
    claim = CLAIM[recipe]
    axes.axvspan(0, limits[claim > 0], color=SHADE, zorder=0)
    axes.axvline(0, color="black", lw=1)
    for place, row in enumerate(part.itertuples()):
        if not np.isfinite(row.effect):
            continue
        colour, marker, full = VERDICTS[row.verdict]
        axes.plot([row.low, row.high], [place, place], color=colour, lw=2.2, solid_capstyle="butt")
        face = colour if full else "white"
        axes.plot(row.effect, place, marker, color=colour, mfc=face, ms=8, mew=1.8)
    axes.set(xlim=limits, ylim=(-0.6, len(part) - 0.4))
    words, side = ("claimed: higher", "right") if claim > 0 else ("claimed: lower", "left")
    place = (float(claim > 0), 1.01)
    axes.annotate(
        words,
        place,
        xycoords="axes fraction",
        ha=side,
        color=VERDICTS["as claimed"][0],
        fontsize=10,
    )
    change_ticks(axes, limits)


def change_ticks(axes, limits, across=True):
    """Label an axis of effects, ln(ratio), with changes in per cent, as many as there is room."""
    places = np.log1p(np.array(TICKS) / 100)
    gap, kept = 0.13 * (limits[1] - limits[0]), [0.0]
    for place in sorted(places, key=lambda place: (abs(place) < 0.2, abs(place))):
        inside = limits[0] <= place <= limits[1]
        if inside and min(abs(place - other) for other in kept) >= gap:
            kept.append(place)
    labels = [signed(round(float(per_cent(place)))) for place in kept]
    (axes.set_xticks if across else axes.set_yticks)(kept, labels)


def _explain_verdicts(figure, parts):
    """What marker and colour mean, below all panels; and if nothing but open was possible."""
    from matplotlib.lines import Line2D

    few = not any((part["p_least"] < ALPHA).any() for part in parts)
    why = "too few pictures for any other verdict" if few else "corrected p ≥ 0.05"
    words = {"as claimed": "as the paper claims", "opposite": "the opposite"}
    words["open"] = f"open ({why})"
    marks = [
        Line2D([], [], color=colour, marker=marker, mfc=colour if full else "white", mew=1.8, ms=8)
        for colour, marker, full in VERDICTS.values()
    ]
    labels = [words[name] for name in VERDICTS]
    figure.legend(marks, labels, loc="outside lower center", ncols=3, frameon=False)


def plot_clutter(table, measure, networks=None, variant="base", resamples=2000):
    """Draw the measure of clear pictures against their own clutter; a panel for each recipe.

    Args:
        table: of a study.
        measure: one of `effects.MEASURES`.
        networks: {recipe: network}; the last in the table of each recipe when None.
        variant: which cells.
        resamples: of the interval in the title.

    Returns:
        The matplotlib figure: photos and scenes with their names, and in the title the rank
        correlation of all, with its 95 % interval.

    Introduced in notebook 05.
    """
    points = chosen(ranked(table, measure), variant=variant)
    found = chosen(by_nature(table, measure, resamples), variant=variant, pictures="both")
    recipes = [recipe for recipe in CLAIM if recipe in set(points["recipe"])]
    networks = networks or last_networks(points)
    figure = _figure(5.6 * len(recipes), 4.8)
    for axes, recipe in zip(
        figure.subplots(1, len(recipes), squeeze=False)[0], recipes, strict=True
    ):
        of = dict(recipe=recipe, network=networks[recipe])
        _draw_clutter(axes, chosen(points, **of), measure)
        row = chosen(found, **of).iloc[0]
        axes.set_ylabel(measure_label(recipe, measure) + " (log scale)")
        claimed = "ρ > 0" if CLAIM[recipe] > 0 else "ρ < 0"
        told = "ρ = {rho:.2f} [{low:.2f}, {high:.2f}], {verdict}".format(**row).replace("-", "−")
        axes.set_title(
            f"{RECIPES[recipe]}, {networks[recipe]} (claimed: {claimed})\nSpearman {told}"
        )
    marks = figure.axes[0].get_legend_handles_labels()
    figure.legend(*marks, loc="outside lower center", ncols=2, frameon=False)
    return figure


def _draw_clutter(axes, points, measure):
    """One panel: a named point for each picture."""
    for origin, (colour, marker) in ORIGINS.items():
        mine = points[points["origin"] == origin]
        label = {"photo": "photos", "scene": "scenes, by how full they were drawn"}[origin]
        axes.scatter(mine["clutter"], mine[measure], c=colour, marker=marker, s=45, label=label)
    axes.set(xlabel="clutter of the clear picture (0: plain, 1: full)")
    axes.margins(0.12)
    log_ticks(axes)
    names = [plain(name).removeprefix("scene-") for name in points["picture"]]
    _name_points(axes, points["clutter"].to_numpy(), points[measure].to_numpy(), names)


def _name_points(axes, x, y, names, size=8.5):
    """Write names beside their points, each where it covers least of points and other names."""
    pixels = axes.transData.transform(np.stack([x, y], -1)) * 72 / axes.figure.dpi
    taken = [(a - 4, b - 4, a + 4, b + 4) for a, b in pixels]
    for (a, b), name, point in zip(pixels, names, zip(x, y, strict=True), strict=True):
        wide, tall = 0.58 * size * len(name), size
        places = [(-wide / 2, 6), (-wide / 2, -6 - tall), (7, -tall / 2), (-7 - wide, -tall / 2)]
        boxes = [(a + dx, b + dy, a + dx + wide, b + dy + tall) for dx, dy in places]
        covered = [sum(_overlap(box, other) for other in taken) for box in boxes]
        best = int(np.argmin(covered))
        taken.append(boxes[best])
        offset = dict(xytext=places[best], textcoords="offset points", va="bottom")
        axes.annotate(name, point, fontsize=size, color="0.25", **offset)


def _overlap(one, other):
    """The area that two boxes (left, bottom, right, top) share."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return max(0, width) * max(0, height)


def log_ticks(axes):
    """A log scale upward with numbers that a reader need not decode."""
    from matplotlib.ticker import LogLocator, NullFormatter

    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 1.5, 2, 3, 5, 7)))
    axes.yaxis.set_major_formatter(_number)
    axes.yaxis.set_minor_formatter(NullFormatter())


def _number(value, position=None):
    """A number of a log axis: as it is, or with a power of ten."""
    if 1e-3 <= value < 1e4:
        return f"{value:g}"
    factor, power = f"{value:.1e}".split("e")
    return rf"${factor.removesuffix('.0')}\cdot10^{{{int(power)}}}$"


def plot_severity(found, networks=None, variant="base", kinds=None, columns=4):
    """Draw the effect of each distortion over its severity: dose and response.

    Args:
        found: of `effects`.
        networks: {recipe: network}; the last in the table of each recipe when None.
        variant: which rows.
        kinds: distortions, in this order; all when None.
        columns: panels in a row.

    Returns:
        The matplotlib figure: a panel for each distortion, a line for each recipe, which starts
        at no change at severity 0; bars are the 95 % intervals.

    Introduced in notebook 05.
    """
    rows = chosen(found, variant=variant, role="content")
    recipes = [recipe for recipe in CLAIM if recipe in set(rows["recipe"])]
    networks = networks or last_networks(rows)
    kinds = list(rows["kind"].unique() if kinds is None else kinds)
    columns = min(columns, len(kinds))
    lines = -(-len(kinds) // columns)
    figure = _figure(2.6 * columns + 0.6, 2.2 * lines + 0.9)
    panels = figure.subplots(lines, columns, sharex=True, sharey=True, squeeze=False)
    for axes, kind in zip(panels.flat, kinds, strict=False):
        for recipe in recipes:
            part = chosen(rows, recipe=recipe, network=networks[recipe], kind=kind)
            _draw_response(axes, part.sort_values("severity"), recipe, networks[recipe])
        axes.axhline(0, color="black", lw=1, zorder=0)
        axes.set_title(plain(kind), fontsize="medium")
    for axes in panels.flat[len(kinds) :]:
        axes.axis("off")
    for axes in panels.flat[max(0, len(kinds) - columns) : len(kinds)]:
        axes.tick_params(labelbottom=True)
    change_ticks(panels[0, 0], panels[0, 0].get_ylim(), across=False)
    figure.supxlabel(
        "severity of the distortion (0: none, 1: a photo can only just be guessed)", fontsize=12
    )
    where, way = rows["measure"].iloc[0].split("_")
    figure.supylabel(f"change of loss and score ({way}, at the {where})", fontsize=12)
    handles, labels = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=2, frameon=False)
    return figure


def _draw_response(axes, part, recipe, network):
    """One line with bars, from no change at severity 0."""
    x = np.r_[0, part["severity"]]
    y, low, high = (np.r_[0, part[name]] for name in ("effect", "low", "high"))
    words = (
        "style-transfer loss (claimed: up)" if recipe == "style" else "dream score (claimed: down)"
    )
    look = dict(style=dict(fmt="-o"), dream=dict(fmt="--^"))[recipe]
    bars = np.nan_to_num(np.abs([y - low, high - y]))
    axes.errorbar(x, y, bars, color=COLOURS[recipe], ms=5, label=f"{words}, {network}", **look)
    axes.set_xticks(x)


def last_networks(rows):
    """{recipe: the last of its networks in a table}, which is the largest of the study."""
    recipes = [recipe for recipe in CLAIM if recipe in set(rows["recipe"])]
    return {recipe: chosen(rows, recipe=recipe)["network"].iloc[-1] for recipe in recipes}
