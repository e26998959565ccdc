"""Runs and checkpoints: what they save, and that no file is lost or half-written."""

import io
import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from dreamkit import ImageError, SettingsError, TotalVariation, descend, style_transfer
from dreamkit.images import read_metadata
from dreamkit.inputs.files import check_folder
from dreamkit.runs.checkpoint import Checkpoint
from dreamkit.runs.run import METADATA_KEY, concatenate


@pytest.fixture(scope="module")
def run():
    """A minimal style transfer."""
    options = dict(steps=2, seed=3, size=48, profile="ci", progress=False)
    return style_transfer("chelsea", "mosaic", **options)


@pytest.fixture
def loop_run():
    """A run without a recipe."""
    noise = np.random.default_rng(0).random((8, 12, 3), "float32")
    return descend(noise, TotalVariation(), 2, progress=False)


def test_a_run_is_its_picture_to_numpy(run):
    assert np.array_equal(np.asarray(run), run.image)
    assert np.asarray(run, "float64").dtype == np.float64
    assert run.image.dtype == np.float32
    assert run.image.shape == (32, 48, 3)


def test_a_run_shows_itself(run, loop_run):
    assert repr(run) == "<Run style_transfer: 48×32 px, 3 rows of history>"
    assert repr(loop_run) == "<Run run: 12×8 px, 3 rows of history>"
    with Image.open(io.BytesIO(run._repr_jpeg_())) as shown:
        assert shown.size == (48, 32)


def test_save_writes_picture_settings_and_history(run, tmp_path):
    path = run.save(tmp_path / "new" / "folder" / "cat.png")
    assert sorted(p.name for p in path.parent.iterdir()) == ["cat.csv", "cat.json", "cat.png"]
    with Image.open(path) as picture:
        assert np.array_equal(np.asarray(picture), np.rint(run.image * 255))
    table = pd.read_csv(path.with_suffix(".csv"))
    pd.testing.assert_frame_equal(table, run.history)


def test_the_png_and_the_json_carry_the_same_settings(run, tmp_path):
    path = run.save(tmp_path / "cat.png")
    inside = json.loads(read_metadata(path)[METADATA_KEY])
    assert inside == json.loads(path.with_suffix(".json").read_text("utf-8")) == run.settings


def test_settings_are_plain_json_and_complete(run):
    assert json.loads(json.dumps(run.settings, allow_nan=False)) == run.settings
    assert set(run.settings) == {
        "recipe",
        "inputs",
        "arguments",
        "seed",
        "profile",
        "versions",
        "weights",
    }
    assert run.settings["seed"] == 3
    assert run.settings["arguments"]["steps"] == 2
    assert run.settings["inputs"]["content"]["source"] == "chelsea"
    assert len(run.settings["inputs"]["style"]["sha256"]) == 64
    assert {"dreamkit", "python", "tensorflow", "keras", "numpy"} <= set(run.settings["versions"])


@pytest.mark.parametrize("existing", ["cat.png", "cat.json", "cat.csv"])
def test_save_never_overwrites_unless_asked(run, tmp_path, existing):
    (tmp_path / existing).write_bytes(b"original")
    with pytest.raises(ImageError, match=f"{existing}' already exists"):
        run.save(tmp_path / "cat.png")
    assert [p.name for p in tmp_path.iterdir()] == [existing]
    assert (tmp_path / existing).read_bytes() == b"original"
    run.save(tmp_path / "cat.png", overwrite=True)
    assert (tmp_path / existing).read_bytes() != b"original"


def test_a_jpegs_settings_are_next_to_it(run, tmp_path):
    path = run.save(tmp_path / "cat.jpg")
    with Image.open(path) as picture:
        assert picture.format == "JPEG"
    assert json.loads(path.with_suffix(".json").read_text("utf-8")) == run.settings


def test_a_run_without_a_recipe_can_be_saved_too(loop_run, tmp_path):
    path = loop_run.save(tmp_path / "noise.png")
    assert json.loads(path.with_suffix(".json").read_text()) == {}


def test_the_home_folder_may_be_a_tilde(loop_run, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    loop_run.save("~/cat.png")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["cat.csv", "cat.json", "cat.png"]


def test_concatenated_runs_keep_the_whole_history_and_the_last_picture(run):
    both = concatenate([run, run])
    assert np.array_equal(both.image, run.image)
    assert list(both.history["step"]) == [0, 1, 2, 0, 1, 2]
    assert both.history["seconds"].is_monotonic_increasing


# Checkpoints


def test_a_checkpoint_returns_the_saved_state(tmp_path):
    picture = np.random.default_rng(0).random((4, 5, 3), "float32")
    rows = [{"step": 0, "phase": "style 1/2", "total": 0.3, "seconds": 0.1}]
    state = dict(step=3, steps=9, total=0.1 + 0.2, rows=rows, picture=picture, slot0=np.array(7))
    Checkpoint(tmp_path / "run.npz").keep("style 1/2", state)
    again = Checkpoint(tmp_path / "run.npz").state("style 1/2")
    assert again.keys() == state.keys()
    assert again["total"] == state["total"]
    assert np.array_equal(again["picture"], picture)
    assert again["slot0"].dtype == np.int64
    assert Checkpoint(tmp_path / "run.npz").state("style 2/2") is None


def test_phases_with_a_common_prefix_are_kept_apart():
    checkpoint = Checkpoint()
    checkpoint.keep("octave 1", dict(step=1, picture=np.zeros(1)))
    checkpoint.keep("octave 1/2", dict(step=2, picture=np.ones(1)))
    assert checkpoint.state("octave 1")["picture"] == 0
    assert checkpoint.state("octave 1/2")["picture"] == 1


def test_a_checkpoint_is_never_half_written(tmp_path, monkeypatch):
    path = tmp_path / "run.npz"
    state = dict(step=1, steps=2, rows=[], total=None, picture=np.zeros((3, 3, 3)))
    Checkpoint(path).keep("a", state)
    before = path.read_bytes()

    def fail(file, **arrays):
        file.write(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(np, "savez", fail)
    with pytest.raises(OSError, match="disk full"):
        Checkpoint(path).keep("a", state | {"step": 2})
    assert path.read_bytes() == before


def test_a_checkpoint_is_due_after_its_time_and_only_with_a_file(tmp_path):
    assert Checkpoint(tmp_path / "run.npz", every=0).due()
    assert not Checkpoint(tmp_path / "run.npz", every=60).due()
    assert not Checkpoint(None, every=0).due()


def broken_files(folder):
    """{kind: bytes} of files that are not checkpoints."""
    intact = folder / "intact.npz"
    Checkpoint(intact).keep("a", dict(step=1, picture=np.zeros(999)))
    flipped = bytearray(intact.read_bytes())
    flipped[300] ^= 255
    np.save(folder / "array.npy", np.zeros(3))
    np.savez(folder / "other.npz", a=np.zeros(3))
    np.savez(folder / "objects.npz", notes=np.array({}, object))
    return {
        "empty": b"",
        "text": b"not a checkpoint",
        "truncated": intact.read_bytes()[:500],
        "flipped": bytes(flipped),
        "array": (folder / "array.npy").read_bytes(),
        "other": (folder / "other.npz").read_bytes(),
        "objects": (folder / "objects.npz").read_bytes(),
    }


@pytest.mark.parametrize(
    "kind", ["empty", "text", "truncated", "flipped", "array", "other", "objects"]
)
def test_a_file_that_is_not_a_checkpoint_is_a_settings_error(kind, tmp_path):
    path = tmp_path / "broken.npz"
    path.write_bytes(broken_files(tmp_path)[kind])
    with pytest.raises(SettingsError, match=r"broken\.npz is not a dreamkit checkpoint"):
        Checkpoint(path)


def test_a_folder_is_checked_before_the_work(tmp_path):
    (tmp_path / "file").write_text("original")
    check_folder(tmp_path / "new" / "folder")
    assert not (tmp_path / "new").exists()
    for wrong in (tmp_path / "file", tmp_path / "file" / "folder"):
        with pytest.raises(ImageError, match="choose another place"):
            check_folder(wrong)
        with pytest.raises(ImageError, match="choose another place"):
            Checkpoint(wrong / "run.npz")
