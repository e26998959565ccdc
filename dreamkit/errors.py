"""The errors dreamkit raises: each message is one sentence with the mend in it.  (Notebook 00.)"""

from numbers import Integral, Real


class DreamkitError(Exception):
    """Any error that dreamkit raises on purpose; catch this one to catch them all."""


class ImageError(DreamkitError, ValueError):
    """A picture that cannot be found, read, used or written."""


class WeightsError(DreamkitError, RuntimeError):
    """Network weights that cannot be found, or are not whole."""


class LayerError(DreamkitError, ValueError):
    """A layer the network does not have."""


class SettingsError(DreamkitError, ValueError):
    """An argument outside its range."""


class DivergedError(DreamkitError, ArithmeticError):
    """A total that is no longer finite; `run` keeps the best picture up to then, or None."""

    def __init__(self, message, run=None):
        super().__init__(message)
        self.run = run


def check_choice(what, value, choices):
    """Raise a `SettingsError` unless `value` is one of `choices`."""
    if value not in choices:
        *rest, last = map(repr, choices)
        raise SettingsError(f"{what} cannot be {value!r}: choose {', '.join(rest)} or {last}.")


def check_range(what, value, low, high=None):
    """Raise a `SettingsError` unless low ≤ value ≤ high; a whole `low` asks for whole numbers."""
    kind, whole = (Integral, "a whole number, ") if isinstance(low, int) else (Real, "")
    number = isinstance(value, kind) and not isinstance(value, bool)
    if not number or not value >= low or (high is not None and value > high):
        limit = f"at least {low}" if high is None else f"from {low} to {high}"
        raise SettingsError(f"{what} cannot be {value!r}: give {whole}{limit}.")
