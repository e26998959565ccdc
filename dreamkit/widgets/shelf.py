"""The shelf: every picture made so far, and which of them is being looked at."""

from typing import Any, NamedTuple


class Result(NamedTuple):
    """A picture that was made.

    Attributes:
        run: its `Run`.
        call: the `Call` that made it.
        before: the picture it started from, (H, W, 3).
        choices: {control: value} of the page when it was made.
    """

    run: Any
    call: Any
    before: Any
    choices: dict


class Shelf:
    """Results in the order in which they were made; none is dropped except to make room.

    Args:
        room: how many are kept.

    >>> shelf = Shelf()
    >>> for name in "abc":
    ...     shelf.add(name)
    >>> shelf.undo(), shelf.undo(), shelf.undo()
    ('b', 'a', 'a')
    """

    def __init__(self, room=12):
        self.results, self.room, self.place = [], room, None

    @property
    def current(self):
        """The result that is looked at, or None."""
        return None if self.place is None else self.results[self.place]

    def add(self, result):
        """Put a result at the end, and look at it."""
        self.results = [*self.results, result][-self.room :]
        self.place = len(self.results) - 1

    def look_at(self, place):
        """Look at the result at `place`, from 0."""
        self.place = place
        return self.current

    def can_undo(self):
        """True if there is a picture before the one that is looked at."""
        return bool(self.place)

    def undo(self):
        """Look at the picture before, and return it."""
        if self.can_undo():
            self.place -= 1
        return self.current
