"""Other programs' methods, written by ourselves from their published settings.

Where a program's network takes normalised inputs, its features are ours over `SCALE`.
"""

import functools
import time

import numpy as np

from dreamkit import Content, Style, TotalVariation, descend
from dreamkit.controls.paintings import style_objective
from dreamkit.startup import tf
from dreamkit.sums import count, sum_up
from dreamkit.terms import Term

from .. import pastiche_lbfgs, tutorial_style
from .methods import METHODS, laps, method, share_of
from .walks import Adam, State, gradient_of, replicated, sizes_by_root_two, through_sizes

SCALE = 255 * 0.226  # torchvision's networks see (x − mean) / 0.226, and x in [0, 1]
STYLE, CONTENT = tutorial_style.STYLE, "block4_conv2"
CHANNELS = dict(zip(STYLE, (64, 128, 256, 512, 512), strict=True))
CROWSON_WEIGHTS = (256, 64, 16, 4, 1)
PART = 0.3  # of the published steps, for time; book/quality.md has the command that tries them all


@method("TensorFlow's tutorial", "tensorflow.org/tutorials/generative/style_transfer", part=PART)
def tutorial(pair, network, factor, part=PART):
    """Adam: rate 0.02, β₁ 0.99; content 1e4, style 1e-2, total variation 30; 1,000 steps.

    Its ε of 0.1 is left out: the median gradient is still 1,250 after 300 steps (of pair 0).
    """
    objective = 1e4 * Content(pair.photo, network, tutorial_style.CONTENT, "tutorial")
    objective += 1e-2 * factor * Style(pair.painting, network, STYLE, "tutorial")
    objective += 30 * TotalVariation("tutorial")
    state = State(pair.photo)
    gradient = gradient_of(objective, pair.photo.shape[:2])
    steps = state.walk(gradient, share_of(part * 1000), Adam(0.02, 0.99, 0.999))
    return state.picture.numpy(), {"all": steps}


class SquaredVariation(Term):
    """½ Σ of squared differences of neighbours, of pixels in [0, 255]."""

    name, backbone, layers = "squared_variation", None, {"pixels": 1.0}

    def graph_key(self):
        return type(self)

    def statistics(self, features, target):
        (x,) = features.values()
        differences = x[:, :, 1:] - x[:, :, :-1], x[:, 1:] - x[:, :-1]
        return {"pixels": [sum_up((255 * d) ** 2) / 2 for d in differences]}

    def loss(self, statistics, target):
        return tf.add_n(statistics["pixels"])


@method("Gatys et al., L-BFGS (neural-style)", "github.com/jcjohnson/neural-style", part=PART)
def johnson(pair, network, factor, part=PART):
    """L-BFGS from noise: content 5, style 100, total variation 1e-3; 1,000 evaluations."""
    shares = {layer: 1 / count**2 for layer, count in CHANNELS.items()}
    objective = 5 * Content(pair.photo, network, CONTENT, "tutorial")
    style = Style(pair.painting, network, shares, "tutorial")
    objective += 100 * factor * sum(shares.values()) * style  # the sum over layers, not the mean
    objective += 1e-3 * SquaredVariation()
    noise = np.random.default_rng(0).normal(0.48, 0.001, pair.photo.shape)
    run = descend(
        noise.astype("float32"), objective, share_of(part * 1000), "lbfgs", progress=False
    )
    return run.image, laps(run)


@method("pastiche", "pypi.org/project/pastiche", part=PART)
def pastiche(pair, network, factor, part=PART):
    """Its loss, on our network: L-BFGS from the photo; 1,000 evaluations."""
    given = dict(pastiche_lbfgs.OBJECTIVE)
    names = dict(content="content_weight", style="style_weight", total_variation="tv_weight")
    weights = {term: given.pop(name) for term, name in names.items()}
    weights["style"] *= factor
    objective = style_objective(pair.photo, pair.painting, network, weights, **given)
    run = descend(pair.photo, objective, share_of(part * 1000), "lbfgs", progress=False)
    return run.image, laps(run)


@method(
    "pastiche, the program", "pypi.org/project/pastiche", curve=(), part=PART, beside=("pastiche",)
)
def program(pair, network, factor):
    """The program itself, in PyTorch and float32, with its defaults: a check of the one above."""
    artist = pastiche_lbfgs.Program(pair.photo, pair.painting)
    seconds = []
    for _ in range(share_of(PART * 1000)):
        started = time.perf_counter()
        artist.step()
        seconds.append(time.perf_counter() - started)
    return artist.picture(), {"all": seconds}


class NinePoints(Term):
    """Mean squared differences of neighbours, twice: 1/3 of straight ones, 1/12 of diagonal ones.

    Of pixels in [0, 1]; neighbours beyond the edge do not differ.
    """

    name, backbone, layers = "nine_points", None, {"pixels": 1.0}

    def graph_key(self):
        return type(self)

    def statistics(self, features, target):
        (x,) = features.values()
        straight = x[:, :, 1:] - x[:, :, :-1], x[:, 1:] - x[:, :-1]
        diagonal = x[:, 1:, 1:] - x[:, :-1, :-1], x[:, 1:, :-1] - x[:, :-1, 1:]
        parts = (straight, 1 / 3), (diagonal, 1 / 12)
        sums = [weight * sum_up(d**2) for differences, weight in parts for d in differences]
        return {"pixels": (tf.add_n(sums), count(x))}

    def loss(self, statistics, target):
        total, number = statistics["pixels"]
        return 2 * total / number


CROWSON = "github.com/crowsonkb/style-transfer-pytorch"


@method("crowsonkb/style-transfer-pytorch", CROWSON, part=PART)
def crowson(pair, network, factor, part=PART):
    """Means and covariances, sizes by √2 from 128 px, Adam with its moments carried over.

    1,000 steps at the smallest size and 500 at each other; rate 0.02, β₂ 0.99, iterates averaged
    with 0.99; content 0.015, style layers 256 : 64 : 16 : 4 : 1, nine points'
    differences 2; the first convolution replicates the edge.
    """
    padded = replicated(network)

    def objective(photo, painting):
        means = {
            layer: float(tf.reduce_mean(tf.square(tf.cast(f, tf.float32))))
            for layer, f in padded.raw_features(painting[None], STYLE).items()
        }
        weights = {
            layer: share / sum(CROWSON_WEIGHTS) * means[layer] / SCALE**2
            for layer, share in zip(STYLE, CROWSON_WEIGHTS, strict=True)
        }
        style = Style(painting, padded, weights, statistics="moments")
        content = Content(photo, padded, CONTENT, "tutorial")
        smooth = 2 * NinePoints()
        return 0.015 / SCALE**2 * content + factor * sum(weights.values()) * style + smooth

    sizes = sizes_by_root_two(pair.photo.shape[:2])
    steps = [share_of(part * 1000), *[share_of(part * 500)] * (len(sizes) - 1)]
    return through_sizes(pair, sizes, steps, objective, Adam(0.02, 0.9, 0.99, 0.99))


# Whether the steps that are left out matter is checked on a few pairs.
for _name in [name for name, peer in METHODS.items() if peer.part == PART and not peer.beside]:
    _cut = METHODS[_name]
    method(f"{_name}, all steps", _cut.source, curve=(), beside=(_name, "dreamkit"))(
        functools.partial(_cut.paint, part=1.0)
    )
