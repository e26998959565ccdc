"""Scores of a picture that repeats: no position is special, and the gradient is exact."""

import numpy as np
import pytest

from dreamkit import Content, SettingsError, Style, TotalVariation, descend
from dreamkit.large.memory import fit_to_memory
from dreamkit.large.wrapped import Wrapped, wrap
from dreamkit.startup import tf


def roll(picture, *shift):
    return tf.roll(picture, shift, (0, 1))


def test_wrap_is_numpys(double):
    x = double(5, 3)
    for margin in (1, 2, 7):  # also more than the picture
        around = np.pad(x.numpy(), [(margin, margin)] * 2 + [(0, 0)], "wrap")
        np.testing.assert_array_equal(wrap(x, margin), around)


def test_the_score_is_the_middle_one_of_many_copies(toy, double):
    """In a wall of 5 × 5 copies, features in the middle see no edge."""
    x, painting = double(12, 16), double(24, 20, seed=1).numpy()
    score = Wrapped(Style(painting, toy))
    wall = toy.raw_features(tf.tile(x, (5, 5, 1))[tf.newaxis], ("first", "second"))
    middle = {"first": wall["first"][:, 24:36, 32:48], "second": wall["second"][:, 12:18, 16:24]}
    mirrored = np.pad(painting, [(48, 48), (40, 40), (0, 0)], "symmetric")
    reference = toy.raw_features(mirrored[np.newaxis], ("first", "second"))
    own = {
        "first": reference["first"][:, 48:72, 40:60],
        "second": reference["second"][:, 24:36, 20:30],
    }
    expected = 0
    for layer in middle:
        f, p = (maps[layer].numpy().reshape(-1, maps[layer].shape[-1]) for maps in (middle, own))
        gram, goal = f.T @ f / len(f), p.T @ p / len(p)
        expected += ((gram - goal) ** 2).sum() / (goal**2).sum() / 2
    assert float(score(x)[0]) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("shift", [(2, 0), (0, 6), (8, 10)])
def test_rolling_by_the_stride_changes_nothing(toy, double, shift):
    score = Wrapped(Style(double(24, 20, seed=1).numpy(), toy))
    total, _, gradient = score.value_and_gradient(x := double(12, 16))
    rolled, _, rolled_gradient = score.value_and_gradient(roll(x, *shift))
    assert float(rolled) == pytest.approx(float(total), rel=1e-10)
    np.testing.assert_allclose(rolled_gradient, roll(gradient, *shift), atol=1e-12)


def test_without_wrapping_rolling_does_change_the_score(toy, double):
    style, x = Style(double(24, 20, seed=1).numpy(), toy), double(12, 16)
    assert abs(float(style(roll(x, 8, 10))[0]) / float(style(x)[0]) - 1) > 1e-4


def test_rolling_changes_nothing_in_squeezenet_either(squeezenet, picture):
    score = Wrapped(Style(picture(64, 64, seed=1), squeezenet))
    x = picture(48, 64)
    assert float(score(np.roll(x, (16, 24), (0, 1)))[0]) == pytest.approx(float(score(x)[0]), 1e-4)


def test_the_gradient_is_that_of_finite_differences(toy, double):
    score = Wrapped(Style(double(24, 20, seed=1).numpy(), toy) + 0.1 * TotalVariation())
    x, direction = double(8, 10), double(8, 10, seed=2) - 0.5
    gradient = score.value_and_gradient(x).gradient
    step = 1e-6
    difference = (score(x + step * direction)[0] - score(x - step * direction)[0]) / (2 * step)
    assert float(difference) == pytest.approx(float(tf.reduce_sum(gradient * direction)), rel=1e-5)


def test_every_pixel_pulls_even_next_to_the_seam(toy, double):
    gradient = Wrapped(Style(double(24, 20, seed=1).numpy(), toy)).value_and_gradient(double(8, 10))
    size = np.abs(gradient.gradient.numpy()).mean(-1)
    assert size.min() > 0
    assert size[0].mean() < 3 * size.mean()


def test_total_variation_counts_the_pairs_across_the_seam():
    step = tf.constant(np.r_[np.zeros(4), np.ones(4)].repeat(24).reshape(8, 8, 3))
    assert float(TotalVariation()(step)[0]) == pytest.approx(1 / 7)
    assert float(Wrapped(TotalVariation())(step)[0]) == pytest.approx(2 / 8)


def test_a_picture_may_be_smaller_than_the_margin(toy, double):
    score, x = Wrapped(Style(double(24, 20, seed=1).numpy(), toy)), double(2, 2)
    assert score.margin > 2
    repeated = score(tf.tile(x, (6, 5, 1)))
    assert float(score(x)[0]) == pytest.approx(float(repeated[0]), rel=1e-10)


def test_descending_uses_the_fast_terms_and_gives_the_same_values(toy, double):
    score = Wrapped(Style(double(24, 20, seed=1).numpy(), toy) + 0.1 * TotalVariation())
    fast, x = fit_to_memory(score, (12, 16)), double(12, 16)
    names = [type(term).__name__ for term in fast.score.terms.values()]
    assert names == ["FastStyle", "FastTotalVariation"]
    plain, quick = score.value_and_gradient(x), fast.value_and_gradient(x)
    assert float(quick.total) == pytest.approx(float(plain.total), rel=1e-10)
    np.testing.assert_allclose(quick.gradient, plain.gradient, atol=1e-12)


def test_descending_lowers_the_score(toy, picture):
    score = Wrapped(Style(picture(24, 20), toy))
    run = descend(picture(12, 16, seed=1), score, 10, progress=False)
    assert run.history["total"].iloc[-1] < 0.5 * run.history["total"].iloc[0]
    assert list(run.history["style"]) == list(run.history["total"])


def test_tiles_are_refused_with_the_size_that_would_work(squeezenet, picture, monkeypatch):
    score = Wrapped(Style(picture(64, 64), squeezenet))
    with pytest.raises(SettingsError, match=r"cannot be computed in tiles: .* up to about \d+\."):
        fit_to_memory(score, (256, 256), tile=64)
    monkeypatch.setattr("dreamkit.large.memory.LIMIT", 20e6)
    with pytest.raises(SettingsError, match=r"up to about (\d+)\.") as caught:
        fit_to_memory(score, (1000, 1000))
    largest = int(str(caught.value).split()[-1].strip("."))
    assert 100 < largest < 1000
    fit_to_memory(score, (largest - 16, largest - 16))


def test_a_photos_content_cannot_repeat(squeezenet, picture):
    with pytest.raises(SettingsError, match="content"):
        Wrapped(Style(picture(64, 64), squeezenet) + Content(picture(64, 64), squeezenet))
