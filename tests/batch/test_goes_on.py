"""A batch goes on: whatever one file does is a line at the end, and nobody's work is lost."""

import errno
import itertools
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dreamkit import (
    DivergedError,
    ImageError,
    SettingsError,
    WeightsError,
    load_image,
    save_image,
    style_transfer,
)
from dreamkit.batch import batch
from dreamkit.batch.sources import expand
from dreamkit.images import read_metadata
from dreamkit.runs.run import METADATA_KEY, Run

ROOT = Path(__file__).parents[2]
STYLE = ("style", "--style", "mosaic", "--size", 48, "--steps", 1)
MAKE = batch.make


@pytest.fixture
def photos(tmp_path):
    """A folder with three small photos."""
    for name in ("astronaut", "chelsea", "coffee"):
        save_image(tmp_path / "photos" / f"{name}.png", load_image(name, 48))
    return tmp_path / "photos"


def pictures(folder):
    return sorted(path.name for path in Path(folder).glob("*.png"))


def reports(err):
    return [line for line in err.splitlines() if line.startswith("dreamkit: ")]


MADE = ["astronaut-mosaic.png", "chelsea-mosaic.png", "coffee-mosaic.png"]
SOME_RUN = Run(
    np.zeros((8, 8, 3), "float32"),
    pd.DataFrame({"step": [0], "phase": ["style 1/1"], "total": [1.0], "seconds": [0.0]}),
)


# Whatever one file does


ERRORS = [
    MemoryError(),
    ZeroDivisionError("ours"),
    RecursionError("too deep"),
    KeyError("inputs"),
    UnicodeEncodeError("utf-8", "\udce9t\udce9", 0, 1, "surrogates not allowed"),
    OSError(errno.ENAMETOOLONG, "File name too long"),
    ImageError("'x' is damaged: choose another."),
    AssertionError(),
]


def fail_with(errors):
    """In the place of `make`: raises the error for each name that a photo has, if any."""

    def make(job):
        if job.path and (error := errors.get(Path(job.photo).stem)):
            raise error
        SOME_RUN.settings = {**job.settings, "weights": {}}
        return SOME_RUN

    return make


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_whatever_error_one_picture_raises_is_one_line_and_the_others_are_made(
    error, command, photos, monkeypatch
):
    monkeypatch.setattr(batch, "make", fail_with({"chelsea": error}))
    code, _, err = command(*STYLE, photos)
    assert code == 1
    assert len(reports(err)) == 1
    assert "chelsea.png" in reports(err)[0]
    assert "Traceback" not in err
    assert pictures("outputs") == [MADE[0], MADE[2]]


@pytest.mark.parametrize("place", ["job", "save"])
def test_errors_before_and_after_the_work_are_one_line_too(place, command, photos, monkeypatch):
    whole = getattr(batch.Batch, place)

    def fail(self, photo, *args, **options):
        if "chelsea" in str(getattr(photo, "photo", photo)):
            raise MemoryError
        return whole(self, photo, *args, **options)

    monkeypatch.setattr(batch, "make", fail_with({}))
    monkeypatch.setattr(batch.Batch, place, fail)
    code, _, err = command(*STYLE, photos)
    assert code == 1
    assert len(reports(err)) == 1
    assert "chelsea.png" in reports(err)[0]
    assert pictures("outputs") == [MADE[0], MADE[2]]


def check_random_errors(seed, command, photos, monkeypatch):
    """A line for each picture to which anything happens, and the others; returns how many."""
    chosen = random.Random(seed)
    stems = [path.stem for path in photos.iterdir()]
    errors = {stem: chosen.choice([None, *ERRORS]) for stem in stems}
    failed = {stem for stem, error in errors.items() if error}
    with monkeypatch.context() as patch:
        patch.setattr(batch, "make", fail_with(errors))
        code, _, err = command(*STYLE, photos, "--out", f"out{seed}")
    assert code == (1 if failed else 0)
    assert len(reports(err)) == len(failed)
    assert pictures(f"out{seed}") == sorted(f"{s}-mosaic.png" for s in set(stems) - failed)
    return len(failed)


def test_random_errors_cost_only_their_own_pictures(command, photos, monkeypatch, tried):
    failed = sum(check_random_errors(seed, command, photos, monkeypatch) for seed in range(4))
    tried("random errors in a batch", failed)


@pytest.mark.slow
def test_many_random_errors_cost_only_their_own_pictures(command, photos, monkeypatch, tried):
    for number in range(9):
        shutil.copy(photos / "coffee.png", photos / f"more{number}.png")
    seeds = range(100, 200)
    failed = sum(check_random_errors(seed, command, photos, monkeypatch) for seed in seeds)
    tried("random errors in a batch", failed)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
def test_a_name_that_is_not_utf8_is_made(command, photos):
    odd = os.fsencode(photos) + b"/\xe9t\xe9.png"
    shutil.copy(photos / "coffee.png", os.fsdecode(odd))
    (photos / "bad.png").write_bytes(b"no picture")
    code, out, err = command(*STYLE, photos, "--seed", 1)
    assert code == 1
    assert len(reports(err)) == 1
    assert "\\xe9t\\xe9-mosaic.png" in out
    made = os.fsencode("outputs") + b"/\xe9t\xe9-mosaic"
    assert all(os.path.exists(made + end) for end in (b".png", b".json", b".csv"))
    assert "4 of 5 already done" in command(*STYLE, photos, "--seed", 1)[1]


def test_a_name_too_long_for_its_result_is_shortened(command, photos):
    for number in (1, 2):
        shutil.copy(photos / "coffee.png", photos / f"long_{'x' * 240}{number}.png")
    code, _, err = command(*STYLE, photos, "--seed", 1)
    assert (code, reports(err)) == (0, [])
    assert len(pictures("outputs")) == 5
    assert "5 of 5 already done" in command(*STYLE, photos, "--seed", 1)[1]
    code, _, _ = command(*STYLE, photos / f"long_{'x' * 240}1.png", "--out", "one")
    assert code == 0
    assert pictures("one")[0] in pictures("outputs")


# The user's own files


def test_a_photo_with_a_json_of_its_name_is_not_taken_for_a_result(command, photos):
    for name, text in {"chelsea": "{}", "coffee": '{"title": "a cup"}', "astronaut": "no"}.items():
        (photos / f"{name}.json").write_text(text)
    assert len(expand([str(photos)], photos)) == 3
    code, _, err = command(*STYLE, photos, "--out", photos, "--seed", 1)
    assert (code, reports(err)) == (0, [])
    assert len(pictures(photos)) == 6
    assert "3 of 3 already done" in command(*STYLE, photos, "--out", photos, "--seed", 1)[1]


def test_a_result_that_lost_its_json_is_not_taken_for_a_photo(command, photos):
    command(*STYLE, photos, "--out", photos, "--seed", 1)
    (photos / "chelsea-mosaic.json").unlink()
    assert sorted(Path(p).stem for p in expand([str(photos)], photos)) == [
        *("astronaut", "chelsea", "coffee")
    ]


@pytest.mark.parametrize(
    "text",
    [
        *("{}", "[]", "null", "3", '"text"', "{", ""),
        '{"recipe": "style_transfer"}',
        '{"recipe": "zoom_dream", "inputs": {}, "arguments": {}, "profile": {}, "seed": 1}',
        '{"recipe": "style_transfer", "inputs": [], "arguments": 3, "profile": {}, "seed": 1}',
        '{"recipe": "style_transfer", "weights": [1], "inputs": {}, "arguments": {}, "seed": 1}',
        '{"recipe": ["style_transfer"]}',
        "[" * 100_000,
    ],
)
def test_any_json_in_the_place_of_a_result_is_kept_and_reported(text, command, photos, monkeypatch):
    monkeypatch.setattr(batch, "make", fail_with({}))
    Path("outputs").mkdir()
    Path("outputs/chelsea-mosaic.json").write_text(text)
    code, _, err = command(*STYLE, photos)
    assert code == 1
    assert len(reports(err)) == 1
    assert "chelsea" in reports(err)[0]
    assert Path("outputs/chelsea-mosaic.json").read_text() == text
    assert pictures("outputs") == [MADE[0], MADE[2]]


# Work that is done is not lost


def test_a_place_taken_meanwhile_costs_no_work(command, photos, monkeypatch):
    def make(job):
        if job.path and "chelsea" in job.photo:
            job.path.parent.mkdir(exist_ok=True)
            job.path.write_bytes(b"mine")
        return MAKE(job)

    monkeypatch.setattr(batch, "make", make)
    code, _, err = command(*STYLE, photos, "--seed", 1)
    assert code == 1
    assert Path("outputs/chelsea-mosaic.png").read_bytes() == b"mine"
    assert "chelsea-mosaic-2.png" in reports(err)[0]
    single = style_transfer(
        *(photos / "chelsea.png", "mosaic"), steps=1, size=48, seed=1, profile="ci", progress=False
    )
    saved = load_image("outputs/chelsea-mosaic-2.png")
    assert np.abs(saved - single.image).max() <= 0.5001 / 255


def test_a_run_that_diverges_saves_its_best_picture(command, photos, monkeypatch):
    best = Run(SOME_RUN.image, SOME_RUN.history)
    error = DivergedError("The total became nan; the best picture so far is in this error", best)
    monkeypatch.setattr(batch, "make", fail_with({"chelsea": error}))
    code, _, err = command(*STYLE, photos)
    assert code == 1
    assert "chelsea-mosaic-diverged.png" in reports(err)[0]
    noted = json.loads(Path("outputs/chelsea-mosaic-diverged.json").read_text("utf-8"))
    assert noted["stopped"] == "diverged"


def test_a_photo_that_vanishes_costs_only_its_transparency(command, photos, monkeypatch):
    def make(job):
        run = fail_with({})(job)
        if job.path and "chelsea" in job.photo:
            os.unlink(job.photo)
        return run

    monkeypatch.setattr(batch, "make", make)
    code, _, err = command(*STYLE, photos, "--keep-alpha")
    assert code == 1
    assert len(reports(err)) == 1
    assert "transparency could not be kept" in reports(err)[0]
    assert pictures("outputs") == MADE


# Weights


def test_a_picture_made_with_other_weights_is_reported_and_kept(command, photos, monkeypatch):
    command(*STYLE, photos, "--seed", 1)
    before = {path: path.read_bytes() for path in Path("outputs").iterdir()}
    record = {"backbone": {"name": "squeezenet", "sha256": "0" * 64}}
    monkeypatch.setattr("dreamkit.runs.identity.weights", lambda given: record)
    code, _, err = command(*STYLE, photos, "--seed", 1)
    assert code == 1
    assert err.count("made with other weights of squeezenet") == 3
    assert {path: path.read_bytes() for path in Path("outputs").iterdir()} == before


def test_a_worker_with_other_weights_is_refused(photos, tmp_path, monkeypatch):
    from dreamkit import profile

    arguments = dict(style="mosaic", size=48, steps=0, seed=1, profile=profile("ci"))
    made = batch.Batch(style_transfer, [str(photos)], "x", tmp_path, arguments, False, 1, None)
    made.check()
    job = made.job(str(photos / "coffee.png"), tmp_path / "made.png")
    assert MAKE(job).settings["weights"] == made.weights
    record = {"backbone": {"name": "squeezenet", "sha256": "0" * 64}}
    monkeypatch.setattr("dreamkit.runs.identity.weights", lambda given: record)
    with pytest.raises(SettingsError, match="other weights of squeezenet than"):
        MAKE(job)


def test_weights_that_cannot_be_loaded_end_everything_before_the_work(command, photos, monkeypatch):
    def missing(given):
        raise WeightsError("There are no weights: fetch them.")

    monkeypatch.setattr("dreamkit.runs.identity.weights", missing)
    code, _, err = command(*STYLE, photos)
    assert (code, reports(err)) == (2, ["dreamkit: There are no weights: fetch them."])


# Two batches at once, and batches that are killed


def assert_whole(folder, names):
    """Every picture is complete, and its three files are of one run."""
    assert pictures(folder) == names
    assert len(list(Path(folder).glob("[!.]*"))) == 3 * len(names)
    for name in names:
        path = Path(folder, name)
        inside = json.loads(read_metadata(path)[METADATA_KEY])
        assert inside == json.loads(path.with_suffix(".json").read_text("utf-8"))
        assert len(pd.read_csv(path.with_suffix(".csv"))) == 2


def test_a_batch_in_the_middle_of_another_leaves_each_picture_once(
    command, photos, monkeypatch, tried
):
    """The other one makes all pictures while this one is at its first, with seeds of its own."""
    inner = []

    def make(job):
        if job.path and not inner:
            inner.append(None)
            inner[0] = command(*STYLE, photos)
        return MAKE(job)

    monkeypatch.setattr(batch, "make", make)
    code, _, err = command(*STYLE, photos)
    assert inner[0][0] == code == 0
    assert reports(err) == []
    assert_whole("outputs", MADE)
    tried("pairs of batches at once")


def start_batch(folder, *options):
    environment = os.environ | {"PYTHONPATH": str(ROOT), "DREAMKIT_PROFILE": "ci"}
    call = [sys.executable, "-m", "dreamkit", *map(str, STYLE), "photos", *map(str, options)]
    quiet = dict(stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return subprocess.Popen(call, cwd=folder, env=environment, **quiet)


@pytest.mark.slow
def test_two_batches_at_once_make_every_picture_once(command, photos, tmp_path, tried):
    for number in range(9):
        shutil.copy(photos / "coffee.png", photos / f"more{number}.png")
    both = [start_batch(tmp_path) for _ in range(2)]
    assert [run.wait(timeout=300) for run in both] == [0, 0]
    names = sorted([*MADE, *(f"more{number}-mosaic.png" for number in range(9))])
    assert_whole(tmp_path / "outputs", names)
    tried("pairs of batches at once")


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL on Windows")
def test_batches_that_are_killed_at_random_are_continued(command, photos, tmp_path, tried):
    for number in range(9):
        shutil.copy(photos / "coffee.png", photos / f"more{number}.png")
    chosen, killed = random.Random(4), 0
    for _ in itertools.count():
        run = start_batch(tmp_path, "--seed", 1)
        count = len(list(tmp_path.glob("outputs/*.json")))
        until = time.monotonic() + 120
        while run.poll() is None and time.monotonic() < until:
            if len(list(tmp_path.glob("outputs/*.json"))) > count + 1:
                time.sleep(chosen.uniform(0, 0.3))
                run.send_signal(signal.SIGKILL)
                killed += 1
                break
            time.sleep(0.01)
        if run.wait(timeout=120) == 0:
            break
    assert killed >= 3
    assert command(*STYLE, photos, "--seed", 1, "--out", "undisturbed")[0] == 0
    names = pictures("undisturbed")
    for hidden in tmp_path.glob("outputs/.*"):
        hidden.unlink()
    assert_whole(tmp_path / "outputs", names)
    for name in names:
        again, whole = (load_image(tmp_path / f / name) for f in ("outputs", "undisturbed"))
        assert np.abs(again - whole).max() <= 2 / 255
    tried("batches killed and continued", killed)
