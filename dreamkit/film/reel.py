"""A film in the making: its frames are pictures in a folder until the file is complete."""

import itertools
import json
import shutil
from pathlib import Path

import numpy as np

from ..errors import ImageError, SettingsError, check_range
from ..images import load_image, resize, save_image
from ..inputs.files import check_room, replacing
from ..inputs.text import json_text

# What ffmpeg is asked for. MP4: H.264 that every player and browser shows, with its colours marked
# as those of HD video. GIF: a palette of its own for each frame, because choosing one for all would
# need all frames in memory.
FORMATS = {
    ".mp4": dict(
        codec="libx264",
        pix_fmt_out="yuv420p",
        output_params=[
            *("-crf", "18", "-movflags", "+faststart", "-vf", "scale=out_color_matrix=bt709"),
            *("-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709"),
        ],
    ),
    ".gif": dict(
        codec="gif",
        pix_fmt_out="pal8",
        output_params=[
            *("-loop", "0", "-vf"),
            "split[a][b];[a]palettegen=stats_mode=single[p];[b][p]paletteuse=new=1",
        ],
    ),
    ".webp": dict(
        codec="libwebp_anim", pix_fmt_out="yuv420p", output_params=["-loop", "0", "-quality", "85"]
    ),
}
NOTES = "film.json"


class Reel:
    """The frames of a film, numbered PNG files in a folder next to it until it is complete.

    Only one frame at a time is in memory. If the work is stopped, the folder stays, and a `Reel`
    with the same path and settings continues it.

    Args:
        path: the film; `.mp4`, `.gif` or `.webp` decides the format.
        settings: everything that made the frames, as JSON values; None for frames that cannot be
            continued, because it isn't known what made them.
        fps: frames per second.
        overwrite: True to replace an existing film, and the frames of an unfinished one that was
            made with other settings.

    Raises:
        ImageError: the film exists, cannot be written, or there is no ffmpeg.
        SettingsError: the folder holds frames made with other settings.
    """

    def __init__(self, path, settings=None, fps=24, overwrite=False):
        self.path, self.fps = check_path(path), fps
        check_range("fps", fps, 0.1, 120)
        ffmpeg()
        self.folder, self.settings_file = frames_folder(self.path), settings_file(self.path)
        found = unfinished(self.path)
        self.notes = {"settings": jsonable(settings), "labels": []}
        same = found and settings is not None and found["settings"] == self.notes["settings"]
        if not overwrite:
            self._check_free(found, same)
        if same:
            self.notes = found
        else:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _check_free(self, found, same):
        """Raise an error if there is a finished film, or one started with other settings."""
        for file in (self.path, self.settings_file):
            if file.exists() and not (same and stopped(self.settings_file)):
                raise ImageError(f"'{file}' already exists: choose another name, or overwrite it.")
        if found and found["settings"] is not None and not same:
            raise SettingsError(
                f"{self.folder} has the frames of an unfinished film made with other settings"
                f" ({differences(found['settings'], self.notes['settings'])}): use its settings to"
                " continue it, choose another name, or overwrite it."
            )
        if self.folder.exists() and not found:
            raise ImageError(f"'{self.folder}' is in the way: choose another name for the film.")

    def __len__(self):
        return len(self.notes["labels"])

    def __getitem__(self, number):
        """A frame as a picture, (H, W, 3) float32 in [0, 1]; 1.25 blends frames 1 and 2."""
        if number != int(number):
            first, part = int(number), number - int(number)
            return (1 - part) * self[first] + part * self[first + 1]
        return load_image(self.folder / f"{range(len(self))[int(number)]:06d}.png")

    def add(self, picture, label=None):
        """Write the next frame."""
        if not self.folder.exists():
            self._write_notes()  # before the first frame, so that it is known whose it is
        save_image(self.folder / f"{len(self):06d}.png", picture, overwrite=True)
        self.notes["labels"].append(label)
        self._write_notes()

    def rewind(self, label):
        """Forget the frame with this label, if there is one, and all after it."""
        if label in self.notes["labels"]:
            self.notes["labels"] = self.notes["labels"][: self.notes["labels"].index(label)]
            self._write_notes()

    def _write_notes(self):
        with replacing(self.folder / NOTES) as part:
            part.write_text(json_text(self.notes), "utf-8")

    def finish(self, settings, order=None, extra=(), keep_frames=False):
        """Write the film, and its settings next to it; then remove the frames.

        Args:
            settings: JSON values for `<film>.json`.
            order: which frames to show, one after the other; 1.25 is a blend of frames 1 and 2.
                None shows each once.
            extra: pictures to show after them.
            keep_frames: True leaves the frames in their folder.

        Returns:
            The film's path.
        """
        order = range(len(self)) if order is None else order
        size = (extra[-1] if extra else self[-1]).shape[:2]
        pictures = itertools.chain((self[number] for number in order), extra)
        self.settings_file.unlink(missing_ok=True)  # written last: then the film is complete
        encode(self.path, (resize(picture, size) for picture in pictures), size, self.fps)
        with replacing(self.settings_file) as part:
            part.write_text(json_text(settings) + "\n", "utf-8")
        if not keep_frames:
            shutil.rmtree(self.folder)
        return self.path


def encode(path, pictures, size, fps):
    """Write pictures of one size to a film, one at a time.

    H.264 needs an even height and width: an odd one gets one more row or column at its end, a copy
    of the last.

    Args:
        path: an `.mp4`, `.gif` or `.webp`, which is replaced.
        pictures: iterable of (H, W, 3) in [0, 1].
        size: (H, W).
        fps: frames per second.
    """
    suffix = path.suffix.lower()
    even = [side + side % 2 if suffix == ".mp4" else side for side in size]
    margin = [(0, even[0] - size[0]), (0, even[1] - size[1]), (0, 0)]
    try:
        with replacing(path) as part:
            options = dict(fps=fps, quality=None, macro_block_size=1, ffmpeg_log_level="fatal")
            writer = ffmpeg().write_frames(part, even[::-1], **options, **FORMATS[suffix])
            try:
                writer.send(None)
                for picture in pictures:
                    pixels = np.rint(picture * 255).astype("uint8")
                    writer.send(np.ascontiguousarray(np.pad(pixels, margin, "edge")))
            finally:
                writer.close()
            if not part.exists() or part.stat().st_size == 0:
                raise OSError
    except OSError as error:
        codec = FORMATS[suffix]["codec"]
        reason = error.strerror or f"this ffmpeg may lack the encoder {codec}"
        raise ImageError(f"'{path}' could not be written ({reason}): try another format.") from None


def ffmpeg():
    """The module that runs ffmpeg, or an `ImageError` that says how to get it."""
    try:
        import imageio_ffmpeg

        imageio_ffmpeg.get_ffmpeg_exe()
    except (ImportError, RuntimeError) as error:
        raise ImageError(
            "Films need ffmpeg, which was not found: run `pip install imageio-ffmpeg`."
        ) from error
    return imageio_ffmpeg


def check_path(path):
    """The path of a film that can be written, or an `ImageError`."""
    path = Path(path).expanduser()
    if path.suffix.lower() not in FORMATS:
        raise ImageError(f"'{path}' has the wrong suffix: end it in {', '.join(FORMATS)}.")
    check_room(frames_folder(path))  # the longest of the names that are needed
    return path


def frames_folder(path):
    """The folder next to a film that holds its frames until it is complete."""
    return path.with_name(f"{path.name}-frames")


def settings_file(path):
    """The file next to a film that holds its settings; a picture of that name has its own."""
    return path.with_name(f"{path.name}.json")


def unfinished(path):
    """The notes of an unfinished film of this name, or None."""
    try:
        notes = json.loads((frames_folder(Path(path).expanduser()) / NOTES).read_text("utf-8"))
        settings, labels, flickers = notes["settings"], notes["labels"], notes.get("flickers", [])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    valid = isinstance(settings, dict | None) and isinstance(labels, list)
    numbers = isinstance(flickers, list) and all(isinstance(x, int | float) for x in flickers)
    return notes if valid and numbers else None


def stopped(file):
    """True if these are the settings of a film that ends early because its run was interrupted."""
    try:
        return "stopped" in json.loads(file.read_text("utf-8"))["film"]
    except (OSError, ValueError, KeyError, TypeError):
        return False


def jsonable(value):
    """A value as it comes back from a JSON file."""
    return json.loads(json.dumps(value))


def differences(one, other):
    """The names of the settings that differ, such as "zoom, seed"."""
    one, other = flat(one or {}), flat(other or {})
    names = [name for name in {**one, **other} if one.get(name) != other.get(name)]
    named = ", ".join(dict.fromkeys(name.split(".")[-1][:40] for name in names[:20]))
    return " ".join(named.split()) or "none are known"


def flat(settings, prefix=""):
    """{"a.b": value} of nested dictionaries."""
    found = {}
    for name, value in settings.items():
        nested = flat(value, f"{prefix}{name}.") if isinstance(value, dict) else None
        found |= {f"{prefix}{name}": value} if nested is None else nested
    return found
