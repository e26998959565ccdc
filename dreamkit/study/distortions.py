"""Pictures distorted on a scale, a measure of clutter, and drawn scenes.  (Notebook 05.)

Severity runs from 0, which changes nothing, to 1, where a photo can only just be guessed. Sizes
are shares of the picture's own (`_unit`), so a distortion looks the same at 96 px and at 512 px.
"""

import io
from functools import partial

import numpy as np
from PIL import Image, ImageColor, ImageDraw
from scipy import ndimage

from ..errors import check_choice, check_range
from ..images import check_image, resize
from ..plots import _figure

BLUR = 0.03  # the Gaussian's standard deviation at severity 1, in units


def _unit(picture):
    """The picture's own measure: the side, px, of a square of the same area."""
    return float(np.sqrt(picture.shape[0] * picture.shape[1]))


def _blur(picture, severity, rng):
    sigma = severity * BLUR * _unit(picture)
    return ndimage.gaussian_filter(picture, (sigma, sigma, 0))


def _planes(picture, height, width, kernel, box=None):
    """Pillow's resizing, channel by channel, of what need not lie in [0, 1]."""
    planes = [Image.fromarray(plane) for plane in np.moveaxis(picture, -1, 0)]
    return np.stack([plane.resize((width, height), kernel, box) for plane in planes], -1)


def _noise(picture, severity, rng):
    """Film grain: 128 grains to a unit, however many pixels a grain covers."""
    height, width = picture.shape[:2]
    grains = rng.normal(size=(512, 512, 3)).astype(np.float32)
    rows, columns = (min(512, side * 128 / _unit(picture)) for side in (height, width))
    field = _planes(grains, height, width, Image.Resampling.BICUBIC, (0, 0, columns, rows))
    return picture + severity * 0.4 * field / (field.std() + 1e-6)


def _jpeg(picture, severity, rng):
    """JPEG at 192 px, so 24 blocks across; detail finer than that fades as severity grows."""
    small, file = resize(picture, 192), io.BytesIO()
    quality = round(min(95, 3 / severity))
    Image.fromarray(np.rint(255 * small).astype(np.uint8)).save(file, "JPEG", quality=quality)
    packed = np.asarray(Image.open(file), np.float32) / 255
    fine = picture - resize(small, picture.shape[:2])
    return resize(packed, picture.shape[:2]) + (1 - severity) * fine


def _low_contrast(picture, severity, rng):
    return picture + 0.85 * severity * (picture.mean() - picture)


def _swirl(picture, severity, rng):
    from skimage.transform import swirl

    return swirl(picture, strength=3.2 * severity, radius=2 * _unit(picture), mode="reflect")


def _pixelation(picture, severity, rng):
    height, width = picture.shape[:2]
    cells = min(1, 18 / severity / max(height, width))  # per pixel; 18 across at severity 1
    size = [max(1, round(cells * side)) for side in (height, width)]
    means = _planes(picture, *size, Image.Resampling.BOX)
    return _planes(means, height, width, Image.Resampling.NEAREST)


def _colour(rng, alpha=255):
    hue, saturation, value = rng.integers((0, 55, 40), (360, 101, 101))
    return (*ImageColor.getrgb(f"hsv({hue},{saturation}%,{value}%)"), alpha)


def _ring(radii, turn=0.0):
    """Corners around (0, 0), each at its radius."""
    angles = turn + np.linspace(0, 2 * np.pi, len(radii), endpoint=False)
    return np.stack([np.cos(angles), np.sin(angles)], -1) * np.asarray(radii)[:, None]


# Marks: corners (n, 2) in units, RGBA from 0 to 255, width of the line in units (0: filled).


def _line(rng):
    """A straight or wavy line across the whole picture, there and back."""
    along, angle = np.linspace(-2, 2, 200), rng.uniform(0, np.pi)
    waves = rng.choice([0, 0.03]) * np.sin(rng.uniform(6, 18) * along)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    there = np.stack([along, waves], -1) @ turn
    return np.concatenate([there, there[::-1]]), _colour(rng), rng.uniform(0.006, 0.02)


def _circle(rng):
    """A disc or a ring."""
    return _ring([rng.uniform(0.03, 0.12)] * 60), _colour(rng), rng.choice([0, 0, 0.016])


def _colour_patch(rng):
    """A large blob of paint through which the photo still shows a little."""
    angles, radii = np.linspace(0, 2 * np.pi, 60, endpoint=False), np.ones(60)
    for waves in (2, 3, 5):
        radii += 0.4 / waves * np.sin(waves * angles + rng.uniform(0, 2 * np.pi))
    return rng.uniform(0.1, 0.16) * _ring(radii), _colour(rng, alpha=215), 0


def _shape(rng):
    """A triangle, square, pentagon, hexagon, star or cross, filled or as an outline."""
    kinds = [[1] * 3, [1] * 4, [1] * 5, [1] * 6, [1, 0.4] * 5, [1, 0.3] * 4, [1, 1, 0.45] * 4]
    corners = _ring(kinds[rng.integers(len(kinds))], rng.uniform(0, 2 * np.pi))
    return rng.uniform(0.05, 0.13) * corners, _colour(rng), rng.choice([0, 0, 0.014])


# What the paper's clear pictures are without: how it is drawn, and how often at severity 1.
MARKS = {
    "lines": ([_line], 44),
    "circles": ([_circle], 60),
    "colour_patches": ([_colour_patch], 16),
    "shapes": ([_shape], 50),
    "mixed": ([_line, _circle, _colour_patch, _shape], 44),
}


def _places(count, rng):
    """Places (count, 2) from 0 to 1, spread more evenly than by chance (Halton 1960)."""
    from scipy.stats import qmc

    return (qmc.Halton(2, scramble=False).random(count) + rng.random(2)) % 1


def _overlay(kind, picture, severity, rng):
    """Marks of a kind over the picture: the more severe, the more of the same marks."""
    makers, count = MARKS[kind]
    # New marks go beneath the ones before, so that none takes back a change.
    marks = [(place, *makers[n % len(makers)](rng)) for n, place in enumerate(_places(count, rng))]
    return _draw(picture, marks[: int(np.ceil(severity * count))][::-1])


def _draw(picture, marks):
    """The picture with marks over it, the last on top; drawn large, for smooth edges."""
    height, width = picture.shape[:2]
    factor = max(3, -(-1024 // max(height, width)))
    layer = Image.new("RGBA", (width * factor, height * factor))
    draw, unit = ImageDraw.Draw(layer), factor * _unit(picture)
    for place, corners, colour, line in marks:
        points = [tuple(xy) for xy in place * layer.size + corners * unit]
        if line:
            draw.line(points + points[:2], colour, max(1, round(line * unit)), "curve")
        else:
            draw.polygon(points, colour)
    paint = np.asarray(layer.reduce(factor), np.float32) / 255
    return picture + paint[..., 3:] * (paint[..., :3] - picture)


DISTORTIONS = {
    "blur": _blur,
    "noise": _noise,
    "jpeg": _jpeg,
    "low_contrast": _low_contrast,
    "swirl": _swirl,
    "pixelation": _pixelation,
    **{kind: partial(_overlay, kind) for kind in MARKS},
}


def distort(image, kind, severity, seed=0):
    """Distort a picture, a little or a lot.

    Args:
        image: (H, W, 3) in [0, 1].
        kind: a key of `DISTORTIONS`.
        severity: from 0, which changes nothing, to 1, where a photo can only just be guessed.
        seed: whole number from 0 up, for what is drawn by chance. With the same seed a more
            severe picture has the same noise, only stronger, or the same marks and more.

    Returns:
        (H, W, 3) float32 in [0, 1].

    Raises:
        ImageError: `image` is no picture.
        SettingsError: there is no such kind, or severity or seed is out of range.

    Sources: Al-Khazraji, Abbas and Jamil 2022, who call a picture clear that has no mixed lines,
    circles, colours or other shapes; Hendrycks and Dietterich 2019 (scales of severity).
    Introduced in notebook 05.

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
    """Measure how cluttered a picture is, at 256 px, so that size does not matter.

    Args:
        image: (H, W, 3) in [0, 1].

    Returns:
        {"edge_density": share of pixels on Canny edges, "colour_entropy": bits, 0 to 9, of a
        histogram of 8 x 8 x 8 colours, "clutter": mean of edge_density / 0.2 (1 at most) and
        colour_entropy / 9}.

    Raises `ImageError` when `image` is no picture.
    Sources: Canny 1986; Rosenholtz, Li and Nakano 2007 (edge density as a measure of clutter).
    Introduced in notebook 05.

    >>> clutter(np.full((40, 60, 3), 0.5))
    {'edge_density': 0.0, 'colour_entropy': 0.0, 'clutter': 0.0}
    """
    from scipy.stats import entropy
    from skimage.color import rgb2gray
    from skimage.feature import canny

    picture = resize(image, 256)
    density = float(canny(rgb2gray(picture)).mean())
    counts = np.histogramdd(picture.reshape(-1, 3), bins=8, range=[(0, 1)] * 3)[0]
    bits = float(entropy(counts.ravel(), base=2))
    total = (min(1.0, density / 0.2) + bits / 9) / 2
    return {"edge_density": density, "colour_entropy": bits, "clutter": total}


def scale_sheet(image, severities=(0, 0.25, 0.5, 0.75, 1), kinds=None):
    """Show every distortion of a picture on its scale.

    Args:
        image: (H, W, 3) in [0, 1].
        severities: those of the columns, from 0 to 1.
        kinds: those of the rows, keys of `DISTORTIONS`; all when None.

    Returns the matplotlib figure; raises what `distort` raises.
    Introduced in notebook 05.

    >>> figure = scale_sheet(np.full((8, 8, 3), 0.5), (0, 1), ["blur"])
    >>> [axes.get_title() for axes in figure.axes]
    ['severity 0', 'severity 1']
    """
    kinds, picture = list(DISTORTIONS if kinds is None else kinds), check_image(image)
    tall = 1.7 * len(kinds) * picture.shape[0] / picture.shape[1]
    figure = _figure(1.7 * len(severities) + 0.3, tall + 0.4)
    panels = figure.subplots(len(kinds), len(severities), squeeze=False)
    for (row, column), axes in np.ndenumerate(panels):
        axes.imshow(distort(picture, kinds[row], severities[column]), interpolation="lanczos")
        axes.set(xticks=[], yticks=[], frame_on=False)
        axes.set_title("" if row else f"severity {severities[column]:g}", fontsize="medium")
        axes.set_ylabel("" if column else kinds[row].replace("_", " "), fontsize="medium")
    return figure
