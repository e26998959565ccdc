"""A file from which a run that was cut off goes on.  (Notebook 00.)"""

import json
import time
import zipfile
from pathlib import Path

import numpy as np

from ..errors import SettingsError
from ..files import check_folder, replacing

DAMAGED = (
    AttributeError,
    EOFError,
    TypeError,
    zipfile.BadZipFile,
)  # what NumPy raises at a file that is no .npz


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
        with replacing(self.path) as part, open(part, "wb") as file:
            np.savez(file, notes=json.dumps(self.notes), **self.arrays)
        self.written = time.monotonic()
