"""`make dream`: every recipe on one photo and one style.  (Notebook 00.)"""

import functools
import shutil
import sys
import time
from pathlib import Path

import typer

from ..images import load_image
from ..inputs.files import check_room
from ..plots import plot_losses, show
from ..recipes import deep_dream, dream_style, style_transfer
from ..runs.checkpoint import Checkpoint
from ..runs.saving import COMPANIONS, UNFINISHED, reason_of, save_somewhere
from ..runs.stopping import completing
from .making import Stopped, draw_into_files, or_its_best

ENDS = {f"-{word}" for word in UNFINISHED.values()}  # of the names of unfinished pictures
TITLES = {
    "style": "style transfer",
    "dream": "deep dream",
    "style-dream": "style, then dream (the paper's order)",
    "dream-style": "dream, then style",
    "joint": "joint: both at once",
}


def make_all(content, style, size, out, seed, profile):
    """Make the five pictures, an overview of them and a plot of their losses.

    Args:
        content, style: pictures; see `dream_style`.
        size: longest side, px; None for the profile's.
        out: folder for all files; files of an earlier call are moved aside.
        seed: seed of all pictures.
        profile: a `Profile`.

    Returns:
        {name: Run}.

    Raises:
        Stopped: Ctrl-C; the pictures so far are saved.
        DreamkitError: a run diverged; its best picture and those before it are saved.
        Exit: a file could not be written, or not where it should be: exit code 1.
    """
    out = Path(out).expanduser()
    check_room(out / "overview.png")
    longest = profile.size if size is None else size
    photo = load_image(content, longest)  # a bad picture is reported before the work starts
    painting = load_image(style)
    draw_into_files()
    set_aside(out)
    options = dict(size=size, seed=seed, profile=profile)
    combine = functools.partial(dream_style, content, style, **options)
    painted, dreamed = Checkpoint(), Checkpoint()  # so that shared phases are computed once
    recipes = {
        "style": lambda: style_transfer(content, style, checkpoint=painted, **options),
        "dream": lambda: deep_dream(content, checkpoint=dreamed, **options),
        "style-dream": lambda: combine("style-dream", checkpoint=painted),
        "dream-style": lambda: combine("dream-style", checkpoint=dreamed),
        "joint": lambda: combine("joint"),
    }
    runs, problems = {}, []
    for number, (name, recipe) in enumerate(recipes.items(), start=1):
        print(f"{number}/{len(recipes)}  {TITLES[name]} …", flush=True)
        started = time.perf_counter()
        runs[name] = run = or_its_best(recipe, out / f"{name}.png")
        with completing():
            path, problem = save_somewhere(run, out / f"{name}.png")
            print(f"     {path}  ({time.perf_counter() - started:.0f} s)", flush=True)
        if problem:
            print(f"dreamkit: {problem}", file=sys.stderr)
            problems.append(problem)
        if run.stopped:
            raise Stopped(f"stopped: the picture so far is in '{path}'")
    try:
        draw(photo, painting, runs, out)
    except OSError as error:
        print(f"dreamkit: no overview in '{out}': {reason_of(error)}.", file=sys.stderr)
        problems.append(error)
    if problems:
        raise typer.Exit(1)
    print(next_steps(style, out))
    return runs


def draw(photo, painting, runs, out):
    """Draw the overview of inputs and pictures, and the plot of every term over the steps."""
    titled = {TITLES[name]: run for name, run in runs.items()}
    overview = show({"photo": photo, "style": cropped(painting, photo.shape), **titled}, columns=4)
    overview.savefig(out / "overview.png", dpi=150)
    plot_losses(titled).savefig(out / "losses.png", dpi=150)


def cropped(image, shape):
    """The middle of a picture, cropped to the aspect ratio of `shape`, so that rows line up."""
    height, width = image.shape[:2]
    ratio = shape[0] / shape[1]
    height, width = min(height, round(width * ratio)), min(width, round(height / ratio))
    top, left = (image.shape[0] - height) // 2, (image.shape[1] - width) // 2
    return image[top : top + height, left : left + width]


def set_aside(out):
    """Move the files of an earlier call into `out/earlier/<time>`."""
    stems = [f"{name}{end}" for name in TITLES for end in ("", *ENDS)]
    names = [f"{stem}{suffix}" for stem in stems for suffix in (".png", *COMPANIONS)]
    existing = [out / n for n in (*names, "overview.png", "losses.png") if (out / n).exists()]
    if not existing:
        return
    aside = out / "earlier" / time.strftime("%Y-%m-%d-%H%M%S")
    aside.mkdir(parents=True)
    for path in existing:
        path.rename(aside / path.name)
    print(f"The earlier pictures are now in {aside}.")


def next_steps(style, out):
    """Where the pictures are, and what to try next."""
    other = "woodcut_wave" if style != "woodcut_wave" else "oil_autumn"
    make = shutil.which("make") and Path("Makefile").is_file()

    def command(**options):
        words = [f"{n.upper()}={v}" if make else f"--{n} {v}" for n, v in options.items()]
        return " ".join(["make dream" if make else "python -m dreamkit demo", *words])

    return f"""
Everything is in {out.resolve()}; look at overview.png first.

What to try next
  another style      {command(style=other, out=f"outputs/{other}")}
  your own photo     {command(content="path/to/photo.jpg", out="outputs/mine")}
  larger             {command(size=512, out="outputs/large")}
  how it works       {"make lab" if make else "python -m jupyter lab notebooks"}"""
