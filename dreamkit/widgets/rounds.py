"""The rounds of the game: what a channel likes and dislikes, and two photos to choose from.

The channels were drawn at random, and the pictures made beforehand, by `explore/make.py`.
"""

import csv
import functools
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..errors import check_choice, check_range
from ..images import load_image, resize
from .explore.figures import read_about
from .explore.stills import tiles

KINDS = ("pixels", "spectrum", "photos")  # how the pictures that help were made
PAIRS = 3  # of photos to choose from, for each channel
SIDE = 160  # px of a crop of a photo, as the network sees it
HELP = ("excites it", "silences it")  # what each of the pictures that help does
COLUMNS = ("player", "channel", "canvas", "answer", "right", "seconds")  # of the table


class Round(NamedTuple):
    """One question of the game.

    Attributes:
        channel: its name, such as "mixed4 153".
        canvas: what helps: "pixels", "spectrum" or "photos".
        references: a picture that excites the channel, and one that silences it.
        photos: {"A": picture, "B": picture}.
        answer: "A" or "B", whichever excites the channel more.
        responses: {"A": response, "B": response}, means of the channel before its ReLU.
        about: {"A": name, "B": name} of the photos.
    """

    channel: str
    canvas: str
    references: list
    photos: dict
    answer: str
    responses: dict
    about: dict


def rounds(canvas=None, count=20, seed=None):
    """Rounds of the game, in random order; no channel comes again before all have come.

    Args:
        canvas: what helps: "pixels" or "spectrum" for pictures grown on that canvas, "photos" for
            crops of other photos; None for pixels with half of the channels and spectrum with the
            others.
        count: how many.
        seed: of the order; None draws one.

    Returns:
        A list of `Round`s.

    Raises:
        SettingsError: no such canvas, or not that many rounds.

    Source: Borowski et al. 2021. Introduced in notebook 04.

    >>> first, *others = rounds("spectrum", seed=1)
    >>> len(others), first.answer in first.photos
    (19, True)
    """
    if canvas is not None:
        check_choice("canvas", canvas, KINDS)
    channels = len(read_about("game")["channels"])
    check_range("count", count, 1, channels * PAIRS)
    draw = np.random.default_rng(seed)
    canvases = draw.permutation(np.resize(KINDS[:2], channels)).tolist()
    orders = [draw.permutation(channels) for _ in range(PAIRS)]
    places = [(int(channel), pair) for pair, order in enumerate(orders) for channel in order]
    return [
        _round(channel, pair, canvas or canvases[channel], "AB"[draw.integers(2)])
        for channel, pair in places[:count]
    ]


def _round(number, pair, canvas, answer):
    found = read_about("game")["channels"][number]
    order = found["pairs"][pair] if answer == "A" else found["pairs"][pair][::-1]
    named = dict(zip("AB", order, strict=True))
    return Round(
        f"{found['layer']} {found['channel']}",
        canvas,
        references(number, canvas),
        {side: cut(*entry[:4]) for side, entry in named.items()},
        answer,
        {side: entry[4] for side, entry in named.items()},
        {side: entry[0] for side, entry in named.items()},
    )


def references(number, canvas):
    """The pictures that help with a channel."""
    if canvas == "photos":
        return [cut(*entry[:4]) for entry in read_about("game")["channels"][number]["photos"]]
    return list(_grown(canvas)[len(HELP) * number : len(HELP) * (number + 1)])


def draw(question):
    """One round as a Matplotlib figure: the pictures that help above, the two photos below.

    Introduced in notebook 04.
    """
    import matplotlib.pyplot as plt

    figure, panels = plt.subplots(2, 2, figsize=(4.4, 4.8), layout="constrained")
    above = dict(zip(HELP, question.references, strict=True))
    below = {f"photo {side}": image for side, image in question.photos.items()}
    for axes, (title, image) in zip(panels.flat, (above | below).items(), strict=True):
        axes.imshow(image, interpolation="lanczos")
        axes.set_title(title)
        axes.axis("off")
    return figure


def verdict(question, answer):
    """One sentence: is "A" or "B" right, and how strongly does each photo excite the channel?"""
    check_choice("answer", answer, ("A", "B"))
    said = "Right" if answer == question.answer else "Wrong"
    means = " and ".join(f"{value:.2f} for {side}" for side, value in question.responses.items())
    return f"{said}: channel {question.channel} responds with {means}."


def record(question, answer, player="", table="outputs/game.csv", seconds=float("nan")):
    """Add an answer to a table, and return the `verdict`.

    Args:
        question: a `Round`.
        answer: "A" or "B".
        player: a name.
        table: a CSV file, which is made if there is none. In a class, each player has one of their
            own in a shared folder.
        seconds: how long it took.

    Introduced in notebook 04.
    """
    words, right = verdict(question, answer), int(answer == question.answer)
    row = [player, question.channel, question.canvas, answer, right, round(seconds, 1)]
    path = Path(table)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        if not file.tell():
            writer.writerow(COLUMNS)
        writer.writerow(row)
    return words


@functools.lru_cache(maxsize=128)
def cut(name, left, top, side):
    """A square of a sample photo, (SIDE, SIDE, 3)."""
    return resize(_photo(name)[top : top + side, left : left + side], (SIDE, SIDE))


@functools.cache
def _photo(name):
    return load_image(name)


@functools.cache
def _grown(canvas):
    return tiles(f"game_{canvas}")[0]


def responses(backbone, layer, channels, pictures):
    """How strongly pictures, (N, H, W, 3), excite channels of a layer: (N, C) means before ReLU."""
    from ..networks.unrectified import before_relu

    before = [before_relu(backbone, layer, channel) for channel in channels]
    network, names = before[0][0], sorted({name for _, name, _ in before})
    found = []
    for batch in np.array_split(np.asarray(pictures, "float32"), -(-len(pictures) // 32)):
        maps = network.features(batch, names)
        found.append(np.stack([maps[name].numpy()[..., c] for _, name, c in before], axis=-1))
    return np.concatenate(found).mean((1, 2))
