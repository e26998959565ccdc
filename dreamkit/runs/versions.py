"""Versions of everything that affects how a picture turns out.  (Notebook 00.)"""

import contextlib
import functools
import hashlib
import importlib
import importlib.metadata
import platform
import sys
from pathlib import Path

from .. import __version__

DECIDING = ("tensorflow", "keras", "numpy", "scipy", "pillow", "scikit-image")
MODULES = {"pillow": "PIL", "scikit-image": "skimage"}  # where it is not the package's own name


def versions(packages=DECIDING, load=False):
    """{name: version} of dreamkit, Python and packages; None for a package that is missing.

    What counts is the module that Python loads. A package may be installed under another name, as
    tensorflow-cpu; under two, as keras and keras-nightly, of which one has replaced the other's
    files; or without any record of its version, as some vendors' builds are.

    Args:
        packages: names.
        load: True to load what isn't loaded yet (TensorFlow takes seconds) instead of trusting the
            records of what is installed.
    """
    found = {"dreamkit": __version__, "python": platform.python_version()}
    return found | {name: version(name, load and name in DECIDING) for name in packages}


def exact_versions(load=False):
    """`versions`, in which dreamkit's also tells two states of its source code apart."""
    return versions(load=load) | {"dreamkit": f"{__version__}+{source_digest()}"}


@functools.cache
def source_digest():
    """12 hexadecimal digits that change with any line of the package."""
    found, package = hashlib.sha256(), Path(__file__).parents[1]
    for path in sorted(package.rglob("*.py")):
        found.update(path.relative_to(package).as_posix().encode() + b"\0")
        found.update(path.read_bytes().replace(b"\r\n", b"\n") + b"\0")
    return found.hexdigest()[:12]


def version(name, load=False):
    """The version of a package, or None if it is missing.

    >>> import PIL
    >>> version("pillow") == PIL.__version__
    True
    """
    module = MODULES.get(name, name)
    loaded = _loaded(module) if load else sys.modules.get(module)
    if found := getattr(loaded, "__version__", None):
        return found
    distributions = dict.fromkeys(_providers().get(module, [name]))
    records = {_recorded(distribution) for distribution in distributions} - {None}
    if len(records) == 1:
        return records.pop()
    return getattr(_loaded(module), "__version__", None)  # it alone knows


def _loaded(module):
    """A module, or None if it is missing or cannot start."""
    if module in ("tensorflow", "keras"):
        with contextlib.suppress(Exception):
            importlib.import_module("dreamkit.startup")  # loads both without their chatter
    with contextlib.suppress(Exception):
        return importlib.import_module(module)


def _recorded(distribution):
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        return importlib.metadata.version(distribution)


@functools.cache
def _providers():
    """{module: names of the installed distributions that provide it}; it takes half a second."""
    return importlib.metadata.packages_distributions()
