"""Other programs' methods, written by ourselves from their published settings.

Where a program's network takes normalised inputs, its features are ours over `SCALE`.
"""

import numpy as np

from dreamkit import Content, Style, TotalVariation, descend
from dreamkit.startup import tf
from dreamkit.sums import sum_up
from dreamkit.terms import Term

from .. import tutorial_style
from .methods import laps, method, share_of
from .walks import Adam, State, gradient_of, replicated, sizes_by_root_two, through_sizes

SCALE = 255 * 0.226  # torchvision's networks see (x − mean) / 0.226, and x in [0, 1]
STYLE = tutorial_style.STYLE
CHANNELS = dict(zip(STYLE, (64, 128, 256, 512, 512), strict=True))
TUTORIAL_STEPS, JOHNSON_STEPS, PASTICHE_STEPS = 1000, 500, 300
CROWSON_STEPS, CROWSON_WEIGHTS = (1000, 500), (256, 64, 16, 4, 1)


@method("TensorFlow's tutorial", "tensorflow.org/tutorials/generative/style_transfer")
def tutorial(pair, network, factor):
    """1,000 steps of Adam: rate 0.02, β₁ 0.99; content 1e4, style 1e-2, total variation 30."""
    objective = 1e4 * Content(pair.photo, network, tutorial_style.CONTENT, "tutorial")
    objective += 1e-2 * factor * Style(pair.painting, network, STYLE, "tutorial")
    objective += 30 * TotalVariation("tutorial")
    state = State(pair.photo)
    gradient = gradient_of(objective, pair.photo.shape[:2])
    steps = state.walk(gradient, share_of(TUTORIAL_STEPS), Adam(0.02, 0.99, 0.999))
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


@method("Gatys et al., L-BFGS (neural-style)", "github.com/jcjohnson/neural-style")
def johnson(pair, network, factor):
    """L-BFGS from noise: content 5, style 100, total variation 1e-3, at Gatys' layers."""
    shares = {layer: 1 / count**2 for layer, count in CHANNELS.items()}
    objective = 5 * Content(pair.photo, network, "block4_conv2", "tutorial")
    style = Style(pair.painting, network, shares, "tutorial")
    objective += 100 * factor * sum(shares.values()) * style  # the sum over layers, not the mean
    objective += 1e-3 * SquaredVariation()
    noise = np.random.default_rng(0).normal(0.48, 0.001, pair.photo.shape)
    run = descend(
        noise.astype("float32"), objective, share_of(JOHNSON_STEPS), "lbfgs", progress=False
    )
    return run.image, laps(run)


@method("pastiche", "pypi.org/project/pastiche", curve=())
def pastiche(pair, network, factor):
    """The program itself, in PyTorch, with its defaults and 300 steps."""
    from pastiche.pastiche import VGG_MEAN

    from .. import pastiche_lbfgs

    artist = pastiche_lbfgs.artist(pair.photo, pair.painting)
    made = pastiche_lbfgs.run(artist, share_of(PASTICHE_STEPS))
    bgr = artist.pastiche.detach().numpy()[0] + np.reshape(VGG_MEAN, (3, 1, 1))
    picture = np.clip(bgr[::-1].transpose(1, 2, 0) / 255, 0, 1).astype("float32")
    return picture, {"all": np.diff([seconds for seconds, _ in made]).tolist()}


@method("crowsonkb/style-transfer-pytorch", "github.com/crowsonkb/style-transfer-pytorch")
def crowson(pair, network, factor):
    """Means and covariances carried over, sizes by √2 from 128 px, Adam with its moments kept.

    1,000 steps at the smallest size and 500 at each other; rate 0.02, β₂ 0.99, iterates averaged
    with 0.99; content 0.015, style layers 256 : 64 : 16 : 4 : 1, squared differences of neighbours
    2; the first convolution replicates the edge.
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
        content = Content(photo, padded, "block4_conv2", "tutorial")
        calm = 2 * 2 / (255**2 * photo.shape[0] * photo.shape[1] * 3) * SquaredVariation()
        return 0.015 / SCALE**2 * content + factor * sum(weights.values()) * style + calm

    sizes = sizes_by_root_two(pair.photo.shape[:2])
    first, later = map(share_of, CROWSON_STEPS)
    steps = [first, *[later] * (len(sizes) - 1)]
    return through_sizes(pair, sizes, steps, objective, Adam(0.02, 0.9, 0.99, 0.99))
