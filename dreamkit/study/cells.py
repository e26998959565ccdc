"""A cell of the clear-or-distorted study: a picture, treated one way, run once.  (Notebook 05.)"""

import functools
import hashlib
import json
import operator
import time
from dataclasses import asdict, dataclass

from ..images import load_image, resize
from .distortions import clutter, distort
from .scenes import scene

FORMAT = 1  # of a row; another one makes other cells
CONTENT_WEIGHT, STYLE_WEIGHT, TV_WEIGHT = 1.0, 40.0, 0.5  # of what a style transfer descends
PAPER_WEIGHTS = 1e4, 1e-2  # content and style of the paper's, that is TensorFlow's, style loss
# The paper's content layer, as the tutorial has it; SqueezeNet's own, for want of a like one.
PAPER_LAYERS = {"vgg19": "block5_conv2", "vgg16": "block5_conv2"}
# The same on every machine: float32, in one piece, and nothing left to a profile.
ALIKE = dict(precision="float32", tile=None, profile="ci", progress=False)
COLUMNS = (
    *("cell", "recipe", "variant", "network", "picture", "origin", "role", "style", "kind"),
    *("severity", "seed", "size", "steps", "edge_density", "colour_entropy", "clutter"),
    *("start_raw", "end_raw", "start_relative", "end_relative"),
    *("content_end", "style_start", "style_end", "seconds"),
)


@dataclass(frozen=True)
class Cell:
    """One run of the study, and all that decides its result; `digest` names it.

    Attributes:
        recipe: `"style"` or `"dream"`.
        variant: `"base"`, or the one factor that is another: a key of `VARIANTS`.
        network: a network's name.
        picture: a photo's name, or `"scene-0.40"`: a scene of that clutter.
        role: which picture is distorted, `"content"` or `"style"`.
        style: the style sample's name; "" for a dream.
        kind, severity: of the distortion; `"clear"` and 0.0 for none.
        seed: of the run and of the distortion.
        size: side of the square that all pictures are brought to, px.
        steps: of a style transfer; of a dream, at each octave.
        octaves: sizes a dream goes through; 1 for a style transfer.

    Introduced in notebook 05.
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

    @functools.cached_property
    def digest(self):
        """12 hexadecimal digits that differ wherever anything that decides the result does."""
        return digest_of(asdict(self))

    def __str__(self):
        treated = self.kind if self.kind == "clear" else f"{self.kind} {self.severity:g}"
        return f"{self.recipe} ({self.variant}), {self.network}, {self.picture}, {treated}"


def digest_of(values):
    """12 hexadecimal digits of plain values and of the version of the study's format."""
    text = json.dumps({**values, "format": FORMAT}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def run_cell(cell):
    """Run one cell: treat its picture, run the recipe, judge the start and the end both ways.

    Args:
        cell: a `Cell`.

    Returns:
        {column: value}, a row of the study's table; data/study/README.md tells of each column.

    Raises:
        DreamkitError: a picture, a setting or the weights are wrong, or the run diverged.
        KeyboardInterrupt: the run was stopped; half a run is no result.

    Source: Al-Khazraji, Abbas and Jamil 2022. Introduced in notebook 05.
    """
    started = time.perf_counter()
    content, style = pictures(cell)
    judged = (_paint if cell.recipe == "style" else _dream)(cell, content, style)
    row = {
        "cell": cell.digest,
        **asdict(cell),
        "origin": "scene" if cell.picture.startswith("scene-") else "photo",
        **clutter(style if cell.role == "style" else content),
        **judged,
        "seconds": time.perf_counter() - started,
    }
    return {column: row[column] for column in COLUMNS}


def pictures(cell):
    """The content and the style picture as they go in, one of them distorted; no style: None."""
    content = square(cell.picture, cell.size)
    style = square(cell.style, cell.size) if cell.style else None
    if cell.kind == "clear":
        return content, style
    treat = functools.partial(distort, kind=cell.kind, severity=cell.severity, seed=cell.seed)
    return (content, treat(style)) if cell.role == "style" else (treat(content), style)


@functools.lru_cache(maxsize=64)
def square(name, size):
    """A picture of the study as a square: the middle of a photo, or a scene.

    Args:
        name: a sample's name, or `"scene-0.40"`, of that clutter.
        size: px of a side.

    Introduced in notebook 05.

    >>> square("chelsea", 32).shape
    (32, 32, 3)
    """
    if name.startswith("scene-"):
        return scene(float(name.removeprefix("scene-")), size)
    picture = load_image(name)
    side = min(picture.shape[:2])
    top, left = ((length - side) // 2 for length in picture.shape[:2])
    return resize(picture[top : top + side, left : left + side], (size, size))


def _paint(cell, content, style):
    """The style transfer of a cell, judged: its columns."""
    from ..networks.backbone import load_backbone
    from ..recipes import start, style_transfer

    init = "noise" if cell.variant == "noise start" else "content"
    weights = dict(content_weight=CONTENT_WEIGHT, style_weight=STYLE_WEIGHT, tv_weight=TV_WEIGHT)
    if cell.variant == "raw descent":
        raw = dict(zip(("content_weight", "style_weight"), PAPER_WEIGHTS, strict=True))
        weights = dict(**raw, tv_weight=0.0, formula="tutorial")
        weights["content_layers"] = PAPER_LAYERS.get(cell.network)
    run = style_transfer(
        content,
        style,
        cell.network,
        cell.steps,
        cell.seed,
        init=init,
        octaves=1,
        **weights,
        **ALIKE,
    )
    network = load_backbone(cell.network)
    ends = start(init, content, style, cell.seed), _whole(run).image
    first, last = judge(ends, content, style, network)
    return {
        "start_raw": first["raw"],
        "end_raw": last["raw"],
        "start_relative": first["relative"],
        "end_relative": last["relative"],
        "content_end": last["content"],
        "style_start": first["style"],
        "style_end": last["style"],
    }


def _dream(cell, content, _style):
    """The dream of a cell, judged: its columns."""
    from ..networks.backbone import load_backbone
    from ..recipes import deep_dream
    from ..terms import Dream

    run = deep_dream(content, cell.network, None, cell.octaves, cell.steps, cell.seed, **ALIKE)
    score = Dream(load_backbone(cell.network))
    first, last = (float(score(picture)[0]) for picture in (content, _whole(run).image))
    nothing = dict.fromkeys(("content_end", "style_start", "style_end"), float("nan"))
    relative = {"start_relative": 1.0, "end_relative": last / first}
    return {"start_raw": first, "end_raw": last, **relative, **nothing}


def _whole(run):
    """The run, or KeyboardInterrupt if one cut it short: a loop keeps what it has, quietly."""
    if run.stopped:
        raise KeyboardInterrupt
    return run


def judge(pictures, content, style, network):
    """A style transfer's loss at pictures, in the paper's sense and in ours, in float32.

    Args:
        pictures: those to judge, each (H, W, 3) in [0, 1], of one size.
        content, style: what went in, likewise.
        network: a `Backbone`.

    Returns:
        For each picture {"raw": 1e4 · content + 1e-2 · style by TensorFlow's tutorial,
        "relative": content + 40 · style, both relative, "content", "style": these two before
        their weights}.

    Source: Gatys, Ecker and Bethge 2016, equation 7. Introduced in notebook 05.
    """
    from ..terms import Content, Style

    scores = {
        "content": Content(content, network),
        "style": Style(style, network),
        "raw_content": Content(content, network, PAPER_LAYERS.get(network.name), "tutorial"),
        "raw_style": Style(style, network, formula="tutorial"),
    }
    everything = functools.reduce(operator.add, scores.values())
    judged = []
    for picture in pictures:
        terms = everything(picture)[1].values()
        value = {name: float(term) for name, term in zip(scores, terms, strict=True)}
        raw = PAPER_WEIGHTS[0] * value["raw_content"] + PAPER_WEIGHTS[1] * value["raw_style"]
        relative = CONTENT_WEIGHT * value["content"] + STYLE_WEIGHT * value["style"]
        row = {"raw": raw, "relative": relative}
        judged.append(row | {name: value[name] for name in ("content", "style")})
    return judged
