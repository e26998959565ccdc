"""How long a picture will take: before the start, and while it walks."""

from ..commands.estimate import Estimate, estimate, measure
from ..inputs.reading import fit
from ..networks.backbone import load_backbone
from ..networks.pace import step_seconds
from ..octaves import SMALLEST_PAINTING, octave_sizes, plan

SIZES = (320, 256, 224, 192, 160, 128, 96)  # px to play at
STEP = 0.2  # s that a step of play may take, or nobody would want to move a slider
SLOW = ("vgg19", "vgg16", "inception_v3")  # networks that may be too slow for play


def own_size(networks, largest, seconds=step_seconds, own=None):
    """The size to start at with these networks, px, and why it is small, or None.

    Args:
        networks: their names.
        largest: px.
        seconds: function (size) → seconds that a step with VGG-19 takes, which stands for all.
        own: {network: the same of its own steps, where they are measured}.

    >>> own_size(["squeezenet"], 320)
    (320, None)
    >>> size, why = own_size(["vgg19"], 320, seconds=lambda size: 0.3 * (size / 192) ** 2)
    >>> size
    128
    """
    own = own or {}
    steps = {name: own.get(name, seconds) for name in networks if name in SLOW}
    slow = max(steps, key=lambda name: steps[name](largest), default=None)
    if slow is None or steps[slow](largest) <= STEP:
        return largest, None
    at_most = [size for size in SIZES if size <= largest]
    quick = (size for size in at_most if steps[slow](size) <= STEP)
    size = next(quick, min(at_most, default=largest))
    theirs = slow == "vgg19" or slow in own
    also = "" if theirs else f", and of {slow} perhaps as long"
    why = (
        f"A step of {slow if theirs else 'vgg19'} takes about {steps[slow](largest):.1f} s at"
        f" {largest} px on this machine{also}, so the size starts at {size} px: move Size for more."
    )
    return size, why if size < largest else None


def stages(make, values, size, networks):
    """{phase: (steps, pixels of a step)} of a run, as its recipe will plan it.

    Args:
        make: a `Make`.
        values: {argument: value}.
        size: (height, width) of the picture, px.
        networks: {argument that names a network: `Backbone`}.
    """
    dreamer = networks.get("dream_backbone") or networks.get("backbone")
    least = max(map(dreamer.smallest, dreamer.architecture.dream_layers))
    steps, octaves = values["steps"], values.get("octaves", 2)

    def dream(steps):
        return plan("octave", octave_sizes(size, octaves, smallest=least), steps, shared=False)

    def paint(name, scale, octaves, smallest=SMALLEST_PAINTING):
        return plan(name, octave_sizes(size, octaves, scale, smallest), steps, shared=True)

    def both():
        if values["order"] == "joint":
            return paint("joint", 1.4, octaves)
        first, second = paint("style", 2, 2), dream(values["octave_steps"])
        return [*first, *second] if values["order"] == "style-dream" else [*second, *first]

    planned = {
        "style_transfer": lambda: paint("style", 2, octaves),
        "texture": lambda: paint("texture", 2, octaves, 32),
        "deep_dream": lambda: dream(steps),
        "visualise": lambda: plan("picture", [size], steps, shared=False),
        "dream_style": both,
    }[make.recipe]()
    return {stage.phase: (stage.steps, stage.size[0] * stage.size[1]) for stage in planned}


class Progress:
    """How much of a run is done, and how long the rest will take.

    Args:
        stages: {phase: (steps, pixels of a step)}.

    >>> progress = Progress({"octave 1/2": (10, 100), "octave 2/2": (10, 400)})
    >>> progress.done("octave 2/2", 5)
    0.6
    """

    def __init__(self, stages):
        self.stages = stages
        self.total = sum(steps * pixels for steps, pixels in stages.values()) or 1

    def done(self, phase, step):
        """The part of the work that is done after `step` steps of a phase; None if unknown."""
        work = 0
        for name, (steps, pixels) in self.stages.items():
            if name == phase:
                return min(1.0, (work + step * pixels) / self.total)
            work += steps * pixels
        return None

    def left(self, phase, step, moving):
        """Seconds that are left, judged by those spent walking; None if it is too early to say."""
        done = self.done(phase, step)
        return moving * (1 - done) / done if done and moving > 0 else None


class Paces:
    """What steps cost on this machine, measured once for each network."""

    def __init__(self):
        self.known = {}

    def measure(self, make, networks, size):
        """Measure what a `Make` needs to know, unless it is known."""
        for recipe, network in parts(make, networks):
            if (recipe, network.name) not in self.known:
                self.known[recipe, network.name] = measure(recipe, network, size)

    def seconds(self, make, networks):
        """{network: function (size) → seconds of a step}, of those that have been measured."""
        found = {}
        for recipe, network in parts(make, networks):
            if pace := self.known.get((recipe, network.name)):
                found.setdefault(network.name, lambda size, pace=pace: pace[0] + pace[1] * size**2)
        return found

    def estimate(self, make, values, size, networks):
        """The `Estimate` of a call, or None if it has not been measured."""
        found = []
        for recipe, network in parts(make, networks):
            pace = self.known.get((recipe, network.name))
            if pace is None:
                return None
            steps, octaves = values["steps"], values.get("octaves")
            if recipe == "dream" and values.get("order") == "joint":
                steps = max(1, steps // octaves)  # it shares the steps of the style
            elif recipe == "dream":
                steps = values.get("octave_steps", steps)
            elif "order" in values and values["order"] != "joint":
                octaves = 2
            if make.recipe == "visualise":
                octaves = 1
            found.append(estimate(recipe, size, network, max(1, steps), octaves=octaves, pace=pace))
        largest = max(found, key=lambda each: each.gib)
        seconds = sum(each.seconds for each in found)
        return Estimate(seconds, largest.gib, largest.tile, largest.free, largest.on_gpu)


def parts(make, networks):
    """[("style" or "dream", `Backbone`)]: what a step of a `Make` is made of."""
    if make.recipe == "dream_style":
        return [("style", networks["style_backbone"]), ("dream", networks["dream_backbone"])]
    recipe = "style" if make.recipe in ("style_transfer", "texture") else "dream"
    return [(recipe, networks["backbone"])]


def loaded(names):
    """{argument: `Backbone` in its quickest precision} from {argument: network's name}."""
    return {key: load_backbone(name).with_precision("auto") for key, name in names.items()}


def picture_size(shape, size):
    """(height, width) of a picture of `shape` whose longest side is `size`."""
    return tuple(fit(*shape[:2], size))


def in_words(seconds):
    """A time as people say it.

    >>> in_words(4), in_words(75), in_words(400)
    ('4 s', '1 min 15 s', '7 min')
    """
    if seconds < 60:
        return f"{max(1, round(seconds))} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if seconds < 180 else f"{round(seconds / 60)} min"
