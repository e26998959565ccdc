"""How a recipe makes the frames of a video: the first as usual, the others from the one before."""

import numpy as np

from ..controls.colour import grey, keep_chroma
from ..controls.masks import keep_outside
from ..controls.paintings import (
    masked,
    paintings,
    recolour,
    scale_paintings,
    style_objective,
    weaken,
)
from ..dream import Dream
from ..large.memory import fit_to_memory
from ..networks.backbone import load_backbone
from ..objectives import as_tensor
from ..optimize import ascend, descend
from ..recipes import deep_dream, style_transfer
from .making import frame_seed, picture_of
from .temporal import Temporal

HOLD = 200.0  # weight of a style's temporal term, relative to its content's
RATE = 0.04  # Adam's first rate for a frame that starts from a painted one; 0.06 repaints it
FADE = 0.95  # how much of a dream is carried into the next frame
TYPICAL = 0.05  # at this distance, a dream's temporal term pulls as hard as the dream pushes


class StyleFrames:
    """The frames of a video in a style.

    Args:
        given: the resolved arguments of `style_transfer`.
        temporal: weight of the temporal term, where 1 is a good choice.
        steps: steps for each frame after the first; None for a third of the recipe's, or half of a
            dream's.
    """

    def __init__(self, given, temporal, steps):
        self.given = given = given | style_transfer.expand(given)
        self.temporal = temporal
        whole = given["profile"].steps if given["steps"] is None else given["steps"]
        self.steps = max(1, whole // 3) if steps is None else steps
        network = load_backbone(given["backbone"] or given["profile"].style_backbone)
        self.network = network.with_precision(given["precision"])

    def first(self, frame):
        """The first frame: the recipe."""
        return picture_of(style_transfer(**{**self.given, "content": frame, "size": None}))

    def next(self, frame, carried, reliable, number):
        """A later frame: a few steps from the last result, held close to it."""
        given = self.given
        colours = given["preserve_color"]
        what = given["style"], given["style_mask"], self.network, given["style_layers"]
        photo, styles = recolour(frame, paintings(*what), colours)
        longest = round(given["style_scale"] * max(frame.shape))
        styles = scale_paintings(styles, longest, self.network)
        weights = dict(content=given["content_weight"], style=given["style_weight"])
        weights["total_variation"] = given["tv_weight"]
        chosen = "content_layers", "content_mask", "formula", "statistics"
        options = {name: given[name] for name in chosen}
        weights = weaken(weights, given["strength"])
        objective = style_objective(photo, styles, self.network, weights, **options)
        carried = grey(carried) if colours == "luminance" else carried
        if self.temporal:
            hold = self.temporal * HOLD * given["content_weight"]
            objective = objective + hold * Temporal(carried, reliable)
        rate = RATE if given["learning_rate"] is None else given["learning_rate"]
        options = dict(learning_rate=rate, tile=given["tile"], callback=given["callback"])
        run = descend(carried, objective, self.steps, progress=False, **options)
        painted = keep_outside(photo, picture_of(run), [style.mask for style in styles])
        return keep_chroma(painted, frame) if colours == "luminance" else painted


class DreamFrames:
    """The dreams of a video's frames; see `StyleFrames`.

    What the last frame's dream has added is carried to the next frame, a little faded, so that the
    video itself stays underneath however long it is.
    """

    def __init__(self, given, temporal, steps):
        self.given, self.temporal = given, temporal
        whole = given["profile"].octave_steps if given["steps"] is None else given["steps"]
        self.steps = max(1, whole // 2) if steps is None else steps
        network = load_backbone(given["backbone"] or given["profile"].dream_backbone)
        network = network.with_precision(given["precision"])
        what = (given[name] for name in ("layers", "channel", "label", "guide", "power"))
        self.dream = masked(Dream(network, *what), given["dream_mask"])

    def first(self, frame):
        """The first frame: the recipe."""
        return picture_of(deep_dream(**{**self.given, "image": frame, "size": None}))

    def next(self, frame, carried, reliable, number):
        """A later frame: a few steps from the video's frame with the last dream in it."""
        given = self.given
        begin = frame + FADE * reliable * (carried - frame)
        # All steps of a frame share one roll, because what holds the picture has to roll with it.
        rng = np.random.default_rng(frame_seed(given["seed"], number))
        shift = rng.integers(-given["jitter"], given["jitter"] + 1, 2)
        begin, carried, reliable = (np.roll(x, shift, (0, 1)) for x in (begin, carried, reliable))
        score = 1.0 * self.dream
        if self.temporal:
            score = score - self._hold(begin) * Temporal(carried, reliable)
        options = {name: given[name] for name in ("learning_rate", "smooth", "tile", "callback")}
        run = ascend(begin, score, self.steps, keep="last", progress=False, **options)
        dreamt = np.roll(picture_of(run), -shift, (0, 1))
        return keep_outside(frame, dreamt, [given["dream_mask"]])

    def _hold(self, picture):
        """The temporal term's weight: see `TYPICAL`."""
        dream = fit_to_memory(self.dream, picture.shape[:2], self.given["tile"])
        gradient = dream.value_and_gradient(as_tensor(picture)).gradient.numpy()
        push = np.sqrt((gradient**2).mean())
        return self.temporal * float(push) * picture.size / (2 * TYPICAL)


PAINTERS = {"style_transfer": StyleFrames, "deep_dream": DreamFrames}
