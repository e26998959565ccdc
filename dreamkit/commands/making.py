"""Making the pictures that a command asks for.  (Notebook 00.)"""

from pathlib import Path

import typer

from ..errors import ImageError


def announce_profile():
    """The profile to use, printed in one line before the work starts."""
    from ..profiles import profile

    return profile()


def make(recipe, photos, label, out, arguments, overwrite, workers, scheduler):
    """Make one picture, or a batch; exit code 1 if the batch has failures."""
    from ..batch.batch import Batch, summary
    from ..batch.sources import is_single

    single = is_single(photos) and scheduler is None
    path = free_path(out, photos[0], label, overwrite) if single else None
    from .. import recipes

    recipe = getattr(recipes, recipe)
    if single:
        run = recipe(photos[0], **arguments, profile=announce_profile())
        run.save(path, overwrite)
        print(summary(run, path))
        return
    arguments["profile"] = announce_profile()
    label = Path(label).stem
    if Batch(recipe, photos, label, out, arguments, overwrite, workers, scheduler).run():
        raise typer.Exit(1)


def free_path(out, photo, label, overwrite):
    """Where the picture goes; checked before the work, so that an hour is not lost at its end."""
    from ..files import check_folder
    from ..images import WRITABLE

    name = f"{Path(photo).stem}-{Path(label).stem}.png".replace(" ", "_")
    path = (out if out.suffix and not out.is_dir() else out / name).expanduser()
    check_folder(path.parent)
    if path.suffix.lower() not in WRITABLE:
        raise ImageError(f"'{path}' has the wrong suffix: end it in {', '.join(WRITABLE)}.")
    for file in (path, path.with_suffix(".json"), path.with_suffix(".csv")):
        if file.exists() and not overwrite:
            raise ImageError(f"'{file}' already exists: add --overwrite or choose another --out.")
    return path
