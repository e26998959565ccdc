"""What the processor offers; read without TensorFlow, which must be set up before it starts."""

import os
import sys
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")
ONEDNN_SWITCH = "TF_ENABLE_ONEDNN_OPTS"
NO_AVX512 = ("SSE41", "AVX", "AVX2", "AVX2_VNNI", "AVX2_VNNI_2")  # oneDNN's names


def flags():
    """All words of /proc/cpuinfo, among them the instruction sets; empty on other systems."""
    try:
        return set(CPUINFO.read_text().split())
    except OSError:
        return set()


def onednn_switched():
    """True or False if the variable `ONEDNN_SWITCH` switches oneDNN on or off; None if unset."""
    value = os.environ.get(ONEDNN_SWITCH, "").lower()
    return {"1": True, "true": True, "0": False, "false": False}.get(value)


def onednn_limit():
    """(name, value) of the variable that limits oneDNN's instructions, or ("", "ALL")."""
    for name in ("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA"):  # the first takes precedence
        if value := os.environ.get(name):
            return name, value.upper()
    return "", "ALL"


def stops_at_avx2():
    """True if oneDNN may use AVX2 here but not AVX-512."""
    present, (_, limit) = flags(), onednn_limit()
    no_avx512 = "avx512f" not in present or limit in NO_AVX512
    return "avx2" in present and no_avx512 and limit not in ("SSE41", "AVX")


def switch_on_onednn():
    """Have TensorFlow use oneDNN on processors whose best is AVX2.

    By default it does so only on those with instructions made for neural networks (VNNI and later).
    A value that is already set is left alone; once TensorFlow has been imported, setting one would
    come too late.
    """
    if "tensorflow" not in sys.modules and stops_at_avx2():
        os.environ.setdefault(ONEDNN_SWITCH, "1")
