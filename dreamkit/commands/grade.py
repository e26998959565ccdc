"""python -m dreamkit grade: run and check all submitted notebooks.  (The page for teachers.)"""

import sys
from pathlib import Path
from typing import Annotated

import typer

Seconds = Annotated[float, typer.Option("--time", min=1, help="Seconds a notebook may take.")]
CellSeconds = Annotated[float, typer.Option("--cell-time", min=1, help="Seconds a cell may take.")]
Memory = Annotated[float, typer.Option(min=0, help="GiB a process may use; 0 for no limit.")]
Results = Annotated[Path, typer.Option(help="The folder for grades.csv and summary.md.")]


def grade(
    folder: Annotated[
        Path, typer.Argument(help="Holds STUDENT/NOTEBOOK.ipynb or STUDENT_NOTEBOOK.ipynb.")
    ],
    out: Results = Path("outputs/grades"),
    time: Seconds = 600,
    cell_time: CellSeconds = 60,
    memory: Memory = 8,
    profile: Annotated[str, typer.Option(help="Networks and sizes to run with.")] = "ci",
    workers: Annotated[
        int, typer.Option(min=1, max=64, help="Notebooks to run at the same time.")
    ] = 1,
):
    """Run all submitted notebooks in FOLDER, and check their answers.

    Each notebook runs in a process of its own, with limits on time and memory. On Linux it has no
    network and can't see the other submissions. It can still read your other files, so grade on a
    machine that holds nothing else: submissions are programs that strangers wrote.
    """
    from ..errors import check_choice, check_range
    from ..grading.grade import Limits, grade_folder
    from ..grading.report import write_reports
    from ..profiles import PROFILES

    check_choice("--profile", profile, sorted(PROFILES))
    for name, value in (("--time", time), ("--cell-time", cell_time), ("--memory", memory)):
        check_range(name, value, 0.0, 1e6)  # typer lets nan and inf through
    limits = Limits(time, cell_time, int(memory * 2**30), profile)
    results = grade_folder(folder, out, limits, workers, announce=_announce)
    for path in write_reports(results, out):
        print(path)
    if unfinished := [result for result in results if result.note]:
        names = ", ".join(f"{result.student} {result.notebook}" for result in unfinished)
        print(f"dreamkit: not run to the end: {names}", file=sys.stderr)
        raise typer.Exit(1)


def _announce(line):
    print(line, file=sys.stderr, flush=True)
