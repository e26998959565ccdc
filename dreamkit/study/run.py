"""Runs a study's cells, in one process or many, and keeps each result.  (Notebook 06.)"""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

import pandas as pd
from tqdm.auto import tqdm

from ..batch.jobs import run_all
from ..errors import DreamkitError, SettingsError
from ..inputs.files import check_folder, replacing
from ..networks.weights import find_weights, hash_file
from ..runs.versions import versions
from .cells import COLUMNS, FORMAT, Cell, run_cell
from .design import cells, design

BAR = "{desc} {percentage:3.0f}% |{bar}| {n_fmt}/{total_fmt} cells, {remaining} left{postfix}"


class StudyError(DreamkitError, RuntimeError):
    """Some cells of a study failed; `table` holds the others, `failed` is {cell: its error}."""

    def __init__(self, message, table=None, failed=None):
        super().__init__(message)
        self.table, self.failed = table, failed


def run_study(preset="quick", out="outputs/study", workers=1, scheduler=None, progress=True):
    """Run a study, or the rest of one; each cell's result is saved as soon as it is ready.

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
        SettingsError: there is no such preset, the study was started with other weights, or the
            workers or the scheduler cannot be used.
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
    _report_changed(folder, wanted)
    (folder / "cells").mkdir(parents=True, exist_ok=True)
    weights = _check_weights(folder, chosen)
    notes = {**asdict(chosen), "digest": chosen.digest, "format": FORMAT, "cells": len(wanted)}
    notes |= {"weights": weights, "versions": versions()}
    text = json.dumps(notes, indent=1) + "\n"
    with replacing(folder / "design.json") as part:
        part.write_text(text, encoding="utf-8")
    paths = {cell: _cell_file(folder, cell) for cell in wanted}
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


def _check_weights(folder, design):
    """{network: SHA-256 of its file}; a `SettingsError` if the study was started with others."""
    used = {}
    for name in dict.fromkeys((*design.style_networks, *design.dream_networks)):
        path = find_weights(name).path
        used[name] = path and hash_file("sha256", path)
    try:
        recorded = json.loads((folder / "design.json").read_text("utf-8"))["weights"]
    except (OSError, ValueError, KeyError, TypeError):
        return used
    for name, digest in used.items():
        if (first := recorded.get(name, digest)) != digest and None not in (first, digest):
            raise SettingsError(
                f"The study in {folder} was started with other weights of {name}: restore them, or"
                " choose another --out."
            )
    return used


def _report_changed(folder, wanted):
    """Say in one line how many saved tables are not as they were saved, and are made again."""
    files = [folder / "results.parquet", *(_cell_file(folder, cell) for cell in wanted)]
    tables = [wanted, *([cell] for cell in wanted)]
    changed = sum(
        file.exists() and _read(file, rows) is None
        for file, rows in zip(files, tables, strict=True)
    )
    if changed:
        print(f"{changed} saved tables in {folder} are damaged or were changed: made again.")


def _cell_file(folder, cell):
    return folder / "cells" / f"{cell.digest}.parquet"


def _read(path, wanted):
    """The table of exactly these cells; None if it is missing, damaged, changed or of others."""
    try:
        table = pd.read_parquet(path)
        right = list(table.columns) == list(COLUMNS)
        right = right and all(_fits(table[column], column, wanted) for column in COLUMNS)
        return table if right and table.attrs["sha256"] == content_digest(table) else None
    except Exception:  # damaged files fail anywhere, with any exception
        return None


def _fits(values, column, wanted):
    """Whether a column says what these cells say, or holds what can have been measured."""
    if column == "cell":
        return list(values) == [cell.digest for cell in wanted]
    if column in Cell.__dataclass_fields__:
        return list(values) == [getattr(cell, column) for cell in wanted]
    if column == "origin":
        return values.isin(["scene", "photo"]).all()
    return pd.api.types.is_any_real_numeric_dtype(values)


def _write(path, table):
    """Write a table completely or not at all, with a digest of its content."""
    table.attrs["sha256"] = content_digest(table)
    with replacing(path) as part:
        table.to_parquet(part, index=False)


def content_digest(table):
    """SHA-256 of a table's columns and values, in hexadecimal digits."""
    return hashlib.sha256(table.to_csv(index=False).encode()).hexdigest()
