"""What the processor offers; read without TensorFlow, which must be set up before it starts."""

import os
import sys
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")
SWITCH = "TF_ENABLE_ONEDNN_OPTS"
NO_AVX512 = ("SSE41", "AVX", "AVX2", "AVX2_VNNI", "AVX2_VNNI_2")  # oneDNN's names


def flags():
    """The processor's instruction sets by Linux's names; empty on other systems."""
    try:
        return set(CPUINFO.read_text().split())
    except OSError:
        return set()


def onednn_limit():
    """(name, value) of the variable that limits oneDNN's instruction set, or None."""
    for name in ("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA"):  # the first takes precedence
        if value := os.environ.get(name):
            return name, value
    return None


def stops_at_avx2():
    """True if oneDNN may use AVX2 here but not AVX-512."""
    _, limit = onednn_limit() or ("", "ALL")
    without_avx512 = "avx512f" not in flags() or limit.upper() in NO_AVX512
    return "avx2" in flags() and without_avx512 and limit.upper() not in ("SSE41", "AVX")


def switch_on_onednn():
    """Have TensorFlow use oneDNN on a processor with AVX2 alone, unless told otherwise.

    By default it does so only on newer ones. A variable that is set is left alone, and after
    TensorFlow has been imported it is too late.
    """
    if "tensorflow" not in sys.modules and stops_at_avx2():
        os.environ.setdefault(SWITCH, "1")
