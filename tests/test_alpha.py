"""Transparency: read from any source, put back into any format that can hold it."""

import io

import numpy as np
import pytest
import tifffile
from PIL import Image, PngImagePlugin

from dreamkit.errors import ImageError
from dreamkit.images import load_alpha, load_image, read_metadata, save_image

STEP = 1 / 255


def fading(height=12, width=20):
    """RGBA noise that fades from transparent at the left to opaque at the right."""
    rgba = np.random.default_rng(0).integers(0, 256, (height, width, 4), dtype=np.uint8)
    rgba[..., 3] = np.linspace(0, 255, width).round()
    return rgba


@pytest.mark.parametrize("suffix", [".png", ".webp", ".tif"])
def test_alpha_survives_saving_and_loading(tmp_path, suffix):
    rgba = fading()
    alpha = load_alpha(rgba, (12, 20))
    path = save_image(tmp_path / f"a{suffix}", load_image(rgba), alpha=alpha)
    np.testing.assert_allclose(load_alpha(path, (12, 20)), rgba[..., 3] / 255, atol=STEP / 2)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_a_transparent_picture_keeps_its_colours(tmp_path, suffix):
    rgba = fading()
    path = save_image(tmp_path / f"a{suffix}", load_image(rgba), alpha=load_alpha(rgba, (12, 20)))
    with Image.open(path) as image:
        assert image.mode == "RGBA"
        error = np.abs(np.asarray(image).astype(float) - rgba)[:, 2:]
    assert error.max() <= 3  # dividing by a small alpha enlarges the rounding
    assert error[:, 10:].max() <= 1


def test_over_white_a_transparent_picture_looks_like_the_picture(tmp_path):
    rng = np.random.default_rng(0)
    alpha = rng.random((16, 16), "float32")
    picture = 1 - alpha[..., None] * rng.random((16, 16, 3), "float32")  # colours that can exist
    path = save_image(tmp_path / "a.png", picture, alpha=alpha)
    np.testing.assert_allclose(load_image(path), picture, atol=2 * STEP)


def test_every_kind_of_source_gives_the_same_alpha(tmp_path):
    rgba = fading()
    Image.fromarray(rgba).save(tmp_path / "a.png")
    image, content = Image.fromarray(rgba), (tmp_path / "a.png").read_bytes()
    for source in (rgba, rgba / 255, image, content, tmp_path / "a.png", str(tmp_path / "a.png")):
        np.testing.assert_allclose(load_alpha(source, (12, 20)), rgba[..., 3] / 255, atol=1e-6)
    assert image.size == (20, 12)
    assert image.getpixel((0, 0)) == tuple(rgba[0, 0])  # still open


def test_a_palette_with_a_transparent_colour_has_alpha():
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 200, 100, 50])
    image.putpixel((1, 0), 1)
    file = io.BytesIO()
    image.save(file, "png", transparency=1)
    assert load_alpha(file.getvalue(), (1, 2)).tolist() == [[1, 0]]


def test_alpha_is_turned_upright_and_resized_with_its_photo(tmp_path):
    rgba = np.full((80, 120, 4), 255, np.uint8)
    rgba[:, :60, 3] = 0  # transparent on the left, which orientation 6 turns to the top
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(rgba).save(tmp_path / "a.png", exif=exif)
    photo = load_image(tmp_path / "a.png", 60)
    alpha = load_alpha(tmp_path / "a.png", photo.shape[:2])
    assert alpha.shape == photo.shape[:2] == (60, 40)
    assert alpha[:25].max() < 0.01 < 0.99 < alpha[-25:].min()


@pytest.mark.parametrize("source", [np.ones((4, 4, 3)), np.ones((4, 4, 4)), np.ones((4, 4))])
def test_an_opaque_picture_has_no_alpha(source):
    assert load_alpha(source, (4, 4)) is None


def test_a_photo_has_no_alpha(tmp_path):
    assert load_alpha("chelsea", (8, 8)) is None
    Image.new("LAB", (2, 2)).save(tmp_path / "a.tif")
    assert load_alpha(tmp_path / "a.tif", (2, 2)) is None


def test_no_alpha_saves_the_same_bytes_as_before(tmp_path):
    picture = np.random.default_rng(0).random((8, 8, 3), "float32")
    one = save_image(tmp_path / "one.png", picture)
    other = save_image(tmp_path / "other.png", picture, alpha=None)
    assert one.read_bytes() == other.read_bytes()


def test_metadata_and_alpha_go_together(tmp_path):
    noted = {"seed": "7"}
    save_image(tmp_path / "a.png", np.ones((2, 2)), metadata=noted, alpha=np.full((2, 2), 0.5))
    assert read_metadata(tmp_path / "a.png") == noted
    assert load_alpha(tmp_path / "a.png", (2, 2)).round(2).tolist() == [[0.5, 0.5]] * 2


def test_a_jpeg_cannot_be_transparent(tmp_path):
    with pytest.raises(ImageError, match=r"'.*a\.jpg' cannot be transparent: end it in \.png"):
        save_image(tmp_path / "a.jpg", np.ones((2, 2)), alpha=np.ones((2, 2)))
    assert not (tmp_path / "a.jpg").exists()


def test_an_alpha_of_another_shape_is_refused(tmp_path):
    with pytest.raises(ImageError, match=r"shape \(3, 2\), but the picture \(2, 2\)"):
        save_image(tmp_path / "a.png", np.ones((2, 2)), alpha=np.ones((3, 2)))


def test_much_metadata_does_not_cost_the_transparency():
    rgba = fading()
    info = PngImagePlugin.PngInfo()
    info.add_text("workflow", "a" * 2_000_000, zip=True)
    file = io.BytesIO()
    Image.fromarray(rgba).save(file, "PNG", pnginfo=info)
    alpha = load_alpha(file.getvalue(), (12, 20))
    np.testing.assert_allclose(alpha, rgba[..., 3] / 255, atol=1e-6)


def animation(kind, *frames):
    file = io.BytesIO()
    options = dict(save_all=True, append_images=frames[1:], duration=100)
    options |= dict(lossless=True) if kind == "WEBP" else dict(disposal=2)
    frames[0].save(file, kind, **options)
    return file.getvalue()


@pytest.mark.parametrize("kind", ["WEBP", "GIF", "PNG"])
@pytest.mark.parametrize("dot", [False, True])
def test_the_alpha_is_that_of_the_frame_that_is_shown(kind, dot):
    """Also if what the first frame shows is too small to be seen at a smaller size."""
    empty = Image.new("RGBA", (120, 80))
    half = Image.new("RGBA", (120, 80))
    half.paste((200, 30, 30, 255), (60, 0, 120, 80))
    if dot:
        empty.putpixel((3, 3), (0, 0, 0, 255))
    content = animation(kind, empty, half)
    alpha = load_alpha(content, (80, 120))
    assert alpha[0, 0] == 0
    assert alpha[3, 3] == dot
    assert alpha[0, -1] == (not dot)
    for size in (None, 40, 4):
        picture = load_image(content, size)
        assert (picture[0, -1, 1] < 0.5) == (not dot), "another frame than that of the alpha"


def test_a_deep_tiff_keeps_its_transparency(tmp_path):
    rgba = np.random.default_rng(0).random((12, 20, 4), "float32")
    tifffile.imwrite(tmp_path / "a.tif", rgba, photometric="rgb", extrasamples=["unassalpha"])
    np.testing.assert_allclose(load_alpha(tmp_path / "a.tif", (12, 20)), rgba[..., 3], atol=1e-6)


def test_a_missing_file_is_named():
    with pytest.raises(ImageError, match=r"'nowhere\.png' was not found"):
        load_alpha("nowhere.png", (2, 2))
