"""Making the pictures that a command asks for.  (Notebook 00.)"""

from pathlib import Path

import typer

from ..errors import ImageError, SettingsError


def announce_profile():
    """The profile to use, printed in one line before the work starts."""
    from ..profiles import profile

    return profile()


def given(**options):
    """The options that were given: {name: value} without those that are None."""
    return {name: value for name, value in options.items() if value is not None}


def styles(style, masks=None):
    """A recipe's style= and style_mask= from the command line's STYLE[:SHARE] and [STYLE:]MASK."""
    pairs = [_split_share(text) for text in style]
    pictures = [picture for picture, _ in pairs]
    if len(pairs) == 1 and pairs[0][1] == 1.0:
        arguments = {"style": pictures[0]}
    else:
        arguments = {"style": pairs}
    if not masks:
        return arguments
    placed = {}
    for text in masks:
        picture, _, mask = text.rpartition(":")
        if picture not in pictures:
            picture, mask = None, text
        placed[picture] = mask
    if None in placed and len(placed) > 1:
        raise SettingsError("--style-mask needs the style of each mask: give STYLE:MASK.")
    several = [(mask, pictures.index(picture)) for picture, mask in placed.items() if picture]
    return arguments | {"style_mask": several or placed[None]}


def _split_share(text):
    """(picture, share) from STYLE[:SHARE]; a drive's or an address's colon is no share."""
    picture, _, share = text.rpartition(":")
    if picture and share in ("coarse", "fine"):
        return picture, share
    try:
        return (picture, float(share)) if picture else (text, 1.0)
    except ValueError:
        return text, 1.0


def label(style):
    """What a result's name says of its styles."""
    return "-".join(Path(_split_share(text)[0]).stem for text in style)


def go_on(checkpoint, more, out, overwrite):
    """Finish the run of a checkpoint, with more steps if any, and save its picture."""
    from ..batch.batch import summary
    from ..runs.reproduce import resume

    path = free_path(out, checkpoint.stem, "", overwrite)
    run = resume(checkpoint, more)
    run.save(path, overwrite)
    print(summary(run, path))


def show_channel(network, layer, channel, out, arguments, overwrite):
    """Make and save the picture of what a channel looks for."""
    from ..batch.batch import summary
    from ..controls.visualisation import visualise

    path = free_path(out, f"{network}-{layer}", str(channel), overwrite)
    run = visualise(network, layer, channel, **arguments, profile=announce_profile())
    run.save(path, overwrite)
    print(summary(run, path))


def make(recipe, photos, label, out, arguments, overwrite, workers, scheduler, keep_alpha=False):
    """Make one picture, or a batch; exit code 1 if the batch has failures."""
    from ..batch.batch import Batch, summary
    from ..batch.sources import is_single

    single = is_single(photos) and scheduler is None
    if not single and "checkpoint" in arguments:
        raise SettingsError("--checkpoint is for one photo: a batch continues by itself.")
    path = free_path(out, photos[0], label, overwrite) if single else None
    from .. import recipes
    from ..images import load_alpha

    recipe = getattr(recipes, recipe)
    if single:
        run = recipe(photos[0], **arguments, profile=announce_profile())
        alpha = load_alpha(photos[0], run.image.shape[:2]) if keep_alpha else None
        run.save(path, overwrite, alpha)
        print(summary(run, path))
        return
    arguments["profile"] = announce_profile()
    label = Path(label).stem
    more = dict(workers=workers, scheduler=scheduler, keep_alpha=keep_alpha)
    if Batch(recipe, photos, label, out, arguments, overwrite, **more).run():
        raise typer.Exit(1)


def free_path(out, photo, label, overwrite):
    """Where the picture goes; checked before the work, so that an hour is not lost at its end."""
    from ..images import WRITABLE
    from ..inputs.files import check_folder

    name = f"{Path(photo).stem}-{Path(label).stem}.png".replace(" ", "_")
    path = (out if out.suffix and not out.is_dir() else out / name).expanduser()
    check_folder(path.parent)
    if path.suffix.lower() not in WRITABLE:
        raise ImageError(f"'{path}' has the wrong suffix: end it in {', '.join(WRITABLE)}.")
    for file in (path, path.with_suffix(".json"), path.with_suffix(".csv")):
        if file.exists() and not overwrite:
            raise ImageError(f"'{file}' already exists: add --overwrite or choose another --out.")
    return path
