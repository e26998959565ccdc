"""The command line: every command works; every wrong call prints one line and exits with 2."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from dreamkit import load_image, rerun, save_image
from dreamkit.commands import cli, demo, making

ROOT = Path(__file__).parents[2]


@pytest.fixture
def process(tmp_path):
    """Like `command`, but in a separate process, with progress bars."""
    environment = {k: v for k, v in os.environ.items() if k != "TQDM_DISABLE"}
    environment |= {"DREAMKIT_PROFILE": "ci", "PYTHONPATH": str(ROOT)}

    def call(*arguments):
        run = subprocess.run(
            [sys.executable, "-m", "dreamkit", *map(str, arguments)],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env=environment,
            timeout=120,
            check=False,
        )
        return run.returncode, run.stdout, run.stderr

    return call


def assert_one_line(result, *words, code=2):
    ended, _, err = result
    assert ended == code
    assert err.startswith("dreamkit: ")
    assert err.count("\n") == 1
    assert err.endswith("\n")
    assert "\r" not in err
    assert "Traceback" not in err
    for word in words:
        assert word in err


def saved(folder):
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


# Every command works


def test_style_makes_a_picture_with_its_settings_and_history(command, tmp_path):
    code, out, _ = command("style", "chelsea", "--style", "mosaic", "--seed", 3, "--steps", 2)
    assert code == 0
    assert saved(tmp_path / "outputs") == [
        f"chelsea-mosaic.{end}" for end in ("csv", "json", "png")
    ]
    assert "profile ci" in out
    assert str(Path("outputs/chelsea-mosaic.png")) in out


def test_dream_makes_a_picture_of_a_class(command, tmp_path):
    options = ["--octaves", 1, "--steps", 1, "--label", "goldfish", "--size", 64]
    code, _, _ = command("dream", "coffee", "--out", tmp_path / "made", *options)
    assert code == 0
    assert load_image(tmp_path / "made" / "coffee-goldfish.png").shape[1] == 64


def test_every_control_of_a_dream_is_an_option(command, tmp_path):
    options = {
        "jitter": 4, "rotate": 5.0, "zoom": 0.1, "smooth": 1, "learning_rate": 0.02,
        "octave_scale": 1.2, "smallest": 50, "octaves": 3,
    }  # fmt: skip
    flags = [x for name, n in options.items() for x in (f"--{name.replace('_', '-')}", n)]
    flags += ["--layer", "fire6:-0.5", "--layer", "fire8", "--channel", "7", "--channel", "3:-1"]
    code, _, err = command("dream", "coffee", "--out", "a.png", "--steps", 1, "--seed", 1, *flags)
    assert code == 0, err
    noted = json.loads((tmp_path / "a.json").read_text("utf-8"))["arguments"]
    assert options.items() <= noted.items()
    assert noted["layers"] == {"fire6": -0.5, "fire8": 1}
    assert noted["channel"] == {"7": 1, "3": -1}
    assert rerun(tmp_path / "a.json", progress=False).settings["arguments"] == noted


def test_a_dream_of_the_strongest_channels_or_of_a_guide(command, tmp_path):
    options = ["--steps", 1, "--octaves", 1, "--layer", "fire6", "--seed", 1]
    for name, flags in {"a": ["--channel", "strongest:2"], "b": ["--guide", "flower"]}.items():
        assert command("dream", "coffee", "--out", f"{name}.png", *options, *flags)[0] == 0
    strongest, guided = (
        json.loads((tmp_path / f"{name}.json").read_text("utf-8")) for name in "ab"
    )
    assert len(strongest["arguments"]["channel"]["fire6"]) == 2
    assert guided["inputs"]["guide"]["source"] == "flower"


def test_style_moves_waves_or_pixels(command, tmp_path):
    options = "--size", 48, "--steps", 1, "--canvas", "spectrum", "--out", "waves.png"
    assert command("style", "chelsea", *options)[0] == 0
    settings = json.loads((tmp_path / "waves.json").read_text("utf-8"))
    assert settings["arguments"]["canvas"] == "spectrum"


@pytest.mark.parametrize("order", ["style-dream", "dream-style", "joint"])
def test_combine_makes_a_picture_in_every_order(command, tmp_path, order):
    options = ["--order", order, "--seed", 1, "--steps", 1, "--style", "mosaic"]
    code, _, _ = command("combine", "chelsea", "--out", tmp_path / "both.jpg", *options)
    assert code == 0
    assert saved(tmp_path) == ["both.csv", "both.jpg", "both.json"]


def test_texture_makes_the_same_picture_as_the_package(command, tmp_path):
    options = ["--size", 64, "--steps", 4, "--seed", 2, "--tileable"]
    code, out, _ = command("texture", "gravel", *options, "--out", "made")
    assert code == 0
    assert str(Path("made/gravel-tile.png")) in out
    assert saved(tmp_path / "made") == [f"gravel-tile.{end}" for end in ("csv", "json", "png")]
    from dreamkit import texture

    run = texture("gravel", 64, steps=4, seed=2, tileable=True, profile="ci", progress=False)
    made = load_image(tmp_path / "made" / "gravel-tile.png")
    assert np.abs(made - run.image).max() <= 0.5001 / 255


def test_texture_makes_one_of_each_style_and_skips_what_is_done(command, tmp_path):
    call = "texture", "mosaic", "grass", "--size", 48, "--steps", 1, "--seed", 1
    for _ in range(2):
        code, out, _ = command(*call)
        assert code == 0
    assert "2 of 2 already done" in out
    names = [file for file in saved(tmp_path / "outputs") if file.endswith(".png")]
    assert names == ["grass-texture.png", "mosaic-texture.png"]
    shapes = {load_image(tmp_path / "outputs" / name).shape for name in names}
    assert shapes == {(48, 48, 3)}


def test_visualise_makes_the_same_picture_as_the_package(command, tmp_path):
    call = "visualise", "squeezenet", "fire6", "--channel", 11, "--seed", 2
    options = ["--size", 48, "--steps", 2, "--pictures", 2, "--negative", "--canvas", "phase"]
    code, out, err = command(*call, *options)
    assert code == 0, err
    assert str(Path("outputs/squeezenet-fire6-11.png")) in out
    assert saved(tmp_path / "outputs") == [
        f"squeezenet-fire6-11.{end}" for end in ("csv", "json", "png")
    ]
    made = load_image(tmp_path / "outputs" / "squeezenet-fire6-11.png")
    again = rerun(tmp_path / "outputs" / "squeezenet-fire6-11.json", progress=False)
    assert again.settings["arguments"]["canvas"] == "phase"
    assert np.abs(made - again.image).max() <= 0.5001 / 255


def test_a_channel_or_layer_that_is_not_there_is_reported_in_one_line(command):
    call = "visualise", "squeezenet"
    assert_one_line(command(*call, "fire6", "--channel", 999), "fire6 has no channel 999")
    assert_one_line(command(*call, "fyre6", "--channel", 1), "no layer 'fyre6'", "did you mean")


@pytest.mark.parametrize("styles", [("mosaic",), ("mosaic", "gravel")])
def test_a_tileable_size_that_does_not_fit_is_reported_in_one_line(command, styles):
    result = command("texture", *styles, "--size", 50, "--tileable")
    assert_one_line(result, "50 px", "choose a multiple, such as 48")


def test_the_command_makes_the_same_picture_as_the_package(command, tmp_path):
    command("style", "chelsea", "--seed", 3, "--out", tmp_path / "cat.png")
    again = rerun(tmp_path / "cat.png", progress=False)
    assert np.abs(load_image(tmp_path / "cat.png") - again.image).max() <= 0.5001 / 255
    from dreamkit import style_transfer

    run = style_transfer("chelsea", "night_flow", seed=3, profile="ci", progress=False)
    assert np.array_equal(run.image, again.image), "the command's defaults are not the recipe's"


def test_doctor_reports_versions_machine_weights_and_profile(command):
    code, out, err = command("doctor")
    assert code == 0
    assert err == ""
    for section in ("versions", "machine", "weights", "profile", "notebooks"):
        assert f"{section}\n  " in out
    assert "squeezenet" in out
    assert "missing: pip install tensorflow" not in out


def test_weights_lists_every_network(command):
    code, out, err = command("weights")
    assert code == 0
    assert err == ""
    for network in ("vgg19", "vgg16", "inception_v3", "squeezenet"):
        assert network in out


def test_without_arguments_the_commands_are_listed(command):
    code, out, err = command()
    assert code == 0
    assert err == ""
    for name in ("style", "dream", "combine", "texture", "visualise", "demo", "doctor", "weights"):
        assert f"  {name} " in out


# The demo


def test_demo_makes_everything_and_keeps_existing_files(command, tmp_path):
    out = tmp_path / "made"
    out.mkdir()
    earlier = {"style.png": b"1", "joint.csv": b"2", "dream.json": b"3", "overview.png": b"4"}
    for name, content in {**earlier, "notes.txt": b"5"}.items():
        (out / name).write_bytes(content)
    code, text, _ = command("demo", "--out", out, "--seed", 2, "--style", "mosaic")
    assert code == 0

    names = [f"{name}.{end}" for name in demo.TITLES for end in ("png", "json", "csv")]
    for name in (*names, "overview.png", "losses.png"):
        assert (out / name).stat().st_size > 50
    (aside,) = (out / "earlier").iterdir()
    assert {path.name: path.read_bytes() for path in aside.iterdir()} == earlier
    assert (out / "notes.txt").read_bytes() == b"5"
    assert str(aside) in text
    for number in range(1, 6):
        assert f"{number}/5  " in text

    for name in ("style-dream", "dream-style"):  # these reuse phases of other pictures
        again = rerun(out / f"{name}.png", progress=False).image
        assert np.abs(load_image(out / f"{name}.png") - again).max() <= 0.5001 / 255


def test_make_passes_on_its_variables():
    make = shutil.which("make")
    if make is None:
        pytest.skip("make is not installed")
    variables = ["CONTENT=x y", "STYLE=y", "SIZE=64", "OUT=z"]
    command = [make, "-n", "dream", *variables]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    line = " ".join(run.stdout.replace("\\\n", " ").split())
    assert '-m dreamkit demo --content "x y" --style "y" --size "64" --out "z"' in line
    run = subprocess.run(
        [make, "-n", "dream"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "--size" not in run.stdout


# Every wrong call prints one line


def broken(folder, kind):
    """A file that is not a picture."""
    intact = save_image(folder / "intact.png", load_image("chelsea", 64)).read_bytes()
    content = {"empty": b"", "truncated": intact[:900], "text": b"no picture", "half": intact[:20]}
    path = folder / f"{kind}.png"
    path.write_bytes(content[kind])
    return path


@pytest.mark.parametrize("verb", ["style", "dream", "combine"])
@pytest.mark.parametrize("kind", ["empty", "truncated", "text", "half"])
def test_a_file_that_is_not_a_picture_is_reported_in_one_line(command, tmp_path, verb, kind):
    assert_one_line(command(verb, broken(tmp_path, kind), "--out", tmp_path / "out"), f"{kind}.png")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("style missing.jpg", "missing.jpg"),
        ("dream missing.jpg", "missing.jpg"),
        ("combine missing.jpg", "missing.jpg"),
        ("demo --content missing.jpg", "missing.jpg"),
        ("style .", "folder"),
        ("style chelsea --style nosuch", "nosuch"),
        ("demo --style nosuch", "nosuch"),
        ("combine chelsea --style nosuch", "nosuch"),
        ("style chelsea --backbone alexnet", "alexnet"),
        ("dream chelsea --backbone alexnet", "alexnet"),
        ("dream chelsea --layer nosuch", "nosuch"),
        ("dream chelsea --label goldfisch", "goldfish"),
        ("dream chelsea --layer fire6:much", "fire6:much"),
        ("dream chelsea --channel 9999", "9999"),
        ("dream chelsea --channel 3 --label goldfish", "only one of channel, label and guide"),
        ("dream chelsea --channel strongest:many", "strongest:many"),
        ("dream chelsea --channel weakest --channel 3", "weakest, 3"),
        ("dream chelsea --guide missing.jpg", "missing.jpg"),
        ("dream chelsea --rotate 200", "--rotate"),
        ("dream chelsea --zoom -1", "--zoom"),
        ("style chelsea --size 8", "too small"),
        ("dream chelsea --size 8", "too small"),
        ("combine chelsea --size 8 --order joint", "too small"),
        ("demo --size 8", "too small"),
        ("style chelsea --size 0", "--size"),
        ("style chelsea --size many", "--size"),
        ("style chelsea --steps 0", "--steps"),
        ("style chelsea --seed -1", "--seed"),
        ("style chelsea --style-weight -1", "--style-weight"),
        ("dream chelsea --octaves 0", "--octaves"),
        ("combine chelsea --order both", "both"),
        ("style chelsea --out picture.gif", ".gif"),
        ("style chelsea --bogus", "--bogus"),
        ("style", "argument"),  # its name is in capitals in older versions of typer
        ("style chelsea coffee --out both.png", "both.png"),
        ("style chelsea --workers 0", "--workers"),
        ("paint chelsea", "paint"),
        ("weights fetch", "--to"),
        ("weights fetch --to folder --network squeezenet", "squeezenet"),
    ],
)
def test_a_wrong_call_is_reported_in_one_line(command, tmp_path, arguments, words):
    assert_one_line(command(*arguments.split()), words)
    assert not [name for name in saved(tmp_path) if name.endswith((".png", ".csv"))]


def test_a_wrong_profile_is_reported_in_one_line(command, monkeypatch):
    monkeypatch.setenv("DREAMKIT_PROFILE", "huge")
    assert_one_line(command("style", "chelsea"), "huge")
    assert_one_line(command("doctor"), "huge")


@pytest.mark.parametrize("existing", ["cat.png", "cat.json", "cat.csv"])
def test_an_existing_file_is_reported_before_the_work(command, monkeypatch, tmp_path, existing):
    (tmp_path / existing).write_bytes(b"original")
    with monkeypatch.context() as patch:
        patch.setattr("dreamkit.recipes.style_transfer", None)
        assert_one_line(command("style", "chelsea", "--out", "cat.png"), existing, "--overwrite")
    assert (tmp_path / existing).read_bytes() == b"original"
    code, _, _ = command("style", "chelsea", "--steps", 1, "--out", "cat.png", "--overwrite")
    assert code == 0
    assert (tmp_path / existing).read_bytes() != b"original"


@pytest.mark.parametrize("out", ["file", "file/folder", "file/cat.png"])
def test_an_output_inside_a_file_is_reported_before_the_work(command, monkeypatch, tmp_path, out):
    (tmp_path / "file").write_bytes(b"original")
    for recipe in ("style_transfer", "deep_dream", "dream_style"):
        monkeypatch.setattr(f"dreamkit.recipes.{recipe}", None)
    for verb in ("style", "dream", "combine"):
        assert_one_line(command(verb, "chelsea", "--out", out), "file")
    monkeypatch.setattr(demo, "set_aside", None)
    assert_one_line(command("demo", "--out", out), "file")
    assert (tmp_path / "file").read_bytes() == b"original"


def test_a_read_only_folder_is_reported_in_one_line(command, tmp_path):
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    if os.access(locked, os.W_OK):
        pytest.skip("this user may write everywhere")
    assert_one_line(command("style", "chelsea", "--out", locked), "locked")
    assert_one_line(command("demo", "--out", locked / "new"), "locked")


def test_a_read_only_folder_is_reported_for_every_user(command, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert_one_line(command("style", "chelsea", "--out", "new"), "new")
    assert_one_line(command("demo", "--out", "new"), "new")


def test_a_system_error_is_reported_in_one_line(command, tmp_path):
    (tmp_path / "file").write_bytes(b"original")
    assert_one_line(command("weights", "fetch", "--to", "file"), "file")


@pytest.mark.slow  # here the others, and in a process of its own TensorFlow's silence
def test_a_wrong_call_is_reported_in_one_line_by_a_separate_process(process):
    assert_one_line(process("dream", "chelsea", "--size", 8), "too small")


def test_ctrl_c_before_the_first_picture_is_reported_in_one_line(command, monkeypatch):
    def interrupted(*_args, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr("dreamkit.recipes.deep_dream", interrupted)
    assert_one_line(command("dream", "chelsea"), "stopped", code=130)


def test_a_bug_is_not_hidden(monkeypatch):
    def fault(*_args, **_options):
        raise ZeroDivisionError("ours")

    monkeypatch.setattr(making, "free_path", fault)
    monkeypatch.setattr(sys, "argv", ["dreamkit", "style", "chelsea"])
    with pytest.raises(ZeroDivisionError, match="ours"):
        cli.main()


# Estimates


def test_estimate_prints_time_and_memory_in_one_line(command):
    code, out, _ = command("estimate", "style", "--size", 96, "--steps", 3)
    assert code == 0
    assert "GiB" in out.splitlines()[-1]


def test_an_unknown_recipe_is_reported_in_one_line(command):
    assert_one_line(command("estimate", "cooking"), "cooking")


def test_a_tile_gives_the_same_picture(command, tmp_path):
    for tile, name in ((32, "cut.png"), (512, "whole.png")):
        words = ("dream", "coffee", "--size", 96, "--seed", 1, "--tile", tile)
        assert command(*words, "--out", tmp_path / name)[0] == 0
    cut, whole = (load_image(tmp_path / name) for name in ("cut.png", "whole.png"))
    assert np.abs(cut - whole).mean() < 0.01
