"""Files of ours from strangers: read right or refused in a sentence, and they can do no harm."""

import copy
import json
import zipfile
from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest
from mutated_weights import mutated

import dreamkit as dk
from dreamkit.film.reel import Reel, frames_folder
from dreamkit.images import read_metadata
from dreamkit.inputs import web
from dreamkit.large.memory import peak_memory
from dreamkit.study.cells import COLUMNS
from dreamkit.study.design import cells, design
from dreamkit.study.run import _read, _write, content_digest

SHORT = dict(backbone="squeezenet", octaves=1, steps=1, seed=1, profile="ci", progress=False)
TINY = dict(steps=1, seed=1, profile="ci", progress=False)
RECIPES = {
    "dream": lambda photo, **more: dk.deep_dream(photo, **SHORT, **more),
    "style": lambda photo, **more: dk.style_transfer(
        *(photo, [(photo, 1), ("mosaic", 0.5)]), octaves=1, style_mask=[(photo, 0)],
        content_mask=photo, **TINY, **more
    ),
    "combined": lambda photo, **more: dk.dream_style(
        *(photo, "mosaic", "style-dream"), octaves=1, octave_steps=1, size=48, dream_mask=photo,
        **TINY, **more
    ),
    "texture": lambda photo, **more: dk.texture(photo, 32, **TINY, **more),
    "channel": lambda photo, **more: dk.visualise(
        *("squeezenet", "fire2", 1), size=32, pictures=2, **TINY, **more
    ),
}  # fmt: skip
VALUES = (
    None, True, -1, 0, 10**9, 10**30, 0.5, float("nan"), float("inf"), "", "x" * 10_000, "chelsea",
    "made/by/settings.npz", "https://example.org/a.png", "//example.org/share/a.png", "/dev/zero",
    "/etc/passwd", "caf\udce9.png", "\0", [], [1], [[]], {}, {"a": 1}, [["style 1", 1.0]],
)  # fmt: skip
VALUES_OF_TABLES = (
    *(None, True, -1, 10**9, float("nan"), float("inf"), "x" * 10_000, [1, 2], {"a": 1}),
)
KEYS = (
    "checkpoint",
    "film",
    "out",
    "overwrite",
    "callback",
    "backbone",
    "steps",
    "x",
    "",
    "style 1",
)


@pytest.fixture(scope="module")
def originals(tmp_path_factory):
    """A folder with a photo, and the .png, .json and checkpoint (.npz) of every recipe."""
    folder = tmp_path_factory.mktemp("originals")
    noise = np.random.default_rng(0).random((48, 48, 3), "float32")
    photo = dk.save_image(folder / "photo.png", noise)
    for name, make in RECIPES.items():
        make(photo, checkpoint=folder / f"{name}.npz").save(folder / f"{name}.png")
    return folder


@pytest.fixture
def harmless(tmp_path, monkeypatch):
    """Function (call) → its Run, or None if it was refused; nothing is written or opened."""
    monkeypatch.chdir(tmp_path)
    opened = []
    monkeypatch.setattr(web, "fetch", lambda address: opened.append(address))

    def attempt(call):
        before = sorted(tmp_path.rglob("*"))
        try:
            run = call()
        except dk.DreamkitError as error:
            run = None
            check_sentence(str(error))
        else:
            assert np.isfinite(run.image).all()
            assert run.image.min() >= 0
            assert run.image.max() <= 1
        assert sorted(tmp_path.rglob("*")) == before
        assert not opened
        return run

    return attempt


def check_sentence(message):
    assert 0 < len(message) < 1000, message
    assert "\n" not in message, message


def changed(value, rng):
    """JSON values with one thing changed, somewhere in them."""
    value = copy.deepcopy(value)
    node = value
    while True:
        keys = list(node) if isinstance(node, dict) else range(len(node))
        key = keys[rng.integers(len(keys))]
        inner = node[key]
        if isinstance(inner, dict | list) and inner and rng.random() < 0.8:
            node = inner
            continue
        match rng.integers(3):
            case 0:
                node[key] = VALUES[rng.integers(len(VALUES))]
            case 1:
                del node[key]
            case 2 if isinstance(node, dict):
                node[KEYS[rng.integers(len(KEYS))]] = VALUES[rng.integers(len(VALUES))]
        return value


def mutate_settings(folder, numbers, harmless, tmp_path):
    """How many of these mutated settings made a picture."""
    wholes, made = in_turn(folder, "json"), 0
    for path in wholes:
        assert harmless(lambda path=path: dk.rerun(path, progress=False)), "the whole file"
    for number in numbers:
        rng = np.random.default_rng(number)
        path, whole = tmp_path / "made.json", wholes[number % len(wholes)].read_bytes()
        if number % 3:
            text = json.dumps(changed(json.loads(whole), rng))
            path.write_text(text, encoding="utf-8")
        else:
            path.write_bytes(mutated(whole, rng))
        made += harmless(lambda path=path: dk.rerun(path, progress=False)) is not None
    return made


def mutate_pngs(folder, numbers, harmless, tmp_path):
    wholes, made = in_turn(folder, "png")[:2], 0
    for path in wholes:
        assert harmless(lambda path=path: dk.rerun(path, progress=False)), "the whole file"
    for number in numbers:
        rng = np.random.default_rng(number)
        path, whole = tmp_path / "made.png", wholes[number % len(wholes)]
        if number % 3:
            text = json.dumps(changed(json.loads(read_metadata(whole)["dreamkit"]), rng))
            metadata = {"dreamkit": text[:250_000]}
            dk.save_image(path, dk.load_image(whole), overwrite=True, metadata=metadata)
        else:
            path.write_bytes(mutated(whole.read_bytes(), rng))
        made += harmless(lambda path=path: dk.rerun(path, progress=False)) is not None
    return made


def mutate_checkpoints(folder, numbers, harmless, tmp_path):
    wholes, made = in_turn(folder, "npz"), 0
    for path in wholes:
        assert harmless(lambda path=path: dk.resume(path, progress=False)), "the whole file"
    for number in numbers:
        rng = np.random.default_rng(number)
        path, whole = tmp_path / "run.npz", wholes[number % len(wholes)]
        if number % 3:
            with np.load(whole) as file:
                arrays = dict(file)
            notes = changed(json.loads(str(arrays.pop("notes"))), rng)
            others = {name: changed_array(x, rng) for name, x in arrays.items()}
            with open(path, "wb") as file:
                np.savez(file, notes=json.dumps(notes), **others)
        else:
            path.write_bytes(mutated(whole.read_bytes(), rng))
        made += harmless(lambda path=path: dk.resume(path, progress=False)) is not None
    return made


def in_turn(folder, suffix):
    """The files of every recipe with this suffix."""
    return [folder / f"{name}.{suffix}" for name in RECIPES]


def changed_array(array, rng):
    match rng.integers(40):
        case 0:
            return array[1:]
        case 1:
            return array.astype("float64")
        case 2:
            return array * np.float32(np.nan)
        case 3:
            return array.ravel()
        case 4:
            return np.array("text")
    return array


def mutate_films(folder, numbers, harmless, tmp_path):
    """How many of these mutated notes of unfinished films are continued."""
    path, settings, found = tmp_path / "film.gif", {"recipe": "zoom_dream", "seed": 1}, 0
    reel = Reel(path, settings)
    for number in range(3):
        reel.add(np.full((16, 16, 3), number / 2, "float32"), f"frame {number}")
    notes = frames_folder(path) / "film.json"
    whole = notes.read_bytes()
    assert len(Reel(path, settings)) == 3, "the whole film"
    for number in numbers:
        rng = np.random.default_rng(number)
        again = mutated(whole, rng)
        if number % 3:
            again = json.dumps(changed(json.loads(whole), rng)).encode()
        notes.write_bytes(again)
        try:
            found += len(Reel(path, settings)) > 0
        except dk.DreamkitError as error:
            check_sentence(str(error))
    return found


def mutate_tables(folder, numbers, harmless, tmp_path):
    """How many of these mutated results of a study are taken for whole."""
    cell, found = cells(design("quick", quiet=True))[0], 0
    row = dict.fromkeys(COLUMNS, 0.5) | asdict(cell) | {"cell": cell.digest, "origin": "photo"}
    path, original = tmp_path / "cell.parquet", pd.DataFrame([row])[list(COLUMNS)]
    _write(path, original)
    whole = path.read_bytes()
    pd.testing.assert_frame_equal(_read(path, [cell]), original)
    for number in numbers:
        rng = np.random.default_rng(number)
        if number % 3 == 0:
            path.write_bytes(mutated(whole, rng))
        else:  # one value, with the old digest or a new one
            column, value = rng.choice(COLUMNS), VALUES_OF_TABLES[rng.integers(9)]
            table = original.assign(**{column: [value]})
            table.attrs["sha256"] = content_digest(table if number % 3 == 1 else original)
            table.to_parquet(path, index=False)
        read = _read(path, [cell])
        if read is None:
            continue
        found += 1
        if number % 3 == 1 and column not in asdict(cell):
            assert read[column].dtype.kind in "if", "a measure that is no number"
        else:
            pd.testing.assert_frame_equal(read, original)
    return found


KINDS = {
    "settings": mutate_settings,
    "PNGs with settings": mutate_pngs,
    "checkpoints": mutate_checkpoints,
    "notes of films": mutate_films,
    "tables of a study": mutate_tables,
}


def check_mutated(kind, numbers, *given):
    """Some are still right, some are refused, and none takes much memory."""
    before = peak_memory()
    assert 0 < KINDS[kind](*given[:1], numbers, *given[1:]) < len(numbers)
    assert peak_memory() - before < 2**30


@pytest.mark.parametrize("kind", KINDS)
def test_50_mutated_files_do_no_harm(kind, originals, harmless, tmp_path, tried):
    check_mutated(kind, range(50), originals, harmless, tmp_path)
    tried(f"mutated {kind}", 50)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_500_mutated_files_do_no_harm(kind, originals, harmless, tmp_path, tried):
    check_mutated(kind, range(50, 550), originals, harmless, tmp_path)
    tried(f"mutated {kind}", 500)


# The examples


def with_settings(folder, tmp_path, recipe="dream", **changes):
    """A settings file with entries replaced or, in a dictionary, added."""
    settings = json.loads((folder / f"{recipe}.json").read_text("utf-8"))
    for name, value in changes.items():
        settings[name] = settings[name] | value if isinstance(value, dict) else value
    path = tmp_path / "hostile.json"
    path.write_text(json.dumps(settings), "utf-8")
    return path


@pytest.mark.parametrize("argument", ["checkpoint", "film", "out", "overwrite"])
def test_settings_write_no_file(argument, originals, tmp_path, harmless):
    path = with_settings(originals, tmp_path, arguments={argument: "made/by/settings.npz"})
    assert harmless(lambda: dk.rerun(path, progress=False)) is None
    with pytest.raises(dk.SettingsError, match=f"asks for {argument}=, which no run records"):
        dk.rerun(path, progress=False)
    inputs = {argument: {"source": "made.gif", "sha256": "0" * 64, "shape": [1, 1, 3]}}
    path = with_settings(originals, tmp_path, inputs=inputs)
    assert harmless(lambda: dk.rerun(path, progress=False)) is None


@pytest.mark.parametrize(
    "count", [dict(pictures=10**9), dict(pictures=10**30), dict(size=10**5), dict(pad=10**9)]
)
def test_settings_ask_for_no_memory_without_limit(count, originals, tmp_path, harmless):
    path = with_settings(originals, tmp_path, "channel", arguments=count)
    before = peak_memory()
    assert harmless(lambda: dk.rerun(path, progress=False)) is None
    with pytest.raises(dk.SettingsError, match=next(iter(count))):
        dk.rerun(path, progress=False)
    assert peak_memory() - before < 2**27


def test_the_callers_own_arguments_still_write_files(originals, tmp_path):
    run = dk.rerun(originals / "dream.json", checkpoint=tmp_path / "again.npz", progress=False)
    assert (tmp_path / "again.npz").is_file() or run.image is not None


@pytest.mark.parametrize("address", ["https://example.org/a.png", "HTTP://EXAMPLE.org", "//host/a"])
def test_settings_open_no_address_unless_it_is_given_again(
    address, originals, tmp_path, harmless, monkeypatch
):
    source = {"image": {"source": address, "sha256": "0" * 64, "shape": [48, 48, 3]}}
    path = with_settings(originals, tmp_path, inputs=source)
    assert harmless(lambda: dk.rerun(path, progress=False)) is None
    with pytest.raises(dk.SettingsError, match=r"to open that address, pass it again, as rerun"):
        dk.rerun(path, progress=False)
    photo = (originals / "photo.png").read_bytes()
    monkeypatch.setattr(web, "fetch", lambda given: photo)
    if web.is_address(address):
        fetched = dk.rerun(path, image=address, size=48, progress=False)
        assert fetched.image.shape == (48, 48, 3)


def test_settings_hide_no_address_among_their_arguments(originals, tmp_path, harmless):
    hidden = with_settings(originals, tmp_path, arguments={"guide": "https://example.org/a.png"})
    assert harmless(lambda: dk.rerun(hidden, progress=False)) is None


def test_settings_with_arguments_of_another_version_are_named(originals, tmp_path):
    path = with_settings(originals, tmp_path, arguments={"sharpness": 1})
    with pytest.raises(dk.SettingsError, match=r"deep_dream does not know, 'sharpness': update"):
        dk.rerun(path, progress=False)


@pytest.mark.parametrize("missing", ["image", "style", "channel"])
def test_settings_without_what_their_recipe_needs_are_refused(missing, originals, tmp_path):
    settings = json.loads((originals / "dream.json").read_text("utf-8"))
    recipe = {"image": "deep_dream", "style": "texture", "channel": "visualise"}[missing]
    path = tmp_path / "poor.json"
    path.write_text(json.dumps(settings | {"recipe": recipe, "inputs": {}}), "utf-8")
    with pytest.raises(dk.SettingsError, match="holds damaged settings"):
        dk.rerun(path)


def test_a_setting_without_effect_that_earlier_versions_recorded_is_harmless(tmp_path):
    noise = np.random.default_rng(0).random((48, 48, 3), "float32")
    photo = dk.save_image(tmp_path / "photo.png", noise)
    short = dict(size=48, steps=1, octaves=1, profile="ci", seed=1, progress=False)
    run = dk.dream_style(photo, "mosaic", "joint", **short)
    run.save(tmp_path / "joint.png")
    path = tmp_path / "joint.json"
    settings = json.loads(path.read_text("utf-8"))
    settings["arguments"]["learning_rate"] = 0.5
    path.write_text(json.dumps(settings), "utf-8")
    again = dk.rerun(path, progress=False)
    assert np.array_equal(again.image, run.image)
    assert again.settings == run.settings


@pytest.mark.parametrize("recorded", [{}, {"quality": "default"}])
@pytest.mark.parametrize("recipe", [dk.style_transfer, dk.dream_style])
def test_what_earlier_versions_painted_is_painted_as_they_did(recipe, recorded, tmp_path):
    short = dict(size=48, steps=3, octaves=1, profile="ci", seed=1, progress=False)
    run = recipe("chelsea", "mosaic", quality="gatys", style_weight=40.0, **short)
    run.save(tmp_path / "old.png")
    as_before(tmp_path / "old.json", recorded)
    assert np.array_equal(dk.rerun(tmp_path / "old.json", progress=False).image, run.image)
    now = recipe("chelsea", "mosaic", style_weight=40.0, **short)
    assert not np.allclose(now.image, run.image, atol=1e-3)


def as_before(path, recorded):
    """Change settings to those of a version without `quality`, or with another default of it."""
    settings = json.loads(path.read_text("utf-8"))
    settings["arguments"].pop("quality", None)
    settings["arguments"] |= recorded
    path.write_text(json.dumps(settings), "utf-8")


def test_films_that_earlier_versions_painted_are_painted_as_they_did(tmp_path):
    short = dict(size=48, steps=3, profile="ci", seed=1, progress=False)
    old = dict(quality="gatys", style_weight=40.0, frames=3, keyframes=1, **short)
    dk.morph("chelsea", "mosaic", tmp_path / "morph.gif", **old)
    as_before(tmp_path / "morph.gif.json", {})
    video = dk.zoom_dream("chelsea", tmp_path / "zoom.gif", 2, **short | {"steps": 1}).path
    old = dict(style="mosaic", quality="gatys", style_weight=40.0, octaves=1, **short)
    dk.transform_video(video, tmp_path / "video.gif", "style_transfer", **old)
    as_before(tmp_path / "video.gif.json", {"quality": "default"})
    for name in ("morph", "video"):
        again = tmp_path / f"{name}2.gif"
        dk.rerun(tmp_path / f"{name}.gif.json", out=again, progress=False)
        assert again.read_bytes() == (tmp_path / f"{name}.gif").read_bytes()


def test_other_versions_are_mentioned(originals, tmp_path, capsys):
    path = with_settings(originals, tmp_path, versions={"tensorflow": "2.9.1"})
    dk.rerun(path, progress=False)
    assert "Made with tensorflow 2.9.1 (here " in capsys.readouterr().out
    dk.rerun(originals / "dream.json", progress=False)
    assert "Made with" not in capsys.readouterr().out


def test_a_compressed_checkpoint_is_not_unpacked(originals, tmp_path):
    path = tmp_path / "bomb.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("notes.npy", bytes(10**8))
    assert path.stat().st_size < 10**6
    with pytest.raises(dk.SettingsError, match="is not a dreamkit checkpoint"):
        dk.resume(path)


def with_phase(path, name, **changes):
    """Change the first phase of a checkpoint: its state's numbers, or, of an array, the array."""
    with np.load(path) as file:
        arrays = dict(file)
    notes = json.loads(str(arrays.pop("notes")))
    phase = next(iter(notes["phases"]))
    notes["phases"][phase] |= {k: v for k, v in changes.items() if isinstance(v, int)}
    for key, change in changes.items():
        if callable(change):
            change(arrays, f"{phase}:{key}")
    with open(name, "wb") as file:
        np.savez(file, notes=json.dumps(notes), **arrays)
    return name


@pytest.mark.parametrize(
    "changes",
    [
        dict(image=lambda arrays, key: arrays.update({key: arrays[key][1:]})),
        dict(picture=lambda arrays, key: arrays.update({key: arrays[key][:, 1:]})),
        dict(image=lambda arrays, key: arrays.pop(key)),
        dict(step=1, steps=1),  # unfinished, and without Adam's state
    ],
    ids=["small image", "small picture", "no image", "no moments"],
)
def test_a_checkpoint_whose_arrays_do_not_fit_its_run_is_refused(changes, originals, tmp_path):
    path = with_phase(originals / "channel.npz", tmp_path / "wrong.npz", **changes)
    with pytest.raises(dk.SettingsError, match=r"wrong\.npz is not a dreamkit checkpoint"):
        dk.resume(path, progress=False)


def test_huge_settings_are_not_read(tmp_path):
    path = tmp_path / "huge.json"
    path.write_bytes(b" " * (2**24 + 1) + b"{}")
    with pytest.raises(dk.SettingsError, match="holds no dreamkit settings"):
        dk.rerun(path)


def test_deeply_nested_settings_are_refused(tmp_path):
    path = tmp_path / "deep.json"
    path.write_text("[" * 100_000)
    with pytest.raises(dk.SettingsError, match="holds no dreamkit settings"):
        dk.rerun(path)
