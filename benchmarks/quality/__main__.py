"""python -m benchmarks.quality [--quick] [--pairs N] [--hours H] [--workers N] [--only NAME …].

Paints every pair with every method and judges the pictures. Each picture is a cell with a file of
its own in outputs/quality, so a run that was stopped, or whose hours are over, goes on where it
was. Pair comes after pair, and after each the report is written next to the cells: results.md,
results.png and contact sheets. What was not painted here is taken from the published results, and
with --publish the report takes their place.
"""

import argparse
import functools
import time
from collections import Counter
from pathlib import Path

from joblib import cpu_count

from dreamkit.batch.jobs import run_all

from .cells import Cell, run_cell
from .methods import METHODS
from .pairs import COUNT
from .report import write_report

HERE = Path(__file__).parent
CELLS, PUBLISHED = Path("outputs") / "quality", HERE / "results.json"
SIZE, FIRST, CURVES = 256, 8, 2  # px; pairs before the curves; pairs with curves
QUICK = dict(size=128, pairs=2, curves=1, share=0.1)


def main():
    options = parse()
    folder = CELLS / f"{options.size}px"
    out = HERE if options.publish and not options.quick else folder
    report = functools.partial(write_report, folder, out, PUBLISHED)
    end = time.time() + 3600 * options.hours
    cores = max(1, cpu_count() // max(1, options.workers))
    plans = [] if options.report else plan(options)
    cells = [Cell(folder, options.size, options.share, cores, end, *planned) for planned in plans]
    left = Counter(map(part, cells))
    for cell, error in run_all(run_cell, cells, workers=options.workers):
        if error:
            raise error
        left[part(cell)] -= 1
        if not left[part(cell)] and time.time() < end:
            report()
    report()
    print(f"The report is {out / 'results.md'}.")


def part(cell):
    """The part of the plan after which there is a report: a pair, or a pair's curves."""
    return cell.number, cell.factor == 1


def parse():
    """The command line's options."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="2 small pairs, a tenth of all steps")
    parser.add_argument("--pairs", type=span, default=span(COUNT), help="how many, or from:to")
    parser.add_argument("--hours", type=float, default=2.4, help="begin no picture after so long")
    usual = [name for name, method in METHODS.items() if not method.beside]
    parser.add_argument("--only", nargs="+", default=usual, help="methods' names")
    parser.add_argument("--workers", type=int, default=cpu_count(), help="pictures at a time")
    parser.add_argument("--report", action="store_true", help="only write the report")
    parser.add_argument("--publish", action="store_true", help="replace the published report")
    options = parser.parse_args()
    options.size, options.curves, options.share = SIZE, CURVES, 1.0
    if options.quick:
        options.size, options.curves = QUICK["size"], QUICK["curves"]
        options.pairs, options.share = options.pairs[: QUICK["pairs"]], QUICK["share"]
    return options


def span(text):
    """The numbers of pairs that "5" (the first five) or "3:6" (the fourth to the sixth) means."""
    first, _, last = f"0:{text}".rpartition(":")
    return range(COUNT)[int(first.rpartition(":")[2]) : int(last)]


def plan(options):
    """[(pair's number, method's name, factor)], so ordered that each part makes a report.

    First some pairs with the weights as published, then the curves of a few, then the other pairs.
    """
    published = [(name, 1) for name in options.only]
    curves = [(name, factor) for name in options.only for factor in METHODS[name].curve]
    early = [number for number in options.pairs if number < FIRST]
    parts = [
        *((number, published) for number in early),
        *((number, curves) for number in early[: options.curves]),
        *((number, published) for number in options.pairs[len(early) :]),
    ]
    return [(number, *cell) for number, cells in parts for cell in cells]


if __name__ == "__main__":
    main()
