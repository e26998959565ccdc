"""What the study compares, stated before there is a result.  (Notebook 06.)"""

import os
from dataclasses import asdict, dataclass, replace
from itertools import product

from ..errors import check_choice
from ..networks.weights import available_offline
from .cells import Cell, digest_of
from .distortions import DISTORTIONS

VARIANTS = {  # how each differs from the base
    "second style": "another style picture",
    "raw descent": "the paper's loss is minimised",
    "noise start": "the start is noise, with another seed",
    "style distorted": "the style picture is distorted, not the content",
}
PHOTOS = (
    *("astronaut", "chelsea", "coffee", "rocket", "hubble_deep_field", "retina"),
    *("immunohistochemistry", "camera", "china", "flower"),
)
STYLES = (
    *("night_flow", "mosaic", "woodcut_wave", "pointillism"),
    *("watercolour", "geometric", "stained_glass", "oil_autumn"),
)
SCENES = tuple(f"scene-{level / 5:.2f}" for level in range(6))


@dataclass(frozen=True)
class Design:
    """What a study compares, stated before there is a result.

    Attributes:
        name: part of the folder's name; no result depends on it.
        pictures: photos' names, and `"scene-0.40"` for a scene with that clutter.
        style: the style sample, except in the variant "second style".
        second_style: the style sample of that variant.
        kinds: keys of `DISTORTIONS`.
        severities: of each kind, above 0 up to 1; the clear picture is always included.
        style_networks, dream_networks: networks' names, for each recipe.
        size: side of all pictures, which are square, px.
        steps: of a style transfer.
        dream_octaves, dream_steps: how many sizes a dream works at, and the steps at each.
        variants: keys of `VARIANTS`; each changes one factor of the base, at the highest severity.
        variant_pictures, variant_kinds: pictures and kinds of the variants. 10 pictures and 5
            kinds can reach significance; 6 pictures and 11 kinds, after correction, cannot.
        distorted_styles: style samples of "style distorted". Its only content picture is the first
            of the variants' pictures, as the style pictures are the sample here.
        variant_network: the variants' network.
        seeds: of runs and distortions; each one repeats everything.

    Introduced in notebook 06.
    """

    name: str
    pictures: tuple
    style: str = "night_flow"
    second_style: str = "mosaic"
    kinds: tuple = tuple(DISTORTIONS)
    severities: tuple = (1.0,)
    style_networks: tuple = ("squeezenet",)
    dream_networks: tuple = ("squeezenet",)
    size: int = 96
    steps: int = 25
    dream_octaves: int = 2
    dream_steps: int = 5
    variants: tuple = ()
    variant_pictures: tuple = ()
    variant_kinds: tuple = tuple(DISTORTIONS)
    distorted_styles: tuple = ("night_flow",)
    variant_network: str = "squeezenet"
    seeds: tuple = (0,)

    def __post_init__(self):
        for kind in (*self.kinds, *self.variant_kinds):
            check_choice("A distortion of the study", kind, DISTORTIONS)
        for variant in self.variants:
            check_choice("A variant of the study", variant, VARIANTS)

    @property
    def digest(self):
        """12 hexadecimal digits: any change to the design, except of its name, gives others."""
        return digest_of({**asdict(self), "name": ""})


PRESETS = {
    "quick": Design("quick", ("astronaut", "chelsea", "coffee", "rocket", "scene-0.40")),
    "full": Design(
        "full",
        PHOTOS + SCENES,
        severities=(0.5, 1.0),
        style_networks=("squeezenet", "vgg19", "vgg16"),
        dream_networks=("squeezenet", "inception_v3"),
        size=112,
        dream_steps=10,
        variants=tuple(VARIANTS),
        variant_pictures=("chelsea", *(name for name in PHOTOS if name != "chelsea")),
        variant_kinds=("blur", "noise", "low_contrast", "lines", "mixed"),
        distorted_styles=STYLES,
        variant_network="vgg19",
    ),
}


def design(preset="quick", quiet=False):
    """A preset's `Design`, with only the networks whose weights are available offline.

    Args:
        preset: `"quick"` (SqueezeNet, under two minutes; smaller still under
            DREAMKIT_PROFILE=ci) or `"full"` (also Inception v3, and VGG-19 or, if that is
            missing, VGG-16).
        quiet: True does not print which networks are used and which are left out.

    Raises `SettingsError` if there is no such preset. Introduced in notebook 06.

    >>> design("quick", quiet=True).style_networks
    ('squeezenet',)
    """
    check_choice("preset", preset, PRESETS)
    chosen = PRESETS[preset]
    if preset == "quick" and os.environ.get("DREAMKIT_PROFILE") == "ci":
        few = dict(pictures=("chelsea", "scene-0.40"), kinds=("blur", "noise", "lines", "mixed"))
        return replace(chosen, **few, steps=5, dream_steps=2)
    wanted = dict.fromkeys((*chosen.style_networks, *chosen.dream_networks))
    used = [network for network in wanted if available_offline(network)]
    if "vgg19" in used and "vgg16" in used:  # one VGG is enough
        used.remove("vgg16")
    if not quiet and (missing := [network for network in wanted if network not in used]):
        print(f"study {preset}: {', '.join(used)}; left out: {', '.join(missing)}")
    styles = tuple(network for network in chosen.style_networks if network in used)
    dreams = tuple(network for network in chosen.dream_networks if network in used)
    return replace(chosen, style_networks=styles, dream_networks=dreams, variant_network=styles[-1])


def cells(design):
    """A `Design`'s cells, a list: picture by picture, each clear cell before its distorted ones.

    Introduced in notebook 06.

    >>> len(cells(PRESETS["quick"])) == 5 * 2 * 12
    True
    """
    return [
        cell
        for picture, seed in product(design.pictures, design.seeds)
        for changes in (*_base(design), *_variants(design, picture))
        for cell in _clear_and_distorted(design, picture, seed, **changes)
    ]


def _base(design):
    """What sets each network's cells apart."""
    dream = dict(recipe="dream", style="", steps=design.dream_steps, octaves=design.dream_octaves)
    yield from (dict(network=network) for network in design.style_networks)
    yield from (dict(network=network, **dream) for network in design.dream_networks)


def _variants(design, picture):
    """What sets the cells of a picture's variants apart."""
    for variant in design.variants if picture in design.variant_pictures else ():
        if variant == "second style":
            yield dict(variant=variant, style=design.second_style)
        elif variant != "style distorted":
            yield dict(variant=variant)
        elif picture == design.variant_pictures[0]:
            for style in design.distorted_styles:
                yield dict(variant=variant, role="style", style=style)


def _clear_and_distorted(design, picture, seed, **changes):
    """One clear cell and all distorted ones that are equal to it in everything else."""
    kinds, severities = design.kinds, design.severities
    shared = dict(recipe="style", variant="base", role="content", style=design.style, octaves=1)
    shared |= dict(picture=picture, seed=seed, size=design.size, steps=design.steps)
    if "variant" in changes:
        kinds, severities = design.variant_kinds, [max(severities)]
        shared["network"] = design.variant_network
        shared["seed"] += changes["variant"] == "noise start"
    shared |= changes
    yield Cell(kind="clear", severity=0.0, **shared)
    for kind, severity in product(kinds, severities):
        yield Cell(kind=kind, severity=float(severity), **shared)
