"""What the style pictures are painted with: colour, noise, strokes, tiles, prints, washes.

Lengths inside a picture are fractions of its width, so every picture scales.
Colours are RGB in [0, 1]. Angles are in radians, with y pointing down.
"""

import numpy as np
from PIL import Image, ImageDraw
from scipy import ndimage
from scipy.interpolate import make_interp_spline
from scipy.spatial import cKDTree
from skimage.color import hsv2rgb, rgb2hsv
from skimage.transform import resize

FULL = 768


# ---------------------------------------------------------------- colour, grids and noise


def rgb(codes):
    """The colours of hex codes such as "1b2a6b f7b51c", (n, 3)."""
    return np.array([[int(code[i : i + 2], 16) / 255 for i in (0, 2, 4)] for code in codes.split()])


def rows(text):
    """A table of numbers, whose rows end in commas, as an array."""
    return np.array([row.split() for row in text.split(",")], float)


def ramp(t, codes):
    """Colours along a ramp through hex codes; t in [0, 1]."""
    colours = rgb(codes)
    stops = np.linspace(0, 1, len(colours))
    t = np.clip(t, 0, 1)
    return np.stack([np.interp(t, stops, channel) for channel in colours.T], axis=-1)


def mix(a, b, weight):
    """Blend picture, colour or hex code b over a by a weight of one number a pixel, or one."""
    b = rgb(b)[0] if isinstance(b, str) else b
    return a + (b - a) * np.asarray(weight)[..., None]


def tinted(code, light):
    """A hex code's colour under light of one number a pixel."""
    return rgb(code)[0] * light[..., None]


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


def dots(shape, circles, sharp=3):
    """Coverage in [0, 1] of circles (x, y, radius), in fractions of the width."""
    big = Image.new("L", (shape[1] * sharp, shape[0] * sharp))
    for x, y, r in circles:
        box = np.array([x - r, y - r, x + r, y + r]) * shape[1] * sharp
        ImageDraw.Draw(big).ellipse(list(box), fill=255)
    return np.asarray(big.resize(shape[::-1], Image.BOX)) / 255


def to_edge(x):
    """How far every pixel of a square picture is from its nearest side."""
    y = x.T
    return np.minimum(np.minimum(x, 1 - x), np.minimum(y, 1 - y))


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
            ends = np.clip(
                [[y + step_y, y - step_y], [x + step_x, x - step_x]], 0, [[high - 1], [wide - 1]]
            ).astype(int)
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


# ---------------------------------------------------------------- tiles and glass


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
    centres = np.clip(seeds.astype(int), 0, [wide - 1, high - 1]).T
    return label, np.minimum(rim, to_border(region)), centres


def to_border(region):
    """How many pixels every pixel is from the border of its region."""
    cut = (region != np.roll(region, 1, 0)) | (region != np.roll(region, 1, 1))
    return ndimage.distance_transform_edt(~cut)


def set_in_grout(rng, tiles, label, rim, centres):
    """Tiles of the given colours, (n, 3), each tilted a little, with bevelled edges, in grout."""
    size = label.shape[1]
    (column, row), (y, x) = centres, np.mgrid[: len(label), :size] + 0.5
    tilt = rng.standard_normal((2, len(tiles))) * 16 / size
    lean = tilt[0][label] * (x - column[label]) + tilt[1][label] * (y - row[label])
    chips = 0.05 * noise(rng, label.shape, 60, 2)
    bevel = sum(np.gradient(ndimage.gaussian_filter(np.minimum(rim, 0.003 * size), size / 900)))
    picture = dappled(0.07)(rng, tiles)[:, 0][label]
    light = 1.08 + 0.3 * np.tanh(lean * 2) + chips + 0.3 * np.tanh(1.3 * bevel)
    grout = rgb("3a322c")[0] * tooth(rng, label.shape, 0.08)
    return mix(grout, picture * light[..., None], step(rim - 0.0016 * size, 0.0026 * size))


def leaded(rng, piece, hue, angle, glow):
    """Streaked glass, cut into the pieces of a map of codes, between dark and rounded leads."""
    size = piece.shape[1]
    codes, label = np.unique(piece, return_inverse=True)
    label = label.reshape(piece.shape)
    rim = to_border(label) / size
    lean = angle + 0.5 * noise(rng, piece.shape, 7, 2) + rng.uniform(-0.7, 0.7, len(codes))[label]
    streak = smear(ndimage.gaussian_filter(rng.standard_normal(piece.shape), size / 500), lean, 16)
    swirl = noise(rng, piece.shape, 9, 4) + 0.7 * streak + rng.standard_normal(len(codes))[label]
    glass = np.clip(hue, 0.02, 1) ** np.clip(1 - 0.24 * swirl, 0.4, 2)[..., None]
    seeds = ndimage.gaussian_filter((rng.random(piece.shape) > 0.9988) * 1.0, size / 650)
    glass = glass * (glow + 14 * np.minimum(rim, 0.012))[..., None]
    glass = glass + 1.5 * seeds[..., None]
    dome = ndimage.gaussian_filter(np.sqrt(np.clip(1 - rim / 0.007, 0, 1)), size / 900)
    shine = np.tanh(3 * sum(np.gradient(dome))) + 0.2 * noise(rng, piece.shape, 120, 2)
    return mix(glass, tinted("22242c", 1.1 + 0.8 * shine), step(0.0052 - rim, 0.002))


# ---------------------------------------------------------------- prints and washes


class Print:
    """A print from carved blocks on cream paper; ink thins where the grain stands proud."""

    def __init__(self, shape, rng):
        fibre = smear(rng.standard_normal(shape), 0.06 * noise(rng, shape, 3, 2), 24)
        self.plank = smear(rng.standard_normal(shape), 0.25 * noise(rng, shape, 2, 2), 60)
        self.wobble = noise(rng, shape, 4, 3)
        self.paper = tinted("f3e6c6", 1 + 0.02 * fibre)
        self.x, self.y = grid(shape[1], shape[0] / shape[1])

    def ink(self, cover, code, grain=0.12):
        """Print one block."""
        worn = np.clip(1 - grain * np.clip(self.plank + 0.4, 0, 3), 0, 1)
        self.paper = mix(self.paper, tinted(code, 1 + 0.04 * self.plank), cover * worn)

    def carve(self, cover, code, top, gap, thick):
        """Print rows of lines that swell and thin as a gouge leaves them."""
        row = (self.y - top + 0.010 * np.sin(6 * self.x) + 0.005 * self.wobble) / gap
        swell = thick * (0.55 + 0.45 * np.sin(10 * self.x + np.floor(row) * 2.4))
        line = step(swell - np.abs(row % 1 - 0.5) * gap, 0.0015)
        self.ink(line * cover * (row > 0), code, 0.15)


class Washes:
    """Watercolour on rough paper: each wash adds to the dye that takes light away."""

    def __init__(self, size, rng):
        self.size, self.rng = size, rng
        self.teeth = noise(rng, (size, size), 190, 2)
        self.cloud = noise(rng, (2 * size, 2 * size), 10, 6)
        self.dye = np.zeros((size, size, 3))

    def wash(self, depth, codes, body=0.6, ragged=0.012, soft=0.003, vein=0.0, keep=1.0):
        """Lay one wash: pigment drifts, settles in the paper and pools at a hard edge."""
        top, left = self.rng.integers(self.size, size=2)
        drift = self.cloud[top : top + self.size, left : left + self.size]
        depth = depth + ragged * drift
        pool = np.exp(-np.abs(depth) / 0.0028) + 0.5 * np.exp(-np.abs(depth) / 0.016)
        load = body * (1 + 0.32 * drift + vein) + 0.42 * abs(body) * pool * (soft < 0.01)
        load = np.clip(load, -0.6, 2) * (1 + 0.16 * self.teeth) * step(depth, soft) * keep
        turned = self.cloud[left : left + self.size, top : top + self.size]
        tint = ramp(0.5 + 0.3 * turned, codes)
        self.dye -= load[..., None] * np.log(np.clip(tint, 0.03, 1))

    def drops(self, points, radii, *wash, **more):
        """Lay one wash of round drops."""
        far, nearest = cKDTree(points).query(np.stack(grid(self.size), -1))
        self.wash(radii[nearest] - far, *wash, **more)

    def dried(self):
        """The picture."""
        light = np.exp(-np.maximum(self.dye, 0))
        return rgb("fdf8ec")[0] * light * (1 + 0.02 * self.teeth)[..., None]
