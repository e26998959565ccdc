"""The precision that a network computes in.  (Notebook 03.)"""

import functools
import os

from ..errors import SettingsError
from ..startup import keras
from ..system.processor import NO_AVX512, ONEDNN_SWITCH, flags, onednn_limit, onednn_switched
from .devices import capability, gpu
from .mirrored import MirroredConv2D, mirrorable, mirroring_pays

PRECISIONS = ("auto", "float32", "bfloat16", "float16")
# Instruction sets without bfloat16, by oneDNN's names: limited to one of them, it refuses bfloat16
# or computes it by way of float32, which is slower than float32 alone.
WITHOUT_BFLOAT16 = NO_AVX512
WITHOUT_BFLOAT16 += ("AVX512_MIC", "AVX512_MIC_4OPS", "AVX512_CORE", "AVX512_CORE_VNNI")
REFUSING = ("SSE41", "AVX", "AVX2", "AVX2_VNNI")  # of these, those that refuse it


def fastest_precision():
    """`"bfloat16"`, `"float16"` or `"float32"`: the fastest that the hardware supports."""
    if has_bfloat16():
        return "bfloat16"
    return "float16" if capability() >= (7, 0) else "float32"  # since Volta, like Colab's T4


@functools.cache
def has_bfloat16():
    """True if the hardware supports bfloat16: recent x86 servers, NVIDIA GPUs since Ampere.

    On a processor, oneDNN must be free to use it: not switched off or limited to an older
    instruction set by ONEDNN_MAX_CPU_ISA.
    """
    if gpu():
        return capability() >= (8, 0)
    return bool({"avx512_bf16", "amx_bf16"} & flags()) and bfloat16_forbidden_by() is None


def bfloat16_forbidden_by():
    """The environment's setting, NAME=value, that keeps oneDNN from bfloat16, or None."""
    if onednn_switched() is False:
        return f"{ONEDNN_SWITCH}={os.environ[ONEDNN_SWITCH]}"
    name, limit = onednn_limit()
    return f"{name}={os.environ[name]}" if limit in WITHOUT_BFLOAT16 else None


def check_bfloat16():
    """Raise a `SettingsError` if oneDNN is limited to instructions for which it has no bfloat16."""
    name, _, value = (bfloat16_forbidden_by() or "").partition("=")
    if value.upper() in REFUSING and not gpu():
        raise SettingsError(
            f"precision cannot be 'bfloat16' while {name}={value} rules it out:"
            f" unset {name}, or give 'float32'."
        )


def in_precision(model, precision):
    """A Keras model, or if needed a copy with the same weights, that computes in `precision`.

    For float16, whose smallest numbers are rounded more coarsely, the weights stay float32 until
    they are used. In float32 the copy has a `MirroredConv2D` wherever that is faster.
    """
    if model.layers[-1].compute_dtype == precision:
        return _mirrored(model) if precision == "float32" and mirroring_pays() else model
    mixed = precision == "float16"

    def retyped(layer):
        is_input = isinstance(layer, keras.layers.InputLayer)
        dtype = f"mixed_{precision}" if mixed and not is_input else precision
        return layer.from_config({**layer.get_config(), "dtype": dtype})

    return _copied(model, retyped)


def _mirrored(model):
    """A copy of a Keras model with `MirroredConv2D` where it can; the model if that is nowhere."""

    def mirrored(layer):
        kind = MirroredConv2D if mirrorable(layer) else type(layer)
        return kind.from_config(layer.get_config())

    if not any(map(mirrorable, model.layers)):
        return model
    try:
        return _copied(model, mirrored)
    except (TypeError, ValueError, NotImplementedError):  # it has a layer that cannot be copied
        return model


def _copied(model, clone):
    copy = keras.models.clone_model(model, clone_function=clone)
    copy.set_weights(model.get_weights())
    return copy
