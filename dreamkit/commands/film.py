"""python -m dreamkit film: runs, zooms, morphs and videos as films."""

import contextlib
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from ..errors import DivergedError, DreamkitError
from .making import Stopped, announce_profile
from .options import Backbone, Overwrite, Painting, Seed, Size, Steps

film_app = typer.Typer(help="Make films: run, zoom, morph, video.", rich_markup_mode=None)

Photo = Annotated[str, typer.Argument(help="A sample's name, a file or an http(s) URL.")]
Out = Annotated[
    Path, typer.Option(help="Output folder, or a file that ends in .mp4, .gif or .webp.")
]
Frames = Annotated[int, typer.Option(min=2, help="Number of frames.")]
Fps = Annotated[float, typer.Option(min=0.1, max=120, help="Frames per second.")]
Loop = Annotated[bool, typer.Option("--loop", help="End where it begins.")]
Keep = Annotated[bool, typer.Option("--keep-frames", help="Keep the frames as PNG files.")]
Filmed = Enum("Filmed", {name: name for name in ("style", "dream")}, type=str)
RECIPES = {"style": "style_transfer", "dream": "deep_dream"}
OUT = Path("outputs")


@film_app.command()
def run(
    photo: Photo,
    recipe: Annotated[Filmed, typer.Option(help="What to film.")] = "dream",
    style: Painting = "night_flow",
    every: Annotated[int, typer.Option(min=1, help="Keep every n-th step.")] = 1,
    out: Out = OUT,
    size: Size = None,
    steps: Steps = None,
    backbone: Backbone = None,
    fps: Fps = 24,
    seed: Seed = None,
    overwrite: Overwrite = False,
    keep_frames: Keep = False,
):
    """Film how PHOTO is painted or dreamt; after Ctrl-C, the film ends there."""
    from .. import recipes
    from ..film.recording import Film
    from ..runs.saving import best_so_far

    path = film_path(out, photo, recipe.value)
    film = Film(path, every, fps, overwrite=overwrite, keep_frames=keep_frames).start()
    options = dict(size=size, steps=steps, backbone=backbone, seed=seed, callback=film)
    options |= {"style": style} if recipe.value == "style" else {}
    try:
        made = getattr(recipes, RECIPES[recipe.value])(photo, profile=announce_profile(), **options)
    except DivergedError as error:
        if error.run is None or error.run.image is None:
            raise
        raise DreamkitError(best_so_far(error, film.finish(error.run))) from error
    print(film.finish(made))
    if made.stopped:
        raise Stopped(f"stopped: the film '{path}' ends there")


@film_app.command()
def zoom(
    photo: Photo,
    out: Out = OUT,
    frames: Frames = 72,
    zoom: Annotated[float, typer.Option(min=1, max=1.5, help="Enlargement per frame.")] = 1.05,
    rotate: Annotated[float, typer.Option(min=-45, max=45, help="Degrees per frame.")] = 0.0,
    steps: Annotated[int, typer.Option(min=1, help="Steps per frame and octave.")] = 3,
    octaves: Annotated[int, typer.Option(min=1, help="Number of sizes.")] = 2,
    loop: Loop = False,
    size: Size = None,
    backbone: Backbone = None,
    layer: Annotated[list[str] | None, typer.Option(help="Layer; may be repeated.")] = None,
    fps: Fps = 15,
    seed: Seed = None,
    overwrite: Overwrite = False,
    keep_frames: Keep = False,
):
    """Fall into a dream of PHOTO: each frame dreams into the last one, enlarged."""
    from ..film.zoom import zoom_dream

    path = film_path(out, photo, "zoom")
    options = dict(loop=loop, size=size, backbone=backbone, layers=layer or None)
    options |= dict(fps=fps, seed=seed, overwrite=overwrite, keep_frames=keep_frames)
    with stoppable():
        options["profile"] = profile_for(path)
        print(zoom_dream(photo, path, frames, zoom, rotate, steps, octaves, **options).path)


@film_app.command()
def morph(
    photo: Photo,
    style: Painting = "night_flow",
    out: Out = OUT,
    frames: Frames = 96,
    keyframes: Annotated[int, typer.Option(min=1, help="Number of paintings, and dreams.")] = 5,
    loop: Loop = False,
    size: Size = None,
    steps: Steps = None,
    fps: Fps = 24,
    seed: Seed = None,
    overwrite: Overwrite = False,
    keep_frames: Keep = False,
):
    """Turn PHOTO into a painting, and the painting into a dream."""
    from ..film.morph import morph

    path = film_path(out, photo, f"{Path(style).stem}-morph")
    options = dict(loop=loop, size=size, steps=steps, fps=fps, seed=seed)
    options |= dict(overwrite=overwrite, keep_frames=keep_frames)
    with stoppable():
        options["profile"] = profile_for(path)
        print(morph(photo, style, path, frames, keyframes, **options).path)


@film_app.command()
def video(
    video: Annotated[str, typer.Argument(help="A video, or an animated GIF or WebP.")],
    recipe: Annotated[Filmed, typer.Option(help="Paint it or dream it.")] = "style",
    style: Painting = "night_flow",
    out: Out = OUT,
    temporal: Annotated[float, typer.Option(min=0, help="Weight of the temporal term.")] = 1.0,
    frame_steps: Annotated[
        int | None, typer.Option(min=1, help="Steps for each frame but the first.")
    ] = None,
    start: Annotated[int, typer.Option(min=0, help="First frame.")] = 0,
    stop: Annotated[int | None, typer.Option(min=1, help="Frame to stop before.")] = None,
    every: Annotated[int, typer.Option(min=1, help="Take every n-th frame.")] = 1,
    size: Size = None,
    steps: Steps = None,
    backbone: Backbone = None,
    seed: Seed = None,
    overwrite: Overwrite = False,
    keep_frames: Keep = False,
):
    """Paint or dream VIDEO frame by frame, without flicker. The film has no sound."""
    from ..film.video import transform_video

    label = Path(style).stem if recipe.value == "style" else "dream"
    path = film_path(out, video, label)
    options = dict(temporal=temporal, frame_steps=frame_steps, start=start, stop=stop, every=every)
    options |= dict(size=size, steps=steps, backbone=backbone, seed=seed)
    options |= dict(overwrite=overwrite, keep_frames=keep_frames)
    options |= {"style": style} if recipe.value == "style" else {}
    with stoppable():
        options["profile"] = profile_for(path)
        print(transform_video(video, path, RECIPES[recipe.value], **options).path)


def film_path(out, source, label):
    """Where the film goes: `out` itself if it has a suffix, else an MP4 in that folder."""
    from ..inputs.files import shortened
    from ..inputs.names import names_a_file, plain_name, stem_of

    stem = shortened(f"{stem_of(source)}-{plain_name(label)}", ".mp4-frames")
    return out if names_a_file(out) else out / f"{stem}.mp4"


def profile_for(path):
    """The profile for a film: that of the unfinished film which it continues, or the best here."""
    from ..film.reel import unfinished

    earlier = (unfinished(path) or {}).get("settings") or {}
    return earlier.get("profile") or announce_profile()


@contextlib.contextmanager
def stoppable():
    """After Ctrl-C, say in one line how to continue."""
    try:
        yield
    except KeyboardInterrupt as stop:
        raise Stopped(str(stop) or "stopped") from None
