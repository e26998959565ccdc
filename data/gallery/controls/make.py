"""Make the pictures of the controls: a photo, the result without a control, and the result with it.

    python data/gallery/controls/make.py                   make them all, next to this file
    python data/gallery/controls/make.py dream_calm init   make some of them
    python data/gallery/controls/make.py channels          a sheet of channels in three coordinates

The settings of each result with its control are saved next to the picture; `dreamkit.rerun` reads
them.
"""

import io
import json
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageFile

import dreamkit as dk

HERE = Path(__file__).parent
LARGEST_FILE = 60_000  # bytes
ImageFile.MAXBLOCK = 2**22  # bytes; Pillow's own buffer is too small for grain
PANEL = 256  # px, width of each of the three pictures
GAP = 6  # px of white between them
SHARED = dict(size=320, seed=1, profile="paper", progress=False)

STYLE = ("style_transfer", SHARED | dict(steps=150))
DREAM = ("deep_dream", SHARED | dict(backbone="vgg19", octaves=4, steps=15))
INCEPTION = ("deep_dream", SHARED | dict(backbone="inception_v3", octaves=4, steps=15))
TEXTURE = ("texture", SHARED | dict(steps=150))
ASTRONAUT = dict(content="astronaut", style="night_flow")
COFFEE = dict(content="coffee", style="mosaic")
TWO = {"mosaic": 0.5, "night_flow": 0.5}
PARTS = {"night_flow": "coarse", "pointillism": "fine"}
CALM = dict(layers={"block5_conv2": -1.0}, smooth=0, learning_rate=0.005)

# {name: (recipe and what both results share, the pictures, without the control, with it)}
CONTROLS = {
    "colour_luminance": (STYLE, ASTRONAUT, {}, dict(preserve_color="luminance")),
    "colour_match": (
        STYLE,
        dict(content="china", style="watercolour"),
        {},
        dict(preserve_color="match"),
    ),
    "styles": (STYLE, COFFEE, {}, dict(style=TWO)),
    "styles_by_layer": (
        STYLE,
        dict(content="chelsea"),
        dict(style="night_flow"),
        dict(style=PARTS),
    ),
    "content_mask": (STYLE, ASTRONAUT, {}, dict(content_mask="astronaut_face")),
    "style_mask": (
        STYLE,
        dict(content="rocket", style="oil_autumn"),
        {},
        dict(style_mask="rocket_ground", content_weight=3.0),
    ),
    "strength": (STYLE, ASTRONAUT, {}, dict(strength=0.4)),
    "style_scale": (
        STYLE,
        dict(content="china", style="stained_glass"),
        dict(style_scale=0.6),
        dict(style_scale=2.0),
    ),
    "init": (STYLE, dict(content="flower", style="woodcut_wave"), {}, dict(init="noise")),
    "dream_mask": (INCEPTION, dict(image="rocket"), {}, dict(dream_mask="rocket_ground")),
    "dream_strongest": (DREAM, dict(image="coffee"), {}, dict(channel="strongest")),
    "dream_weakest": (DREAM, dict(image="coffee"), {}, dict(channel="weakest")),
    "dream_channels": (
        DREAM,
        dict(image="coffee"),
        dict(channel=171),
        dict(channel={171: 1.0, 403: 3.0}),
    ),
    "dream_calm": (DREAM, dict(image="coffee"), {}, CALM),
    "dream_layers": (
        INCEPTION,
        dict(image="rocket"),
        {},
        dict(layers={"mixed3": 1.0, "mixed5": -1.0}),
    ),
    "dream_guide": (DREAM, dict(image="coffee"), {}, dict(guide="flower")),
    "dream_moves": (DREAM, dict(image="coffee"), {}, dict(rotate=15, zoom=0.15)),
    "dream_smallest": (
        INCEPTION,
        dict(image="rocket"),
        dict(octaves=1),
        dict(octaves=None, smallest=75),
    ),
    "texture": (TEXTURE, dict(style="gravel"), dict(octaves=1), {}),
    "tileable": (TEXTURE, dict(style="night_flow"), {}, dict(tileable=True)),
}

# The sheet: a row for each of three coordinates; the settings are those of its last picture.
SHEET = "channels"
CHANNELS = (11, 137, 300)
UNIT = dict(layer="mixed4", size=128, steps=66, seed=1, profile="paper", progress=False)


def make_sheet():
    """Write channels.jpg and channels.json: each channel in pixels, in octaves, in a spectrum."""
    grey = np.random.default_rng(1).normal(0.5, 0.05, (128, 128, 3)).clip(0, 1)
    rows = []
    for channel in CHANNELS:
        octaves = INCEPTION[1] | dict(layers="mixed4", channel=channel, steps=25, size=None)
        pixels, run = (
            dk.visualise("inception_v3", channel=channel, canvas=canvas, **UNIT)
            for canvas in ("pixels", "spectrum")
        )
        rows.append([pixels.image, dk.deep_dream(grey, **octaves).image, run.image])
    lines = [side_by_side(pictures, UNIT["size"]) for pictures in zip(*rows, strict=True)]
    spaced = [np.pad(line, ((0, GAP), (0, 0), (0, 0)), constant_values=1) for line in lines]
    write(SHEET, np.concatenate(spaced)[:-GAP], run.settings)


def write(name, picture, settings):
    """Write NAME.jpg and NAME.json."""
    path = HERE / f"{name}.jpg"
    path.write_bytes(as_jpeg(picture))
    text = json.dumps(settings, indent=1, ensure_ascii=False)
    path.with_suffix(".json").write_text(text + "\n", encoding="utf-8")
    print(path, path.stat().st_size)


def make(name, made):
    """Write NAME.jpg and NAME.json; `made` holds the results so far, as many pictures share one.

    Args:
        name: a control in `CONTROLS`.
        made: {settings as text: Run}.
    """
    (recipe, shared), pictures, *pair = CONTROLS[name]
    runs = []
    for settings in pair:
        arguments = shared | pictures | settings
        key = json.dumps([recipe, arguments])
        if key not in made:
            made[key] = getattr(dk, recipe)(**arguments)
        runs.append(made[key])
    photo = dk.load_image(next(iter(pictures.values())), SHARED["size"])
    results = [run.image for run in runs]
    if name == "tileable":  # the seam shows where tiles meet
        results = [np.tile(image, (2, 2, 1)) for image in results]
    write(name, side_by_side([photo, *results]), runs[-1].settings)


def side_by_side(pictures, width=PANEL):
    """Pictures in a row, each this wide, with gaps between them."""
    panels = [dk.resize(picture, width) for picture in pictures]
    height = max(len(panel) for panel in panels)
    row = np.ones((height, len(panels) * (width + GAP) - GAP, 3), "float32")
    for number, panel in enumerate(panels):
        left = number * (width + GAP)
        row[: len(panel), left : left + panel.shape[1]] = panel
    return row


def as_jpeg(picture):
    """The bytes of the best JPEG that is no larger than `LARGEST_FILE`."""
    image = Image.fromarray(np.round(picture * 255).astype("uint8"))
    for quality in range(92, 40, -3):
        buffer = io.BytesIO()
        image.save(buffer, "jpeg", quality=quality, subsampling=0, optimize=True)
        if buffer.tell() <= LARGEST_FILE:
            break
    return buffer.getvalue()


if __name__ == "__main__":
    results = {}
    for chosen in sys.argv[1:] or (*CONTROLS, SHEET):
        make_sheet() if chosen == SHEET else make(chosen, results)
