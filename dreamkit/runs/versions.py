"""Versions of everything that affects how a picture turns out.  (Notebook 00.)"""

import contextlib
import functools
import importlib
import importlib.metadata
import platform

from .. import __version__

DECIDING = ("tensorflow", "keras", "numpy", "scipy", "pillow", "scikit-image")
MODULES = {"pillow": "PIL", "scikit-image": "skimage"}  # where it is not the package's own name


def versions(packages=DECIDING):
    """{name: version} of dreamkit, Python and packages; None for a package that is missing.

    A package may be installed under another name, as tensorflow-cpu or keras-nightly, or without
    any record of its version, as some vendors' builds are: what counts is the module it provides.
    """
    found = {"dreamkit": __version__, "python": platform.python_version()}
    return found | {name: version(name) for name in packages}


def version(name):
    """The version of a package, or None if it is missing.

    >>> version("pillow") == importlib.metadata.version("pillow")
    True
    """
    module = MODULES.get(name, name)
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        return importlib.metadata.version(name)
    if distributions := _providers().get(module):
        return importlib.metadata.version(distributions[0])
    with contextlib.suppress(ImportError):  # no record at all: only the module itself knows
        return getattr(importlib.import_module(module), "__version__", None)


@functools.cache
def _providers():
    """{module: names of the installed distributions that provide it}; it takes half a second."""
    return importlib.metadata.packages_distributions()
