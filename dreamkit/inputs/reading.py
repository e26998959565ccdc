"""A picture's file as numbers: any common format, whatever else is in the file.  (Notebook 00.)"""

import contextlib
import importlib
import io
import os
import re
import struct
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from ..errors import ImageError
from . import tiff

MAX_PIXELS = 178_956_970  # Pillow's own limit for decompression bombs
MAX_SIDE = 2**20  # px; decoders hold whole rows
# Up to this size, decoding anything takes less than 1 GiB. Beyond it, a file must hold at least one
# byte for each 200 pixels, as even a blank JPEG does: otherwise its header is damaged or a trap.
CHEAP = 2**24
PIXELS_PER_BYTE = 200
# A fixed list: Pillow passes some formats (EPS) to external programs and mistakes noise for TGA.
READABLE = ["PNG", "JPEG", "MPO", "GIF", "WEBP", "BMP", "TIFF", "AVIF", "JPEG2000", "PPM", "ICO"]
HEIC = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
# The chunks of a PNG that decide its pixels, their colours and its orientation.
PNG_PIXELS = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"eXIf")
PNG_PROFILE = (b"iCCP",)


def fit(height, width, longest):
    """(height, width) with the same aspect ratio, whose longer side is `longest`."""
    return [max(1, round(side * longest / max(height, width))) for side in (height, width)]


def read(file, name, size=None, largest=None):
    """Decode a picture: of an animation, the first frame that isn't blank.

    Args:
        file: a path, a `BytesIO` or a PIL image.
        name: what to call it in an error.
        size: longest side the result should have, px; None keeps the picture's own.
        largest: the same, but only for pictures that are larger than this.

    Returns:
        The values, (H, W) or (H, W, C), of any type, and the height and width that the result
        should have: a large picture is decoded at a size in between.

    Raises:
        ImageError: it cannot be decoded; the message names the file and the fix.
    """
    with _explained(file, name):
        if isinstance(file, Image.Image):
            return _decode(file.copy(), name, size, largest, _is_negative(file))
        return _plainly(file, lambda whole: _first_shown(whole, name, size, largest)[:2])


def read_alpha(file, name):
    """How opaque the frame is that `read` decodes, the right way up.

    Args:
        file, name: see `read`.

    Returns:
        (H, W) array of any type, or None for a frame without an alpha channel.

    Raises:
        ImageError: it cannot be decoded; the message names the file and the fix.
    """
    with _explained(file, name):
        if isinstance(file, Image.Image):
            return _alpha(file.copy())
        return _plainly(file, lambda whole: _alpha_shown(whole, name))


@contextlib.contextmanager
def _explained(file, name):
    """Whatever is wrong with a file is an `ImageError` that names it and the fix."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about odd metadata, which users cannot fix
            yield
    except ImageError:
        raise
    except MemoryError as error:
        raise ImageError(f"{name} needs more memory than there is: make it smaller.") from error
    except Image.DecompressionBombError as error:
        raise ImageError(f"{name} has over {MAX_PIXELS:,} pixels: make it smaller.") from error
    except PermissionError as error:
        raise ImageError(f"{name} cannot be read: check its permissions.") from error
    except UnidentifiedImageError as error:
        raise ImageError(f"{name} {_what_it_is(file)}.") from error
    except Exception as error:  # damaged files fail anywhere, with any exception
        raise ImageError(f"{name} is a damaged or truncated picture: get a new copy.") from error


def _what_it_is(file):
    """What to say about a file that holds no picture we can read, and what to do."""
    head = _head(file)
    if not head:
        return "is empty: give a PNG, JPEG, WebP, GIF, BMP or TIFF"
    if re.match(rb"(\xef\xbb\xbf)?\s*(<!--|<\?xml|<!doctype html|<html)", head, re.IGNORECASE):
        return (
            "is a web page, not a picture: a share link leads to a page around the picture, so"
            " copy the address of the picture itself"
        )
    return "is not a picture we can read: give a PNG, JPEG, WebP, GIF, BMP or TIFF"


def _head(file):
    """The first bytes of a path or a `BytesIO`."""
    if isinstance(file, io.BytesIO):
        return file.getvalue()[:1024]
    with open(file, "rb") as opened:
        return opened.read(1024)


def _plainly(file, decode):
    """What a function decodes of a file; of a PNG without its metadata, if that is in the way."""
    try:
        return decode(file)
    except (ImageError, MemoryError, PermissionError, Image.DecompressionBombError):
        raise
    except Exception:
        if not _head(file).startswith(b"\x89PNG"):
            raise
    with contextlib.suppress(Exception):  # perhaps only the metadata is damaged, or too large
        return decode(io.BytesIO(_chunks(file, PNG_PIXELS + PNG_PROFILE)))
    return decode(io.BytesIO(_chunks(file, PNG_PIXELS)))


def _first_shown(file, name, size, largest):
    """Decode the first frame that isn't all white, or the first of all.

    Returns:
        Values and sides, see `read`, and the frame's number, the same whatever the size; None if
        the file has no frames that Pillow understands.
    """
    try:
        image = _open(file, name)
    except UnidentifiedImageError:
        if not _head(file).startswith(tiff.MAGIC):
            raise
        return *_deep(file, name, size, largest), None
    with image:
        if image.format == "TIFF" and tiff.is_misread(image):
            return *_deep(file, name, size, largest), None
        pixels = image.width * image.height
        first = _decode(image, name, size, largest, _is_negative(image))
    if not _is_blank(first[0]):
        return *first, 0
    with contextlib.suppress(Exception), _open(file, name) as image:  # until there are no more
        image.seek(1)
        for number in range(max(2, min(1000, 2**27 // pixels))):
            image.seek(number)
            _check_size(image, file, name)
            if number and not _is_blank((frame := _decode(image.copy(), name, size, largest))[0]):
                return *frame, number
            if not _is_white(image):  # what shows is too small for this size
                return *(frame if number else first), number
    return *first, 0


def _is_blank(values):
    return values.dtype == np.uint8 and values.min() == 255


def _is_white(image):
    """True if a frame shows nothing at its own size."""
    return _over_white(image).convert("RGB").getextrema() == ((255, 255),) * 3


def _is_negative(image):
    """True for a TIFF that stores white as 0 at a depth at which Pillow forgets to invert it."""
    return image.mode[0] in "IF" and getattr(image, "tag_v2", {}).get(262) == 0


def _open(file, name):
    """A Pillow image of acceptable size, not decoded yet."""
    Image.init()
    if isinstance(file, io.BytesIO):
        file.seek(0)
    head = _head(file)
    if head[4:8] == b"ftyp" and head[8:12] in HEIC and b"avif" not in head[:64]:
        _know_heic(name)
    formats = [name for name in [*READABLE, "HEIF"] if name in Image.OPEN]  # not all have AVIF
    image = Image.open(file, "r", formats)
    try:
        _check_size(image, file, name)
    except Exception:
        image.close()
        raise
    return image


def _know_heic(name):
    """Let Pillow read HEIC, with a package that the commands can do without."""
    try:
        importlib.import_module("pillow_heif").register_heif_opener()
    except ImportError as error:
        fix = "run `pip install pillow-heif`, or save the picture as a JPEG."
        raise ImageError(f"{name} is a HEIC picture, which needs another package: {fix}") from error


def _check_size(image, file, name):
    """Refuse a picture that is too large, or whose header cannot be true, before decoding it."""
    if image.format == "ICO":  # which may hold a PNG that is larger than the header says
        image = image.ico.frame(image.ico.getentryindex(image.size))
    pixels = image.width * image.height
    if pixels > MAX_PIXELS:
        raise Image.DecompressionBombError
    held = file.getbuffer().nbytes if isinstance(file, io.BytesIO) else os.path.getsize(file)
    if max(image.size) > MAX_SIDE or pixels > max(CHEAP, PIXELS_PER_BYTE * held):
        claim = f"{image.width} x {image.height} px in {held:,} bytes"
        raise ImageError(f"{name} is damaged or a trap, with {claim}: get a new copy.")


def _chunks(file, kinds):
    """A PNG's bytes with chunks of these kinds only."""
    content = file.getvalue() if isinstance(file, io.BytesIO) else Path(file).read_bytes()
    kept, start = [content[:8]], 8
    while start + 8 <= len(content):
        length, kind = struct.unpack(">I4s", content[start : start + 8])
        if kind in kinds:
            kept.append(content[start : start + 12 + length])
        start += 12 + length
    return b"".join(kept)


def _deep(file, name, size, largest):
    """Decode a TIFF that Pillow cannot."""
    if isinstance(file, io.BytesIO):
        file.seek(0)
    values = tiff.read(file, name, MAX_PIXELS)
    return values, _target(values.shape[:2], size, largest)


def _target(sides, size, largest):
    """(height, width) of the result."""
    if size is None and (largest is None or max(sides) <= largest):
        return list(sides)
    return fit(*sides, size or largest)


def _decode(image, name, size, largest, negative=False):
    """Values of a PIL image, and the height and width of the result."""
    if image.width * image.height > MAX_PIXELS:
        raise Image.DecompressionBombError
    sides = sorted(_target(image.size, size, largest))  # exact, unlike a thumbnail's
    shrinks = max(sides) < max(image.size) or size is not None
    if shrinks and image.width * image.height > CHEAP and image.mode in ("1", "P", "PA", "LA"):
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    if shrinks and image.mode in ("L", "RGB", "RGBA", "CMYK") and "transparency" not in image.info:
        margin = 3 if size else 1  # for a better last step, where memory is no concern
        image.thumbnail((margin * max(sides), margin * max(sides)))  # decodes part of a JPEG only
    with contextlib.suppress(Exception):  # broken EXIF doesn't make the pixels useless
        ImageOps.exif_transpose(image, in_place=True)
    values = _values(image)
    if negative:
        values = (65535 if values.dtype.kind == "u" else 1) - values
    return values, sides[::-1] if values.shape[0] > values.shape[1] else sides


def _values(image):
    """Values of a PIL image: grey if more than 8 bits deep, else 8-bit sRGB over white."""
    if image.mode[0] in "IF":  # "I" has 32 bits, but files in it rarely use more than 16
        values = np.asarray(image)
        fits_16_bits = image.mode == "I" and values.min() >= 0 and values.max() <= 65535
        return values.astype(np.uint16) if fits_16_bits else values
    profile = image.info.get("icc_profile") or b""
    image = _over_white(image)
    if image.mode not in ("L", "CMYK"):
        image = image.convert("RGB")
    with contextlib.suppress(ImageCms.PyCMSError, OSError):  # none, broken, or for another mode
        own, srgb = ImageCms.getOpenProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB")
        image = ImageCms.profileToProfile(image, own, srgb, outputMode="RGB")
    return np.asarray(image if image.mode == "RGB" else image.convert("RGB"))


def _over_white(image):
    """A PIL image composited over white, if it is transparent anywhere."""
    if not image.has_transparency_data:
        return image
    image = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)


def _alpha_shown(file, name):
    """The alpha channel of the frame that is shown of a file."""
    values, _, number = _first_shown(file, name, 1, None)
    if number is None:
        return values[..., 3] if values.shape[2:] == (4,) else None
    with _open(file, name) as image:
        image.seek(number)
        return _alpha(image)


def _alpha(image):
    """The alpha channel of a PIL image, the right way up, (H, W) uint8, or None."""
    if not image.has_transparency_data:
        return None
    with contextlib.suppress(Exception):  # as for the pixels
        ImageOps.exif_transpose(image, in_place=True)
    return np.asarray(image.convert("RGBA").getchannel("A"))
