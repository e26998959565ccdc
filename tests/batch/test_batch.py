"""A batch makes all it can, nothing twice, loses nothing, and reports the rest."""

import functools
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from cluster import Cluster

from dreamkit import (
    ImageError,
    dream_style,
    load_image,
    profile,
    save_image,
    style_transfer,
)
from dreamkit.batch import batch
from dreamkit.batch.sources import expand, is_single, names

ROOT = Path(__file__).parents[2]
STYLE = ("style", "--style", "mosaic", "--size", 64, "--steps", 2)


@pytest.fixture
def photos(tmp_path):
    """A folder with three small photos, a text file and a folder."""
    for name in ("astronaut", "chelsea", "coffee"):
        save_image(tmp_path / "photos" / f"{name}.png", load_image(name, 64))
    (tmp_path / "photos" / "notes.txt").write_text("no picture")
    (tmp_path / "photos" / "more.png").mkdir()
    return tmp_path / "photos"


def stamp(folder):
    """{file: when it was written}"""
    return {path.name: path.stat().st_mtime_ns for path in Path(folder).iterdir()}


def pictures(folder):
    return sorted(path.name for path in Path(folder).glob("*.png"))


MADE = ["astronaut-mosaic.png", "chelsea-mosaic.png", "coffee-mosaic.png"]


# Many pictures


def test_a_folder_gives_the_very_pictures_that_single_calls_give(command, photos, tmp_path):
    code, out, err = command(*STYLE, photos, "--seed", 3)
    assert code == 0
    assert "dreamkit:" not in err
    assert pictures("outputs") == MADE
    for name in MADE:
        assert str(Path("outputs", name)) in out
    command(*STYLE, photos / "coffee.png", "--seed", 3, "--out", "single.png")
    assert Path("outputs/coffee-mosaic.png").read_bytes() == Path("single.png").read_bytes()
    settings = [Path(file).read_text() for file in ("outputs/coffee-mosaic.json", "single.json")]
    assert settings[0] == settings[1]
    tables = [pd.read_csv(file) for file in ("outputs/coffee-mosaic.csv", "single.csv")]
    assert tables[0].drop(columns="seconds").equals(tables[1].drop(columns="seconds"))
    assert not [path for path in Path("outputs").iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize("verb", ["dream", "combine"])
def test_the_other_recipes_take_many_pictures_too(command, photos, verb):
    options = ["--size", 64, "--steps", 1, *(["--octaves", 1] if verb == "dream" else [])]
    code, _, _ = command(verb, photos / "coffee.png", "chelsea", *options)
    assert code == 0
    end = "dream" if verb == "dream" else "night_flow-style-dream"
    assert pictures("outputs") == [f"chelsea-{end}.png", f"coffee-{end}.png"]


@pytest.mark.slow  # the jobs' own tests cover processes and clusters
def test_processes_and_a_cluster_make_the_same_pictures_as_one_process(
    command, photos, tmp_path, monkeypatch
):
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "2")
    with Cluster(tmp_path, 1) as cluster:
        ways = {"one": (), "two": ("--workers", 2), "cluster": ("--scheduler", cluster.address)}
        for name, options in ways.items():
            call = (*STYLE, f"{photos}/c*.png", "--seed", 3, "--out", name)
            assert command(*call, *options)[0] == 0
            assert pictures(name) == MADE[1:]
            for file in pictures(name):
                first, again = load_image(f"one/{file}"), load_image(f"{name}/{file}")
                assert np.abs(first - again).max() <= 2 / 255
            assert command(*call)[1].count("2 of 2 already done") == 1


# What goes wrong with one picture


def test_a_bad_picture_is_reported_at_the_end_and_the_others_are_made(command, photos):
    (photos / "bad.png").write_bytes(b"no picture")
    call = (*STYLE, photos / "bad.png", photos, "missing.jpg")
    code, out, err = command(*call)
    assert code == 1
    assert pictures("outputs") == MADE
    reports = [line for line in err.splitlines() if line.startswith("dreamkit:")]
    assert len(reports) == 2
    assert "bad.png" in reports[0]
    assert "not a picture" in reports[0]
    assert "missing.jpg" in reports[1]
    assert "Traceback" not in err
    code, out, _ = command(*call)
    assert code == 1
    assert "3 of 5 already done" in out


def test_a_picture_too_small_for_the_network_is_reported_and_the_others_are_made(command, photos):
    save_image(photos / "strip.png", np.zeros((4, 64, 3)))
    code, _, err = command(*STYLE, photos)
    assert code == 1
    assert "strip.png: " in err
    assert "too small" in err
    assert pictures("outputs") == MADE


def test_a_picture_that_cannot_be_written_is_reported_and_the_others_are_made(command, photos):
    Path("outputs/chelsea-mosaic.json").mkdir(parents=True)
    code, _, err = command(*STYLE, photos, "--overwrite")
    assert code == 1
    assert "chelsea.png: " in err
    assert {MADE[0], MADE[2]} <= set(pictures("outputs"))


# What is finished


def test_finished_pictures_are_skipped_and_overwrite_makes_them_again(command, photos):
    command(*STYLE, photos / "coffee.png", "--out", "outputs")
    before = stamp("outputs")
    code, out, _ = command(*STYLE, photos)
    assert code == 0
    assert "1 of 3 already done (--overwrite makes them again)" in out
    assert pictures("outputs") == MADE
    assert before.items() <= stamp("outputs").items()
    code, out, _ = command(*STYLE, photos, "--overwrite")
    assert code == 0
    assert not before.items() & stamp("outputs").items()


def test_a_picture_from_before_an_argument_existed_is_finished(command, photos):
    command(*STYLE, photos / "coffee.png", "--out", "outputs")
    file = next(Path("outputs").glob("*.json"))
    settings = json.loads(file.read_text("utf-8"))
    for argument in ("strength", "content_mask", "preserve_color"):
        del settings["arguments"][argument]
    file.write_text(json.dumps(settings), "utf-8")
    assert "1 of 3 already done" in command(*STYLE, photos, "--out", "outputs")[1]


def test_a_batch_takes_several_styles_and_masks(command, photos):
    where = ("--out", "outputs", "--style", "mosaic:2", "--style", "night_flow:fine")
    mask = ("--style-mask", f"mosaic:{photos / 'coffee.png'}")
    several = [*STYLE, photos, *where, *mask]
    assert command(*several)[0] == 0
    assert len(pictures("outputs")) == 3
    assert "3 of 3 already done" in command(*several)[1]


def cut(path):
    path.write_bytes(path.read_bytes()[:-30])


DAMAGES = {
    "no picture": lambda path: path.unlink(),
    "half a picture": cut,
    "no settings": lambda path: path.with_suffix(".json").unlink(),
    "half the settings": lambda path: cut(path.with_suffix(".json")),
    "empty settings": lambda path: path.with_suffix(".json").write_text(""),
    "no history": lambda path: path.with_suffix(".csv").unlink(),
    "half the history": lambda path: cut(path.with_suffix(".csv")),
    "empty history": lambda path: path.with_suffix(".csv").write_text(""),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_incomplete_pictures_are_not_finished_and_are_made_again(command, photos, damage):
    call = (*STYLE, "--seed", 1, photos / "coffee.png", photos / "chelsea.png")
    command(*call)
    whole = {path.name: path.read_bytes() for path in Path("outputs").iterdir()}
    DAMAGES[damage](Path("outputs/coffee-mosaic.png"))
    code, out, _ = command(*call)
    assert code == 0
    assert "1 of 2 already done" in out
    again = {path.name: path.read_bytes() for path in Path("outputs").iterdir()}
    assert again.keys() == whole.keys()
    assert all(again[name] == whole[name] for name in whole if not name.endswith(".csv"))


@pytest.mark.parametrize("other", [("--seed", 2), ("--steps", 3), ("--size", 65)])
def test_a_picture_with_other_settings_is_neither_finished_nor_replaced(command, photos, other):
    command(*STYLE, "--seed", 1, photos)
    before = stamp("outputs")
    code, out, err = command(*STYLE, "--seed", 1, photos, *other)
    assert code == 1
    assert "already done" not in out
    assert err.count("made differently: add --overwrite or choose another --out.") == 3
    assert stamp("outputs") == before


def test_without_a_seed_any_seed_will_do(command, photos):
    command(*STYLE, "--seed", 1, photos)
    assert "3 of 3 already done" in command(*STYLE, photos)[1]


def test_if_a_photo_has_changed_its_picture_is_neither_finished_nor_replaced(command, photos):
    command(*STYLE, photos)
    before = stamp("outputs")
    shutil.copy(photos / "coffee.png", photos / "chelsea.png")
    code, out, err = command(*STYLE, photos)
    assert code == 1
    assert "2 of 3 already done" in out
    assert "chelsea.png: 'outputs" in err.replace("\\", "/")
    assert stamp("outputs") == before


@pytest.mark.parametrize("end", [".png", ".json", ".csv"])
def test_somebody_elses_file_is_never_replaced(command, photos, end):
    file = Path("outputs/chelsea-mosaic").with_suffix(end)
    file.parent.mkdir()
    file.write_bytes(b"mine")
    code, _, err = command(*STYLE, photos)
    assert code == 1
    assert "made differently" in err
    assert file.read_bytes() == b"mine"
    assert {MADE[0], MADE[2]} <= set(pictures("outputs"))


def test_a_picture_stopped_early_is_not_finished(command, photos):
    run = style_transfer(
        photos / "coffee.png",
        "mosaic",
        steps=2,
        size=64,
        seed=1,
        profile="ci",
        callback=lambda step: True,
    )
    run.save("outputs/coffee-mosaic.png")
    code, out, _ = command(*STYLE, photos, "--seed", 1)
    assert code == 1
    assert "already done" not in out


def test_photos_and_results_may_share_a_folder(command, photos):
    for report in ("", "3 of 3 already done"):
        code, out, _ = command(*STYLE, photos, "--out", photos)
        assert code == 0
        assert report in out
    assert len(pictures(photos)) == 7  # three photos, three results, and the folder more.png


def stop_at_the_second(job):
    if Path("outputs").exists() and pictures("outputs"):
        raise KeyboardInterrupt
    return MAKE(job)


MAKE = batch.make


def write_a_file_there_first(job):
    if job.path:
        job.path.parent.mkdir(exist_ok=True)
        job.path.write_bytes(b"mine")
    return MAKE(job)


def test_a_file_that_appears_meanwhile_is_not_replaced(command, photos, monkeypatch):
    monkeypatch.setattr(batch, "make", write_a_file_there_first)
    code, _, err = command(*STYLE, photos)
    assert code == 1
    assert err.count("made differently") == 3
    assert Path("outputs", MADE[0]).read_bytes() == b"mine"


def test_ctrl_c_keeps_finished_pictures_and_the_next_call_goes_on(command, photos, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(batch, "make", stop_at_the_second)
        code, _, err = command(*STYLE, photos)
    assert code == 130
    assert err.splitlines()[-1] == "dreamkit: stopped"
    assert pictures("outputs") == MADE[:1]
    code, out, _ = command(*STYLE, photos)
    assert code == 0
    assert "1 of 3 already done" in out


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for one process")
def test_ctrl_c_in_the_middle_of_a_picture_leaves_no_trace_of_it(photos, tmp_path):
    environment = {k: v for k, v in os.environ.items() if k != "TQDM_DISABLE"}
    environment |= {"PYTHONPATH": str(ROOT), "DREAMKIT_PROFILE": "ci"}
    call = [sys.executable, "-m", "dreamkit", *map(str, STYLE), str(photos), "--steps", "100"]
    with subprocess.Popen(
        call,
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    ) as run:  # a shell may have switched SIGINT off for what it starts in the background
        until = time.monotonic() + 60
        while not list(tmp_path.glob("outputs/*.json")) and time.monotonic() < until:
            time.sleep(0.01)
        time.sleep(0.2)
        run.send_signal(signal.SIGINT)
        out, err = run.communicate()
    assert run.returncode == 130
    assert err.splitlines()[-1] == "dreamkit: stopped"
    ends = [path.suffix for path in (tmp_path / "outputs").iterdir()]
    assert len(ends) in (3, 6), "one or two pictures, and nothing half finished"
    assert {ends.count(end) for end in (".csv", ".json", ".png")} == {len(ends) // 3}
    assert "1 of 3 pictures" in err, "no progress bar"
    assert " left" in err
    assert "1 of 3" not in out


# Which pictures


def test_folders_patterns_names_and_files_are_expanded_in_order_and_once(photos, monkeypatch):
    monkeypatch.chdir(photos.parent)
    shutil.copy(photos / "coffee.png", photos / "LOUD.PNG")
    (photos / "deep").mkdir()
    shutil.copy(photos / "coffee.png", photos / "deep" / "[odd].png")
    found = expand(["photos/c*.png", "rocket", str(photos), "photos/**/*odd*"], "outputs")
    names = ["chelsea.png", "coffee.png", "rocket", "LOUD.PNG", "astronaut.png", "[odd].png"]
    assert [Path(name).name for name in found] == names
    assert expand(["photos/deep/[odd].png"], "outputs") == ["photos/deep/[odd].png"]
    assert expand(["https://x.org/a.jpg?size=3"], "out") == ["https://x.org/a.jpg?size=3"]


def test_a_sample_is_preferred_to_a_folder_of_that_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("coffee").mkdir()
    assert is_single(["coffee"])
    assert not is_single(["."])
    assert not is_single(["c*"])


@pytest.mark.parametrize("nothing", ["photos/*.gif", "photos/*.txt", "empty", "nowhere/*"])
def test_a_folder_or_pattern_without_a_picture_ends_everything(command, photos, nothing):
    Path("empty").mkdir()
    code, _, err = command(*STYLE, photos, nothing)
    assert code == 2
    assert err.count("\n") == 1
    assert f"'{nothing}'" in err
    assert not Path("outputs").exists()


def test_photos_with_the_same_name_do_not_collide(command, photos):
    save_image("two/coffee.jpg", load_image("rocket", 64))
    code, _, _ = command(*STYLE, photos / "coffee.png", "two/coffee.jpg")
    assert code == 0
    own = [names(photo)[1] for photo in (str(photos / "coffee.png"), "two/coffee.jpg")]
    assert [name[:-6] for name in own] == ["photos-coffee-", "two-coffee-"]
    assert pictures("outputs") == sorted(f"{name}-mosaic.png" for name in own)


def test_a_result_keeps_its_name_whichever_photos_come_and_go(command, photos):
    first = str(photos / "coffee.png")
    command(*STYLE, first, photos / "chelsea.png")
    before = stamp("outputs")
    save_image("two/coffee.jpg", load_image("rocket", 64))
    new = f"{names('two/coffee.jpg')[1]}-mosaic.png"
    code, out, _ = command(*STYLE, first, "two/coffee.jpg")
    assert (code, "1 of 2 already done" in out) == (0, True)
    assert pictures("outputs") == sorted(["chelsea-mosaic.png", "coffee-mosaic.png", new])
    assert before.items() <= stamp("outputs").items()
    code, out, _ = command(*STYLE, "two")
    assert (code, "1 of 1 already done" in out) == (0, True)


def test_another_photos_result_is_not_in_the_way(command, photos):
    command(*STYLE, photos / "coffee.png", photos / "chelsea.png")
    before = stamp("outputs")
    save_image("two/coffee.png", load_image("rocket", 64))
    assert command(*STYLE, "two")[0] == 0
    assert f"{names('two/coffee.png')[1]}-mosaic.png" in pictures("outputs")
    assert before.items() <= stamp("outputs").items()


@pytest.mark.parametrize("earlier", ["photos-coffee", "coffee-png", "photos-coffee-png"])
def test_names_that_earlier_versions_gave_are_found(earlier, photos, tmp_path):
    photo = str(photos / "coffee.png")
    place = tmp_path / "outputs" / f"{earlier}-x.png"
    assert make_batch([photo], tmp_path / "outputs").paths[photo] != place
    style_transfer(photo, "mosaic", profile="ci", size=64, steps=1, progress=False).save(place)
    assert make_batch([photo, "two/coffee.png"], tmp_path / "outputs").paths[photo] == place


@pytest.mark.parametrize(
    "photos",
    [
        ["cat.jpg", "CAT.png", "cat.gif"],
        ["a/cat.jpg", "b/cat.jpg", "a-cat.jpg"],
        ["x/a/cat.jpg", "y/a/cat.jpg", "chelsea", "b/chelsea.jpg"],
        ["cat.jpg", "cat.png", "cat-2.jpg"],
        ["https://x.org/cat.jpg", "https://y.org/cat.jpg", "/cat.png"],
        ["my cat.jpg", "my_cat.jpg"],
    ],
)
def test_names_are_distinct_on_any_file_system_and_the_same_each_time(photos, tmp_path):
    paths = make_batch(photos, tmp_path).paths
    assert paths == make_batch(photos[::-1], tmp_path).paths
    files = {path.name.casefold() for path in paths.values()}
    assert len(files) == len(photos)
    assert not any(set(file) & set('/\\:*?"<>| ') for file in files)


def make_batch(photos, out, **arguments):
    given = dict(style="mosaic", seed=1, size=64, steps=1, profile=profile("ci")) | arguments
    return batch.Batch(style_transfer, photos, "x", out, given, False, 1, None)


def test_photos_of_their_own_sizes_are_made_at_these(command, photos):
    save_image(photos / "chelsea.png", load_image("chelsea", 80), overwrite=True)
    code, _, err = command("style", "--style", "mosaic", "--steps", 1, "--size", "own", photos)
    assert (code, err.count("dreamkit:")) == (0, 0)
    sides = [max(load_image(f"outputs/{name}").shape) for name in MADE]
    assert sides == [64, 80, 64]


# What is wrong with the call as a whole


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("style --style nosuch", "nosuch"),
        ("style --backbone alexnet", "alexnet"),
        ("style --size 8", "too small"),
        ("style --size 1000000", "too large"),
        ("style --out one.png", "one.png"),
        ("style --workers 2 --scheduler tcp://127.0.0.1:9", "workers"),
        ("style --scheduler tcp://127.0.0.1:9", "tcp://127.0.0.1:9"),
        ("style --overwrite --style nosuch", "nosuch"),
        ("dream --layer nosuch", "nosuch"),
        ("dream --label goldfisch", "goldfish"),
        ("dream --size 8", "too small"),
        ("combine --size 8", "too small"),
        ("combine --order both", "both"),
    ],
)
def test_a_wrong_call_is_one_line_before_the_first_picture(
    command, photos, arguments, words, monkeypatch
):
    monkeypatch.setattr("dreamkit.batch.jobs.CONNECT", 1)
    monkeypatch.setattr(batch.Batch, "work", None)
    verb, *options = arguments.split()
    code, _, err = command(verb, photos, *options)
    assert code == 2
    assert words in err
    assert err.count("\n") == 1
    assert not Path("outputs").exists()


def test_the_check_of_a_call_takes_no_step(monkeypatch, tmp_path):
    runs = []
    monkeypatch.setattr(batch, "make", lambda job: runs.append(MAKE(job)))
    arguments = dict(style="mosaic", seed=1, size=2000, profile=profile("ci"))
    for order in ("style-dream", "dream-style", "joint"):
        call = {**arguments, "order": order}
        batch.Batch(dream_style, ["chelsea"], "x", tmp_path, call, False, 1, None).check()
        assert set(runs[-1].history["step"]) == {0}
        assert runs[-1].image.shape == (256, 256, 3)
    call["size"] = 8
    small = batch.Batch(dream_style, ["chelsea"], "x", tmp_path, call, False, 1, None)
    with pytest.raises(ImageError, match="too small"):
        small.check()
