"""Pictures distorted by degrees, and a measure of clutter.  (Notebook 06.)

Severity runs from 0, which changes nothing, to 1, where a photo is barely recognisable. Lengths
are relative to the picture's own size, so a distortion looks the same at 96 px and at 512 px.
"""

import io
from functools import partial
from itertools import product

import numpy as np
from PIL import Image
from scipy import ndimage
from scipy.stats import entropy
from skimage.color import rgb2gray
from skimage.feature import canny
from skimage.transform import swirl

from ..errors import check_choice, check_range
from ..images import check_image, resize, resize_channels
from ..plots import panel_grid
from .drawing import MARKS, draw_marks, unit

BLUR = 0.03  # standard deviation of the Gaussian at severity 1, in units of `drawing.unit`


def _blur(picture, severity, rng):
    sigma = severity * BLUR * unit(picture)
    return ndimage.gaussian_filter(picture, (sigma, sigma, 0))


def _noise(picture, severity, rng):
    """Film grain: 128 grains across a unit, however many pixels each one covers."""
    height, width = picture.shape[:2]
    grains = rng.normal(size=(512, 512, 3)).astype(np.float32)
    rows, columns = (min(512, side * 128 / unit(picture)) for side in (height, width))
    field = resize_channels(grains, height, width, Image.Resampling.BICUBIC, (0, 0, columns, rows))
    return picture + severity * 0.4 * field / (field.std() + 1e-6)


def _jpeg(picture, severity, rng):
    """JPEG at 192 px, so 24 blocks across; finer detail fades as severity grows."""
    small, file = resize(picture, 192), io.BytesIO()
    quality = round(min(95, 3 / severity))
    Image.fromarray(np.rint(255 * small).astype(np.uint8)).save(file, "JPEG", quality=quality)
    packed = np.asarray(Image.open(file), np.float32) / 255
    fine = picture - resize(small, picture.shape[:2])
    return resize(packed, picture.shape[:2]) + (1 - severity) * fine


def _low_contrast(picture, severity, rng):
    return picture + 0.85 * severity * (picture.mean() - picture)


def _swirl(picture, severity, rng):
    return swirl(picture, strength=3.2 * severity, radius=2 * unit(picture), mode="reflect")


def _pixelation(picture, severity, rng):
    height, width = picture.shape[:2]
    cells = min(1, 18 / severity / max(height, width))  # per pixel; 18 across at severity 1
    size = [max(1, round(cells * side)) for side in (height, width)]
    means = resize_channels(picture, *size, Image.Resampling.BOX)
    return resize_channels(means, height, width, Image.Resampling.NEAREST)


DISTORTIONS = {
    "blur": _blur,
    "noise": _noise,
    "jpeg": _jpeg,
    "low_contrast": _low_contrast,
    "swirl": _swirl,
    "pixelation": _pixelation,
    **{kind: partial(draw_marks, kind) for kind in MARKS},
}


def distort(image, kind, severity, seed=0):
    """Distort a picture, a little or a lot.

    Args:
        image: (H, W, 3) in [0, 1].
        kind: a key of `DISTORTIONS`.
        severity: from 0, which changes nothing, to 1, where a photo is barely recognisable.
        seed: whole number from 0 up, for noise and marks. With the same seed, a higher severity
            gives the same noise, only stronger, or the same marks and more.

    Returns:
        (H, W, 3) float32 in [0, 1].

    Raises:
        ImageError: `image` is not a picture.
        SettingsError: there is no such kind, or severity or seed is out of range.

    Sources: Al-Khazraji, Abbas and Jamil 2022, who call a picture clear if it has no mixed lines,
    circles, colours or other shapes; Hendrycks and Dietterich 2019 (severity scales).
    Introduced in notebook 06.

    >>> grey = np.full((40, 60, 3), 0.5, np.float32)
    >>> [float(np.mean(distort(grey, "lines", s) != grey).round(1)) for s in (0, 0.1, 1)]
    [0.0, 0.1, 0.8]
    """
    check_choice("Distortion", kind, DISTORTIONS)
    check_range("Severity", severity, 0.0, 1.0)
    check_range("Seed", seed, 0)
    picture = check_image(image)
    if severity == 0:
        return picture
    distorted = DISTORTIONS[kind](picture, float(severity), np.random.default_rng(seed))
    return np.clip(distorted, 0, 1).astype(np.float32)


def clutter(image):
    """Measure how cluttered a picture is, at 256 px, so that its own size does not matter.

    Args:
        image: (H, W, 3) in [0, 1].

    Returns:
        {"edge_density": share of pixels on Canny edges, "colour_entropy": entropy of an 8 x 8 x 8
        colour histogram, 0 to 9 bits, "clutter": mean of edge_density / 0.2 (at most 1) and
        colour_entropy / 9}.

    Raises `ImageError` if `image` is not a picture.
    Sources: Canny 1986; Rosenholtz, Li and Nakano 2007 (edge density as a measure of clutter).
    Introduced in notebook 06's appendix.

    >>> clutter(np.full((40, 60, 3), 0.5))
    {'edge_density': 0.0, 'colour_entropy': 0.0, 'clutter': 0.0}
    """
    picture = resize(image, 256)
    density = float(canny(rgb2gray(picture)).mean())
    counts = np.histogramdd(picture.reshape(-1, 3), bins=8, range=[(0, 1)] * 3)[0]
    bits = float(entropy(counts.ravel(), base=2))
    total = (min(1.0, density / 0.2) + bits / 9) / 2
    return {"edge_density": density, "colour_entropy": bits, "clutter": total}


def scale_sheet(image, severities=(0, 0.25, 0.5, 0.75, 1), kinds=None):
    """Show distortions of a picture at several severities.

    Args:
        image: (H, W, 3) in [0, 1].
        severities: one for each column, from 0 to 1.
        kinds: one for each row, keys of `DISTORTIONS`; all when None.

    Returns the matplotlib figure; raises what `distort` raises.
    Introduced in notebook 06.

    >>> figure = scale_sheet(np.full((8, 8, 3), 0.5), (0, 1), ["blur"])
    >>> [axes.get_title() for axes in figure.axes]
    ['severity 0', 'severity 1']
    """
    kinds, picture = list(DISTORTIONS if kinds is None else kinds), check_image(image)
    height, fields = 1.7 * picture.shape[0] / picture.shape[1], [*product(kinds, severities)]
    figure, panels = panel_grid(len(fields), len(severities), 1.7, height, margin=(0.3, 0.4))
    for axes, (kind, severity) in zip(panels, fields, strict=True):
        axes.imshow(distort(picture, kind, severity), interpolation="lanczos")
        axes.set(xticks=[], yticks=[], frame_on=False)
    for axes, severity in zip(panels, severities, strict=False):  # the top row
        axes.set_title(f"severity {severity:g}", fontsize="medium")
    for axes, kind in zip(panels[:: len(severities)], kinds, strict=True):
        axes.set_ylabel(kind.replace("_", " "), fontsize="medium")
    return figure
