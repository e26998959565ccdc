"""The estimate of a run's time and memory."""

import os
import time
from types import SimpleNamespace

import pytest

from dreamkit import DreamkitError, SettingsError, estimate
from dreamkit.commands import estimate as estimates


@pytest.fixture(autouse=True)
def fresh_process(monkeypatch):
    """Ignore the memory that other tests have used, and the time that other processes take."""
    monkeypatch.setattr(estimates, "peak_memory", lambda: 0)
    if os.name == "posix":  # elsewhere this clock is too coarse
        clock = SimpleNamespace(perf_counter=time.process_time)
        monkeypatch.setattr(estimates, "time", clock)


def test_memory_the_process_already_uses_counts(monkeypatch):
    monkeypatch.setattr(estimates, "peak_memory", lambda: 2**40)
    assert estimate("dream", 96, "squeezenet", steps=1, octaves=1).gib == 1024


def test_twice_the_steps_take_twice_the_time():
    one, two = (estimate("dream", 96, "squeezenet", steps=n, octaves=1) for n in (100, 200))
    assert two.seconds == pytest.approx(2 * one.seconds, rel=0.9)
    assert two.gib == pytest.approx(one.gib, rel=0.2)


def test_a_larger_picture_takes_more_time_and_memory():
    small, large = (estimate("style", size, "squeezenet", steps=10) for size in (128, 1024))
    assert large.seconds > 10 * small.seconds
    assert large.gib > small.gib


def test_bfloat16_takes_less_memory():
    exact, quick = (
        estimate("style", 1024, "squeezenet", steps=1, precision=p) for p in ("float32", "bfloat16")
    )
    assert quick.gib < exact.gib


def test_tiles_bound_the_memory():
    whole, cut = (estimate("dream", 2048, "squeezenet", steps=1, tile=t) for t in (None, 256))
    assert cut.gib < whole.gib
    assert (whole.tile, cut.tile) == (None, 256)


def test_an_estimate_is_one_line():
    line = str(estimate("dream", (64, 96), "squeezenet", steps=1, octaves=1))
    assert "GiB free, whole" in line
    assert "\n" not in line


@pytest.mark.parametrize(
    ("wrong", "culprit"),
    [
        (dict(recipe="cooking"), "recipe"),
        (dict(recipe="style", size=-1), "size"),
        (dict(recipe="dream", backbone="vgg99"), "vgg99"),
        (dict(recipe="dream", steps=-1), "steps"),
    ],
)
def test_an_invalid_setting_is_named(wrong, culprit):
    with pytest.raises((SettingsError, DreamkitError), match=culprit):
        estimate(**wrong)
