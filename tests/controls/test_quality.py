"""quality= stands for layers and a weight, and what is given counts more."""

import dataclasses

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
from dreamkit.controls.quality import choice, from_quality
from dreamkit.errors import SettingsError
from dreamkit.film.painters import StyleFrames
from dreamkit.networks.backbone import Backbone

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


def test_gatys_has_the_networks_own_layers_and_the_weight_40(gatys):
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


FALLING = dict(conv1=81.0, fire2=27.0, fire3=9.0, fire4=3.0, fire5=1.0)
BEST = dict(content_layers=("fire2",), style_layers=FALLING, style_weight=120.0)
GATYS = dict(content_layers=None, style_layers=None, style_weight=40.0)


@pytest.mark.parametrize(("quality", "values"), [("best", BEST), ("gatys", GATYS)])
@pytest.mark.parametrize("given", [{}, *({n: 0} for n in BEST), dict.fromkeys(BEST, 0)])
def test_what_is_given_counts_more_than_the_quality(quality, values, given):
    arguments = dict.fromkeys(BEST) | given | dict(quality=quality, backbone="squeezenet")
    assert from_quality(arguments) == {n: values[n] for n in BEST if n not in given}


def test_a_combination_has_only_the_styles_weight_to_fill_in():
    arguments = dict(style_weight=None, quality="gatys", style_backbone="squeezenet")
    assert from_quality(arguments) == {"style_weight": 40.0}


def test_a_network_with_few_style_layers_of_its_own_keeps_its_others(toy):
    def best_of(**layers):
        architecture = dataclasses.replace(toy.architecture, **layers)
        return choice("best", Backbone(toy.model, architecture, "own"))

    assert best_of(style_layers=()) == (None, None, 120.0)
    assert best_of(style_layers=("first",)) == (("first",), {"first": 1.0}, 120.0)
    assert best_of() == (("second",), {"first": 3.0, "second": 1.0}, 120.0)


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
def test_the_command_paints_what_the_function_paints_in_either_quality(recipe, command, tmp_path):
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
