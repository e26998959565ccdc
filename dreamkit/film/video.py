"""transform_video(): a video painted or dreamt frame by frame, without flicker."""

import os

import numpy as np

from ..arguments.checked import checked
from ..errors import SettingsError, check_choice, check_range
from ..recipes import RECIPES
from .flow import difference, optical_flow
from .making import Maker
from .painters import PAINTERS
from .reading import open_video


@checked
def transform_video(
    video,
    out,
    recipe="style_transfer",
    *,
    temporal=1.0,
    frame_steps=None,
    start=0,
    stop=None,
    every=1,
    fps=None,
    size=None,
    seed=None,
    profile=None,
    overwrite=False,
    keep_frames=False,
    progress=True,
    **options,
):
    """Paint or dream a video frame by frame, each frame started from the one before.

    The parts of the previous result are moved to where they are now, by the optical flow between
    the video's frames, and a temporal term holds the new result close to it, where the flow is
    reliable. So brush strokes and dreamt animals move with what they are on, instead of flickering.
    The video has no sound.

    Args:
        video: path of a video or of an animated GIF or WebP.
        out: the film; `.mp4`, `.gif` or `.webp` decides the format. An MP4 with an odd side gets
            one more row or column of pixels, as H.264 needs.
        recipe: `"style_transfer"` or `"deep_dream"`.
        temporal: weight of the temporal term; 0 leaves it out.
        frame_steps: steps for each frame after the first, which gets the recipe's; None for a third
            of them, or half in a dream.
        start, stop, every: which frames, counted from 0, as in `range`.
        fps: frames per second; None for the video's.
        size: longest side, px; None for the profile's.
        seed: seed of the jitter; None draws and records one.
        profile, overwrite, keep_frames, progress: see `zoom_dream`.
        options: any other argument of the recipe, such as `style=`, `style_weight=` or `layers=`.

    Returns:
        A `Movie`; its settings have the mean `flicker`. If the film is stopped, its frames stay in
        `<out>-frames`, and the same call continues it.

    Raises:
        DreamkitError: the subclass and message name the invalid video, picture, setting or file.

    Source: Ruder, Dosovitskiy and Brox 2016. Shown in the book's page on films.

    >>> import tempfile
    >>> from dreamkit import zoom_dream
    >>> options = dict(size=48, profile="ci", seed=1, progress=False)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     video = zoom_dream("astronaut", f"{folder}/zoom.gif", 3, steps=1, **options).path
    ...     movie = transform_video(video, f"{folder}/video.gif", "deep_dream", **options)
    >>> movie.settings["frames"]
    3
    """
    check_choice("recipe", recipe, PAINTERS)
    check_range("temporal", temporal, 0.0)
    check_range("start", start, 0)
    check_range("every", every, 1)
    clip = open_video(video)
    maker = Maker(out, fps or clip.fps / every, overwrite, keep_frames, progress)
    chosen = dict(start=start, stop=stop, every=every)
    first = next(clip.pictures(None, **chosen), None)
    if first is None:
        raise SettingsError(f"'{clip.path}' has no frame {start}: lower start, or raise stop.")
    named = dict(seed=seed, profile=profile, size=size, **options)
    given, settings = maker.resolve(RECIPES[recipe], first, **named)
    size = size or given["profile"].size
    own = dict(recipe=recipe, temporal=temporal, frame_steps=frame_steps, size=size, **chosen)
    inputs = {"video": {"source": os.fspath(video), "sha256": clip.digest()}}
    inputs |= {k: v for k, v in settings["inputs"].items() if k not in ("content", "image")}
    painter = PAINTERS[recipe](given, temporal, frame_steps)
    reel = maker.open("transform_video", settings, own, **inputs)
    count = len(range(start, min(stop or clip.frames, clip.frames), every))
    flickers = reel.notes.setdefault("flickers", [])
    frames = clip.pictures(size, **chosen)
    shown = [next(frames) for _ in range(len(reel))][-1:]  # the frame before; earlier ones are done

    def draw(number):
        frame = next(frames, None)
        if frame is None:  # the file has fewer frames than it says
            return None
        if not number:
            picture = painter.first(frame)
        else:
            flow = optical_flow(shown[0], frame)
            carried = flow.carry(reel[number - 1])
            picture = painter.next(frame, carried, flow.reliable, number)
            flickers.append(difference(picture, carried, flow.reliable))
        shown[:] = [frame]
        return picture

    maker.shoot(draw, count)
    return maker.finish(flicker=float(np.mean(flickers)) if flickers else 0.0)
