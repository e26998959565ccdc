"""Make the pictures of a dream's controls: the photo, the dream without, the dream with.

    python data/gallery/controls/dream.py              make them all, next to this file
    python data/gallery/controls/dream.py calm guide   make some of them

The settings of each dream with its control are saved next to the picture; `dreamkit.rerun` reads
them.
"""

import io
import json
import sys
from pathlib import Path

import numpy as np
from PIL import Image

import dreamkit as dk

HERE = Path(__file__).parent
LARGEST_FILE = 60_000  # bytes
PANEL = 256  # px, width of each of the three pictures
GAP = 6  # px of white between them
COMMON = dict(size=320, octaves=4, steps=15, seed=1, profile="paper", progress=False)
COFFEE = dict(image="coffee", backbone="vgg19")
ROCKET = dict(image="rocket", backbone="inception_v3")

# {name: (what both dreams share, without the control, with it)}
CONTROLS = {
    "strongest": (COFFEE, {}, dict(channel="strongest")),
    "weakest": (COFFEE, {}, dict(channel="weakest")),
    "channels": (COFFEE, dict(channel=171), dict(channel={171: 1.0, 403: 3.0})),
    "calm": (COFFEE, {}, dict(layers={"block5_conv2": -1.0}, smooth=0, learning_rate=0.005)),
    "layers": (ROCKET, {}, dict(layers={"mixed3": 1.0, "mixed5": -1.0})),
    "guide": (COFFEE, {}, dict(guide="flower")),
    "moves": (COFFEE, {}, dict(rotate=15, zoom=0.15)),
    "smallest": (ROCKET, dict(octaves=1), dict(octaves=None, smallest=75)),
}


def make(name, made):
    """Write dream_NAME.jpg and .json; `made` holds the dreams so far, as many pictures share one.

    Args:
        name: a control in `CONTROLS`.
        made: {settings as text: Run}.
    """
    shared, *pair = CONTROLS[name]
    runs = []
    for settings in pair:
        arguments = COMMON | shared | settings
        key = json.dumps(arguments, sort_keys=True)
        if key not in made:
            made[key] = dk.deep_dream(**arguments)
        runs.append(made[key])
    photo = dk.load_image(shared["image"], COMMON["size"])
    path = HERE / f"dream_{name}.jpg"
    path.write_bytes(as_jpeg(side_by_side([photo, *(run.image for run in runs)])))
    text = json.dumps(runs[-1].settings, indent=1, ensure_ascii=False)
    path.with_suffix(".json").write_text(text + "\n", encoding="utf-8")
    print(path, path.stat().st_size)


def side_by_side(pictures):
    """Pictures of one shape in a row, with gaps between them."""
    panels = [dk.resize(picture, PANEL) for picture in pictures]
    white = np.ones((len(panels[0]), GAP, 3), "float32")
    return np.concatenate([panels[0], *(x for panel in panels[1:] for x in (white, panel))], 1)


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
    dreams = {}
    for chosen in sys.argv[1:] or CONTROLS:
        make(chosen, dreams)
