"""Textures: made of the style's strokes, repeatable without a seam, reproducible."""

import numpy as np
import pytest
from scipy.ndimage import zoom

from dreamkit import (
    ImageError,
    SettingsError,
    Style,
    load_image,
    rerun,
    resume,
    texture,
)
from dreamkit.controls.texture import enlarge
from dreamkit.runs.checkpoint import Checkpoint

FAST = dict(backbone="squeezenet", profile="ci", progress=False, seed=3)


def seam(image, axis):
    """Mean |difference| across the seam, and between all neighbouring rows or columns inside."""
    differences = np.abs(np.diff(image, axis=axis)).mean(axis=(1 - axis, 2))
    return np.abs(image.take(0, axis) - image.take(-1, axis)).mean(), differences


def assert_seamless(image):
    for axis in (0, 1):
        across, inside = seam(image, axis)
        assert np.quantile(inside, 0.02) < across < np.quantile(inside, 0.98)


def test_a_texture_comes_close_to_the_styles_statistics(squeezenet):
    style = load_image("mosaic", 96)
    run = texture(style, 96, steps=40, **FAST)
    loss = Style(style, squeezenet)
    noise = np.random.default_rng(0).random((96, 96, 3), "float32")
    assert float(loss(run.image)[0]) < 0.1 * float(loss(noise)[0])
    assert float(loss(run.image)[0]) < 0.1 * float(loss(load_image("gravel", 96))[0])


def test_a_texture_is_not_a_copy(squeezenet):
    style = load_image("gravel", 96)
    runs = [texture(style, 96, steps=20, **FAST | {"seed": seed}).image for seed in (1, 2)]
    for one, other in ((runs[0], runs[1]), (runs[0], style), (runs[1], style)):
        assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 0.5


@pytest.mark.parametrize("size", [96, (80, 104)])
def test_a_tileable_texture_has_no_seam(size):
    run = texture("gravel", size, steps=40, tileable=True, **FAST)
    assert run.image.shape[:2] == (size if isinstance(size, tuple) else (size, size))
    assert_seamless(run.image)


def test_any_other_texture_has_a_seam():
    image = texture("gravel", 96, steps=40, **FAST).image
    for axis in (0, 1):
        across, inside = seam(image, axis)
        assert across > np.quantile(inside, 0.98)


@pytest.mark.slow
def test_a_tileable_texture_of_vgg16_has_no_seam(pretrained):
    network = pretrained("vgg16")
    run = texture("brick", 128, network, 60, 1, tileable=True, profile="ci", progress=False)
    assert_seamless(run.image)


def test_enlarging_a_tileable_picture_is_enlarging_its_repetition(picture):
    x = picture(8, 12)
    wall = enlarge(np.tile(x, (3, 3, 1)), (72, 72), False)
    np.testing.assert_allclose(enlarge(x, (24, 24), True), wall[24:48, 24:48], atol=1e-5)
    rolled = enlarge(np.roll(x, (3, 5), (0, 1)), (24, 24), True)
    np.testing.assert_allclose(
        rolled, np.roll(enlarge(x, (24, 24), True), (9, 10), (0, 1)), atol=1e-5
    )


def test_enlarging_is_smooth():
    wave = 0.5 + 0.4 * np.sin(2 * np.pi * np.arange(16) / 16)
    x = np.broadcast_to(wave[:, None, None], (16, 16, 3)).astype("float32")
    fine = 0.5 + 0.4 * np.sin(2 * np.pi * ((np.arange(32) + 0.5) / 2 - 0.5) / 16)
    np.testing.assert_allclose(enlarge(x, (32, 32), True)[:, 0, 0], fine, atol=0.005)
    assert zoom(wave, 2, mode="grid-wrap", grid_mode=True)[3] == pytest.approx(fine[3], abs=0.005)


def test_enlarging_to_its_own_size_changes_nothing(picture):
    np.testing.assert_array_equal(enlarge(picture(9, 7), (9, 7), True), picture(9, 7))


def test_a_texture_goes_from_coarse_to_fine():
    run = texture("mosaic", 128, steps=6, octaves=3, **FAST)
    assert list(run.history["phase"].unique()) == [f"texture {n}/3" for n in (1, 2, 3)]
    assert list(run.history.columns[3:5]) == ["style", "total_variation"]


def test_no_size_means_the_profiles():
    assert texture("mosaic", steps=0, **FAST).image.shape == (96, 96, 3)


def test_a_texture_reruns_and_resumes_exactly(tmp_path, monkeypatch):
    monkeypatch.setattr(Checkpoint, "due", lambda self: self.path is not None)
    call = dict(size=(72, 80), steps=6, octaves=2, tileable=True, **FAST)
    whole = texture("mosaic", **call)
    whole.save(tmp_path / "a.png")
    np.testing.assert_array_equal(rerun(tmp_path / "a.png", progress=False).image, whole.image)

    file = tmp_path / "a.npz"
    late = lambda step: step.phase.endswith("2/2") and step.step == 1  # noqa: E731
    stopped = texture("mosaic", **call, callback=late, checkpoint=file)
    assert stopped.stopped == "callback"
    assert stopped.image.shape == (72, 80, 3)
    np.testing.assert_array_equal(resume(file, progress=False).image, whole.image)


def test_a_texture_stopped_at_its_smallest_size_still_has_its_full_size():
    stopped = texture("mosaic", 96, steps=8, **FAST, tileable=True, callback=lambda step: True)
    assert stopped.image.shape == (96, 96, 3)


def test_a_large_texture_is_computed_in_tiles():
    whole, tiled = (texture("mosaic", 96, steps=3, tile=t, **FAST).image for t in (None, 48))
    assert np.abs(whole - tiled).mean() < 2e-3


def test_a_tileable_texture_in_tiles_is_refused():
    with pytest.raises(SettingsError, match=r"wraps around .* tiles: choose tileable=False, or"):
        texture("mosaic", 96, steps=3, tile=48, tileable=True, **FAST)


def test_a_size_at_which_the_networks_grid_does_not_meet_itself_is_refused(vgg19):
    with pytest.raises(ImageError, match=r"of 300 px does not fit .* steps of 16 px: .* as 304\."):
        texture("mosaic", (320, 300), vgg19, 0, tileable=True, profile="ci", progress=False)


@pytest.mark.parametrize("size", [0, "large", (96,), (96, 96, 3), 9.5, (96, 0)])
def test_an_invalid_size_is_refused(size):
    with pytest.raises((SettingsError, ImageError), match="size cannot be"):
        texture("mosaic", size, steps=0, **FAST)
