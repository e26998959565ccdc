"""Pictures' files: whatever else is in them, whole pixels are read, and nothing else does harm."""

import io
import itertools
import json
import os
import struct
import subprocess
import sys
from pathlib import Path

import mutated_pictures
import numpy as np
import pytest
import tifffile
from mutated_pictures import chunk, deep_tiff, lying_png, originals, saved
from PIL import Image, PngImagePlugin

from dreamkit import ImageError, load_image
from dreamkit.inputs import reading
from dreamkit.profiles import PROFILES
from dreamkit.runs import pictures

ROOT = Path(__file__).parents[2]


@pytest.fixture
def pixels():
    """24 x 30 px of noise, uint8."""
    return np.random.default_rng(0).integers(0, 256, (24, 30, 3), dtype=np.uint8)


# ---------------------------------------------------------------- metadata


def test_much_metadata_does_not_spoil_a_png(pixels):
    text = PngImagePlugin.PngInfo()
    text.add_text("workflow", '{"a":1}' * 200_000, zip=True)
    content = saved(Image.fromarray(pixels), "PNG", pnginfo=text)
    np.testing.assert_array_equal(load_image(content), pixels / np.float32(255))


def test_a_huge_colour_profile_does_not_spoil_a_png(pixels):
    content = saved(Image.fromarray(pixels), "PNG", icc_profile=bytes(20_000_000))
    np.testing.assert_array_equal(load_image(content), pixels / np.float32(255))


@pytest.mark.parametrize("seed", range(60))
def test_a_damaged_chunk_of_metadata_does_not_spoil_a_png(pixels, seed):
    rng = np.random.default_rng(seed)
    whole = saved(Image.fromarray(pixels), "PNG")
    kind = rng.choice(
        [b"tEXt", b"zTXt", b"iTXt", b"iCCP", b"pHYs", b"gAMA", b"cHRM", b"sRGB", b"tIME"]
    )
    part = bytearray(chunk(bytes(kind), rng.bytes(int(rng.integers(0, 60)))))
    if rng.random() < 0.5:
        part[-1] ^= 1  # a wrong checksum
    content = whole[:33] + bytes(part) + whole[33:]
    np.testing.assert_array_equal(load_image(content), pixels / np.float32(255))


def test_a_png_turned_by_its_metadata_stays_upright_without_the_rest():
    exif, text = Image.Exif(), PngImagePlugin.PngInfo()
    exif[0x0112] = 6
    text.add_text("workflow", "a" * 2_000_000, zip=True)
    content = saved(Image.new("RGB", (30, 20)), "PNG", exif=exif, pnginfo=text)
    assert load_image(content).shape == (30, 20, 3)


# ---------------------------------------------------------------- frames


def frames(*colours):
    return [Image.new("RGBA", (16, 16), colour) for colour in colours]


@pytest.mark.parametrize("kind", ["WEBP", "GIF", "PNG"])
def test_the_first_frame_that_shows_something_is_taken(kind):
    clear, white, red, blue = frames((0, 0, 0, 0), "white", "red", "blue")
    more = [white, red, blue]
    content = saved(clear, kind, save_all=True, append_images=more, duration=100)
    for size in (None, 8):
        np.testing.assert_allclose(load_image(content, size)[4, 4], [1, 0, 0], atol=0.01)


def test_the_first_page_that_shows_something_is_taken():
    blank, page = Image.new("L", (16, 20), 255), Image.new("L", (16, 20), 51)
    content = saved(blank, "TIFF", save_all=True, append_images=[page])
    np.testing.assert_allclose(load_image(content), 0.2, atol=1e-6)


@pytest.mark.parametrize("kind", ["WEBP", "GIF", "PNG", "TIFF", "JPEG"])
def test_a_picture_that_is_all_white_is_just_that(kind):
    white = Image.new("RGB", (16, 16), "white")
    assert (load_image(saved(white, kind)) == 1).all()
    if kind != "JPEG":
        assert (load_image(saved(white, kind, save_all=True, append_images=[white])) == 1).all()


def test_an_animation_cut_off_after_a_blank_frame_is_blank():
    clear, red = frames((0, 0, 0, 0), "red")
    content = saved(clear, "GIF", save_all=True, append_images=[red])
    assert (load_image(content[:-12] + b";") <= 1).all()


# ---------------------------------------------------------------- TIFF


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
@pytest.mark.parametrize("options", [{}, {"compression": "zlib"}, {"byteorder": ">"}], ids=str)
def test_a_tiff_with_colours_in_floats_is_taken_as_it_is(pixels, dtype, options):
    values = (pixels / 255).astype(dtype)
    content = deep_tiff(values, photometric="rgb", **options)
    np.testing.assert_allclose(load_image(content), values.astype("f4"), atol=1e-7)
    assert load_image(content, 15).shape == (12, 15, 3)


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("photometric", ["minisblack", "miniswhite"])
@pytest.mark.parametrize("dtype", ["u1", "u2", "f4"])
def test_a_grey_tiff_is_the_right_way_round(byteorder, compression, photometric, dtype):
    white = {"u1": 255, "u2": 65535, "f4": 1}[dtype]
    values = (np.random.default_rng(1).integers(0, 256, (8, 9)) / 255 * white).astype(dtype)
    content = deep_tiff(
        values, photometric=photometric, byteorder=byteorder, compression=compression
    )
    shown = values / white
    shown = 1 - shown if photometric == "miniswhite" else shown
    np.testing.assert_allclose(load_image(content)[..., 0], shown, atol=1e-6)


@pytest.mark.parametrize("photometric", ["rgb", "minisblack", "miniswhite"])
@pytest.mark.parametrize("planes", ["contig", "separate"])
def test_16_bit_colours_are_read_in_every_layout(photometric, planes):
    values = np.random.default_rng(2).integers(0, 65536, (24, 30, 3), dtype=np.uint16)
    stored = np.moveaxis(values, -1, 0) if planes == "separate" else values
    content = deep_tiff(stored, photometric=photometric, planarconfig=planes)
    shown = values / 65535
    shown = 1 - shown if photometric == "miniswhite" else shown
    np.testing.assert_allclose(load_image(content), shown, atol=1 / 255)


def test_rows_that_tifffile_wrote_as_pages_are_put_together():
    values = np.random.default_rng(3).integers(0, 65535, (48, 64, 3), dtype=np.uint16)
    content = deep_tiff(values, photometric="minisblack")
    with tifffile.TiffFile(io.BytesIO(content)) as opened:
        assert len(opened.pages) == 48, "else this is not the case meant here"
    np.testing.assert_allclose(load_image(content), values / 65535, atol=1e-6)


def test_a_tiff_with_deep_alpha_is_composited_over_white():
    values = np.zeros((2, 2, 4), np.float32)
    values[..., 3] = 0.25
    content = deep_tiff(values, photometric="rgb", extrasamples=["unassalpha"])
    np.testing.assert_allclose(load_image(content), 0.75, atol=1e-6)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_deep_tiff_is_turned_upright_as_pillow_turns_a_shallow_one(pixels, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    expected = load_image(saved(Image.fromarray(pixels), "TIFF", exif=exif))
    deep = deep_tiff(
        (pixels / 255).astype("f4"),
        photometric="rgb",
        extratags=[(274, "H", 1, orientation, True)],
    )
    np.testing.assert_allclose(load_image(deep), expected, atol=1e-6)


# ---------------------------------------------------------------- HEIC


def test_heic_without_its_package_is_called_by_its_name(monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    content = struct.pack(">I", 28) + b"ftypheic\0\0\0\0mif1heicmiaf" + bytes(200)
    with pytest.raises(ImageError, match=r"is a HEIC picture.*pip install pillow-heif.*JPEG\."):
        load_image(content)


def test_heic_is_read_with_its_package():
    pillow_heif = pytest.importorskip("pillow_heif", reason="pillow-heif is not installed")
    y, x = np.mgrid[0:64, 0:96]
    smooth = np.stack([x * 2.6, y * 3.9, 0 * x + 128], -1).astype(np.uint8)
    file = io.BytesIO()
    pillow_heif.from_pillow(Image.fromarray(smooth)).save(file, quality=95)
    assert np.abs(load_image(file.getvalue()) - smooth / 255).mean() < 2 / 255


# ---------------------------------------------------------------- large pictures


def test_a_large_picture_is_decoded_small_where_only_a_limit_is_given(tmp_path):
    y, x = np.mgrid[0:900, 0:1200]
    smooth = np.stack([x / 5, y / 4, 0 * x + 99], -1).astype(np.uint8)
    for kind in ("JPEG", "PNG"):
        content = saved(Image.fromarray(smooth), kind)
        assert load_image(content, largest=1200).shape == (900, 1200, 3)
        small = load_image(content, largest=100)
        assert small.shape == (75, 100, 3)
        assert np.abs(small - load_image(content, 100)).mean() < 1 / 255
    assert load_image(smooth, largest=100).shape == (900, 1200, 3)


def test_a_huge_picture_is_not_decoded_whole_where_a_limit_is_given(tmp_path):
    """18 million pixels take 216 MB as a picture, and half as much again on the way there."""
    path = tmp_path / "huge.jpg"
    Image.radial_gradient("L").resize((6000, 3000)).convert("RGB").save(path, quality=50)
    code = f"""
from mutated_pictures import peak_kilobytes
from dreamkit import load_image
before = peak_kilobytes()
print(*load_image({str(path)!r}, largest=1024).shape, peak_kilobytes() - before)
"""
    height, width, _, kilobytes = map(int, python("-c", code).stdout.split())
    assert (height, width) == (512, 1024)
    assert kilobytes < 128 * 1024  # the libraries that are loaded meanwhile are in it


def test_a_recipes_painting_and_guide_have_a_limit_that_no_use_of_them_reaches(monkeypatch):
    limits = {}

    def load(source, size=None, largest=None):
        limits[source] = size, largest
        return np.zeros((48, 64, 3), np.float32)

    monkeypatch.setattr(pictures, "load_image", load)
    small, large = np.zeros((64, 96, 3)), np.zeros((900, 2000, 3))
    given = dict(style="mosaic", guide="coffee", size=None, profile=PROFILES["ci"])
    pictures.open_picture("style", "mosaic", {**given, "content": small})
    pictures.open_picture("guide", "coffee", {**given, "image": large})
    assert limits == {"mosaic": (None, 4096), "coffee": (None, 8000)}


def test_pictures_given_as_data_are_not_noted_by_their_data():
    assert pictures.noted("data:image/png;base64,abc") is None
    assert pictures.noted("coffee") == "coffee"
    assert pictures.noted(Path("a.png")) == "a.png"
    assert pictures.noted(np.zeros((2, 2))) is None


# ---------------------------------------------------------------- hostile files


def python(*arguments):
    paths = os.pathsep.join([str(ROOT), str(Path(__file__).parent)])
    environment = {**os.environ, "PYTHONPATH": paths}
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=True,
    )


def assert_harmless(first, last):
    """Mutated pictures `first` to `last` are loaded or refused, quickly and in little memory."""
    run = python(mutated_pictures.__file__, first, last)
    rows = [json.loads(line) for line in run.stdout.splitlines()]
    assert [row["number"] for row in rows] == list(range(first, last))
    for row in rows:
        assert row["result"] == "loaded" or row["result"].startswith("refused: "), row
        assert ". " not in row["result"], row
        assert row["seconds"] < 5, row
        assert row["kilobytes"] < 2**20, row
    return [row["result"] for row in rows]


def test_100_mutated_pictures_are_loaded_or_refused(tried):
    results = assert_harmless(0, 100)
    tried("mutated pictures", 100)
    assert 10 < results.count("loaded") < 90, "else the mutations are too weak or too strong"


@pytest.mark.slow
def test_1000_mutated_pictures_are_loaded_or_refused(tried):
    results = assert_harmless(0, 1000)
    assert 100 < results.count("loaded") < 900
    tried("mutated pictures", 1000)


def test_the_mutated_pictures_are_of_every_kind_that_is_read():
    kinds = {
        Image.open(io.BytesIO(content)).format
        for content in originals().values()
        if readable(content)
    }
    known = {kind for kind in reading.READABLE if kind in Image.OPEN}
    assert known - {"AVIF", "JPEG2000"} <= kinds


def readable(content):
    try:
        return Image.open(io.BytesIO(content)) is not None
    except OSError:  # a TIFF for tifffile
        return False


SIZES = [(178_956_970, 1), (1, 178_956_970), (13_377, 13_377)]
COLOURS = dict(grey=0, rgb=2, palette=3, grey_alpha=4, rgb_alpha=6)


@pytest.mark.parametrize("colour", COLOURS.values(), ids=COLOURS.keys())
@pytest.mark.parametrize(
    ("width", "height"), [(178_956_970, 1), (1, 178_956_970), (13_377, 13_377)]
)
def test_a_header_that_lies_is_one_sentence(width, height, colour):
    for extra in (0, 50_000):
        with pytest.raises(ImageError, match=rf"a trap, with {width} x {height} px in"):
            load_image(lying_png(width, height, colour, extra))


@pytest.mark.slow
@pytest.mark.parametrize("name", originals())
def test_a_header_that_lies_as_well_as_it_can_takes_little_memory(name, tmp_path):
    """Each kind claims 4,000 x 4,000 px, which is not refused at once, by any two numbers in it."""
    content = originals()[name]
    lies = []
    for code, (first, second) in itertools.product("<>", [("H", "H"), ("I", "I")]):
        step = struct.calcsize(code + first + second)
        for start in range(min(300, len(content) - step)):
            claim = struct.pack(code + first + second, 4000, 4000)
            lies.append(content[:start] + claim + content[start + step :])
    (tmp_path / "lies.txt").write_text("\n".join(lie.hex() for lie in lies))
    code = f"""
import time
from mutated_pictures import peak_kilobytes
from dreamkit import ImageError, load_image
slowest = 0
for line in open({str(tmp_path / "lies.txt")!r}):
    started = time.process_time()  # not other programs' time
    try:
        load_image(bytes.fromhex(line), 300)
    except ImageError:
        pass
    slowest = max(slowest, time.process_time() - started)
print(slowest, peak_kilobytes())
"""
    seconds, kilobytes = map(float, python("-c", code).stdout.split())
    assert seconds < 5
    assert kilobytes < 2**20


def test_a_lack_of_memory_is_one_sentence(monkeypatch, pixels):
    def no_memory(*_):
        raise MemoryError

    monkeypatch.setattr(reading, "_values", no_memory)
    with pytest.raises(ImageError, match="needs more memory than there is: make it smaller"):
        load_image(saved(Image.fromarray(pixels), "PNG"))
