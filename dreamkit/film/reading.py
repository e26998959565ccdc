"""Reading films and videos, one frame at a time."""

import hashlib
import itertools
import os
from dataclasses import dataclass
from pathlib import Path

from ..errors import ImageError
from ..images import check_image, resize
from ..inputs.checks import check_path
from ..inputs.reading import READABLE
from .reel import ffmpeg


@dataclass(frozen=True)
class Video:
    """A film or video on the disk.

    Attributes:
        path: the file.
        fps: frames per second.
        frames: number of frames.
    """

    path: Path
    fps: float
    frames: int

    def __iter__(self):
        return self.pictures()

    def pictures(self, size=None, start=0, stop=None, every=1):
        """The frames as pictures, (H, W, 3) in [0, 1], with one at a time in memory.

        Args:
            size: longest side, px; None keeps the video's.
            start, stop, every: which frames, counted from 0, as in `range`.
        """
        for pixels in itertools.islice(_pixels(self.path), start, stop, every):
            picture = check_image(pixels)
            yield picture if size is None else resize(picture, size)

    def digest(self):
        """SHA-256 (64 hex digits) of the file."""
        digest = hashlib.sha256()
        with open(self.path, "rb") as file:
            for block in iter(lambda: file.read(2**20), b""):
                digest.update(block)
        return digest.hexdigest()


def open_video(path):
    """Open a film or video: MP4, MOV, WebM, AVI and whatever else ffmpeg reads, GIF or WebP.

    Raises:
        ImageError: the file is missing, is not a video, or has only one frame.
    """
    if not isinstance(path, (str, os.PathLike)):
        raise ImageError(f"A {type(path).__name__} is not a video: give the path of a file.")
    path = Path(check_path("film", path)).expanduser()
    if not path.is_file():
        problem = "is a folder" if path.is_dir() else "was not found"
        raise ImageError(f"'{path}' {problem}: give the path of a video.")
    try:
        fps, frames = _animation(path) if _is_animation(path) else _video(path)
        still = sum(1 for _ in itertools.islice(_pixels(path), 2)) < 2
    except ImageError:
        raise
    except Exception as error:  # damaged files fail anywhere, with any exception
        raise ImageError(
            f"'{path}' is not a video we can read: give an MP4, MOV, WebM, GIF or WebP."
        ) from error
    if still:
        raise ImageError(f"'{path}' has only one frame: give a video, or use a recipe for a photo.")
    return Video(path, fps, frames)


def _is_animation(path):
    """True for what Pillow reads: a GIF, a WebP or a photo."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path, formats=[name for name in READABLE if name in Image.OPEN]):
            return True
    except UnidentifiedImageError:
        return False


def _animation(path):
    """Frames per second, and their number, of a GIF or WebP."""
    from PIL import Image

    with Image.open(path) as image:
        frames, milliseconds = getattr(image, "n_frames", 1), 0
        for number in range(frames):
            image.seek(number)
            image.load()  # WebP gives a frame's duration only then
            milliseconds += image.info.get("duration", 0)
    return (1000 * frames / milliseconds if milliseconds else 10.0), frames


def _video(path):
    """Frames per second, and their number, of a video."""
    reader = ffmpeg().read_frames(str(path))
    try:
        about = next(reader)
    finally:
        reader.close()
    return about["fps"], ffmpeg().count_frames_and_secs(str(path))[0]


def _pixels(path):
    """The frames, (H, W, 3) uint8."""
    import imageio.v3 as iio

    if _is_animation(path):
        return iio.imiter(path, plugin="pillow", mode="RGB")
    return iio.imiter(path, plugin="FFMPEG")
