"""Work is never lost at its end: a picture is saved where it belongs or nearby; old files stay."""

import errno
import itertools
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from dreamkit import (
    DivergedError,
    ImageError,
    deep_dream,
    dream_style,
    load_image,
    rerun,
    save_image,
    style_transfer,
)
from dreamkit.commands.making import free_path
from dreamkit.images import read_metadata
from dreamkit.inputs import files
from dreamkit.inputs.files import replacing, replacing_all, shortened
from dreamkit.runs.recorder import Recorder
from dreamkit.runs.run import METADATA_KEY, Run
from dreamkit.runs.saving import save_somewhere, spelled


def made(seed, **settings):
    """A run with a picture of noise, whose settings and history tell which."""
    image = np.random.default_rng(seed).random((8, 8, 3), "float32")
    history = pd.DataFrame({"step": [0], "phase": ["a"], "total": [seed], "seconds": [0.0]})
    return Run(image, history, {"recipe": "deep_dream", "seed": seed, **settings})


def contents(folder):
    return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


def no_space(*_args, **_options):
    raise OSError(errno.ENOSPC, "No space left on device")


# A failed save leaves everything as it was


class Fault:
    """Makes the n-th file operation of a save fail, whichever it is."""

    def __init__(self, patch, number):
        self.left = number
        for module, name in ((os, "replace"), (os, "link")):
            patch.setattr(module, name, self.failing(getattr(module, name)))
        for name in ("write_text", "write_bytes"):
            patch.setattr(Path, name, self.failing(getattr(Path, name)))
        patch.setattr(Image.Image, "save", self.failing(Image.Image.save))

    def failing(self, operation):
        def call(*args, **options):
            self.left -= 1
            if self.left == 0:
                no_space()
            return operation(*args, **options)

        return call


@pytest.mark.parametrize("overwrite", [True, False])
def test_whatever_fails_while_saving_the_files_are_the_old_or_the_new_ones(
    overwrite, tmp_path, monkeypatch
):
    path = tmp_path / "made.png"
    made(1).save(tmp_path / "new" / "made.png")
    new = contents(tmp_path / "new")
    shutil.rmtree(tmp_path / "new")
    old = {}
    if overwrite:
        made(2).save(path)
        old = contents(tmp_path)
    for number in itertools.count(1):
        with monkeypatch.context() as patch:
            fault, failed = Fault(patch, number), False
            try:
                made(1).save(path, overwrite=overwrite)
            except (ImageError, OSError):
                failed = True
        left = contents(tmp_path)
        if not failed:
            assert left == new, number
        else:
            assert left == old, number
        if fault.left > 0:
            break
        for file in tmp_path.iterdir():
            file.unlink()
        for name, content in old.items():
            (tmp_path / name).write_bytes(content)
    assert number > 5


def test_a_disk_that_fills_up_keeps_the_old_picture(tmp_path, monkeypatch):
    path = made(1).save(tmp_path / "made.png")
    before = contents(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_text", no_space)  # the settings, which come last
        with pytest.raises(OSError, match="No space left"):
            made(2).save(path, overwrite=True)
    assert contents(tmp_path) == before


def test_two_processes_cannot_both_save_a_new_picture(tmp_path, monkeypatch):
    path = tmp_path / "made.png"
    check = files.os.path.exists

    def other_is_quicker(checked):
        found = check(checked)
        if Path(checked).name == "made.csv":  # both have just looked, and found nothing
            with monkeypatch.context() as patch:
                patch.setattr(files.os.path, "exists", check)
                made(1).save(path)
        return found

    monkeypatch.setattr(files.os.path, "exists", other_is_quicker)
    with pytest.raises(ImageError, match=r"made\.png' has appeared"):
        made(2).save(path)
    monkeypatch.undo()
    assert json.loads(path.with_suffix(".json").read_text("utf-8"))["seed"] == 1
    assert json.loads(read_metadata(path)[METADATA_KEY])["seed"] == 1
    assert len(contents(tmp_path)) == 3


def test_a_file_system_without_links_is_fine(tmp_path, monkeypatch):
    def unknown(*_args):
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", unknown)
    made(1).save(tmp_path / "made.png")
    assert len(contents(tmp_path)) == 3
    with pytest.raises(ImageError, match="already exists"):
        made(2).save(tmp_path / "made.png")
    with (
        pytest.raises(FileExistsError),
        replacing_all([tmp_path / "made.png"], overwrite=False) as parts,
    ):
        parts[0].write_bytes(b"other")


# Nearby


def test_a_file_that_came_meanwhile_is_kept_and_the_picture_saved_next_to_it(tmp_path):
    path = tmp_path / "made.png"
    path.with_suffix(".json").write_bytes(b"mine")
    where, problem = save_somewhere(made(1), path)
    assert where == tmp_path / "made-2.png"
    assert "made.json' already exists" in problem
    assert f"the picture is in '{where}' instead" in problem
    assert path.with_suffix(".json").read_bytes() == b"mine"
    assert save_somewhere(made(1), path)[0] == tmp_path / "made-3.png"


def test_a_folder_that_became_a_file_or_read_only_is_replaced_by_the_next_best(
    tmp_path, monkeypatch
):
    (tmp_path / "here").mkdir()
    (tmp_path / "temporary").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "gone").write_bytes(b"a file now")
    where, problem = save_somewhere(made(1), tmp_path / "gone" / "made.png")
    assert where.parent == tmp_path / "here"
    assert str(tmp_path / "gone" / "made.png") in problem
    shutil.rmtree(tmp_path / "here")
    (tmp_path / "here").write_bytes(b"a file, too")
    monkeypatch.setattr(Path, "cwd", lambda: tmp_path / "here")
    where, _ = save_somewhere(made(1), tmp_path / "gone" / "made.png")
    assert where.parent == tmp_path / "temporary"


def test_a_working_directory_that_vanished_costs_nothing(tmp_path, monkeypatch):
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    where, problem = save_somewhere(made(1), Path("outputs", "made.png"))
    assert where.parent == tmp_path / "temporary"
    assert "outputs" in problem
    assert len(contents(tmp_path / "temporary")) == 3


def test_a_vanished_folder_is_made_again(tmp_path):
    where, problem = save_somewhere(made(1), tmp_path / "gone" / "made.png")
    assert problem is None
    assert where.is_file()


def test_if_it_can_be_saved_nowhere_the_first_reason_is_raised(tmp_path, monkeypatch):
    monkeypatch.setattr("PIL.Image.Image.save", no_space)
    with pytest.raises(ImageError, match=r"made\.png' could not be written \(No space left"):
        save_somewhere(made(1), tmp_path / "made.png")
    assert contents(tmp_path) == {}


@pytest.mark.parametrize(
    ("reason", "word"), [("interrupted", "stopped"), ("callback", "stopped"), ("diverged",) * 2]
)
def test_the_name_of_an_unfinished_picture_says_so(reason, word, tmp_path):
    run = made(1, stopped=reason)
    path = tmp_path / "made.png"
    assert save_somewhere(run, path)[0].name == f"made-{word}.png"
    assert save_somewhere(run, path)[0].name == f"made-{word}-2.png"
    assert save_somewhere(run, path, overwrite=True)[0].name == f"made-{word}.png"
    assert not path.exists()


# Names


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
def test_a_name_that_is_not_utf8_is_saved_and_made_again(tmp_path):
    photo = os.fsencode(tmp_path) + b"/\xe9t\xe9.png"
    save_image(tmp_path / "photo.png", load_image("chelsea", 48))
    os.rename(tmp_path / "photo.png", photo)
    run = style_transfer(
        os.fsdecode(photo), "mosaic", steps=1, seed=1, size=48, profile="ci", progress=False
    )
    path = run.save(os.fsdecode(os.fsencode(tmp_path) + b"/d\xe9j\xe0.png"))
    assert json.loads(path.with_suffix(".json").read_text("utf-8")) == run.settings
    for file in (path, path.with_suffix(".json")):
        assert np.array_equal(rerun(file, progress=False).image, run.image)
    assert spelled(path).endswith("d\\xe9j\\xe0.png")


@pytest.mark.parametrize("stem", ["x" * 240, "x" * 255, "é" * 200, "a" + "日本" * 60, "a.b" * 80])
def test_a_long_name_is_shortened_so_that_its_files_can_be_written(stem, tmp_path):
    path = tmp_path / f"{shortened(stem, '.png')}.png"
    made(1).save(path)
    assert len(contents(tmp_path)) == 3
    assert shortened(stem, ".png") == shortened(stem, ".png")
    assert shortened(f"{stem}1", ".png") != shortened(f"{stem}2", ".png")
    assert shortened("short", ".png") == "short"


@pytest.mark.parametrize("size", range(240, 256))
@pytest.mark.parametrize("suffix", [".png", ".webp"])
def test_a_long_name_that_is_accepted_loses_no_picture_however_its_run_ends(size, suffix, tmp_path):
    path = tmp_path / f"{'x' * (size - len(suffix))}{suffix}"
    if len(path.stem) + len(".json") > 255:
        with pytest.raises(ImageError, match="choose a shorter one"):
            free_path(path, "chelsea", "", False)
        return
    assert free_path(path, "chelsea", "", False) == path
    names = [save_somewhere(made(1), path)[0].stem for _ in range(2)]
    for reason, word in {"interrupted": "stopped", "diverged": "diverged"}.items():
        ended = [save_somewhere(made(1, stopped=reason), path)[0].stem for _ in range(3)]
        assert ended[0].endswith(f"-{word}")
        assert [stem.rpartition(f"-{word}")[2] for stem in ended] == ["", "-2", "-3"]
        names += ended
    assert names[0] == path.stem
    assert len(contents(tmp_path)) == 3 * len(set(names)) == 24


@pytest.mark.parametrize("number", [errno.ENAMETOOLONG, errno.EILSEQ, errno.EINVAL])
def test_a_name_that_the_file_system_cannot_spell_is_found_before_the_work(
    number, tmp_path, monkeypatch
):
    """Some file systems have no letters but their own, as macOS's, a USB stick's or a NAS's."""

    def refused(path, **_options):
        raise OSError(number, os.strerror(number), str(path))

    with monkeypatch.context() as patch:
        patch.setattr(os, "lstat", refused)
        with pytest.raises(ImageError, match=r"made\.png' cannot be a file's name: choose"):
            files.check_room(tmp_path / "made.png")
    files.check_room(tmp_path / "made.png")


def test_a_name_with_many_dots_can_be_written(tmp_path):
    path = tmp_path / f"{'a.' * 120}txt"
    with replacing(path) as part:
        part.write_text("all of it")
    assert path.read_text() == "all of it"


# Runs that diverge


def poison(patch, phase):
    """Make the total of a phase NaN from its first step on."""
    record = Recorder.record

    def poisoned(self, step, total, *others):
        record(self, step, np.nan if (self.phase, step) == (phase, 1) else total, *others)

    patch.setattr(Recorder, "record", poisoned)


def test_a_run_that_diverges_in_a_later_phase_keeps_the_picture_so_far(monkeypatch):
    options = dict(steps=2, octaves=2, size=64, seed=1, profile="ci", progress=False)
    for phase, rows in {"octave 1/2": 1, "octave 2/2": 3 + 1}.items():
        with monkeypatch.context() as patch:
            poison(patch, phase)
            with pytest.raises(DivergedError) as caught:
                deep_dream("chelsea", **options)
        run = caught.value.run
        assert run.image.shape == (43, 64, 3)
        assert run.settings["stopped"] == "diverged"
        assert run.settings["stopped_at"] == [phase, 0]
        assert len(run.history) == rows


def test_a_combination_that_diverges_in_its_second_half_keeps_the_first(monkeypatch):
    options = dict(steps=2, octave_steps=2, octaves=1, size=48, profile="ci", progress=False)
    with monkeypatch.context() as patch:
        patch.setattr("dreamkit.recipes.Dream", diverge)
        with pytest.raises(DivergedError) as caught:
            dream_style("chelsea", "mosaic", **options)
    run = caught.value.run
    assert run.image.shape == (32, 48, 3)
    assert run.settings["stopped_at"] == ["style 1/1", 2]


def diverge(*_args):
    raise DivergedError("The total became nan at step 0: lower learning_rate.", None)
