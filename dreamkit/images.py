"""Pictures in and out: load, check, resize, save.

A picture is a ``float32`` array of shape (H, W, 3): RGB, values in [0, 1]. Every function here
takes or gives exactly that, and what cannot become one is an `ImageError`.
"""

import difflib
import hashlib
import http.client
import importlib.util
import io
import json
import os
import struct
import urllib.parse
import urllib.request
import uuid
import warnings
from dataclasses import dataclass
from numbers import Integral
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, ImageOps, PngImagePlugin, UnidentifiedImageError

from dreamkit.errors import ImageError

MAX_PIXELS = 178_956_970  # where Pillow, too, takes a picture for a decompression bomb
MAX_DOWNLOAD = 64 * 2**20  # bytes
TIMEOUT = 15  # seconds without a byte
# A fixed list: Pillow hands other formats (EPS) to outside programs, or (TGA) takes noise for one.
READABLE = ["PNG", "JPEG", "MPO", "GIF", "WEBP", "BMP", "TIFF", "AVIF", "JPEG2000", "PPM", "ICO"]
WRITABLE = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".webp": "WEBP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
}

_PHOTOS = {  # name: (file inside scikit-image; about, licence and origin as scikit-image has them)
    "astronaut": ("astronaut.png", "Eileen Collins, astronaut", "public domain", "NASA"),
    "chelsea": ("chelsea.png", "Chelsea, the cat", "CC0", "Stefan van der Walt"),
    "coffee": ("coffee.png", "a cup of coffee on a wooden table", "CC0", "Rachel Michetti"),
    "rocket": ("rocket.jpg", "Falcon 9 leaving the ground", "public domain", "SpaceX"),
    "hubble_deep_field": ("hubble_deep_field.jpg", "far galaxies", "public domain", "NASA"),
    "retina": ("retina.jpg", "the back of a human eye", "CC0", "Mikael Häggström"),
    "immunohistochemistry": (
        "ihc.png",
        "stained glands under the microscope",
        "no known copyright restrictions",
        "CMMI",
    ),
    "camera": ("camera.png", "a photographer (grey)", "CC0", "Lav Varshney"),
    "horse": ("horse.png", "silhouette of a horse (grey)", "CC0", "Andreas Preuss, openclipart"),
    "brick": ("brick.png", "a brick wall (grey)", "CC0", "CC0Textures, Bricks25"),
    "grass": ("grass.png", "grass from above (grey)", "CC0", "linolafett, DeviantArt"),
    "gravel": ("gravel.png", "gravel from above (grey)", "CC0", "CC0Textures, Gravel04"),
}


@dataclass(frozen=True)
class Sample:
    """A picture that comes along: what it shows, and whose it is. Introduced in notebook 00."""

    name: str
    kind: str  # "photo" or "style"
    about: str
    licence: str
    source: str


def data_folder():
    """Folder of dreamkit's own data, installed or in a checkout. Introduced in notebook 00.

    >>> data_folder().name
    'data'
    """
    installed = Path(__file__).parent / "data"
    return installed if installed.is_dir() else Path(__file__).parent.parent / "data"


def _styles():
    index = data_folder() / "styles" / "index.json"
    return json.loads(index.read_text(encoding="utf-8")) if index.is_file() else {}


def samples(kind=None):
    """Pictures that come along, dict of name to `Sample`. Introduced in notebook 00.

    Parameters
    ----------
    kind : {None, "photo", "style"}
        Photos to work on, paintings to take a style from, or (None) both; else an `ImageError`.

    >>> samples("photo")["chelsea"].licence
    'CC0'
    """
    if kind not in (None, "photo", "style"):
        raise ImageError(f"there is no sample of kind {kind!r}: take 'photo', 'style' or None.")
    photos = [
        Sample(name, "photo", about, licence, f"{origin}; from scikit-image")
        for name, (_, about, licence, origin) in _PHOTOS.items()
    ]
    styles = [
        Sample(name, "style", style["about"], style["licence"], style["source"])
        for name, style in _styles().items()
    ]
    return {sample.name: sample for sample in photos + styles if kind in (None, sample.kind)}


def _sample_file(name):
    """The file of a sample; photos lie inside scikit-image, so nothing is downloaded."""
    if name not in _PHOTOS:
        return data_folder() / "styles" / _styles()[name]["file"]
    skimage = importlib.util.find_spec("skimage")  # finds it without importing it, which is slow
    return Path(skimage.origin if skimage else "skimage").parent / "data" / _PHOTOS[name][0]


def check_image(image, name="the picture", smallest=1):
    """Bring an array to float32 RGB in [0, 1], or say why it is no picture.

    Parameters
    ----------
    image : array_like, shape (H, W), (H, W, 1), (H, W, 3) or (H, W, 4)
        uint8, uint16, bool, or float in [0, 1]; a fourth channel is laid over white.
    name : str
        What an error calls it.
    smallest : int
        Fewest px that a side may have.

    Returns
    -------
    ndarray of float32, shape (H, W, 3), contiguous, a copy

    Raises
    ------
    ImageError
        Wrong shape, type or range, a NaN or an infinite value, or a side below `smallest`.

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
        raise ImageError(
            f"{name} has the shape {np.shape(image)}: "
            "give one picture of shape (height, width, 3), as load_image does."
        )
    height, width, channels = array.shape
    if min(height, width) < smallest:
        raise ImageError(
            f"{name} is {width} x {height} px (width x height): "
            f"make its shorter side at least {smallest} px."
        )
    array = _unit_range(array, name)
    if channels == 4:
        array = array[..., :3] * array[..., 3:] + 1 - array[..., 3:]
    return np.array(np.broadcast_to(array, (height, width, 3)), np.float32, order="C")


def _unit_range(array, name):
    """Values as float32 in [0, 1]; of a whole-number type, the largest value is white."""
    if array.dtype == bool:
        return array.astype(np.float32)
    if array.dtype.kind == "u" and array.dtype.itemsize <= 2:
        return array.astype(np.float32) / np.float32(np.iinfo(array.dtype).max)
    if array.dtype.kind != "f":
        raise ImageError(
            f"{name} holds {array.dtype} values: make them uint8 from 0 to 255, "
            "or float from 0 to 1."
        )
    if not np.isfinite(array).all():
        raise ImageError(f"{name} holds NaN or infinite values: mend them with numpy.nan_to_num.")
    low, high = float(array.min()), float(array.max())
    if low < -1e-4 or high > 1 + 1e-4:  # rounding may step over the edge by a little
        raise ImageError(
            f"{name} has values from {low:.4g} to {high:.4g} where 0 to 1 is wanted: "
            "divide by 255, or by whatever its white is."
        )
    return np.clip(array, 0, 1).astype(np.float32)


def _whole(value):
    if not isinstance(value, Integral) or isinstance(value, bool) or value < 1:
        raise ImageError(f"size {value!r} is not a number of pixels: give whole numbers from 1 up.")
    return int(value)


def _fit(height, width, longest):
    """(height, width) of the same aspect whose longer side is `longest`."""
    scale = longest / max(height, width)
    return max(1, round(height * scale)), max(1, round(width * scale))


def resize(image, size):
    """Scale a picture: antialiased on the way down, smooth on the way up.

    Parameters
    ----------
    image : array_like, shape (H, W, 3)
        A picture, values in [0, 1].
    size : int or (int, int)
        Longest side in px, aspect kept; or (height, width) in px.

    Returns
    -------
    ndarray of float32, shape (h, w, 3), values in [0, 1]

    Raises
    ------
    ImageError
        If `image` is no picture, or `size` no whole number of pixels within reach.

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
        raise ImageError(f"{width} x {height} px are too many to make: ask for a smaller size.")
    # Lanczos keeps the most detail on the way down; on the way up its halos would show.
    grows = height >= picture.shape[0] and width >= picture.shape[1]
    kernel = Image.Resampling.BICUBIC if grows else Image.Resampling.LANCZOS
    channels = [
        Image.fromarray(channel).resize((width, height), kernel)
        for channel in np.moveaxis(picture, -1, 0)
    ]
    return np.clip(np.stack(channels, axis=-1), 0, 1)


def load_image(source, size=None):
    """Load a picture from wherever it is.

    Grey, transparent (laid over white), palette, CMYK, 16-bit, EXIF-turned, animated (first
    frame) and colour-managed files (brought to sRGB) all come out as a picture.

    Parameters
    ----------
    source : str, Path, PIL.Image.Image, bytes or array
        A sample's name (it comes before a file of that name), a file, an http(s) address,
        a file's bytes, or any array that `check_image` takes.
    size : int, optional
        Longest side of the result in px, smaller or larger than it is; None keeps it.

    Returns
    -------
    ndarray of float32, shape (H, W, 3), RGB, values in [0, 1]

    Raises
    ------
    ImageError
        If it cannot be had; one sentence names the source and the mend.

    Introduced in notebook 00.

    >>> load_image("chelsea", size=90).shape
    (60, 90, 3)
    """
    size = None if size is None else _whole(size)
    if isinstance(source, Image.Image):
        return _read(source, "the PIL image", size)
    if isinstance(source, (bytes, bytearray)):
        return _read(io.BytesIO(source), "the bytes object", size)
    if isinstance(source, str) and source.lower().startswith(("http://", "https://")):
        return _read(io.BytesIO(_download(source)), source, size)
    if isinstance(source, (str, os.PathLike)):
        return _read(*_find(source), size)
    if not hasattr(source, "__array__"):
        raise ImageError(
            f"the {type(source).__name__} is not a picture: give a sample's name, a "
            "path, an address, a PIL image, bytes or an array."
        )
    picture = check_image(source, "the array")
    return picture if size is None else resize(picture, size)


def _find(source):
    """The file behind a sample's name or a path, and what to call it in an error."""
    if isinstance(source, str) and source in samples():
        file, name = _sample_file(source), f"the sample {source!r}"
    else:
        file, name = os.path.expanduser(os.fspath(source)), repr(os.fspath(source))
    if os.path.isdir(file):
        raise ImageError(f"{name} is a folder: give the path of a picture inside it.")
    if not os.path.isfile(file):
        near = difflib.get_close_matches(str(source).lower(), samples(), cutoff=0.6)
        mend = (
            f"did you mean the sample {' or '.join(map(repr, near))}?"
            if near
            else "check the path, or take a name from dreamkit.samples()."
        )
        raise ImageError(f"{name} was not found: {mend}")
    return file, name


def _download(address):
    """Bytes behind an http(s) address."""
    quoted = urllib.parse.quote(address, safe="%/:=&?~#+!$,;'@()*[]")
    try:
        request = urllib.request.Request(quoted, headers={"User-Agent": "dreamkit"})
        with urllib.request.urlopen(request, timeout=TIMEOUT) as response:
            body = response.read(MAX_DOWNLOAD + 1)
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise ImageError(
            f"{address} could not be fetched ({_reason(error)}): check the address "
            "and the connection, or save the picture and give its path."
        ) from error
    if len(body) > MAX_DOWNLOAD:
        raise ImageError(
            f"{address} is larger than {MAX_DOWNLOAD // 2**20} MB: "
            "save a smaller copy and give its path."
        )
    return body


def _reason(error):
    """An error of the system or the network in a few words, on one line."""
    cause = getattr(error, "reason", None)  # what lies behind urllib's own wrapping
    error = cause if isinstance(cause, OSError) else error
    return " ".join(str(getattr(error, "strerror", None) or error).split())


def _read(file, name, size):
    """Decode a path, an open file or a PIL image into a picture."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow tells of odd metadata, for no reader to mend
            with _open(file) as image:
                if image.width * image.height > MAX_PIXELS:
                    raise Image.DecompressionBombError
                return _decode(image, name, size)
    except (ImageError, MemoryError):
        raise
    except Exception as error:  # damaged files fail anywhere, with any exception
        raise ImageError(f"{name} {_complaint(error, file)}.") from error


def _open(file):
    """A PIL image whose pixels are not decoded yet: a bomb must be refused before."""
    if isinstance(file, Image.Image):
        return file.copy()
    Image.init()
    return Image.open(file, formats=[kind for kind in READABLE if kind in Image.OPEN])


def _complaint(error, file):
    """What is wrong with a file that Pillow failed on, and the mend."""
    if isinstance(error, Image.DecompressionBombError):
        return f"has over {MAX_PIXELS // 10**6} million pixels: make a smaller copy of it first"
    if isinstance(error, PermissionError):
        return "may not be read: give yourself the right to read it"
    if isinstance(error, UnidentifiedImageError):
        size = len(file.getbuffer()) if isinstance(file, io.BytesIO) else os.path.getsize(file)
        problem = "is not a picture that can be read" if size else "is empty"
        return f"{problem}: give a PNG, JPEG, WebP, GIF, BMP or TIFF"
    return "is a damaged or truncated picture: get it afresh, or save it anew in another program"


def _decode(image, name, size):
    """Pixels of a PIL image as a picture whose longest side has `size` px."""
    full = image.size
    if image.format not in ("JPEG", "MPO"):
        image.load()  # turns a TIFF upright, so its size is known only now
        full = image.size
    elif size is not None:  # a JPEG can come at 1/2, 1/4 or 1/8, for a fraction of the work
        image.draft(None, _fit(*full, 3 * size))
    profile = image.info.get("icc_profile")
    image = _flat(_upright(image))
    if (image.width > image.height) != (full[0] > full[1]):
        full = full[::-1]
    if size is not None and image.mode in ("L", "RGB", "CMYK"):
        image.thumbnail((3 * size, 3 * size))  # spares memory: floats take four times as much
    deep = image.mode[0] in "IF"
    picture = check_image(_deep(image) if deep else _to_srgb(image, profile), name)
    return picture if size is None else resize(picture, _fit(*full[::-1], size))


def _upright(image):
    try:
        return ImageOps.exif_transpose(image)
    except (OSError, SyntaxError, ValueError, TypeError, LookupError, struct.error):
        return image  # broken EXIF is no reason to refuse sound pixels


def _flat(image):
    """No palette, no transparency: see-through parts are laid over white."""
    if image.has_transparency_data and image.mode[0] not in "IF":
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    keep = image.mode in ("L", "RGB", "CMYK", "LAB") or image.mode[0] in "IF"
    return image if keep else image.convert("RGB")


def _deep(image):
    """Grey of a 16-bit or float file; mode "I" has 32 bits, but its writers keep to 16."""
    values = np.asarray(image)
    if image.mode == "I" and values.min() >= 0 and values.max() <= 65535:
        return values.astype(np.uint16)
    return values.astype(values.dtype.newbyteorder("="))


def _to_srgb(image, profile):
    """An 8-bit PIL image in sRGB, by its embedded profile if that is sound."""
    try:
        if image.mode == "LAB":
            own = ImageCms.createProfile("LAB")
        else:
            own = ImageCms.getOpenProfile(io.BytesIO(profile))
        srgb = ImageCms.createProfile("sRGB")
        return np.asarray(ImageCms.profileToProfile(image, own, srgb, outputMode="RGB"))
    except (ImageCms.PyCMSError, OSError, TypeError):  # broken, of another colour space, or none
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


def check_free(path, overwrite=False):
    """Raise an `ImageError` if a file is there already and may not be replaced."""
    if os.path.exists(path) and not overwrite:
        raise ImageError(f"'{path}' is there already: pass overwrite=True to replace it.")


def save_image(path, image, overwrite=False, metadata=None):
    """Write a picture with 8 bits a channel; the file is there whole or not at all.

    Parameters
    ----------
    path : str or Path
        Where to; .png, .jpg, .webp or .tif says the format. Folders are made as needed.
    image : array_like, shape (H, W, 3)
        A picture, values in [0, 1].
    overwrite : bool
        Whether a file of that name may be replaced.
    metadata : dict of str to str, optional
        Text to keep inside the file (PNG only); `read_metadata` gives it back.

    Returns
    -------
    Path

    Raises
    ------
    ImageError
        If the picture, the suffix or the metadata will not do, or the file is already there.

    Introduced in notebook 00.

    >>> import tempfile
    >>> grey = np.full((2, 2, 3), 0.5)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     read_metadata(save_image(f"{folder}/grey.png", grey, metadata={"seed": "7"}))
    {'seed': '7'}
    """
    path, pixels = Path(path).expanduser(), Image.fromarray(_bytes8(image))
    kind = WRITABLE.get(path.suffix.lower())
    if kind is None or (metadata and kind != "PNG"):
        raise ImageError(
            f"'{path}' has the wrong suffix: end it in {', '.join(WRITABLE)}; "
            "only .png keeps metadata."
        )
    check_free(path, overwrite)
    lossy = {"quality": 95, "subsampling": 0}  # full colour resolution: dreams are all colour
    options = {"pnginfo": _png_text(metadata)} if kind == "PNG" else lossy
    part = path.with_name(f".{uuid.uuid4().hex}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels.save(part, format=kind, **options)
        os.replace(part, path)
    except (OSError, ValueError) as error:
        raise ImageError(
            f"'{path}' could not be written ({_reason(error)}): "
            "choose another place, format or size."
        ) from error
    finally:
        if os.path.exists(part):  # something, Ctrl-C perhaps, came between
            part.unlink()
    return path


def _png_text(metadata):
    """PNG text chunks; a long text is compressed."""
    info = PngImagePlugin.PngInfo()
    for key, text in (metadata or {}).items():
        if not (
            isinstance(key, str)
            and isinstance(text, str)
            and 0 < len(key) < 80
            and key.isascii()
            and key.isprintable()
            and len(text) <= 250_000
        ):
            raise ImageError(
                f"metadata {str(key)[:40]!r} cannot be kept: keys are 1 to 79 ASCII "
                "characters, texts are str of at most 250,000."
            )
        info.add_itxt(key, text, zip=len(text) > 1000)
    return info


def read_metadata(path):
    """Text inside a PNG, dict of str to str; an `ImageError` if it is missing or no whole PNG.

    Introduced in notebook 06.
    """
    file, name = _find(Path(path))
    try:
        with Image.open(file, formats=["PNG"]) as image:
            return {str(key): str(text) for key, text in image.text.items()}
    except Exception as error:  # damaged files fail anywhere, with any exception
        raise ImageError(f"{name} is not a whole PNG: give one that dreamkit saved.") from error
