"""What the study draws: marks over a picture, and the shapes of scenes.  (Notebook 06.)

A mark has corners (n, 2) in units, a colour (RGBA, 0 to 255) and a line width in units, 0 to fill
it. A unit is the side of a square with the picture's area, so marks look the same at every size.
"""

import numpy as np
from PIL import Image, ImageColor, ImageDraw
from scipy.stats import qmc


def unit(picture):
    """Side of the square with the same area as the picture, px."""
    return float(np.sqrt(picture.shape[0] * picture.shape[1]))


def random_colour(rng, alpha=255):
    """A random colour, neither pale nor dark."""
    hue, saturation, value = rng.integers((0, 55, 40), (360, 101, 101))
    return (*ImageColor.getrgb(f"hsv({hue},{saturation}%,{value}%)"), alpha)


def ring(radii, turn=0.0):
    """Corners (n, 2) around (0, 0), one at each of n radii."""
    angles = turn + np.linspace(0, 2 * np.pi, len(radii), endpoint=False)
    return np.stack([np.cos(angles), np.sin(angles)], -1) * np.asarray(radii)[:, None]


def _line(rng):
    """A straight or wavy line across the whole picture, there and back."""
    along, angle = np.linspace(-2, 2, 200), rng.uniform(0, np.pi)
    waves = rng.choice([0, 0.03]) * np.sin(rng.uniform(6, 18) * along)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    there = np.stack([along, waves], -1) @ turn
    return np.concatenate([there, there[::-1]]), random_colour(rng), rng.uniform(0.006, 0.02)


def _circle(rng):
    """A disc or a ring."""
    return ring([rng.uniform(0.03, 0.12)] * 60), random_colour(rng), rng.choice([0, 0, 0.016])


def _colour_patch(rng):
    """A large blob of paint that lets a little of the photo through."""
    angles, radii = np.linspace(0, 2 * np.pi, 60, endpoint=False), np.ones(60)
    for waves in (2, 3, 5):
        radii += 0.4 / waves * np.sin(waves * angles + rng.uniform(0, 2 * np.pi))
    return rng.uniform(0.1, 0.16) * ring(radii), random_colour(rng, alpha=215), 0


def _shape(rng):
    """A triangle, square, pentagon, hexagon, star or cross, filled or outlined."""
    kinds = [[1] * 3, [1] * 4, [1] * 5, [1] * 6, [1, 0.4] * 5, [1, 0.3] * 4, [1, 1, 0.45] * 4]
    corners = ring(kinds[rng.integers(len(kinds))], rng.uniform(0, 2 * np.pi))
    return rng.uniform(0.05, 0.13) * corners, random_colour(rng), rng.choice([0, 0, 0.014])


# What the paper's clear pictures lack: what draws it, and how many there are at severity 1.
MARKS = {
    "lines": ([_line], 44),
    "circles": ([_circle], 60),
    "colour_patches": ([_colour_patch], 16),
    "shapes": ([_shape], 50),
    "mixed": ([_line, _circle, _colour_patch, _shape], 44),
}


def spread_places(count, rng):
    """Places (count, 2) from 0 to 1, spread more evenly than by chance (Halton 1960)."""
    return (qmc.Halton(2, scramble=False).random(count) + rng.random(2)) % 1


def draw_marks(kind, picture, severity, rng):
    """Draw marks of one kind over a picture; a higher severity adds more to the same marks."""
    makers, count = MARKS[kind]
    places = spread_places(count, rng)
    # New marks go beneath earlier ones, so none of them undoes a change.
    marks = [(place, *makers[n % len(makers)](rng)) for n, place in enumerate(places)]
    return draw(picture, marks[: int(np.ceil(severity * count))][::-1])


def draw(picture, marks):
    """Draw marks, each (place, corners, colour, line), the last on top.

    They are drawn large and scaled down, for smooth edges.
    """
    height, width = picture.shape[:2]
    factor = max(3, -(-1024 // max(height, width)))
    layer = Image.new("RGBA", (width * factor, height * factor))
    pen, scale = ImageDraw.Draw(layer), factor * unit(picture)
    for place, corners, colour, line in marks:
        points = [tuple(xy) for xy in place * layer.size + corners * scale]
        if line:
            pen.line(points + points[:2], colour, max(1, round(line * scale)), "curve")
        else:
            pen.polygon(points, colour)
    paint = np.asarray(layer.reduce(factor), np.float32) / 255
    return picture + paint[..., 3:] * (paint[..., :3] - picture)
