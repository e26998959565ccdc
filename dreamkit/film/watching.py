"""Looking at a film: as a contact sheet, or in a notebook with a slider."""

import io
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ..arguments import kinds
from ..arguments.checked import checked
from ..errors import check_range
from ..images import resize
from .reading import open_video


@checked
@dataclass
class Movie:
    """A finished film, and the settings that made it.

    Attributes:
        path: the file.
        settings: everything needed to make the film again, also in `<path>.json`.

    In a notebook it shows its contact sheet; `scrub` shows it with a slider. Shown in the book's
    page on films.

    >>> Movie(Path("zoom.mp4")).path.suffix
    '.mp4'
    """

    path: Path
    settings: dict = field(default_factory=dict)

    def __fspath__(self):
        return str(self.path)

    def _repr_jpeg_(self):
        """Let Jupyter show the contact sheet."""
        return jpeg(contact_sheet(self))


@checked(film=kinds.anything, width=kinds.number(8, 4096))
def contact_sheet(film, count=8, columns=4, width=200):
    """Frames of a film side by side, evenly spaced from the first to the last.

    Args:
        film: a `Movie`, or the path of a film or video.
        count: number of frames.
        columns: frames per row.
        width: width of each, px.

    Returns:
        (H, W, 3) float32 picture; unused places are white.

    Raises:
        ImageError: not a film.

    Shown in the book's page on films.

    >>> import tempfile, dreamkit
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     film = dreamkit.Film(f"{folder}/run.gif")
    ...     options = dict(profile="ci", seed=1, progress=False)
    ...     run = dreamkit.deep_dream("astronaut", callback=film, **options)
    ...     contact_sheet(film.finish(run), count=4, columns=2, width=50).shape
    (102, 102, 3)
    """
    check_range("columns", columns, 1)
    frames = spaced(film, count, width)
    height, gap = frames[0].shape[0], max(2, width // 50)
    columns = min(columns, len(frames))
    rows = -(-len(frames) // columns)
    sheet = np.ones((rows * (height + gap) - gap, columns * (width + gap) - gap, 3), "float32")
    for number, frame in enumerate(frames):
        top, left = number // columns * (height + gap), number % columns * (width + gap)
        sheet[top : top + height, left : left + width] = frame
    return sheet


@checked(film=kinds.anything, width=kinds.number(8, 4096))
def scrub(film, count=60, width=320):
    """A film with a slider and a play button, for a notebook.

    The slider and the frames are joined in the browser, so it keeps working without a kernel.

    Args:
        film: a `Movie`, or the path of a film or video.
        count: the largest number of frames to show, evenly spaced.
        width: width, px.

    Returns:
        An ipywidgets box.

    Raises:
        ImageError: not a film.

    Shown in the book's page on films.

    >>> import tempfile, dreamkit
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     options = dict(frames=3, steps=1, profile="ci", seed=1, progress=False)
    ...     movie = dreamkit.zoom_dream("astronaut", f"{folder}/zoom.gif", **options)
    ...     box = scrub(movie)
    >>> len(box.children[0].children)
    3
    """
    import ipywidgets as widgets

    frames = [jpeg(frame) for frame in spaced(film, count, width)]
    pictures = [widgets.Image(value=frame, format="jpeg", width=width) for frame in frames]
    stack = widgets.Stack(pictures, selected_index=0)
    last = len(frames) - 1
    slider = widgets.IntSlider(max=last, description="frame", layout={"width": f"{width - 60}px"})
    play = widgets.Play(max=last, interval=100, show_repeat=True)
    for control in (slider, play):
        widgets.jslink((control, "value"), (stack, "selected_index"))
    widgets.jslink((play, "value"), (slider, "value"))
    return widgets.VBox([stack, widgets.HBox([play, slider])])


def spaced(film, count, width):
    """Up to `count` evenly spaced frames of a film, including the first and the last."""
    check_range("count", count, 1)
    check_range("width", width, 8)
    video = open_video(film)
    chosen = set(np.linspace(0, video.frames - 1, min(count, video.frames)).round().astype(int))
    frames, last = [], None
    for number, frame in enumerate(video):
        last = frame
        if number in chosen:
            frames.append(_to_width(frame, width))
    if number + 1 < video.frames:  # the length of a video is only roughly known
        frames.append(_to_width(last, width))
    return frames[:count]


def _to_width(frame, width):
    return resize(frame, (max(1, round(width * frame.shape[0] / frame.shape[1])), width))


def jpeg(picture):
    """A picture as the bytes of a JPEG."""
    from PIL import Image

    buffer = io.BytesIO()
    pixels = Image.fromarray(np.rint(picture * 255).astype("uint8"))
    pixels.save(buffer, "jpeg", quality=88, subsampling=0)
    return buffer.getvalue()
