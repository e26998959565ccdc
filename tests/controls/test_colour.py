"""Keeping a photo's colours: chroma exactly, or mean and covariance."""

import numpy as np
import pytest
from scipy.linalg import sqrtm

from dreamkit import keep_chroma, load_image, match_colours, resize, save_image
from dreamkit.controls.colour import ROUNDS, colour_moments, grey, matrix_power

# The matrix of the NTSC standard, whose rounded digits are the only difference from ours.
YIQ = np.array(
    [[0.299, 0.587, 0.114], [0.595716, -0.274453, -0.321263], [0.211456, -0.522591, 0.311135]]
)
PHOTOS = ("astronaut", "chelsea", "china", "flower")
STYLES = ("mosaic", "night_flow", "watercolour", "geometric")


def yiq(picture):
    return np.asarray(picture, "float64") @ YIQ.T


# Painting only the brightness


@pytest.mark.parametrize("photo", PHOTOS)
@pytest.mark.parametrize("style", STYLES)
def test_the_results_chroma_is_the_photos_within_2_percent(photo, style, tmp_path):
    photo = load_image(photo, 96)
    painted = resize(load_image(style), photo.shape[:2])
    path = save_image(tmp_path / "a.png", keep_chroma(painted, photo))
    wanted, got = yiq(photo)[..., 1:], yiq(load_image(path))[..., 1:]
    assert np.linalg.norm(got - wanted) < 0.02 * np.linalg.norm(wanted)


@pytest.mark.parametrize("photo", PHOTOS)
def test_the_luminance_is_the_painted_pictures_wherever_the_colour_allows_it(photo, picture):
    photo = load_image(photo, 64)
    painted = picture(*photo.shape[:2])
    result = keep_chroma(painted, photo)
    assert result.min() >= 0
    assert result.max() <= 1
    inside = ((result > 1e-5) & (result < 1 - 1e-5)).all(axis=-1)
    assert inside.mean() > 0.2
    np.testing.assert_allclose(yiq(result)[inside, 0], yiq(painted)[inside, 0], atol=1e-6)
    beyond = yiq(photo) - yiq(photo)[..., :1] * [1, 0, 0] + yiq(painted)[..., :1] * [1, 0, 0]
    colours = beyond @ np.linalg.inv(YIQ).T  # where a colour is at its limit, it had to be
    assert ((colours < 1e-4) | (colours > 1 - 1e-4)).any(axis=-1)[~inside].all()


def test_painting_the_photo_itself_changes_nothing():
    photo = load_image("coffee", 64)
    np.testing.assert_allclose(keep_chroma(photo, photo), photo, atol=1e-6)


def test_a_grey_photo_gives_a_grey_picture(picture):
    painted = picture(8, 8)
    result = keep_chroma(painted, np.full((8, 8, 3), 0.3))
    np.testing.assert_allclose(result, grey(painted), atol=1e-6)


def test_pure_red_has_only_one_brightness():
    red = np.zeros((4, 4, 3))
    red[..., 0] = 1
    np.testing.assert_allclose(keep_chroma(np.ones((4, 4, 3)), red), red, atol=1e-6)


def test_the_photo_is_resized_to_the_painted_picture(picture):
    assert keep_chroma(picture(8, 12), picture(16, 24, seed=1)).shape == (8, 12, 3)


# Recolouring the painting


def test_without_clipping_mean_and_covariance_are_the_photos_exactly(picture):
    painting = load_image("mosaic", 64)
    photo = 0.4 + 0.15 * picture(40, 30) * (1, 0.5, 0.7) + 0.05 * picture(40, 30, seed=1)[..., :1]
    result = match_colours(painting, photo)
    assert 0 < result.min() < result.max() < 1
    for got, wanted in zip(colour_moments(result), colour_moments(photo), strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-7)


def test_one_round_is_the_affine_map_of_the_paper(monkeypatch):
    monkeypatch.setattr("dreamkit.controls.colour.ROUNDS", 1)
    painting, photo = load_image("night_flow", 48), load_image("chelsea", 64)
    x, y = (p.reshape(-1, 3).astype("float64") for p in (painting, photo))
    a = sqrtm(np.cov(y, rowvar=False)) @ np.linalg.inv(sqrtm(np.cov(x, rowvar=False)))
    a *= np.sqrt((1 - 1 / len(y)) / (1 - 1 / len(x)))  # NumPy divides by n - 1, we by n
    expected = np.clip((x - x.mean(0)) @ a.T + y.mean(0), 0, 1).reshape(painting.shape)
    np.testing.assert_allclose(match_colours(painting, photo), expected, atol=1e-5)


def moment_errors(painting, photo):
    (mean, covariance), (wanted, goal) = map(
        colour_moments, (match_colours(painting, photo), photo)
    )
    return np.abs(mean - wanted).max(), np.linalg.norm(covariance - goal) / np.linalg.norm(goal)


def test_on_our_samples_clipping_costs_a_few_percent(monkeypatch):
    pairs = [(load_image(s, 64), load_image(p, 64)) for s in STYLES for p in PHOTOS]
    means, covariances = np.median([moment_errors(*pair) for pair in pairs], axis=0)
    assert means < 0.01
    assert covariances < 0.08
    monkeypatch.setattr("dreamkit.controls.colour.ROUNDS", 1)
    once = np.median([moment_errors(*pair) for pair in pairs], axis=0)
    assert ROUNDS > 1
    assert means < once[0] / 2
    assert covariances < once[1] / 2


def test_a_grey_photo_gives_a_grey_painting():
    result = match_colours(load_image("mosaic", 64), load_image("camera", 64))
    assert np.ptp(result, axis=-1).max() < 1e-5
    assert moment_errors(load_image("mosaic", 64), load_image("camera", 64))[1] < 0.1


def test_a_painting_of_one_colour_takes_the_photos_mean():
    photo = load_image("coffee", 32)
    result = match_colours(np.full((8, 8, 3), (0.1, 0.9, 0.4)), photo)
    np.testing.assert_allclose(result, np.broadcast_to(photo.mean((0, 1)), (8, 8, 3)), atol=1e-6)


def test_rounding_in_a_grey_painting_does_not_become_colour():
    painting = np.repeat(np.random.default_rng(0).integers(0, 255, (32, 32, 1)), 3, axis=-1)
    painting[..., 2] += np.random.default_rng(1).integers(0, 2, (32, 32))  # off by one grey level
    result = match_colours(np.uint8(painting), 0.4 + 0.2 * load_image("flower", 64))
    assert result.std(axis=(0, 1)).min() > 0.01
    cast = result - grey(result)
    direction = np.linalg.svd((cast - cast.mean((0, 1))).reshape(-1, 3))[1]
    assert direction[1] < 0.01 * direction[0]  # colours on one line, as the greys were


def test_a_painting_in_the_photos_colours_stays_as_it_is():
    photo = load_image("chelsea", 64)
    np.testing.assert_allclose(match_colours(photo, photo), photo, atol=1e-5)


def test_matrix_powers_are_scipys():
    _, covariance = colour_moments(load_image("astronaut", 64))
    np.testing.assert_allclose(matrix_power(covariance, 0.5), sqrtm(covariance), atol=1e-12)
    inverse = np.linalg.inv(sqrtm(covariance))
    np.testing.assert_allclose(matrix_power(covariance, -0.5), inverse, rtol=1e-9)
