"""checked(): a function's arguments follow the rules before it is called.  (Notebook 00.)"""

import functools
import inspect

import numpy as np

from ..errors import SettingsError
from .rules import RULES, by_default

# Settings that only some values of another setting use: {(setting, other): values that use it}.
USED_WITH = {
    ("learning_rate", "optimizer"): ("adam", "gradient", "spectral"),
    ("smooth", "optimizer"): ("gradient",),
    ("balance", "order"): ("joint",),
    ("octave_steps", "order"): ("style-dream", "dream-style"),
    ("learning_rate", "order"): ("style-dream", "dream-style"),
}


def checked(function=None, **own):
    """Decorate a function or a class so that its arguments are checked before it is called.

    Args:
        function: the function or class.
        own: {argument: rule} for arguments whose rule here is not the one in `RULES`.

    >>> double = checked(lambda steps: 2 * steps)
    >>> double(np.int64(3))
    6
    >>> double("3")
    Traceback (most recent call last):
    dreamkit.errors.SettingsError: steps cannot be '3': give an integer from 0 to 1,000,000.
    """
    if function is None:
        return functools.partial(checked, **own)
    if isinstance(function, type):
        function.__init__ = checked(function.__init__, **own)
        return function
    signature = inspect.signature(function)

    @functools.wraps(function)
    def call_checked(*args, **kwargs):
        try:
            call = signature.bind(*args, **kwargs)
        except TypeError:  # an argument that is missing or unknown: Python says so itself
            return function(*args, **kwargs)
        check_arguments(signature, call.arguments, own)
        return function(*call.args, **call.kwargs)

    return call_checked


def check_arguments(signature, arguments, own=None):
    """Check a call's {name: value} in place: NumPy's numbers become Python's.

    None is valid wherever it is the default.

    Raises:
        DreamkitError: an invalid argument, or one that has no effect with the others; names it, and
            says what to give.
    """
    for name, value in arguments.items():
        parameter = signature.parameters[name]
        if name == "self" or parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        value = plain(value)
        if value is not None or parameter.default is not None:
            rule = (own or {}).get(name) or RULES.get(name) or by_default(parameter.default)
            value = rule(name, value)
        arguments[name] = value
    for name, other in without_effect(signature, arguments):
        raise SettingsError(
            f"{name} has no effect with {other}={arguments[other]!r}: leave it out."
        )


def without_effect(signature, arguments):
    """[(argument, other)] of those that aren't their defaults, but unused because of the other."""
    return [
        (name, other)
        for (name, other), users in USED_WITH.items()
        if {name, other} <= arguments.keys()
        and isinstance(arguments[other], str)
        and arguments[other] not in users
        and arguments[name] != signature.parameters[name].default
    ]


def plain(value, depth=3):
    """A value in which NumPy's numbers and text are Python's, also in lists and dictionaries.

    >>> plain({"fire2": np.float64(0.5), "fire3": [np.int64(1), True]})
    {'fire2': 0.5, 'fire3': [1, True]}
    """
    if isinstance(value, np.bool_ | np.integer | np.floating | np.str_):
        kinds = {np.bool_: bool, np.integer: int, np.floating: float, np.str_: str}
        return next(kind(value) for numpy, kind in kinds.items() if isinstance(value, numpy))
    if depth and type(value) in (list, tuple):
        return type(value)(plain(item, depth - 1) for item in value)
    if depth and type(value) is dict:
        return {plain(key, 0): plain(item, depth - 1) for key, item in value.items()}
    return value
