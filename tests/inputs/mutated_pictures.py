"""Loads mutated pictures: python mutated_pictures.py FIRST LAST; prints a JSON line for each.

In a process of its own, so that its memory can be measured and a crash is noticed.
"""

import io
import json
import re
import struct
import sys
import time
import zlib
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, PngImagePlugin

from dreamkit.errors import ImageError
from dreamkit.images import load_image

EXTREMES = (0, 1, 2**7, 2**8 - 1, 2**14, 2**15, 2**16 - 1, 2**24, 13_377, 2**31 - 1, 2**32 - 1)


def saved(image, kind, **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def originals():
    """{name: bytes} of small whole pictures of every kind this Pillow can write."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[0:40, 0:56]
    smooth = np.stack([x * 4, y * 6, 0 * x + 128], -1).astype(np.uint8)
    photo = Image.fromarray(smooth)
    noise = Image.fromarray(rng.integers(0, 256, (24, 30, 3), dtype=np.uint8))
    frames = [noise, noise.rotate(180), noise.rotate(90)]
    clear = Image.new("RGBA", (30, 24), (0, 0, 0, 0))
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif, text = Image.Exif(), PngImagePlugin.PngInfo()
    exif[0x0112], exif[0x010F] = 6, "maker"
    text.add_text("words", "many " * 100, zip=True)
    text.add_itxt("settings", '{"a": 1}' * 20, zip=True)
    deep = Image.fromarray(rng.integers(0, 65536, (24, 30), dtype=np.uint16))
    makers = {
        "png": lambda: saved(noise, "PNG", pnginfo=text, exif=exif, icc_profile=profile),
        "png palette": lambda: saved(noise.quantize(16), "PNG", transparency=3),
        "png 16 bit": lambda: saved(deep, "PNG"),
        "png animated": lambda: saved(clear, "PNG", save_all=True, append_images=[clear, noise]),
        "jpeg": lambda: saved(photo, "JPEG", exif=exif, icc_profile=profile),
        "jpeg progressive": lambda: saved(photo, "JPEG", progressive=True),
        "jpeg cmyk": lambda: saved(photo.convert("CMYK"), "JPEG"),
        "mpo": lambda: saved(photo, "MPO", save_all=True, append_images=[photo]),
        "gif": lambda: saved(noise, "GIF"),
        "gif animated": lambda: saved(clear, "GIF", save_all=True, append_images=frames),
        "webp": lambda: saved(photo, "WEBP", exif=exif),
        "webp lossless": lambda: saved(noise, "WEBP", lossless=True),
        "webp animated": lambda: saved(clear, "WEBP", save_all=True, append_images=frames),
        "bmp": lambda: saved(noise, "BMP"),
        "bmp run length": lambda: run_length_bmp(),
        "tiff": lambda: saved(noise, "TIFF", exif=exif),
        "tiff lzw": lambda: saved(noise, "TIFF", compression="tiff_lzw"),
        "tiff deflate": lambda: saved(noise, "TIFF", compression="tiff_adobe_deflate"),
        "tiff jpeg": lambda: saved(photo, "TIFF", compression="jpeg"),
        "tiff 16 bit": lambda: saved(deep, "TIFF"),
        "tiff float": lambda: deep_tiff(smooth.astype("f4") / 255, photometric="rgb"),
        "tiff deflated float": lambda: deep_tiff(
            smooth.astype("f2") / 255, photometric="rgb", compression="zlib"
        ),
        "tiff planes": lambda: deep_tiff(
            np.moveaxis(smooth, -1, 0).astype("u2"), photometric="rgb", planarconfig="separate"
        ),
        "avif": lambda: saved(photo, "AVIF"),
        "jpeg 2000": lambda: saved(photo, "JPEG2000"),
        "ppm": lambda: saved(noise, "PPM"),
        "ppm plain": lambda: b"P3 4 3 255\n" + b" ".join(b"%d" % n for n in range(36)),
        "ico": lambda: saved(noise, "ICO", sizes=[(16, 16), (24, 24)]),
        "ico bmp": lambda: saved(noise, "ICO", sizes=[(16, 16)], bitmap_format="bmp"),
    }
    made = {}
    for name, make in makers.items():
        try:
            made[name] = make()
        except (KeyError, OSError, ValueError):  # an older Pillow
            continue
    return made


def deep_tiff(values, **options):
    import tifffile

    file = io.BytesIO()
    tifffile.imwrite(file, values, **options)
    return file.getvalue()


def run_length_bmp():
    """4 x 4 px of palette colours, run-length encoded, with a jump in it."""
    rows = b"\4\1\0\0" + b"\2\0\2\1\0\0" + b"\0\2\1\1\1\2\0\0" + b"\4\0\0\1"
    palette = bytes(range(16))
    header = struct.pack("<IiiHHIIiiII", 40, 4, 4, 1, 8, 1, len(rows), 0, 0, 4, 4)
    start = 14 + len(header) + len(palette)
    return struct.pack("<2sIHHI", b"BM", start + len(rows), 0, 0, start) + header + palette + rows


def mutated(content, rng):
    """The bytes with one to three things wrong."""
    damaged = bytearray(content)
    for _ in range(rng.integers(1, 4)):
        place = int(rng.integers(len(damaged)))
        early = int(rng.integers(min(200, len(damaged))))
        match rng.integers(7):
            case 0:
                damaged[place] ^= 1 << rng.integers(8)
            case 1:  # a header that lies
                code = rng.choice(["<H", ">H", "<I", ">I"])
                value = rng.choice(EXTREMES) % 256 ** struct.calcsize(code)
                damaged[early : early + struct.calcsize(code)] = struct.pack(code, value)
            case 2:
                damaged = damaged[: place + 1]
            case 3:
                damaged[place:place] = rng.bytes(int(rng.integers(1, 40)))
            case 4:
                del damaged[place : place + int(rng.integers(1, 40))]
            case 5:
                damaged[place : place + 40] = rng.bytes(40)
            case 6:
                damaged[place:place] = damaged[early : early + 400]
        damaged = damaged or bytearray(b"\0")
    return bytes(damaged)


def chunk(kind, body):
    """A chunk of a PNG."""
    check = struct.pack(">I", zlib.crc32(kind + body))
    return struct.pack(">I", len(body)) + kind + body + check


def lying_png(width, height, colour, extra=0):
    """A PNG of that size by its header, with hardly a pixel in it; `extra` bytes follow."""
    import zlib

    def chunk(kind, body):
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)
    rows = chunk(b"IDAT", zlib.compress(bytes(100)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + rows + chunk(b"IEND", b"") + bytes(extra)


def peak_kilobytes():
    """The most memory this process has held; `ru_maxrss` would count its parent's."""
    return int(re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())[1])


def outcome(content, size):
    try:
        picture = load_image(content, size)
    except ImageError as error:
        return f"refused: {error}"
    good = picture.dtype == np.float32 and picture.ndim == 3 and np.isfinite(picture).all()
    return "loaded" if good and picture.min() >= 0 and picture.max() <= 1 else "a wrong picture"


def main(first, last):
    pictures = originals()
    for number in range(first, last):
        rng = np.random.default_rng(number)
        name = list(pictures)[number % len(pictures)]
        content = mutated(pictures[name], rng)
        started = time.process_time()  # not other programs' time
        try:
            result = outcome(content, (None, 8, 300)[number % 3])
        except Exception as error:
            result = f"{type(error).__name__}: {error}"
        seconds = time.process_time() - started
        row = dict(
            number=number, name=name, result=result, seconds=seconds, kilobytes=peak_kilobytes()
        )
        print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
