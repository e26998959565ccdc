"""L-BFGS with a Fourier preconditioner, `optimizer="spectral"`: fewer steps to broad strokes.

Not to be confused with the "spectral" step lengths of Barzilai and Borwein: here it means the
picture's spectrum.
"""

import collections
import math

import numpy as np

from ..startup import tf

# The moves from which it learns the curvature, each of which keeps two pictures in memory: as many
# as ROOM has room for, within these limits.
FEWEST, MOST, ROOM = 20, 100, 2**29


class SpectralLBFGS:
    """L-BFGS that starts from a guess about pictures: fine detail curves more than broad strokes.

    L-BFGS learns the curvature of the score from its last moves. A picture has far more directions
    than that; in all others the curvature stays a guess. SciPy's guess is one number for all
    directions. For a network's style loss that is far off: the curvature grows about as the spatial
    frequency f, so broad strokes could take steps many times as long as those that fine detail
    allows. Here the guess is f, and a move starts as the gradient times 1/f in Fourier space.
    With VGG-19, the astronaut in night_flow has a lower loss after 100 evaluations than SciPy's has
    after 150. How much this gains depends on the style: with fine texture, as in mosaic, Adam ends
    lower. benchmarks/README.md has the figures.

    Two more differences save a little. There is no line search, so each evaluation is a step; no
    step is longer than `rate` instead. And the arithmetic is in the picture's precision, not in
    float64. As in SciPy's, pixels that are black or white and pushed outwards stay out of the move.

    It is made for a score that stays the same from step to step: jitter, rotation and zoom change
    it, and what is learnt from the differences is then mostly noise. It learns from its last 20 to
    100 moves, the more the smaller the picture is, and keeps 24 bytes per pixel for each of them.

    Attributes:
        slots: what a checkpoint saves, the length of the last move; after `resume`, the curvature
            is learnt again, so the picture is not the same to the last bit.

    Sources: Nocedal 1980 (L-BFGS); Nocedal and Wright 2006, algorithm 7.4, whose H₀ is the guess;
    Olah, Mordvintsev and Schubert 2017 (the 1/f of pictures as a preconditioner).
    """

    def __init__(self, picture, _steps, rate, _smooth):
        self.picture, self.longest, self.sign = picture, abs(rate), math.copysign(1, rate)
        self.pairs, self.last = collections.deque(maxlen=memory(picture)), None
        self.length = tf.Variable(self.longest, dtype=picture.dtype)
        self.slots = (self.length,)

    def move(self, _step, gradient):
        x, g = self.picture.numpy(), self.sign * gradient.numpy()
        if self.last is not None:
            self.learn(x - self.last[0], g - self.last[1])
        self.last = x, g
        free = np.where(g > 0, x > 0, x < 1)  # the others are at a bound, and are pushed outwards
        move = free * self.direction(free * g)
        length = np.sqrt(np.mean(move**2)) + 1e-20
        # Without any curvature a direction has no length of its own.
        allowed = min(length, self.longest) if self.pairs else float(self.length)
        self.picture.assign_sub(move * (allowed / length))
        self.length.assign(allowed)

    def learn(self, moved, change):
        """Note how the gradient changed with a move, unless the score doesn't curve upwards."""
        bend = np.vdot(moved, change)
        if bend > 0:
            self.pairs.append((moved, change, bend))

    def direction(self, g):
        """The inverse of the curvature, as far as it is known, times a gradient, (H, W, 3)."""
        shares = []
        for moved, change, bend in reversed(self.pairs):
            shares.append(np.vdot(moved, g) / bend)
            g = g - shares[-1] * change
        move = broaden(g)
        if self.pairs:
            _, change, bend = self.pairs[-1]
            move *= bend / np.vdot(change, broaden(change))
        for (moved, change, bend), share in zip(self.pairs, reversed(shares), strict=True):
            move += (share - np.vdot(change, move) / bend) * moved
        return move


def memory(picture):
    """How many moves L-BFGS remembers for a picture, (H, W, 3)."""
    pair = 2 * math.prod(picture.shape) * picture.dtype.size
    return min(max(FEWEST, ROOM // pair), MOST)


def broaden(gradient):
    """Multiply the spectrum of a gradient, (H, W, 3), by 1/f; the mean as if f were one wave."""
    from scipy import fft

    height, width = gradient.shape[:2]
    f = np.hypot(fft.fftfreq(height)[:, np.newaxis], fft.rfftfreq(width))
    f[0, 0] = 1 / max(height, width)
    spectrum = fft.rfft2(gradient, axes=(0, 1), workers=-1) / f[..., np.newaxis].astype("float32")
    return fft.irfft2(spectrum, (height, width), axes=(0, 1), workers=-1)
