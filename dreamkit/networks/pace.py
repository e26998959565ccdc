"""How fast does this machine compute? One second of measuring tells, once.  (Notebook 00.)"""

import functools
import json
import os
import platform
import time

import numpy as np
import platformdirs

from ..files import replacing
from ..startup import tf
from .precision import has_bfloat16

SHAPES = ((128, 64), (64, 128), (32, 256), (16, 512))  # (side, channels), as in VGG's blocks
BUDGET = 0.5  # s of measuring, after the graph has been built
# A style step takes longer than its convolutions: measured, on AVX2 and with a matrix unit.
OVERHEAD = 1.3


def step_seconds(products, size, rate=None):
    """How long a style transfer's step takes at a square of `size` px, s.

    Args:
        products: multiplications in one pass through the network, for each pixel.
        size: px.
        rate: multiplications per second; measured when None.

    >>> step_seconds(products=1e5, size=100, rate=1e10)
    0.26
    """
    return OVERHEAD * 2 * products * size**2 / (rate or products_per_second())


@functools.cache
def products_per_second():
    """Multiplications per second in convolutions and their gradients; kept from the last time."""
    folder = platformdirs.user_cache_path("neural-style-and-deep-dream", appauthor=False)
    file, key = folder / "pace.json", _machine()
    try:
        kept = json.loads(file.read_text("utf-8"))
        rate = float(kept[key])
    except (OSError, ValueError, KeyError, TypeError):
        kept, rate = {}, measure()
        try:
            with replacing(file) as part:
                part.write_text(json.dumps({key: rate}), encoding="utf-8")
        except OSError:  # a read-only home costs a second each time, no more
            pass
    return rate


def measure(clock=time.perf_counter):
    """Multiplications per second, from timed convolutions like VGG's; `clock` gives seconds."""
    dtype = "bfloat16" if has_bfloat16() else "float32"
    rng = np.random.default_rng(0)
    draw = lambda *shape: tf.cast(rng.normal(0, 0.05, shape).astype("float32"), dtype)  # noqa: E731
    images = [draw(1, side, side, channels) for side, channels in SHAPES]
    kernels = [draw(3, 3, channels, channels) for _, channels in SHAPES]

    @tf.function
    def step(images):
        with tf.GradientTape() as tape:
            tape.watch(images)
            features = [tf.nn.conv2d(x, k, 1, "SAME") for x, k in zip(images, kernels, strict=True)]
            total = tf.add_n([tf.reduce_sum(tf.cast(f, tf.float32)) for f in features])
        return tape.gradient(total, images)

    step(images)
    times, started = [], clock()
    while not times or clock() - started < BUDGET:
        before = clock()
        step(images)[-1].numpy()
        times.append(clock() - before)
    products = sum(2 * (3 * channels * side) ** 2 for side, channels in SHAPES)
    return products / max(np.median(times), 1e-9)


def _machine():
    """What the rate depends on, as a text."""
    gpus = [gpu.name for gpu in tf.config.list_physical_devices("GPU")]
    limit = os.environ.get("ONEDNN_MAX_CPU_ISA", "")
    machine = platform.node(), platform.machine(), os.cpu_count(), has_bfloat16()
    return " ".join(map(str, (*machine, *gpus, limit, tf.__version__)))
