"""A path and a flag, checked before they are used."""

import os

import numpy as np

from ..errors import SettingsError, shown

LONGEST_PATH = 4096  # bytes, on Linux; less elsewhere


def check_path(name, value):
    """The value; a `SettingsError` unless it can be a file's path."""
    known = os.fspath(value) if isinstance(value, str | os.PathLike) else None
    if not isinstance(known, str) or not 0 < len(known) <= LONGEST_PATH or "\0" in known:
        raise SettingsError(f"{name} cannot be {shown(value)}: give the path of a file.")
    if known.startswith("~") and os.path.expanduser(known) == known:
        raise SettingsError(f"{name} cannot be {shown(value)}: there is no such user here.")
    return value


def check_flag(name, value):
    """The value as a bool; a `SettingsError` unless it is True or False."""
    if not isinstance(value, bool | int | np.bool_) or value not in (True, False):
        raise SettingsError(f"{name} cannot be {shown(value)}: give True or False.")
    return bool(value)
