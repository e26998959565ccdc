"""TIFFs that Pillow refuses or misreads: colour in floats, 16 bits in planes.  (Notebook 00.)"""

import io
import logging
import os
import re

import numpy as np

from ..errors import ImageError

MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
WHITE_IS_ZERO, SEPARATE_PLANES = 0, 2
logging.getLogger("tifffile").addHandler(logging.NullHandler())  # or it writes to stderr
LARGEST_RATIO = 100  # a real scan does not compress to less than a hundredth


def is_misread(image):
    """True for a TIFF that Pillow opens, but takes for something else.

    These are pictures of more than 8 bits that store red, green and blue one after the other,
    compressed floats with the high byte first, and what tifffile wrote row by row, with the shape
    in the description.
    """
    depth, planes = image.tag_v2.get(258, (1,)), image.tag_v2.get(284)
    noted = re.match(r'\{"shape": \[(\d+), (\d+), [34]\]', str(image.tag_v2.get(270, "")))
    by_rows = noted and (int(noted[1]), int(noted[2])) != (image.height, image.width)
    swapped = image.mode == "F" and image.tag_v2.prefix == b"MM" and image.tag_v2.get(259) != 1
    return (
        bool(by_rows)
        or swapped
        or (max(depth) > 8 and len(depth) > 1 and planes == SEPARATE_PLANES)
    )


def read(file, name, max_pixels):
    """Values of a TIFF, (H, W) or (H, W, C), the right way up.

    Args:
        file: a path, or an open binary file.
        name: what to call it in an error.
        max_pixels: refuse a larger picture.

    Raises:
        ImageError: it is too large, or its compression needs the package imagecodecs.
    """
    import tifffile

    held = file.getbuffer().nbytes if isinstance(file, io.BytesIO) else os.path.getsize(file)
    with tifffile.TiffFile(file) as opened:
        page = opened.pages[0]
        series = opened.series[0] if opened.is_shaped else None
        source = series if series and len(series.shape) == 3 else page
        if source.size > 4 * max_pixels or source.nbytes > max(2**24, LARGEST_RATIO * held):
            raise ImageError(f"{name} is damaged or has too many pixels: make it smaller.")
        try:
            values = source.asarray(maxworkers=1)
        except ValueError as error:
            if "imagecodecs" not in str(error):
                raise
            fix = "save it without compression, or as a PNG."
            raise ImageError(f"{name} is a TIFF compressed in an unusual way: {fix}") from error
        if values.ndim not in (2, 3) or not values.size:
            raise ImageError(f"{name} is a damaged or truncated picture: get a new copy.")
        return _upright(_as_picture(values, page), page.tags.get(274))


def _as_picture(values, page):
    """Channels last, white high, grey with alpha as colours with alpha."""
    if page.planarconfig == SEPARATE_PLANES and values.ndim == 3 and values.shape[0] <= 4:
        values = np.moveaxis(values, 0, -1)
    if page.photometric == WHITE_IS_ZERO:
        values = (np.iinfo(values.dtype).max if values.dtype.kind == "u" else 1) - values
    return values[..., [0, 0, 0, 1]] if values.ndim == 3 and values.shape[2] == 2 else values


def _upright(values, tag):
    """Turn and flip as the orientation tag says, from 1 (as it is) to 8."""
    orientation = tag.value if tag else 1
    if orientation in (5, 6, 7, 8):
        values = values.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        values = values[:, ::-1]
    return values[::-1] if orientation in (3, 4, 7, 8) else values
