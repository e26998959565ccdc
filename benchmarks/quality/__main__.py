"""python -m benchmarks.quality [--quick] [--pairs N] [--hours H] [--workers N] [--only NAME …].

Paints every pair with every method and judges the pictures. Each picture is a cell with a file of
its own in outputs/quality, so a run that was stopped, or whose hours are over, goes on where it
was. Pair comes after pair, and after each the report is written from whatever is there: results.md,
results.png and contact sheets, next to this file, or with --quick next to the cells.
"""

import argparse
import itertools
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
CELLS = Path("outputs") / "quality"
SIZE, FIRST, CURVES = 256, 8, 2  # px; pairs before the curves; pairs with curves
QUICK = dict(size=128, pairs=2, curves=1, share=0.1)


def main():
    options = parse()
    folder = CELLS / f"{options.size}px"
    out = folder if options.quick else HERE
    cores = max(1, cpu_count() // max(1, options.workers))
    plans = [] if options.report else plan(options)
    cells = [Cell(folder, options.size, options.share, cores, *planned) for planned in plans]
    left = Counter(map(part, cells))
    end = time.monotonic() + 3600 * options.hours
    in_time = itertools.takewhile(lambda cell: time.monotonic() < end, cells)
    for cell, error in run_all(run_cell, in_time, workers=options.workers):
        if error:
            raise error
        left[part(cell)] -= 1
        if not left[part(cell)]:
            write_report(folder, out)
    write_report(folder, out)


def part(cell):
    """The part of the plan after which there is a report: a pair, or a pair's curves."""
    return cell.number, cell.factor == 1


def parse():
    """The command line's options."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="2 small pairs, a tenth of all steps")
    parser.add_argument("--pairs", type=int, default=COUNT, help="how many pairs, up to 24")
    parser.add_argument("--hours", type=float, default=2.4, help="begin no picture after so long")
    usual = [name for name, method in METHODS.items() if not method.extra]
    parser.add_argument("--only", nargs="+", default=usual, help="methods' names")
    parser.add_argument("--workers", type=int, default=cpu_count(), help="pictures at a time")
    parser.add_argument("--report", action="store_true", help="only write the report")
    options = parser.parse_args()
    options.size, options.curves, options.share = SIZE, CURVES, 1.0
    if options.quick:
        options.size, options.curves = QUICK["size"], QUICK["curves"]
        options.pairs, options.share = min(options.pairs, QUICK["pairs"]), QUICK["share"]
    return options


def plan(options):
    """[(pair's number, method's name, factor)], so ordered that each part makes a report.

    First some pairs with the weights as published, then the curves of a few, then the other pairs.
    """
    published = [(name, 1) for name in options.only]
    curves = [(name, factor) for name in options.only for factor in METHODS[name].curve]
    first = min(FIRST, options.pairs)
    parts = [
        *((number, published) for number in range(first)),
        *((number, curves) for number in range(min(options.curves, first))),
        *((number, published) for number in range(first, options.pairs)),
    ]
    return [(number, *cell) for number, cells in parts for cell in cells]


if __name__ == "__main__":
    main()
