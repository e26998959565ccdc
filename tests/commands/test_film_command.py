"""python -m dreamkit film: every command makes its film; a wrong call prints one line."""

import json

import numpy as np
import pytest

from dreamkit import load_image, resize, save_image
from dreamkit.film import zoom as zoom_module
from dreamkit.film.reading import open_video
from dreamkit.film.reel import encode

SMALL = ("--size", 48, "--seed", 1)


def test_a_run_becomes_a_film(command, tmp_path):
    code, out, _ = command("film", "run", "chelsea", "--every", 2, "--steps", 2, *SMALL)
    assert code == 0
    assert out.splitlines()[-1].endswith("chelsea-dream.mp4")
    assert open_video(tmp_path / "outputs" / "chelsea-dream.mp4").frames > 24  # the last is held
    assert not (tmp_path / "outputs" / "chelsea-dream.mp4-frames").exists()


def test_a_zoom_becomes_a_film_of_the_chosen_format(command, tmp_path):
    options = ("--frames", 3, "--zoom", 1.1, "--rotate", 2, "--steps", 1, "--octaves", 1, "--loop")
    code, _, _ = command("film", "zoom", "chelsea", "--out", "a.webp", *options, *SMALL)
    assert code == 0
    assert open_video(tmp_path / "a.webp").frames == 3
    arguments = json.loads((tmp_path / "a.webp.json").read_text("utf-8"))["arguments"]
    assert arguments.items() >= dict(zoom=1.1, rotate=2.0, steps=1, octaves=1, loop=True).items()


def test_a_morph_becomes_a_film(command, tmp_path):
    options = ("--frames", 4, "--keyframes", 1, "--style", "mosaic", "--steps", 1)
    code, _, _ = command("film", "morph", "chelsea", "--out", "a.gif", *options, *SMALL)
    assert code == 0
    assert open_video(tmp_path / "a.gif").frames == 4


@pytest.mark.parametrize("recipe", ["style", "dream"])
def test_a_video_becomes_a_film(command, tmp_path, recipe):
    photo = load_image("chelsea", 80)
    encode(tmp_path / "walk.gif", [photo[:48, n : n + 64] for n in range(3)], (48, 64), 10)
    options = ("--recipe", recipe, "--stop", 2, "--steps", 2, "--frame-steps", 1)
    code, _, _ = command("film", "video", "walk.gif", "--out", "a.gif", *options, *SMALL)
    assert code == 0
    assert open_video(tmp_path / "a.gif").frames == 2


def test_after_ctrl_c_the_same_command_continues(command, tmp_path, monkeypatch):
    dream, calls = zoom_module.deep_dream, []

    def stopping(**arguments):
        calls.append(arguments["seed"])
        if len(calls) == 2:
            raise KeyboardInterrupt
        return dream(**arguments)

    stopping.resolve = dream.resolve
    monkeypatch.setattr(zoom_module, "deep_dream", stopping)
    words = ("film", "zoom", "chelsea", "--frames", 4, "--steps", 1, "--size", 48)  # no seed
    code, _, err = command(*words)
    assert code == 130
    assert err.count("\n") == 1
    assert "stopped after 2 of 4 frames" in err
    assert "repeat the same to continue" in err
    assert command(*words)[0] == 0
    assert calls[1] == calls[2], "the seed was not the film's own"
    assert open_video(tmp_path / "outputs" / "chelsea-zoom.mp4").frames == 4


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("film", "command"),
        ("film zoom nosuch.jpg", "nosuch.jpg"),
        ("film zoom chelsea --out a.avi", ".mp4, .gif, .webp"),
        ("film zoom chelsea --frames 1", "--frames"),
        ("film zoom chelsea --zoom 2", "--zoom"),
        ("film morph chelsea --style nosuch", "nosuch"),
        ("film run chelsea --every 0", "--every"),
        ("film run chelsea --out a.avi", ".mp4, .gif, .webp"),
        ("film video nosuch.mp4", "nosuch.mp4"),
        ("film video still.png", "only one frame"),
        ("film video text.mp4", "not a video"),
    ],
)
def test_a_wrong_call_is_reported_in_one_line(command, tmp_path, arguments, words):
    save_image(tmp_path / "still.png", resize(np.zeros((8, 8, 3)), 8))
    (tmp_path / "text.mp4").write_text("no video here")
    code, _, err = command(*arguments.split())
    assert code == 2
    assert err.startswith("dreamkit: ")
    assert err.count("\n") == 1
    assert words in err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["still.png", "text.mp4"]
