"""Profiles: networks, sizes and step counts to suit the machine.  (Notebook 00.)"""

import os
import socket
from dataclasses import dataclass, replace

from .errors import SettingsError, check_choice
from .networks import weights


@dataclass(frozen=True)
class Profile:
    """Networks, sizes and step counts that suit a machine.

    Attributes:
        name: `"paper"`, `"offline"` or `"ci"`.
        style_backbone, dream_backbone: names of networks.
        size: longest side of pictures given by name or path, px.
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
    "offline": Profile("offline", "squeezenet", "squeezenet", 320, 150, 4, 15),
    "ci": Profile("ci", "squeezenet", "squeezenet", 96, 5, 2, 2),
}


def profile(name=None, quiet=False):
    """Choose a profile and print in one line what was chosen and why.

    Args:
        name: `"paper"`, `"offline"`, `"ci"`, `"auto"`, or None for `$DREAMKIT_PROFILE` or auto.
            Auto chooses `paper` if its weights are available offline, or if there are a GPU and a
            connection; otherwise `offline`.
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
    for field in ("style_backbone", "dream_backbone"):
        if network := os.environ.get(f"DREAMKIT_{field.upper()}"):
            check_choice(f"DREAMKIT_{field.upper()}", network, weights.NETWORKS)
            chosen = replace(chosen, **{field: network})
    if size := os.environ.get("DREAMKIT_SIZE"):
        if not (size.isdigit() and int(size) > 0):
            raise SettingsError(f"DREAMKIT_SIZE cannot be {size!r}: give a number of pixels.")
        chosen = replace(chosen, size=int(size))
    if not quiet:
        print(chosen)
    return chosen


def _auto():
    paper = PROFILES["paper"]
    if all(map(weights.available_offline, (paper.style_backbone, paper.dream_backbone))):
        return replace(paper, reason="its weights are at hand")
    if not _gpu():
        return replace(PROFILES["offline"], reason="no GPU, and the paper's weights not at hand")
    if not _connected():
        return replace(PROFILES["offline"], reason="no connection to fetch the paper's weights")
    return replace(paper, reason="there are a GPU and a connection")


def _gpu():
    import tensorflow as tf

    return bool(tf.config.list_physical_devices("GPU"))


def _connected():
    try:
        socket.create_connection(("storage.googleapis.com", 443), timeout=2).close()
    except OSError:
        return False
    return True
