"""What can be made, and which controls each has: read from the recipes' own signatures.

A control that a recipe has no argument for is not shown, so one line here is enough for a new one.
"""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..networks.weights import NETWORKS, available_offline
from ..recipes import RECIPES, WEIGHTS


@dataclass(frozen=True)
class Make:
    """Something that can be made.

    Attributes:
        name: as the menu shows it.
        recipe: the name of the recipe that makes it.
        hint: one line about it.
        fixed: arguments that it is made of.
    """

    name: str
    recipe: str
    hint: str
    fixed: Mapping = field(default_factory=dict)

    @property
    def function(self):
        return RECIPES[self.recipe]

    @property
    def keywords(self):
        """{argument of the recipe: its default}; for style_weight what None stands for."""
        parameters = inspect.signature(self.function).parameters
        found = {name: parameter.default for name, parameter in parameters.items()}
        weight = {"style_weight": WEIGHTS["style"]}
        return found | weight if "style_weight" in found else found

    @property
    def pictures(self):
        """The pictures that it needs, in order: of "content", "image" and "style"."""
        return [name for name in self.keywords if name in ("content", "image", "style")]

    @property
    def masks(self):
        """The arguments by which it can be kept to a part of the picture."""
        return [name for name in ("style_mask", "dream_mask") if name in self.keywords]

    @property
    def networks(self):
        """The arguments that name its networks."""
        return [name for name in self.keywords if name.endswith("backbone")]


ORDER = "dream_style"
MAKES = [
    Make("Paint", "style_transfer", "The photo, painted like the style picture."),
    Make("Dream", "deep_dream", "The network's own patterns grow out of the photo."),
    Make(
        "Paint, then dream", ORDER, "First the painting, then dreams in it.",
        {"order": "style-dream"},
    ),
    Make(
        "Dream, then paint", ORDER, "First the dream, then it is painted.",
        {"order": "dream-style"},
    ),
    Make("Paint and dream at once", ORDER, "Both pull at every step.", {"order": "joint"}),
    Make("Texture", "texture", "More of what the style picture is made of, from noise."),
    Make("One channel", "visualise", "What one channel of the network looks for, from noise."),
]  # fmt: skip


def makes():
    """{name: `Make`} of everything that this version can make."""
    return {make.name: make for make in MAKES if make.recipe in RECIPES}


PAINTS, SERIAL = ("Paint",), ("Paint, then dream", "Dream, then paint")
DREAMS, JOINT = ("Dream",), ("Paint and dream at once",)
LIVE = "at once"  # what the hint of a control says that changes the running walk


@dataclass(frozen=True)
class Control:
    """A slider, a menu or a box for one argument.

    Attributes:
        keyword: the recipe's argument.
        label: its name on the page.
        hint: one line about what it changes.
        kind: "slider", "weight" (a slider through certain numbers), "menu", "box" or "several".
        low, high, step: the range of a slider.
        options: of a menu {text: value}, of a weight its numbers; or the name of a list of layers.
        default: what to start from where the recipe's own default is None.
        only: names of the `Make`s that have it; empty for all whose recipe does.
        live: True if it changes the running walk at once.
        more: True if it is among those that are folded away at first.
    """

    keyword: str
    label: str
    hint: str
    kind: str = "slider"
    low: float = 0.0
    high: float = 1.0
    step: float = 1.0
    options: Any = None
    default: Any = None
    only: tuple = ()
    live: bool = False
    more: bool = False


CONTROLS = [
    Control("strength", "Strength", "How far to go from the photo.", low=0.0, step=0.05, live=True),
    Control(
        "style_weight", "Style weight", "More: stronger brush strokes, less of the photo.",
        "weight", options=(0, 1, 2, 5, 10, 20, 40, 80, 200, 400, 1000), live=True,
    ),
    Control(
        "balance", "Balance", "More: the dream pulls harder than the style.",
        low=0.0, high=4.0, step=0.1, only=JOINT, live=True,
    ),
    Control("size", "Size", "Longest side, px. Twice the side takes four times as long.",
            low=96, high=768, step=32),
    Control("steps", "Steps", "More steps: closer to the goal, and slower.",
            low=5, high=400, step=5, only=(*PAINTS, *SERIAL, *JOINT, "Texture", "One channel")),
    Control("steps", "Steps", "Steps at each size: more, and the dream grows stronger.",
            low=1, high=60, only=DREAMS),
    Control("octave_steps", "Dream steps", "The dream's steps at each size.",
            low=1, high=60, only=SERIAL),
    Control("learning_rate", "Step length", "How far a pixel moves in one step of the dream.",
            low=0.002, high=0.05, step=0.002, only=(*DREAMS, *SERIAL)),
    Control("octaves", "Octaves", "Number of sizes, from small to large: more, larger shapes.",
            low=1, high=8, only=(*PAINTS, *DREAMS, "Texture")),
    Control("layer", "Layer", "Early layers look for edges, late ones for things.", "menu",
            options="layers"),
    Control("channel", "Channel", "Each channel of a layer looks for something else.",
            low=0, high=63, default=11, only=("One channel",)),
    Control("channel", "Channels", "Which of the network's patterns to dream of.", "menu",
            options={"all of them": None, "this photo's strongest": "strongest",
                     "this photo's weakest": "weakest"}, only=DREAMS),
    Control("preserve_color", "Colours", "Whose colours the picture has.", "menu",
            options={"the style's": None, "the photo's, exactly": "luminance",
                     "the photo's, in the strokes": "match"}),
    Control("tileable", "Repeats", "Its edges meet, like a tile on a wall.", "box"),
    Control("style_scale", "Stroke size", "Larger: broader strokes.",
            low=0.25, high=3.0, step=0.05, more=True),
    Control("content_weight", "Photo weight", "More: the photo stays clearer.",
            "weight", options=(0, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100), only=PAINTS, live=True,
            more=True),
    Control("tv_weight", "Smoothness", "More: smoother, with less noise.",
            "weight", options=(0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20), live=True,
            more=True),
    Control("style_layers", "Style layers", "Early ones give fine strokes, late ones large shapes.",
            "several", options="style_layers", more=True),
    Control("content_layers", "Photo layer", "Late ones keep things, early ones every edge.",
            "menu", options="photo layers", more=True),
    Control("layers", "Dream layers", "Early ones give patterns, late ones parts of things.",
            "several", options="dream_layers", more=True),
    Control("statistics", "Statistics", "What of the style counts.", "menu", more=True,
            options={"Gram matrices": "gram", "means and variances": "adain",
                     "means and covariances": "moments", "whole distributions": "sliced"}),
    Control("canvas", "Canvas", "What moves: waves or pixels.", "menu", more=True,
            options={"waves": "spectrum", "only their places": "phase", "pixels": "pixels"}),
    Control("init", "Start from", "The picture before the first step.", "menu", more=True,
            options={"the photo": "content", "the style": "style", "noise": "noise"}),
    Control("smooth", "Smoothing", "More: the dream grows large soft shapes.",
            low=0, high=6, more=True, only=DREAMS),
    Control("seed", "Seed", "Another number, another chance.", low=0, high=99, default=1,
            more=True),
]  # fmt: skip


def controls(make):
    """The controls of a `Make`: those that its recipe has an argument for."""
    return [
        control
        for control in CONTROLS
        if control.keyword in make.keywords
        and control.keyword not in make.fixed
        and (not control.only or make.name in control.only)
    ]


def default(control, make, profile):
    """What a control starts from: the recipe's own default, or the profile's."""
    own = make.keywords[control.keyword]
    if own is not None and own is not inspect.Parameter.empty:
        return own
    if control.default is not None or control.kind != "slider":
        return control.default
    keyword = control.keyword
    if keyword == "steps" and make.name in DREAMS:
        keyword = "octave_steps"
    return getattr(profile, keyword)


def networks():
    """Names of the networks that are on this machine, the quickest last."""
    return [name for name in NETWORKS if available_offline(name)]


def weights(make, values):
    """{term or "balance": weight} of a walk, from the values of the controls that are live."""
    from ..recipes import weaken

    given = {
        "content": values.get("content_weight", WEIGHTS["content"]),
        "style": values.get("style_weight", WEIGHTS["style"]),
        "total_variation": values.get("tv_weight", WEIGHTS["total_variation"]),
    }
    if make.recipe == "texture":
        return {"total_variation": values["tv_weight"]}
    found = weaken(given, values.get("strength", 1.0)) if "style" in make.pictures else {}
    return found | ({"balance": values["balance"]} if "balance" in values else {})
