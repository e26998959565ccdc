"""Make the pictures in this folder, before and after, with VGG-19: python make.py [NAME …]."""

import io
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from dreamkit import load_image, resize, style_transfer, texture
from dreamkit.colour import grey, keep_chroma, match_colours

FOLDER = Path(__file__).parent
VGG19 = dict(backbone="vgg19", seed=1, profile="offline", progress=False)
PAINT = VGG19 | dict(steps=100)
LARGEST = 60_000  # bytes
PANEL, GAP = 240, 6  # px


def texture_panels():
    """Two pictures, and next to each more of what it is made of."""
    for style in ("mosaic", "gravel"):
        yield load_image(style)
        yield texture(style, 320, steps=150, **VGG19).image


def tileable_panels():
    """A style, and two textures of it as 2 × 2 tiles: one with seams, one without."""
    yield load_image("night_flow")
    for tileable in (False, True):
        tile = texture("night_flow", 256, steps=120, tileable=tileable, **VGG19).image
        yield np.tile(tile, (2, 2, 1))


def colour_luminance_panels():
    """A photo, its style transfer, and one that paints only its luminance."""
    photo, style = load_image("astronaut", 256), load_image("night_flow")
    yield photo
    yield style_transfer(photo, style, **PAINT).image
    pattern = match_colours(grey(style), grey(photo))
    yield keep_chroma(style_transfer(grey(photo), pattern, **PAINT).image, photo)


def colour_match_panels():
    """A photo, its style transfer, and one in the style recoloured to match the photo."""
    photo, style = load_image("china", 256), load_image("watercolour")
    yield photo
    yield style_transfer(photo, style, **PAINT).image
    yield style_transfer(photo, match_colours(style, photo), **PAINT).image


PICTURES = {
    "texture": texture_panels,
    "tileable": tileable_panels,
    "colour_luminance": colour_luminance_panels,
    "colour_match": colour_match_panels,
}


def side_by_side(panels):
    """The panels at the same height, with white gaps."""
    gap, row = np.ones((PANEL, GAP, 3), "float32"), []
    for panel in panels:
        height, width = panel.shape[:2]
        row += [gap, resize(panel, (PANEL, round(PANEL * width / height)))]
    return np.concatenate(row[1:], axis=1)


def jpeg(picture):
    """The best JPEG of at most `LARGEST` bytes."""
    for quality in range(92, 30, -2):
        file = io.BytesIO()
        Image.fromarray(np.rint(picture * 255).astype("uint8")).save(file, "jpeg", quality=quality)
        if file.tell() <= LARGEST:
            break
    return file.getvalue()


if __name__ == "__main__":
    for name in sys.argv[1:] or PICTURES:
        (FOLDER / f"{name}.jpg").write_bytes(jpeg(side_by_side(PICTURES[name]())))
