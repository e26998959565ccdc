"""Versions, hardware, weights and the profile that would be used.  (Notebook 00.)"""

import os
import platform
import subprocess
import sys
from pathlib import Path
from textwrap import indent

from ..errors import DreamkitError, SettingsError, WeightsError
from ..networks import weights
from ..profiles import profile
from ..runs.versions import DECIDING, versions
from ..system.processor import flags

PACKAGES = (*DECIDING, "pandas", "matplotlib", "jupyterlab", "ipywidgets", "nbval")


def examine():
    """A report on the machine, for bug reports too: text in several sections.

    Introduced in notebook 00.
    """
    sections = {
        "versions": versions_table(),
        "machine": machine_table(),
        "weights": weights_table(),
        "profile": _profile(),
        "notebooks": notebooks_table(),
    }
    return "\n\n".join(f"{title}\n{indent(text, '  ')}" for title, text in sections.items())


def versions_table():
    """Versions of dreamkit, Python and the packages it needs, one per line."""
    rows = versions(PACKAGES, load=True).items()
    return _table({name: found or f"missing: pip install {name}" for name, found in rows})


def machine_table():
    """CPU cores, half-precision support, GPUs and memory; why TensorFlow cannot start, if so."""
    found = _cpu_flags()
    rows = {
        "system": f"{platform.system()} ({platform.machine()})",
        "cores": str(os.cpu_count()),
        "bfloat16": _support(found, ("avx512_bf16", "amx_bf16", "bf16")),
        "float16": _support(found, ("avx512_fp16", "amx_fp16", "fphp", "asimdhp")),
        "memory": _memory(),
    }
    try:
        from ..startup import tf
    except DreamkitError as error:
        return _table(rows | {"gpu": f"unknown: {error}"})
    from ..networks.devices import device_memory
    from ..networks.precision import bfloat16_forbidden_by

    if limit := bfloat16_forbidden_by():
        rows["bfloat16"] += f", but {limit} forbids it"
    gpus = [_gpu(tf, device) for device in tf.config.get_visible_devices("GPU")]
    memory = device_memory()
    free = f", {memory.free / 2**30:.1f} GiB free" if memory.on_gpu else ""
    return _table(rows | {"gpu": ", ".join(gpus) + free if gpus else "none, using the CPU"})


def _profile():
    """The profile that would be used, or why there is none; a wrong setting is an error."""
    try:
        return str(profile(quiet=True))
    except SettingsError:
        raise
    except DreamkitError as error:  # TensorFlow cannot start
        return f"none: {error}"


def _gpu(tf, device):
    """A GPU's name and the half precisions it supports, by its CUDA compute capability."""
    details = tf.config.experimental.get_device_details(device)
    capability = details.get("compute_capability") or (0, 0)
    required = {"float16": (7, 0), "bfloat16": (8, 0)}
    halves = [name for name, minimum in required.items() if capability >= minimum]
    return f"{details.get('device_name', device.name)} ({', '.join(halves) or 'float32 only'})"


def weights_table():
    """Each network and where its weights are, or why they cannot be used.

    >>> print(weights_table().splitlines()[-1])
    squeezenet    ready  the ndf package
    """
    rows = {}
    for name in weights.NETWORKS:
        try:
            found = weights.find_weights(name)
            rows[name] = f"{'ready' if found.path else 'not here'}  {found.origin}"
        except WeightsError as error:
            rows[name] = f"unusable  {error}"
    return _table(rows)


def notebooks_table():
    """Whether the Python kernel and widgets that the notebooks need are installed."""
    prefix = Path(sys.prefix) / "share" / "jupyter"
    widgets = prefix / "labextensions" / "@jupyter-widgets" / "jupyterlab-manager"
    kernel = prefix / "kernels" / "python3"
    return _table(
        {
            "widgets": "installed" if widgets.is_dir() else "missing: pip install ipywidgets",
            "kernel": "installed" if kernel.is_dir() else "missing: pip install ipykernel",
        }
    )


def _cpu_flags():
    """The processor's feature flags, as a set of words; empty if the system doesn't list them."""
    if sys.platform == "darwin":
        run = subprocess.run(["sysctl", "-a"], capture_output=True, text=True, check=False)
        names = {"FEAT_BF16: 1": "bf16", "FEAT_FP16: 1": "fphp"}
        return {flag for line, flag in names.items() if line in run.stdout}
    return flags()


def _support(present, sufficient):
    found = [flag for flag in sufficient if flag in present]
    return f"yes ({', '.join(found)})" if found else "no" if present else "unknown"


def _memory():
    import psutil

    memory = psutil.virtual_memory()
    return f"{memory.total / 2**30:.1f} GiB, {memory.available / 2**30:.1f} free"


def _table(rows):
    width = max(map(len, rows)) + 2
    return "\n".join(f"{name:<{width}}{value}" for name, value in rows.items())
