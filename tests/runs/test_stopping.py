"""A run that is stopped says where, and is made again or continued from there."""

import itertools
import json
import multiprocessing
import os
import signal
import threading

import numpy as np
import pytest

from dreamkit import (
    Dream,
    DreamkitError,
    SettingsError,
    TotalVariation,
    ascend,
    deep_dream,
    descend,
    dream_style,
    load_image,
    rerun,
    resume,
    style_transfer,
)
from dreamkit.optimize import responds
from dreamkit.runs.checkpoint import Checkpoint
from dreamkit.runs.stopping import between_steps, stop_requested

FAST = dict(profile="ci", size=48, seed=1, progress=False)
QUIET = dict(progress=False)
CALLS = {
    "style": lambda **more: style_transfer("chelsea", "mosaic", steps=3, **FAST, **more),
    "dream": lambda **more: deep_dream("chelsea", steps=2, **FAST, **more),
    "gradient": lambda **more: style_transfer(
        *("chelsea", "mosaic"), steps=3, optimizer="gradient", **FAST, **more
    ),
    "style-dream": lambda **more: dream_style(
        *("chelsea", "mosaic", "style-dream"), steps=2, octave_steps=1, **FAST, **more
    ),
    "dream-style": lambda **more: dream_style(
        *("chelsea", "mosaic", "dream-style"), steps=2, octave_steps=1, **FAST, **more
    ),
    "joint": lambda **more: dream_style(
        *("chelsea", "mosaic", "joint"), steps=3, octaves=1, **FAST, **more
    ),
}


def same(one, other):
    return np.array_equal(one.image, other.image)


def stop_after(count):
    """A callback that stops a run after `count` steps over all phases."""
    steps = itertools.count(1)
    return lambda step: next(steps) == count


def press_after(count):
    """A callback that presses Ctrl-C after `count` steps over all phases."""
    steps = itertools.count(1)

    def callback(step):
        if next(steps) == count:
            signal.raise_signal(signal.SIGINT)

    return callback


# Where it was stopped


def check_stopped(name, count, folder, stop=stop_after):
    """Stopped anywhere, a run is made again up to there and continued; False if it ended before."""
    call, path = CALLS[name], folder / f"{name}-{count}.npz"
    whole = call()
    part = call(checkpoint=path, callback=stop(count))
    if part.stopped is None:
        assert len(whole.history) < count
        return False
    reason = "callback" if stop is stop_after else "interrupted"
    last = part.history.iloc[-1]
    assert len(part.history) == count
    assert part.stopped == part.settings["stopped"] == reason
    assert part.settings["stopped_at"] == [last["phase"], last["step"]]
    saved = part.save(folder / f"{name}-{count}.png")
    again = rerun(saved, **QUIET)
    assert same(again, part)
    assert again.stopped == reason
    assert again.settings == part.settings
    resumed = resume(path, **QUIET)
    assert same(resumed, whole)
    assert resumed.stopped is None
    assert resumed.settings == whole.settings
    assert list(resumed.history["step"]) == list(whole.history["step"])
    return True


def test_a_stopped_run_is_made_again_and_continued_exactly(tmp_path, tried):
    counts = np.random.default_rng(5).permutation(4)[:2] + 1
    tried("runs stopped at a step", sum(check_stopped("style", n, tmp_path) for n in counts))


@pytest.mark.slow
@pytest.mark.parametrize("name", CALLS)
def test_a_run_stopped_at_any_step_is_made_again_and_continued_exactly(name, tmp_path, tried):
    stopped = 0
    for count in range(1, 9):
        stopped += check_stopped(name, count, tmp_path)
        stopped += check_stopped(name, count, tmp_path / "pressed", press_after)
    tried("runs stopped at a step", stopped)


def test_ctrl_c_ends_a_run_after_its_step_and_loses_nothing(tmp_path, tried):
    assert check_stopped("dream", 2, tmp_path, press_after)
    tried("runs stopped at a step")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_run_resumed_and_stopped_again_is_not_saved_as_finished(tmp_path):
    path, call = tmp_path / "run.npz", CALLS["style"]
    call(checkpoint=path, callback=stop_after(2))
    second = resume(path, callback=stop_after(2), **QUIET)
    assert second.stopped == "callback"
    saved = second.save(tmp_path / "made.png")
    noted = json.loads(saved.with_suffix(".json").read_text("utf-8"))
    assert noted["stopped"] == "callback"
    assert noted["stopped_at"] == ["style 1/1", 2]
    assert same(rerun(saved, **QUIET), second)
    assert same(resume(path, **QUIET), call())


def test_the_rest_of_a_stopped_picture_is_made_if_steps_are_given(tmp_path, capsys):
    saved = CALLS["style"](callback=stop_after(2)).save(tmp_path / "made.png")
    rerun(saved, **QUIET)
    assert "stopped at step 1 of style 1/1: it is made up to that step" in capsys.readouterr().out
    whole = rerun(saved, steps=3, **QUIET)
    assert whole.stopped is None
    assert same(whole, CALLS["style"]())


def test_old_settings_without_the_step_say_that_all_is_made(tmp_path, capsys):
    saved = CALLS["style"](callback=stop_after(2)).save(tmp_path / "made.png").with_suffix(".json")
    settings = json.loads(saved.read_text("utf-8"))
    del settings["stopped_at"]
    saved.write_text(json.dumps(settings), "utf-8")
    assert same(rerun(saved, **QUIET), CALLS["style"]())
    assert "stopped early, at an unknown step: the whole run is repeated" in capsys.readouterr().out


# Ctrl-C


def press_twice():
    with between_steps():
        signal.raise_signal(signal.SIGINT)
        assert stop_requested()
        signal.raise_signal(signal.SIGINT)


def test_a_second_ctrl_c_does_not_wait_for_the_step():
    with pytest.raises(KeyboardInterrupt):
        press_twice()
    assert not stop_requested()
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_where_ctrl_c_means_something_else_it_is_left_alone():
    def own(number, frame):
        heard.append(number)

    heard, before = [], signal.signal(signal.SIGINT, own)
    try:
        with between_steps():
            signal.raise_signal(signal.SIGINT)
            assert heard == [signal.SIGINT]
            assert not stop_requested()
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_run_in_a_thread_works(picture):
    runs = []

    def work():
        runs.append(descend(picture(8, 8), TotalVariation(), 2, **QUIET))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert runs[0].stopped is None


def test_ctrl_c_after_the_last_step_is_not_forgotten(monkeypatch):
    from dreamkit import recipes

    def pressing(*args, **kwargs):
        signal.raise_signal(signal.SIGINT)
        return keep(*args, **kwargs)

    keep = recipes.keep_chroma
    monkeypatch.setattr(recipes, "keep_chroma", pressing)
    run = CALLS["style"](preserve_color="luminance")
    assert run.stopped == "interrupted"
    assert run.settings["stopped_at"] == ["style 1/1", 3]


# L-BFGS


@pytest.mark.parametrize("move", [dict(jitter=4), dict(rotate=5.0), dict(zoom=0.1)])
def test_lbfgs_refuses_moves_that_its_line_search_cannot_follow(move, picture):
    for loop in (descend, ascend):
        with pytest.raises(SettingsError, match="lbfgs cannot work with jitter, rotate or zoom"):
            loop(picture(8, 8), TotalVariation(), 3, "lbfgs", **move, **QUIET)


def test_lbfgs_says_when_it_ends_early(capsys):
    flat = np.full((8, 8, 3), 0.5, "float32")
    run = descend(flat, TotalVariation(), 5, "lbfgs", **QUIET)
    steps = len(run.history) - 1
    assert steps < 5
    assert f"nothing better after {steps} of 5 steps" in capsys.readouterr().out


def test_lbfgs_says_that_it_starts_again(tmp_path, capsys):
    path = tmp_path / "run.npz"
    call = dict(steps=6, optimizer="lbfgs", **FAST)
    style_transfer("chelsea", "mosaic", checkpoint=path, callback=stop_after(4), **call)
    run = resume(path, **QUIET)
    assert "L-BFGS starts again" in capsys.readouterr().out
    saved = run.save(tmp_path / "made.png")
    rerun(saved, **QUIET)
    assert "was resumed with L-BFGS" in capsys.readouterr().out


def test_a_finished_run_with_lbfgs_is_resumed_silently(tmp_path, capsys):
    path = tmp_path / "run.npz"
    run = style_transfer(
        *("chelsea", "mosaic"), steps=2, optimizer="lbfgs", checkpoint=path, **FAST
    )
    capsys.readouterr()
    assert same(resume(path, **QUIET), run)
    assert "L-BFGS start" not in capsys.readouterr().out


# Forks


def _try(work, channel):
    try:
        work()
        channel.put("worked")
    except DreamkitError as error:
        channel.put(str(error))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on Windows")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_process_gets_an_error_instead_of_hanging(squeezenet, picture):
    forks, photo = multiprocessing.get_context("fork"), picture(48, 48)
    fresh, used = Dream(squeezenet, "fire2"), Dream(squeezenet, "fire2") + 1.0 * TotalVariation()
    used(photo)  # its graph exists before the fork
    used.value_and_gradient(photo)
    for work in (
        CALLS["dream"],
        lambda: descend(photo, TotalVariation(), 1, **QUIET),
        lambda: squeezenet.features(photo, "fire2"),
        lambda: fresh(photo),
        lambda: used(photo),
        lambda: used.value_and_gradient(photo),
        lambda: responds(photo, used, (), 1),
    ):
        channel = forks.Queue()
        process = forks.Process(target=_try, args=(work, channel), daemon=True)
        process.start()
        message = channel.get(timeout=30)
        process.join()
        assert "forked after TensorFlow had started" in message
        assert 'multiprocessing.get_context("spawn")' in message
    assert load_image("chelsea", 48).shape == (32, 48, 3)


# Checkpoints that cannot be written


def test_a_full_disk_does_not_end_the_run(tmp_path, monkeypatch, capsys):
    def fail(file, **arrays):
        raise OSError(28, "No space left on device")

    whole = CALLS["style"]()
    with monkeypatch.context() as patch:
        patch.setattr(np, "savez", fail)
        patch.setattr(Checkpoint, "due", lambda self: True)
        run = CALLS["style"](checkpoint=tmp_path / "run.npz")
    assert same(run, whole)
    assert run.stopped is None
    err = capsys.readouterr().err
    assert err.count("run.npz could not be written (No space left on device)") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_run_resumes_writing_when_there_is_room_again(tmp_path, monkeypatch):
    calls, savez = itertools.count(), np.savez

    def fail_at_first(file, **arrays):
        if next(calls) == 0:
            raise OSError(28, "No space left on device")
        savez(file, **arrays)

    monkeypatch.setattr(np, "savez", fail_at_first)
    monkeypatch.setattr(Checkpoint, "due", lambda self: True)
    path = tmp_path / "run.npz"
    CALLS["style"](checkpoint=path, callback=stop_after(3))
    assert same(resume(path, **QUIET), CALLS["style"]())
