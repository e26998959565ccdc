"""Taking turns: at most so many runs at once, whichever process they are in.

Each run that wants to walk draws a ticket: a file with its number that stays locked as long as the
process lives. The first few tickets walk and the others wait. A process that dies releases its
lock, so its ticket no longer counts.
"""

import contextlib
import os
import time
import uuid
from pathlib import Path

from filelock import FileLock, Timeout


class Turn:
    """One run's turn among those that share a folder.

    Args:
        folder: where the tickets are; None if nobody has to wait.
        places: how many runs may walk at once.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     first, second = Turn(folder), Turn(folder)
    ...     first.enter(), second.enter()
    ...     print(first.place(), second.place())
    ...     first.leave()
    ...     print(second.place())
    ...     second.leave()
    (None, None)
    0 1
    0
    """

    def __init__(self, folder=None, places=1):
        self.folder, self.places = folder and Path(folder), places
        self.ticket = None

    def enter(self):
        """Draw a ticket, behind all others."""
        if self.folder is None or self.ticket:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._alone():  # or another process might take it for a dead one's
            name = f"{time.time_ns():020d}-{uuid.uuid4().hex}.ticket"
            ticket = FileLock(self.folder / name, thread_local=False)
            ticket.acquire(timeout=0)
            self.ticket = ticket

    def place(self):
        """How many must finish before this one may walk: 0 means that it may."""
        if not self.ticket:
            return 0
        with self._alone():
            before = [path for path in self._tickets() if path < Path(self.ticket.lock_file)]
            waiting = sum(map(_alive, before))
        return max(0, waiting - self.places + 1)

    def leave(self):
        """Give the ticket back."""
        if self.ticket:
            self.ticket.release(force=True)
            with contextlib.suppress(OSError):
                os.unlink(self.ticket.lock_file)
            self.ticket = None

    def _tickets(self):
        return sorted(self.folder.glob("*.ticket"))

    def _alone(self):
        return FileLock(self.folder / "door", thread_local=False)


def _alive(path):
    """True if some process holds a ticket; a ticket that nobody holds is thrown away."""
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    except OSError:  # it was given back just now
        return False
    lock.release()
    with contextlib.suppress(OSError):
        path.unlink()
    return False
