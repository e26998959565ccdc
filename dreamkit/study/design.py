"""What the study compares, stated before there is a result.  (Notebook 05.)"""

import os
from dataclasses import asdict, dataclass, replace

from ..errors import check_choice
from .cells import Cell, digest_of
from .distortions import DISTORTIONS

VARIANTS = {  # what differs from the base
    "second style": "another style picture",
    "raw descent": "the paper's loss is descended",
    "noise start": "the start is noise, and seeds are others",
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
        name: part of the folder's name; decides nothing.
        pictures: photos' names, and `"scene-0.40"` for a scene of that clutter.
        style: the style sample of all but the variant "second style".
        second_style: that of the variant.
        kinds: keys of `DISTORTIONS`.
        severities: of each kind, above 0 to 1; the clear picture goes with them by itself.
        style_networks, dream_networks: networks' names, for each recipe.
        size: side of the square pictures, px.
        steps: of a style transfer.
        dream_octaves, dream_steps: sizes a dream goes through, steps at each.
        variants: keys of `VARIANTS`: one factor differs from the base, at the highest severity.
        variant_pictures, variant_kinds: pictures and kinds of the variants. With 10 pictures and
            5 kinds a test can tell; with 6 and 11, corrected for their number, none could.
        distorted_styles: style samples of "style distorted"; the content is the first of the
            variants' pictures, as here the style picture is what is sampled.
        variant_network: their network.
        seeds: of runs and distortions; each repeats everything.

    Introduced in notebook 05.
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
        """12 hexadecimal digits that differ wherever the table would."""
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
        steps=25,
        dream_steps=10,
        variants=tuple(VARIANTS),
        variant_pictures=("chelsea", *(name for name in PHOTOS if name != "chelsea")),
        variant_kinds=("blur", "noise", "low_contrast", "lines", "mixed"),
        distorted_styles=STYLES,
        variant_network="vgg19",
    ),
}


CI = dict(
    pictures=("chelsea", "scene-0.40"),
    kinds=("blur", "noise", "lines", "mixed"),
    steps=5,
    dream_steps=2,
)


def design(preset="quick", quiet=False):
    """Settle a preset: of its networks, those whose weights are at hand.

    Args:
        preset: `"quick"` (SqueezeNet, under two minutes; smaller still under
            DREAMKIT_PROFILE=ci) or `"full"` (VGG-19 or, where it is missing, VGG-16, and
            Inception v3 too).
        quiet: True does not tell which networks are in and which are left out.

    Returns:
        A `Design`.

    Raises:
        SettingsError: no preset is called that.

    Introduced in notebook 05.

    >>> design("quick", quiet=True).style_networks
    ('squeezenet',)
    """
    from ..networks.weights import available_offline

    check_choice("preset", preset, PRESETS)
    chosen = PRESETS[preset]
    if preset == "quick" and os.environ.get("DREAMKIT_PROFILE") == "ci":
        return replace(chosen, **CI)
    asked = dict.fromkeys((*chosen.style_networks, *chosen.dream_networks))
    found = [network for network in asked if available_offline(network)]
    if "vgg19" in found and "vgg16" in found:  # one of the two does
        found.remove("vgg16")
    if missing := [network for network in asked if network not in found and not quiet]:
        print(f"study {preset}: {', '.join(found)}; left out: {', '.join(missing)}")
    styles = tuple(network for network in chosen.style_networks if network in found)
    return replace(
        chosen,
        style_networks=styles,
        dream_networks=tuple(network for network in chosen.dream_networks if network in found),
        variant_network=styles[-1],
    )


def cells(design):
    """All cells of a design, picture by picture, each clear one before what is paired with it.

    Args:
        design: a `Design`.

    Returns:
        List of `Cell`.

    Introduced in notebook 05.

    >>> len(cells(PRESETS["quick"])) == 5 * 2 * 12
    True
    """
    found = []
    for picture in design.pictures:
        for seed in design.seeds:
            found += _base(design, picture, seed)
            if picture in design.variant_pictures:
                found += _variants(design, picture, seed)
    return found


def _base(design, picture, seed):
    for network in design.style_networks:
        yield from _treated(design, picture, seed, network=network)
    for network in design.dream_networks:
        yield from _treated(
            design,
            picture,
            seed,
            recipe="dream",
            network=network,
            style="",
            steps=design.dream_steps,
            octaves=design.dream_octaves,
        )


def _variants(design, picture, seed):
    shared = dict(network=design.variant_network, kinds=design.variant_kinds)
    severity = max(design.severities)
    differs = {
        "second style": dict(style=design.second_style),
        "raw descent": {},
        "noise start": {},
    }
    for variant in design.variants:
        if variant != "style distorted":
            other_seed = seed + 1 if variant == "noise start" else seed
            options = dict(variant=variant, **differs[variant], **shared)
            yield from _treated(design, picture, other_seed, severity, **options)
        elif picture == design.variant_pictures[0]:
            for style in design.distorted_styles:
                options = dict(variant=variant, role="style", style=style, **shared)
                yield from _treated(design, picture, seed, severity, **options)


def _treated(design, picture, seed, *severities, kinds=None, **options):
    """The clear cell and all distorted ones that are the same in everything else."""
    shared = dict(recipe="style", variant="base", role="content", style=design.style, octaves=1)
    shared |= dict(picture=picture, seed=seed, size=design.size, steps=design.steps) | options
    yield Cell(kind="clear", severity=0.0, **shared)
    for kind in kinds or design.kinds:
        for severity in severities or design.severities:
            yield Cell(kind=kind, severity=float(severity), **shared)
