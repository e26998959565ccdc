"""Paint the style pictures of dreamkit: one function a picture, NumPy and a seed.

    python data/styles/paint.py                     paint them all into outputs/styles
    python data/styles/paint.py mosaic --size 384   paint one, smaller

Lengths inside a picture are fractions of its width, so every picture scales.
Colours are RGB in [0, 1]. Angles are in radians, with y pointing down.
"""

import argparse
import io
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage
from scipy.interpolate import make_interp_spline
from scipy.spatial import cKDTree
from skimage.color import hsv2rgb, rgb2hsv
from skimage.transform import resize

LARGEST_FILE = 245_000
FULL = 768


# ---------------------------------------------------------------- colour, grids and noise


def rgb(*codes):
    """Turn hex codes such as "1b2a6b" into an array of colours, (n, 3)."""
    return np.array([[int(code[i : i + 2], 16) / 255 for i in (0, 2, 4)] for code in codes])


def ramp(t, *codes):
    """Colours along a ramp through the given hex codes; t in [0, 1]."""
    stops = np.linspace(0, 1, len(codes))
    t = np.clip(t, 0, 1)
    return np.stack([np.interp(t, stops, channel) for channel in rgb(*codes).T], axis=-1)


def mix(a, b, weight):
    """Blend picture or colour b over a by a weight of one number a pixel."""
    return a + (b - a) * np.asarray(weight)[..., None]


def step(x, soft=0.003):
    """A soft threshold: 0 below zero, 1 above, blurred over the given width."""
    return np.clip(x / soft + 0.5, 0, 1)


def grid(size, aspect=1.0):
    """Coordinates x in [0, 1] and y in [0, aspect] of every pixel."""
    y, x = np.mgrid[: round(size * aspect), :size]
    return (x + 0.5) / size, (y + 0.5) / size


def noise(rng, shape, cells, octaves=4, stretch=1.0):
    """Fractal noise, mean 0 and spread 1: random grids drawn smooth, each twice as fine."""
    total = np.zeros(shape)
    for octave in range(octaves):
        across = cells * 2**octave
        down = max(2, round(across * shape[0] / shape[1] * stretch))
        total += resize(rng.standard_normal((down, across)), shape, order=3) / 2**octave
    return (total - total.mean()) / total.std()


def along(field):
    """The angle of the contour lines of a field, at every pixel."""
    down, right = np.gradient(field)
    return np.arctan2(right, -down)


def smear(texture, angle, length):
    """Line integral convolution: average a texture along the lines of an angle field."""
    height, width = texture.shape
    total = texture.copy()
    for sign in (1, -1):
        y, x = np.mgrid[:height, :width].astype(float)
        for _ in range(length):
            here = angle[y.astype(int), x.astype(int)]
            x = np.clip(x + sign * np.cos(here), 0, width - 1)
            y = np.clip(y + sign * np.sin(here), 0, height - 1)
            total += texture[y.astype(int), x.astype(int)]
    return (total - total.mean()) / total.std()


def curve(points, count=200):
    """A smooth curve through a few points, (count, 2)."""
    points = np.asarray(points, float)
    where = np.linspace(0, 1, len(points))
    return make_interp_spline(where, points, k=min(3, len(points) - 1))(np.linspace(0, 1, count))


def fill(shape, points, sharp=3):
    """Coverage in [0, 1] of a polygon whose points are fractions of the width."""
    big = Image.new("L", (shape[1] * sharp, shape[0] * sharp))
    scaled = np.asarray(points) * shape[1] * sharp
    ImageDraw.Draw(big).polygon([tuple(p) for p in scaled], fill=255)
    return np.asarray(big.resize(shape[::-1], Image.BOX)) / 255


# ---------------------------------------------------------------- paint with thickness


def dappled(amount):
    """A way to vary n colours, by light and by warmth: two of each for a brush, (n, 2, 3)."""

    def vary(rng, colours):
        light = 1 + amount * rng.standard_normal((len(colours), 2, 1))
        warmth = 0.6 * amount * rng.standard_normal((len(colours), 2, 3))
        return np.clip(colours[:, None] * light + warmth, 0, 1)

    return vary


def divided(rng, colours):
    """Divide n colours as the pointillists did: purer, neighbouring, and now and then opposite."""
    hue, saturation, value = rgb2hsv(colours[None])[0].T
    opposite = rng.random(len(colours)) > 0.93
    hue = hue + np.where(opposite, 0.5, 0.05 * rng.standard_normal(len(colours)))
    value = value * (1 + 0.13 * rng.standard_normal(len(colours)))
    saturation = saturation * np.where(opposite, 0.8, 1.25) + 0.06
    pure = np.stack([hue % 1, np.clip(saturation, 0, 1), np.clip(value, 0, 1)], -1)
    return hsv2rgb(np.stack([pure, pure], axis=1))


class Canvas:
    """A picture with a height: every stroke leaves colour and a ridge of paint."""

    def __init__(self, ground, rng):
        self.colour = ground.copy()
        self.height = np.zeros(ground.shape[:2])
        self.rng = rng
        hairs = ndimage.gaussian_filter(rng.standard_normal((512, 48)), (5, 0.7), mode="wrap")
        self.bristles = np.clip(0.5 + 0.28 * hairs / hairs.std(), 0, 1)

    def stroke(self, x, y, angle, length, width, colours, bend=0.0, dry=0.25, load=1.0):
        """Lay one stroke, in pixels: bristle marks, ragged ends, two colours half mixed."""
        reach = int(length / 2 + width) + 1
        top, left = max(int(y) - reach, 0), max(int(x) - reach, 0)
        box = np.s_[top : int(y) + reach + 1, left : int(x) + reach + 1]
        here = self.colour[box]
        if here.size == 0:
            return
        dy = np.arange(top, top + here.shape[0])[:, None] - y
        dx = np.arange(left, left + here.shape[1])[None] - x
        u = dx * np.cos(angle) + dy * np.sin(angle)
        v = dy * np.cos(angle) - dx * np.sin(angle) - 0.5 * bend * u * u
        run, side = 2 * u / length, 2 * v / width
        first = self.rng.integers(440)
        row = np.clip((run + 1.2) * 30, 0, 71).astype(int) + first
        hair = self.bristles[row, np.clip((side + 1) * 24, 0, 47).astype(int)]
        ends = (1 - 0.35 * hair - np.abs(run)) * length / 2
        sides = (1 - 0.25 * run**2 - np.abs(side)) * width / 2
        inside = np.minimum(ends, sides)
        if length < 1.6 * width:
            inside = (1 - np.hypot(run, side) - 0.15 * hair) * width / 2
        cover = np.clip(inside + 0.5, 0, 1)
        cover *= np.clip((hair - dry * (0.4 + 0.6 * run)) * 5 + 0.5, 0, 1)
        self.colour[box] = mix(here, mix(colours[0], colours[1], hair), cover)
        ridge = load * (0.35 + 0.65 * hair + 0.5 * side**4) * min(width, 14)
        self.height[box] += (ridge - 0.75 * self.height[box]) * cover

    def paint(self, picture, angle, width, length, layers=1.5, vary=None, where=None, **stroke):
        """Cover a picture with strokes along an angle field; sizes are in 1/768 of the width."""
        rng, (high, wide) = self.rng, self.height.shape
        vary = vary or dappled(0.07)
        count = int(layers * FULL**2 * high / wide / (width * length))
        spot = (np.arange(count)[:, None] * [0.7548776662, 0.5698402910] + rng.random(2)) % 1
        spot = rng.permutation(spot) * [wide, high]
        if where is not None:
            row, column = spot.astype(int).T[::-1]
            spot = spot[rng.random(count) < where[row, column]]
        column, row = spot.astype(int).T
        colours = vary(rng, picture[row, column])
        sizes = np.exp(0.22 * rng.standard_normal((len(spot), 2))) * [length, width] * wide / FULL
        angles = angle[row, column] + 0.06 * rng.standard_normal(len(spot))
        for (x, y), a, (long, broad), pair in zip(spot, angles, sizes, colours, strict=True):
            step_y, step_x = np.sin(a) * long / 3, np.cos(a) * long / 3
            ends = np.clip([[y + step_y, y - step_y], [x + step_x, x - step_x]], 0,
                           [[high - 1], [wide - 1]]).astype(int)
            turn = angle[tuple(ends)] @ [1, -1]
            turn = (turn + np.pi / 2) % np.pi - np.pi / 2
            bend = np.clip(turn / (0.67 * long), -1.2 / long, 1.2 / long)
            self.stroke(x, y, a, long, broad, pair, bend=bend, **stroke)

    def lit(self, strength=0.10, gloss=0.25):
        """The picture with light falling on its ridges from the upper left."""
        scale = self.height.shape[1] / FULL
        down, right = np.gradient(ndimage.gaussian_filter(self.height, 0.6 * scale))
        slope = np.tanh(strength * 1.5 * (down + right) / scale)
        lit = self.colour * (1 + 0.55 * slope[..., None])
        return lit + gloss * np.clip(slope - 0.35, 0, 1)[..., None]


def tooth(rng, shape, amount=0.04):
    """Fine paper or canvas grain to multiply a picture with."""
    scale = shape[1] / FULL
    grain = ndimage.gaussian_filter(rng.standard_normal(shape), 0.9 * scale)
    return 1 + amount * (grain / grain.std())[..., None]


# ---------------------------------------------------------------- the pictures


def night_flow(size, rng):
    """A night sky of whorls over hills and a lake, in thick strokes along a flow field."""
    x, y = grid(size)
    stars = [(0.15, 0.14, 0.055), (0.41, 0.09, 0.03), (0.66, 0.35, 0.036), (0.30, 0.43, 0.04),
             (0.07, 0.43, 0.026), (0.56, 0.13, 0.02), (0.83, 0.15, 0.08), (0.50, 0.48, 0.022)]
    whorls = [(0.46, 0.27, 0.11, 1.0), (0.22, 0.31, 0.075, -0.8), (0.70, 0.50, 0.05, -0.6)]
    stream = y + 0.035 * np.sin(7 * x + 1) + 0.018 * noise(rng, x.shape, 3, 2)
    for cx, cy, r, spin in whorls:
        stream += 2.2 * r * spin * np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (2 * r * r))
    spiral = np.arctan2(y - whorls[0][1], x - whorls[0][0])
    tone = 0.42 + 0.26 * np.sin(stream * 46 + 2 * spiral) + 0.10 * noise(rng, x.shape, 5, 3)
    sky = ramp(tone, "0a1138", "12237a", "1c46b8", "3a7cd6", "8cc6e2", "f1eeb6")
    for cx, cy, r in stars:
        far, way = np.hypot(x - cx, y - cy), np.arctan2(y - cy, x - cx)
        far = far * (1 + 0.05 * np.sin(3 * way + 40 * cx) + 0.03 * np.sin(7 * way + 90 * cy))
        glow = ramp(far / (2.6 * r), "fffbe0", "ffe45c", "fbb51c", "e8d060", "7fb8b8", "2a5fc0")
        glow = glow * (0.93 + 0.13 * np.cos(far / r * 11 + way))[..., None]
        halo = step(2.2 * r - far, 1.2 * r)
        sky, stream = mix(sky, glow, 0.95 * halo), stream * (1 - halo) - 3 * far * halo
    angle, canvas = along(stream), Canvas(sky, rng)
    canvas.paint(sky, angle, 15, 60, 2.0, dappled(0.10))
    canvas.paint(sky, angle, 8, 36, 2.4, dappled(0.13))
    for base, rise, codes in [(0.62, 0.05, ("16224f", "2c4f9f", "6d9ac0")),
                              (0.70, 0.035, ("0c2438", "1a5a64", "3f8a5a", "c2b84a"))]:
        ridge = base + rise * np.sin(5 * x + base * 40) + 0.02 * np.sin(13 * x + base * 9)
        tone = 0.45 + 0.3 * np.sin((y - ridge) * 130) + 0.2 * noise(rng, x.shape, 6, 3)
        canvas.paint(ramp(tone, *codes), along(y - ridge), 8, 34, 4, where=step(y - ridge))
    wander = noise(rng, x.shape, 6, 3, 3)
    water = ramp(0.36 + 0.2 * np.sin(y * 140 + 4 * wander) + 0.1 * wander, "08123a", "123078",
                 "2258ac", "62a4d4")
    for cx, cy, r in stars:
        gleam = np.exp(-(((x - cx + 0.01 * wander) / r) ** 2)) * step(0.92 + r - y, 0.2)
        gleam *= step(np.sin(y * 150 + 5 * wander), 1)
        water = mix(water, ramp(0 * x + cy * 2, "fff0a0", "ffc93a"), gleam)
    lake = step(y - 0.785 - 0.012 * np.sin(9 * x))
    canvas.paint(water, along(y + 0.006 * np.sin(14 * x)), 8, 36, 5, where=lake)
    for cx, tip, broad in [(0.90, 0.24, 0.06), (0.79, 0.50, 0.036), (0.045, 0.58, 0.032)]:
        down = np.clip((y - tip) / (1.02 - tip), 0, 1)
        side = (x - cx - 0.016 * np.sin(down * 8)) / broad
        body = np.sin(np.pi * down**0.75 * 0.8) ** 0.9 + 0.12 * np.sin(down * 30 + 5 * side)
        tone = 0.4 + 0.28 * np.sin(side * 9 + down * 16) + 0.15 * noise(rng, x.shape, 12, 3)
        leaves = ramp(tone, "050b14", "0b2420", "1a5236", "8f8a2c")
        flame = -np.pi / 2 + 0.45 * side + 0.35 * np.sin(down * 26)
        canvas.paint(leaves, flame, 8, 40, 8, where=step(body - np.abs(side)) * (y > tip))
    return canvas.lit()


def pointillism(size, rng):
    """A river at dusk with poplars and a low sun, in dots of divided colour."""
    x, y = grid(size, 0.8)
    far = np.hypot(x - 0.34, y - 0.30)
    sky = ramp(y / 0.38, "33479f", "5f62c4", "a678c8", "ef86a8", "ff9f5c", "ffcf58")
    sky = mix(sky, rgb("fff0a0")[0], 0.9 * np.exp(-((far / 0.14) ** 2)))
    cloud = np.clip(noise(rng, x.shape, 4, 4, 2.2), 0, 1.2) / 1.2 * step(0.30 - y, 0.2)
    sky = mix(sky, ramp(y / 0.32, "b66fc0", "ff7f7a", "ff7a3d"), 0.9 * cloud)
    picture = mix(sky, rgb("fffce8")[0], step(0.052 - far, 0.006))
    hill = 0.335 - 0.04 * np.sin(3.2 * x + 0.4) - 0.010 * np.sin(17 * x)
    picture = mix(picture, ramp((y - hill) * 10, "8a5fc0", "4a5fc4", "2f6fa8"), step(y - hill))
    for cx, foot, tall, broad in [(0.70, 0.42, 0.33, 0.03), (0.80, 0.425, 0.38, 0.036),
                                  (0.91, 0.43, 0.405, 0.042), (0.05, 0.42, 0.24, 0.04),
                                  (0.135, 0.415, 0.15, 0.028)]:
        up, side = np.clip((foot - y) / tall, 0, 1), (x - cx) / broad
        crown = 1.5 * up**0.35 * (1 - up) ** 0.6 + 0.16 * noise(rng, x.shape, 22, 2)
        leaf = ramp(0.45 - 0.4 * side + 0.13 * noise(rng, x.shape, 14, 2), "14305f", "17684f",
                    "6fae3a", "ffd044")
        picture = mix(picture, leaf, step(crown - np.abs(side), 0.1) * (up > 0) * (up < 1))
    ripple = (y - 0.41) * (0.05 * np.sin(y * 190 + 5 * np.sin(9 * x)) + 0.03 * np.sin(y * 430))
    mirror = np.clip((0.835 - y) * size, 0, len(x) - 1).astype(int)
    across = np.clip((x + ripple) * size, 0, size - 1).astype(int)
    water = mix(picture[mirror, across], rgb("8a8ae0")[0], 0.30 + 0 * y)
    water = mix(water, rgb("3443b4")[0], 0.6 * step(y - 0.68, 0.4))
    glint = np.exp(-(((x - 0.34) / (0.03 + 0.22 * (y - 0.4))) ** 2)) * (np.sin(y * 230) > -0.1)
    water = mix(water, rgb("ffc84a")[0], 0.9 * glint)
    shore = 0.412 + 0.004 * np.sin(11 * x)
    picture = mix(picture, water, step(y - shore))
    grass = ramp(0.5 + 0.3 * noise(rng, x.shape, 12, 2), "2f7f4a", "b8c23f", "ffd86a")
    picture = mix(picture, grass, step(0.013 + 0.006 * np.sin(7 * x) - np.abs(y - shore)))
    bank = 0.71 - 0.30 * (x - 0.5) + 0.02 * np.sin(9 * x)
    meadow = ramp((y - bank) * 4 + 0.12 * noise(rng, x.shape, 10, 3), "f2d44a", "7fb83a", "1f8a5a",
                  "1f4a88")
    bloom = noise(rng, x.shape, 34, 1)
    meadow = mix(meadow, rgb("ff4030")[0], step(bloom - 1.2, 0.3) * step(y - bank - 0.03))
    meadow = mix(meadow, rgb("f7b9e6")[0], step(-bloom - 1.5, 0.3) * step(y - bank - 0.03))
    picture = mix(picture, meadow, step(y - bank))
    canvas = Canvas(mix(picture, rgb("f0dcb8")[0], 0.45 + 0 * y), rng)
    level = np.where(y > bank, -1.1, 0.0) + 0.5 * noise(rng, x.shape, 4, 2)
    for width, layers in [(13, 1.2), (9.5, 1.3), (7, 1.1)]:
        canvas.paint(picture, level, width, 1.15 * width, layers, divided, dry=-0.2, load=0.8)
    return canvas.lit(0.07, 0.1)


def oil_autumn(size, rng):
    """Birches in autumn beside wet ground, laid on with a palette knife."""
    x, y = grid(size)
    leaf, litter = noise(rng, x.shape, 4, 4), noise(rng, x.shape, 7, 3, 3)
    light = np.exp(-(((x - 0.57) / 0.22) ** 2 + ((y - 0.45) / 0.3) ** 2))
    wood = ramp(0.38 + 0.2 * leaf + 0.42 * light, "2f1040", "861a36", "d9411e", "f58a12", "ffc928",
                "fff2b0")
    blue = step(noise(rng, x.shape, 5, 3) - 0.6 + y, 0.3) * (y < 0.6)
    wood = mix(wood, ramp(y * 2, "2a5fc0", "6fb4dc", "cfeadc"), 0.85 * blue)
    bank = 0.64 + 0.02 * np.sin(6 * x)
    mirror = np.clip((1.27 - y) * size, 0, size - 1).astype(int)
    wet = mix(wood[mirror, np.arange(size)[None]], ramp(y, "2a2f8e", "1f1f66"), 0.5 * (1 - light))
    wet = mix(wet, ramp(0.5 + 0.3 * litter, "8a2a1c", "e0691a", "ffcb3c"), step(litter - 0.9, 0.4))
    picture = mix(wood, wet, step(y - bank))
    canvas, knife = Canvas(picture, rng), 0.9 * noise(rng, x.shape, 5, 2)
    knife = np.where(y > bank, 0.12 * knife, knife - 0.7)
    canvas.paint(picture, knife, 36, 62, 1.6, dappled(0.10), dry=0.05)
    canvas.paint(picture, knife, 20, 36, 1.3, dappled(0.13), dry=0.15)
    for cx in rng.permutation(np.linspace(0.03, 0.95, 9) + rng.uniform(-0.03, 0.03, 9)):
        broad, foot = rng.uniform(0.007, 0.023), 0.65 + rng.uniform(-0.02, 0.09)
        side = (x - cx - 0.012 * np.sin(5 * y + cx * 40)) / broad
        bark = ramp(0.5 - 0.5 * side, "41356e", "a99cc8", "fff6e0", "ffe6a0")
        bark = mix(bark, rgb("1d1428")[0], step(noise(rng, x.shape, 26, 2, 2) - 1.15, 0.3))
        canvas.paint(bark, 0 * x + 0.15, broad * 560, 15, 9, dry=0.1,
                     where=step(1 - np.abs(side), 0.2) * step(foot - y))
        shade = step(1 - np.abs(side + 0.7 * np.sin(y * 90)), 0.3) * step(y - foot) * step(0.95 - y)
        canvas.paint(ramp(0.6 - 0.5 * side, "3a2f7e", "c9b9e4", "fff0d8"), 0 * x, 8, 28, 3.5,
                     where=shade, dry=0.3)
    crown = step(noise(rng, x.shape, 6, 3) + 0.2 - 2.0 * (y - 0.35), 0.5) * (y < 0.62)
    canvas.paint(ramp(0.6 + 0.25 * leaf, "b3202a", "f06a14", "ffb81c", "fff08a"), knife * 2, 12, 21,
                 1.0, dappled(0.12), where=0.5 * crown, dry=0.0, load=1.3)
    canvas.paint(ramp(0.5 + 0.3 * litter, "b3261e", "ff8a14", "ffe05a"), knife, 10, 19, 1.0,
                 dappled(0.1), where=0.45 * step(y - bank) * step(litter, 1), dry=0.0, load=1.3)
    return canvas.lit(0.13, 0.3)


def geometric(size, rng):
    """Overlapping discs, rings and wedges in full colour, brushed along their arcs."""
    x, y = grid(size)
    colours = rgb("d9302a", "1f4fb0", "f7b51c", "16203c", "f26a21", "2aa39a", "f4ead2", "7b2d83",
                  "f9dc4a", "4a9a4a", "e9709a", "79bfe6")
    turn = np.arctan2(y - 1.15, x + 0.12)
    stripe = ((turn + 2) * 8).astype(int)
    picture = colours[(stripe * 7 + (np.hypot(x, y - 1) * 4).astype(int) * 2 + 1) % 12]
    discs = [(0.29, 0.33, 0.34, 7, 4), (0.75, 0.67, 0.31, 6, 6), (0.77, 0.19, 0.19, 5, 2),
             (0.19, 0.83, 0.20, 5, 3), (0.53, 0.49, 0.15, 4, 8), (0.49, 0.94, 0.12, 3, 4),
             (0.96, 0.41, 0.10, 3, 2), (0.51, 0.08, 0.085, 3, 3), (0.29, 0.33, 0.09, 2, 2)]
    for k, (cx, cy, r, rings, wedges) in enumerate(discs):
        far, round_ = np.hypot(x - cx, y - cy) / r, np.arctan2(y - cy, x - cx)
        wedge = ((round_ + 2.3 * k) / (2 * np.pi) * wedges + wedges).astype(int)
        ring = (far * rings).astype(int)
        disc = colours[(ring * 5 + wedge % wedges * 3 + 4 * k) % 12]
        picture = mix(picture, disc, (far < 1) * np.where((ring + wedge) % 4 == 0, 0.65, 1.0))
        turn = np.where(far < 1, round_ + np.pi / 2, turn)
    for code, corners in [("16203c", [(0.58, 0.98), (0.98, 0.90), (0.70, 0.80)]),
                          ("f7b51c", [(0.03, 0.04), (0.20, 0.10), (0.06, 0.24)]),
                          ("f4ead2", [(0.42, 0.60), (0.47, 0.78), (0.33, 0.72)])]:
        picture = mix(picture, rgb(code)[0], fill(x.shape, corners))
    u, v = x * 0.9 + y * 0.44 - 0.86, y * 0.9 - x * 0.44 - 0.02
    board = colours[np.where(((u * 26).astype(int) + (v * 26).astype(int)) % 2, 6, 3)]
    picture = mix(picture, board, (np.abs(u - 0.115) < 0.115) * (np.abs(v - 0.078) < 0.077))
    canvas = Canvas(picture, rng)
    for width, length in [(20, 52), (10, 26), (6, 13)]:
        canvas.paint(picture, turn, width, length, 1.5, dappled(0.075), dry=0.2)
    ink = rgb("10142a", "1f2440")
    for cx, cy, r, *_ in discs:
        for way in np.arange(0, 2 * np.pi, 0.018 / r):
            canvas.stroke((cx + r * np.cos(way)) * size, (cy + r * np.sin(way)) * size,
                          way + np.pi / 2, size / 22, size / 120, ink, bend=1 / (r * size), dry=0)
    for x0, y0, way, long in [(0.33, 0.62, -0.9, 0.9), (0.40, 0.60, -0.9, 0.5),
                              (0.60, 0.86, 0.35, 0.6), (0.2, 0.2, 0.6, 0.36)]:
        for s in np.arange(-long / 2, long / 2, 0.012):
            canvas.stroke((x0 + s * np.cos(way)) * size, (y0 + s * np.sin(way)) * size, way,
                          size / 22, size * (1 - abs(2 * s / long)) / 70 + 2, ink, dry=0)
    return canvas.lit(0.09, 0.15)


def tesserae(rng, angle, region, tile, rounds=10):
    """Cut a picture into tiles about `tile` pixels wide, square to an angle field.

    Lloyd's rounds of an oriented centroidal Voronoi diagram; tiles keep inside their region.
    Returns the tile of every pixel, the distance to the tile's edge, and the centres (x, y).
    """
    high, wide = angle.shape
    count = int(high * wide / tile**2)
    seeds = rng.random((count, 2)) * [wide, high]
    for thin in [2] * rounds + [1]:
        y, x = (part.ravel() for part in np.mgrid[:high:thin, :wide:thin])
        column, row = np.minimum(seeds.astype(int), [wide - 1, high - 1]).T
        near = cKDTree(seeds).query(np.stack([x, y], -1), k=7)[1]
        dx, dy = x[:, None] - seeds[near, 0], y[:, None] - seeds[near, 1]
        cosine, sine = np.cos(angle[row, column])[near], np.sin(angle[row, column])[near]
        away = np.maximum(np.abs(dx * cosine + dy * sine), np.abs(dy * cosine - dx * sine))
        away += 4 * tile * (region[row, column][near] != region[y, x][:, None])
        order = np.argsort(away, axis=1)[:, :2]
        label = near[np.arange(len(x)), order[:, 0]]
        weight = np.maximum(np.bincount(label, minlength=count), 1)
        middle = [np.bincount(label, part, count) / weight for part in (x, y)]
        lone = np.bincount(label, minlength=count) == 0
        seeds = np.where(lone[:, None], seeds, np.stack(middle, -1))
    gap = np.take_along_axis(away, order, 1)
    label, rim = label.reshape(high, wide), (gap[:, 1] - gap[:, 0]).reshape(high, wide) / 2
    cut = (region != np.roll(region, 1, 0)) | (region != np.roll(region, 1, 1))
    centres = np.clip(seeds.astype(int), 0, [wide - 1, high - 1]).T
    return label, np.minimum(rim, ndimage.distance_transform_edt(~cut)), centres


def mosaic(size, rng):
    """A peacock with its fan spread, in gold and teal tesserae that follow its outlines."""
    x, y = grid(size)
    cx, cy = 0.5, 0.66
    far, angle = np.hypot(x - cx, y - cy), np.arctan2(cy - y, x - cx)
    radial = angle.copy()
    region, pigment, tone = (np.zeros(x.shape, kind) for kind in (int, int, float))
    gold, fan, rib, turquoise, deep, body, red, ivory, black = range(9)
    pigments = [("8a5a10", "c98f1e", "f0c040", "ffe9a0"), ("085058", "0e7f7c", "3aa890"),
                ("2f9a4a", "a8cf4a"), ("17a89a", "7fe6d0"), ("0c1f7a", "1a3fc0"),
                ("10239a", "1a58d8", "2fa8e0", "7fe0e0"), ("8a1f1a", "d0402a"),
                ("f3e6c0", "fffaf0"), ("14110c", "2a2018")]

    def lay(inside, code, direction, shade):
        for field, value in [(region, region.max() + 1), (pigment, code), (angle, direction),
                             (tone, shade)]:
            field[inside] = np.broadcast_to(value, x.shape)[inside]

    lay(far > 0, gold, radial, 0.5 + 0.4 * np.sin(far * 34))
    lay((far < 0.439) & (y < 0.86), ivory, radial, 0.5)
    lay((far < 0.426) & (y < 0.86), fan, radial, 0.5 + 0.5 * np.sin(radial * 31))
    for radius, eyes, r in [(0.205, 9, 0.035), (0.288, 11, 0.043), (0.372, 13, 0.048)]:
        for way in np.pi * ((np.arange(eyes) + 0.5) / eyes * 1.24 - 0.12):
            ex, ey = cx + radius * np.cos(way), cy - radius * np.sin(way)
            away, about = np.hypot(x - ex, y - ey), np.arctan2(y - ey, x - ex)
            stalk = (np.abs(np.sin(way - radial)) * far < 0.006) & (np.cos(way - radial) > 0)
            lay(stalk & (far < radius) & (far > radius - 0.075), rib, radial, 0.5)
            for code, scale in [(rib, 1.0), (gold, 0.8), (turquoise, 0.58), (deep, 0.34)]:
                lay(away < r * scale, code, about, 0.75)
    outline = curve([(0.41, 0.925), (0.36, 0.82), (0.385, 0.68), (0.455, 0.56), (0.47, 0.45),
                     (0.445, 0.385), (0.455, 0.335), (0.50, 0.315), (0.545, 0.35), (0.555, 0.45),
                     (0.575, 0.56), (0.635, 0.68), (0.655, 0.82), (0.60, 0.925)])
    inside = fill(x.shape, outline) > 0.5
    depth = ndimage.distance_transform_edt(inside) / size
    rings = along(ndimage.gaussian_filter(depth, size / 120))
    lay(ndimage.distance_transform_edt(~inside) < 0.013 * size, gold, rings, 0.9)
    lay(inside, body, rings, depth * 9 + 0.15 * np.sin(y * 60))
    lay(fill(x.shape, [(0.452, 0.352), (0.385, 0.39), (0.45, 0.395)]) > 0.5, gold, 0, 0.9)
    for dx, dy in [(-0.03, -0.075), (0.0, -0.09), (0.03, -0.08)]:
        lay(np.hypot(x - 0.50 - dx, y - 0.33 - dy) < 0.015, turquoise, radial, 0.9)
        lay(np.abs((x - 0.50) * dy - (y - 0.33) * dx) < 0.0003 * (np.abs(y - 0.285) < 0.027), gold,
            np.pi / 2, 0.9)
    for code, r in [(ivory, 0.021), (black, 0.011)]:
        lay(np.hypot(x - 0.487, y - 0.362) < r, code, radial, 0.5)
    frame = np.minimum(np.minimum(x, 1 - x), np.minimum(y, 1 - y))
    for code, inner in [(red, 0.067), (ivory, 0.053), (deep, 0.04), (turquoise, 0.0265),
                        (deep, 0.0132)]:
        lay(frame < inner, code, 0, 0.5 + 0.4 * np.sin((x + y) * 60))
    label, rim, (column, row) = tesserae(rng, angle, region, size / 70)
    chosen = tone[row, column] + 0.2 * rng.standard_normal(len(row))
    tiles = np.choose(pigment[row, column][:, None], [ramp(chosen, *codes) for codes in pigments])
    tilt = rng.standard_normal((2, len(tiles))) * 16 / size
    lean = tilt[0][label] * (x * size - column[label]) + tilt[1][label] * (y * size - row[label])
    chips = 0.05 * noise(rng, x.shape, 60, 2)
    bevel = sum(np.gradient(ndimage.gaussian_filter(np.minimum(rim, 0.003 * size), size / 900)))
    picture = dappled(0.07)(rng, tiles)[:, 0][label]
    light = 1.08 + 0.3 * np.tanh(lean * 2) + chips + 0.3 * np.tanh(1.3 * bevel)
    grout = rgb("3a322c")[0] * tooth(rng, x.shape, 0.08)
    return mix(grout, picture * light[..., None], step(rim - 0.0016 * size, 0.0026 * size))


def stained_glass(size, rng):
    """A sun over hills and three great flowers, in leaded glass with the light behind it."""
    x, y = grid(size)
    far, turn = np.hypot(x - 0.5, y - 0.3), np.arctan2(y - 0.3, x - 0.5)
    beam = np.floor((turn / (2 * np.pi) + 0.04 * np.sin(far * 9)) * 20) % 20
    piece = 100 + beam * 10 + np.floor(far * 6.5 + 0.4 * (beam % 2))
    hue = ramp(far * 1.45, "ffd23f", "f78a2b", "e0406a", "8a3fb0", "2f4fc7", "143a9a")
    angle = turn

    def lay(inside, code, colour, direction):
        nonlocal piece, hue, angle
        piece, hue = np.where(inside, code, piece), mix(hue, colour, inside)
        angle = np.where(inside, direction, angle)

    lay(far < 0.16, 400 + np.floor(turn / np.pi * 8), rgb("ffe26a")[0], turn)
    lay(far < 0.10, 450, rgb("ff9d1e")[0], turn)
    for k, code in enumerate(["2f4fc0", "1a7fa8", "1f9a7a", "3a9a2f"]):
        hill = y - 0.53 - 0.11 * k - 0.05 * np.sin((4 + k) * x + 2.1 * k)
        strip = np.floor(hill * 11)
        slab = np.floor(x * 6.5 + 0.5 * strip + 0.37 * k + hill)
        tint = ramp(0.5 + 0.5 * np.sin(slab * 4 + strip * 2), code, "8fd0b0")
        lay(hill > 0, 500 + 100 * k + 12 * strip + slab, mix(tint, rgb(code)[0], 0.35 + 0 * x),
            along(hill))
    for fx, fy, r, petals, codes in [(0.22, 0.73, 0.17, 8, ("ff7a4a", "d0122e")),
                                     (0.78, 0.69, 0.16, 7, ("ff9ad8", "a81f9a")),
                                     (0.51, 0.85, 0.13, 9, ("fff0b0", "ffa01a"))]:
        away, about = np.hypot(x - fx, y - fy) / r, np.arctan2(y - fy, x - fx)
        petal = np.floor((about / (2 * np.pi) + 0.5) * petals)
        lobe = 0.76 + 0.24 * np.abs(np.sin((about / 2 + np.pi / 2) * petals))
        stem = np.abs(x - fx - 0.03 * np.sin(9 * (y - fy))) < 0.013
        lay(stem & (y > fy), 900 + fx, rgb("2fae3a")[0], np.pi / 2)
        lay(away < lobe, 1000 * fx + petal, ramp(away, *codes), about)
        lay(away < 0.5, 2000 * fx + petal, ramp(away * 1.6, *codes[::-1]), about)
        lay(away < 0.2, 5000 * fx, rgb("ffd23f")[0], about)
    edge = np.minimum(np.minimum(x, 1 - x), np.minimum(y, 1 - y))
    lay(edge < 0.04, 9000 + np.floor(x * 12.5) * 20 + np.floor(y * 12.5), ramp(
        (np.floor(x * 12.5) + np.floor(y * 12.5)) % 2, "c81f3a", "1f3fb0"), 0.8)
    codes, label = np.unique(piece, return_inverse=True)
    label = label.reshape(x.shape)
    cut = (label != np.roll(label, 1, 0)) | (label != np.roll(label, 1, 1))
    rim = ndimage.distance_transform_edt(~cut) / size
    lean = angle + 0.5 * noise(rng, x.shape, 7, 2) + rng.uniform(-0.7, 0.7, len(codes))[label]
    streak = smear(ndimage.gaussian_filter(rng.standard_normal(x.shape), size / 500), lean, 16)
    swirl = noise(rng, x.shape, 9, 4) + 0.7 * streak + rng.standard_normal(len(codes))[label]
    glass = np.clip(hue, 0.02, 1) ** np.clip(1 - 0.24 * swirl, 0.4, 2)[..., None]
    seeds = ndimage.gaussian_filter((rng.random(x.shape) > 0.9988) * 1.0, size / 650)
    glass = glass * (1.1 - 0.2 * far + 14 * np.minimum(rim, 0.012))[..., None]
    glass = glass + 1.5 * seeds[..., None]
    dome = ndimage.gaussian_filter(np.sqrt(np.clip(1 - rim / 0.007, 0, 1)), size / 900)
    shine = np.tanh(3 * sum(np.gradient(dome))) + 0.2 * noise(rng, x.shape, 120, 2)
    lead = rgb("22242c")[0] * (1.1 + 0.8 * shine)[..., None]
    return mix(glass, lead, step(0.0052 - rim, 0.002))


def woodcut_wave(size, rng):
    """Curling waves under a red sun, printed from carved blocks on cream paper."""
    shape = (round(size * 0.8), size)
    x, y = grid(size, 0.8)
    fibre = smear(rng.standard_normal(shape), 0.06 * noise(rng, shape, 3, 2), 24)
    plank = smear(rng.standard_normal(shape), 0.25 * noise(rng, shape, 2, 2), 60)
    wobble = noise(rng, shape, 4, 3)
    paper = rgb("f3e6c6")[0] * (1 + 0.02 * fibre)[..., None]

    def ink(cover, code, grain=0.12):
        """Print one block: ink thins where the grain of the plank stands proud."""
        nonlocal paper
        worn = np.clip(1 - grain * np.clip(plank + 0.4, 0, 3), 0, 1)
        paper = mix(paper, rgb(code)[0] * (1 + 0.04 * plank)[..., None], cover * worn)

    def carve(cover, code, top, gap, thick):
        """Print rows of lines that swell and thin as a gouge leaves them."""
        row = (y - top + 0.010 * np.sin(6 * x) + 0.005 * wobble) / gap
        swell = thick * (0.55 + 0.45 * np.sin(10 * x + np.floor(row) * 2.4))
        ink(step(swell - np.abs(row % 1 - 0.5) * gap, 0.0015) * cover * (row > 0), code, 0.15)

    ink(np.clip((y - 0.14) / 0.34, 0, 1) * 0.85, "f0a868", 0.3)
    ink(np.clip(1 - y / 0.26, 0, 1) ** 1.2, "16407e", 0.25)
    carve(0.75 * step(0.5 - y, 0.2), "2f5f96", 0.02, 0.016, 0.0028)
    ink(step(0.115 - np.hypot(x - 0.66, y - 0.19)), "d23a24", 0.2)
    carve(step(0.11 - np.hypot(x - 0.66, y - 0.19)), "f08a4a", 0.02, 0.016, 0.0018)
    spiral = [(0.00, 0.0), (0.06, -0.17), (0.17, -0.36), (0.32, -0.49), (0.47, -0.50),
              (0.57, -0.41), (0.565, -0.33)]
    face = [(0.95, 0.0), (0.66, -0.03), (0.47, -0.10), (0.38, -0.20), (0.38, -0.30),
            (0.45, -0.35), (0.545, -0.335)]
    for cx, base, scale, flip in [(0.42, 0.60, 0.55, 1), (1.05, 0.64, 0.62, -1),
                                  (-0.10, 0.80, 1.0, 1), (1.03, 0.88, 0.62, -1),
                                  (0.22, 0.90, 0.42, 1)]:
        back, front = (curve(np.asarray(p) * [scale * flip, scale] + [cx, base])
                       for p in (spiral, face))
        under = [(cx - flip * 0.5, 1.2), (cx - flip * 0.5, base)]
        beyond = [(cx + flip * 1.6, base + 0.02), (cx + flip * 1.6, 1.2)]
        sea = fill(shape, np.concatenate([under, back, front[::-1], beyond]))
        ink(sea, "122a58", 0.1)
        carve(sea, "7fb0c8", base - 0.05 * scale, 0.022 * scale + 0.006, 0.0045)
        ink(fill(shape, np.concatenate([back, front[::-1]])), "122a58", 0.1)
        for k in range(22):
            gouge = 0.10 + 0.3 * np.linspace(0, 1, 200)[:, None] ** 2
            gouge += 0.08 * np.sin(np.linspace(0, 14, 200) + 2 * k)[:, None]
            cuts = ((k + gouge) / 22, (k + 1 - 0.6 * gouge) / 22)
            one, two = (back + (front - back) * cut for cut in cuts)
            code = ["5fa0c4", "f3e6c6", "2460a0", "a8d0d4"][k % 4]
            ink(fill(shape, np.concatenate([one, two[::-1]])), code, 0.15)
        foam(ink, shape, rng, back, scale, flip)
    return paper * tooth(rng, shape, 0.035)


def foam(ink, shape, rng, crest, scale, flip):
    """Fingers of foam along a crest: dark circles first, then blue, then cream ones inside."""
    drops, spray = [], []
    for where in np.linspace(80, 199, 46).astype(int):
        x, y = crest[where] + rng.normal(0, 0.006, 2) * scale
        heading, radius = (where - 80) / 120 * 1.6 + rng.uniform(-0.7, 0.9), scale * 0.019
        for _ in range(rng.integers(4, 13)):
            drops.append((x, y, radius))
            x, y = x + flip * np.cos(heading) * radius, y + np.sin(heading) * radius
            heading, radius = heading + rng.uniform(-0.05, 0.4), radius * 0.87
    for _ in range(110):
        x, y = crest[rng.integers(110, 200)] + rng.normal(0, 0.06, 2) * scale - [0, 0.06 * scale]
        spray.append((x, y, scale * rng.uniform(0.003, 0.0075)))
    for grow, shift, code in [(0.0026, 0, "122a58"), (0, 0, "8fc0cc"), (-0.0022, 0.0022, "fbf2da")]:
        cover = Image.new("L", (shape[1] * 3, shape[0] * 3))
        for x, y, radius in drops + spray * (grow < 0):
            r = max(radius + grow, 0.0014)
            box = np.array([x - shift - r, y - shift - r, x - shift + r, y - shift + r])
            ImageDraw.Draw(cover).ellipse(list(box * shape[1] * 3), fill=255)
        ink(np.asarray(cover.resize(shape[::-1], Image.BOX)) / 255, code, 0.06)


def watercolour(size, rng):
    """Poppies in wet washes with pooled edges, blooms and granulation on rough paper."""
    x, y = grid(size)
    teeth = noise(rng, x.shape, 190, 2)
    cloud = noise(rng, (2 * size, 2 * size), 10, 6)
    poppies = [(0.27, 0.27, 0.19), (0.72, 0.20, 0.16), (0.57, 0.52, 0.21), (0.16, 0.62, 0.15),
               (0.88, 0.57, 0.14), (0.39, 0.84, 0.13), (0.76, 0.86, 0.11)]
    free = np.min([np.hypot(x - fx, (y - fy) * 1.15) - 0.92 * r for fx, fy, r in poppies], axis=0)
    reserve = step(free + 0.006 * cloud[:size, :size], 0.012)
    dye = np.zeros((size, size, 3))

    def wash(depth, codes, body=0.6, ragged=0.012, soft=0.003, vein=0.0, keep=1.0):
        """Lay one wash: pigment drifts, settles in the paper and pools at a hard edge."""
        nonlocal dye
        top, left = rng.integers(size, size=2)
        drift = cloud[top : top + size, left : left + size]
        depth = depth + ragged * drift
        pool = np.exp(-np.abs(depth) / 0.0028) + 0.5 * np.exp(-np.abs(depth) / 0.016)
        load = body * (1 + 0.32 * drift + vein) + 0.42 * abs(body) * pool * (soft < 0.01)
        load = np.clip(load, -0.6, 2) * (1 + 0.16 * teeth) * step(depth, soft) * keep
        tint = ramp(0.5 + 0.3 * cloud[left : left + size, top : top + size], *codes)
        dye -= load[..., None] * np.log(np.clip(tint, 0.03, 1))

    def drops(points, radii):
        far, nearest = cKDTree(points).query(np.stack([x, y], -1))
        return radii[nearest] - far

    sky = [("7fe0dc", "3aa8e0", "6a7fe0"), ("ffe66a", "ffc24a", "ff9aa8"),
           ("5ad0a0", "2f9fd0", "a07fe0"), ("a8e08a", "5ad0c0", "4aa0e0")]
    for k in range(21):
        px, py = (k * 0.7549) % 1, (k * 0.5698) % 1
        soft = 0.003 if k % 3 == 0 else 0.16
        wash(0.19 - np.hypot(x - px, y - py), sky[k % 4], 0.5, 0.05, soft, keep=reserve)
    for _ in range(12):
        px, py, broad = rng.random(3)
        wash(0.02 + 0.04 * broad - np.hypot(x - px, y - py), ("7fb8e0", "a0c8d0"), -0.45, 0.02,
             keep=reserve)
    for _ in range(34):
        root, sway, top = rng.random(3)
        lean = 0.3 * (sway - 0.5) * (1 - y) ** 2 + 0.02 * np.sin(5 * y + 9 * sway)
        side = np.abs(x - root - lean)
        taper = 0.013 * np.clip((y - 0.35 - 0.45 * top) * 3, -0.6, 1)
        wash(taper - side, ("9fcf3a", "2f9f5a", "176a8a"), 0.8, 0.002, keep=reserve)
    for fx, fy, _ in poppies:
        side = np.abs(x - fx - 0.05 * np.sin(4 * (y - fy)))
        wash(np.minimum(0.005 - side, y - fy), ("3f9f3a", "1f6f4a"), 0.9, 0.001, keep=reserve)
    for codes in [("2f9fd0", "5a6fe0"), ("ff8a5a", "f2457a"), ("3fae6a", "1f8f8a")]:
        radii = 0.0085 * rng.random(130) ** 3 + 0.001
        wash(drops(rng.random((130, 2)), radii), codes, 0.7, 0.001, keep=reserve)
    for fx, fy, r in poppies:
        far, about = np.hypot(x - fx, (y - fy) * 1.15), np.arctan2(y - fy, x - fx)
        for k in range(5):
            bend = (about - 2.51 * k - 9 * fx + np.pi) % (2 * np.pi) - np.pi
            ruffle = r * (0.92 + 0.05 * np.sin(5 * bend + k) + 0.03 * np.sin(13 * bend + 2 * k))
            vein = 0.20 * np.sin(19 * bend + 4 * np.sin(4 * bend + k + far * 30)) * far / r
            vein -= 0.45 * step(0.5 - far / r, 0.5)
            wash(np.minimum(ruffle - far, (0.95 - np.abs(bend)) * (far + 0.02)),
                 ("ffb03a", "ff5a2a", "f22a3a", "e0205a"), 0.7, 0.008, vein=vein)
        wash(0.2 * r - far, ("2a1a4a", "141030", "1a3a4a"), 1.0, 0.014, 0.02)
        way, reach = rng.uniform(0, 2 * np.pi, 26), rng.uniform(0.24, 0.40, 26) * r
        stamens = np.stack([fx + reach * np.cos(way), fy + reach * np.sin(way)], -1)
        wash(drops(stamens, rng.uniform(0.002, 0.005, 26)), ("1a1430", "2a1a3a"), 1.2, 0.001)
    return rgb("fdf8ec")[0] * np.exp(-np.maximum(dye, 0)) * (1 + 0.02 * teeth)[..., None]


# ---------------------------------------------------------------- painting them from a shell


STYLES = {
    "night_flow": night_flow,
    "mosaic": mosaic,
    "woodcut_wave": woodcut_wave,
    "pointillism": pointillism,
    "watercolour": watercolour,
    "geometric": geometric,
    "stained_glass": stained_glass,
    "oil_autumn": oil_autumn,
}


def paint(name, size=FULL):
    """Paint one style; returns a picture (height, width, 3) of uint8, `size` pixels wide.

    The same name and size always give the same pixels.
    """
    picture = STYLES[name](size, np.random.default_rng(2024))
    return np.round(np.clip(picture, 0, 1) * 255).astype(np.uint8)


def as_jpeg(picture):
    """The bytes of the best JPEG of a picture that keeps under LARGEST_FILE."""
    for quality in range(92, 40, -2):
        page = io.BytesIO()
        Image.fromarray(picture).save(page, "JPEG", quality=quality, optimize=True)
        if page.tell() <= LARGEST_FILE:
            break
    return page.getvalue()


def main():
    """Paint the styles named on the command line."""
    parser = argparse.ArgumentParser(description="Paint the style pictures of dreamkit.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(STYLES)}")
    parser.add_argument("--out", type=Path, default=Path("outputs/styles"), metavar="FOLDER")
    parser.add_argument("--size", type=int, default=FULL, help="width in pixels (768)")
    parser.add_argument("--overwrite", action="store_true", help="replace pictures already there")
    options = parser.parse_args()
    names = options.names or list(STYLES)
    if unknown := [name for name in names if name not in STYLES]:
        parser.error(f"no style called {', '.join(unknown)}; there are {', '.join(STYLES)}")
    there = [path for name in names if (path := options.out / f"{name}.jpg").exists()]
    if there and not options.overwrite:
        parser.error(f"{there[0]} is there already; add --overwrite to paint over it")
    options.out.mkdir(parents=True, exist_ok=True)
    for name in names:
        path = options.out / f"{name}.jpg"
        path.write_bytes(as_jpeg(paint(name, options.size)))
        print(f"painted {path}", flush=True)


if __name__ == "__main__":
    main()
