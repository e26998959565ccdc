"""Any combination of controls gives a proper picture, again and again, whole or in tiles."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import draws
from dreamkit import ImageError, SettingsError, load_image, rerun, resume, save_image
from dreamkit.controls.paintings import paintings, style_objective
from dreamkit.objectives import layers_by_backbone
from dreamkit.recipes import WEIGHTS, deep_dream, dream_style, style_transfer

SIDE = 48
FAST = dict(backbone="squeezenet", octaves=1, profile="ci", progress=False)
PHOTO = load_image("astronaut", SIDE)
NOISE = np.random.default_rng(0).random((SIDE, SIDE, 3), "float32")
HALF = np.tile(np.linspace(0, 1, SIDE, dtype="float32"), (SIDE, 1))
few = settings(draws.few, max_examples=2)
many = settings(draws.many, max_examples=60)


def options(**choices):
    """A strategy of keyword arguments: each control is absent, or one of its values."""
    each = {name: st.sampled_from(values) for name, values in choices.items()}
    return st.fixed_dictionaries({}, optional=each)


STYLES = st.sampled_from(
    [
        "mosaic",
        {"mosaic": 0.7, "night_flow": 0.3},
        {"mosaic": "coarse", "night_flow": "fine"},
        [(NOISE, 1), ("mosaic", ["fire2"])],
    ]
)
STYLE = options(
    strength=[0.0, 0.4],
    style_mask=[HALF],
    content_mask=[HALF],
    style_scale=[0.5, 2.0],
    preserve_color=["luminance", "match"],
    init=["noise", "style", NOISE],
    content_layers=[{"fire3": 0.5, "fire5": 1.0}],
    style_layers=[["conv1", "fire4"]],
    formula=["gatys", "tutorial"],
    steps=[2, [1, 1]],
    optimizer=["lbfgs", "gradient"],
)
DREAM = options(
    channel=[3, [1, 5], {2: 1.0, 7: -2.0}, "strongest", ("weakest", 2)],
    layers=["fire4", {"fire2": 1.0, "fire6": -0.5}],
    dream_mask=[HALF],
    power=[2],
    rotate=[10.0],
    zoom=[0.1],
    jitter=[0, 5],
    smooth=[0, 2],
    steps=[1, [1, 1]],
    smallest=[20],
)
BOTH = options(
    order=["dream-style", "joint"],
    strength=[0.4],
    style_mask=[HALF],
    dream_mask=[HALF],
    preserve_color=["luminance"],
    balance=[0.5],
)


def check(recipe, terms, *pictures, **controls):
    """Finite, in range, of the photo's shape, with every term; the same again, and in tiles."""
    run = recipe(*pictures, seed=3, **controls)
    assert run.image.shape == PHOTO.shape
    assert run.image.dtype == np.float32
    assert np.isfinite(run.image).all()
    assert run.image.min() >= 0
    assert run.image.max() <= 1
    assert terms <= set(run.history)
    for term in terms:  # the second of two recipes in turn does not have all of them
        assert np.isfinite(run.history[term].dropna()).all()
        assert run.history[term].notna().any()
    again = recipe(*pictures, seed=3, **controls)
    assert np.array_equal(again.image, run.image)
    tiled = recipe(*pictures, seed=3, tile=32, **controls)
    start, tiled_start = (each.history["total"].iloc[0] for each in (run, tiled))
    assert tiled_start == pytest.approx(start, rel=1e-4, abs=1e-7)


def paints(style, controls):
    check(style_transfer, {"content", "style", "total_variation"}, PHOTO, style, **FAST, **controls)


def dreams(controls):
    check(deep_dream, {"dream"}, PHOTO, **FAST, **controls)


def combines(style, controls):
    fast = dict(style_backbone="squeezenet", dream_backbone="squeezenet", octaves=1)
    fast |= dict(steps=1, profile="ci", progress=False)
    if controls.get("order") != "joint":
        fast |= dict(octave_steps=1)
        controls = {name: value for name, value in controls.items() if name != "balance"}
    check(dream_style, {"content", "style", "dream"}, PHOTO, style, **fast, **controls)


@few
@given(STYLES, STYLE)
def test_any_style_transfer_is_a_proper_picture(style, controls):
    paints(style, controls)


@few
@given(DREAM)
def test_any_dream_is_a_proper_picture(controls):
    dreams(controls)


@few
@given(STYLES, BOTH)
def test_any_combination_is_a_proper_picture(style, controls):
    combines(style, controls)


@pytest.mark.slow
@many
@given(STYLES, STYLE)
def test_very_many_style_transfers_are_proper_pictures(style, controls):
    paints(style, controls)


@pytest.mark.slow
@many
@given(DREAM)
def test_very_many_dreams_are_proper_pictures(controls):
    dreams(controls)


@pytest.mark.slow
@many
@given(STYLES, BOTH)
def test_very_many_combinations_are_proper_pictures(style, controls):
    combines(style, controls)


# What each promises


def painted(**controls):
    return style_transfer(PHOTO, "mosaic", steps=6, seed=1, **FAST, **controls)


def test_no_strength_leaves_the_photo_and_more_changes_it_more():
    changes = [np.abs(painted(strength=s).image - PHOTO).mean() for s in (0.0, 0.3, 0.6, 1.0)]
    assert changes[0] < 1e-6
    assert all(np.diff(changes) > 0)


def test_full_strength_is_the_default_to_the_last_bit():
    assert np.array_equal(painted(strength=1.0).image, painted().image)


def test_a_run_starts_from_any_picture():
    run = style_transfer(PHOTO, "mosaic", steps=0, init=NOISE, **FAST)
    np.testing.assert_array_equal(run.image, NOISE)
    run = style_transfer(PHOTO, "mosaic", steps=0, init="camera", **FAST)
    np.testing.assert_allclose(run.image, load_image(load_image("camera"), SIDE), atol=1e-6)


@pytest.mark.parametrize("recipe", [style_transfer, dream_style])
def test_its_own_size_is_the_photos(recipe, tmp_path):
    file = tmp_path / "photo.png"
    save_image(file, PHOTO[:, :40])
    fast = {name: FAST[name] for name in ("profile", "progress")}
    run = recipe(file, "mosaic", steps=1, size="own", **fast)
    assert run.image.shape == (SIDE, 40, 3)


def test_more_steps_continue_from_where_the_run_ended(tmp_path):
    file = tmp_path / "run.npz"
    first = style_transfer(PHOTO, "mosaic", steps=3, seed=1, checkpoint=file, **FAST)
    longer = resume(file, steps=4, progress=False)
    assert len(longer.history) == len(first.history) + 5  # the start of the new part, and 4 steps
    scores = longer.history["total"].to_numpy()
    assert scores[len(first.history)] == pytest.approx(first.history["total"].min(), rel=1e-5)
    assert scores[-1] < scores[len(first.history)]
    planned = style_transfer(PHOTO, "mosaic", steps=[3, 4], seed=1, **FAST)
    assert np.array_equal(planned.image, longer.image)
    assert longer.settings["arguments"]["steps"] == [3, 4]
    assert len(resume(file, steps=2, progress=False).history) == len(longer.history) + 3


def test_more_steps_of_a_dream_are_at_full_size(tmp_path):
    file = tmp_path / "run.npz"
    deep_dream(PHOTO, seed=1, checkpoint=file, steps=2, **FAST)
    longer = resume(file, steps=3, progress=False)
    assert list(longer.history["phase"].unique()) == ["octave 1/1", "octave more 1"]


def test_several_styles_and_masks_share_one_forward_pass(squeezenet):
    styles = paintings([(NOISE, 1), (PHOTO, "coarse")], HALF, squeezenet)
    objective = style_objective(PHOTO, styles, squeezenet, WEIGHTS, content_mask=HALF)
    assert list(layers_by_backbone(objective.terms)) == [squeezenet]


def controlled(tmp_path, **changes):
    """A run with several styles, masks and colour, saved next to the mask's file."""
    mask = save_image(tmp_path / "mask.png", np.repeat(HALF[..., None], 3, 2), overwrite=True)
    styles = {"mosaic": 0.7, "night_flow": "coarse"}
    controls = dict(content_mask=mask, style_mask={"mosaic": mask}, preserve_color="luminance")
    controls |= dict(strength=0.5, steps=[2, 1], seed=1)
    run = style_transfer("astronaut", styles, size=SIDE, **FAST, **{**controls, **changes})
    return run, run.save(tmp_path / "run.png")


def test_a_rerun_repeats_every_control_to_the_last_bit(tmp_path):
    run, path = controlled(tmp_path)
    assert set(run.settings["inputs"]) == {
        *("content", "style 1", "style 2", "content_mask", "style_mask 1"),
    }
    again = rerun(path, progress=False)
    assert np.array_equal(again.image, run.image)
    assert again.settings == run.settings


def test_a_rerun_names_a_mask_that_is_missing_has_changed_or_was_an_array(tmp_path):
    _, path = controlled(tmp_path)
    save_image(tmp_path / "mask.png", NOISE, overwrite=True)
    with pytest.raises(SettingsError, match=r"mask.* has changed"):
        rerun(path, progress=False)
    (tmp_path / "mask.png").unlink()
    with pytest.raises(ImageError, match=r"mask\.png"):
        rerun(path, progress=False)
    path.unlink()
    for file in (path.with_suffix(".json"), path.with_suffix(".csv")):
        file.unlink()
    _, path = controlled(tmp_path, style_mask={"night_flow": HALF})
    with pytest.raises(SettingsError, match=r"style_mask 1 was an array: .*style_mask=…"):
        rerun(path, progress=False)


def test_the_sky_stays_calm_under_a_mask_of_the_ground():
    photo, mask = load_image("rocket", 96), np.zeros((64, 96), "float32")
    mask[48:] = 1
    fast = dict(profile="ci", seed=1, progress=False)
    dreamt = deep_dream(photo, "squeezenet", dream_mask=mask, octaves=2, **fast)
    painted = style_transfer(photo, "mosaic", style_mask=mask, octaves=1, **fast)
    for run in (dreamt, painted):
        change = np.abs(run.image - photo)
        assert change[:44].max() < 0.02  # octaves resize the sky, and blur its grain a little
        assert change[50:].mean() > 0.01


def test_a_mask_for_a_style_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(SettingsError, match="'waves'"):
        controlled(tmp_path, style_mask={"waves": HALF})


@pytest.mark.parametrize("style", [[1, 2], {"mosaic": -1}, {"mosaic": None}, [], {}])
def test_styles_of_another_form_are_refused(style):
    with pytest.raises((SettingsError, ImageError)):
        style_transfer(PHOTO, style, steps=0, **FAST)


def test_a_resumed_run_repeats_every_control(tmp_path):
    file = tmp_path / "run.npz"
    run, _ = controlled(tmp_path, checkpoint=file)
    assert np.array_equal(resume(file, progress=False).image, run.image)
