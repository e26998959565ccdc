"""The file from which an interrupted run resumes.  (Notebook 00.)"""

import json
import time
from pathlib import Path

import numpy as np

from ..errors import SettingsError
from ..inputs.files import check_folder, replacing


class Checkpoint:
    """The file from which an interrupted run resumes.

    It holds the settings, the input pictures, and the state of the loop for each phase of the run.
    A recipe skips the phases that are complete and continues in the middle of an unfinished one.

    Args:
        path: an `.npz` file, read if it exists; None keeps everything in memory.
        every: seconds between writes.
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
        except Exception as error:  # damaged files fail anywhere, with any exception
            raise SettingsError(
                f"{self.path} is not a dreamkit checkpoint: give a file that a run wrote."
            ) from error

    def state(self, phase):
        """The last saved state of a phase, or None."""
        note = self.notes["phases"].get(phase)
        if note is None:
            return None
        prefix = f"{phase}:"
        arrays = {k[len(prefix) :]: v for k, v in self.arrays.items() if k.startswith(prefix)}
        return {**note, **arrays}

    def due(self):
        """True if it is time to write again."""
        return self.path is not None and time.monotonic() - self.written >= self.every

    def keep(self, phase, state):
        """Save the state of a phase: {name: array or JSON value}."""
        arrays = {k: v for k, v in state.items() if isinstance(v, np.ndarray)}
        self.arrays.update({f"{phase}:{name}": array for name, array in arrays.items()})
        self.notes["phases"][phase] = {k: v for k, v in state.items() if k not in arrays}
        if self.path is None:
            return
        with replacing(self.path) as part, open(part, "wb") as file:
            np.savez(file, notes=json.dumps(self.notes), **self.arrays)
        self.written = time.monotonic()
