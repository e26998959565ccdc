"""morph(): a photo turns into a painting, and the painting into a dream."""

import numpy as np

from ..arguments.checked import checked
from ..errors import check_range
from ..recipes import deep_dream, dream_style, style_transfer
from .making import Maker, picture_of

LEAST = 0.02  # the style's weight in the first painted keyframe, relative to the last
STYLE_ONLY = (
    *("quality", "strength", "statistics"),
    *("content_mask", "style_mask", "preserve_color"),
)  # arguments of `dream_style` that are the style transfer's


@checked
def morph(
    content,
    style,
    out,
    frames=96,
    keyframes=5,
    *,
    loop=False,
    fps=24,
    seed=None,
    profile=None,
    overwrite=False,
    keep_frames=False,
    progress=True,
    **options,
):
    """Turn a photo into a painting and the painting into a dream.

    The keyframes are runs of their own: style transfers with more and more weight on the style,
    then dreams of the painting with longer and longer steps. The film blends between them, at an
    even speed: a pair that differs more gets more frames.

    Args:
        content, style: pictures; see `style_transfer`.
        out: the film; `.mp4`, `.gif` or `.webp` decides the format. An MP4 with an odd side gets
            one more row or column of pixels, as H.264 needs.
        frames: number of frames, at least 2.
        keyframes: number of style transfers, and of dreams, at least 1.
        loop: True to go back the same way, which doubles the length.
        fps: frames per second.
        seed: seed of the jitter; None draws and records one.
        profile: a profile's name or a `Profile`; None for the environment's.
        overwrite: True to replace an existing film.
        keep_frames: True leaves the keyframes as PNG files in `<out>-frames`.
        progress: False hides the progress bar.
        options: any other argument of `dream_style` but its order, such as `size=` or `steps=`.

    Returns:
        A `Movie`. If it is stopped, its keyframes stay in `<out>-frames`, and the same call
        continues it.

    Raises:
        DreamkitError: the subclass and message name the invalid picture, setting or file.

    Shown in the book's page on films.

    >>> import tempfile
    >>> options = dict(frames=6, keyframes=1, profile="ci", seed=1, progress=False)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     morph("astronaut", "mosaic", f"{folder}/morph.gif", **options).settings["frames"]
    6
    """
    check_range("frames", frames, 2)
    check_range("keyframes", keyframes, 1)
    maker = Maker(out, fps, overwrite, keep_frames, progress)
    named = dict(seed=seed, profile=profile, order="style-dream", **options)
    given, settings = maker.resolve(dream_style, content, style, **named)
    given |= dream_style.expand(given)
    own = dict(frames=frames, keyframes=keyframes, loop=loop)
    del settings["arguments"]["order"]
    reel = maker.open("morph", settings, own)
    names = ("seed", "precision", "profile", "tile", "callback", "progress")
    shared = {name: given[name] for name in names}
    painting = dict(style=given["style"], backbone=given["style_backbone"], steps=given["steps"])
    painting |= {name: given[name] for name in STYLE_ONLY}
    dreaming = dict(backbone=given["dream_backbone"], octaves=given["octaves"])
    dreaming |= dict(steps=given["octave_steps"], dream_mask=given["dream_mask"])

    def draw(number):
        """The keyframes: the photo, then the paintings, then the dreams."""
        if number == 0:
            return given["content"]
        if number <= keyframes:
            rise = np.linspace(1, 0, keyframes)[number - 1] if keyframes > 1 else 0
            weight = given["style_weight"] * LEAST**rise
            painted = dict(style_weight=weight, **painting, **shared)
            return picture_of(style_transfer(given["content"], **painted))
        rate = given["learning_rate"] * (number - keyframes) / keyframes
        dreamt = dict(learning_rate=rate, **dreaming, **shared)
        return picture_of(deep_dream(reel[keyframes], **dreamt))

    maker.shoot(draw, 2 * keyframes + 1)
    return maker.finish(between(reel, frames, loop))


def between(keyframes, frames, loop):
    """Where in the sequence of keyframes each frame is: 1.25 is a quarter of the way from 1 to 2.

    The speed, in difference of pixels from frame to frame, is even.

    Args:
        keyframes: sequence of pictures.
        frames: number of frames.
        loop: True adds the way back, without showing either end twice.
    """
    steps = [rms(keyframes[n] - keyframes[n - 1]) for n in range(1, len(keyframes))]
    travelled = np.concatenate([[0], np.cumsum(steps)])
    places = np.interp(np.linspace(0, travelled[-1], frames), travelled, np.arange(len(keyframes)))
    return [*places, *places[-2:0:-1]] if loop else list(places)


def rms(difference):
    """Root of the mean square."""
    return float(np.sqrt((difference**2).mean()))
