"""python -m benchmarks [--quick]: every figure that dreamkit claims, as ratios within one run.

python -m benchmarks --goals runs what takes longer than all the rest, above all the other programs
to their ends, and records the losses in goals.json; what is recorded there already is left out.

After each part `results.md` and `results.png` next to this file are written again, so a run that is
stopped keeps what it has.
"""

import itertools
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np

from dreamkit import Dream, deep_dream, load_image, objectives, profile, style_transfer
from dreamkit.controls.paintings import style_objective
from dreamkit.controls.quality import choice
from dreamkit.large.memory import fit_to_memory
from dreamkit.large.spectral_lbfgs import MOST
from dreamkit.networks.mirrored import mirroring_pays
from dreamkit.networks.precision import fastest_precision, has_bfloat16
from dreamkit.networks.weights import available_offline
from dreamkit.octaves import octave_sizes, share_steps
from dreamkit.recipes import WEIGHTS
from dreamkit.startup import tf
from dreamkit.system.processor import ONEDNN_SWITCH

from . import memory, pastiche_lbfgs, torch_lbfgs, tutorial_dream, tutorial_style
from . import play as playing
from .bare_pass import bare_pass
from .contest import pictures, steps_to, walk
from .goals import EVERY, noted, noting, run, saved
from .machine import processor, versions
from .networks import network

HERE = Path(__file__).parent
QUICK = "--quick" in sys.argv
ROWS, CURVES, SIZES = [], {}, {}
SIDES = (256, 512, 1024) if QUICK else (256, 512, 1024, 2048, 4096)
INSTALL = "run `pip install -r benchmarks/requirements.txt`"
NO_HALF = 'this machine computes in float32, with "auto" too'
RUN_GOALS = "run `python -m benchmarks --goals`"
TUTORIAL_SIZES, TUTORIAL_STEPS = (128, 256, 512), 500
LARGEST_TORCH, TORCH_EVALUATIONS = 256, 200
PASTICHE_SIZES, PASTICHE_STEPS = (256, 512), (300, 1000)
OURS = dict(octaves=2, optimizer="spectral", **pastiche_lbfgs.OBJECTIVE)
# A half of them at half size, the others at full size, where a run ends when it reaches the loss.
OUR_STEPS = {300: 240, 1000: 1200}
SHORT = 2 * MOST + 40  # steps of a run that is only timed; in the last, L-BFGS has all its pairs
TUTORIAL = dict(
    octaves=1,
    formula="tutorial",
    content_weight=1e4,
    style_weight=1e-2,
    tv_weight=30,
    content_layers=(tutorial_style.CONTENT,),
    style_layers=tutorial_style.STYLE,
)


def row(what, target, value, figure):
    """Record a figure; `target` is the largest value allowed, None if there is none."""
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
    """How long until there is something to see?"""
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


def play():
    """How soon does the playground show a change after *Run*?"""
    for name, label, target in (
        ("quick", "SqueezeNet", 2),
        ("offline", "VGG-19 at its own size", 4),
    ):
        what = f"first change in the playground, {label}, s"
        if not available_offline(profile(name, quiet=True).style_backbone):
            skip(what, "its weights are not available")
            continue
        found = playing.measure(name)
        row(what, target, found["seconds"], f"{found['seconds']:.1f} at {found['size']} px")


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
        return skip("pictures in both precisions", "VGG-19's weights are not available")
    if fastest_precision() == "float32":
        return skip("pictures in both precisions", NO_HALF)
    same_picture(exact, weights)


def convolutions():
    """Mirrored convolutions against TensorFlow's own, each in its own process."""
    what = "step with mirrored convolutions over TensorFlow's own"
    if not mirroring_pays():
        return skip(what, "they are for processors with AVX2 but no AVX-512")
    for kind, size, name in (
        ("style", 256, "vgg19"),
        ("style", 1024, "vgg19"),
        ("style", 256, "squeezenet"),
        ("dream", 512, "inception_v3"),
    ):
        if not available_offline(name):
            skip(f"{what}, {name}", "its weights are not available")
        elif not (QUICK and size > 512):
            ours, theirs = [], []
            for _ in range(1 if QUICK or size > 512 else 3):
                ours.append(memory.measure(kind, size, name))
                theirs.append(memory.measure(kind, size, name, {ONEDNN_SWITCH: "0"}))
            seconds = ([found["seconds"] for found in side] for side in (ours, theirs))
            ratio_row(f"{what}, {kind}, {name}, {size} px", 0.75, *seconds)
            mine, other = ours[-1]["gib"], theirs[-1]["gib"]
            row("… its peak memory, GiB", None, mine, f"{mine:.2f}, TensorFlow's {other:.2f}")


def same_picture(exact, weights):
    """Do both precisions make one picture, and does one precision, of a photo and a near copy?"""
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
    content_layers, style_layers, _ = choice("best", exact)  # what the pictures descended
    judge = style_objective(photo, painting, exact, weights, content_layers, style_layers)
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
    """Estimates and measurements; how the cost grows; how much memory the largest pictures take."""
    for kind, name in (("style", "vgg19"), ("dream", "inception_v3")):
        if not available_offline(name):
            skip(f"sizes, {kind}", f"{name}'s weights are not available")
            continue
        sides = SIDES[:2] if QUICK and kind == "dream" else SIDES
        taken = {side: memory.measure(kind, side, name) for side in sides}
        SIZES[kind] = {side: found["seconds"] for side, found in taken.items()}
        for side in sides[:3]:
            measured, estimated = taken[side], taken[side]["estimate"]
            for what, unit in (("seconds", "s"), ("gib", "GiB")):
                off = abs(estimated[what] / measured[what] - 1)
                figure = f"{estimated[what]:.2f} {unit} estimated, {measured[what]:.2f} measured"
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


def against_the_tutorial(size):
    """Our time to the losses of the tutorial and of PyTorch, by the tutorial's loss in float32."""
    backbone, (photo, painting) = network("vgg19"), pictures(size)
    exact = backbone.with_precision("float32").model
    if not goal(tutorial_label(size), TUTORIAL_STEPS):
        return skip(f"time to {tutorial_label(size)}", RUN_GOALS)
    tutorial = tutorial_style.Program(exact, photo, painting)
    contests = [(tutorial_label(size), 1 / 5, tutorial.step, TUTORIAL_STEPS)]
    if size <= LARGEST_TORCH:
        try:
            step = torch_lbfgs.Program(exact, photo, painting).evaluate
            contests.append((torch_label(size), 1 / 3, step, TORCH_EVALUATIONS))
        except ModuleNotFoundError:
            skip(f"time to {torch_label(size)}", INSTALL)
    rivals = {label: step for label, _, step, _ in contests}
    ours = walk(photo, painting, backbone, tutorial.loss, rivals, steps=205, **TUTORIAL)
    for label, target, _, steps in contests:
        compare(label, target, ours, steps)
    show(f"the tutorial's objective, {size} px", {"dreamkit": ours})


def against_pastiche(size):
    """Our time to pastiche's losses, by its own loss function, in both precisions."""
    label, walks = pastiche_label(size), {}
    photo, painting = pictures(size)
    try:
        pastiche = pastiche_lbfgs.Program(photo, painting)
    except ModuleNotFoundError:
        return skip(f"time to {label}", INSTALL)
    contest = photo, painting, network("vgg19"), pastiche.loss, {label: pastiche.step}
    if fastest_precision() == "float32":
        skip(f"time to {label}, bfloat16", NO_HALF)
    for precision in precisions():
        options, timed = OURS | dict(precision=precision), None
        target = 1 / 1.5 if precision == "float32" else 1 / 3
        for steps in PASTICHE_STEPS[:1] if QUICK else PASTICHE_STEPS:
            own = own_label(size, steps, precision)
            if not goal(label, steps):
                skip(f"time to {label} after {steps} steps, {precision}", RUN_GOALS)
                continue
            if not takes_long(size, steps, precision):
                ours = walk(*contest, steps=OUR_STEPS[steps], goal=goal(label, steps), **options)
            else:  # the steps are recorded, so a short run that times them will do
                timed = timed or walk(*contest, steps=SHORT, **options)
                counts = share_steps(OUR_STEPS[steps], OURS["octaves"])
                ours = timed._replace(counts=counts, losses=noted(own))
            compare(label, target, ours, steps, f", {precision}")
            if file := saved(label, steps):
                how = f", {precision}, for the picture that it saves"
                compare(label, None, ours, steps, how, file)
            walks[own] = ours
    show(f"pastiche's objective, {size} px", walks)


def compare(label, target, ours, steps, how="", loss=None):
    """Our time to the loss that another program has after so many steps, over its time."""
    what, needed = f"time to {label} after {steps} steps{how}", steps * ours.rivals[label]
    loss = goal(label, steps) if loss is None else loss
    own = steps_to(ours.losses, loss)
    if not (loss and ours.losses):
        skip(what, RUN_GOALS)
    elif own is None:
        row(what, target, np.inf, f"not reached: {ours.losses[-1] / loss:.3f} of it")
    else:
        ratio, counts = ours.seconds_to(own) / needed, [*ours.counts[:-1], own]
        took = f"{ours.seconds_to(own):.0f} of {needed:.0f} s"
        figure = f"{ratio:.3f} ({took}; {' + '.join(map(str, counts))} of our steps)"
        row(what, target, ratio, figure)


def show(title, walks):
    """Add a plot of our runs and of the recorded losses of the others, over time."""
    if not walks:
        return
    curves = {}
    for name, ours in walks.items():
        steps = range(0, EVERY * len(ours.losses), EVERY)
        curves[name] = [(ours.seconds_to(n), x) for n, x in zip(steps, ours.losses, strict=True)]
        for label, step in ours.rivals.items():
            curves[label] = [(n * EVERY * step, x) for n, x in enumerate(noted(label))]
    lowest = min(x for curve in curves.values() for _, x in curve)
    CURVES[title] = {name: [(s, x) for s, x in curve if x < 30 * lowest]
                     for name, curve in curves.items() if curve}  # fmt: skip
    write()


def goal(label, steps):
    """The recorded loss of another program after so many steps; 0 if there is none."""
    return (noted(label)[steps // EVERY :] or [0])[0]


def precisions():
    """The precisions in which we meet pastiche: float32, and the one that "auto" would choose."""
    return dict.fromkeys([fastest_precision(), "float32"])


def takes_long(size, steps, precision):
    """True for our runs that are recorded, as those of the others are."""
    return size > 256 or (steps > 300 and precision == "float32")


def note_goals():
    """Run the others to their ends, and our long runs, and record the losses."""
    for size in PASTICHE_SIZES:
        label, contest = pastiche_label(size), pictures(size)
        if not goal(label, PASTICHE_STEPS[-1]):
            program = pastiche_lbfgs.Program(*contest)
            run(label, program, PASTICHE_STEPS[-1], "torch", "pastiche", save=PASTICHE_STEPS)
        for steps, precision in itertools.product(PASTICHE_STEPS, precisions()):
            own = own_label(size, steps, precision)
            if takes_long(size, steps, precision) and not steps_to(noted(own), goal(label, steps)):
                program, options = pastiche_lbfgs.Program(*contest), OURS | {"precision": precision}
                judge = noting(own, program.loss, "tensorflow", "keras")
                options |= dict(steps=OUR_STEPS[steps], goal=goal(label, steps))
                walk(*contest, network("vgg19"), judge, {}, **options)
    exact = network("vgg19").with_precision("float32").model
    for size in TUTORIAL_SIZES:
        contest = pictures(size)
        judge = tutorial_style.Program(exact, *contest)
        if not goal(torch_label(size), TORCH_EVALUATIONS) and size <= LARGEST_TORCH:
            loss = noting(torch_label(size), judge.loss, "torch")
            torch_lbfgs.Program(exact, *contest).run(TORCH_EVALUATIONS + 1, EVERY, loss)
        if not goal(tutorial_label(size), TUTORIAL_STEPS):
            run(tutorial_label(size), judge, TUTORIAL_STEPS, "tensorflow", "keras")


def tutorial_label(size):
    return f"the tutorial's loss, {size} px"


def torch_label(size):
    return f"PyTorch's loss, {size} px"


def pastiche_label(size):
    return f"pastiche's loss, {size} px"


def own_label(size, steps, precision):
    return f"dreamkit for pastiche's {steps} steps, {size} px, {precision}"


def write():
    """Write results.md and results.png with what there is so far."""
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
        axis.legend(loc="upper right", fontsize="small")
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
    play()
    step_cost()
    convolutions()
    dream()
    real = available_offline("vgg19")
    if real:
        against_the_tutorial(128 if QUICK else 256)
        against_pastiche(256)
        if not QUICK:
            against_pastiche(512)
            against_the_tutorial(512)
    else:
        skip("time to quality", "VGG-19's weights are not available")
    estimates_and_sizes()


if __name__ == "__main__":
    note_goals() if "--goals" in sys.argv else main()
