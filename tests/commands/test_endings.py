"""However a command ends, its work is saved, and stderr and the exit code say how it ended."""

import errno
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import dreamkit.__main__
from dreamkit import load_image, rerun, save_image
from dreamkit.commands import cli
from dreamkit.runs.recorder import Recorder

ROOT = Path(__file__).parents[2]
FEW = ("--size", 48, "--steps", 2, "--seed", 1)
STYLE = ("style", "chelsea", "--style", "mosaic", *FEW)
SHOW = ("visualise", "squeezenet", "fire6", "--channel", 11, *FEW)
ONE_OF_EACH = pytest.mark.parametrize("call", [STYLE, SHOW], ids=["style", "visualise"])


def saved(folder):
    return sorted(path.name for path in Path(folder).rglob("*") if path.is_file())


def files(stem):
    return [f"{stem}.{end}" for end in ("csv", "json", "png")]


@pytest.fixture
def press():
    """Function (phase, step): Ctrl-C is pressed there, until `press.undo()`."""
    record, patch = Recorder.record, pytest.MonkeyPatch()

    def press(phase, step):
        def pressing(self, number, *args):
            if (self.phase, number) == (phase, step):
                signal.raise_signal(signal.SIGINT)
            record(self, number, *args)

        patch.setattr(Recorder, "record", pressing)

    press.undo = patch.undo
    yield press
    patch.undo()


# Ctrl-C


def test_a_stopped_picture_is_saved_under_a_name_that_says_so(command, press):
    press("style 1/1", 1)
    code, _, err = command("style", "chelsea", "--style", "mosaic", *FEW)
    assert code == 130
    assert err.splitlines()[-1] == (
        "dreamkit: stopped at step 1 of style 1/1: the picture so far is in"
        f" '{Path('outputs/chelsea-mosaic-stopped.png')}'"
    )
    assert saved("outputs") == files("chelsea-mosaic-stopped")
    picture = Path("outputs/chelsea-mosaic-stopped.png")
    again = rerun(picture, progress=False)
    assert np.abs(load_image(picture) - again.image).max() <= 0.5001 / 255
    code, _, err = command("style", "chelsea", "--style", "mosaic", *FEW)
    assert code == 130
    assert saved("outputs") == sorted(
        files("chelsea-mosaic-stopped") + files("chelsea-mosaic-stopped-2")
    )


@pytest.mark.parametrize(
    ("verb", "phase"),
    [
        ("combine", "style 1/1"),
        ("visualise", "picture 1/1"),
        pytest.param("dream", "octave 1/1", marks=pytest.mark.slow),
        pytest.param("combine", "octave 1/1", marks=pytest.mark.slow),
    ],
)
def test_every_recipe_stopped_in_any_phase_names_its_picture_so(verb, phase, command, press):
    press(phase, 1)
    call = SHOW if verb == "visualise" else (verb, "chelsea", *FEW)
    code, _, err = command(*call, "--out", "made.png")
    assert code == 130
    assert f"stopped at step 1 of {phase}" in err
    assert saved(".") == files("made-stopped")
    assert json.loads(Path("made-stopped.json").read_text("utf-8"))["stopped"] == "interrupted"


def test_a_stopped_run_with_a_checkpoint_says_how_to_continue(command, press):
    call = ("style", "chelsea", "--style", "mosaic", *FEW)
    assert command(*call, "--out", "whole.png")[0] == 0
    press("style 1/1", 1)
    code, _, err = command(*call, "--out", "made.png", "--checkpoint", "run.npz")
    assert code == 130
    assert "to continue: python -m dreamkit resume run.npz" in err
    assert command("resume", "run.npz")[0] == 130, "stopped again at the same step"
    assert Path("run-stopped.png").exists()
    press.undo()
    assert command("resume", "run.npz", "--out", "rest.png")[0] == 0
    assert Path("rest.png").read_bytes() == Path("whole.png").read_bytes()


@pytest.mark.slow
def test_a_demo_that_is_stopped_keeps_what_it_made(command, press, tmp_path):
    press("octave 1/1", 1)
    code, _, err = command("demo", "--out", "made", "--size", 48)
    assert code == 130
    assert "dream-stopped.png" in err
    assert saved("made") == sorted(files("dream-stopped") + files("style"))
    command("demo", "--out", "made", "--size", 48)
    (aside,) = (tmp_path / "made" / "earlier").iterdir()
    assert saved(aside) == sorted(files("dream-stopped") + files("style"))


@pytest.mark.slow
def test_a_film_of_a_run_that_is_stopped_ends_there(command, press):
    press("octave 1/1", 1)
    code, out, err = command("film", "run", "chelsea", "--size", 48, "--out", "run.gif")
    assert code == 130
    assert "run.gif" in out
    assert err.splitlines()[-1] == "dreamkit: stopped: the film 'run.gif' ends there"


def start(folder, *arguments):
    """A command in a process of its own, in which Ctrl-C works whatever the shell says."""
    environment = {k: v for k, v in os.environ.items() if k != "TQDM_DISABLE"}
    environment |= {"PYTHONPATH": str(ROOT), "DREAMKIT_PROFILE": "ci", "PYTHONFAULTHANDLER": "1"}
    code = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
        "from dreamkit.commands.cli import run; run()"
    )
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for one process")
@pytest.mark.parametrize("delay", [0.0, 1.0, 2.0, 4.0, 6.0, 8.0, 10.0, 12.0])
def test_ctrl_c_at_any_time_is_one_line_and_exit_code_130(delay, tmp_path):
    call = ("dream", "chelsea", "--size", 64, "--steps", 3000, "--out", "made.png")
    with start(tmp_path, *call) as run:
        assert "profile" in run.stdout.readline()
        time.sleep(delay)
        run.send_signal(signal.SIGINT)
        _, err = run.communicate(timeout=120)
    assert run.returncode == 130, err
    assert "Traceback" not in err
    assert err.splitlines()[-1].startswith("dreamkit: stopped")
    assert saved(tmp_path) in ([], files("made-stopped"))


@pytest.mark.parametrize("code", [0, 1, 2, 130])
def test_both_ways_to_start_a_command_end_in_the_same_way(code, monkeypatch):
    """As `python -m dreamkit` and as `dreamkit`; after Ctrl-C, nothing is undone that may crash."""
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    assert (
        re.search(r'^dreamkit = "(.+)"$', project, re.MULTILINE)[1] == "dreamkit.commands.cli:run"
    )
    assert dreamkit.__main__.run is cli.run
    ended = []
    monkeypatch.setattr(cli, "main", lambda: sys.exit(code))
    monkeypatch.setattr(os, "_exit", ended.append)
    with pytest.raises(SystemExit) as caught:
        cli.run()
    assert caught.value.code == code
    assert ended == ([130] if code == 130 else [])


# Work that is done is not lost


def full_disk(folder):
    """In the place of `Image.save`: no room in one folder."""
    from PIL import Image

    whole = Image.Image.save

    def save(self, file, *args, **options):
        if Path(file).parent.resolve() == Path(folder).resolve():
            raise OSError(errno.ENOSPC, "No space left on device")
        return whole(self, file, *args, **options)

    return save


@ONE_OF_EACH
def test_a_picture_that_cannot_be_written_is_saved_nearby(call, command, monkeypatch):
    monkeypatch.setattr("PIL.Image.Image.save", full_disk("outputs"))
    code, out, err = command(*call)
    stem = "chelsea-mosaic" if call is STYLE else "squeezenet-fire6-11"
    assert code == 1
    assert "No space left on device" in err
    assert "the picture is in" in err
    assert f"{stem}-2.png" in out
    assert saved(".") == files(f"{stem}-2")


@ONE_OF_EACH
def test_a_file_that_comes_meanwhile_is_kept(call, command, monkeypatch):
    from dreamkit import recipes
    from dreamkit.controls import visualisation

    def slowly(make):
        def slow(*args, **options):
            run = make(*args, **options)
            Path("made.csv").write_bytes(b"mine")
            return run

        return slow

    monkeypatch.setattr(recipes, "style_transfer", slowly(recipes.style_transfer))
    monkeypatch.setattr(visualisation, "visualise", slowly(visualisation.visualise))
    code, _, err = command(*call, "--out", "made.png")
    assert code == 1
    assert "made.csv' already exists" in err
    assert Path("made.csv").read_bytes() == b"mine"
    assert saved(".") == sorted(["made.csv", *files("made-2")])


@pytest.fixture
def diverge(monkeypatch):
    """Function (phase, step): the total becomes NaN there; None is every phase."""
    record = Recorder.record

    def diverge(phase, at):
        def poisoned(self, step, total, *others):
            poison = step == at and phase in (None, self.phase)
            record(self, step, np.nan if poison else total, *others)

        monkeypatch.setattr(Recorder, "record", poisoned)

    return diverge


@ONE_OF_EACH
def test_a_run_that_diverges_saves_its_best_picture(call, command, diverge):
    diverge(None, 2)
    code, _, err = command(*call, "--out", "made.png")
    assert code == 2
    assert err.splitlines()[-1].endswith("the best picture so far is in 'made-diverged.png'.")
    assert "total became nan at step 2" in err
    assert saved(".") == files("made-diverged")


@pytest.mark.parametrize(("step", "made"), [(0, 1), (1, 2)])
def test_a_second_picture_that_diverges_does_not_cost_the_first(step, made, command, diverge):
    diverge("picture 2/2", step)
    code, _, _ = command(*SHOW, "--pictures", 2, "--out", "made.png")
    assert code == 2
    assert saved(".") == files("made-diverged")
    first, second = np.split(load_image("made-diverged.png")[:, [*range(48), *range(-48, 0)]], 2, 1)
    assert first.min() < 0.9
    assert (second.min() < 0.9) == (made == 2)


@pytest.mark.parametrize(
    "error", [FileNotFoundError(errno.ENOENT, "No such file or directory"), ValueError("Too long.")]
)
def test_transparency_that_cannot_be_read_any_more_costs_only_itself(error, command, monkeypatch):
    save_image("photo.png", load_image("chelsea", 48))

    def vanished(*_args):
        raise error

    monkeypatch.setattr("dreamkit.runs.saving.load_alpha", vanished)
    code, _, err = command("style", "photo.png", *FEW, "--keep-alpha", "--out", "made.png")
    assert code == 1
    reason = getattr(error, "strerror", None) or "Too long"
    assert f"transparency could not be kept: {reason}." in err
    assert set(files("made")) <= set(saved("."))


@pytest.mark.parametrize("backend", ["nonsense", "TkAgg", "module://nowhere"])
def test_a_wrong_plotting_backend_costs_nothing(backend, tmp_path):
    """A small program, because matplotlib reads the variable when it is imported."""
    code = "from dreamkit.commands.making import draw_into_files\ndraw_into_files()\n"
    code += "import matplotlib.pyplot as plt; plt.figure().savefig('figure.png')"
    environment = os.environ | {"PYTHONPATH": str(ROOT), "MPLBACKEND": backend}
    subprocess.run([sys.executable, "-c", code], env=environment, cwd=tmp_path, check=True)
    assert (tmp_path / "figure.png").stat().st_size > 0


@pytest.mark.slow
def test_a_demo_with_a_wrong_plotting_backend_has_its_overview(tmp_path):
    call = [sys.executable, "-m", "dreamkit", "demo", "--size", "48", "--out", "made"]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "DREAMKIT_PROFILE": "ci"}
    subprocess.run(call, env=environment | {"MPLBACKEND": "nonsense"}, cwd=tmp_path, check=True)
    assert {"overview.png", "losses.png"} <= set(saved(tmp_path))


def quick(monkeypatch):
    """Replace the demo's recipes by one dream, so that it takes no longer."""
    from dreamkit.commands import demo
    from dreamkit.recipes import deep_dream

    def dream(photo, *_args, checkpoint=None, **options):
        return deep_dream(photo, **options, octaves=1, steps=2, progress=False)

    for name in ("style_transfer", "deep_dream", "dream_style"):
        monkeypatch.setattr(demo, name, dream)


def test_a_demo_whose_pictures_had_to_go_elsewhere_says_so(command, monkeypatch):
    quick(monkeypatch)
    monkeypatch.setattr("PIL.Image.Image.save", full_disk("made"))
    code, out, err = command("demo", "--out", "made", "--size", 48)
    assert code == 1
    assert err.count("No space left on device") >= 5
    assert "style-2.png" in out
    assert set(files("style-2") + files("joint-2")) <= set(saved("."))


def test_a_demo_that_diverges_saves_its_best_picture(command, monkeypatch, diverge):
    quick(monkeypatch)
    diverge(None, 2)
    code, _, err = command("demo", "--out", "made", "--size", 48)
    assert code == 2
    assert f"best picture so far is in '{Path('made', 'style-diverged.png')}'" in err
    assert saved("made") == files("style-diverged")


def test_a_film_of_a_run_that_diverges_ends_with_its_best_picture(command, diverge):
    diverge(None, 2)
    code, _, err = command("film", "run", "chelsea", *FEW, "--out", "run.gif")
    assert code == 2
    assert "the best picture so far is in 'run.gif'" in err
    assert saved(".") == ["run.gif", "run.gif.json"]
    assert json.loads(Path("run.gif.json").read_text("utf-8"))["stopped"] == "diverged"


def pressing(function):
    """The function, with Ctrl-C pressed before it begins."""

    def pressed(*args, **options):
        signal.raise_signal(signal.SIGINT)
        return function(*args, **options)

    return pressed


@pytest.mark.parametrize("options", [(), ("--keep-alpha",)])
def test_a_finished_picture_is_saved_even_if_ctrl_c_is_pressed_meanwhile(
    options, command, monkeypatch
):
    from dreamkit.runs import saving
    from dreamkit.runs.run import Run

    monkeypatch.setattr(saving, "load_alpha", pressing(saving.load_alpha))
    if not options:
        monkeypatch.setattr(Run, "save", pressing(Run.save))
    code, _, _ = command(*STYLE, *options, "--out", "made.png")
    assert code == 0
    assert saved(".") == files("made")


def test_a_demo_and_a_batch_stop_after_the_picture_that_is_being_saved(command, monkeypatch):
    from dreamkit.runs.run import Run

    quick(monkeypatch)
    monkeypatch.setattr(Run, "save", pressing(Run.save))
    assert command("demo", "--out", "made", "--size", 48)[0] == 130
    assert saved("made") == files("style")
    call = ("style", "chelsea", "coffee", *STYLE[2:], "--out", "batch")
    assert command(*call)[0] == 130
    assert saved("batch") == files("chelsea-mosaic")


# Found before the work


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--out", "x" * 300 + ".png"), "cannot be a file's name: choose a shorter one"),
        (("--out", "made.jpg", "--keep-alpha"), "cannot be transparent"),
    ],
)
def test_what_cannot_be_saved_is_found_before_the_work(options, words, command, monkeypatch):
    monkeypatch.setattr("dreamkit.recipes.style_transfer", None)
    code, _, err = command("style", "chelsea", *options)
    assert code == 2
    assert err.count("\n") == 1
    assert words in err


def test_a_full_disk_is_found_before_the_work(command, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=1000))
    monkeypatch.setattr("dreamkit.recipes.style_transfer", None)
    style, film = ("style", "chelsea"), ("film", "run", "chelsea")
    for call in (style, (*style, "coffee"), film, ("demo",)):
        code, _, err = command(*call)
        assert code == 2
        assert "disk of 'outputs' is full" in err


def test_a_long_name_of_a_photo_gives_a_shorter_one_for_the_picture(command):
    photo = f"long_{'x' * 240}.png"
    save_image("photo.png", load_image("chelsea", 48))
    os.rename("photo.png", photo)
    code, _, _ = command("style", photo, *FEW)
    assert code == 0
    assert len(saved("outputs")) == 3
    assert all(name.startswith("long_xxx") for name in saved("outputs"))
    code, out, _ = command("film", "run", photo, *FEW)
    assert code == 0
    assert Path(out.splitlines()[-1]).name.startswith("long_xxx")
