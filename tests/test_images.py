"""Pictures in and out: every kind of file loads correctly, and every error says how to fix it."""

import contextlib
import http.server
import io
import os
import re
import struct
import subprocess
import sys
import threading
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from dreamkit.errors import DivergedError, DreamkitError, ImageError
from dreamkit.images import check_image, image_digest, load_image, read_metadata, resize, save_image
from dreamkit.inputs import samples as sample_module
from dreamkit.inputs import web
from dreamkit.inputs.samples import samples

STEP = 1 / 255


@pytest.fixture
def pixels():
    """6 x 9 px of noise, uint8."""
    return np.random.default_rng(0).integers(0, 256, (6, 9, 3), dtype=np.uint8)


def photo(height, width):
    """A smooth colour picture, which lossy formats keep well."""
    y, x = np.mgrid[0:height, 0:width]
    bands = [x / max(width - 1, 1), y / max(height - 1, 1), 0.5 + 0 * x]
    return np.rint(255 * np.stack(bands, -1)).astype(np.uint8)


def png(header, rows, *chunks):
    """A PNG written by hand, for what Pillow cannot write."""

    def chunk(kind, body):
        check = zlib.crc32(kind + body)
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", check)

    parts = [(b"IHDR", header), *chunks, (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def png16(values):
    """PNG of (H, W) or (H, W, 3) uint16 values."""
    colour = 2 if values.ndim == 3 else 0
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    return png(struct.pack(">IIBBBBB", values.shape[1], values.shape[0], 16, colour, 0, 0, 0), rows)


def refusal(source, *words, call=load_image, **kwargs):
    """The ImageError's message, which must be one sentence that contains all of `words`."""
    with pytest.raises(ImageError) as caught:
        call(source, **kwargs)
    message = str(caught.value)
    assert re.fullmatch(r"[A-Z'\"].*: .*[.?]", message), message
    assert ". " not in message, message
    for word in words:
        assert str(word) in message, message
    return message


def assert_picture(picture, shape=None):
    assert picture.dtype == np.float32
    assert picture.ndim == 3
    assert picture.shape[2] == 3
    assert picture.flags.c_contiguous
    assert picture.min() >= 0
    assert picture.max() <= 1
    assert shape is None or picture.shape == shape


# ---------------------------------------------------------------- formats


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif", ".webp", ".ppm"])
def test_a_lossless_file_gives_its_exact_pixels(tmp_path, pixels, suffix):
    Image.fromarray(pixels).save(tmp_path / f"a{suffix}", lossless=True)
    picture = load_image(tmp_path / f"a{suffix}")
    assert_picture(picture, (6, 9, 3))
    np.testing.assert_allclose(picture, pixels / 255, atol=1e-6)


@pytest.mark.parametrize("suffix", [".jpg", ".webp", ".avif", ".jp2"])
def test_a_lossy_file_gives_nearly_its_exact_pixels(tmp_path, suffix):
    try:
        Image.fromarray(photo(64, 96)).save(tmp_path / f"a{suffix}", quality=95)
    except (ValueError, KeyError, OSError):
        pytest.skip(f"this Pillow writes no {suffix}")
    picture = load_image(tmp_path / f"a{suffix}")
    assert_picture(picture, (64, 96, 3))
    assert np.abs(picture - photo(64, 96) / 255).mean() < 2 * STEP


def test_grey_is_spread_over_three_channels(tmp_path, pixels):
    Image.fromarray(pixels[..., 0]).save(tmp_path / "a.png")
    picture = load_image(tmp_path / "a.png")
    np.testing.assert_allclose(picture, np.repeat(pixels[..., :1], 3, 2) / 255, atol=1e-6)


def test_black_and_white_is_0_and_1(tmp_path):
    Image.fromarray(np.array([[True, False]])).save(tmp_path / "a.png")
    assert load_image(tmp_path / "a.png").tolist() == [[[1, 1, 1], [0, 0, 0]]]


def test_rgba_is_composited_over_white(tmp_path):
    rgba = np.array([[[255, 0, 0, 255], [255, 0, 0, 0], [0, 0, 255, 51]]], np.uint8)
    Image.fromarray(rgba).save(tmp_path / "a.png")
    expected = [[[1, 0, 0], [1, 1, 1], [0.8, 0.8, 1]]]
    np.testing.assert_allclose(load_image(tmp_path / "a.png"), expected, atol=STEP)
    np.testing.assert_allclose(load_image(rgba), expected, atol=1e-6)


def test_rgba_is_composited_over_white_when_shrunk(tmp_path):
    rgba = np.zeros((400, 400, 4), np.uint8)
    Image.fromarray(rgba).save(tmp_path / "a.png")
    assert (load_image(tmp_path / "a.png", size=10) == 1).all()


def test_grey_with_alpha_is_composited_over_white(tmp_path):
    Image.new("LA", (2, 2), (0, 51)).save(tmp_path / "a.png")
    np.testing.assert_allclose(load_image(tmp_path / "a.png"), 0.8, atol=STEP)


def test_a_palette_gives_its_colours(tmp_path):
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 200, 100, 50])
    image.putpixel((1, 0), 1)
    image.save(tmp_path / "a.png")
    expected = np.array([[[10, 20, 30], [200, 100, 50]]]) / 255
    np.testing.assert_allclose(load_image(tmp_path / "a.png"), expected, atol=1e-6)


@pytest.mark.parametrize("transparency", [0, b"\x00\xff"])
def test_a_palettes_transparent_colour_is_white(tmp_path, transparency):
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 200, 100, 50])
    image.putpixel((1, 0), 1)
    image.save(tmp_path / "a.png", transparency=transparency)
    expected = np.array([[[255, 255, 255], [200, 100, 50]]]) / 255
    np.testing.assert_allclose(load_image(tmp_path / "a.png"), expected, atol=1e-6)


def test_a_transparent_colour_key_is_white(tmp_path):
    Image.fromarray(np.array([[[1, 2, 3], [4, 5, 6]]], np.uint8)).save(
        tmp_path / "a.png", transparency=(1, 2, 3)
    )
    expected = np.array([[[255, 255, 255], [4, 5, 6]]]) / 255
    np.testing.assert_allclose(load_image(tmp_path / "a.png"), expected, atol=1e-6)


@pytest.mark.parametrize("suffix", [".jpg", ".tif"])
def test_cmyk_is_converted_to_rgb(tmp_path, suffix):
    ink = (0, 255, 255, 0)  # magenta and yellow make red
    Image.new("CMYK", (16, 16), ink).save(tmp_path / f"a{suffix}")
    np.testing.assert_allclose(load_image(tmp_path / f"a{suffix}")[8, 8], [1, 0, 0], atol=3 * STEP)


def test_an_adobe_cmyk_jpeg_is_inverted_in_the_file_and_not_in_the_picture(tmp_path):
    Image.new("CMYK", (16, 16), (0, 0, 0, 0)).save(tmp_path / "a.jpg")
    assert b"Adobe" in (tmp_path / "a.jpg").read_bytes()
    np.testing.assert_allclose(load_image(tmp_path / "a.jpg"), 1, atol=2 * STEP)


def test_16_bit_grey_is_scaled_and_not_clipped(tmp_path):
    values = np.array([[0, 257, 32768, 65535]], np.uint16)
    (tmp_path / "a.png").write_bytes(png16(values))
    Image.fromarray(values).save(tmp_path / "a.tif")
    expected = np.repeat(values[..., None] / 65535, 3, 2)
    np.testing.assert_allclose(load_image(tmp_path / "a.png"), expected, atol=1e-6)
    np.testing.assert_allclose(load_image(tmp_path / "a.tif"), expected, atol=1e-6)


def test_a_big_endian_16_bit_file_is_not_byte_swapped(tmp_path):
    Image.frombytes("I;16B", (2, 1), struct.pack(">HH", 1000, 60000)).save(tmp_path / "a.tif")
    expected = [1000 / 65535, 60000 / 65535]
    np.testing.assert_allclose(load_image(tmp_path / "a.tif")[0, :, 0], expected, atol=1e-6)


def test_32_bit_integers_that_hold_16_are_scaled_by_16(tmp_path):
    image = Image.fromarray(np.array([[0, 65535]], np.int32))
    assert image.mode == "I"
    assert load_image(image)[0, :, 0].tolist() == [0, 1]
    refusal(Image.fromarray(np.array([[0, 70000]], np.int32)), "The PIL image", "uint8")


def test_16_bit_rgb_is_scaled_and_not_clipped(tmp_path):
    values = np.array([[[0, 128 * 257, 65535], [257, 30000, 65000]]], np.uint16)
    (tmp_path / "a.png").write_bytes(png16(values))
    np.testing.assert_allclose(load_image(tmp_path / "a.png"), values / 65535, atol=STEP)


def test_a_float_tiff_in_0_to_1_is_taken_as_it_is(tmp_path):
    values = np.array([[0.0, 0.123456, 1.0]], np.float32)
    Image.fromarray(values).save(tmp_path / "a.tif")
    np.testing.assert_allclose(load_image(tmp_path / "a.tif")[..., 1], values, atol=1e-7)


def test_a_float_tiff_beyond_1_is_refused(tmp_path):
    Image.fromarray(np.array([[0.0, 255.0]], np.float32)).save(tmp_path / "a.tif")
    refusal(tmp_path / "a.tif", "a.tif", "divide by 255")


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp"])
@pytest.mark.parametrize("size", [None, 40])
def test_exif_turns_the_picture_upright(tmp_path, suffix, size):
    stored = np.zeros((80, 120, 3), np.uint8)
    stored[:, :60] = 255  # white on the left, which orientation 6 turns to the top
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(stored).save(tmp_path / f"a{suffix}", exif=exif)
    picture = load_image(tmp_path / f"a{suffix}", size)
    height, width = picture.shape[:2]
    assert (height, width) == ((120, 80) if size is None else (40, 27))
    assert picture[: height // 3].mean() > 0.97
    assert picture[-height // 3 :].mean() < 0.03


def test_broken_exif_is_ignored(tmp_path):
    Image.fromarray(photo(16, 16)).save(tmp_path / "a.jpg", exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    assert_picture(load_image(tmp_path / "a.jpg"), (16, 16, 3))


def test_an_animation_gives_its_first_frame(tmp_path):
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "lime", "blue")]
    for name in ("a.gif", "a.webp", "a.tif"):
        options = {"lossless": True} if name == "a.webp" else {}
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:], **options)
        np.testing.assert_allclose(load_image(tmp_path / name)[4, 4], [1, 0, 0], atol=1e-6)


def test_a_colour_profile_is_converted_to_srgb():
    """The rocket is in Adobe RGB: undo its gamma, convert the primaries, apply sRGB's curve."""
    file = samples()["rocket"].file
    with Image.open(file) as image:
        assert "Adobe RGB" in str(
            ImageCms.getProfileDescription(
                ImageCms.getOpenProfile(io.BytesIO(image.info["icc_profile"]))
            )
        )
        stored = np.asarray(image) / 255
    to_xyz = np.array(
        [[0.57667, 0.18556, 0.18823], [0.29734, 0.62736, 0.07529], [0.02703, 0.07069, 0.99134]]
    )
    from_xyz = np.array(
        [[3.24097, -1.53738, -0.49861], [-0.96924, 1.87597, 0.04156], [0.05563, -0.20398, 1.05697]]
    )
    light = np.clip(stored ** (563 / 256) @ (from_xyz @ to_xyz).T, 0, 1)
    expected = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    assert np.abs(load_image("rocket") - expected).mean() < STEP
    assert np.abs(stored - expected).mean() > 2 * STEP


def test_an_srgb_profile_changes_nothing(tmp_path, pixels):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.fromarray(pixels).save(tmp_path / "a.png", icc_profile=profile)
    np.testing.assert_allclose(load_image(tmp_path / "a.png"), pixels / 255, atol=1.01 * STEP)


def test_a_broken_profile_is_ignored(tmp_path, pixels):
    Image.fromarray(pixels).save(tmp_path / "a.png", icc_profile=b"not a profile")
    np.testing.assert_allclose(load_image(tmp_path / "a.png"), pixels / 255, atol=1e-6)


def test_a_profile_of_another_colour_space_is_ignored(tmp_path, pixels):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.fromarray(pixels[..., 0]).save(tmp_path / "a.png", icc_profile=profile)
    picture = load_image(tmp_path / "a.png")
    np.testing.assert_allclose(picture[..., 0], pixels[..., 0] / 255, atol=1e-6)


def test_lab_is_converted_to_rgb(tmp_path):
    Image.new("LAB", (4, 4), (255, 128, 128)).save(tmp_path / "a.tif")  # lightest, no hue
    np.testing.assert_allclose(load_image(tmp_path / "a.tif"), 1, atol=3 * STEP)


# ---------------------------------------------------------------- sources


def test_every_kind_of_source_gives_the_same_picture(tmp_path, pixels, monkeypatch):
    path = tmp_path / "a.png"
    Image.fromarray(pixels).save(path)
    monkeypatch.setenv("HOME", str(tmp_path))
    sources = [
        path,
        str(path),
        "~/a.png",
        path.read_bytes(),
        bytearray(path.read_bytes()),
        Image.open(path),
        Image.fromarray(pixels),
        pixels,
        pixels / 255,
        (pixels / 255).astype(np.float16),
        pixels.astype(np.uint16) * 257,
    ]
    for source in sources:
        picture = load_image(source)
        assert_picture(picture, (6, 9, 3))
        np.testing.assert_allclose(picture, pixels / 255, atol=1e-3)


def test_an_array_with_the_array_protocol_is_taken(pixels):
    class Tensor:
        def __array__(self, dtype=None, copy=None):
            return pixels

    np.testing.assert_allclose(load_image(Tensor()), pixels / 255, atol=1e-6)


def test_arrays_of_every_shape_and_type_are_taken():
    assert (load_image(np.array([[True, False]]))[0, :, 0] == [1, 0]).all()
    assert_picture(load_image(np.zeros((3, 4))), (3, 4, 3))
    assert_picture(load_image(np.zeros((3, 4, 1), np.uint16)), (3, 4, 3))
    assert (load_image(np.zeros((3, 4, 4))) == 1).all()


def test_a_pil_image_is_not_changed(pixels):
    image = Image.fromarray(np.kron(pixels, np.ones((40, 40, 1), np.uint8)))
    before = image.copy()
    load_image(image, size=5)
    assert image.size == before.size
    assert image.tobytes() == before.tobytes()


def test_an_array_is_neither_changed_nor_shared(pixels):
    array = pixels / np.float32(255)
    picture = load_image(array)
    picture[:] = 0
    np.testing.assert_array_equal(array, pixels / np.float32(255))


@pytest.fixture
def site(monkeypatch):
    """A site with a picture, a page, a truncated reply, and otherwise nothing."""
    picture = io.BytesIO()
    Image.fromarray(photo(8, 12)).save(picture, "PNG")
    pages = {
        "/a.png": picture.getvalue(),
        "/page": b"<html>hello</html>",
        "/big": b"x" * 5000,
        "/%C3%A9%20b.png": picture.getvalue(),
    }

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            if self.path == "/slow":
                time.sleep(2)
            body = pages.get(self.path, b"")
            self.send_response(200 if body or self.path == "/cut" else 404)
            self.send_header("Content-Length", str(len(body) + 9 * (self.path == "/cut")))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    for variable in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=[0.02], daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_an_address_is_fetched(site):
    np.testing.assert_allclose(load_image(f"{site}/a.png"), photo(8, 12) / 255, atol=1e-6)
    assert_picture(load_image(f"{site}/é b.png"), (8, 12, 3))


def test_a_missing_page_is_reported_as_404(site):
    refusal(f"{site}/missing.png", f"{site}/missing.png", "404", "check the address")


def test_an_address_of_a_page_is_not_a_picture(site):
    refusal(f"{site}/page", f"{site}/page", "not a picture")


def test_an_address_that_is_too_large_is_refused(site, monkeypatch):
    monkeypatch.setattr(web, "MAX_DOWNLOAD", 1000)
    refusal(f"{site}/big", "/big", "MB", "smaller")


def test_an_address_that_does_not_answer_times_out(site, monkeypatch):
    monkeypatch.setattr(web, "TIMEOUT", 0.2)
    refusal(f"{site}/slow", "/slow", "timed out")


@pytest.mark.parametrize(
    "address",
    ["http://127.0.0.1:1/a.png", "http://", "http://[bad/a.png", "http://127.0.0.1:port/a.png"],
)
def test_an_unreachable_address_is_refused(address, site):
    refusal(address, address, "could not be fetched")


def test_a_reply_cut_short_is_refused(site):
    refusal(f"{site}/cut", "/cut")


# ---------------------------------------------------------------- refusals


def test_a_misspelt_sample_suggests_the_right_one():
    refusal("coffe", "'coffe'", "did you mean the sample 'coffee'")


def test_a_missing_file_is_named(tmp_path):
    refusal(tmp_path / "none.png", "none.png", "not found", "check the path")
    refusal("", "not found")
    refusal("x" * 5000, "not found")
    refusal("a\0b", "not found")


def test_a_folder_is_refused(tmp_path):
    refusal(tmp_path, tmp_path, "is a folder", "inside")


def test_an_empty_file_is_refused(tmp_path):
    (tmp_path / "a.png").touch()
    refusal(tmp_path / "a.png", "a.png", "is empty", "give a")
    refusal(b"", "The bytes object", "is empty")


def test_a_file_that_is_not_a_picture_is_refused(tmp_path):
    (tmp_path / "a.png").write_text("hello " * 100)
    refusal(tmp_path / "a.png", "a.png", "not a picture", "PNG")
    refusal(bytes(range(256)), "The bytes object", "not a picture")


def test_a_file_pillow_would_hand_to_another_program_is_refused(tmp_path):
    (tmp_path / "a.eps").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")
    refusal(tmp_path / "a.eps", "not a picture")


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".gif", ".webp", ".tif", ".bmp"])
def test_a_truncated_file_is_refused(tmp_path, pixels, suffix):
    path = tmp_path / f"a{suffix}"
    Image.fromarray(np.kron(pixels, np.ones((9, 9, 1), np.uint8))).save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    refusal(path, f"a{suffix}", "truncated picture", "get a new copy")


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".gif", ".webp", ".tif", ".bmp"])
def test_a_damaged_file_gives_a_picture_or_a_refusal(tmp_path, suffix):
    rng = np.random.default_rng(1)
    path = tmp_path / f"a{suffix}"
    Image.fromarray(photo(20, 30)).save(path)
    intact = np.frombuffer(path.read_bytes(), np.uint8)
    for _ in range(60):
        damaged = intact.copy()
        damaged[rng.integers(0, len(intact), 4)] = rng.integers(0, 256, 4)
        with contextlib.suppress(ImageError):
            assert_picture(load_image(damaged.tobytes(), size=8))


def test_a_decompression_bomb_is_refused_before_it_is_decoded(tmp_path):
    bomb = png(struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0), b"")
    (tmp_path / "a.png").write_bytes(bomb)
    refusal(tmp_path / "a.png", "a.png", "178,956,970 pixels", "smaller")


def test_a_bomb_is_refused_even_if_pillows_limit_is_off(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    refusal(png(struct.pack(">IIBBBBB", 20_000, 20_000, 8, 2, 0, 0, 0), b""), "178,956,970 pixels")


def test_a_large_photo_within_our_limit_gives_no_warning(recwarn, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)  # Pillow warns from here to twice that
    header = struct.pack(">IIBBBBB", 40, 40, 1, 0, 0, 0, 0)
    grey = png(header, bytes(40 * 6))
    assert_picture(load_image(grey, size=20), (20, 20, 3))
    assert not recwarn.list


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_refused(bad):
    array = np.zeros((4, 4, 3))
    array[1, 2, 0] = bad
    refusal(array, "The array", "NaN or infinite", "nan_to_num")


@pytest.mark.parametrize("shape", [(), (3,), (2, 2, 2), (2, 2, 5), (1, 4, 4, 3), (0, 4, 3), (4, 0)])
def test_a_wrong_shape_is_refused(shape):
    refusal(np.zeros(shape), "The array", str(shape), "(height, width, 3)")


@pytest.mark.parametrize("values", [np.array([[0.0, 255.0]]), np.array([[-1.0, 1.0]])])
def test_floats_outside_0_to_1_are_refused(values):
    refusal(values, "The array", "divide by 255")


def test_rounding_just_beyond_1_is_clipped():
    assert load_image(np.array([[-1e-6, 1 + 1e-6]]))[0, :, 0].tolist() == [0, 1]


@pytest.mark.parametrize("dtype", [np.int64, complex, object, "U3"])
def test_other_types_of_array_are_refused(dtype):
    refusal(np.zeros((2, 2), dtype), "The array", "uint8")


@pytest.mark.parametrize("source", [None, 7, 1.5, [[0, 1]], {"a": 1}, object()])
def test_an_unsupported_source_is_refused(source):
    refusal(source, type(source).__name__, "give")


@pytest.mark.parametrize("size", [0, -1, 1.5, "big", True, (10, 10), np.nan])
def test_an_invalid_size_is_refused(size, pixels):
    refusal(pixels, "Size", "at least 1", size=size)
    refusal("coffee", "Size", "at least 1", size=size)


def test_a_size_that_is_too_large_is_refused():
    refusal("chelsea", "smaller", size=10**6)


# ---------------------------------------------------------------- size


@pytest.mark.parametrize(
    "shape", [(30, 45), (45, 30), (1, 12_000), (12_000, 1), (1, 1), (999, 1000)]
)
@pytest.mark.parametrize("size", [1, 7, 64, 200])
@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_size_is_the_longest_side_and_the_aspect_is_kept(tmp_path, shape, size, suffix):
    path = tmp_path / f"a{suffix}"
    Image.fromarray(photo(*shape)).save(path)
    height, width = (max(1, round(side * size / max(shape))) for side in shape)
    for source in (path, photo(*shape)):
        assert_picture(load_image(source, size), (height, width, 3))


def test_a_file_and_its_array_agree_when_shrunk(tmp_path):
    array = photo(600, 901)
    Image.fromarray(array).save(tmp_path / "a.png")
    Image.fromarray(array).save(tmp_path / "a.jpg", quality=95)
    expected = load_image(array, 50)
    assert np.abs(load_image(tmp_path / "a.png", 50) - expected).max() < 2 * STEP
    assert np.abs(load_image(tmp_path / "a.jpg", 50) - expected).max() < 4 * STEP


def test_shrinking_averages_out_a_fine_pattern():
    checks = np.indices((256, 256)).sum(0) % 2
    small = resize(np.repeat(checks[..., None], 3, 2).astype(float), 32)
    np.testing.assert_allclose(small[2:-2, 2:-2], 0.5, atol=0.01)


def test_enlarging_is_smooth_and_stays_in_range():
    edge = np.zeros((8, 8, 3))
    edge[:, 4:] = 1
    large = resize(edge, 64)
    assert_picture(large, (64, 64, 3))
    assert np.diff(large[32, :, 0]).max() < 0.25


@pytest.mark.parametrize("size", [3, 16, 100, (5, 40)])
def test_a_flat_picture_stays_flat(size):
    np.testing.assert_allclose(resize(np.full((16, 16, 3), 0.3), size), 0.3, atol=1e-6)


def test_resize_takes_height_and_width():
    assert_picture(resize(np.zeros((10, 20, 3)), (7, 5)), (7, 5, 3))
    refusal(np.zeros((4, 4, 3)), "Size", call=resize, size=(7, 0))
    refusal(np.zeros((4, 4, 3)), "Size", call=resize, size=(7, 7, 7))


def test_resize_to_its_own_size_changes_nothing(pixels):
    np.testing.assert_array_equal(resize(pixels, (6, 9)), check_image(pixels))


def test_a_huge_jpeg_is_cheap_to_load_at_a_small_size(tmp_path):
    Image.fromarray(photo(1, 12_000)).resize((12_000, 3_000)).save(tmp_path / "a.jpg")
    start = time.process_time()
    with Image.open(tmp_path / "a.jpg") as image:
        np.asarray(image.convert("RGB"))
    full_size = time.process_time() - start
    start = time.process_time()
    assert_picture(load_image(tmp_path / "a.jpg", 200), (50, 200, 3))
    assert time.process_time() - start < full_size


# ---------------------------------------------------------------- checks


def test_check_image_names_the_picture_and_the_smallest_that_works():
    refusal(
        np.zeros((20, 30, 3)),
        "The style",
        "30 x 20",
        "32",
        call=check_image,
        name="The style",
        smallest=32,
    )
    assert_picture(check_image(np.zeros((32, 40, 3)), smallest=32), (32, 40, 3))


@pytest.mark.parametrize("thing", [None, "coffee", [[1], [1, 2]], 3])
def test_check_image_refuses_anything_but_an_array(thing):
    refusal(thing, "The picture", call=check_image)


def test_check_image_copies_writeable_arrays_and_shares_read_only_ones():
    array = np.full((4, 5, 3), 0.5, np.float32)
    assert not np.shares_memory(check_image(array), array)
    array.setflags(write=False)
    assert check_image(array) is array
    high = np.full((4, 5, 3), 1.00001, np.float32)
    high.setflags(write=False)
    assert check_image(high).max() == 1


def test_check_image_makes_a_strided_array_contiguous():
    assert_picture(check_image(np.zeros((8, 8, 6))[::2, ::-1, ::2]), (4, 8, 3))


# ---------------------------------------------------------------- saving


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".JPEG", ".webp", ".tif", ".tiff"])
def test_a_saved_picture_can_be_loaded(tmp_path, suffix):
    picture = photo(48, 64) / 255
    path = save_image(str(tmp_path / "new" / "folder" / f"a{suffix}"), picture)
    assert isinstance(path, Path)
    assert path.is_file()
    assert np.abs(load_image(path) - picture).mean() < 2 * STEP
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_values_are_rounded_to_the_nearest_of_256(tmp_path):
    path = save_image(tmp_path / "a.png", np.full((2, 2, 3), 0.9999))
    assert load_image(path).min() == 1


def test_a_file_is_not_overwritten_unless_asked(tmp_path):
    path = save_image(tmp_path / "a.png", np.zeros((2, 2, 3)))
    refusal(path, "a.png", "overwrite=True", call=save_image, image=np.ones((2, 2, 3)))
    assert load_image(path).max() == 0
    save_image(path, np.ones((2, 2, 3)), overwrite=True)
    assert load_image(path).min() == 1


def test_a_failed_save_keeps_the_old_file_and_leaves_no_temporary_file(tmp_path, monkeypatch):
    path = save_image(tmp_path / "a.png", np.zeros((2, 2, 3)))

    def full_disk(self, file, **options):
        Path(file).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", full_disk)
    refusal(path, "No space left", call=save_image, image=np.ones((2, 2, 3)), overwrite=True)
    monkeypatch.undo()
    assert load_image(path).max() == 0
    assert os.listdir(tmp_path) == ["a.png"]


def test_places_that_cannot_be_written_are_refused(tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "folder.png").mkdir()
    picture = np.zeros((2, 2, 3))
    refusal(tmp_path / "file" / "a.png", "could not be written", call=save_image, image=picture)
    refusal(
        tmp_path / "folder.png",
        "could not be written",
        call=save_image,
        image=picture,
        overwrite=True,
    )
    refusal(tmp_path / ("x" * 300 + ".png"), "could not be written", call=save_image, image=picture)
    refusal(
        tmp_path / "a.webp", "could not be written", call=save_image, image=np.zeros((1, 20_000, 3))
    )


@pytest.mark.parametrize("name", ["a", "a.gif", "a.txt"])
def test_an_unknown_suffix_is_refused(tmp_path, name):
    refusal(tmp_path / name, name, ".png", call=save_image, image=np.zeros((2, 2, 3)))


def test_a_bad_picture_is_not_saved(tmp_path):
    refusal(tmp_path / "a.png", "The picture", call=save_image, image=np.full((2, 2, 3), np.nan))
    assert not os.listdir(tmp_path)


def test_metadata_survives_a_round_trip(tmp_path):
    metadata = {
        "Software": "dreamkit",
        "settings": '{"seed": 7, "name": "é \\n"}',
        "long": "many words " * 20_000,
        "lines": "a\nb",
        "empty": "",
    }
    path = save_image(tmp_path / "a.png", np.zeros((2, 2, 3)), metadata=metadata)
    assert read_metadata(path) == metadata
    assert path.stat().st_size < 5_000
    assert_picture(load_image(path), (2, 2, 3))


def test_metadata_that_cannot_be_stored_is_refused(tmp_path):
    picture = np.zeros((2, 2, 3))
    refusal(tmp_path / "a.jpg", "only .png", call=save_image, image=picture, metadata={"a": "b"})
    for bad in ({"a": 1}, {1: "a"}, {"": "a"}, {"k" * 80: "a"}, {"é": "a"}, {"a": "x" * 300_000}):
        refusal(tmp_path / "a.png", "Metadata", call=save_image, image=picture, metadata=bad)
    assert not os.listdir(tmp_path)


def test_metadata_is_read_from_pngs_only(tmp_path):
    save_image(tmp_path / "a.jpg", np.zeros((2, 2, 3)))
    refusal(tmp_path / "a.jpg", "a.jpg", "PNG", call=read_metadata)
    refusal(tmp_path / "none.png", "none.png", call=read_metadata)
    assert read_metadata(save_image(tmp_path / "a.png", np.zeros((2, 2, 3)))) == {}


def test_a_digest_knows_pixels_and_shape(tmp_path, pixels):
    digest = image_digest(pixels)
    assert len(digest) == 64
    assert digest == image_digest(load_image(save_image(tmp_path / "a.png", pixels)))
    assert digest != image_digest(pixels.transpose(1, 0, 2))
    assert digest != image_digest(pixels.reshape(9, 6, 3))
    assert digest != image_digest(255 - pixels)


# ---------------------------------------------------------------- samples


@pytest.mark.parametrize("name", samples())
def test_every_sample_loads_and_names_its_licence_and_source(name):
    sample = samples()[name]
    assert sample.name == name
    assert sample.kind in ("photo", "style", "mask")
    assert sample.about
    assert sample.licence
    assert sample.source
    picture = load_image(name, size=64)
    assert_picture(picture)
    assert max(picture.shape) == 64
    assert picture.std() > 0.02


def test_samples_are_sorted_by_kind():
    photos, styles, masks = samples("photo"), samples("style"), samples("mask")
    assert {"astronaut", "chelsea", "coffee", "rocket"} <= set(photos)
    assert not set(photos) & set(styles)
    assert samples() == {**photos, **styles, **masks}
    refusal("paintings", "'paintings'", "'photo', 'style', 'mask' or None", call=samples)


@pytest.mark.parametrize("name", samples("mask"))
def test_a_mask_has_the_size_of_its_photo_and_is_grey(name):
    mask, photo = load_image(name), load_image(name.partition("_")[0])
    assert mask.shape == photo.shape
    assert np.ptp(mask, axis=2).max() == 0
    assert (mask.min(), mask.max()) == (0, 1)


def test_photos_inside_libraries_say_which_and_keep_their_licence():
    assert samples()["chelsea"].source == "Stefan van der Walt; from scikit-image"
    for name in ("china", "flower"):
        assert samples()[name].licence == "CC BY 2.0"
        assert samples()[name].source.startswith("flickr.com/photos/")
        assert samples()[name].source.endswith("; from scikit-learn")
        assert load_image(name).shape == (427, 640, 3)


def test_styles_come_from_the_index(tmp_path, monkeypatch):
    folder = tmp_path / "styles"
    save_image(folder / "w.png", np.ones((5, 5, 3)))
    (folder / "index.json").write_text(
        '{"waves": {"title": "Waves", "about": "waves", "licence": "CC0", "source": "paint.py",'
        ' "file": "w.png"}, "lost": {"about": "", "licence": "", "source": "", "file": "l.png"}}'
    )
    monkeypatch.setattr(sample_module, "data_folder", lambda: tmp_path)
    assert samples("style")["waves"] == sample_module.Sample(
        "waves", "style", "waves", "CC0", "paint.py"
    )
    assert_picture(load_image("waves"), (5, 5, 3))
    refusal("lost", "The sample 'lost'", "not found")
    refusal("wavs", "'waves'")


def test_a_sample_cannot_be_changed():
    with pytest.raises(AttributeError):
        samples()["chelsea"].licence = "other"


# ---------------------------------------------------------------- the module itself


def test_importing_images_loads_no_slow_library():
    slow = "('tensorflow', 'skimage', 'sklearn', 'scipy', 'matplotlib', 'pandas')"
    code = (
        "import sys, dreamkit.images as images; images.samples();"
        f" print([name for name in {slow} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_error_is_a_dreamkit_error_and_a_builtin_one():
    assert issubclass(ImageError, DreamkitError)
    assert issubclass(ImageError, ValueError)
    error = DivergedError("no", run="kept")
    assert isinstance(error, ArithmeticError)
    assert error.run == "kept"
    assert str(error) == "no"
    assert DivergedError("no").run is None
