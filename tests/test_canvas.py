"""The canvas: what the optimiser moves, its way to the picture and back, and its gradient."""

import numpy as np
import pytest

from dreamkit import Content, Dream, SettingsError, Style, ascend, descend, load_image
from dreamkit.canvas import (
    AMPLITUDE,
    CANVASES,
    COLOURS,
    PHOTOS,
    Phase,
    Spectrum,
    frequencies,
    magnitudes,
    uncorrelated_colours,
)
from dreamkit.runs.checkpoint import Checkpoint
from dreamkit.startup import tf

SIZES = [(16, 16), (12, 17), (15, 10), (9, 7)]
QUIET = dict(progress=False)
WAVES = pytest.mark.parametrize("kind", [Spectrum, Phase])
EVERY_SIZE = pytest.mark.parametrize("size", SIZES)


def inside(picture):
    """The same picture, away from black and white."""
    return 0.1 + 0.8 * picture


def canvas_of(kind, picture):
    """A canvas and the variable that it paints, in the picture's own precision."""
    shown = tf.Variable(picture)
    return kind(shown), shown


def by_numpy(real, imaginary, size):
    """The picture of a scaled spectrum, with NumPy's FFT in float64."""
    height, width = size
    down, right = np.fft.fftfreq(height), np.fft.rfftfreq(width)
    logits = np.zeros((height, width, 3))
    for colour in range(3):
        waves = np.zeros((height, len(right)), complex)
        for row in range(height):
            for column in range(len(right)):
                f = max((down[row] ** 2 + right[column] ** 2) ** 0.5, 1 / max(size))
                strength = AMPLITUDE * (height * width) ** 0.5 / f
                coefficient = real[row, column, colour] + 1j * imaginary[row, column, colour]
                waves[row, column] = strength * coefficient
        grey = np.fft.irfft2(waves, size)
        logits += grey[..., np.newaxis] * COLOURS[colour]
    return 1 / (1 + np.exp(-logits))


# To the picture and back


@EVERY_SIZE
def test_a_spectrum_is_numpys(size, double):
    canvas, shown = canvas_of(Spectrum, inside(double(*size)))
    rng = np.random.default_rng(1)
    real, imaginary = rng.normal(0, 1, (2, size[0], size[1] // 2 + 1, 3))
    canvas.variable.assign(np.concatenate([real, imaginary]))
    canvas.paint()
    assert np.abs(shown - by_numpy(real, imaginary, size)).max() < 1e-12


@EVERY_SIZE
def test_a_picture_survives_the_way_to_its_spectrum_and_back(size, picture):
    x = inside(picture(*size))
    _, shown = canvas_of(Spectrum, x)
    assert shown.dtype == tf.float32
    assert np.abs(shown - x).max() < 1e-5


def test_black_and_white_stay_black_and_white_in_8_bits():
    x = np.zeros((8, 8, 3), "float32")
    x[4:] = 1
    _, shown = canvas_of(Spectrum, x)
    assert np.array_equal(np.rint(shown.numpy() * 255), x * 255)


@EVERY_SIZE
def test_a_phase_is_the_angle_of_numpys_spectrum(size, double):
    x = inside(double(*size)).numpy()
    canvas, _ = canvas_of(Phase, x)
    colours = np.log(x / (1 - x)) @ np.linalg.inv(COLOURS)
    angle = np.angle(np.fft.rfft2(colours, axes=(0, 1)))
    difference = np.exp(1j * canvas.variable.numpy()) - np.exp(1j * angle)
    assert np.abs(difference)[1:, 1:].max() < 1e-9


def test_every_picture_of_a_phase_has_the_photos_magnitudes(double):
    size = (24, 31)
    canvas, shown = canvas_of(Phase, inside(double(*size)))
    canvas.variable.assign(np.random.default_rng(2).uniform(-4, 4, canvas.variable.shape))
    canvas.paint()
    x = shown.numpy()
    found = np.abs(np.fft.rfft2(np.log(x / (1 - x)) @ np.linalg.inv(COLOURS), axes=(0, 1)))
    inner = np.s_[1:, 1:]  # where a wave and its mirror image are not the same coefficient
    np.testing.assert_allclose(found[inner], magnitudes(size)[inner], rtol=1e-6)
    assert found[0, 0].max() < 1e-9


# The gradient


@WAVES
@pytest.mark.parametrize("size", [(8, 8), (6, 9), (7, 4)])
def test_the_gradient_goes_back_through_the_canvas(kind, size, toy, double):
    canvas, shown = canvas_of(kind, inside(double(*size)))
    score, step = Dream(toy, power=2), 1e-5
    gradient = canvas.pull_back(score.value_and_gradient(shown.value()).gradient).numpy()
    start = canvas.variable.numpy()
    for place in np.random.default_rng(3).integers(0, start.shape, (12, 3)).tolist():
        ends = []
        for sign in (1, -1):
            moved = start.copy()
            moved[tuple(place)] += sign * step
            canvas.variable.assign(moved)
            canvas.paint()
            ends.append(float(score(shown.value())[0]))
        expected = (ends[0] - ends[1]) / (2 * step)
        assert gradient[tuple(place)] == pytest.approx(expected, rel=1e-5, abs=1e-9), place


def test_a_step_along_the_gradient_of_a_spectrum_is_one_in_the_loop(toy, double):
    x, dream = inside(double(10, 13)), Dream(toy)
    canvas, shown = canvas_of(Spectrum, x)
    gradient = canvas.pull_back(dream.value_and_gradient(shown.value()).gradient)
    canvas.variable.assign_add(0.1 * gradient / tf.math.reduce_std(gradient))
    canvas.paint()
    run = ascend(x, dream, 1, learning_rate=0.1, canvas="spectrum", keep="last", **QUIET)
    assert np.abs(run.image - shown).max() < 1e-12
    assert np.abs(run.image - x).max() > 1e-3


# The constants are what the photos give


def test_the_colours_are_those_of_the_photos():
    found = uncorrelated_colours([load_image(name, 256) for name in PHOTOS])
    covariance = found.T @ found
    np.testing.assert_allclose(COLOURS.T @ COLOURS, covariance, atol=0.02 * covariance.max())
    products = COLOURS @ COLOURS.T
    lengths = np.sqrt(np.diag(products))
    assert np.abs(products / np.outer(lengths, lengths) - np.eye(3)).max() < 0.01


def test_the_colours_found_uncorrelate_the_pictures():
    x = load_image("coffee", 64).astype("float64").clip(1 / 512, 1 - 1 / 512)
    amounts = np.log(x / (1 - x)).reshape(-1, 3) @ np.linalg.inv(uncorrelated_colours([x]))
    np.testing.assert_allclose(np.cov(amounts.T), np.eye(3), atol=1e-6)


@pytest.mark.parametrize("side", [64, 160, 256])
def test_a_coefficient_of_one_is_about_as_strong_as_in_a_photo_of_any_size(side):
    unit = AMPLITUDE * side / frequencies((side, side))[..., np.newaxis]
    ratio = magnitudes((side, side))[1:, 1:] / unit[1:, 1:]  # √(re² + im²): 1.25 on average
    assert 0.6 < np.median(ratio) < 2


# In the loop


def test_pixels_are_the_default_and_are_to_the_last_bit_what_they_were(squeezenet, picture):
    x, dream = picture(40, 44), Dream(squeezenet)
    plain = ascend(x, dream, 3, jitter=5, seed=1, **QUIET)
    named = ascend(x, dream, 3, jitter=5, seed=1, canvas="pixels", **QUIET)
    assert np.array_equal(plain.image, named.image)
    expected = tf.Variable(x)
    stepped = ascend(x, dream, 1, "adam", learning_rate=0.1, keep="last", **QUIET).image
    gradient = dream.value_and_gradient(expected.value()).gradient
    expected.assign_add(0.1 * tf.sign(gradient))
    assert np.abs(stepped - tf.clip_by_value(expected, 0, 1)).max() < 1e-4


@pytest.mark.parametrize("optimizer", ["adam", "gradient", "lbfgs"])
@pytest.mark.parametrize("canvas", ["spectrum", "phase"])
def test_every_optimiser_descends_on_every_canvas(canvas, optimizer, squeezenet):
    style = Style(load_image("mosaic", 64), squeezenet)
    run = descend(load_image("chelsea", 64), style, 6, optimizer, canvas=canvas, **QUIET)
    totals = run.history["total"]
    assert totals.iloc[-1] < totals.iloc[0]
    assert 0 <= run.image.min() <= run.image.max() <= 1


def test_a_spectrum_starts_from_any_picture(squeezenet):
    photo = load_image("coffee", 64)
    run = descend(photo, Content(photo, squeezenet), 0, canvas="spectrum", **QUIET)
    assert np.abs(run.image - photo).max() < 0.003  # black and white are half a level away
    assert run.history["content"][0] < 1e-4


@pytest.mark.parametrize("canvas", ["spectrum", "phase"])
def test_the_callback_and_the_run_get_pictures(canvas, squeezenet, picture):
    seen = []
    options = dict(canvas=canvas, callback=lambda step: seen.append(step.image), keep="last")
    run = ascend(picture(33, 40), Dream(squeezenet), 3, **options, **QUIET)
    assert {image.shape for image in seen} == {(33, 40, 3)}
    assert np.array_equal(run.image, seen[-1])
    assert not np.array_equal(seen[0], seen[1])


@pytest.mark.parametrize("canvas", ["spectrum", "phase"])
@pytest.mark.parametrize("optimizer", ["adam", "gradient"])
def test_an_interrupted_run_resumes_to_the_last_bit(
    canvas, optimizer, squeezenet, picture, tmp_path, monkeypatch
):
    monkeypatch.setattr(Checkpoint, "due", lambda self: self.path is not None)
    x, dream = picture(33, 40), Dream(squeezenet)
    options = dict(optimizer=optimizer, canvas=canvas, jitter=3, keep="last", **QUIET)
    whole = ascend(x, dream, 6, **options)

    file = tmp_path / "run.npz"
    stop = lambda step: step.step == 3  # noqa: E731
    ascend(x, dream, 6, checkpoint=Checkpoint(file), callback=stop, **options)
    resumed = ascend(x, dream, 6, checkpoint=Checkpoint(file), **options)
    assert len(resumed.history) == 7
    assert np.array_equal(resumed.image, whole.image)


@pytest.mark.parametrize("canvas", ["spectrum", "phase"])
def test_a_canvas_in_tiles_is_the_canvas_as_a_whole(canvas, squeezenet, picture):
    dream = Dream(squeezenet, "fire4", channel=7)
    options = dict(canvas=canvas, jitter=9, rotate=8, pad=6, seed=1, keep="last", **QUIET)
    whole, tiled = (
        ascend(picture(96, 120), dream, 3, tile=tile, **options).image for tile in (None, 48)
    )
    assert np.abs(whole - tiled).mean() < 1e-4


def test_bands_of_a_spectrum_are_refused(squeezenet, picture):
    with pytest.raises(SettingsError, match="smooth is for pixels, and canvas is 'spectrum'"):
        ascend(picture(33, 40), Dream(squeezenet), 1, smooth=3, canvas="spectrum", **QUIET)


def test_an_unknown_canvas_is_named(squeezenet, picture):
    with pytest.raises(SettingsError, match="canvas cannot be 'linen': choose 'pixels'"):
        ascend(picture(33, 40), Dream(squeezenet), 1, canvas="linen", **QUIET)
    assert set(CANVASES) == {"pixels", "spectrum", "phase"}
