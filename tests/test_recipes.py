"""The recipes: what they do, bit-identical reruns, and resuming after a crash."""

import itertools
import json
import os
import subprocess
import sys

import numpy as np
import pytest

from dreamkit import (
    ImageError,
    SettingsError,
    deep_dream,
    dream_style,
    load_backbone,
    load_image,
    profile,
    rerun,
    resume,
    save_image,
    style_transfer,
)
from dreamkit.runs.checkpoint import Checkpoint

FAST = dict(profile="ci", progress=False)
TERMS = ["content", "style", "total_variation", "dream"]

# Each has at least two phases, so that it can be interrupted in the second.
RECIPES = {
    "style_transfer": lambda **k: style_transfer("astronaut", "mosaic", steps=6, size=192, **k),
    "deep_dream": lambda **k: deep_dream("astronaut", steps=3, **k),
    "joint": lambda **k: dream_style("astronaut", "mosaic", "joint", steps=6, size=136, **k),
}


def same(one, other):
    return np.array_equal(one.image, other.image)


@pytest.fixture(scope="module")
def complete():
    """{name: a recipe's uninterrupted run}."""
    return {name: recipe(seed=5, **FAST) for name, recipe in RECIPES.items()}


@pytest.fixture
def eager(monkeypatch):
    """Write a checkpoint at every step."""
    monkeypatch.setattr(Checkpoint, "due", lambda self: self.path is not None)


# What they do


@pytest.mark.parametrize(
    ("order", "phases"),
    [
        ("style-dream", ["style 1/1", "octave 1/2", "octave 2/2"]),
        ("dream-style", ["octave 1/2", "octave 2/2", "style 1/1"]),
        ("joint", ["joint 1/1"]),
    ],
)
def test_dream_style_works_in_its_order(order, phases):
    run = dream_style("chelsea", "mosaic", order, seed=1, **FAST)
    assert list(run.history["phase"].unique()) == phases
    assert set(TERMS) <= set(run.history)
    assert run.history["seconds"].is_monotonic_increasing
    assert run.image.shape == (64, 96, 3)


def test_the_three_orders_make_three_pictures():
    orders = ("style-dream", "dream-style", "joint")
    images = [dream_style("chelsea", "mosaic", o, seed=1, **FAST).image for o in orders]
    for one, other in itertools.combinations(images, 2):
        assert np.abs(one - other).mean() > 0.01


def test_a_serial_order_is_one_recipe_after_the_other():
    both = dream_style("chelsea", "mosaic", seed=1, **FAST)
    painted = style_transfer("chelsea", "mosaic", seed=1, **FAST)
    assert same(both, deep_dream(painted.image, seed=1, **FAST))


def test_joint_lowers_the_style_loss_and_raises_the_dream_score(complete):
    history = complete["joint"].history
    last = history[history["phase"] == history["phase"].iloc[-1]]
    assert len(last) == 4
    assert np.isfinite(last[TERMS].to_numpy()).all()
    assert last["dream"].iloc[-1] > last["dream"].iloc[0]
    assert history["style"].iloc[-1] < history["style"].iloc[0]


def test_the_steps_are_shared_out_among_the_sizes(complete):
    counts = complete["style_transfer"].history.groupby("phase")["step"].max()
    assert dict(counts) == {"style 1/2": 3, "style 2/2": 3}


@pytest.mark.parametrize("size", [(40, 300), (300, 40), (1, 300), (5, 5)])
@pytest.mark.parametrize("recipe", [style_transfer, dream_style])
def test_a_style_picture_may_have_any_size(recipe, size):
    style = np.random.default_rng(0).random((*size, 3))
    joint = {"order": "joint"} if recipe is dream_style else {}
    run = recipe("chelsea", style, steps=1, seed=1, **joint, **FAST)
    assert run.image.shape == (64, 96, 3)


def test_a_photo_too_small_for_the_network_is_refused():
    tiny = np.full((8, 8, 3), 0.5)
    for recipe in (style_transfer, dream_style):
        with pytest.raises(ImageError, match="The picture is 8×8 px, too small"):
            recipe(tiny, "mosaic", seed=1, **FAST)
    with pytest.raises(ImageError, match="The picture is 8×8 px, too small"):
        deep_dream(tiny, seed=1, **FAST)


def test_a_network_may_be_given_by_name_or_as_a_backbone():
    by_name = deep_dream("chelsea", "squeezenet", seed=1, steps=1, **FAST)
    by_object = deep_dream("chelsea", load_backbone("squeezenet"), seed=1, steps=1, **FAST)
    assert same(by_name, by_object)
    assert by_object.settings["arguments"]["backbone"] == "squeezenet"


@pytest.mark.parametrize("init", ["content", "style", "noise"])
def test_a_style_transfer_starts_from_init(init):
    starts = []
    options = dict(init=init, steps=1, seed=9, **FAST)
    style_transfer(
        "chelsea", "mosaic", callback=lambda s: starts.append(s.image), octaves=1, **options
    )
    photo = load_image("chelsea", 96)
    assert np.array_equal(starts[0], photo) == (init == "content")
    if init == "noise":
        noise = np.random.default_rng(9).normal(0.5, 0.15, photo.shape)
        assert np.array_equal(starts[0], np.clip(noise, 0, 1).astype("float32"))


@pytest.mark.parametrize(
    ("call", "culprit"),
    [
        (lambda: style_transfer("chelsea", "mosaic", steps=-1, **FAST), "steps cannot be -1"),
        (lambda: style_transfer("chelsea", "mosaic", style_scale=0, **FAST), "style_scale"),
        (lambda: style_transfer("chelsea", "mosaic", init="dark", **FAST), "init"),
        (lambda: style_transfer("chelsea", "mosaic", seed=-1, **FAST), "seed cannot be -1"),
        (lambda: style_transfer("chelsea", "mosaic", seed="a", **FAST), "seed cannot be 'a'"),
        (lambda: style_transfer("chelsea", "mosaic", optimizer="sgd", **FAST), "optimizer"),
        (lambda: style_transfer("chelsea", "mosaic", "alexnet", **FAST), "alexnet"),
        (lambda: style_transfer("chelsea", "mosaic", profile="fast"), "profile cannot be 'fast'"),
        (lambda: deep_dream("chelsea", octaves=0, **FAST), "octaves cannot be 0"),
        (lambda: deep_dream("chelsea", octave_scale=1, **FAST), "octave_scale cannot be 1"),
        (lambda: deep_dream("chelsea", steps=-1, **FAST), "steps cannot be -1"),
        (lambda: deep_dream("chelsea", jitter=-1, **FAST), "jitter cannot be -1"),
        (lambda: deep_dream("chelsea", backbone=object(), **FAST), "backbone|network"),
        (lambda: dream_style("chelsea", "mosaic", "both", **FAST), "order cannot be 'both'"),
        (lambda: dream_style("chelsea", "mosaic", "joint", octaves=0, **FAST), "octaves"),
    ],
)
def test_a_wrong_setting_is_named(call, culprit):
    with pytest.raises(SettingsError, match=culprit):
        call()


def test_a_size_of_zero_is_refused():
    with pytest.raises(ImageError, match="0"):
        deep_dream("chelsea", size=0, **FAST)


# Profiles


def test_the_environment_chooses_profile_and_networks(monkeypatch):
    monkeypatch.setenv("DREAMKIT_PROFILE", "ci")
    monkeypatch.setenv("DREAMKIT_STYLE_BACKBONE", "vgg16")
    chosen = profile(quiet=True)
    assert (chosen.name, chosen.style_backbone, chosen.dream_backbone) == (
        "ci",
        "vgg16",
        "squeezenet",
    )


def test_an_argument_overrides_the_profile():
    run = deep_dream("chelsea", seed=1, size=64, octaves=1, steps=1, **FAST)
    assert max(run.image.shape) == 64
    assert list(run.history["step"]) == [0, 1]


def test_a_profile_may_be_a_name_an_object_or_the_environments(monkeypatch):
    monkeypatch.setenv("DREAMKIT_PROFILE", "ci")
    own = profile("ci", quiet=True)
    runs = [deep_dream("chelsea", seed=1, profile=p, progress=False) for p in ("ci", own, None)]
    assert same(runs[0], runs[1])
    assert same(runs[0], runs[2])


def test_an_array_keeps_its_size_and_a_name_gets_the_profiles():
    photo = load_image("chelsea", 50)
    assert deep_dream(photo, seed=1, steps=1, **FAST).image.shape == photo.shape
    assert max(deep_dream("chelsea", seed=1, steps=1, **FAST).image.shape) == 96


@pytest.mark.parametrize("read_only", [False, True])
@pytest.mark.parametrize("order", ["style-dream", "dream-style", "joint"])
def test_input_arrays_are_not_changed(order, read_only):
    inputs = load_image("chelsea", 64), load_image("mosaic", 64)
    before = [array.copy() for array in inputs]
    for array in inputs:
        array.setflags(write=not read_only)
    dreaming = {} if order == "joint" else dict(octave_steps=1)
    run = dream_style(*inputs, order, steps=2, **dreaming, seed=1, **FAST)
    assert all(np.array_equal(*pair) for pair in zip(inputs, before, strict=True))
    assert all(array.flags.writeable is not read_only for array in inputs)
    assert run.image.flags.writeable


# Reruns


@pytest.mark.parametrize("ending", [".png", ".json"])
@pytest.mark.parametrize("recipe", RECIPES)
def test_a_rerun_gives_the_same_picture_to_the_last_bit(recipe, ending, complete, tmp_path):
    path = complete[recipe].save(tmp_path / "made.png").with_suffix(ending)
    again = rerun(path, progress=False)
    assert same(again, complete[recipe])
    assert again.settings == complete[recipe].settings


def test_a_drawn_seed_is_recorded_and_reproduces_the_picture(tmp_path):
    first, second = (style_transfer("chelsea", "mosaic", init="noise", **FAST) for _ in range(2))
    assert first.settings["seed"] != second.settings["seed"]
    assert not same(first, second)
    assert same(first, rerun(first.save(tmp_path / "made.png"), progress=False))


def test_a_rerun_of_an_array_asks_for_it(tmp_path):
    photo = load_image("chelsea", 64)
    run = style_transfer(photo, "mosaic", seed=1, **FAST)
    path = run.save(tmp_path / "made.png")
    with pytest.raises(SettingsError, match=r"The content was an array: .* content=…"):
        rerun(path)
    assert same(rerun(path, content=photo, progress=False), run)
    with pytest.raises(SettingsError, match="The content array has changed"):
        rerun(path, content=1 - photo, progress=False)


def test_a_rerun_notices_a_changed_input(tmp_path):
    photo = save_image(tmp_path / "photo.png", load_image("chelsea", 64))
    path = deep_dream(photo, seed=1, **FAST).save(tmp_path / "made.png")
    save_image(photo, load_image("coffee", 64), overwrite=True)
    with pytest.raises(SettingsError, match=r"The image .*photo\.png has changed"):
        rerun(path, progress=False)
    photo.unlink()
    with pytest.raises(ImageError, match=r"photo\.png"):
        rerun(path, progress=False)


def test_a_rerun_may_change_an_argument_or_a_picture(tmp_path):
    path = style_transfer("chelsea", "mosaic", seed=1, **FAST).save(tmp_path / "made.png")
    larger = rerun(path, size=112, progress=False)
    assert same(larger, style_transfer("chelsea", "mosaic", seed=1, size=112, **FAST))
    other = rerun(path, style="night_flow", progress=False)
    assert same(other, style_transfer("chelsea", "night_flow", seed=1, **FAST))


@pytest.mark.parametrize("content", ["", "{}", "[1]", "null", "not json", '{"recipe": "bake"}'])
def test_a_rerun_of_a_file_without_settings_is_a_settings_error(content, tmp_path):
    path = tmp_path / "made.json"
    path.write_text(content)
    with pytest.raises(SettingsError, match=r"made\.json"):
        rerun(path)


def test_a_rerun_of_a_picture_without_settings_is_a_settings_error(tmp_path):
    plain = save_image(tmp_path / "plain.png", load_image("chelsea", 16))
    for path in (plain, tmp_path / "missing.png", tmp_path):
        with pytest.raises(SettingsError, match="holds no dreamkit settings"):
            rerun(path)


# Resuming


class Crash(Exception):
    """An exception that dreamkit does not expect."""


def crash_after(count):
    """A callback that raises `Crash` after `count` steps over all phases."""
    steps = itertools.count()

    def callback(step):
        if next(steps) == count:
            raise Crash

    return callback


@pytest.mark.parametrize("passed", [2, 5])
@pytest.mark.parametrize("recipe", RECIPES)
def test_a_resumed_run_equals_an_uninterrupted_one(recipe, passed, complete, eager, tmp_path):
    path = tmp_path / "run.npz"
    with pytest.raises(Crash):
        RECIPES[recipe](seed=5, checkpoint=path, callback=crash_after(passed), **FAST)
    run = resume(path, progress=False)
    assert same(run, complete[recipe])
    assert run.settings == complete[recipe].settings
    columns = ["step", "phase", "total"]
    assert run.history[columns].equals(complete[recipe].history[columns])
    assert run.history["seconds"].is_monotonic_increasing


def test_a_serial_order_resumed_in_its_second_half_equals_an_uninterrupted_one(eager, tmp_path):
    whole = dream_style("chelsea", "mosaic", seed=1, **FAST)
    path, passed = tmp_path / "run.npz", 6 + 3 + 1  # transfer, first octave, a step of the second
    with pytest.raises(Crash):
        dream_style(
            "chelsea", "mosaic", seed=1, checkpoint=path, callback=crash_after(passed), **FAST
        )
    assert same(resume(path, progress=False), whole)


KILLED = """
import sys
from dreamkit import style_transfer
from dreamkit.runs import Checkpoint

Checkpoint.due = lambda self: True
style_transfer(
    "astronaut", "mosaic", steps=6, size=192, seed=5, profile="ci", progress=False,
    checkpoint=sys.argv[1], callback=lambda s: print(s.phase, s.step, flush=True),
)
"""


def test_a_killed_process_can_be_resumed(complete, tmp_path):
    path = tmp_path / "run.npz"
    command = [sys.executable, "-c", KILLED, path]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        for line in child.stdout:
            if line.strip() == "style 2/2 1":
                child.kill()
    assert child.returncode != 0
    steps = []
    run = resume(path, progress=False, callback=lambda s: steps.append((s.phase, s.step)))
    assert ("style 1/2", 0) not in steps, "the finished phase was repeated"
    assert same(run, complete["style_transfer"])


def test_a_finished_checkpoint_returns_the_picture_at_once(complete, tmp_path):
    path, steps = tmp_path / "run.npz", []
    RECIPES["deep_dream"](seed=5, checkpoint=path, **FAST)
    assert same(resume(path, progress=False, callback=steps.append), complete["deep_dream"])
    assert steps == []


def test_a_checkpoint_stores_the_input_arrays(eager, tmp_path):
    photo, path = load_image("chelsea", 64), tmp_path / "run.npz"
    whole = deep_dream(photo, seed=1, **FAST)
    with pytest.raises(Crash):
        deep_dream(photo, seed=1, checkpoint=path, callback=crash_after(4), **FAST)
    assert same(resume(path, progress=False), whole)


@pytest.mark.parametrize("optimizer", ["lbfgs", "spectral"])
def test_lbfgs_continues_where_it_stopped(optimizer, eager, tmp_path):
    path = tmp_path / "run.npz"
    options = dict(steps=6, seed=1, optimizer=optimizer, checkpoint=path, **FAST)
    with pytest.raises(Crash):
        style_transfer("chelsea", "mosaic", callback=crash_after(3), **options)
    history = resume(path, progress=False).history
    assert list(history["step"]) == list(range(len(history)))
    assert history["total"].iloc[-1] < history["total"].iloc[0]


def test_a_checkpoint_with_other_settings_is_refused(tmp_path):
    path = tmp_path / "run.npz"
    deep_dream("chelsea", seed=1, checkpoint=path, **FAST)
    before = path.read_bytes()
    for other in (dict(seed=2), dict(seed=1, steps=3), dict(seed=1, size=64)):
        with pytest.raises(SettingsError, match="belongs to a run with other settings"):
            deep_dream("chelsea", checkpoint=path, **other, **FAST)
    assert path.read_bytes() == before


def test_resuming_anything_but_a_checkpoint_is_a_settings_error(tmp_path):
    with pytest.raises(SettingsError, match="There is no checkpoint at"):
        resume(tmp_path / "missing.npz")
    with pytest.raises(SettingsError, match="There is no checkpoint at"):
        resume(tmp_path)
    picture = save_image(tmp_path / "picture.png", load_image("chelsea", 16))
    with pytest.raises(SettingsError, match="is not a dreamkit checkpoint"):
        resume(picture)
    Checkpoint(tmp_path / "loop.npz").keep("descend", dict(step=1, picture=np.zeros(3)))
    with pytest.raises(SettingsError, match="was not written by a recipe"):
        resume(tmp_path / "loop.npz")


def test_settings_hold_neither_the_checkpoints_path_nor_the_callback(complete):
    text = json.dumps(complete["deep_dream"].settings)
    assert not {"checkpoint", "callback", "progress"} & set(json.loads(text)["arguments"])
    assert os.getcwd() not in text
