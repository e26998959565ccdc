"""dreamkit's errors: each message says in one sentence how to fix it.  (Notebook 00.)"""

import math
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
    """The total is not finite any more; `run` holds the best picture so far, or None."""

    def __init__(self, message, run=None):
        super().__init__(message)
        self.run = run


def shown(value):
    """A value as part of a sentence: on one line, and not too long, with both its ends."""
    try:
        text = " ".join(repr(value).split())
    except Exception:  # such as an integer of thousands of digits
        text = f"this {type(value).__name__}"
    return text if len(text) <= 120 else f"{text[:59]}…{text[-60:]}"


def check_choice(what, value, choices):
    """Return `value`, or raise a `SettingsError` unless it is one of `choices`."""
    comparable = value is None or (isinstance(value, str | Real) and not isinstance(value, bool))
    if not comparable or value not in tuple(choices):
        *rest, last = map(repr, choices)
        raise SettingsError(f"{what} cannot be {shown(value)}: choose {', '.join(rest)} or {last}.")
    return value


def check_range(what, value, low, high=None):
    """Return `value` as a Python number, or raise a `SettingsError` unless low ≤ value ≤ high.

    An int `low` requires an integer.
    """
    required, noun = (Integral, "an integer") if isinstance(low, int) else (Real, "a number")
    valid = isinstance(value, required) and not isinstance(value, bool) and value != math.inf
    if not valid or not value >= low or (high is not None and value > high):
        limit = f"of at least {low}" if high is None else f"from {low} to {high:,}"
        raise SettingsError(f"{what} cannot be {shown(value)}: give {noun} {limit}.")
    return int(value) if required is Integral else value if isinstance(value, int) else float(value)
