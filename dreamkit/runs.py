"""Run: a picture, how it came about, and all it takes to make it again.  (Notebook 00.)"""

import io
import json
import os
import time
import uuid
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .errors import ImageError, SettingsError
from .images import check_free, save_image

if TYPE_CHECKING:
    import pandas as pd

METADATA_KEY = "dreamkit"
DAMAGED = (
    AttributeError,
    EOFError,
    TypeError,
    zipfile.BadZipFile,
)  # what NumPy raises at a file that is no .npz


@dataclass
class Run:
    """What a recipe or a loop gives back.

    Attributes:
        image: the picture, (H, W, 3) float32 in [0, 1].
        history: a pandas DataFrame with a row for the start (step 0) and one after every step:
            `step`, `phase`, `total`, a column for each term before its weight, and `seconds`
            since the start.
        settings: all it takes to make the picture again.
        stopped: None, or why the run ended early: `"interrupted"` or `"callback"`.

    Introduced in notebook 00.
    """

    image: np.ndarray
    history: "pd.DataFrame"
    settings: dict = field(default_factory=dict)
    stopped: str | None = None

    def __array__(self, dtype=None, copy=None):
        return np.array(self.image, dtype=dtype)

    def __repr__(self):
        height, width = self.image.shape[:2]
        recipe = self.settings.get("recipe", "run")
        return f"<Run {recipe}: {width}×{height} px, {len(self.history)} rows of history>"

    def _repr_jpeg_(self):
        """Let Jupyter show the picture, in a form that keeps notebooks small."""
        from PIL import Image

        buffer = io.BytesIO()
        Image.fromarray(np.round(self.image * 255).astype("uint8")).save(
            buffer, "jpeg", quality=90, subsampling=0
        )
        return buffer.getvalue()

    def save(self, path, overwrite=False):
        """Write the picture, its settings (`.json`) and its history (`.csv`) side by side.

        Args:
            path: where the picture goes; a `.png` also carries the settings inside.
            overwrite: True to replace files that are there.

        Returns:
            The picture's path.

        Raises:
            ImageError: a file is there already, or the ending is of no picture format we write.
        """
        path = Path(path).expanduser()
        settings, history = path.with_suffix(".json"), path.with_suffix(".csv")
        for file in (path, settings, history):
            check_free(file, overwrite)
        text = json.dumps(self.settings, indent=1, ensure_ascii=False)
        metadata = {METADATA_KEY: text} if path.suffix.lower() == ".png" else None
        settings.unlink(missing_ok=True)  # they come last: where they are, all is there
        save_image(path, self.image, overwrite=overwrite, metadata=metadata)
        write_whole(history, self.history.to_csv(index=False, lineterminator="\n"))
        write_whole(settings, text + "\n")
        return path


def write_whole(path, text):
    """Write a text file that is there whole or not at all, even if the process is killed."""
    part = path.with_name(f".{uuid.uuid4().hex}{path.suffix}")
    try:
        part.write_text(text, encoding="utf-8")
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def join(runs):
    """One Run out of several that followed each other: the last picture, all the history."""
    import pandas as pd

    tables, elapsed = [], 0.0
    for run in runs:
        tables.append(run.history.assign(seconds=run.history["seconds"] + elapsed))
        elapsed = tables[-1]["seconds"].iloc[-1]
    return Run(runs[-1].image, pd.concat(tables, ignore_index=True), {}, runs[-1].stopped)


def check_folder(folder):
    """Raise an `ImageError` unless files can be written to `folder`, which need not exist yet.

    Asked before the work, so that an hour is not lost at its end.
    """
    folder = Path(folder).expanduser()
    nearest = next(path for path in (folder, *folder.parents) if os.path.exists(path))
    if not (nearest.is_dir() and os.access(nearest, os.W_OK)):
        raise ImageError(f"Nothing can be written to '{folder}': choose another place.")


class Checkpoint:
    """A file from which a run that was cut off goes on.

    It holds the settings, the pictures the run started from, and for each phase of the run the
    state of the loop. A recipe that finds a phase finished in it skips that phase, and goes on in
    the middle of an unfinished one.

    Args:
        path: an `.npz` file, read if it is there; None keeps everything in memory.
        every: seconds between two writings.
    """

    def __init__(self, path=None, every=30.0):
        self.path, self.every = path and Path(path), every
        self.written = time.monotonic()
        self.notes, self.arrays = {"phases": {}}, {}
        if self.path:
            check_folder(self.path.parent)
        if self.path and self.path.exists():
            self._read()

    def _read(self):
        try:
            with np.load(self.path, allow_pickle=False) as file:
                self.arrays = {name: file[name] for name in file.files if name != "notes"}
                self.notes = json.loads(str(file["notes"]))
        except (*DAMAGED, OSError, ValueError, KeyError) as error:
            raise SettingsError(
                f"{self.path} is not a checkpoint of dreamkit: name one that a run wrote."
            ) from error

    def state(self, phase):
        """The state of a phase as it was last kept, or None."""
        note = self.notes["phases"].get(phase)
        if note is None:
            return None
        prefix = f"{phase}:"
        arrays = {k[len(prefix) :]: v for k, v in self.arrays.items() if k.startswith(prefix)}
        return {**note, **arrays}

    def due(self):
        """True if the last writing is long enough ago."""
        return self.path is not None and time.monotonic() - self.written >= self.every

    def keep(self, phase, state):
        """Write the state of a phase: arrays and plain values by name."""
        arrays = {k: v for k, v in state.items() if isinstance(v, np.ndarray)}
        self.arrays.update({f"{phase}:{name}": array for name, array in arrays.items()})
        self.notes["phases"][phase] = {k: v for k, v in state.items() if k not in arrays}
        if self.path is None:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        partial = self.path.with_name(self.path.name + ".partial")
        with open(partial, "wb") as file:
            np.savez(file, notes=json.dumps(self.notes), **self.arrays)
        os.replace(partial, self.path)
        self.written = time.monotonic()
