"""Versions of everything that affects how a picture turns out.  (Notebook 00.)"""

import importlib.metadata
import platform

from .. import __version__

DECIDING = ("tensorflow", "keras", "numpy", "scipy", "pillow", "scikit-image")


def versions(packages=DECIDING):
    """{name: version} of dreamkit, Python and packages; None for a package that is missing."""
    found = {"dreamkit": __version__, "python": platform.python_version()}
    for name in packages:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = None
    return found
