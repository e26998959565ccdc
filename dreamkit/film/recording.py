"""Film: a run of any recipe as a film of its steps."""

from dataclasses import dataclass, field, replace
from typing import Any

from ..arguments.checked import checked
from ..errors import check_range
from .reel import Reel


@checked
@dataclass
class Film:
    """A run as a film: a callback that keeps every n-th step, then writes them all.

    Args:
        path: the film; `.mp4`, `.gif` or `.webp` decides the format. An MP4 with an odd side gets
            one more row or column of pixels, as H.264 needs.
        every: keep every n-th step of each phase; 1 keeps all.
        fps: frames per second.
        hold: seconds for which the result is shown at the end.
        overwrite: True to replace an existing film.
        keep_frames: True leaves the frames as PNG files in `<path>-frames`.

    Pass it to a recipe, or to `descend` and `ascend`, as `callback=`; then call `finish`. Frames
    are written to disk as they are made, so memory doesn't grow with their number.

    Raises:
        ImageError: an unknown suffix, an existing film, or no ffmpeg.
        SettingsError: an argument is out of range.

    Shown in the book's page on films.

    >>> import tempfile, dreamkit
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     film = Film(f"{folder}/run.gif", every=2)
    ...     options = dict(profile="ci", seed=1, progress=False)
    ...     run = dreamkit.deep_dream("astronaut", callback=film, **options)
    ...     print(film.finish(run).name)
    run.gif
    """

    path: Any
    every: int = 1
    fps: float = 24
    hold: float = 1.0
    overwrite: bool = False
    keep_frames: bool = False
    reel: Any = field(default=None, repr=False, compare=False)

    def __post_init__(self):
        check_range("every", self.every, 1)
        check_range("hold", self.hold, 0.0, 60)

    def start(self, settings=None):
        """Open the film before the first step.

        Args:
            settings: the run's; an unfinished film with the same settings is continued when its run
                is resumed. None starts from the beginning.
        """
        if settings is not None:
            settings = {**settings, "film": self.settings()}
        self.reel = Reel(self.path, settings, self.fps, self.overwrite)
        return self

    def settings(self):
        """The film's own settings, as JSON values."""
        return {name: getattr(self, name) for name in ("every", "fps", "hold")}

    def __call__(self, step):
        """Keep a `Step`'s picture if it's one of every n."""
        if self.reel is None:
            self.start()
        if step.step % self.every == 0:
            label = f"{step.phase}, step {step.step}"
            self.reel.rewind(label)  # a resumed run repeats the steps since its last checkpoint
            self.reel.add(step.image, label)

    def alongside(self, callback):
        """A callback that films and also calls another, which may still stop the run."""
        if callback is None:
            return self

        def both(step):
            self(step)
            return callback(step)

        return both

    def finish(self, run):
        """Write the film, ending with the run's picture, and its settings as `<path>.json`.

        A run that was interrupted gives a film that ends there; its frames are kept, so that the
        film can continue when the run is resumed.

        Args:
            run: the `Run` that was filmed.

        Returns:
            The film's path.
        """
        if self.reel is None:
            self.start()
        pictures = [run.image] * max(1, round(self.hold * self.fps))
        film = {**self.settings(), "frames": len(self.reel) + len(pictures)}
        stopped = run.stopped == "interrupted"
        settings = {**run.settings, "film": film | ({"stopped": run.stopped} if stopped else {})}
        keep = self.keep_frames or (stopped and self.reel.notes["settings"] is not None)
        return self.reel.finish(settings, extra=pictures, keep_frames=keep)


def open_film(film, settings):
    """A new `Film` from a path or a `Film`, started with a run's settings; None for None."""
    if film is None:
        return None
    film = replace(film, reel=None) if isinstance(film, Film) else Film(film)
    return film.start(settings)
