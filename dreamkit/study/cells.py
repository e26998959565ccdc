"""A cell of the clear-or-distorted study: one picture, treated one way and run.  (Notebook 06.)"""

import functools
import hashlib
import json
import time
from dataclasses import asdict, dataclass

from ..images import load_image, resize
from .distortions import clutter, distort
from .scenes import scene

FORMAT = 1  # of a row; a new format changes every digest
# The paper's loss, which is that of TensorFlow's tutorial.
PAPER = dict(content_weight=1e4, style_weight=1e-2, tv_weight=0.0, formula="tutorial")
# The tutorial's content layer; SqueezeNet has no counterpart and uses its own.
PAPER_LAYERS = {"vgg19": "block5_conv2", "vgg16": "block5_conv2"}
# The same on every machine: float32, untiled, nothing left to a profile.
ALIKE = dict(precision="float32", tile=None, profile="ci", progress=False)
STYLE_WEIGHT = 40.0  # of the relative loss
COLUMNS = (
    *("cell", "recipe", "variant", "network", "picture", "origin", "role", "style", "kind"),
    *("severity", "seed", "size", "steps", "edge_density", "colour_entropy", "clutter"),
    *("start_raw", "end_raw", "start_relative", "end_relative"),
    *("content_end", "style_start", "style_end", "seconds"),
)


@dataclass(frozen=True)
class Cell:
    """One run of the study: everything that decides its result.

    Attributes:
        recipe: `"style"` or `"dream"`.
        variant: `"base"`, or a key of `VARIANTS`: the one factor that differs.
        network: a network's name.
        picture: a photo's name, or `"scene-0.40"` for a scene with that clutter.
        role: which picture is distorted, `"content"` or `"style"`.
        style: the style sample's name; "" for a dream.
        kind, severity: of the distortion; `"clear"` and 0.0 for none.
        seed: of the run and the distortion.
        size: side of all pictures, which are square, px.
        steps: of a style transfer; for a dream, at each octave.
        octaves: how many sizes a dream works at; 1 for a style transfer.

    Introduced in notebook 06.
    """

    recipe: str
    variant: str
    network: str
    picture: str
    role: str
    style: str
    kind: str
    severity: float
    seed: int
    size: int
    steps: int
    octaves: int

    @property
    def digest(self):
        """12 hexadecimal digits that name the cell: any change to it gives others."""
        return digest_of(asdict(self))

    def __str__(self):
        treatment = self.kind if self.kind == "clear" else f"{self.kind} {self.severity:g}"
        return f"{self.recipe} ({self.variant}), {self.network}, {self.picture}, {treatment}"


def digest_of(values):
    """12 hexadecimal digits of {name: value that JSON can hold} and the format's version."""
    text = json.dumps({**values, "format": FORMAT}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def run_cell(cell):
    """Run one `Cell`: distort its picture, run the recipe, and measure the start and the end.

    Returns:
        {column: value}, a row of the study's table; data/study/README.md explains each column.

    Raises:
        DreamkitError: a picture, a setting or the weights are wrong, or the run diverged.
        KeyboardInterrupt: the run was stopped; half a run is not a result.

    Source: Al-Khazraji, Abbas and Jamil 2022. Introduced in notebook 06.
    """
    started = time.perf_counter()
    content, style = pictures(cell)
    measures = (_transfer if cell.recipe == "style" else _dream)(cell, content, style)
    row = {
        "cell": cell.digest,
        **asdict(cell),
        "origin": "scene" if cell.picture.startswith("scene-") else "photo",
        **clutter(style if cell.role == "style" else content),
        **measures,
        "seconds": time.perf_counter() - started,
    }
    return {column: row[column] for column in COLUMNS}


def pictures(cell):
    """A cell's content and style picture, one of them distorted; the style is None for a dream."""
    content = square(cell.picture, cell.size)
    style = square(cell.style, cell.size) if cell.style else None
    if cell.kind == "clear":
        return content, style
    treat = functools.partial(distort, kind=cell.kind, severity=cell.severity, seed=cell.seed)
    return (content, treat(style)) if cell.role == "style" else (treat(content), style)


@functools.lru_cache(maxsize=64)
def square(name, size):
    """Make a square picture for the study: the middle of a photo, or a scene.

    Args:
        name: a sample's name, or `"scene-0.40"` for a scene with that clutter.
        size: side, px.

    Introduced in notebook 06.

    >>> square("chelsea", 32).shape
    (32, 32, 3)
    """
    if name.startswith("scene-"):
        return scene(float(name.removeprefix("scene-")), size)
    picture = load_image(name)
    side = min(picture.shape[:2])
    top, left = ((length - side) // 2 for length in picture.shape[:2])
    return resize(picture[top : top + side, left : left + side], (size, size))


def _transfer(cell, content, style):
    """Run a cell's style transfer; returns its measures by column."""
    from ..networks.backbone import load_backbone
    from ..recipes import start, style_transfer

    init = "noise" if cell.variant == "noise start" else "content"
    options = dict(init=init, octaves=1, quality="gatys", style_weight=STYLE_WEIGHT, **ALIKE)
    if cell.variant == "raw descent":
        options |= PAPER | dict(content_layers=PAPER_LAYERS.get(cell.network))
    run = style_transfer(content, style, cell.network, cell.steps, cell.seed, **options)
    ends = start(init, content, style, cell.seed), finished(run).image
    first, last = losses(ends, content, style, load_backbone(cell.network))
    totals = {f"start_{name}": value for name, value in first.items()}
    totals |= {f"end_{name}": value for name, value in last.items()}
    terms = dict(content_end=last["content"], style_start=first["style"], style_end=last["style"])
    return totals | terms


def _dream(cell, content, _style):
    """Run a cell's dream; returns its measures by column."""
    from ..dream import Dream
    from ..networks.backbone import load_backbone
    from ..recipes import deep_dream

    run = deep_dream(content, cell.network, None, cell.octaves, cell.steps, cell.seed, **ALIKE)
    score = Dream(load_backbone(cell.network))
    first, last = (float(score(picture)[0]) for picture in (content, finished(run).image))
    missing = dict.fromkeys(("content_end", "style_start", "style_end"), float("nan"))
    relative = {"start_relative": 1.0, "end_relative": last / first}
    return {"start_raw": first, "end_raw": last, **relative, **missing}


def finished(run):
    """The run; a KeyboardInterrupt if it was cut short, which the loop itself keeps quiet about."""
    if run.stopped:
        raise KeyboardInterrupt
    return run


def losses(pictures, content, style, network):
    """Measure the style-transfer loss of pictures the paper's way and ours, in float32.

    Returns for each picture {"raw": 1e4 · content + 1e-2 · style, as in TensorFlow's tutorial,
    "relative": content + 40 · style, both relative; "content", "style": those two relative terms
    before their weights}. Source: Gatys, Ecker and Bethge 2016, equation 7.
    """
    from ..terms import Content, Style

    scores = (
        Content(content, network)
        + Style(style, network)
        + Content(content, network, PAPER_LAYERS.get(network.name), "tutorial")
        + Style(style, network, formula="tutorial")
    )
    rows = []
    for picture in pictures:
        content_loss, style_loss, *paper = map(float, scores(picture)[1].values())
        raw = PAPER["content_weight"] * paper[0] + PAPER["style_weight"] * paper[1]
        relative = content_loss + STYLE_WEIGHT * style_loss
        rows.append(dict(raw=raw, relative=relative, content=content_loss, style=style_loss))
    return rows
