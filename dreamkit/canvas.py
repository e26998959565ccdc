"""What the optimiser moves: the pixels, a spectrum, or only its phases.  (Notebook 04.)

A picture is a variable, but in which coordinates? A step in pixels changes each of them on its own,
so the quickest way up is grain. A coefficient of the Fourier transform is a wave across the whole
picture. With waves scaled by 1/f, as in photos, broad shapes move as easily as fine ones; with
uncorrelated colours, so do brightness and colour; and behind a sigmoid, every value is in [0, 1].
"""

import functools

import numpy as np

from .images import load_image, resize
from .startup import tf

PHOTOS = ("astronaut", "chelsea", "coffee", "rocket", "china", "flower")
COLOURS = np.array(  # what `uncorrelated_colours` finds in these photos
    [
        [1.770, 1.491, 1.641],  # light and dark
        [0.925, -0.280, -0.743],  # warm and cold
        [-0.066, 0.288, -0.190],  # green and pink
    ]
)
AMPLITUDE = 0.1  # over f, what a coefficient of a photo has, per pixel
DARKEST = 1 / 512  # half a level of 8 bits: the sigmoid reaches 0 and 1 only at infinity


class Pixels:
    """The picture itself is moved, and clipped to [0, 1].

    Attributes, as for every canvas:
        variable: what the optimiser moves.
        slots: variables to save with the picture, so that a run can be resumed.
        bounds: the smallest and largest value of an element of `variable`.
    """

    slots, bounds = (), (0, 1)

    def __init__(self, picture):
        self.variable = picture

    def pull_back(self, gradient):
        """The gradient with respect to `variable`, from the one with respect to the picture."""
        return gradient

    def paint(self):
        """Update the picture after `variable` has moved."""
        self.variable.assign(tf.clip_by_value(self.variable, 0, 1))


class Spectrum(Pixels):
    """The picture's Fourier coefficients are moved, each relative to 1/f.

    `variable` is (2 h, w // 2 + 1, 3): the real parts above the imaginary ones, of three colours.
    A coefficient of 1 is about as strong as in a photo of any size.

    Args:
        picture: a variable (h, w, 3), which from now on shows the canvas.

    Sources: Olah, Mordvintsev and Schubert 2017; Mordvintsev, Pezzotti, Schubert and Olah 2018,
    "Differentiable image parameterizations". Introduced in notebook 04.

    >>> canvas = Spectrum(tf.Variable(tf.fill((8, 6, 3), 0.5)))
    >>> canvas.variable.shape, float(tf.reduce_max(canvas.picture))
    (TensorShape([16, 4, 3]), 0.5)
    """

    bounds = (None, None)

    def __init__(self, picture):
        self.picture, self.size = picture, tuple(picture.shape[:2])
        self.weights = tf.constant(self.strengths(), picture.dtype)
        self.variable = tf.Variable(self.coordinates(to_spectrum(picture)))
        self.slots = (self.variable,)
        self.paint()

    def strengths(self):
        """How strong a wave of each frequency is, (h, w // 2 + 1, 1)."""
        height, width = self.size
        return (AMPLITUDE * np.sqrt(height * width) / frequencies(self.size))[..., np.newaxis]

    def coordinates(self, spectrum):
        """The value of `variable` for a spectrum."""
        scaled = spectrum / tf.complex(self.weights, tf.zeros_like(self.weights))
        return tf.concat([tf.math.real(scaled), tf.math.imag(scaled)], 0)

    def spectrum(self):
        """The spectrum that `variable` stands for, (h, w // 2 + 1, 3) complex."""
        return tf.complex(*(self.weights * part for part in tf.split(self.variable, 2)))

    def pull_back(self, gradient):
        with tf.GradientTape() as tape:
            picture = to_picture(self.spectrum(), self.size)
        return tape.gradient(picture, self.variable, gradient)

    def paint(self):
        self.picture.assign(to_picture(self.spectrum(), self.size))


class Phase(Spectrum):
    """Only the waves' phases are moved, in radians; each wave stays as strong as in our photos.

    Nothing can become brighter or more colourful than a photo; the mean is grey.

    Source: Fel et al. 2023, "Unlocking feature visualization for deeper networks with magnitude
    constrained optimization". Introduced in notebook 04.
    """

    def strengths(self):
        return magnitudes(self.size)

    def coordinates(self, spectrum):
        return tf.math.angle(spectrum)

    def spectrum(self):
        return tf.complex(*(self.weights * wave(self.variable) for wave in (tf.cos, tf.sin)))


CANVASES = {"pixels": Pixels, "spectrum": Spectrum, "phase": Phase}


def frequencies(size):
    """The frequency of each coefficient of a picture's real Fourier transform, in cycles per px.

    The mean's frequency is 0; to divide by it, we count it as a wave as long as the picture.

    >>> frequencies((4, 4)).round(2).tolist()[0]
    [0.25, 0.25, 0.5]
    """
    height, width = size
    down, right = np.fft.fftfreq(height)[:, np.newaxis], np.fft.rfftfreq(width)
    return np.maximum(np.hypot(down, right), 1 / max(height, width))


def logits(picture):
    """The numbers that a sigmoid turns into this picture; black and white are half a level off."""
    x = tf.clip_by_value(tf.convert_to_tensor(picture), DARKEST, 1 - DARKEST)
    return tf.math.log(x / (1 - x))


def to_spectrum(picture):
    """A picture (h, w, 3) in [0, 1] as the spectra of its three uncorrelated colours."""
    colours = logits(picture) @ tf.constant(np.linalg.inv(COLOURS), picture.dtype)
    return tf.transpose(tf.signal.rfft2d(tf.transpose(colours, (2, 0, 1))), (1, 2, 0))


def to_picture(spectrum, size):
    """The picture (h, w, 3) with these spectra, (h, w // 2 + 1, 3) complex."""
    waves = tf.signal.irfft2d(tf.transpose(spectrum, (2, 0, 1)), size)
    return tf.sigmoid(tf.transpose(waves, (1, 2, 0)) @ tf.constant(COLOURS, waves.dtype))


def uncorrelated_colours(pictures):
    """Three colours, (3, 3): random, uncorrelated amounts of them vary as the pictures' colours do.

    They are the principal axes of the covariance of the logits of red, green and blue, each as long
    as its standard deviation.
    """
    amounts = [np.reshape(logits(picture.astype("float64")), (-1, 3)) for picture in pictures]
    covariance = np.mean([np.cov(x.T) for x in amounts], 0)
    variances, axes = np.linalg.eigh(covariance)
    return (axes * np.sqrt(variances)).T[::-1]


@functools.lru_cache(maxsize=8)
def magnitudes(size):
    """How strong each wave is on average in our photos, (h, w // 2 + 1, 3); the mean's is 0.

    Photos are faded out towards their edges first, because opposite edges do not match.
    """
    window = np.outer(*(np.hanning(side + 2)[1:-1] for side in size))[..., np.newaxis]
    window /= np.sqrt(np.mean(window**2))
    photos = [resize(load_image(name), size).astype("float64") for name in PHOTOS]
    colours = [logits(photo).numpy() @ np.linalg.inv(COLOURS) for photo in photos]
    faded = [window * (x - x.mean((0, 1))) for x in colours]
    average = np.mean([np.abs(np.fft.rfft2(x, axes=(0, 1))) for x in faded], 0)
    average[0, 0] = 0
    return average
