"""results.md, results.png and the contact sheets, from whatever cells there are."""

import json
import textwrap
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from dreamkit import load_image, resize
from dreamkit.study.statistics import interval

from .judges import perceptual
from .methods import METHODS, slug
from .pairs import COUNT, TRIED, name_of, pair

ROWS = 4  # pairs on a contact sheet
SHEET = 128  # px, a picture on a contact sheet
OWN = "dreamkit"  # what our methods' names begin with; they are compared with all the others
JUDGES = ("style", "content")
KEY = ["pair", "method", "factor"]  # what makes a cell
LEAST = 6  # values, for an interval


def table(folder, published=None):
    """All cells as a DataFrame: pair, method, factor, seconds, and a column for each judge.

    Args:
        folder: of the cells that were painted here.
        published: a results.json of the same size, for the cells that were not; or None.
    """
    rows = [json.loads(path.read_text("utf-8")) for path in sorted(Path(folder).glob("*--*.json"))]
    cells = [{k: v for k, v in row.items() if k != "judges"} | row["judges"] for row in rows]
    cells = pd.DataFrame([cell | {"here": True} for cell in cells])
    if published and published.exists():
        earlier = json.loads(published.read_text("utf-8"))
        if earlier["size"] == Path(folder).name:
            others = pd.DataFrame(earlier["cells"]).assign(here=False)
            cells = pd.concat([cells, others]).drop_duplicates(KEY).astype({"here": bool})
    return cells[cells["method"].isin(list(METHODS))] if len(cells) else cells


def write_report(folder, out, published=None):
    """Write the report of the cells in `folder`, and of those published, into the folder `out`."""
    cells = table(folder, published)
    if cells.empty:
        return
    out.mkdir(parents=True, exist_ok=True)
    everything = cells[cells["factor"] == 1]
    usual = cells[~cells["method"].map(lambda name: bool(METHODS[name].beside))]
    plain = usual[usual["factor"] == 1]
    pareto(usual, shared(plain), out / "results.png")
    sheets = contact_sheets(plain, folder, out)
    text = [heading(usual, folder), summary(shared(plain)), "![](results.png)", CAPTION]
    text += ["## Paired differences", fair(plain), differences(judged(plain))]
    text += ["## Every judge", every_judge(shared(plain)), judge_by_judge(judged(plain))]
    text += ["## Steps, precision and trials", CHECKS, checks(everything)]
    text += ["## The pictures", *(f"![]({sheet.name})" for sheet in sheets)]
    (out / "results.md").write_text("\n\n".join(text) + "\n", "utf-8")
    save_results(cells, Path(folder).name, out / "results.json")


def save_results(cells, size, path):
    """Save every cell's figures, one to a line."""
    made_with = [v for v in cells["versions"] if isinstance(v, dict)] if "versions" in cells else []
    made_with = [json.loads(text) for text in sorted({json.dumps(v) for v in made_with})]
    records = cells.drop(columns=["versions", "here"], errors="ignore").sort_values(KEY).round(4)
    lines = records.to_json(orient="records", lines=True).splitlines()
    lines = ",\n".join(f"  {line}" for line in lines)
    versions, size = json.dumps(made_with), json.dumps(size)
    text = f'{{\n"size": {size},\n"versions": {versions},\n"cells": [\n{lines}\n]\n}}\n'
    path.write_text(text, "utf-8")


CAPTION = (
    "*Figure: what is left of the distance from the painting, against what is lost of the photo;"
    " lower and further left is better. A large mark is a method with the weights as published, on"
    " the pairs that every method has painted. The line through it shows what other weights of the"
    " style change, on the pairs for which they were tried.*"
)
CHECKS = (
    "Do the steps that are left out matter, or does bfloat16? And what else was tried for our own"
    " setting? Only on a few pairs. Rows that compare with dreamkit are no evidence where they rest"
    f" on the first {TRIED} pairs."
)


def judged(plain):
    """The cells of pairs that had no part in the choice of our settings; all, if there are none."""
    unseen = plain[~plain["pair"].isin(name_of(number) for number in range(TRIED))]
    return plain if unseen.empty else unseen


def fair(plain):
    """What the differences are, and which pairs they leave out."""
    text = f"Negative: less distance, so better. An interval needs at least {LEAST} pairs."
    if len(judged(plain)) == len(plain):
        return text
    return f"{text} The first {TRIED} pairs are left out: our own settings were chosen on them."


def heading(cells, folder):
    """What was measured, and on how many pairs."""
    pairs, methods = cells["pair"].nunique(), cells["method"].nunique()
    cores = " or ".join(map(str, sorted(cells["cores"].unique())))
    networks = sorted({name.split()[-1] for name in judges_of(cells) if " " in name})
    other = sum(~cells["here"])
    text = (
        f"# Quality of the pictures\n\n{pairs} of {COUNT} pairs, {methods} methods, longest side"
        f" {Path(folder).name}. Style: 0 has the painting's distribution of features, 1 is as"
        " far from it as the untouched photo. Content: 0 is the photo, 1 is no more"
        " like it than the painting is. No method descended any of these measures. Judges:"
        f" contours, and layers of {', '.join(networks)}. Seconds: on {cores} core(s), the quickest"
        " step of each size times the number of steps, and of these the median over the pairs; all"
        " methods use the same compiled network. `book/quality.md` explains everything."
    )
    if other:
        text += f" {other} of {len(cells)} pictures are the published ones, with their seconds."
    return text if callable(perceptual()) else f"{text} No LPIPS: {perceptual()}."


def with_interval(values, digits=3):
    """A mean with its 95 % interval, as text."""
    values = np.asarray(values, float)
    values = values[np.isfinite(values)]
    low, high = interval(values) if len(values) >= LEAST else (np.nan, np.nan)
    bounds = f" ({low:.{digits}f} to {high:.{digits}f})" if np.isfinite(low) else ""
    return f"{values.mean():.{digits}f}{bounds}" if len(values) else "–"


def markdown(header, rows):
    """A table in Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def shared(plain):
    """The cells of the pairs that every method has painted; all, if there are none.

    A method that has painted less than half as many pairs as another is left out until it has.
    """
    pairs = plain.groupby("method")["pair"].transform("nunique")
    plain = plain[2 * pairs >= pairs.max()]
    painted = plain.groupby("pair")["method"].transform("nunique")
    common = plain[painted == plain["method"].nunique()]
    return plain if common.empty else common


def summary(plain):
    """Each method's means, and its seconds."""
    rows = []
    for name in METHODS:
        own = plain[plain["method"] == name]
        if len(own):
            means = [with_interval(own[judge]) for judge in JUDGES]
            taken, part = own["seconds"].median(), METHODS[name].part
            rows.append([name, len(own), *means, f"{taken:.0f}", f"{taken / part:.0f}"])
    rows.sort(key=lambda row: row[2])
    header = ["method", "pairs", "style", "content", "s", "s with all published steps"]
    return markdown(header, rows)


def differences(plain):
    """Our methods minus every peer, and our first minus our others, with 95 % intervals."""
    present = [name for name in METHODS if name in set(plain["method"])]
    own = [name for name in present if name.startswith(OWN)]
    pairs = [(ours, name) for ours in own for name in present if name not in own]
    pairs += [(own[0], name) for name in own[1:]]
    return markdown(["ours", "minus", "pairs", "style", "content"], compared(plain, pairs))


def compared(cells, pairs):
    """Rows with the mean differences, pair by pair, of pairs of methods' names."""
    wide = {judge: cells.pivot(index="pair", columns="method", values=judge) for judge in JUDGES}
    rows = []
    for one, other in pairs:
        gaps = {judge: (wide[judge][one] - wide[judge][other]).dropna() for judge in JUDGES}
        figures = [with_interval(gaps[judge]) for judge in JUDGES]
        rows.append([one, other, len(gaps["style"]), *figures])
    return rows


def checks(everything):
    """Methods that are compared only with what they are a check of, or a trial for."""
    found = set(everything["method"])
    pairs = [(name, other) for name in METHODS for other in METHODS[name].beside]
    rows = compared(everything, [pair for pair in pairs if found.issuperset(pair)])
    return markdown(["method", "minus", "pairs", "style", "content"], rows) if rows else "Not run."


def judges_of(cells):
    """The names of all judges."""
    figures = {"seconds", "cores", "taken", "steps", "versions", "here"}
    return [name for name in cells if name not in {*KEY, *figures, *JUDGES}]


def every_judge(plain):
    """The mean of every judge for every method."""
    means = plain.groupby("method")[judges_of(plain)].mean()
    rows = [[judge, *(f"{means[judge][m]:.3f}" for m in means.index)] for judge in means]
    return markdown(["judge", *means.index], rows)


def judge_by_judge(plain):
    """Our first method minus every peer, by every judge, with 95 % intervals."""
    present = [name for name in METHODS if name in set(plain["method"])]
    others = [name for name in present if not name.startswith(OWN)]
    rows = []
    for judge in judges_of(plain) if OWN in present else []:
        wide = plain.pivot(index="pair", columns="method", values=judge)
        rows.append([judge, *(with_interval(wide[OWN] - wide[other]) for other in others)])
    return markdown([f"{OWN} minus", *others], rows)


def pareto(cells, common, path):
    """Style against content: each method's mean over the common pairs, and its curve through it."""
    figure = Figure(figsize=(9, 6), layout="constrained")
    panel = figure.subplots()
    colours = matplotlib.colormaps["tab10"].colors
    for number, name in enumerate(name for name in METHODS if name in set(cells["method"])):
        own, colour = cells[cells["method"] == name], colours[number % len(colours)]
        mean = common[common["method"] == name][list(JUDGES)].mean()
        line = mean + curve(own)
        panel.plot(line["content"], line["style"], ".-", color=colour, lw=1.2)
        panel.scatter(mean["content"], mean["style"], s=90, color=colour, label=name, zorder=3)
    panel.set_xlabel("content: distance from the photo (the painting: 1)")
    panel.set_ylabel("style: distance from the painting (the photo: 1)")
    arrow = dict(xy=(0.02, 0.03), xytext=(0.1, 0.13), arrowprops=dict(arrowstyle="->"))
    panel.annotate("better", xycoords="axes fraction", textcoords="axes fraction", **arrow)
    panel.legend(fontsize=9)
    figure.savefig(path, dpi=110)


def curve(own):
    """What each factor changes, on average over the pairs for which all of them are there."""
    factors = own["factor"].nunique()
    whole = own.groupby("pair")["factor"].transform("nunique") == factors
    means = own[whole].groupby("factor")[list(JUDGES)].mean()
    return means - means.loc[1] if len(means) else means


def contact_sheets(plain, folder, out):
    """JPEG sheets of what was painted here; those with a newer picture are drawn anew."""
    painted = set(plain[plain["here"]]["pair"])
    names = [name for name in METHODS if name in set(plain["method"])]
    paths = []
    for first in range(0, COUNT, ROWS):
        numbers = range(first, min(first + ROWS, COUNT))
        rows = {
            number: [Path(folder) / f"{name_of(number)}--{slug(name)}--1.png" for name in names]
            for number in numbers
            if name_of(number) in painted
        }
        made = [file.stat().st_mtime for row in rows.values() for file in row if file.exists()]
        path = out / f"sheet-{first // ROWS + 1}.jpg"
        if made and not (path.exists() and path.stat().st_mtime > max(made)):
            contact_sheet(rows, names, path)
        paths += [path] if made else []
    return paths


def contact_sheet(rows, names, path):
    """A pair in each row: the photo, the painting, and every method's picture, if there is one."""
    figure = Figure(figsize=(1.6 * (len(names) + 2), 1.75 * len(rows)), layout="constrained")
    panels = figure.subplots(len(rows), len(names) + 2, squeeze=False)
    for panels_of_row, (number, files) in zip(panels, rows.items(), strict=True):
        made = [load_image(file) if file.exists() else np.ones((8, 8, 3)) for file in files]
        pictures = *pair(number, 2 * SHEET)[1:], *made
        for panel, picture in zip(panels_of_row, pictures, strict=True):
            panel.imshow(resize(picture, (2 * SHEET, 2 * SHEET)))
            panel.axis("off")
    for panel, name in zip(panels[0], ("photo", "painting", *names), strict=True):
        panel.set_title(textwrap.fill(name, 18), fontsize=7)
    figure.savefig(path, dpi=SHEET)
