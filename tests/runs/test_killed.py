"""A run that is killed at any moment is resumed, and its picture is that of an undisturbed run."""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from dreamkit import resume, style_transfer
from dreamkit.runs.checkpoint import Checkpoint

ROOT = Path(__file__).parents[2]
CALL = dict(steps=40, size=64, seed=5, profile="ci", progress=False)
STARTS = f"""
import sys
from dreamkit import style_transfer
from dreamkit.runs import Checkpoint

Checkpoint.due = lambda self: True
style_transfer(
    "chelsea", "mosaic", **{CALL!r}, checkpoint=sys.argv[1],
    callback=lambda step: print(step.step, flush=True),
)
"""
CONTINUES = """
import sys
from dreamkit import resume
from dreamkit.runs import Checkpoint

Checkpoint.due = lambda self: True
resume(sys.argv[1], progress=False, callback=lambda step: print(step.step, flush=True))
"""


def run_and_kill(code, path, chosen):
    """Run code and kill it a random moment after a random step; True if it was killed in time."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", code, path]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as child:
        wait, moment = chosen.randint(1, 12), chosen.uniform(0, 0.05)
        for number, _ in enumerate(child.stdout):
            if number == wait:
                time.sleep(moment)
                child.kill()
    return child.returncode != 0


def check_killed(times, folder):
    """However often a run is killed, its checkpoint is whole, and the picture is the same."""
    path, chosen = folder / "run.npz", random.Random(times)
    killed = run_and_kill(STARTS, path, chosen)
    for _ in range(times - 1):
        assert Checkpoint(path).notes["phases"], "no checkpoint was written"
        killed += run_and_kill(CONTINUES, path, chosen)
    assert killed
    run = resume(path, progress=False)
    assert np.array_equal(run.image, style_transfer("chelsea", "mosaic", **CALL).image)
    assert list(run.history["step"]) == list(range(41))
    return killed


@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL on Windows")
def test_a_run_that_is_killed_ends_with_the_same_picture(tmp_path, tried):
    assert check_killed(1, tmp_path) == 1
    tried("runs killed by SIGKILL")


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL on Windows")
def test_runs_that_are_killed_twenty_times_end_with_the_same_picture(tmp_path, tried):
    killed = 0
    for times in (1, 2, 3, 4, 5, 5):
        (tmp_path / f"{times}{killed}").mkdir()
        killed += check_killed(times, tmp_path / f"{times}{killed}")
    assert killed >= 15, "a run killed after its end doesn't count"
    tried("runs killed by SIGKILL", killed)
