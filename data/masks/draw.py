"""Draw the sample masks: `python data/masks/draw.py`.  They are CC0, like the code.

A mask is white where a term counts, black where it does not, and grey between.
"""

from pathlib import Path

import numpy as np
from PIL import Image
from skimage import data, filters, measure, morphology

FOLDER = Path(__file__).parent


def rocket_ground():
    """Everything in `rocket` that is not sky: the rocket, the towers, the lights and the ground."""
    red, _, blue = np.moveaxis(data.rocket() / 255, -1, 0)
    regions = measure.label((blue > red + 0.05) & (blue < 0.62))
    large = np.bincount(regions.ravel()) > 2000  # px; not the gaps between the struts
    sky = large[regions] & (regions > 0)
    return 1 - morphology.closing(sky, morphology.disk(2))


def astronaut_face():
    """The head in `astronaut`, an oval."""
    down, across = np.mgrid[:512, :512]
    oval = ((across - 224) / 62) ** 2 + ((down - 112) / 86) ** 2
    return np.where(oval < 1, 1.0, 0.0)


def save(name, mask, blur):
    soft = np.clip(filters.gaussian(mask.astype(float), blur), 0, 1)
    Image.fromarray(np.round(soft * 255).astype("uint8")).save(
        FOLDER / f"{name}.png", optimize=True
    )


if __name__ == "__main__":
    save("rocket_ground", rocket_ground(), blur=1.5)
    save("astronaut_face", astronaut_face(), blur=10)
