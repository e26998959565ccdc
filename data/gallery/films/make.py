"""Make the contact sheets on the book's page about films: `python data/gallery/films/make.py`.

The films and their settings go to `outputs/films`; what is finished there is not made again.
"""

import itertools
from pathlib import Path

import numpy as np

import dreamkit as dk
from dreamkit.film.flow import difference, optical_flow
from dreamkit.film.reading import open_video
from dreamkit.film.reel import encode
from dreamkit.film.zoom import moved

HERE, OUT = Path(__file__).parent, Path("outputs/films")
PAPER = dict(seed=1, profile="paper")
STYLE = dict(style="night_flow", steps=60)
DREAM = dict(octaves=3, steps=8)
FRAMES, SIZE = 6, 192


def walk(count=FRAMES, size=(168, 256)):
    """A camera that pans and zooms over a photo, while a ball rolls past."""
    photo, (height, width) = dk.load_image("chelsea"), size
    rows, columns = np.indices(size)
    for n in range(count):
        part = photo[60 + 2 * n : 60 + 2 * n + height, 40 + 4 * n : 40 + 4 * n + width]
        distance = np.hypot(rows - 120 + 2 * n, columns - 40 - 9 * n)[..., None]
        squares = (((columns - 9 * n) // 6 + rows // 6) % 2)[..., None]
        ball = np.array([0.85, 0.2, 0.1]) * (1 - distance / 40) + 0.15 * squares
        inside = np.clip(20 - distance, 0, 1)
        yield moved(part, 1 + 0.01 * n, 0) * (1 - inside) + np.clip(ball, 0, 1) * inside


def once(name, make):
    """The film of that name, made if it isn't there."""
    path = OUT / name
    if not path.with_name(f"{name}.json").exists():
        make(path)
    return path


def sheet(film, name, count=8, columns=4):
    """Write a film's contact sheet."""
    picture = dk.contact_sheet(film, count, columns, width=256)
    dk.save_image(HERE / f"{name}.jpg", picture, overwrite=True)


def zooms():
    """The zoom and the loop."""
    sheet(once("zoom.mp4", lambda p: dk.zoom_dream("chelsea", p, 30, size=256, **PAPER)), "zoom")
    loop = dict(frames=40, rotate=1.0, loop=True, size=192, **PAPER)
    sheet(once("loop.mp4", lambda p: dk.zoom_dream("astronaut", p, **loop)), "loop")


def morphs():
    """The morph."""
    options = dict(frames=48, keyframes=3, steps=60, octave_steps=8, size=192, **PAPER)
    sheet(once("morph.mp4", lambda p: dk.morph("chelsea", "night_flow", p, **options)), "morph")


def videos():
    """The video painted and dreamt, each below the same frames made by themselves."""
    OUT.mkdir(parents=True, exist_ok=True)
    encode(OUT / "walk.mp4", walk(), (168, 256), 12)
    shown = list(open_video(OUT / "walk.mp4").pictures(SIZE))
    flows = [optical_flow(*pair) for pair in itertools.pairwise(shown)]
    for recipe, options in (("style_transfer", STYLE), ("deep_dream", DREAM)):
        alone, make = [], getattr(dk, recipe)
        for number, frame in enumerate(shown):
            path = OUT / f"{recipe}-{number}.png"
            if not path.exists():
                make(frame, **options, seed=1, profile="paper").save(path)
            alone.append(dk.load_image(path))
        call = dict(recipe=recipe, size=SIZE, **options, **PAPER)
        film = once(
            f"{recipe}.mp4", lambda p, call=call: dk.transform_video(OUT / "walk.mp4", p, **call)
        )
        encode(OUT / f"{recipe}-alone.mp4", alone, shown[0].shape[:2], 12)
        for frames, name in ((alone, "by themselves"), (list(open_video(film)), "as a video")):
            pairs = zip(frames[:-1], frames[1:], flows, strict=True)
            flicker = np.mean([difference(b, f.carry(a), f.reliable) for a, b, f in pairs])
            print(f"{recipe}, frames {name}: flicker {flicker:.4f}")
        rows = [dk.contact_sheet(p, 3, 3, 256) for p in (OUT / f"{recipe}-alone.mp4", film)]
        dk.save_image(HERE / f"{recipe}.jpg", np.concatenate(rows), overwrite=True)


if __name__ == "__main__":
    zooms()
    morphs()
    videos()
