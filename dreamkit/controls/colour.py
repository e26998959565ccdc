"""Keeping a photo's colours: paint only its brightness, or repaint the painting.  (Notebook 03.)"""

import numpy as np

from ..arguments.checked import checked
from ..images import check_image, resize

LUMINANCE = np.array([0.299, 0.587, 0.114], "float32")  # shares of red, green and blue: YIQ's Y
ROUNDS = 3  # clipping undoes 16 % of the covariance, measured on our samples; 4 % after 3 rounds
FAINTEST = 1 / 255**2  # variance of one grey level: whatever varies less is rounding


def grey(picture):
    """A picture without its colours, (H, W, 3): every channel is the luminance.

    Introduced in notebook 03.

    >>> grey(np.array([[[1.0, 0.0, 0.0]]])).round(3).tolist()   # red is rather dark
    [[[0.299, 0.299, 0.299]]]
    """
    return np.repeat((picture @ LUMINANCE)[..., np.newaxis], 3, axis=-1)


@checked
def keep_chroma(painted, photo):
    """The brightness of a painted picture in the colours of the photo.

    A pixel is its luminance plus its chroma, the rest. The chroma is the photo's, exactly. Strong
    colours leave little room: pure red has only one brightness. So the luminance is limited to
    where red, green and blue all stay in [0, 1], and bright strokes fade on saturated things.

    It looks best if everything is made grey first: paint `grey(photo)` in the style of
    `match_colours(grey(painting), grey(photo))`, which is as bright and as rich in contrast.

    Args:
        painted: the picture after the style transfer, (H, W, 3) in [0, 1].
        photo: (h, w, 3) in [0, 1], resized to the painted picture.

    Returns:
        (H, W, 3) float32 in [0, 1].

    Source: Gatys et al. 2017, "Controlling perceptual factors in neural style transfer", section
    on luminance-only transfer. Introduced in notebook 03.

    >>> orange, grey = np.full((1, 1, 3), (0.8, 0.5, 0.2)), np.full((1, 1, 3), 0.4)
    >>> keep_chroma(grey, orange)[0, 0].astype(float).round(2).tolist()  # darker, just as orange
    [0.64, 0.34, 0.04]
    """
    painted = check_image(painted)
    photo = resize(photo, painted.shape[:2])
    chroma = photo - grey(photo)
    lowest = -chroma.min(axis=-1, keepdims=True)
    highest = 1 - chroma.max(axis=-1, keepdims=True)
    return np.clip(np.clip(grey(painted), lowest, highest) + chroma, 0, 1)


@checked
def match_colours(painting, photo):
    """Recolour a painting so that its colours have the mean and covariance of the photo's.

    Every pixel x becomes √C √S⁻¹ (x − m) + n, with mean m and covariance S of the painting's
    pixels, n and C of the photo's, and symmetric square roots. Colours outside [0, 1] are clipped,
    which changes mean and covariance a little, so the map is repeated on the result.

    Args:
        painting: (H, W, 3) in [0, 1]. Colours in which it doesn't vary stay without variation.
        photo: (h, w, 3) in [0, 1].

    Returns:
        (H, W, 3) float32 in [0, 1].

    Source: Gatys et al. 2017, "Controlling perceptual factors in neural style transfer", section
    on colour histogram matching. Introduced in notebook 03.

    >>> rng = np.random.default_rng(0)
    >>> painting, photo = rng.uniform(0.2, 0.8, (8, 8, 3)), rng.uniform(0.4, 0.5, (8, 8, 3))
    >>> bool(np.allclose(match_colours(painting, photo).mean((0, 1)), photo.mean((0, 1))))
    True
    """
    pixels = check_image(painting).astype("float64")
    mean, covariance = colour_moments(check_image(photo))
    for _ in range(ROUNDS):
        own_mean, own_covariance = colour_moments(pixels)
        whiten, colour = matrix_power(own_covariance, -0.5), matrix_power(covariance, 0.5)
        pixels = np.clip((pixels - own_mean) @ (colour @ whiten).T + mean, 0, 1)
    return pixels.astype("float32")


def colour_moments(picture):
    """Mean, (3,), and covariance, (3, 3), of a picture's pixels, in float64."""
    pixels = picture.reshape(-1, 3).astype("float64")
    return pixels.mean(axis=0), np.cov(pixels.T, bias=True)


def matrix_power(covariance, exponent):
    """A symmetric power of a covariance matrix; directions without variance stay without it."""
    variances, directions = np.linalg.eigh(covariance)
    seen = variances > FAINTEST
    powers = np.where(seen, np.where(seen, variances, 1) ** exponent, 0)
    return (directions * powers) @ directions.T
