"""The style pictures: complete, free to use, and painted by the code next to them."""

import importlib
import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

STYLES = Path(__file__).parents[1] / "data" / "styles"
INDEX = json.loads((STYLES / "index.json").read_text(encoding="utf-8"))

sys.path.insert(0, str(STYLES))
paint = importlib.import_module("paint")


def test_at_least_six_styles_are_listed_and_each_has_its_painter():
    assert len(INDEX) >= 6
    assert set(INDEX) == set(paint.STYLES)


@pytest.mark.parametrize("name", INDEX)
def test_a_style_says_what_it_is_and_that_it_is_free(name):
    entry = INDEX[name]
    assert entry["title"]
    assert entry["about"].endswith(".")
    assert entry["licence"] == "CC0-1.0"
    assert entry["source"] == "painted by data/styles/paint.py"


@pytest.mark.parametrize("name", INDEX)
def test_a_style_picture_is_768_pixels_and_under_250_kilobytes(name):
    path = STYLES / INDEX[name]["file"]
    assert path.stat().st_size < 250_000
    with Image.open(path) as picture:
        assert picture.mode == "RGB"
        assert max(picture.size) == 768


@pytest.mark.parametrize("name", INDEX)
def test_a_style_picture_has_contrast_and_marks_all_over(name):
    with Image.open(STYLES / INDEX[name]["file"]) as picture:
        grey = np.asarray(picture.convert("L"), float)
    assert grey.std() > 35
    tiles = grey[: grey.shape[0] // 64 * 64].reshape(-1, 64, 12, 64).std(axis=(1, 3))
    assert tiles.min() > 3, "a patch of 64 by 64 pixels is nearly flat"


@pytest.mark.parametrize("name", ["stained_glass", "mosaic", "woodcut_wave"])
def test_painting_a_picture_twice_gives_the_same_pixels(name):
    assert np.array_equal(paint.paint(name, size=96), paint.paint(name, size=96))


@pytest.mark.parametrize(
    "name", [pytest.param("geometric", marks=pytest.mark.slow), "stained_glass"]
)
def test_the_code_paints_the_committed_picture(name):
    with Image.open(STYLES / INDEX[name]["file"]) as picture:
        committed = np.asarray(picture, float)
    painted = paint.paint(name)
    with Image.open(io.BytesIO(paint.as_jpeg(painted))) as picture:
        again = np.asarray(picture, float)
    assert np.abs(again - committed).mean() < 1, "the picture is not what the code paints"
    assert np.abs(painted - committed).mean() < 12, "the JPEG has lost too much"


def test_paint_never_overwrites_unless_asked(tmp_path):
    existing = tmp_path / "mosaic.jpg"
    existing.write_bytes(b"original")
    command = [sys.executable, STYLES / "paint.py", "mosaic", "--out", tmp_path]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert "--overwrite" in run.stderr
    assert existing.read_bytes() == b"original"
