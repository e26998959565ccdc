"""How fast this machine computes: measured for a second, then cached.  (Notebook 00.)"""

import contextlib
import functools
import json
import os
import platform
import time

import numpy as np
import platformdirs

from ..inputs.files import replacing
from ..startup import tf
from .devices import details, gpu
from .mirrored import convolve, mirror, mirroring_pays
from .precision import fastest_precision, has_bfloat16

VGG19 = 361_152  # multiplications for each pixel, up to its deepest layer for style
SHAPES = ((128, 64), (64, 128), (32, 256), (16, 512))  # (side, channels), as in VGG's blocks
OLD = 3600  # s
BUDGET = 0.5  # s of measuring, after the graph has been built
# A style step takes longer than its convolutions, because it also waits for memory: 1.8 to 2.6
# times as long, measured side by side with AVX2 and with a matrix unit.
OVERHEAD = 2.4


def step_seconds(size, rate=None):
    """How long a step of a style transfer with VGG-19 takes here, s.

    Args:
        size: side of the square picture, px.
        rate: multiplications per second; measured when None.

    >>> round(step_seconds(size=256, rate=2e11), 2)
    0.57
    """
    return OVERHEAD * 2 * VGG19 * size**2 / (rate or products_per_second())


@functools.cache
def products_per_second():
    """Multiplications per second in convolutions and their gradients; kept from the last time."""
    file, key = note(), _machine()
    try:
        rate = float(json.loads(file.read_text("utf-8"))[key])
    except (OSError, ValueError, KeyError, TypeError):
        rate = measure()
        with contextlib.suppress(OSError), replacing(file) as part:  # a home may be read-only
            part.write_text(json.dumps({key: rate}), encoding="utf-8")
    return rate


def forget_old():
    """Forget a rate of over an hour ago, for the machine may have been busy then; True if so."""
    try:
        if time.time() - note().stat().st_mtime < OLD:
            return False
        note().unlink()
    except OSError:  # there is none, or it cannot be deleted
        return False
    products_per_second.cache_clear()
    return True


def note():
    """Where the rate is kept: a file in this user's cache folder."""
    folder = platformdirs.user_cache_path("neural-style-and-deep-dream", appauthor=False)
    return folder / "pace.json"


def measure(clock=time.perf_counter):
    """Multiplications per second, from timed convolutions like VGG's; `clock` gives seconds."""
    dtype = fastest_precision()
    rng = np.random.default_rng(0)
    draw = lambda *shape: tf.cast(rng.normal(0, 0.05, shape).astype("float32"), dtype)  # noqa: E731
    images = [draw(1, side, side, channels) for side, channels in SHAPES]
    kernels = [draw(3, 3, channels, channels) for _, channels in SHAPES]

    if mirroring_pays() and dtype == "float32":
        convolutions = [functools.partial(convolve, kernel=k, mirrored=mirror(k)) for k in kernels]
    else:
        same = dict(strides=1, padding="SAME")
        convolutions = [functools.partial(tf.nn.conv2d, filters=k, **same) for k in kernels]

    @tf.function
    def step(images):
        with tf.GradientTape() as tape:
            tape.watch(images)
            features = [f(x) for f, x in zip(convolutions, images, strict=True)]
            total = tf.add_n([tf.reduce_sum(tf.cast(f, tf.float32)) for f in features])
        return tape.gradient(total, images)

    step(images)
    times, started = [], clock()
    while not times or clock() - started < BUDGET:
        before = clock()
        step(images)[-1].numpy()
        times.append(clock() - before)
    products = sum(2 * (3 * channels * side) ** 2 for side, channels in SHAPES)
    return products / max(min(times), 1e-9)  # the others waited for something else


def _machine():
    """What the rate depends on, as a text."""
    device = gpu()
    card = [details(device).get("device_name", device.name)] if device else []
    limit = os.environ.get("ONEDNN_MAX_CPU_ISA", "")
    machine = platform.node(), platform.machine(), os.cpu_count(), has_bfloat16(), mirroring_pays()
    return " ".join(map(str, (*machine, *card, limit, tf.__version__)))
