"""Paint the style pictures of dreamkit: one function a picture, NumPy and a seed.

    python data/styles/paint.py                     paint them all into outputs/styles
    python data/styles/paint.py mosaic --size 384   paint one, smaller

Lengths inside a picture are fractions of its width, so every picture scales.
Colours are hex codes or RGB in [0, 1]. Angles are in radians, with y pointing down.
"""

import argparse
import io
from pathlib import Path

import numpy as np
from PIL import Image
from scipy import ndimage

from brushes import (
    FULL,
    Canvas,
    Print,
    Washes,
    along,
    curve,
    dappled,
    divided,
    dots,
    fill,
    grid,
    leaded,
    mix,
    noise,
    ramp,
    rgb,
    rows,
    set_in_grout,
    step,
    tesserae,
    to_edge,
    tooth,
)

LARGEST_FILE = 245_000


def night_flow(size, rng):
    """A night sky of whorls over hills and a lake, in thick strokes along a flow field."""
    x, y = grid(size)
    stars = rows("""0.15 0.14 0.055, 0.41 0.09 0.03, 0.66 0.35 0.036, 0.30 0.43 0.04,
        0.07 0.43 0.026, 0.56 0.13 0.02, 0.83 0.15 0.08, 0.50 0.48 0.022""")
    stream = y + 0.035 * np.sin(7 * x + 1) + 0.018 * noise(rng, x.shape, 3, 2)
    for cx, cy, r, spin in rows("0.46 0.27 0.11 1.0, 0.22 0.31 0.075 -0.8, 0.70 0.50 0.05 -0.6"):
        stream += 2.2 * r * spin * np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (2 * r * r))
    spiral = np.arctan2(y - 0.27, x - 0.46)
    tone = 0.42 + 0.26 * np.sin(stream * 46 + 2 * spiral) + 0.10 * noise(rng, x.shape, 5, 3)
    sky = ramp(tone, "0a1138 12237a 1c46b8 3a7cd6 8cc6e2 f1eeb6")
    for cx, cy, r in stars:
        far, way = np.hypot(x - cx, y - cy), np.arctan2(y - cy, x - cx)
        far = far * (1 + 0.05 * np.sin(3 * way + 40 * cx) + 0.03 * np.sin(7 * way + 90 * cy))
        glow = ramp(far / (2.6 * r), "fffbe0 ffe45c fbb51c e8d060 7fb8b8 2a5fc0")
        glow = glow * (0.93 + 0.13 * np.cos(far / r * 11 + way))[..., None]
        halo = step(2.2 * r - far, 1.2 * r)
        sky, stream = mix(sky, glow, 0.95 * halo), stream * (1 - halo) - 3 * far * halo
    angle, canvas = along(stream), Canvas(sky, rng)
    canvas.paint(sky, angle, 15, 60, 2.0, dappled(0.10))
    canvas.paint(sky, angle, 8, 36, 2.4, dappled(0.13))
    night_land(canvas, x, y, rng, stars)
    return canvas.lit()


def night_land(canvas, x, y, rng, stars):
    """Hills, a lake with the gleam of stars in it, and cypresses, painted over a night sky."""
    far, near = "16224f 2c4f9f 6d9ac0", "0c2438 1a5a64 3f8a5a c2b84a"
    for base, rise, codes in [(0.62, 0.05, far), (0.70, 0.035, near)]:
        ridge = base + rise * np.sin(5 * x + base * 40) + 0.02 * np.sin(13 * x + base * 9)
        tone = 0.45 + 0.3 * np.sin((y - ridge) * 130) + 0.2 * noise(rng, x.shape, 6, 3)
        canvas.paint(ramp(tone, codes), along(y - ridge), 8, 34, 4, where=step(y - ridge))
    wander = noise(rng, x.shape, 6, 3, 3)
    tone = 0.36 + 0.2 * np.sin(y * 140 + 4 * wander) + 0.1 * wander
    water = ramp(tone, "08123a 123078 2258ac 62a4d4")
    for cx, cy, r in stars:
        gleam = np.exp(-(((x - cx + 0.01 * wander) / r) ** 2)) * step(0.92 + r - y, 0.2)
        gleam *= step(np.sin(y * 150 + 5 * wander), 1)
        water = mix(water, ramp(0 * x + cy * 2, "fff0a0 ffc93a"), gleam)
    lake = step(y - 0.785 - 0.012 * np.sin(9 * x))
    canvas.paint(water, along(y + 0.006 * np.sin(14 * x)), 8, 36, 5, where=lake)
    for cx, tip, broad in rows("0.90 0.24 0.06, 0.79 0.50 0.036, 0.045 0.58 0.032"):
        down = np.clip((y - tip) / (1.02 - tip), 0, 1)
        side = (x - cx - 0.016 * np.sin(down * 8)) / broad
        body = np.sin(np.pi * down**0.75 * 0.8) ** 0.9 + 0.12 * np.sin(down * 30 + 5 * side)
        tone = 0.4 + 0.28 * np.sin(side * 9 + down * 16) + 0.15 * noise(rng, x.shape, 12, 3)
        leaves = ramp(tone, "050b14 0b2420 1a5236 8f8a2c")
        flame = -np.pi / 2 + 0.45 * side + 0.35 * np.sin(down * 26)
        canvas.paint(leaves, flame, 8, 40, 8, where=step(body - np.abs(side)) * (y > tip))


def pointillism(size, rng):
    """A river at dusk with poplars and a low sun, in dots of divided colour."""
    x, y = grid(size, 0.8)
    picture = dusk(x, y, rng)
    ripple = (y - 0.41) * (0.05 * np.sin(y * 190 + 5 * np.sin(9 * x)) + 0.03 * np.sin(y * 430))
    mirror = np.clip((0.835 - y) * size, 0, len(x) - 1).astype(int)
    across = np.clip((x + ripple) * size, 0, size - 1).astype(int)
    water = mix(picture[mirror, across], "8a8ae0", 0.30)
    water = mix(water, "3443b4", 0.6 * step(y - 0.68, 0.4))
    glint = np.exp(-(((x - 0.34) / (0.03 + 0.22 * (y - 0.4))) ** 2)) * (np.sin(y * 230) > -0.1)
    water = mix(water, "ffc84a", 0.9 * glint)
    shore = 0.412 + 0.004 * np.sin(11 * x)
    picture = mix(picture, water, step(y - shore))
    grass = ramp(0.5 + 0.3 * noise(rng, x.shape, 12, 2), "2f7f4a b8c23f ffd86a")
    picture = mix(picture, grass, step(0.013 + 0.006 * np.sin(7 * x) - np.abs(y - shore)))
    bank = 0.71 - 0.30 * (x - 0.5) + 0.02 * np.sin(9 * x)
    tone = (y - bank) * 4 + 0.12 * noise(rng, x.shape, 10, 3)
    meadow, bloom = ramp(tone, "f2d44a 7fb83a 1f8a5a 1f4a88"), noise(rng, x.shape, 34, 1)
    meadow = mix(meadow, "ff4030", step(bloom - 1.2, 0.3) * step(y - bank - 0.03))
    meadow = mix(meadow, "f7b9e6", step(-bloom - 1.5, 0.3) * step(y - bank - 0.03))
    picture = mix(picture, meadow, step(y - bank))
    canvas = Canvas(mix(picture, "f0dcb8", 0.45), rng)
    level = np.where(y > bank, -1.1, 0.0) + 0.5 * noise(rng, x.shape, 4, 2)
    for width, layers in [(13, 1.2), (9.5, 1.3), (7, 1.1)]:
        canvas.paint(picture, level, width, 1.15 * width, layers, divided, dry=-0.2, load=0.8)
    return canvas.lit(0.07, 0.1)


def dusk(x, y, rng):
    """An evening sky with a low sun, over a far hill and a row of poplars."""
    far = np.hypot(x - 0.34, y - 0.30)
    sky = ramp(y / 0.38, "33479f 5f62c4 a678c8 ef86a8 ff9f5c ffcf58")
    sky = mix(sky, "fff0a0", 0.9 * np.exp(-((far / 0.14) ** 2)))
    cloud = np.clip(noise(rng, x.shape, 4, 4, 2.2), 0, 1.2) / 1.2 * step(0.30 - y, 0.2)
    sky = mix(sky, ramp(y / 0.32, "b66fc0 ff7f7a ff7a3d"), 0.9 * cloud)
    picture = mix(sky, "fffce8", step(0.052 - far, 0.006))
    hill = 0.335 - 0.04 * np.sin(3.2 * x + 0.4) - 0.010 * np.sin(17 * x)
    picture = mix(picture, ramp((y - hill) * 10, "8a5fc0 4a5fc4 2f6fa8"), step(y - hill))
    for cx, foot, tall, broad in rows("""0.70 0.42 0.33 0.03, 0.80 0.425 0.38 0.036,
            0.91 0.43 0.405 0.042, 0.05 0.42 0.24 0.04, 0.135 0.415 0.15 0.028"""):
        up, side = np.clip((foot - y) / tall, 0, 1), (x - cx) / broad
        crown = 1.5 * up**0.35 * (1 - up) ** 0.6 + 0.16 * noise(rng, x.shape, 22, 2)
        tone = 0.45 - 0.4 * side + 0.13 * noise(rng, x.shape, 14, 2)
        inside = step(crown - np.abs(side), 0.1) * (up > 0) * (up < 1)
        picture = mix(picture, ramp(tone, "14305f 17684f 6fae3a ffd044"), inside)
    return picture


def oil_autumn(size, rng):
    """Birches in autumn beside wet ground, laid on with a palette knife."""
    x, y = grid(size)
    leaf, litter = noise(rng, x.shape, 4, 4), noise(rng, x.shape, 7, 3, 3)
    light = np.exp(-(((x - 0.57) / 0.22) ** 2 + ((y - 0.45) / 0.3) ** 2))
    wood = ramp(0.38 + 0.2 * leaf + 0.42 * light, "2f1040 861a36 d9411e f58a12 ffc928 fff2b0")
    blue = step(noise(rng, x.shape, 5, 3) - 0.6 + y, 0.3) * (y < 0.6)
    wood = mix(wood, ramp(y * 2, "2a5fc0 6fb4dc cfeadc"), 0.85 * blue)
    bank = 0.64 + 0.02 * np.sin(6 * x)
    mirror = np.clip((1.27 - y) * size, 0, size - 1).astype(int)
    wet = mix(wood[mirror, np.arange(size)[None]], ramp(y, "2a2f8e 1f1f66"), 0.5 * (1 - light))
    wet = mix(wet, ramp(0.5 + 0.3 * litter, "8a2a1c e0691a ffcb3c"), step(litter - 0.9, 0.4))
    picture = mix(wood, wet, step(y - bank))
    canvas, knife = Canvas(picture, rng), 0.9 * noise(rng, x.shape, 5, 2)
    knife = np.where(y > bank, 0.12 * knife, knife - 0.7)
    canvas.paint(picture, knife, 36, 62, 1.6, dappled(0.10), dry=0.05)
    canvas.paint(picture, knife, 20, 36, 1.3, dappled(0.13), dry=0.15)
    for cx in rng.permutation(np.linspace(0.03, 0.95, 9) + rng.uniform(-0.03, 0.03, 9)):
        birch(canvas, x, y, rng, cx)
    crown = step(noise(rng, x.shape, 6, 3) + 0.2 - 2.0 * (y - 0.35), 0.5) * (y < 0.62)
    leaves = ramp(0.6 + 0.25 * leaf, "b3202a f06a14 ffb81c fff08a")
    wisps = dict(dry=0.0, load=1.3)
    canvas.paint(leaves, knife * 2, 12, 21, 1.0, dappled(0.12), 0.5 * crown, **wisps)
    fallen, where = ramp(0.5 + 0.3 * litter, "b3261e ff8a14 ffe05a"), step(y - bank)
    canvas.paint(fallen, knife, 10, 19, 1.0, dappled(0.1), 0.45 * where * step(litter, 1), **wisps)
    return canvas.lit(0.13, 0.3)


def birch(canvas, x, y, rng, cx):
    """A birch at cx, and its broken reflection in the wet ground."""
    broad, foot = rng.uniform(0.007, 0.023), 0.65 + rng.uniform(-0.02, 0.09)
    side = (x - cx - 0.012 * np.sin(5 * y + cx * 40)) / broad
    bark = ramp(0.5 - 0.5 * side, "41356e a99cc8 fff6e0 ffe6a0")
    bark = mix(bark, "1d1428", step(noise(rng, x.shape, 26, 2, 2) - 1.15, 0.3))
    trunk = step(1 - np.abs(side), 0.2) * step(foot - y)
    canvas.paint(bark, 0 * x + 0.15, broad * 560, 15, 9, dry=0.1, where=trunk)
    shade = step(1 - np.abs(side + 0.7 * np.sin(y * 90)), 0.3) * step(y - foot) * step(0.95 - y)
    shine = ramp(0.6 - 0.5 * side, "3a2f7e c9b9e4 fff0d8")
    canvas.paint(shine, 0 * x, 8, 28, 3.5, where=shade, dry=0.3)


def geometric(size, rng):
    """Overlapping discs, rings and wedges in full colour, brushed along their arcs."""
    x, y = grid(size)
    colours = rgb("""d9302a 1f4fb0 f7b51c 16203c f26a21 2aa39a
        f4ead2 7b2d83 f9dc4a 4a9a4a e9709a 79bfe6""")
    turn = np.arctan2(y - 1.15, x + 0.12)
    stripe = ((turn + 2) * 8).astype(int)
    picture = colours[(stripe * 7 + (np.hypot(x, y - 1) * 4).astype(int) * 2 + 1) % 12]
    discs = rows("""0.29 0.33 0.34 7 4, 0.75 0.67 0.31 6 6, 0.77 0.19 0.19 5 2,
        0.19 0.83 0.20 5 3, 0.53 0.49 0.15 4 8, 0.49 0.94 0.12 3 4,
        0.96 0.41 0.10 3 2, 0.51 0.08 0.085 3 3, 0.29 0.33 0.09 2 2""")
    for k, (cx, cy, r, rings, wedges) in enumerate(discs):
        far, round_ = np.hypot(x - cx, y - cy) / r, np.arctan2(y - cy, x - cx)
        wedge = ((round_ + 2.3 * k) / (2 * np.pi) * wedges + wedges).astype(int)
        ring = (far * rings).astype(int)
        disc = colours[(ring * 5 + wedge % int(wedges) * 3 + 4 * k) % 12]
        picture = mix(picture, disc, (far < 1) * np.where((ring + wedge) % 4 == 0, 0.65, 1.0))
        turn = np.where(far < 1, round_ + np.pi / 2, turn)
    for code, corners in [
        ("16203c", "0.58 0.98, 0.98 0.90, 0.70 0.80"),
        ("f7b51c", "0.03 0.04, 0.20 0.10, 0.06 0.24"),
        ("f4ead2", "0.42 0.60, 0.47 0.78, 0.33 0.72"),
    ]:
        picture = mix(picture, code, fill(x.shape, rows(corners)))
    u, v = x * 0.9 + y * 0.44 - 0.86, y * 0.9 - x * 0.44 - 0.02
    board = colours[np.where(((u * 26).astype(int) + (v * 26).astype(int)) % 2, 6, 3)]
    picture = mix(picture, board, (np.abs(u - 0.115) < 0.115) * (np.abs(v - 0.078) < 0.077))
    canvas = Canvas(picture, rng)
    for width, length in [(20, 52), (10, 26), (6, 13)]:
        canvas.paint(picture, turn, width, length, 1.5, dappled(0.075), dry=0.2)
    ink_lines(canvas, size, discs)
    return canvas.lit(0.09, 0.15)


def ink_lines(canvas, size, discs):
    """A dark line around each disc, and four straight ones that swell in the middle."""
    ink = rgb("10142a 1f2440")
    for cx, cy, r, *_ in discs:
        for way in np.arange(0, 2 * np.pi, 0.018 / r):
            at = (cx + r * np.cos(way)) * size, (cy + r * np.sin(way)) * size
            bend = 1 / (r * size)
            canvas.stroke(*at, way + np.pi / 2, size / 22, size / 120, ink, bend=bend, dry=0)
    lines = "0.33 0.62 -0.9 0.9, 0.40 0.60 -0.9 0.5, 0.60 0.86 0.35 0.6, 0.2 0.2 0.6 0.36"
    for x0, y0, way, long in rows(lines):
        for s in np.arange(-long / 2, long / 2, 0.012):
            at = (x0 + s * np.cos(way)) * size, (y0 + s * np.sin(way)) * size
            swell = size * (1 - abs(2 * s / long)) / 70 + 2
            canvas.stroke(*at, way, size / 22, swell, ink, dry=0)


def mosaic(size, rng):
    """A peacock with its fan spread, in gold and teal tesserae that follow its outlines."""
    x, y = grid(size)
    region, pigment, angle, tone = peacock(x, y)
    label, rim, (column, row) = tesserae(rng, angle, region, size / 70)
    chosen = tone[row, column] + 0.2 * rng.standard_normal(len(row))
    tiles = np.choose(pigment[row, column][:, None], [ramp(chosen, codes) for codes in PIGMENTS])
    return set_in_grout(rng, tiles, label, rim, (column, row))


GOLD, FAN, RIB, TURQUOISE, DEEP, BODY, RED, IVORY, BLACK = range(9)
PIGMENTS = [
    "8a5a10 c98f1e f0c040 ffe9a0",
    "085058 0e7f7c 3aa890",
    "2f9a4a a8cf4a",
    "17a89a 7fe6d0",
    "0c1f7a 1a3fc0",
    "10239a 1a58d8 2fa8e0 7fe0e0",
    "8a1f1a d0402a",
    "f3e6c0 fffaf0",
    "14110c 2a2018",
]


def peacock(x, y):
    """Which region, pigment, direction and tone the tiles of a peacock have at every pixel."""
    size, cx, cy = len(x), 0.5, 0.66
    far, radial = np.hypot(x - cx, y - cy), np.arctan2(cy - y, x - cx)
    region, pigment, angle, tone = (np.zeros(x.shape, kind) for kind in (int, int, float, float))

    def lay(inside, code, direction, shade):
        new = region.max() + 1
        for field, value in [(region, new), (pigment, code), (angle, direction), (tone, shade)]:
            field[inside] = np.broadcast_to(value, x.shape)[inside]

    lay(far > 0, GOLD, radial, 0.5 + 0.4 * np.sin(far * 34))
    lay((far < 0.439) & (y < 0.86), IVORY, radial, 0.5)
    lay((far < 0.426) & (y < 0.86), FAN, radial, 0.5 + 0.5 * np.sin(radial * 31))
    for radius, eyes, r in rows("0.205 9 0.035, 0.288 11 0.043, 0.372 13 0.048"):
        for way in np.pi * ((np.arange(eyes) + 0.5) / eyes * 1.24 - 0.12):
            ex, ey = cx + radius * np.cos(way), cy - radius * np.sin(way)
            away, about = np.hypot(x - ex, y - ey), np.arctan2(y - ey, x - ex)
            stalk = (np.abs(np.sin(way - radial)) * far < 0.006) & (np.cos(way - radial) > 0)
            lay(stalk & (far < radius) & (far > radius - 0.075), RIB, radial, 0.5)
            for code, scale in [(RIB, 1.0), (GOLD, 0.8), (TURQUOISE, 0.58), (DEEP, 0.34)]:
                lay(away < r * scale, code, about, 0.75)
    outline = rows("""0.41 0.925, 0.36 0.82, 0.385 0.68, 0.455 0.56, 0.47 0.45, 0.445 0.385,
        0.455 0.335, 0.50 0.315, 0.545 0.35, 0.555 0.45, 0.575 0.56, 0.635 0.68, 0.655 0.82,
        0.60 0.925""")
    inside = fill(x.shape, curve(outline)) > 0.5
    depth = ndimage.distance_transform_edt(inside) / size
    rings = along(ndimage.gaussian_filter(depth, size / 120))
    lay(ndimage.distance_transform_edt(~inside) < 0.013 * size, GOLD, rings, 0.9)
    lay(inside, BODY, rings, depth * 9 + 0.15 * np.sin(y * 60))
    lay(fill(x.shape, rows("0.452 0.352, 0.385 0.39, 0.45 0.395")) > 0.5, GOLD, 0, 0.9)
    for dx, dy in [(-0.03, -0.075), (0.0, -0.09), (0.03, -0.08)]:
        lay(np.hypot(x - 0.50 - dx, y - 0.33 - dy) < 0.015, TURQUOISE, radial, 0.9)
        plume = 0.0003 * (np.abs(y - 0.285) < 0.027)
        lay(np.abs((x - 0.50) * dy - (y - 0.33) * dx) < plume, GOLD, np.pi / 2, 0.9)
    for code, r in [(IVORY, 0.021), (BLACK, 0.011)]:
        lay(np.hypot(x - 0.487, y - 0.362) < r, code, radial, 0.5)
    frame = {0.067: RED, 0.053: IVORY, 0.04: DEEP, 0.0265: TURQUOISE, 0.0132: DEEP}
    for inner, code in frame.items():
        lay(to_edge(x) < inner, code, 0, 0.5 + 0.4 * np.sin((x + y) * 60))
    return region, pigment, angle, tone


def stained_glass(size, rng):
    """A sun over hills and three great flowers, in leaded glass with the light behind it."""
    x, y = grid(size)
    far, turn = np.hypot(x - 0.5, y - 0.3), np.arctan2(y - 0.3, x - 0.5)
    beam = np.floor((turn / (2 * np.pi) + 0.04 * np.sin(far * 9)) * 20) % 20
    piece = 100 + beam * 10 + np.floor(far * 6.5 + 0.4 * (beam % 2))
    hue = ramp(far * 1.45, "ffd23f f78a2b e0406a 8a3fb0 2f4fc7 143a9a")
    angle = turn

    def lay(inside, code, colour, direction):
        nonlocal piece, hue, angle
        piece, hue = np.where(inside, code, piece), mix(hue, colour, inside)
        angle = np.where(inside, direction, angle)

    lay(far < 0.16, 400 + np.floor(turn / np.pi * 8), "ffe26a", turn)
    lay(far < 0.10, 450, "ff9d1e", turn)
    for k, code in enumerate(["2f4fc0", "1a7fa8", "1f9a7a", "3a9a2f"]):
        hill = y - 0.53 - 0.11 * k - 0.05 * np.sin((4 + k) * x + 2.1 * k)
        strip = np.floor(hill * 11)
        slab = np.floor(x * 6.5 + 0.5 * strip + 0.37 * k + hill)
        tint = ramp(0.5 + 0.5 * np.sin(slab * 4 + strip * 2), f"{code} 8fd0b0")
        lay(hill > 0, 500 + 100 * k + 12 * strip + slab, mix(tint, code, 0.35), along(hill))
    for fx, fy, r, petals, inner, outer in [
        (0.22, 0.73, 0.17, 8, "ff7a4a", "d0122e"),
        (0.78, 0.69, 0.16, 7, "ff9ad8", "a81f9a"),
        (0.51, 0.85, 0.13, 9, "fff0b0", "ffa01a"),
    ]:
        away, about = np.hypot(x - fx, y - fy) / r, np.arctan2(y - fy, x - fx)
        petal = np.floor((about / (2 * np.pi) + 0.5) * petals)
        lobe = 0.76 + 0.24 * np.abs(np.sin((about / 2 + np.pi / 2) * petals))
        stem = np.abs(x - fx - 0.03 * np.sin(9 * (y - fy))) < 0.013
        lay(stem & (y > fy), 900 + fx, "2fae3a", np.pi / 2)
        lay(away < lobe, 1000 * fx + petal, ramp(away, f"{inner} {outer}"), about)
        lay(away < 0.5, 2000 * fx + petal, ramp(away * 1.6, f"{outer} {inner}"), about)
        lay(away < 0.2, 5000 * fx, "ffd23f", about)
    across, down = np.floor(x * 12.5), np.floor(y * 12.5)
    chequer = ramp((across + down) % 2, "c81f3a 1f3fb0")
    lay(to_edge(x) < 0.04, 9000 + across * 20 + down, chequer, 0.8)
    return leaded(rng, piece, hue, angle, 1.1 - 0.2 * far)


def woodcut_wave(size, rng):
    """Curling waves under a red sun, printed from carved blocks on cream paper."""
    shape = (round(size * 0.8), size)
    page = Print(shape, rng)
    x, y, ink, carve = page.x, page.y, page.ink, page.carve
    ink(np.clip((y - 0.14) / 0.34, 0, 1) * 0.85, "f0a868", 0.3)
    ink(np.clip(1 - y / 0.26, 0, 1) ** 1.2, "16407e", 0.25)
    carve(0.75 * step(0.5 - y, 0.2), "2f5f96", 0.02, 0.016, 0.0028)
    ink(step(0.115 - np.hypot(x - 0.66, y - 0.19)), "d23a24", 0.2)
    carve(step(0.11 - np.hypot(x - 0.66, y - 0.19)), "f08a4a", 0.02, 0.016, 0.0018)
    waves = "0.42 .60 .55 1, 1.05 .64 .62 -1, -0.10 .80 1 1, 1.03 .88 .62 -1, 0.22 .90 .42 1"
    for cx, base, scale, flip in rows(waves):
        wave(page, rng, cx, base, scale, flip)
    return page.paper * tooth(rng, shape, 0.035)


def wave(page, rng, cx, base, scale, flip):
    """Print one wave: the sea, the gouges from its back to its face, and the foam."""
    spiral = rows("0 0, .06 -.17, .17 -.36, .32 -.49, .47 -.50, .57 -.41, .565 -.33")
    hollow = rows(".95 0, .66 -.03, .47 -.10, .38 -.20, .38 -.30, .45 -.35, .545 -.335")
    shape, ink = page.x.shape, page.ink
    back, face = (curve(p * [scale * flip, scale] + [cx, base]) for p in (spiral, hollow))
    under = [(cx - flip * 0.5, 1.2), (cx - flip * 0.5, base)]
    beyond = [(cx + flip * 1.6, base + 0.02), (cx + flip * 1.6, 1.2)]
    sea = fill(shape, np.concatenate([under, back, face[::-1], beyond]))
    ink(sea, "122a58", 0.1)
    page.carve(sea, "7fb0c8", base - 0.05 * scale, 0.022 * scale + 0.006, 0.0045)
    ink(fill(shape, np.concatenate([back, face[::-1]])), "122a58", 0.1)
    for k in range(22):
        gouge = 0.10 + 0.3 * np.linspace(0, 1, 200)[:, None] ** 2
        gouge += 0.08 * np.sin(np.linspace(0, 14, 200) + 2 * k)[:, None]
        cuts = ((k + gouge) / 22, (k + 1 - 0.6 * gouge) / 22)
        one, two = (back + (face - back) * cut for cut in cuts)
        code = ["5fa0c4", "f3e6c6", "2460a0", "a8d0d4"][k % 4]
        ink(fill(shape, np.concatenate([one, two[::-1]])), code, 0.15)
    foam(page, rng, back, scale, flip)


def foam(page, rng, crest, scale, flip):
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
        circles = drops + spray * (grow < 0)
        circles = [(x - shift, y - shift, max(r + grow, 0.0014)) for x, y, r in circles]
        page.ink(dots(page.x.shape, circles), code, 0.06)


def watercolour(size, rng):
    """Poppies in wet washes with pooled edges, blooms and granulation on rough paper."""
    (x, y), paper = grid(size), Washes(size, rng)
    poppies = rows("""0.27 0.27 0.19, 0.72 0.20 0.16, 0.57 0.52 0.21, 0.16 0.62 0.15,
        0.88 0.57 0.14, 0.39 0.84 0.13, 0.76 0.86 0.11""")
    free = np.min([np.hypot(x - fx, (y - fy) * 1.15) - 0.92 * r for fx, fy, r in poppies], axis=0)
    keep = step(free + 0.006 * paper.cloud[:size, :size], 0.012)
    sky = ["7fe0dc 3aa8e0 6a7fe0", "ffe66a ffc24a ff9aa8"]
    sky += ["5ad0a0 2f9fd0 a07fe0", "a8e08a 5ad0c0 4aa0e0"]
    for k in range(21):
        far = np.hypot(x - (k * 0.7549) % 1, y - (k * 0.5698) % 1)
        soft = 0.003 if k % 3 == 0 else 0.16
        paper.wash(0.19 - far, sky[k % 4], 0.5, 0.05, soft, keep=keep)
    for _ in range(12):
        px, py, broad = rng.random(3)
        depth = 0.02 + 0.04 * broad - np.hypot(x - px, y - py)
        paper.wash(depth, "7fb8e0 a0c8d0", -0.45, 0.02, keep=keep)
    for _ in range(34):
        root, sway, top = rng.random(3)
        lean = 0.3 * (sway - 0.5) * (1 - y) ** 2 + 0.02 * np.sin(5 * y + 9 * sway)
        side = np.abs(x - root - lean)
        taper = 0.013 * np.clip((y - 0.35 - 0.45 * top) * 3, -0.6, 1)
        paper.wash(taper - side, "9fcf3a 2f9f5a 176a8a", 0.8, 0.002, keep=keep)
    for fx, fy, _ in poppies:
        side = np.abs(x - fx - 0.05 * np.sin(4 * (y - fy)))
        stem = np.minimum(0.005 - side, y - fy)
        paper.wash(stem, "3f9f3a 1f6f4a", 0.9, 0.001, keep=keep)
    for codes in ["2f9fd0 5a6fe0", "ff8a5a f2457a", "3fae6a 1f8f8a"]:
        radii = 0.0085 * rng.random(130) ** 3 + 0.001
        paper.drops(rng.random((130, 2)), radii, codes, 0.7, 0.001, keep=keep)
    for flower in poppies:
        poppy(paper, x, y, rng, *flower)
    return paper.dried()


def poppy(paper, x, y, rng, fx, fy, r):
    """A poppy of radius r: five ruffled petals with veins, a dark heart and its stamens."""
    far, about = np.hypot(x - fx, (y - fy) * 1.15), np.arctan2(y - fy, x - fx)
    for k in range(5):
        bend = (about - 2.51 * k - 9 * fx + np.pi) % (2 * np.pi) - np.pi
        ruffle = r * (0.92 + 0.05 * np.sin(5 * bend + k) + 0.03 * np.sin(13 * bend + 2 * k))
        vein = 0.20 * np.sin(19 * bend + 4 * np.sin(4 * bend + k + far * 30)) * far / r
        vein -= 0.45 * step(0.5 - far / r, 0.5)
        petal = np.minimum(ruffle - far, (0.95 - np.abs(bend)) * (far + 0.02))
        paper.wash(petal, "ffb03a ff5a2a f22a3a e0205a", 0.7, 0.008, vein=vein)
    paper.wash(0.2 * r - far, "2a1a4a 141030 1a3a4a", 1.0, 0.014, 0.02)
    way, reach = rng.uniform(0, 2 * np.pi, 26), rng.uniform(0.24, 0.40, 26) * r
    stamens = np.stack([fx + reach * np.cos(way), fy + reach * np.sin(way)], -1)
    paper.drops(stamens, rng.uniform(0.002, 0.005, 26), "1a1430 2a1a3a", 1.2, 0.001)


PAINTERS = [night_flow, mosaic, woodcut_wave, pointillism]
PAINTERS += [watercolour, geometric, stained_glass, oil_autumn]
STYLES = {painter.__name__: painter for painter in PAINTERS}


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
