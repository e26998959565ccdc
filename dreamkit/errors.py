"""dreamkit's errors: each message says in one sentence how to fix it.  (Notebook 00.)"""

from numbers import Integral, Real


class DreamkitError(Exception):
    """Base class of every error dreamkit raises on purpose: catch this one to catch them all."""


class ImageError(DreamkitError, ValueError):
    """A picture that cannot be found, read, used or written."""


class WeightsError(DreamkitError, RuntimeError):
    """Network weights that are missing or damaged."""


class LayerError(DreamkitError, ValueError):
    """A layer that the network does not have."""


class SettingsError(DreamkitError, ValueError):
    """An argument outside its range."""


class DivergedError(DreamkitError, ArithmeticError):
    """A total that is no longer finite; `run` holds the best picture so far, or None."""

    def __init__(self, message, run=None):
        super().__init__(message)
        self.run = run


def check_choice(what, value, choices):
    """Raise a `SettingsError` unless `value` is one of `choices`."""
    if value not in choices:
        *rest, last = map(repr, choices)
        raise SettingsError(f"{what} cannot be {value!r}: choose {', '.join(rest)} or {last}.")


def check_range(what, value, low, high=None):
    """Raise a `SettingsError` unless low ≤ value ≤ high; an int `low` requires an int `value`."""
    required, noun = (Integral, "an integer") if isinstance(low, int) else (Real, "a number")
    valid = isinstance(value, required) and not isinstance(value, bool)
    if not valid or not value >= low or (high is not None and value > high):
        limit = f"of at least {low}" if high is None else f"from {low} to {high}"
        raise SettingsError(f"{what} cannot be {value!r}: give {noun} {limit}.")
