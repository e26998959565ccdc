"""Drawn scenes, as plain or as cluttered as you like.  (Notebook 06.)"""

import numpy as np

from ..errors import check_range
from .drawing import draw, draw_marks, random_colour, ring, spread_places

BOX = np.array([[-0.5, 0], [0.5, 0], [0.5, -1], [-0.5, -1]])
THINGS = [  # corners of their parts, in heights above the ground (up is negative)
    [BOX * (1, 0.9), ring([0.6] * 3, -np.pi / 2) - (0, 1.2), BOX * (0.3, 0.45)],  # house
    [BOX * (0.24, 0.7), ring([0.5] * 40) - (0, 1.1)],  # tree
    [ring([radius] * 40) - (0, 0.5) for radius in (0.5, 0.32, 0.16)],  # ball
    [BOX * (0.08, 1.6), ring([0.5] * 3) - (-0.25, 1.2)],  # flag
]


def scene(clutter_level, size, seed=0):
    """Draw a scene as plain or as cluttered as you like.

    Args:
        clutter_level: from 0, one thing between sky and ground, to 1, dozens of overlapping
            things with lines across; a higher level adds to the same scene.
        size: side, px, a whole number from 16 up.
        seed: whole number from 0 up.

    Returns (size, size, 3) float32 in [0, 1]; raises `SettingsError` outside these ranges.
    Introduced in notebook 06.

    >>> from dreamkit.study.distortions import clutter
    >>> clutter(scene(0, 64))["clutter"] < clutter(scene(1, 64))["clutter"]
    True
    """
    check_range("Clutter", clutter_level, 0.0, 1.0)
    check_range("Size", size, 16)
    check_range("Seed", seed, 0)
    rng = np.random.default_rng(seed)
    backdrop = np.full((size, size, 3), [0.62, 0.8, 0.93], np.float32)  # sky
    backdrop[round(0.6 * size) :] = [0.55, 0.68, 0.42]  # ground
    places = np.array([(0.5, 0.85), *(spread_places(48, rng) * (1, 0.75) + (0, 0.25))])
    things = []
    for n, place in enumerate(places[: 1 + round(48 * clutter_level)]):
        height = 0.16 * place[1] + rng.uniform(0.02, 0.06) if n else 0.3
        parts = THINGS[rng.integers(len(THINGS))]
        things.append([(place, height * part, random_colour(rng), 0) for part in parts])
    things.sort(key=lambda thing: thing[0][0][1])  # nearer things are lower, and drawn later
    drawn = draw(backdrop, [mark for thing in things for mark in thing])
    return draw_marks("lines", drawn, 0.3 * clutter_level, np.random.default_rng(seed))
