"""The sample photos and style pictures that come with the course.  (Notebook 00.)"""

import importlib.util
import json
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import ImageError, shown

FLICKR = "flickr.com/photos"
LIBRARIES = {"scikit-image": "skimage/data", "scikit-learn": "sklearn/datasets/images"}

# Photos that ship with libraries: {name: (file, about, licence, origin)}, as the library has them.
PHOTOS = {
    "scikit-image": {
        "astronaut": ("astronaut.png", "Eileen Collins, astronaut", "public domain", "NASA"),
        "chelsea": ("chelsea.png", "Chelsea, the cat", "CC0", "Stefan van der Walt"),
        "coffee": ("coffee.png", "a cup of coffee on a wooden table", "CC0", "Rachel Michetti"),
        "rocket": ("rocket.jpg", "Falcon 9 leaving the ground", "public domain", "SpaceX"),
        "hubble_deep_field": ("hubble_deep_field.jpg", "far galaxies", "public domain", "NASA"),
        "retina": ("retina.jpg", "the back of a human eye", "CC0", "Mikael Häggström"),
        "immunohistochemistry": ("ihc.png", "stained glands", "no known restrictions", "CMMI"),
        "camera": ("camera.png", "a photographer (grey)", "CC0", "Lav Varshney"),
        "horse": (
            "horse.png",
            "silhouette of a horse (grey)",
            "CC0",
            "Andreas Preuss, openclipart",
        ),
        "brick": ("brick.png", "a brick wall (grey)", "CC0", "CC0Textures, Bricks25"),
        "grass": ("grass.png", "grass from above (grey)", "CC0", "linolafett, DeviantArt"),
        "gravel": ("gravel.png", "gravel from above (grey)", "CC0", "CC0Textures, Gravel04"),
    },
    "scikit-learn": {
        "china": ("china.jpg", "a tower above a lake", "CC BY 2.0", f"{FLICKR}/danielbuechele"),
        # scikit-learn names danielbuechele here too, but gives this address.
        "flower": ("flower.jpg", "an orange dahlia", "CC BY 2.0", f"{FLICKR}/vultilion"),
    },
}

MASKS = {  # {name: about}; each belongs to the photo that its name starts with
    "astronaut_face": "her head",
    "rocket_ground": "everything but the sky",
}


@dataclass(frozen=True)
class Sample:
    """A bundled picture: what it shows and who made it. Introduced in notebook 00."""

    name: str
    kind: str  # "photo", "style" or "mask"
    about: str
    licence: str
    source: str
    file: Path = field(default=None, repr=False, compare=False)


def data_folder():
    """Folder of dreamkit's data, whether installed or in a checkout. Introduced in notebook 00."""
    package = Path(__file__).parents[1]
    installed = package / "data"
    return installed if installed.is_dir() else package.parent / "data"


def samples(kind=None):
    """The bundled pictures, {name: `Sample`}: those of kind "photo", "style" or "mask", or all.

    Introduced in notebook 00.

    >>> samples("photo")["chelsea"].licence
    'CC0'
    """
    if kind is not None and (not isinstance(kind, str) or kind not in ("photo", "style", "mask")):
        known = "use 'photo', 'style', 'mask' or None"
        raise ImageError(f"No samples are of kind {shown(kind)}: {known}.")
    styles = data_folder() / "styles"
    index = json.loads((styles / "index.json").read_text(encoding="utf-8"))
    found = {}
    for library, folder in LIBRARIES.items():
        package, _, inside = folder.partition("/")
        root = Path(importlib.util.find_spec(package).origin).parent  # avoids a slow import
        for name, (file, about, licence, origin) in PHOTOS[library].items():
            source = f"{origin}; from {library}"
            found[name] = Sample(name, "photo", about, licence, source, root / inside / file)
    for name, style in index.items():
        facts = [style[key] for key in ("about", "licence", "source")]
        found[name] = Sample(name, "style", *facts, styles / style["file"])
    for name, about in MASKS.items():
        file = data_folder() / "masks" / f"{name}.png"
        found[name] = Sample(name, "mask", about, "CC0", "data/masks/draw.py", file)
    return {name: sample for name, sample in found.items() if kind in (None, sample.kind)}
