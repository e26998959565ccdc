"""Runs a study's cells, on one process or many, and keeps each result.  (Notebook 06.)"""

import json
from dataclasses import asdict
from pathlib import Path

import pandas as pd
from tqdm.auto import tqdm

from ..batch.jobs import run_all
from ..errors import DreamkitError
from ..inputs.files import check_folder, replacing
from ..runs.versions import versions
from .cells import COLUMNS, FORMAT, run_cell
from .design import cells, design

BAR = "{desc} {percentage:3.0f}% |{bar}| {n_fmt}/{total_fmt} cells, {remaining} left{postfix}"


class StudyError(DreamkitError, RuntimeError):
    """Some cells of a study failed; `table` holds the others, `failed` is {cell: its error}."""

    def __init__(self, message, table=None, failed=None):
        super().__init__(message)
        self.table, self.failed = table, failed


def run_study(preset="quick", out="outputs/study", workers=1, scheduler=None, progress=True):
    """Run a study, or the rest of one; each cell's result is saved as soon as it is there.

    Args:
        preset: a preset's name or a `Design`.
        out: folder, in which each study has its own, `<name>-<digest of the design>`.
        workers: number of processes.
        scheduler: address of a Dask scheduler, `tcp://HOST:PORT`, to work on its cluster.
        progress: False hides the progress bar.

    Returns:
        The table, a pandas DataFrame with a row for each cell in the order of `cells`, also saved
        as `results.parquet`; data/study/README.md explains each column.

    Raises:
        StudyError: cells failed; the others are saved, and in the error's `table`.
        SettingsError: there is no such preset, or the workers or the scheduler cannot be used.
        ImageError: the folder cannot be written to.
        KeyboardInterrupt: stopped with Ctrl-C; the same call continues from there.

    Source: Al-Khazraji, Abbas and Jamil 2022. Introduced in notebook 06.
    """
    chosen = design(preset, quiet=not progress) if isinstance(preset, str) else preset
    wanted, folder = cells(chosen), study_folder(chosen, out)
    table = _read(folder / "results.parquet", wanted)
    if table is not None:
        return table
    check_folder(folder)
    (folder / "cells").mkdir(parents=True, exist_ok=True)
    notes = {**asdict(chosen), "digest": chosen.digest, "format": FORMAT, "cells": len(wanted)}
    text = json.dumps({**notes, "versions": versions()}, indent=1) + "\n"
    (folder / "design.json").write_text(text, encoding="utf-8")
    paths = {cell: folder / "cells" / f"{cell.digest}.parquet" for cell in wanted}
    failed = _run_missing(paths, folder, workers, scheduler, progress, chosen.name)
    rows = [row for cell, path in paths.items() if (row := _read(path, [cell])) is not None]
    table = pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=COLUMNS)
    _write(folder / "results.parquet", table)
    if failed:
        causes = "; ".join(f"{cell}: {error}" for cell, error in failed.items())
        raise StudyError(f"{len(failed)} of {len(wanted)} cells failed: {causes}", table, failed)
    return table


def study_folder(design, out="outputs/study"):
    """The folder of a design's study."""
    return Path(out).expanduser() / f"{design.name}-{design.digest}"


def _run_missing(paths, folder, workers, scheduler, progress, name):
    """Run the cells without a saved result; returns {cell: error} for those that failed."""
    missing = [cell for cell, path in paths.items() if _read(path, [cell]) is None]
    done, failed = len(paths) - len(missing), {}
    look = dict(desc=f"study {name}", bar_format=BAR, smoothing=0, disable=not progress)
    with tqdm(total=len(paths), initial=done, **look) as bar:
        try:
            for cell, result in run_all(run_cell, missing, workers=workers, scheduler=scheduler):
                if isinstance(result, Exception):
                    failed[cell] = result
                else:
                    _write(paths[cell], pd.DataFrame([result]))
                    done += 1
                bar.update()
        except KeyboardInterrupt:
            saved = f"{done} of {len(paths)} cells are saved in {folder}"
            raise KeyboardInterrupt(f"stopped: {saved}; run it again to continue") from None
    return failed


def _read(path, wanted):
    """The table of exactly these cells; None if it is missing, damaged or of other cells."""
    try:
        table = pd.read_parquet(path)
    except (OSError, ValueError):  # among them pyarrow's errors
        return None
    right = list(table.columns) == list(COLUMNS)
    return table if right and list(table["cell"]) == [cell.digest for cell in wanted] else None


def _write(path, table):
    """Write a table completely or not at all."""
    with replacing(path) as part:
        table.to_parquet(part, index=False)
