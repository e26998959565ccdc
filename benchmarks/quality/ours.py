"""dreamkit's own default and its best, and what else might become one of them."""

from typing import NamedTuple

from dreamkit import Content, Style, TotalVariation, style_transfer
from dreamkit.controls.quality import STYLE_WEIGHTS

from .methods import laps, method, share_of
from .walks import Adam, replicated, sizes_by_root_two, through_sizes

LAYERS = tuple(f"block{block}_conv1" for block in range(1, 6))
STEPS = 150


def transfer(pair, network, **options):
    """`style_transfer` of a pair."""
    options |= dict(seed=0, progress=False, tile=None)
    run = style_transfer(pair.photo, pair.painting, network, **options)
    return run.image, laps(run)


@method("dreamkit", "this package", curve=(0.25, 4))
def best(pair, network, factor, steps=STEPS):
    """`style_transfer` as it is, with its 150 steps."""
    weight = STYLE_WEIGHTS["best"] * factor
    return transfer(pair, network, steps=share_of(steps), style_weight=weight)


@method("dreamkit, Gatys' layers", "this package", curve=(0.05, 0.25, 4))
def gatys(pair, network, factor):
    """`style_transfer` with `quality="gatys"`."""
    options = dict(quality="gatys", style_weight=STYLE_WEIGHTS["gatys"] * factor)
    return transfer(pair, network, steps=share_of(STEPS), **options)


@method("dreamkit, float32", "this package", curve=(), extra=True)
def exact(pair, network, factor):
    """The first in float32, to check that the precision does not matter."""
    return best(pair, network.with_precision("float32"), factor)


@method("dreamkit, moments", "this package", curve=(), extra=True)
def moments(pair, network, factor):
    """The first with means and covariances instead of Gram matrices."""
    options = dict(style_weight=STYLE_WEIGHTS["best"] / 2 * factor, statistics="moments")
    return transfer(pair, network, steps=share_of(STEPS), **options)


@method("dreamkit, twice the steps", "this package", curve=(), extra=True)
def longer(pair, network, factor):
    """The first in 300 steps."""
    return best(pair, network, factor, 2 * STEPS)


class Candidate(NamedTuple):
    """What a better picture might be made with.

    Attributes:
        statistics: what the style compares.
        content: weight of the content; the style's is 1.
        shares: the style layers' weights, from shallow to deep.
        steps: steps at the smallest of three sizes by √2, at the next, and at the full size.
        calm: weight of the total variation.
        padded: True if the first convolution continues the picture's edge.
        adam: an `Adam`.
    """

    statistics: str = "moments"
    content: float = 0.1
    shares: tuple = (256, 64, 16, 4, 1)
    steps: tuple = (60, 50, 40)
    calm: float = 0.01
    padded: bool = True
    adam: Adam = Adam(0.02, 0.9, 0.99, 0.9)


CANDIDATES = {"moments carried over": Candidate()}


def paint(pair, network, factor, candidate):
    """Paint a pair with a candidate's settings."""
    network = replicated(network) if candidate.padded else network

    def objective(photo, painting):
        shares = dict(zip(LAYERS, candidate.shares, strict=True))
        style = Style(painting, network, shares, statistics=candidate.statistics)
        content = candidate.content / factor * Content(photo, network, "block4_conv2")
        return style + content + candidate.calm * TotalVariation()

    sizes = sizes_by_root_two(pair.photo.shape[:2])
    steps = [candidate.steps[0]] * (len(sizes) - 2) + list(candidate.steps[-2:])
    steps = [share_of(count) for count in steps[-len(sizes) :]]
    return through_sizes(pair, sizes, steps, objective, candidate.adam)


for _name, _candidate in CANDIDATES.items():
    method(f"dreamkit, {_name}", "this package", curve=(), extra=True)(
        lambda pair, network, factor, candidate=_candidate: paint(pair, network, factor, candidate)
    )
