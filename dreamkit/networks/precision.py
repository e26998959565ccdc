"""The precision that a network computes in.  (Notebook 02.)"""

import functools
from pathlib import Path

from ..startup import keras, tf

PRECISIONS = ("auto", "float32", "bfloat16")


@functools.cache
def has_bfloat16():
    """True if the hardware supports bfloat16: recent x86 servers, NVIDIA GPUs since Ampere."""
    if gpus := tf.config.list_physical_devices("GPU"):
        details = [tf.config.experimental.get_device_details(gpu) for gpu in gpus]
        return all(gpu.get("compute_capability", (0, 0)) >= (8, 0) for gpu in details)
    try:
        flags = Path("/proc/cpuinfo").read_text().split()
    except OSError:  # not Linux
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags


def in_precision(model, precision):
    """A Keras model, or if needed a copy with the same weights, that computes in `precision`."""
    if model.layers[-1].compute_dtype == precision:
        return model
    retyped = lambda layer: layer.from_config({**layer.get_config(), "dtype": precision})  # noqa: E731
    copy = keras.models.clone_model(model, clone_function=retyped)
    copy.set_weights(model.get_weights())
    return copy
