"""quality= stands for layers and a weight, and what is given counts more."""

import numpy as np
import pytest

from dreamkit import (
    Content,
    Style,
    TotalVariation,
    dream_style,
    load_backbone,
    load_image,
    morph,
    rerun,
    resume,
    style_transfer,
)
from dreamkit.controls.paintings import paintings, scale_paintings
from dreamkit.errors import SettingsError
from dreamkit.film.painters import StyleFrames

FAST = dict(profile="ci", size=64, seed=1, progress=False)


@pytest.fixture(scope="module")
def best():
    return style_transfer("chelsea", "mosaic", **FAST)


@pytest.fixture(scope="module")
def gatys():
    return style_transfer("chelsea", "mosaic", quality="gatys", **FAST)


def test_best_is_what_its_settings_make_one_by_one(best):
    layers = load_backbone("squeezenet").architecture.style_layers
    weights = {layer: 3.0 ** (len(layers) - 1 - n) for n, layer in enumerate(layers)}
    options = dict(style_layers=weights, content_layers=layers[1], style_weight=120.0)
    spelt_out = style_transfer("chelsea", "mosaic", quality="gatys", **options, **FAST)
    np.testing.assert_array_equal(best.image, spelt_out.image)


def test_gatys_is_the_paper_s_objective(gatys):
    network, size = load_backbone("squeezenet"), gatys.image.shape[:2]
    photo, painting = load_image("chelsea", 64), load_image("mosaic")
    painting = scale_paintings(paintings(painting, None, network), max(size), network)
    terms = Content(photo, network) + 40 * Style(painting[0].picture, network)
    expected = float((terms + 0.5 * TotalVariation())(photo)[0])
    first = style_transfer("chelsea", "mosaic", quality="gatys", octaves=1, steps=1, **FAST)
    assert first.history["total"].iloc[0] == pytest.approx(expected, rel=1e-4)


def test_best_is_another_picture_than_that_of_gatys(best, gatys):
    assert np.abs(best.image - gatys.image).mean() > 0.01
    assert len(best.history) == len(gatys.history)


def test_what_is_given_counts_more_than_the_quality():
    given = dict(style_layers="fire2", content_layers="fire5", style_weight=20.0, steps=2)
    run = style_transfer("chelsea", "mosaic", octaves=1, **given, **FAST)
    alone = style_transfer("chelsea", "mosaic", quality="gatys", octaves=1, **given, **FAST)
    np.testing.assert_array_equal(run.image, alone.image)


def test_the_settings_say_best_and_make_the_picture_again(best, gatys, tmp_path):
    assert best.settings["arguments"]["quality"] == "best"
    assert best.settings["arguments"]["style_layers"] is None
    best.save(tmp_path / "best.png")
    np.testing.assert_array_equal(rerun(tmp_path / "best.png", progress=False).image, best.image)
    plain = rerun(tmp_path / "best.png", quality="gatys", progress=False)
    np.testing.assert_array_equal(plain.image, gatys.image)


@pytest.mark.parametrize("quality", ["gatys", "best"])
def test_more_steps_follow_all_that_the_quality_takes(quality, tmp_path):
    state, options = tmp_path / "state.npz", dict(quality=quality, **FAST)
    before = style_transfer("chelsea", "mosaic", checkpoint=state, **options).history["total"]
    after = resume(state, steps=2, progress=False).history["total"]
    assert len(after) == len(before) + 3
    np.testing.assert_array_equal(after[: len(before)], before)


def test_a_video_is_painted_with_the_settings_that_best_stands_for():
    given, _ = style_transfer.resolve(load_image("chelsea", 64), "mosaic", **FAST)
    painter = StyleFrames(given, 1.0, None)
    assert list(painter.given["style_layers"].values()) == [81.0, 27.0, 9.0, 3.0, 1.0]
    assert painter.given["content_layers"] == ("fire2",)


@pytest.mark.parametrize("wrong", ["worst", "default", "", 1, None])
def test_a_quality_that_does_not_exist_is_refused(wrong, tmp_path):
    with pytest.raises(SettingsError, match="quality"):
        style_transfer("chelsea", "mosaic", quality=wrong, **FAST)
    with pytest.raises(SettingsError, match="quality"):
        dream_style("chelsea", "mosaic", "joint", quality=wrong, **FAST)
    with pytest.raises(SettingsError, match="quality"):
        morph("chelsea", "mosaic", tmp_path / "film.gif", quality=wrong, **FAST)


@pytest.mark.parametrize("recipe", ["style", "combine"])
def test_the_command_paints_the_same_picture_in_either_quality(recipe, command, tmp_path):
    shared = "--style", "mosaic", "--size", 64, "--seed", 1, "--steps", 3
    function, order = {"style": (style_transfer, {}), "combine": (dream_style, {"order": "joint"})}[
        recipe
    ]
    options = ("--order", "joint") if order else ()
    for quality in ("best", "gatys"):
        out = tmp_path / quality
        arguments = "chelsea", *shared, *options, "--quality", quality, "--out", out
        assert command(recipe, *arguments)[0] == 0
        run = function("chelsea", "mosaic", steps=3, quality=quality, **order, **FAST)
        (made,) = out.glob("*.png")
        np.testing.assert_allclose(load_image(made), run.image, atol=0.5 / 255 + 1e-6)


def test_the_command_refuses_a_quality_that_does_not_exist(command):
    code, _, err = command("style", "chelsea", "--quality", "worst")
    assert code == 2
    assert "worst" in err
