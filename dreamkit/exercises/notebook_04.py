"""Checks of notebook 04_deep_dream."""

import numpy as np

from ..exercises import diagnose, exercise
from ..images import resize


@exercise("4.1", because="a normalised step has the same length, whatever the layer and the size")
def ascent_step(answer):
    """(picture, gradient, rate) → clip(picture + rate · gradient / std(gradient))."""
    rng, rate = np.random.default_rng(31), 0.01
    advice = "x + rate · g / std(g) gives another picture: compare it with yours for a small array"
    for scale in (1e-4, 1.0, 1e3):
        x = rng.uniform(0.2, 0.8, (7, 5, 3))
        g = scale * rng.normal(0.3, 1, x.shape)
        step, norm, largest = rate * g / g.std(), np.linalg.norm(g), np.abs(g).max()
        mistakes = {
            "that is descent: to climb, add the gradient": x - step,
            "you use the raw gradient: divide it by its standard deviation": x + rate * g,
            "that is only the step: add it to the picture": step,
            "the rate is missing: it sets how far to go": x + step / rate,
            "don't subtract the mean: only divide by the std": x + step - step.mean(),
            "you divide by the norm, which grows with the size: use the std": x + rate * g / norm,
            "you divide by the largest value, a single pixel: use the std": x + rate * g / largest,
            "you divide by the variance: the std is its square root": x + rate * g / g.var(),
            "the sign loses which pixels matter most: divide by the std": x + rate * np.sign(g),
        }
        if hint := diagnose(answer, x + step, mistakes, advice, arguments=(x, g, rate)):
            return hint
    edge = np.full_like(x, 0.995)
    clip = "the step is right, but the picture leaves [0, 1]: finish with np.clip"
    return diagnose(answer, np.clip(edge + step, 0, 1), {}, clip, arguments=(edge, g, rate))


@exercise(
    "4.2", because="the grid falls on different pixels each time, while the picture stays in place"
)
def jittered_gradient(answer):
    """(picture, shift, gradient function) → roll, take the gradient, roll back."""
    rng = np.random.default_rng(32)
    advice = (
        "it takes three lines: roll the picture, take the gradient there, roll that by -shift;"
        " roll along axis=(0, 1), not along the colours"
    )
    for shift in ((2, -3), (-1, 4)):
        picture, grid = rng.random((2, 8, 9, 3))

        def gradient(x, grid=grid):
            return grid * x

        def roll(x, sign=1, shift=shift):
            return np.roll(x, sign * np.array(shift), axis=(0, 1))

        plain, rolled = gradient(picture), gradient(roll(picture))
        backwards = roll(gradient(roll(picture, -1)))
        mistakes = {
            "the picture is never rolled: roll it before you take the gradient": plain,
            "this is the gradient of the rolled picture: roll it back by -shift": rolled,
            "you roll the same way twice: the way back has the opposite shift": roll(rolled),
            "you roll by -t, then by t: the formula does it the other way round": backwards,
            "you roll only the gradient: first roll the picture too": roll(plain, -1),
            "you roll only the gradient: roll the picture, then the gradient back": roll(plain),
            "that is the rolled picture: take the gradient there": roll(picture),
        }
        arguments = picture, shift, gradient
        if hint := diagnose(answer, roll(rolled, -1), mistakes, advice, arguments=arguments):
            return hint
    return None


@exercise("4.3", because="each size is half the next, and the last is the picture's own")
def sizes_of_octaves(answer):
    """The sizes of 240 × 320 px in three octaves of scale 2."""

    def inspect(sizes):
        if not isinstance(sizes, list | tuple | np.ndarray) or len(sizes) == 0:
            return "give a list of three pairs, such as [(10, 20), (20, 40), (40, 80)]"
        if any(np.shape(pair) != (2,) for pair in sizes):
            return "each size is a pair: (height, width)"
        return None if len(sizes) == 3 else f"three octaves have three sizes; you give {len(sizes)}"

    right = np.array([(60, 80), (120, 160), (240, 320)])
    thirds = right[-1] * np.array([[1], [2], [3]]) / 3
    mistakes = {
        "the sizes are right, but dreaming starts with the smallest": right[::-1],
        "height comes first here, as in a picture's shape": right[:, ::-1],
        "height comes first, and dreaming starts with the smallest": right[::-1, ::-1],
        "the picture's own size is an octave too: it is the last of the three": right / 2,
        "each size is the next one divided by 2: yours grow by equal amounts": thirds.round(),
        "divide each size by 2 to get the one before: yours grow by equal amounts": thirds,
    }
    advice = "start from the picture's own size, (240, 320), and halve both sides, twice"
    return diagnose(answer, right, mistakes, advice, inspect=inspect)


@exercise(
    "4.4",
    because="the dream is enlarged, and the detail that the small photo can't hold is added back",
)
def next_start(answer):
    """(dreamed, smaller, base) → clip(↑dreamed + base − ↑smaller)."""
    rng = np.random.default_rng(34)
    base = rng.uniform(0.3, 0.7, (18, 24, 3)).astype("float32")
    smaller = resize(base, (9, 12))
    dreamed = np.clip(smaller + rng.normal(0, 0.05, smaller.shape), 0, 1).astype("float32")
    up, detail = resize(dreamed, (18, 24)), base - resize(smaller, (18, 24))
    mistakes = {
        "the dream is enlarged, but the lost detail is missing": up,
        "that is only the lost detail: add the enlarged dream": detail,
        "the sign is wrong: the lost detail is base − ↑smaller": up - detail,
        "you lose the dream: the detail is base − ↑smaller, not base − ↑dreamed": base,
        "you add the whole photo: add only what the smaller one lacks": up + base,
        "you add the whole photo: add only its lost detail": np.clip(up + base, 0, 1),
        "a mean of the two mixes dream and photo: follow the formula": (up + base) / 2,
    }
    advice = "x = clip(↑dreamed + base − ↑smaller)"
    arguments = dreamed, smaller, base
    if hint := diagnose(answer, up + detail, mistakes, advice, arguments=arguments):
        return hint
    base, dreamed = np.clip(base + 0.4, 0, 1), np.clip(dreamed + 0.5, 0, 1)
    smaller = resize(base, (9, 12))
    start = resize(dreamed, (18, 24)) + base - resize(smaller, (18, 24))
    clip = "right except for values outside [0, 1]: finish with np.clip(…, 0, 1)"
    return diagnose(answer, np.clip(start, 0, 1), {}, clip, arguments=(dreamed, smaller, base))


@exercise(
    "4.5",
    because="divided by f, broad waves are as much stronger than fine ones as they are in photos",
)
def pink(answer):
    """Noise (h, w) → the inverse FFT of its FFT divided by the frequencies."""
    from ..canvas import frequencies  # loads TensorFlow

    advice = (
        "three lines: spectrum = np.fft.rfft2(noise); divide it by frequencies(noise.shape); return"
        " np.fft.irfft2(…, noise.shape)"
    )

    def inspect(result):
        if np.iscomplexobj(result):
            return "that is still a spectrum: go back to a picture with np.fft.irfft2"
        if np.ndim(result) == 2 and not np.isfinite(result).all():
            return "you divide by a frequency of zero: use frequencies(noise.shape)"
        if np.shape(result) == (9, 8):
            return "the last column of an odd width is lost: give irfft2 the shape, noise.shape"
        return None

    for size in ((8, 12), (9, 9)):
        noise = np.random.default_rng(35).normal(size=size)
        spectrum, f = np.fft.rfft2(noise), frequencies(size)
        across = np.maximum(np.fft.rfftfreq(size[1]), 1 / max(size))
        mistakes = {
            "that is the noise itself: divide its spectrum by f": noise,
            "you multiply by f, so fine waves grow: divide": np.fft.irfft2(spectrum * f, size),
            "divide by f, not by its square": np.fft.irfft2(spectrum / f**2, size),
            "divide by f, not by its root": np.fft.irfft2(spectrum / f**0.5, size),
            "down counts too: f is the frequency in both directions": np.fft.irfft2(
                spectrum / across, size
            ),
        }
        right = np.fft.irfft2(spectrum / f, size)
        if hint := diagnose(answer, right, mistakes, advice, arguments=(noise,), inspect=inspect):
            return hint
    return None
