"""Pictures in and out: load, check, resize, save.  (Notebook 00.)

A picture is a float32 array (H, W, 3): RGB, values in [0, 1]. Anything that cannot become one
raises an `ImageError`.
"""

import difflib
import hashlib
import io
import os
import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image, PngImagePlugin

from .errors import ImageError, check_range, shown
from .inputs import web
from .inputs.checks import check_path
from .inputs.files import check_free, replacing
from .inputs.reading import MAX_PIXELS, fit, read, read_alpha
from .inputs.samples import samples

WRITABLE = [".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff"]


def check_image(image, name="The picture", smallest=1):
    """Convert an array to a picture, (H, W, 3) float32 RGB in [0, 1], or raise an error.

    Args:
        image: (H, W), (H, W, 1), (H, W, 3) or (H, W, 4) of uint8, uint16, bool, or float in
            [0, 1]; alpha is composited over white. Copied, unless read-only and a picture already.
        name: what to call it in an error.
        smallest: minimum length of a side, px.

    Returns:
        (H, W, 3) float32 array.

    Raises:
        ImageError: wrong shape, type or range, a NaN, or a side below `smallest`.

    Introduced in notebook 00.

    >>> check_image(np.full((2, 5), 255, np.uint8)).shape
    (2, 5, 3)
    """
    try:
        array = np.asarray(image)
    except (TypeError, ValueError, NotImplementedError) as error:
        raise ImageError(f"{name} is not an array of numbers: use load_image.") from error
    array = array[..., None] if array.ndim == 2 else array
    if array.ndim != 3 or array.shape[2] not in (1, 3, 4) or array.size == 0:
        raise ImageError(f"{name} has shape {np.shape(image)}: give (height, width, 3).")
    check_range("smallest", smallest, 1)
    height, width, channels = array.shape
    if min(height, width) < smallest:
        raise ImageError(f"{name} is {width} x {height} px: make each side {smallest} px or more.")
    array = _unit_range(array, name)
    if channels == 4:
        array = array[..., :3] * array[..., 3:] + 1 - array[..., 3:]
    array = np.repeat(array, 3, axis=2) if array.shape[2] == 1 else array
    return np.ascontiguousarray(array, np.float32)


def _unit_range(array, name):
    """Values as float32 in [0, 1]; integers are divided by the largest value of their type."""
    if white := {"b1": 1, "u1": 255, "u2": 65535}.get(array.dtype.str[1:]):
        return np.divide(array, np.float32(white), dtype=np.float32)  # without a second copy
    if array.dtype.kind != "f":
        raise ImageError(f"{name} has type {array.dtype}: use uint8, or float from 0 to 1.")
    if not np.isfinite(array).all():
        raise ImageError(f"{name} has NaN or infinite values: replace them with numpy.nan_to_num.")
    low, high = float(array.min()), float(array.max())
    if low < -1e-4 or high > 1 + 1e-4:  # allow for rounding
        raise ImageError(f"{name} ranges from {low:.4g} to {high:.4g}, not 0 to 1: divide by 255.")
    shared = low >= 0 and high <= 1 and not array.flags.writeable
    return (array if shared else np.clip(array, 0, 1)).astype(np.float32, copy=False)


def _pixel_count(value, name="Size"):
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    if not whole or not 1 <= value <= MAX_PIXELS:
        fix = "give integers of at least 1" if not whole or value < 1 else "choose a smaller one"
        raise ImageError(f"{name} {shown(value)} is not a number of pixels: {fix}.")
    return int(value)


def resize(image, size):
    """Scale a picture: antialiased when it shrinks, smooth when it grows.

    Args:
        image: (H, W, 3) in [0, 1].
        size: longest side in px, which keeps the aspect ratio; or (height, width) in px.

    Returns:
        (h, w, 3) float32 array.

    Raises:
        ImageError: `image` is not a picture, or `size` is not a valid number of pixels.

    Introduced in notebook 02.

    >>> resize(np.zeros((300, 451, 3)), 100).shape
    (67, 100, 3)
    """
    picture = check_image(image)
    if isinstance(size, (tuple, list)) and len(size) == 2:
        height, width = map(_pixel_count, size)
    else:
        height, width = fit(*picture.shape[:2], _pixel_count(size))
    if height * width > MAX_PIXELS:
        raise ImageError(f"Size {width} x {height} px is too large: choose a smaller one.")
    if (height, width) == picture.shape[:2]:
        return picture
    # Lanczos keeps the most detail when shrinking; when enlarging, its ringing would show.
    grows = height >= picture.shape[0] and width >= picture.shape[1]
    kernel = Image.Resampling.BICUBIC if grows else Image.Resampling.LANCZOS
    return np.clip(resize_channels(picture, height, width, kernel), 0, 1)


def resize_channels(array, height, width, kernel, box=None):
    """Resize an (H, W, C) float32 array of any values with Pillow, or the part in a box."""
    planes = [Image.fromarray(plane) for plane in np.moveaxis(array, -1, 0)]
    return np.stack([plane.resize((width, height), kernel, box) for plane in planes], -1)


def load_image(source, size=None, largest=None):
    """Load a picture from a sample, a file, a URL, bytes, a PIL image or an array.

    Handles grey, transparent (composited over white), palette, CMYK, 16-bit and float files, EXIF
    rotation, animations (the first frame that isn't blank), colour profiles (converted to sRGB),
    and HEIC if the package pillow-heif is installed.

    Args:
        source: a sample's name (which takes precedence over a file of that name), a file, an
            address (http, https, file or data), a file's bytes, a PIL image, or any array that
            `check_image` accepts.
        size: longest side of the result in px; None keeps the size.
        largest: longest side in px for larger pictures, if no size is given; what isn't needed of
            a huge file is then never decoded. Arrays keep their size.

    Returns:
        (H, W, 3) float32 array, RGB in [0, 1].

    Raises:
        ImageError: it cannot be loaded; the message names the source and the fix.

    Introduced in notebook 00.

    >>> load_image("chelsea", size=90).shape
    (60, 90, 3)
    """
    size = None if size is None else _pixel_count(size)
    largest = None if largest is None else _pixel_count(largest, "largest")
    if (opened := _opened(source)) is not None:
        return _read(*opened, size, largest)
    if not hasattr(source, "__array__"):
        raise ImageError(f"A {type(source).__name__} is not a picture: give a name, path or array.")
    picture = check_image(source, "The array")
    return picture if size is None else resize(picture, size)


def load_alpha(source, size):
    """How opaque a picture is, for `save_image` to put its transparency back.

    Args:
        source: see `load_image`.
        size: (height, width) of the result, px.

    Returns:
        (height, width) float32 array from 0 (transparent) to 1; None if all of it is opaque.

    Raises:
        ImageError: it cannot be loaded; the message names the source and the fix.

    >>> load_alpha(np.full((2, 2, 4), 51, np.uint8), (1, 3)).round(1)
    array([[0.2, 0.2, 0.2]], dtype=float32)
    """
    if (opened := _opened(source)) is not None:
        alpha = read_alpha(*opened)
    else:
        load_image(source, 1)  # reports what is not a picture
        alpha = np.asarray(source)[..., 3] if np.shape(source)[2:] == (4,) else None
    alpha = None if alpha is None else check_image(alpha)
    return None if alpha is None or alpha.min() == 1 else resize(alpha, size)[..., 0]


def _opened(source):
    """What `read` reads of a source, and what to call it in an error; None for an array."""
    if isinstance(source, Image.Image):
        return source, "The PIL image"
    if isinstance(source, (bytes, bytearray)):
        return io.BytesIO(source), "The bytes object"
    if isinstance(source, str) and web.is_address(source):
        return io.BytesIO(web.fetch(source)), repr(web.shortened(source))
    return _find(source) if isinstance(source, (str, os.PathLike)) else None


def _find(source):
    """The file for a sample's name or a path, and what to call it in an error."""
    if isinstance(source, str) and source in samples():
        file, name = samples()[source].file, f"The sample {source!r}"
    else:
        file = os.path.expanduser(web.local_path(os.fspath(source)))
        name = shown(os.fspath(source))
    if os.path.isdir(file):
        raise ImageError(f"{name} is a folder: give the path of a picture inside it.")
    if not os.path.isfile(file):
        near = difflib.get_close_matches(str(source).lower(), samples(), n=1)
        hint = f"did you mean the sample {near[0]!r}?" if near else "check the path."
        raise ImageError(f"{name} was not found: {hint}")
    return file, name


def _read(file, name, size, largest=None):
    """Decode a path, an open file or a PIL image into a picture."""
    values, sides = read(file, name, size, largest)
    picture = check_image(values, name)
    return picture if list(picture.shape[:2]) == sides else resize(picture, sides)


def _bytes8(image):
    """The pixels of a picture, rounded to 8 bits."""
    return np.rint(check_image(image) * 255).astype(np.uint8)


def _with_alpha(image, alpha):
    """8-bit RGBA pixels that look like a picture over white, as far as their colours can."""
    picture, alpha = check_image(image), check_image(alpha, "The alpha channel")[..., :1]
    if alpha.shape[:2] != picture.shape[:2]:
        raise ImageError(
            f"The alpha channel has shape {alpha.shape[:2]}, but the picture {picture.shape[:2]}:"
            " load it with the picture's shape."
        )
    colours = 1 - (1 - picture) / np.maximum(alpha, 1 / 255)
    return np.dstack([_bytes8(np.clip(colours, 0, 1)), np.rint(alpha * 255).astype(np.uint8)])


def image_digest(image):
    """SHA-256 (64 hex digits) of a picture's shape and 8-bit pixels; reruns compare it.

    >>> image_digest(np.zeros((2, 2, 3))) == image_digest(np.zeros((2, 2), np.uint8))
    True
    """
    pixels = _bytes8(image)
    return hashlib.sha256(str(pixels.shape).encode() + pixels.tobytes()).hexdigest()


def save_image(path, image, overwrite=False, metadata=None, alpha=None):
    """Write a picture atomically, with 8 bits per channel.

    Args:
        path: the file; .png, .jpg, .webp or .tif decides the format. Folders are created as needed.
        image: (H, W, 3) in [0, 1].
        overwrite: True to replace an existing file.
        metadata: {str: str} to store in a PNG; `read_metadata` returns it.
        alpha: (H, W) from 0 (transparent) to 1, for a .png, .webp or .tif: what `load_alpha`
            returns. The colours are adjusted so that over white they look like the picture.

    Returns:
        The path.

    Raises:
        ImageError: the picture, suffix, folder or metadata is unusable, or the file exists.

    Introduced in notebook 00.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     read_metadata(save_image(f"{folder}/a.png", np.zeros((2, 2)), metadata={"seed": "7"}))
    {'seed': '7'}
    """
    path = Path(check_path("path", path)).expanduser()
    pixels = Image.fromarray(_bytes8(image) if alpha is None else _with_alpha(image, alpha))
    suffix, metadata = path.suffix.lower(), {} if metadata is None else metadata
    if not isinstance(metadata, Mapping):
        raise ImageError(f"metadata cannot be {shown(metadata)}: give {{text: text}}.")
    if suffix not in WRITABLE or (metadata and suffix != ".png"):
        raise ImageError(f"End '{path}' in .png, .jpg, .webp or .tif: only .png stores metadata.")
    if alpha is not None and suffix in (".jpg", ".jpeg"):
        raise ImageError(f"'{path}' cannot be transparent: end it in .png, .webp or .tif.")
    check_free(path, overwrite)
    text = _png_text(metadata)
    try:
        with replacing(path) as part:
            # Full colour resolution, as dreams are very colourful; formats ignore foreign options.
            pixels.save(part, quality=95, subsampling=0, pnginfo=text)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ImageError(f"'{path}' could not be written ({reason}): try another place.") from error
    return path


def _png_text(metadata):
    """PNG text chunks; long texts are compressed."""
    info = PngImagePlugin.PngInfo()
    for key, text in metadata.items():
        valid = isinstance(key, str) and re.fullmatch("[ -~]{1,79}", key) and isinstance(text, str)
        if not valid or len(text) > 250_000:  # readers stop at 1 MB, up to 4 bytes each
            fix = "give keys of 1 to 79 ASCII characters and strings of at most 250,000."
            raise ImageError(f"Metadata {str(key)[:40]!r} cannot be stored: {fix}")
        info.add_itxt(key, text, zip=len(text) > 1000)
    return info


def read_metadata(path):
    """The {key: text} metadata in a PNG, or an `ImageError` if the file is damaged."""
    file, name = _find(Path(path))
    try:
        with Image.open(file, formats=["PNG"]) as image:
            return {str(key): str(text) for key, text in image.text.items()}
    except Exception as error:  # damaged files fail anywhere, with any exception
        raise ImageError(f"{name} is not a valid PNG: give one that dreamkit saved.") from error
