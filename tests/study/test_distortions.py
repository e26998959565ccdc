"""Distortions keep to their severity scale; clutter and scenes grow as they should."""

import itertools

import numpy as np
import pytest
from matplotlib import pyplot as plt
from PIL import Image
from scipy.ndimage import gaussian_filter
from skimage.color import rgb2gray
from skimage.feature import canny

from dreamkit import ImageError, SettingsError, load_image, resize
from dreamkit.study.distortions import BLUR, DISTORTIONS, clutter, distort, scale_sheet
from dreamkit.study.drawing import MARKS
from dreamkit.study.scenes import scene

every_kind = pytest.mark.parametrize("kind", DISTORTIONS)
every_mark = pytest.mark.parametrize("kind", MARKS)


@pytest.fixture(scope="module")
def photos():
    """Two photos, one square and one wide."""
    return [load_image(name, 96) for name in ("astronaut", "coffee")]


def distance(a, b):
    return float(np.abs(a - b).mean())


# One severity scale for all


@every_kind
def test_severity_0_changes_nothing(kind, picture):
    image = picture(20, 30)
    before = image.copy()
    same = distort(image, kind, 0)
    assert np.array_equal(same, before)
    assert not np.shares_memory(same, image)


@every_kind
def test_the_more_severe_the_further_from_the_photo(kind, photos):
    for photo in photos:
        away = [distance(distort(photo, kind, s), photo) for s in (0, 0.2, 0.4, 0.6, 0.8, 1)]
        assert away == sorted(away)
        assert away[-1] > 0.04


@every_kind
def test_shape_type_and_range_are_kept(kind, picture):
    for image in (picture(20, 31), np.zeros((33, 16, 3), "float32"), np.ones((1, 1, 3), "float32")):
        before = image.copy()
        for severity in (1e-320, 0.5, 1):
            distorted = distort(image, kind, severity)
            assert distorted.shape == image.shape
            assert distorted.dtype == np.float32
            assert distorted.min() >= 0
            assert distorted.max() <= 1
        assert np.array_equal(image, before)


@every_kind
def test_the_seed_decides_everything_random(kind, photos):
    first, again, other = (distort(photos[1], kind, 0.5, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    by_chance = kind == "noise" or kind in MARKS
    assert np.array_equal(first, other) != by_chance


@every_kind
def test_a_small_and_a_large_picture_look_the_same(kind):
    large = load_image("astronaut", 384)
    small = resize(large, 96)
    distorted = distort(small, kind, 0.7)
    gap = distance(distorted, resize(distort(large, kind, 0.7), 96))
    assert gap < 0.45 * distance(distorted, small)


# Marks


@every_mark
def test_a_more_severe_picture_has_the_same_marks_and_more(kind, photos):
    pictures = [distort(photos[0], kind, severity) for severity in (0.1, 0.4, 0.7, 1)]
    marked = [(picture != photos[0]).any(-1) for picture in pictures]
    for less, more in itertools.pairwise(marked):
        assert more[less].mean() > 0.99
        assert more.mean() > less.mean()
    assert 0.4 < marked[-1].mean() < 0.85  # the photo is still recognisable


@every_mark
def test_the_edges_of_marks_are_smooth(kind):
    black = np.zeros((96, 96, 3), "float32")
    one_mark = distort(black, kind, 1e-9).max(-1)
    between = (one_mark > 0.02) & (one_mark < 0.9 * one_mark.max())
    assert 0.002 < between.mean() < 0.1


# Each kind


def test_blur_is_scipys_gaussian(photos):
    photo = photos[1]
    height, width, _ = photo.shape
    sigma = 0.5 * BLUR * np.sqrt(height * width)
    expected = np.stack([gaussian_filter(photo[..., c], sigma) for c in range(3)], -1)
    assert np.abs(distort(photo, "blur", 0.5) - expected).max() < 1e-6


def test_noise_is_normal_and_grows_in_proportion():
    grey = np.full((128, 128, 3), 0.5, "float32")
    weak, strong = (distort(grey, "noise", severity) - grey for severity in (0.1, 0.2))
    assert np.abs(strong - 2 * weak).max() < 1e-5
    assert abs(weak.std() - 0.04) < 1e-4
    assert abs(weak.mean()) < 1e-3
    assert abs(np.mean(np.abs(weak) < weak.std()) - 0.683) < 0.01


def test_low_contrast_shrinks_the_spread_and_keeps_the_mean(photos):
    flat = distort(photos[0], "low_contrast", 1)
    assert abs(flat.mean() - photos[0].mean()) < 1e-5
    assert abs(flat.std() / photos[0].std() - 0.15) < 1e-4


def test_pixelation_leaves_18_cells_of_one_mean_colour_each(photos):
    photo = resize(photos[0], 72)
    cells = photo.reshape(18, 4, 18, 4, 3).mean((1, 3))
    expected = cells.repeat(4, 0).repeat(4, 1)
    assert np.abs(distort(photo, "pixelation", 1) - expected).max() < 1e-5


def test_jpeg_at_192_px_is_pillows(tmp_path):
    photo = load_image("astronaut", 192)
    pixels = Image.fromarray(np.rint(255 * photo).astype("uint8"))
    pixels.save(tmp_path / "photo.jpg", quality=3)
    expected = np.asarray(Image.open(tmp_path / "photo.jpg"), "float32") / 255
    assert np.abs(distort(photo, "jpeg", 1) - expected).max() < 1e-6


def test_swirl_turns_the_middle_and_leaves_the_corners():
    photo = np.zeros((97, 97, 3), "float32")
    photo[44:53, 56:] = 1  # a bar from the middle to the right
    swirled = distort(photo, "swirl", 1)
    assert distance(swirled[30:67, 30:67], photo[30:67, 30:67]) > 0.1
    assert distance(swirled[:20, :20], photo[:20, :20]) < 0.02


# Errors


def test_wrong_arguments_are_refused(picture):
    image = picture(8, 8)
    with pytest.raises(SettingsError, match=r"'blurr'.*'blur'"):
        distort(image, "blurr", 0.5)
    for severity in (-0.1, 1.1, float("nan"), "0.5", True):
        with pytest.raises(SettingsError, match="Severity"):
            distort(image, "blur", severity)
    for seed in (-1, 0.5):
        with pytest.raises(SettingsError, match="Seed"):
            distort(image, "noise", 0.5, seed=seed)
    with pytest.raises(ImageError):
        distort(255 * image, "blur", 0)
    with pytest.raises(ImageError):
        clutter(image[0, 0])


@pytest.mark.parametrize("wrong", [(-0.1, 64), (1.1, 64), (0.5, 15), (0.5, 64.0), (0.5, 64, -1)])
def test_an_impossible_scene_is_refused(wrong):
    with pytest.raises(SettingsError):
        scene(*wrong)


# Clutter


def test_clutter_agrees_with_numpy():
    photo = load_image("coffee", 256)
    codes = np.minimum((photo.astype("float64") * 8).astype(int), 7) @ [64, 8, 1]
    share = np.unique(codes, return_counts=True)[1] / codes.size
    bits = -np.sum(share * np.log2(share))
    density = np.sum(canny(rgb2gray(photo))) / codes.size
    measured = clutter(photo)
    assert abs(measured["colour_entropy"] - bits) < 1e-6
    assert abs(measured["edge_density"] - density) < 1e-6
    assert abs(measured["clutter"] - (density / 0.2 + bits / 9) / 2) < 1e-6


def test_clutter_runs_from_0_to_1_and_ranks_photos(picture):
    assert clutter(np.ones((20, 30, 3)))["clutter"] == 0
    assert 0.9 < clutter(picture(256, 256))["clutter"] <= 1
    horse, rocket, astronaut = (
        clutter(load_image(name, 192))["clutter"] for name in ("horse", "rocket", "astronaut")
    )
    assert horse < rocket < astronaut


@every_mark
def test_marks_add_clutter_to_a_plain_scene(kind):
    plain = scene(0, 128)
    measured = [clutter(distort(plain, kind, s))["clutter"] for s in (0, 0.3, 1)]
    assert measured == sorted(measured)
    assert measured[2] > measured[0] + 0.2


# Scenes


@pytest.mark.parametrize("seed", range(3))
def test_measured_clutter_grows_with_a_scenes_level(seed):
    scenes = [clutter(scene(level, 128, seed)) for level in (0, 0.25, 0.5, 0.75, 1)]
    for measure in ("edge_density", "colour_entropy", "clutter"):
        values = [measured[measure] for measured in scenes]
        assert (np.diff(values) > 0).all()
    assert scenes[0]["clutter"] < 0.2
    assert scenes[-1]["clutter"] > 0.5


def test_a_scene_is_a_picture_and_its_seed_decides():
    first, again, other = (scene(0.5, 48, seed) for seed in (1, 1, 2))
    assert first.shape == (48, 48, 3)
    assert first.dtype == np.float32
    assert 0 <= first.min() < first.max() <= 1
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


# The sheet


def test_the_sheet_shows_every_distortion_at_every_severity(picture):
    figure = scale_sheet(picture(8, 12), (0, 0.5))
    panels = np.array(figure.axes).reshape(len(DISTORTIONS), 2)
    assert [axes.get_title() for axes in panels[0]] == ["severity 0", "severity 0.5"]
    assert [axes.get_ylabel().replace(" ", "_") for axes in panels[:, 0]] == list(DISTORTIONS)
    for row, kind in zip(panels, DISTORTIONS, strict=True):
        expected = distort(picture(8, 12), kind, 0.5)
        assert np.array_equal(row[1].images[0].get_array(), expected)
    plt.close(figure)
