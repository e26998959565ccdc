"""Versions of all that decides how a picture comes out.  (Notebook 00.)"""

import importlib.metadata
import platform

from .. import __version__

DECIDING = ("tensorflow", "keras", "numpy", "scipy", "pillow", "scikit-image")


def versions(packages=DECIDING):
    """{name: version} of dreamkit, Python and some packages; None for one that is not installed.

    >>> versions(("numpy",))["numpy"] is None
    False
    """
    found = {"dreamkit": __version__, "python": platform.python_version()}
    for name in packages:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = None
    return found
