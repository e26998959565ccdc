"""Loads mutated weights: python mutated_weights.py FOLDER FIRST LAST; prints a JSON line for each.

In a process of its own, so that its memory can be measured and a crash is noticed.
"""

import json
import re
import sys
import time
from pathlib import Path

import h5py
import numpy as np

from dreamkit.errors import WeightsError
from dreamkit.networks.loading import load_weights
from dreamkit.startup import keras

LENGTHS = (0, 1, 2**31, 2**40, 2**62)


def network():
    """Two tiny layers with weights of a fixed seed."""
    keras.utils.set_random_seed(1)
    layers = [keras.layers.Conv2D(4, 3, name=f"block1_conv{number}") for number in (1, 2)]
    return keras.Sequential([keras.Input((None, None, 3)), *layers], name="tiny")


def write_originals(model, folder):
    """The network's weights in Keras 3's layout and in that of Keras Applications."""
    model.save_weights(folder / "tiny.weights.h5")
    with h5py.File(folder / "official.h5", "w") as file:
        file.attrs["layer_names"] = [layer.name for layer in model.layers]
        for layer in model.layers:
            group = file.create_group(layer.name)
            group.attrs["weight_names"] = [f"{layer.name}/{v.name}:0" for v in layer.weights]
            for variable in layer.weights:
                group[f"{layer.name}/{variable.name}:0"] = variable.numpy()
    return [folder / "tiny.weights.h5", folder / "official.h5"]


def mutated(content, rng):
    """The bytes with one to three things wrong."""
    damaged = bytearray(content)
    for _ in range(rng.integers(1, 4)):
        place = int(rng.integers(len(damaged)))
        match rng.integers(6):
            case 0:
                damaged[place] ^= 1 << rng.integers(8)
            case 1:  # lengths and offsets have 8 bytes
                damaged[place : place + 8] = int(rng.choice([0, 1, 2**31, 2**40, 2**63])).to_bytes(
                    8, "little"
                )
            case 2:
                damaged = damaged[: place + 1]
            case 3:
                damaged[place : place + 40] = rng.bytes(40)
            case 4:
                del damaged[place : place + int(rng.integers(1, 40))]
            case 5:
                damaged[place:place] = rng.bytes(int(rng.integers(1, 40)))
        damaged = damaged or bytearray(b"\0")
    return bytes(damaged)


def peak_kilobytes():
    """The most memory this process has held; `ru_maxrss` would count its parent's."""
    return int(re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())[1])


def outcome(model, path):
    """What became of a file: refused, or loaded, which only finite numbers are."""
    try:
        load_weights(model, path)
    except WeightsError as error:
        return f"refused: {error}"
    return "loaded" if all(np.isfinite(array).all() for array in model.get_weights()) else "NaN"


def main(folder, first, last):
    model = network()
    originals = write_originals(model, folder)
    contents = [path.read_bytes() for path in originals]
    for number in range(first, last):
        rng = np.random.default_rng(number)
        path = folder / f"mutated-{originals[number % 2].name}"
        path.write_bytes(mutated(contents[number % 2], rng))
        print(json.dumps(dict(number=number)), flush=True)  # in case it crashes
        started = time.perf_counter()
        try:
            result = outcome(model, path)
        except Exception as error:
            result = f"{type(error).__name__}: {error}"
        seconds = time.perf_counter() - started
        print(
            json.dumps(
                dict(number=number, result=result, seconds=seconds, kilobytes=peak_kilobytes())
            ),
            flush=True,
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:]))
