"""visualise(): what a channel of a network looks for.  (Notebook 04.)"""

import dataclasses
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from ..arguments import kinds
from ..dream import Dream
from ..errors import DivergedError, SettingsError, check_range
from ..gram import gram_matrix
from ..images import load_image
from ..inputs.reading import MAX_PIXELS
from ..networks.backbone import Backbone, load_backbone
from ..networks.unrectified import before_relu
from ..objectives import Objective
from ..octaves import plan
from ..optimize import ascend
from ..runs.run import Run, concatenate
from ..runs.settings import reproducible
from ..startup import tf
from ..sums import positions
from ..terms import Term, layer_weights

GAP = 4  # px of white between the pictures of a row


@dataclass(eq=False)
class Alike(Term):
    """How alike the Gram matrices of two pictures are, from 0 to 1: the style loss upside down.

    With G and A the two Gram matrices at a layer: Σ G·A / √(ΣG² · ΣA²), averaged over layers.

    Args:
        image: the other picture, anything `load_image` accepts.
        backbone: a `Backbone`.
        layers: a name, several names, or {name: weight}.

    Raises:
        LayerError: an unknown layer.

    Source: Olah, Mordvintsev and Schubert 2017, section "Diversity". Introduced in notebook 04.

    >>> x = np.random.default_rng(0).random((48, 48, 3), "float32")
    >>> round(float(Alike(x, load_backbone("squeezenet"), "fire2")(x)[0]), 4)
    1.0
    """

    image: Any
    backbone: Backbone
    layers: Any
    name: ClassVar[str] = "alike"

    def __post_init__(self):
        self.layers = layer_weights(self.backbone, self.layers, None)
        self.image = load_image(self.image)

    def reference(self, size):
        return self.image

    def target(self, features):
        """The other picture's own statistics."""
        return self.statistics(features, {})

    def statistics(self, features, target):
        """{layer: FᵀF}."""
        return {n: positions(f) * gram_matrix(f) for n, f in features.items()}

    def loss(self, statistics, target):
        return self.layer_mean({n: cosine(gram, target[n]) for n, gram in statistics.items()})


def cosine(g, a):
    """Σ G·A / √(ΣG² · ΣA²): the cosine of the angle between two arrays, whatever their scale."""
    length = lambda x: tf.sqrt(tf.reduce_sum(x**2))  # noqa: E731
    return tf.reduce_sum(g * a) / (length(g) * length(a))


@dataclass
class Visualisation(Run):
    """A `Run` whose picture shows several in a row: `pictures` holds them one by one."""

    pictures: list = field(default_factory=list)


@reproducible(pictures=kinds.number(1, kinds.MOST), apart=kinds.number(0.0, 1e6))
def visualise(
    backbone,
    layer,
    channel,
    steps=None,
    seed=None,
    *,
    size=None,
    canvas="spectrum",
    negative=False,
    pictures=1,
    apart=0.3,
    learning_rate=0.05,
    jitter=8,
    rotate=10.0,
    zoom=0.1,
    pad=12,
    precision="auto",
    tile="auto",
    profile=None,
    callback=None,
    progress=True,
    checkpoint=None,
    film=None,
):
    """Show what a channel of a network looks for: a picture grown from noise that excites it.

    The channel is taken before its ReLU, so that silent ones can be shown too. Before each step the
    picture is moved a little at random, so that it has to please the network wherever it lies.

    Args:
        backbone: a network's name or a `Backbone`; None for the profile's.
        layer: the layer's name.
        channel: number of the channel, from 0.
        steps: steps of ascent for each picture; None for the profile's. [150, 50] adds 50 to the
            last picture.
        seed: seed of the noise and the moves; None draws and records one.
        size: side of a picture, px; None for half the profile's size.
        canvas: `"spectrum"`, `"phase"` (magnitudes fixed to those of photos) or `"pixels"`.
        negative: True to show what silences the channel.
        pictures: how many different pictures to make, 1 to 1000: each is kept apart from those
            before it by its Gram matrix at `layer`.
        apart: the penalty for being just like another one; 1 costs as much as the first one scores.
        learning_rate: of Adam; in units of the canvas, see `dreamkit/canvas.py`.
        jitter, rotate, zoom, pad: the random moves; see `Transforms`.
        precision, tile, profile, callback, progress, checkpoint, film: see `style_transfer`.

    Returns:
        A `Visualisation`: a `Run` with a list of its `pictures`; its phases are the pictures.

    Raises:
        DreamkitError: the subclass and message name the invalid picture, setting or weights.

    Sources: Olah, Mordvintsev and Schubert 2017; Fel et al. 2023 (phase). Introduced in
    notebook 04.

    >>> run = visualise("squeezenet", "fire6", 11, profile="ci", seed=1, progress=False)
    >>> run.image.shape
    (48, 48, 3)
    """
    whole = load_backbone(backbone or profile.dream_backbone)
    network, name, number = before_relu(whole, layer, channel)
    whole, network = (each.with_precision(precision) for each in (whole, network))
    side = profile.size // 2 if size is None else size
    if check_range("size", side, 1) ** 2 * pictures > MAX_PIXELS:
        raise SettingsError(
            f"pictures={pictures} with size={side} are over {MAX_PIXELS:,} pixels: choose fewer"
            " pictures or a smaller size."
        )
    network.check_size((side, side), [name])
    score = (-1 if negative else 1) * Dream(network, name, number)
    steps = profile.steps if steps is None else steps
    stages = plan("picture", [(side, side)] * pictures, steps, shared=False)
    options = dict(learning_rate=learning_rate, canvas=canvas, keep="last", tile=tile)
    options |= dict(jitter=jitter, rotate=rotate, zoom=zoom, pad=pad)
    options |= dict(progress=progress, checkpoint=checkpoint)
    made, runs = [], []

    def score_apart_from(others):
        """The score minus a penalty for likeness to each of them, in units of the first's score."""
        if not others:
            return score
        weight = apart * abs(runs[0].history["dream"].iloc[-1])
        return score - Objective([(weight, Alike(picture, whole, layer)) for picture in others])

    def show_row(step):
        return callback(
            dataclasses.replace(step, image=row([*made[: pictures - 1], step.image], pictures))
        )

    for n, (_, count, phase) in enumerate(stages):
        others = made[: pictures - 1]
        picture = made[-1] if n >= pictures else noise(side, (seed, n))
        options |= dict(phase=phase, seed=seed + n, callback=callback and show_row)
        try:
            runs.append(ascend(picture, score_apart_from(others), count, "adam", **options))
            made[len(others) :] = [runs[-1].image]
        except KeyboardInterrupt:  # before the first score of this picture
            if not runs:
                raise
            runs[-1].stopped = "interrupted"
        except DivergedError as error:
            if error.run.image is not None:
                runs.append(error.run)
                made[len(others) :] = [error.run.image]
            error.run = in_a_row(runs, made, pictures) if runs else None
            raise
        if runs[-1].stopped:
            break
    return in_a_row(runs, made, pictures)


def in_a_row(runs, made, count):
    """One `Visualisation` of consecutive runs, whose pictures are shown with room for `count`."""
    run = concatenate(runs)
    return Visualisation(row(made, count), run.history, {}, run.stopped, made)


def noise(side, seed):
    """Grey with a little noise, (side, side, 3)."""
    values = np.random.default_rng(seed).normal(0.5, 0.01, (side, side, 3))
    return values.clip(0, 1).astype("float32")


def row(made, count):
    """Pictures of one size side by side on white, with room for `count`."""
    height, width = made[0].shape[:2]
    image = np.ones((height, count * (width + GAP) - GAP, 3), "float32")
    for number, picture in enumerate(made):
        left = number * (width + GAP)
        image[:, left : left + width] = picture
    return image
