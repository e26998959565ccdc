"""python -m dreamkit: the recipes from the command line.  (Notebook 00.)"""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from ..errors import DreamkitError, check_range
from ..system.console import write_anything
from .film import film_app
from .grade import grade
from .making import (
    Stopped,
    announce_profile,
    draw_into_files,
    given,
    go_on,
    label,
    make,
    show_channel,
    styles,
)
from .options import (
    Backbone,
    Canvas,
    Channels,
    ContentMask,
    DreamMask,
    Guide,
    Jitter,
    KeepAlpha,
    Layers,
    LearningRate,
    OctaveScale,
    Order,
    Out,
    Overwrite,
    Painting,
    Paintings,
    Photos,
    PreserveColor,
    Preset,
    Quality,
    Recipe,
    Rotate,
    Saved,
    Scheduler,
    Seed,
    Side,
    Size,
    Smallest,
    Smooth,
    Start,
    Statistics,
    Steps,
    Strength,
    StyleMask,
    Tile,
    Weight,
    Workers,
    Zoom,
    channels,
    check_homes,
    with_weights,
)
from .quiz import quiz
from .weights import weights_app

app = typer.Typer(
    help="Gram matrices, neural style transfer and deep dream.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
CTRL_C = 130  # the exit code after Ctrl-C, as in every shell
app.add_typer(weights_app, name="weights")
app.add_typer(film_app, name="film")
app.command()(grade)
app.command()(quiz)


def run():
    """Run a command as a whole process, for `python -m dreamkit` and the script `dreamkit`."""
    try:
        main()
    except SystemExit as ended:
        if ended.code == CTRL_C:  # the work is saved, and TensorFlow can crash while it is undone
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(CTRL_C)
        raise


def main():
    """Run a command; an error is one line on stderr and exit code 2, Ctrl-C is exit code 130."""
    code = 2
    write_anything()
    if "MPLBACKEND" in os.environ:  # Keras imports matplotlib, and would fail with a wrong one
        draw_into_files()
    try:
        arguments = sys.argv[1:] or ["--help"]
        check_homes(arguments)
        sys.exit(app(arguments, standalone_mode=False, prog_name="python -m dreamkit") or 0)
    except SystemExit as ended:
        if ended.code != CTRL_C:
            raise
        problem, code = "stopped", CTRL_C
    except DreamkitError as error:
        problem = str(error)
    except Stopped as stop:
        problem, code = str(stop), CTRL_C
    except (KeyboardInterrupt, typer.Abort):
        problem, code = "stopped", CTRL_C
    except OSError as error:
        problem = f"{error.filename or 'the system'}: {error.strerror or error}"
    except Exception as error:
        if not hasattr(error, "format_message"):  # a bug, not a wrong command line
            raise
        problem = f"{error.format_message()} (see --help)"
    print(f"dreamkit: {' '.join(problem.split())}", file=sys.stderr)
    sys.exit(code)


@app.command()
def style(
    photos: Photos,
    style: Paintings = ("night_flow",),
    out: Out = Path("outputs"),
    size: Size = None,
    steps: Steps = None,
    backbone: Backbone = None,
    tile: Tile = None,
    strength: Strength = None,
    style_weight: Weight = None,
    style_scale: Annotated[float | None, typer.Option(help="Size of strokes; default: 1.")] = None,
    quality: Quality = None,
    statistics: Statistics = None,
    style_mask: StyleMask = None,
    content_mask: ContentMask = None,
    preserve_color: PreserveColor = None,
    init: Start = None,
    canvas: Annotated[Canvas | None, typer.Option(help="What moves; pixels by default.")] = None,
    seed: Seed = None,
    checkpoint: Saved = None,
    keep_alpha: KeepAlpha = False,
    overwrite: Overwrite = False,
    workers: Workers = 1,
    scheduler: Scheduler = None,
):
    """Paint PHOTOS in the style of another picture."""
    chosen = dict(strength=strength, style_weight=style_weight, style_scale=style_scale, init=init)
    chosen |= dict(backbone=backbone, content_mask=content_mask, checkpoint=checkpoint)
    chosen |= dict(preserve_color=preserve_color and preserve_color.value)
    chosen |= dict(statistics=statistics and statistics.value, quality=quality and quality.value)
    chosen |= dict(canvas=canvas and canvas.value)
    arguments = styles(style, style_mask) | given(**chosen)
    arguments |= dict(size=size, steps=steps, tile=tile or "auto", seed=seed)
    where = out, arguments, overwrite, workers, scheduler, keep_alpha
    make("style_transfer", photos, label(style), *where)


@app.command()
def dream(
    photos: Photos,
    out: Out = Path("outputs"),
    size: Size = None,
    octaves: Annotated[int | None, typer.Option(min=1, help="Number of sizes.")] = None,
    steps: Steps = None,
    backbone: Backbone = None,
    tile: Tile = None,
    octave_scale: OctaveScale = None,
    smallest: Smallest = None,
    layers: Layers = None,
    channel: Channels = None,
    label: Annotated[str | None, typer.Option(help="ImageNet class to dream of.")] = None,
    dream_mask: DreamMask = None,
    guide: Guide = None,
    jitter: Jitter = None,
    rotate: Rotate = None,
    zoom: Zoom = None,
    smooth: Smooth = None,
    learning_rate: LearningRate = None,
    seed: Seed = None,
    checkpoint: Saved = None,
    keep_alpha: KeepAlpha = False,
    overwrite: Overwrite = False,
    workers: Workers = 1,
    scheduler: Scheduler = None,
):
    """Let a network dream into PHOTOS."""
    number = int(label) if label and label.isdecimal() and len(label) < 10 else label
    arguments = dict(backbone=backbone, layers=with_weights("--layer", layers), octaves=octaves)
    arguments |= dict(smallest=smallest, channel=channels(channel), label=number, guide=guide)
    chosen = dict(jitter=jitter, rotate=rotate, zoom=zoom, octave_scale=octave_scale)
    chosen |= dict(smooth=smooth, learning_rate=learning_rate)
    arguments |= given(**chosen, dream_mask=dream_mask, checkpoint=checkpoint)
    arguments |= dict(size=size, steps=steps, tile=tile or "auto", seed=seed)
    where = out, arguments, overwrite, workers, scheduler, keep_alpha
    make("deep_dream", photos, label or "dream", *where)


@app.command()
def combine(
    photos: Photos,
    style: Paintings = ("night_flow",),
    order: Annotated[Order, typer.Option(help="The paper uses style-dream.")] = "style-dream",
    out: Out = Path("outputs"),
    size: Size = None,
    steps: Steps = None,
    tile: Tile = None,
    strength: Strength = None,
    style_weight: Weight = None,
    quality: Quality = None,
    statistics: Statistics = None,
    style_mask: StyleMask = None,
    content_mask: ContentMask = None,
    dream_mask: DreamMask = None,
    preserve_color: PreserveColor = None,
    seed: Seed = None,
    checkpoint: Saved = None,
    keep_alpha: KeepAlpha = False,
    overwrite: Overwrite = False,
    workers: Workers = 1,
    scheduler: Scheduler = None,
):
    """Dream PHOTOS in a style: style transfer and deep dream, in either order or jointly."""
    name = f"{label(style)}-{order.value}"
    chosen = dict(strength=strength, style_weight=style_weight, checkpoint=checkpoint)
    chosen |= dict(content_mask=content_mask, dream_mask=dream_mask)
    chosen |= dict(preserve_color=preserve_color and preserve_color.value)
    chosen |= dict(statistics=statistics and statistics.value, quality=quality and quality.value)
    arguments = styles(style, style_mask) | given(**chosen)
    arguments |= dict(order=order.value, size=size, steps=steps, tile=tile or "auto", seed=seed)
    where = out, arguments, overwrite, workers, scheduler, keep_alpha
    make("dream_style", photos, name, *where)


@app.command()
def resume(
    checkpoint: Annotated[Path, typer.Argument(help="The file given as --checkpoint.")],
    more: Annotated[int | None, typer.Option(min=1, help="Steps to add at full size.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="The picture; by default next to the checkpoint.")
    ] = None,
    overwrite: Overwrite = False,
):
    """Continue a run from its checkpoint, or a finished one with --more steps."""
    go_on(checkpoint, more, out or checkpoint.with_suffix(".png"), overwrite)


@app.command()
def texture(
    styles: Annotated[list[str], typer.Argument(help="Pictures to make more of, as for `style`.")],
    out: Out = Path("outputs"),
    size: Side = None,
    steps: Steps = None,
    backbone: Backbone = None,
    tile: Tile = None,
    statistics: Statistics = None,
    tileable: Annotated[
        bool, typer.Option("--tileable", help="Make a picture that repeats without a seam.")
    ] = False,
    seed: Seed = None,
    overwrite: Overwrite = False,
    workers: Workers = 1,
    scheduler: Scheduler = None,
):
    """Make textures from noise: more of what the pictures STYLES are made of."""
    arguments = dict(backbone=backbone, tileable=tileable)
    arguments |= given(statistics=statistics and statistics.value)
    arguments |= dict(size=size, steps=steps, tile=tile or "auto", seed=seed)
    label = "tile" if tileable else "texture"
    make("texture", styles, label, out, arguments, overwrite, workers, scheduler)


@app.command()
def visualise(
    network: Annotated[str, typer.Argument(help="vgg19, vgg16, inception_v3 or squeezenet.")],
    layer: Annotated[str, typer.Argument(help="Name of the layer, such as mixed4.")],
    channel: Annotated[int, typer.Option(min=0, help="Number of its channel, from 0.")],
    out: Out = Path("outputs"),
    size: Side = None,
    steps: Steps = None,
    canvas: Annotated[Canvas, typer.Option(help="What each step changes.")] = "spectrum",
    negative: Annotated[
        bool, typer.Option("--negative", help="Show what silences the channel.")
    ] = False,
    pictures: Annotated[int, typer.Option(min=1, max=1000, help="How many, each different.")] = 1,
    tile: Tile = None,
    seed: Seed = None,
    checkpoint: Saved = None,
    overwrite: Overwrite = False,
):
    """Show what a channel of NETWORK looks for at LAYER."""
    chosen = dict(size=size, steps=steps, canvas=canvas.value, negative=negative)
    chosen |= dict(pictures=pictures, tile=tile, seed=seed, checkpoint=checkpoint)
    show_channel(network, layer, channel, out, given(**chosen), overwrite)


@app.command()
def study(
    preset: Annotated[
        Preset, typer.Option(help="quick takes 1 minute, full takes about 90 on 2 cores.")
    ] = "quick",
    out: Annotated[Path, typer.Option(help="The folder for all studies.")] = Path("outputs/study"),
    workers: Annotated[
        int | None,
        typer.Option(
            min=1, max=1000, help="Processes, up to 1 GB each; one for each core by default."
        ),
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
        own = 1 if scheduler is not None else cpu_count()
        table = run_study(chosen, out, workers or own, scheduler)
    except KeyboardInterrupt as stop:
        raise Stopped(str(stop) or "stopped") from None
    except StudyError as error:
        print(f"dreamkit: {' '.join(str(error).split())}", file=sys.stderr)
        raise typer.Exit(1) from None
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


@app.command("app")
def playground_app(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 8866,
    token: Annotated[
        str | None,
        typer.Option(help='What the address must contain; "" for nothing. By default, random.'),
    ] = None,
    runs: Annotated[
        int, typer.Option(min=1, max=64, help="Pictures made at once; others queue.")
    ] = 1,
    upload: Annotated[float, typer.Option(min=0.1, help="Largest upload, MB.")] = 20.0,
):
    """Serve the playground as a web page, on this machine unless --host says otherwise."""
    from .app import serve

    check_range("--upload", upload, 0.1, 1000.0)  # typer lets nan and inf through
    serve(host, port, token, runs, upload)


@app.command()
def doctor():
    """Show versions, hardware, weights and the profile that would be used."""
    from .doctor import examine

    print(examine())
