"""Where TensorFlow computes, and how much memory is free there.  (Notebook 00.)

Written without access to a GPU: its tests use stand-ins for TensorFlow's and the driver's answers.
"""

import contextlib
import os
import subprocess
from typing import NamedTuple

import psutil

from ..startup import tf

UNGROWN = 0.9  # share of a card that TensorFlow takes at once unless its memory grows


class Memory(NamedTuple):
    """The memory where TensorFlow computes, bytes.

    Attributes:
        free: what this process can still take.
        used: what it has taken.
        peak: the most it has taken so far on a GPU; 0 on the CPU, see `peak_memory`.
        on_gpu: True if it is a GPU's.
    """

    free: int
    used: int
    peak: int = 0
    on_gpu: bool = False


def device_memory():
    """The `Memory` of the GPU that TensorFlow computes on, or the main memory if there is none.

    The main memory is also the answer for a GPU whose driver does not say how much it has, as on
    Apple silicon, where the two are one.
    """
    device = gpu()
    card = device and card_memory(details(device).get("device_name", ""))
    if card:
        with contextlib.suppress(ValueError, RuntimeError):  # no statistics for this device
            return _of_card(device, *card)
    return Memory(psutil.virtual_memory().available, psutil.Process().memory_info().rss)


def gpu():
    """The GPU that TensorFlow computes on, the first that it may see; None without one."""
    gpus = tf.config.get_visible_devices("GPU")
    return gpus[0] if gpus else None


def details(device):
    """{"device_name": …, "compute_capability": (major, minor)}, as far as they are known."""
    return tf.config.experimental.get_device_details(device)


def capability():
    """The GPU's CUDA compute capability, (major, minor); (0, 0) without one."""
    device = gpu()
    return details(device).get("compute_capability") or (0, 0) if device else (0, 0)


def card_memory(name):
    """(total, free) bytes of the NVIDIA card of this name, or None if its driver does not answer.

    Of several cards with the same name, the one with the least free memory counts.
    """
    fields = "--query-gpu=name,memory.total,memory.free"
    command = ["nvidia-smi", fields, "--format=csv,noheader,nounits"]
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
        rows = [line.rsplit(",", 2) for line in run.stdout.splitlines()]
        cards = [(int(t) << 20, int(f) << 20) for card, t, f in rows if card.strip() == name]
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    return min(cards, key=lambda card: card[1], default=None)


def _of_card(device, total, free):
    """The `Memory` of a card of which `total` bytes exist and `free` are not in use."""
    taken = tf.config.experimental.get_memory_info("GPU:0")
    used, peak = taken["current"], taken["peak"]
    if _grows(device):  # TensorFlow keeps the memory it once took, and reuses it
        free += peak - used
    else:
        free = UNGROWN * total - used
    for logical in tf.config.get_logical_device_configuration(device) or ():
        if logical.memory_limit:
            free = min(free, logical.memory_limit * 2**20 - used)
            break
    return Memory(max(0, int(free)), used, peak, on_gpu=True)


def _grows(device):
    """True if TensorFlow takes this GPU's memory only as it needs it."""
    forced = os.environ.get("TF_FORCE_GPU_ALLOW_GROWTH")
    return forced == "true" or (
        forced != "false" and bool(tf.config.experimental.get_memory_growth(device))
    )
