"""Making the pictures that a command asks for.  (Notebook 00.)"""

import functools
import os
import sys
from pathlib import Path

import typer

from ..errors import DivergedError, DreamkitError, ImageError, SettingsError


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
    """(picture, share) from STYLE[:SHARE]; a drive's or an address's colon is not one."""
    picture, _, share = text.rpartition(":")
    if picture and share in ("coarse", "fine"):
        return picture, share
    try:
        return (picture, float(share)) if picture else (text, 1.0)
    except ValueError:
        return text, 1.0


def label(style):
    """What a result's name says about its styles."""
    from ..inputs.names import stem_of

    return "-".join(stem_of(_split_share(text)[0]) for text in style)


def draw_into_files():
    """Choose matplotlib's backend now, so that a wrong MPLBACKEND doesn't cost us the overview."""
    chosen = os.environ.pop("MPLBACKEND", None)
    import matplotlib

    matplotlib.use("Agg")
    if chosen is not None:
        os.environ["MPLBACKEND"] = chosen


class Stopped(Exception):
    """Ctrl-C ended a command; the message says what has been made so far."""


def go_on(checkpoint, more, out, overwrite):
    """Finish the run of a checkpoint, with more steps if any, and save its picture."""
    from ..runs.reproduce import resume

    path = free_path(out, checkpoint.stem, "", overwrite)
    keep(lambda: resume(checkpoint, more), path, overwrite, checkpoint=checkpoint)


def show_channel(network, layer, channel, out, arguments, overwrite):
    """Make and save the picture of what a channel looks for."""
    from ..controls.visualisation import visualise

    path = free_path(out, f"{network}-{layer}", str(channel), overwrite)
    arguments["profile"] = announce_profile()
    run = functools.partial(visualise, network, layer, channel, **arguments)
    keep(run, path, overwrite, checkpoint=arguments.get("checkpoint"))


def make(recipe, photos, label, out, arguments, overwrite, workers, scheduler, keep_alpha=False):
    """Make one picture, or a batch; exit code 1 if the batch has failures."""
    from ..batch.batch import Batch
    from ..batch.sources import is_single

    single = is_single(photos) and scheduler is None
    if not single and "checkpoint" in arguments:
        raise SettingsError("--checkpoint is for one photo: a batch continues by itself.")
    path = free_path(out, photos[0], label, overwrite) if single else None
    if single and keep_alpha and path.suffix.lower() in (".jpg", ".jpeg"):
        raise ImageError(f"'{path}' cannot be transparent: end it in .png, .webp or .tif.")
    from .. import recipes

    recipe = getattr(recipes, recipe)
    if single:
        run = functools.partial(recipe, photos[0], **arguments, profile=announce_profile())
        keep(run, path, overwrite, photos[0] if keep_alpha else None, arguments.get("checkpoint"))
        return
    arguments["profile"] = announce_profile()
    more = dict(workers=workers, scheduler=scheduler, keep_alpha=keep_alpha)
    if Batch(recipe, photos, label, out, arguments, overwrite, **more).run():
        raise typer.Exit(1)


def keep(make, path, overwrite, transparent=None, checkpoint=None):
    """Save the picture that a function makes, however its run ends, and print where it is.

    Args:
        make: function without arguments that returns a `Run`.
        path, overwrite: see `Run.save`.
        transparent: the photo whose transparency the picture gets, or None.
        checkpoint: the run's, if it has one.

    Raises:
        Stopped: the run was stopped; its picture so far is saved.
        DreamkitError: the run diverged; its best picture is saved.
        Exit: the picture could not be written, or not where it should be: exit code 1.
    """
    from ..batch.batch import summary
    from ..runs.saving import kept_alpha, save_somewhere, spelled
    from ..runs.stopping import between_steps

    run = or_its_best(make, path, overwrite)
    with between_steps():  # the work is done: Ctrl-C has nothing to stop but its saving
        alpha, lost = (None, None) if transparent is None else kept_alpha(transparent, run)
        where, problem = save_somewhere(run, path, overwrite, alpha)
    print(summary(run, where))
    if run.stopped:
        phase, step = run.settings["stopped_at"]
        resume = ""
        if checkpoint and Path(checkpoint).is_file():
            resume = f"; to continue: python -m dreamkit resume {checkpoint}"
        raise Stopped(
            f"stopped at step {step} of {phase}: the picture so far is in"
            f" '{spelled(where)}'{resume}"
        )
    if problem or lost:
        print(f"dreamkit: {problem or lost}", file=sys.stderr)
        raise typer.Exit(1)


def or_its_best(make, path, overwrite=False):
    """The run that a function makes; if it diverges, its best picture is saved and reported.

    Args:
        make, path, overwrite: see `keep`.

    Raises:
        DreamkitError: the run diverged; the message says where its best picture is.
    """
    from ..runs.saving import best_so_far, save_somewhere
    from ..runs.stopping import between_steps

    try:
        return make()
    except DivergedError as error:
        if error.run is None or error.run.image is None:
            raise
        with between_steps():
            where, _ = save_somewhere(error.run, path, overwrite)
        raise DreamkitError(best_so_far(error, where)) from error


def free_path(out, photo, label, overwrite):
    """Where the picture goes; checked before the work, so that it isn't lost at the end."""
    from ..images import WRITABLE
    from ..inputs.files import check_room, shortened
    from ..inputs.names import names_a_file, plain_name, stem_of

    name = f"{shortened(f'{stem_of(photo)}-{plain_name(label)}', '.png')}.png"
    path = (out if names_a_file(out) else out / name).expanduser()
    for file in (path, path.with_suffix(".json")):
        check_room(file)
    if path.suffix.lower() not in WRITABLE:
        raise ImageError(f"'{path}' has the wrong suffix: end it in {', '.join(WRITABLE)}.")
    for file in (path, path.with_suffix(".json"), path.with_suffix(".csv")):
        if os.path.lexists(file) and not overwrite:
            raise ImageError(f"'{file}' already exists: add --overwrite or choose another --out.")
    return path
