"""Pictures in and out: load, check, resize, save.  (Notebook 00.)

A picture is a float32 array (H, W, 3): RGB, values in [0, 1]. Every function here takes or gives
exactly that, and what cannot become one is an `ImageError`.
"""

import contextlib
import difflib
import hashlib
import io
import os
import re
import urllib.parse
import urllib.request
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, ImageOps, PngImagePlugin, UnidentifiedImageError

from .errors import ImageError
from .files import check_free, replacing
from .sample_pictures import samples

MAX_PIXELS = 178_956_970  # where Pillow, too, takes a picture for a decompression bomb
MAX_DOWNLOAD = 64 * 2**20  # bytes
TIMEOUT = 15  # seconds without a byte
# A fixed list: Pillow hands other formats (EPS) to outside programs, or (TGA) takes noise for one.
READABLE = ["PNG", "JPEG", "MPO", "GIF", "WEBP", "BMP", "TIFF", "AVIF", "JPEG2000", "PPM", "ICO"]
WRITABLE = [".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff"]


def check_image(image, name="The picture", smallest=1):
    """Bring an array to shape (H, W, 3), float32 RGB in [0, 1], or refuse it.

    Args:
        image: (H, W), (H, W, 1), (H, W, 3) or (H, W, 4) of uint8, uint16, bool, or float in
            [0, 1]; a fourth channel is laid over white. Copied, unless read-only and right.
        name: what an error calls it.
        smallest: fewest px that a side may have.

    Raises:
        ImageError: wrong shape, type or range, a NaN, or a side below `smallest`.

    Introduced in notebook 00.

    >>> check_image(np.full((2, 5), 255, np.uint8)).shape
    (2, 5, 3)
    """
    try:
        array = np.asarray(image)
    except (TypeError, ValueError, NotImplementedError) as error:
        raise ImageError(f"{name} is not made of numbers: load it with load_image.") from error
    array = array[..., None] if array.ndim == 2 else array
    if array.ndim != 3 or array.shape[2] not in (1, 3, 4) or array.size == 0:
        raise ImageError(f"{name} has the shape {np.shape(image)}: give (height, width, 3).")
    height, width, channels = array.shape
    if min(height, width) < smallest:
        raise ImageError(f"{name} is {width} x {height} px: make each side {smallest} px or more.")
    array = _unit_range(array, name)
    if channels == 4:
        array = array[..., :3] * array[..., 3:] + 1 - array[..., 3:]
    array = np.repeat(array, 3, axis=2) if array.shape[2] == 1 else array
    return np.ascontiguousarray(array, np.float32)


def _unit_range(array, name):
    """Values as float32 in [0, 1]; of a whole-number type, the largest value is white."""
    if white := {"b1": 1, "u1": 255, "u2": 65535}.get(array.dtype.str[1:]):
        return array.astype(np.float32) / np.float32(white)
    if array.dtype.kind != "f":
        raise ImageError(f"{name} holds {array.dtype}: make it uint8, or float from 0 to 1.")
    if not np.isfinite(array).all():
        raise ImageError(f"{name} holds NaN or infinite values: mend them with numpy.nan_to_num.")
    low, high = float(array.min()), float(array.max())
    if low < -1e-4 or high > 1 + 1e-4:  # rounding may step over the edge by a little
        raise ImageError(f"{name} runs from {low:.4g} to {high:.4g}, not 0 to 1: divide by 255.")
    shared = low >= 0 and high <= 1 and not array.flags.writeable
    return (array if shared else np.clip(array, 0, 1)).astype(np.float32, copy=False)


def _whole(value):
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or value < 1:
        raise ImageError(f"Size {value!r} is not a number of pixels: give whole numbers from 1 up.")
    return int(value)


def _fit(height, width, longest):
    """(height, width) of the same aspect whose longer side is `longest`."""
    return [max(1, round(side * longest / max(height, width))) for side in (height, width)]


def resize(image, size):
    """Scale a picture to (h, w, 3): antialiased on the way down, smooth on the way up.

    Args:
        image: (H, W, 3) in [0, 1].
        size: longest side in px, aspect kept; or (height, width) in px.

    Raises:
        ImageError: `image` is no picture, or `size` no whole number of pixels within reach.

    Introduced in notebook 00.

    >>> resize(np.zeros((300, 451, 3)), 100).shape
    (67, 100, 3)
    """
    picture = check_image(image)
    if isinstance(size, (tuple, list)) and len(size) == 2:
        height, width = map(_whole, size)
    else:
        height, width = _fit(*picture.shape[:2], _whole(size))
    if height * width > MAX_PIXELS:
        raise ImageError(f"Size {width} x {height} px is too large: ask for a smaller one.")
    if (height, width) == picture.shape[:2]:
        return picture
    # Lanczos keeps the most detail on the way down; on the way up its halos would show.
    grows = height >= picture.shape[0] and width >= picture.shape[1]
    kernel = Image.Resampling.BICUBIC if grows else Image.Resampling.LANCZOS
    planes = [Image.fromarray(plane) for plane in np.moveaxis(picture, -1, 0)]
    return np.clip(np.stack([p.resize((width, height), kernel) for p in planes], -1), 0, 1)


def load_image(source, size=None):
    """Load a picture, (H, W, 3) float32 RGB in [0, 1], from wherever it is.

    Grey, transparent (laid over white), palette, CMYK, 16-bit, EXIF-turned, animated (first
    frame) and colour-managed files (brought to sRGB) all come out as a picture.

    Args:
        source: a sample's name (it comes before a file of that name), a file, an http(s)
            address, a file's bytes, a PIL image, or any array that `check_image` takes.
        size: longest side of the result in px, smaller or larger than it is; None keeps it.

    Raises:
        ImageError: it cannot be had; one sentence names the source and the mend.

    Introduced in notebook 00.

    >>> load_image("chelsea", size=90).shape
    (60, 90, 3)
    """
    size = None if size is None else _whole(size)
    if isinstance(source, Image.Image):
        return _read(source, "The PIL image", size)
    if isinstance(source, (bytes, bytearray)):
        return _read(io.BytesIO(source), "The bytes object", size)
    if isinstance(source, str) and source.lower().startswith(("http://", "https://")):
        return _read(io.BytesIO(_download(source)), repr(source), size)
    if isinstance(source, (str, os.PathLike)):
        return _read(*_find(source), size)
    if not hasattr(source, "__array__"):
        raise ImageError(f"Type {type(source).__name__} is no picture: give a name, path or array.")
    picture = check_image(source, "The array")
    return picture if size is None else resize(picture, size)


def _find(source):
    """The file behind a sample's name or a path, and what to call it in an error."""
    if isinstance(source, str) and source in samples():
        file, name = samples()[source].file, f"The sample {source!r}"
    else:
        file, name = os.path.expanduser(os.fspath(source)), repr(os.fspath(source))
    if os.path.isdir(file):
        raise ImageError(f"{name} is a folder: give the path of a picture inside it.")
    if not os.path.isfile(file):
        near = difflib.get_close_matches(str(source).lower(), samples(), n=1)
        mend = f"did you mean the sample {near[0]!r}?" if near else "check the path."
        raise ImageError(f"{name} was not found: {mend}")
    return file, name


def _download(address):
    """Bytes behind an http(s) address."""
    quoted = urllib.parse.quote(address, safe="%/:=&?~#+!$,;'@()*[]")
    try:
        request = urllib.request.Request(quoted, headers={"User-Agent": "dreamkit"})
        with urllib.request.urlopen(request, timeout=TIMEOUT) as response:
            body = response.read(MAX_DOWNLOAD + 1)
    except Exception as error:  # networks fail in many ways
        why = f"could not be fetched ({str(error).strip('<>')})"
        raise ImageError(f"{address!r} {why}: check the address and the connection.") from error
    if len(body) > MAX_DOWNLOAD:
        raise ImageError(f"{address!r} is over {MAX_DOWNLOAD // 2**20} MB: take a smaller picture.")
    return body


def _read(file, name, size):
    """Decode a path, an open file or a PIL image into a picture."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow tells of odd metadata, for no reader to mend
            Image.init()
            kinds = [kind for kind in READABLE if kind in Image.OPEN]  # an old Pillow has no AVIF
            image = file.copy() if isinstance(file, Image.Image) else Image.open(file, "r", kinds)
            with image:
                if image.width * image.height > MAX_PIXELS:  # refused before it is decoded
                    raise Image.DecompressionBombError
                return _decode(image, name, size)
    except (ImageError, MemoryError):
        raise
    except Image.DecompressionBombError as error:
        raise ImageError(f"{name} has over {MAX_PIXELS:,} pixels: make it smaller.") from error
    except PermissionError as error:
        raise ImageError(f"{name} may not be read: give yourself the right to.") from error
    except UnidentifiedImageError as error:
        empty = not (file.getvalue() if isinstance(file, io.BytesIO) else os.path.getsize(file))
        problem = "is empty" if empty else "is not a picture that can be read"
        raise ImageError(f"{name} {problem}: give a PNG, JPEG, WebP, GIF, BMP or TIFF.") from error
    except Exception as error:  # damaged files fail anywhere, with any exception
        raise ImageError(f"{name} is a damaged or truncated picture: get it afresh.") from error


def _decode(image, name, size):
    """Pixels of a PIL image as a picture whose longest side has `size` px."""
    sides = sorted(_fit(*image.size, size or max(image.size)))  # exact: a thumbnail rounds
    plain = image.mode in ("L", "RGB", "RGBA", "CMYK") and "transparency" not in image.info
    if size is not None and plain:
        image.thumbnail((3 * size, 3 * size))  # spares memory, and a JPEG is decoded in part
    with contextlib.suppress(Exception):  # broken EXIF is no reason to refuse sound pixels
        ImageOps.exif_transpose(image, in_place=True)
    picture = check_image(_values(image), name)
    tall = picture.shape[0] > picture.shape[1]
    return picture if size is None else resize(picture, sides[::-1] if tall else sides)


def _values(image):
    """Values of a PIL image: grey if it is deep, else 8-bit sRGB with see-through parts white."""
    if image.mode[0] in "IF":  # "I" has 32 bits, but its writers keep to 16
        values = np.asarray(image)
        narrow = image.mode == "I" and values.min() >= 0 and values.max() <= 65535
        return values.astype(np.uint16) if narrow else values
    profile = image.info.get("icc_profile") or b""
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    if image.mode not in ("L", "CMYK"):
        image = image.convert("RGB")
    with contextlib.suppress(ImageCms.PyCMSError, OSError):  # none, broken, or for another mode
        own, srgb = ImageCms.getOpenProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB")
        image = ImageCms.profileToProfile(image, own, srgb, outputMode="RGB")
    return np.asarray(image.convert("RGB"))


def _bytes8(image):
    """8-bit pixels of a picture, each value to the nearest of 256."""
    return np.rint(check_image(image) * 255).astype(np.uint8)


def image_digest(image):
    """SHA-256 (64 hex digits) of a picture's shape and 8-bit pixels. Introduced in notebook 06.

    >>> image_digest(np.zeros((2, 2, 3))) == image_digest(np.zeros((2, 2), np.uint8))
    True
    """
    pixels = _bytes8(image)
    return hashlib.sha256(str(pixels.shape).encode() + pixels.tobytes()).hexdigest()


def save_image(path, image, overwrite=False, metadata=None):
    """Write a picture, 8 bits a channel, and give back its path; it is there whole or not at all.

    Args:
        path: where to; .png, .jpg, .webp or .tif says the format. Folders are made as needed.
        image: (H, W, 3) in [0, 1].
        overwrite: whether a file of that name may be replaced.
        metadata: {str: str} to keep inside a PNG; `read_metadata` gives it back.

    Raises:
        ImageError: picture, suffix, place or metadata will not do, or the file is there already.

    Introduced in notebook 00.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     read_metadata(save_image(f"{folder}/a.png", np.zeros((2, 2)), metadata={"seed": "7"}))
    {'seed': '7'}
    """
    path, pixels = Path(path).expanduser(), Image.fromarray(_bytes8(image))
    suffix = path.suffix.lower()
    if suffix not in WRITABLE or (metadata and suffix != ".png"):
        raise ImageError(f"End '{path}' in .png, .jpg, .webp or .tif: only .png keeps metadata.")
    check_free(path, overwrite)
    text = _png_text(metadata or {})
    try:
        with replacing(path) as part:
            # Full colour resolution: dreams are all colour. Each format takes what it knows.
            pixels.save(part, quality=95, subsampling=0, pnginfo=text)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise ImageError(f"'{path}' could not be written ({why}): try another place.") from error
    return path


def _png_text(metadata):
    """PNG text chunks; a long text is compressed."""
    info = PngImagePlugin.PngInfo()
    for key, text in metadata.items():
        sound = isinstance(key, str) and re.fullmatch("[ -~]{1,79}", key) and isinstance(text, str)
        if not sound or len(text) > 250_000:  # readers stop at 1 MB, and a letter may take 4 bytes
            mend = "give keys of 1 to 79 ASCII characters, and str of at most 250,000."
            raise ImageError(f"Metadata {str(key)[:40]!r} cannot be kept: {mend}")
        info.add_itxt(key, text, zip=len(text) > 1000)
    return info


def read_metadata(path):
    """{key: text} inside a PNG; an `ImageError` if it is not whole. Introduced in notebook 06."""
    file, name = _find(Path(path))
    try:
        with Image.open(file, formats=["PNG"]) as image:
            return {str(key): str(text) for key, text in image.text.items()}
    except Exception as error:  # damaged files fail anywhere, with any exception
        raise ImageError(f"{name} is not a whole PNG: give one that dreamkit saved.") from error
