"""The errors dreamkit raises: each message is one sentence with the mend in it.  (Notebook 00.)"""


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
