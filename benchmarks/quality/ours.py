"""dreamkit's own settings, and what else might become one of them."""

from dreamkit import Content, Style, TotalVariation, style_transfer
from dreamkit.controls.quality import STYLE_WEIGHTS

from .methods import laps, method, share_of
from .walks import Adam, replicated, sizes_by_root_two, through_sizes

STEPS = 150
STRONG = "dreamkit, twice the style"


def transfer(pair, network, **options):
    """`style_transfer` of a pair."""
    options |= dict(seed=0, progress=False, tile=None)
    run = style_transfer(pair.photo, pair.painting, network, **options)
    return run.image, laps(run)


@method("dreamkit", "this package", curve=(0.25, 4))
def best(pair, network, factor, steps=STEPS, **options):
    """`style_transfer` as it is, with its 150 steps."""
    options |= dict(steps=share_of(steps), style_weight=STYLE_WEIGHTS["best"] * factor)
    return transfer(pair, network, **options)


@method(STRONG, "this package", curve=())
def stronger(pair, network, factor):
    """The first with twice the weight of style, a setting for those who want more painting."""
    return best(pair, network, 2 * factor)


@method("dreamkit, Gatys' layers", "this package", curve=(0.05, 0.25, 4))
def gatys(pair, network, factor):
    """`style_transfer` with `quality="gatys"`."""
    options = dict(quality="gatys", style_weight=STYLE_WEIGHTS["gatys"] * factor)
    return transfer(pair, network, steps=share_of(STEPS), **options)


@method("dreamkit, float32", "this package", curve=(), beside=("dreamkit",))
def exact(pair, network, factor):
    """The first in float32, to check that the precision does not matter."""
    return best(pair, network, factor, precision="float32")


@method("dreamkit, twice the steps", "this package", curve=(), beside=("dreamkit",))
def longer(pair, network, factor):
    """The first in 300 steps."""
    return best(pair, network, factor, 2 * STEPS)


@method("dreamkit, moments", "this package", curve=(), beside=("dreamkit", STRONG))
def moments(pair, network, factor):
    """The first with means and covariances instead of Gram matrices."""
    return best(pair, network, factor / 2, statistics="moments")


@method("dreamkit, moments carried over", "this package", curve=(), beside=("dreamkit", STRONG))
def carried_over(pair, network, factor):
    """Moments again, at three sizes by √2, with Adam's state carried from one to the next."""
    padded, sizes = replicated(network), sizes_by_root_two(pair.photo.shape[:2])
    shares = dict(zip(network.architecture.style_layers, (256, 64, 16, 4, 1), strict=True))

    def objective(photo, painting):
        style = Style(painting, padded, shares, statistics="moments")
        content = 0.1 / factor * Content(photo, padded, network.architecture.content_layers)
        return style + content + 0.01 * TotalVariation()

    steps = [share_of(count) for count in (60, 50, 40)[-len(sizes) :]]
    return through_sizes(pair, sizes, steps, objective, Adam(0.02, 0.9, 0.99, 0.9))
