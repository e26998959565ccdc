"""The file from which an interrupted run resumes.  (Notebook 00.)"""

import contextlib
import json
import time
from pathlib import Path

import numpy as np

from ..errors import SettingsError
from ..inputs.files import check_folder, replacing
from .identity import digest
from .reading import read_checkpoint

OTHER_RUN = "{path} belongs to a run with other settings: choose another name, or resume() it."

DAMAGED = "{path} is not a dreamkit checkpoint: give a file that a run wrote."


class Checkpoint:
    """The file from which an interrupted run resumes.

    It holds the settings, the input pictures, and the state of the loop for each phase of the run.
    A recipe skips the phases that are complete and continues in the middle of an unfinished one. A
    phase that was made from other pictures or in another way is never returned.

    Args:
        path: an `.npz` file, read if it exists; None keeps everything in memory.
        every: seconds between writes.
    """

    def __init__(self, path=None, every=30.0):
        self.path, self.every = path and Path(path).expanduser(), every
        self.written, self.failed = time.monotonic(), False
        self.identity, self.resumed = None, False  # resumed: with its own settings and pictures
        self.notes, self.arrays = {"phases": {}}, {}
        if self.path:
            check_folder(self.path.parent)
        if self.path and self.path.exists():
            self._read()

    def _read(self):
        try:
            self.notes, self.arrays = read_checkpoint(self.path)
        except Exception as error:  # damaged files fail anywhere, with any exception
            raise SettingsError(DAMAGED.format(path=self.path)) from error

    @contextlib.contextmanager
    def within(self, identity):
        """Within the block, phases belong to the recipe with this identity."""
        outer, self.identity = self.identity, identity
        try:
            yield
        finally:
            self.identity = outer

    def mark(self, start, options):
        """What a phase's state belongs to: a recipe, or else what the phase starts from."""
        return digest([self.identity or start, options])

    def state(self, phase, mark=None):
        """The last saved state of a phase, or None.

        A state with another mark does not count; a file that holds one is refused, because the run
        would replace it.
        """
        note = self.notes["phases"].get(phase)
        if note is None:
            return None
        if note.get("mark", mark) != mark and mark is not None:
            if self.path:
                raise SettingsError(OTHER_RUN.format(path=self.path))
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
        self.written = time.monotonic()  # even if it fails, or the next step would try again
        with replacing(self.path) as part, open(part, "wb") as file:
            np.savez(file, notes=json.dumps(self.notes), **self.arrays)
        self.written = time.monotonic()
