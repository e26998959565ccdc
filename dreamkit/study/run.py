"""The clear-or-distorted study: its design, its cells, and how they are run.  (Notebook 05.)"""

import json
import os
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from ..errors import DreamkitError
from ..files import check_folder, replacing
from .cells import COLUMNS, FORMAT, run_cell
from .design import cells, design


class StudyError(DreamkitError, RuntimeError):
    """Cells of a study that failed; `table` holds all others, `failed` is {cell: its error}."""

    def __init__(self, message, table=None, failed=None):
        super().__init__(message)
        self.table, self.failed = table, failed


def run_study(preset="quick", out="outputs/study", workers=1, scheduler=None, progress=True):
    """Run a study, or what is left of it; each cell is kept as soon as it is done.

    Args:
        preset: a preset's name or a `Design`.
        out: folder; the study has one of its own inside, `<name>-<digest of the design>`.
        workers: how many processes to work in.
        scheduler: address of a Dask scheduler, `tcp://HOST:PORT`, to work on its cluster.
        progress: False hides the progress bar.

    Returns:
        The table, a pandas DataFrame with a row for each cell in the order of `cells`, which is
        also in `results.parquet`; data/study/README.md tells of each column.

    Raises:
        StudyError: cells failed; all others are kept and in the error's `table`.
        SettingsError: no preset is called that, or the workers cannot be had.
        ImageError: the folder cannot be made.
        KeyboardInterrupt: stopped with Ctrl-C; the same call goes on from there.

    Source: Al-Khazraji, Abbas and Jamil 2022. Introduced in notebook 05.
    """
    chosen = design(preset, quiet=not progress) if isinstance(preset, str) else preset
    wanted, folder = cells(chosen), study_folder(chosen, out)
    names = [cell.digest for cell in wanted]
    table = _read(folder / "results.parquet")
    if table is not None and list(table["cell"]) == names:
        return table
    _prepare(folder, chosen, len(wanted))
    failed = _run_missing(wanted, folder, workers, scheduler, progress, chosen.name)
    table = _gather(wanted, folder)
    _write(folder / "results.parquet", table)
    if failed:
        told = "; ".join(f"{cell}: {error}" for cell, error in failed.items())
        raise StudyError(f"{len(failed)} of {len(wanted)} cells failed: {told}", table, failed)
    return table


def study_folder(design, out="outputs/study"):
    """Where the study of a design is kept."""
    return Path(out).expanduser() / f"{design.name}-{design.digest}"


def _prepare(folder, design, count):
    """Make the folder, with the design in it."""
    check_folder(folder)
    (folder / "cells").mkdir(parents=True, exist_ok=True)
    packages = ("tensorflow", "keras", "numpy", "scipy", "pillow", "scikit-image")
    notes = {**asdict(design), "digest": design.digest, "format": FORMAT, "cells": count}
    notes["versions"] = {package: version(package) for package in packages}
    (folder / "design.json").write_text(json.dumps(notes, indent=1) + "\n", encoding="utf-8")


def _run_missing(wanted, folder, workers, scheduler, progress, name):
    """Run the cells that are not kept yet; returns {cell: error} of those that failed."""
    import pandas as pd
    from tqdm.auto import tqdm

    from ..batch.jobs import run_all

    missing = [cell for cell in wanted if _kept(cell, folder) is None]
    done, failed = len(wanted) - len(missing), {}
    look = "{desc} {percentage:3.0f}% |{bar}| {n_fmt}/{total_fmt} cells, {remaining} left{postfix}"
    with tqdm(
        total=len(wanted),
        initial=done,
        desc=f"study {name}",
        bar_format=look,
        smoothing=0,
        disable=not progress,
    ) as bar:
        try:
            for cell, result in run_all(run_cell, missing, workers=workers, scheduler=scheduler):
                if isinstance(result, Exception):
                    failed[cell] = result
                else:
                    _write(folder / "cells" / f"{cell.digest}.parquet", pd.DataFrame([result]))
                    done += 1
                bar.update()
        except KeyboardInterrupt:
            told = f"{done} of {len(wanted)} cells are kept in {folder}"
            raise KeyboardInterrupt(f"stopped: {told}; the same call goes on from there") from None
    return failed


def _kept(cell, folder):
    """The row of a cell as a table, None if it is not there or damaged."""
    table = _read(folder / "cells" / f"{cell.digest}.parquet")
    return table if table is not None and list(table["cell"]) == [cell.digest] else None


def _gather(wanted, folder):
    """One table of all cells that are kept, in their order."""
    import pandas as pd

    rows = [row for cell in wanted if (row := _kept(cell, folder)) is not None]
    return pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=COLUMNS)


def _read(path):
    """A table of cells, None if it is not there, damaged, or something else."""
    import pandas as pd

    try:
        table = pd.read_parquet(path)
    except (OSError, ValueError):  # pyarrow's errors are among them
        return None
    return table if list(table.columns) == list(COLUMNS) else None


def _write(path, table):
    """Write a table so that it is there whole or not at all."""
    with replacing(path) as part:
        table.to_parquet(part, index=False)


def cores():
    """How many cores this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not Linux
        return os.cpu_count() or 1
