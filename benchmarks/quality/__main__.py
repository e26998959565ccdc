"""python -m benchmarks.quality [--quick] [--pairs N] [--hours H] [--only NAME …] [--report].

Paints every pair with every method and judges the pictures. Each picture is a cell with a file of
its own in outputs/quality, so a run that was stopped, or whose hours are over, goes on where it
was. Pair comes after pair, and after each the report is written from whatever is there: results.md,
results.png and contact sheets, next to this file, or with --quick next to the cells.
"""

import argparse
import functools
import json
import time
from pathlib import Path

from dreamkit import load_backbone, load_image, save_image
from dreamkit.runs.versions import versions

from . import neighbours, ours, peers  # noqa: F401 (they fill the table)
from .judges import Jury
from .methods import METHODS, SHARE, seconds, slug
from .pairs import COUNT, pair
from .report import write_report

HERE = Path(__file__).parent
CELLS = Path("outputs") / "quality"
SIZE, FIRST, CURVES = 256, 8, 2  # px; pairs before the curves; pairs with curves
QUICK = dict(size=128, pairs=2, curves=1, share=0.1)


def main():
    options = parse()
    folder = CELLS / f"{options.size}px"
    out = folder if options.quick else HERE
    network = load_backbone("vgg19").with_precision("auto")
    end = time.monotonic() + 3600 * options.hours
    for number, names in [] if options.report else plan(options):
        here = pair(number, options.size)
        jury = functools.cache(lambda here=here: Jury(here))
        for name, factor in names:
            if time.monotonic() > end:
                break
            run_cell(folder, here, jury, name, factor, network)
        write_report(folder, out)
    write_report(folder, out)


def parse():
    """The command line's options."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="2 small pairs, a tenth of all steps")
    parser.add_argument("--pairs", type=int, default=COUNT, help="how many pairs, up to 24")
    parser.add_argument("--hours", type=float, default=2.4, help="begin no picture after so long")
    usual = [name for name, method in METHODS.items() if not method.extra]
    parser.add_argument("--only", nargs="+", default=usual, help="methods' names")
    parser.add_argument("--report", action="store_true", help="only write the report")
    options = parser.parse_args()
    options.size, options.curves = SIZE, CURVES
    if options.quick:
        options.size, options.curves = QUICK["size"], QUICK["curves"]
        options.pairs, SHARE[0] = min(options.pairs, QUICK["pairs"]), QUICK["share"]
    return options


def plan(options):
    """[(pair's number, [(method's name, factor)])], so ordered that each part makes a report.

    First some pairs with the weights as published, then the curves of a few, then the other pairs.
    """
    published = [(name, 1) for name in options.only]
    curves = [(name, factor) for name in options.only for factor in METHODS[name].curve]
    first = min(FIRST, options.pairs)
    return [
        *((number, published) for number in range(first)),
        *((number, curves) for number in range(min(options.curves, first))),
        *((number, published) for number in range(first, options.pairs)),
    ]


def run_cell(folder, here, jury, name, factor, network):
    """Paint and judge a cell, unless that is done; a method that is missing here is skipped."""
    stem = folder / f"{here.name}--{slug(name)}--{factor:g}"
    if stem.with_suffix(".json").exists():
        return
    started = time.perf_counter()
    try:
        picture, laps = METHODS[name].paint(here, network, factor)
    except ModuleNotFoundError as error:
        print(f"{name}: skipped, {error}", flush=True)
        return
    folder.mkdir(parents=True, exist_ok=True)
    save_image(stem.with_suffix(".png"), picture, overwrite=True)
    picture = load_image(stem.with_suffix(".png"))  # what is judged is what was saved
    cell = dict(pair=here.name, method=name, factor=factor, seconds=seconds(laps))
    cell |= dict(taken=time.perf_counter() - started, steps=sum(map(len, laps.values())))
    cell |= dict(judges=jury()(picture), versions=versions())
    partial = stem.with_suffix(".part")
    partial.write_text(json.dumps(cell, indent=1), "utf-8")
    partial.replace(stem.with_suffix(".json"))
    found = cell["judges"]
    print(
        f"{here.name}, {name}, {factor:g}: style {found['style']:.3f}, content"
        f" {found['content']:.3f}, {cell['seconds']:.0f} s ({cell['taken']:.0f} s taken)",
        flush=True,
    )


if __name__ == "__main__":
    main()
