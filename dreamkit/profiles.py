"""Profiles: networks, sizes and step counts to suit the machine.  (Notebook 00.)"""

import functools
import os
import urllib.error
import urllib.request
from dataclasses import dataclass, replace

from .arguments import kinds
from .arguments.checked import checked
from .errors import SettingsError, check_choice
from .networks import weights
from .system.console import say

STEPS = kinds.number(0, kinds.MOST_STEPS)


@checked(size=kinds.number(1, kinds.MAX_SIDE), steps=STEPS, octave_steps=STEPS)
@dataclass(frozen=True)
class Profile:
    """Networks, sizes and step counts that suit a machine.

    Attributes:
        name: `"paper"`, `"offline"`, `"quick"` or `"ci"`.
        style_backbone, dream_backbone: names of networks.
        size: longest side of pictures given by name, path or address, px; others keep theirs.
        steps: steps of a style transfer.
        octaves: number of sizes in a dream.
        octave_steps: steps of a dream at each size.
        reason: why this profile was chosen.

    Introduced in notebook 00.
    """

    name: str
    style_backbone: str
    dream_backbone: str
    size: int
    steps: int
    octaves: int
    octave_steps: int
    reason: str = "asked for"

    def __str__(self):
        return (
            f"profile {self.name}: {self.style_backbone} for style, {self.dream_backbone} for"
            f" dreams, {self.size} px ({self.reason})"
        )


PROFILES = {
    "paper": Profile("paper", "vgg19", "inception_v3", 512, 200, 4, 15),
    "offline": Profile("offline", "vgg19", "vgg19", 320, 150, 4, 15),
    "quick": Profile("quick", "squeezenet", "squeezenet", 320, 150, 4, 15),
    "ci": Profile("ci", "squeezenet", "squeezenet", 96, 5, 2, 2),
}
SIZES = (256, 320, 384, 512)  # px that auto chooses from; below them SqueezeNet paints better
FEWER_STEPS = PROFILES["offline"].steps  # where the paper's would take too long
PATIENCE = 40  # s that a style transfer may take
HOST = "https://storage.googleapis.com/tensorflow/keras-applications/"


@checked
def profile(name=None, quiet=False):
    """Choose a profile and print in one line what was chosen and why.

    Args:
        name: `"paper"` (VGG-19 and Inception v3), `"offline"` (VGG-19 for both), `"quick"`
            (SqueezeNet for both), `"ci"`, `"auto"`, or None for `$DREAMKIT_PROFILE` or auto. Auto
            chooses the best networks that are available, at the largest size at which a style
            transfer takes at most 40 s here, measured in one second. If even 256 px would take
            longer, it takes 150 steps instead of 200, and after that SqueezeNet.
        quiet: True prints nothing.

    Returns:
        A `Profile`. `$DREAMKIT_STYLE_BACKBONE`, `$DREAMKIT_DREAM_BACKBONE` and `$DREAMKIT_SIZE`
        override its networks and size.

    Raises:
        SettingsError: an unknown profile or network, or an invalid size.

    Introduced in notebook 00.

    >>> profile("ci").size
    profile ci: squeezenet for style, squeezenet for dreams, 96 px (asked for)
    96
    """
    asked = name or os.environ.get("DREAMKIT_PROFILE") or "auto"
    check_choice("profile", asked, (*PROFILES, "auto"))
    chosen = _auto() if asked == "auto" else PROFILES[asked]
    changes = _overrides()
    if changes and asked == "auto" and chosen.name != "quick":  # its time is no longer true
        names = " and ".join(f"DREAMKIT_{field.upper()}" for field in changes)
        changes["reason"] = f"what suits this machine, changed by {names}"
    chosen = replace(chosen, **changes)
    if not quiet:
        say(chosen)
    return chosen


def _overrides():
    """{field: value} of a `Profile` that the environment sets."""
    found = {}
    for field in ("style_backbone", "dream_backbone"):
        if network := os.environ.get(f"DREAMKIT_{field.upper()}"):
            check_choice(f"DREAMKIT_{field.upper()}", network, weights.NETWORKS)
            found[field] = network
    if size := os.environ.get("DREAMKIT_SIZE"):
        if not (size.isdecimal() and len(size) < 7 and int(size) > 0):
            raise SettingsError(f"DREAMKIT_SIZE cannot be {size!r}: give a number of pixels.")
        found["size"] = int(size)
    return found


def _auto():
    if not _available("vgg19"):
        reason = "VGG-19 is missing: `python -m dreamkit weights prepare` fetches it"
        return replace(PROFILES["quick"], reason=reason)
    from .networks.pace import forget_old

    chosen = PROFILES["paper" if _available("inception_v3") else "offline"]
    return _fitted(chosen) or (forget_old() and _fitted(chosen)) or _too_slow(chosen)


def _fitted(chosen):
    """A profile with as many steps and pixels as fit into 40 s; None if 256 px don't."""
    for steps in (chosen.steps, FEWER_STEPS):
        seconds = {size: _transfer_seconds(size, steps) for size in SIZES}
        if quick := [size for size in SIZES if seconds[size] <= PATIENCE]:
            reason = (
                f"a style transfer of {steps} steps takes about {seconds[quick[-1]]:.0f} s here;"
                " DREAMKIT_PROFILE and DREAMKIT_SIZE override"
            )
            return replace(chosen, size=quick[-1], steps=steps, reason=reason)
    return None


def _too_slow(chosen):
    reason = (
        f"VGG-19 would take about {_transfer_seconds(SIZES[0], FEWER_STEPS):.0f} s to paint"
        f" {SIZES[0]} px here; DREAMKIT_PROFILE={chosen.name} insists on it"
    )
    return replace(PROFILES["quick"], reason=reason)


def _transfer_seconds(size, steps):
    """How long a style transfer with VGG-19 takes here: half its steps at half the size, s."""
    from .networks.pace import step_seconds

    return steps / 2 * (step_seconds(size) + step_seconds(size / 2))


def _available(network):
    """True if a network is on the disk, or can be downloaded and a GPU makes that worthwhile."""
    return weights.available_offline(network) or (_gpu() and _connected())


def _gpu():
    from .networks.devices import gpu

    return gpu() is not None


@functools.cache
def _connected():
    """True if the weights' host answers, through a proxy where one is set, as pip would ask."""
    try:
        request = urllib.request.Request(HOST, method="HEAD")
        urllib.request.build_opener().open(request, timeout=3).close()  # with the current proxies
    except urllib.error.HTTPError:  # a refusal is an answer
        return True
    except OSError:
        return False
    return True
