"""zoom_dream(): each frame dreams into the last one, enlarged and turned a little."""

import math

import numpy as np

from ..arguments import kinds
from ..arguments.checked import checked
from ..errors import check_range
from ..recipes import deep_dream
from .making import Maker, frame_seed, picture_of, smooth_rise

BLEND = 4.0  # in a loop, the first frame comes into view when it's this many times smaller


@checked(
    steps=kinds.number(0, kinds.MOST_STEPS),
    zoom=kinds.number(1.0, 1.5),
    rotate=kinds.number(-45.0, 45.0),
)
def zoom_dream(
    image,
    out,
    frames=72,
    zoom=1.05,
    rotate=0.0,
    steps=3,
    octaves=2,
    *,
    loop=False,
    fps=15,
    seed=None,
    profile=None,
    overwrite=False,
    keep_frames=False,
    progress=True,
    **dream,
):
    """Fall into a dream: each frame dreams into the last one, enlarged and turned a little.

    The first frame is the picture itself. In a loop, it comes into view far away in the middle, and
    the camera flies into it, so that the last frame is followed by the first without a jump.

    Args:
        image: the picture: a sample's name, path, URL, PIL image or array in [0, 1].
        out: the film; `.mp4`, `.gif` or `.webp` decides the format. An MP4 with an odd side gets
            one more row or column of pixels, as H.264 needs.
        frames: number of frames, at least 2.
        zoom: enlargement from one frame to the next, 1 to 1.5; 1.05 doubles the size in 14 frames.
        rotate: turn from one frame to the next, degrees anticlockwise, -45 to 45.
        steps, octaves: of each frame's dream; see `deep_dream`.
        loop: True to end where it begins.
        fps: frames per second.
        seed: seed of the jitter; None draws and records one.
        profile: a profile's name or a `Profile`; None for the environment's.
        overwrite: True to replace an existing film.
        keep_frames: True leaves the frames as PNG files in `<out>-frames`.
        progress: False hides the progress bar.
        dream: any other argument of `deep_dream`, such as `size=`, `layers=` or `channel=`.

    Returns:
        A `Movie`. If the film is stopped, its frames stay in `<out>-frames`, and the same call
        continues it; the film is the same as if it had never stopped.

    Raises:
        DreamkitError: the subclass and message name the invalid picture, setting or file.

    Source: the zooms of Mordvintsev, Olah and Tyka 2015. Shown in the book's page on films.

    >>> import tempfile
    >>> options = dict(frames=4, steps=1, profile="ci", seed=1, progress=False)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     zoom_dream("astronaut", f"{folder}/zoom.gif", **options).settings["frames"]
    4
    """
    check_range("frames", frames, 2)
    check_range("zoom", zoom, 1.0, 1.5)
    check_range("rotate", rotate, -45.0, 45.0)
    maker = Maker(out, fps, overwrite, keep_frames, progress)
    options = dict(seed=seed, profile=profile, steps=steps, octaves=octaves, **dream)
    given, settings = maker.resolve(deep_dream, image, **options)
    own = dict(frames=frames, zoom=zoom, rotate=rotate, loop=loop)
    reel = maker.open("zoom_dream", settings, own)

    def draw(number):
        if number == 0:
            return given["image"]
        picture = moved(reel[number - 1], zoom, rotate)
        seeded = dict(image=picture, size=None, seed=frame_seed(given["seed"], number))
        picture = settled(picture_of(deep_dream(**{**given, **seeded})), reel[0])
        return lead_back(picture, reel[0], frames - number, own) if loop else picture

    maker.shoot(draw, frames)
    return maker.finish()


def moved(picture, zoom, rotate, mode="reflect"):
    """A picture enlarged and turned about its middle, at its own size.

    Args:
        picture: (H, W, C) float32.
        zoom: enlargement; below 1 shrinks.
        rotate: degrees anticlockwise.
        mode: what is beyond its edges: `"reflect"` a mirror image, `"constant"` zeros.

    >>> corner = np.zeros((4, 4, 1), "float32")
    >>> corner[0, 3] = 1
    >>> moved(corner, 1, 90)[0, 0].round(3)
    array([1.], dtype=float32)
    """
    from skimage.transform import AffineTransform, warp

    middle = (np.array(picture.shape[1::-1]) - 1) / 2
    turn = AffineTransform(scale=1 / zoom, rotation=math.radians(rotate))
    there, back = AffineTransform(translation=-middle), AffineTransform(translation=middle)
    values = warp(picture, there + turn + back, order=3, mode=mode, preserve_range=True)
    return np.clip(values, 0, 1).astype("float32")


def settled(picture, first):
    """A picture with the first frame's mean and contrast in each colour.

    Without it, the colours of a long film get harsher and harsher, as each frame adds to the last.
    """
    means, spreads = picture.mean((0, 1)), picture.std((0, 1)) + 1e-6
    scale = first.std((0, 1)) / spreads
    return np.clip((picture - means) * scale + first.mean((0, 1)), 0, 1)


def lead_back(picture, first, left, film):
    """Put the first frame, shrunk and turned, into the middle of a frame near the end of a loop.

    The frames that are left will enlarge and turn it until it fills the picture: the next would be
    the first frame itself. It fades in from nothing, with soft edges.

    Args:
        picture, first: (H, W, 3), this frame and the film's first.
        left: number of steps from this frame to the first one, at least 1.
        film: the film's settings `frames`, `zoom` and `rotate`.
    """
    zoom, rotate = film["zoom"], film["rotate"]
    window = film["frames"] - 1
    if zoom > 1:
        window = min(window, math.log(BLEND) / math.log(zoom))
    visible = smooth_rise(1.5 * (1 - left / (window + 1)))
    if visible == 0:
        return picture
    copy, mask = shrunk(first, zoom**-left, -rotate * left)
    return picture + (mask * visible * (copy - picture)).astype("float32")


def shrunk(picture, scale, rotate):
    """A picture shrunk and turned about its middle, and its mask, (H, W, 1), with soft edges."""
    from skimage.filters import gaussian

    blurred = gaussian(picture, max(0, (1 / scale - 1) / 2), mode="reflect", channel_axis=-1)
    mask = soft_edges(*picture.shape[:2], 1 - scale)
    canvas = moved(np.dstack([blurred, mask]), scale, rotate, mode="constant")
    return canvas[..., :3], canvas[..., 3:]


def soft_edges(height, width, softness):
    """A mask that rises from 0 at the edges to 1 inside; softness 0 is 1 everywhere."""
    edge = max(1e-6, min(0.15, softness) * min(height, width))
    rows, columns = (np.minimum(np.arange(n), np.arange(n)[::-1]) for n in (height, width))
    return smooth_rise((np.minimum.outer(rows, columns) + 0.5) / edge)
