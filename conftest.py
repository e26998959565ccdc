"""Set-up that the tests, the doctests and the notebooks share."""

import os

import pytest

os.environ.setdefault("DREAMKIT_PROFILE", "ci")
os.environ.setdefault("TQDM_DISABLE", "1")
os.environ.setdefault("MPLBACKEND", "agg")

if "PYTEST_XDIST_WORKER" in os.environ:  # a process for each core, so one thread for each process
    for library in ("TF_NUM_INTRAOP", "TF_NUM_INTEROP", "OPENBLAS_NUM"):
        os.environ.setdefault(f"{library}_THREADS", "1")


@pytest.fixture(autouse=True, scope="session")
def _loaded():
    """SqueezeNet tells where its weights are from once; here it has told before any example."""
    import dreamkit as dk

    dk.load_backbone("squeezenet")
