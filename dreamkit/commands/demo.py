"""`make dream`: everything there is, from one photo and one style.  (Notebook 00.)"""

import time
from pathlib import Path

from ..files import check_folder
from ..images import load_image
from ..plots import plot_losses, show
from ..recipes import deep_dream, dream_style, style_transfer
from ..runs.checkpoint import Checkpoint

TITLES = {
    "style": "style transfer",
    "dream": "deep dream",
    "style-dream": "style, then dream (the paper's)",
    "dream-style": "dream, then style",
    "joint": "joint: both at once",
}


def make_all(content, style, size, out, seed, profile):
    """Make the five pictures, an overview of them and the plot of their losses.

    Args:
        content, style: pictures, as for `dream_style`.
        size: longest side, px, or None for the profile's.
        out: folder for all files; what an earlier call left there is moved aside, not lost.
        seed: seed of all pictures.
        profile: a `Profile`.

    Returns:
        {name: Run}.
    """
    out = Path(out).expanduser()
    check_folder(out)
    longest = profile.size if size is None else size
    photo = load_image(content, longest)  # a bad picture is told of at once
    painting = load_image(style)
    set_aside(out)
    options = dict(size=size, seed=seed, profile=profile)
    painted, dreamed = Checkpoint(), Checkpoint()  # a phase that two pictures share is made once
    recipes = {
        "style": lambda: style_transfer(content, style, checkpoint=painted, **options),
        "dream": lambda: deep_dream(content, checkpoint=dreamed, **options),
        "style-dream": lambda: dream_style(
            content, style, "style-dream", checkpoint=painted, **options
        ),
        "dream-style": lambda: dream_style(
            content, style, "dream-style", checkpoint=dreamed, **options
        ),
        "joint": lambda: dream_style(content, style, "joint", **options),
    }
    runs = {}
    for number, (name, recipe) in enumerate(recipes.items(), start=1):
        print(f"{number}/{len(recipes)}  {TITLES[name]} …", flush=True)
        started = time.perf_counter()
        runs[name] = recipe()
        path = runs[name].save(out / f"{name}.png")
        print(f"     {path}  ({time.perf_counter() - started:.0f} s)", flush=True)
        if runs[name].stopped:
            break
    draw(photo, painting, runs, out)
    print(farewell(content, style, out))
    return runs


def draw(photo, painting, runs, out):
    """The overview of all pictures with their inputs, and the plot of every term over the steps."""
    titled = {TITLES[name]: run for name, run in runs.items()}
    overview = show({"photo": photo, "style": cropped(painting, photo.shape), **titled}, columns=4)
    overview.savefig(out / "overview.png", dpi=150)
    plot_losses(titled).savefig(out / "losses.png", dpi=150)


def cropped(image, shape):
    """The middle of a picture in the proportions of another, so that a row of them lines up."""
    height, width = image.shape[:2]
    ratio = shape[0] / shape[1]
    height, width = min(height, round(width * ratio)), min(width, round(height / ratio))
    top, left = (image.shape[0] - height) // 2, (image.shape[1] - width) // 2
    return image[top : top + height, left : left + width]


def set_aside(out):
    """Move what an earlier call left in the folder into `out/earlier/<time>`."""
    names = [f"{name}{end}" for name in TITLES for end in (".png", ".json", ".csv")]
    there = [out / n for n in (*names, "overview.png", "losses.png") if (out / n).exists()]
    if not there:
        return
    aside = out / "earlier" / time.strftime("%Y-%m-%d-%H%M%S")
    aside.mkdir(parents=True)
    for path in there:
        path.rename(aside / path.name)
    print(f"The earlier pictures are now in {aside}.")


def farewell(content, style, out):
    """Where the pictures are, and what to try next."""
    other = "woodcut_wave" if style != "woodcut_wave" else "oil_autumn"
    return f"""
All in {out.resolve()}: look at overview.png first.

What to try next
  another style      make dream STYLE={other} OUT=outputs/{other}
  your own photo     make dream CONTENT=path/to/photo.jpg OUT=outputs/mine
  larger             make dream SIZE=512 OUT=outputs/large
  how it works       make lab"""
