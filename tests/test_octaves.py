"""Octaves: their sizes, the lost detail that is put back, and the jitter of each step."""

import numpy as np
import pytest
from PIL import Image

from dreamkit import Run, SettingsError, ascend, deep_dream, load_backbone, octave_sizes
from dreamkit.octaves import through_octaves
from dreamkit.startup import tf


def noise(seed=0, shape=(24, 32, 3)):
    return np.random.default_rng(seed).random(shape, "float32")


def history(**columns):
    import pandas as pd

    return pd.DataFrame({"step": [0], "phase": ["x"], "total": [1.0], "seconds": [0.5], **columns})


# Sizes


def test_octaves_grow_by_the_scale_up_to_the_pictures_own_size():
    assert octave_sizes((300, 400), 3, scale=2) == [(75, 100), (150, 200), (300, 400)]
    assert octave_sizes((196, 98), 3, scale=1.4) == [(100, 50), (140, 70), (196, 98)]
    assert octave_sizes((301, 77), 1) == [(301, 77)]


def test_sizes_too_small_are_left_out():
    assert octave_sizes((300, 400), 4, scale=2, smallest=75) == [(75, 100), (150, 200), (300, 400)]
    assert octave_sizes((300, 400), 4, scale=2, smallest=76) == [(150, 200), (300, 400)]
    assert octave_sizes((10, 10), 4, smallest=99) == [(10, 10)]


@pytest.mark.parametrize("wrong", [dict(octaves=0), dict(octaves=1.5), dict(scale=1.0)])
def test_invalid_octaves_are_a_settings_error(wrong):
    with pytest.raises(SettingsError, match="octave"):
        octave_sizes((300, 400), **{"octaves": 3, **wrong})


def test_a_dream_leaves_out_octaves_too_small_for_its_layers():
    smallest = load_backbone("squeezenet").smallest("fire8")
    run = deep_dream(noise(shape=(40, 60, 3)), octaves=4, steps=1, profile="ci", progress=False)
    expected = [n for n in range(4) if round(40 / 1.4**n) >= smallest]
    assert 1 < len(expected) < 4
    assert run.history["phase"].nunique() == len(expected)
    assert run.image.shape == (40, 60, 3)


# Lost detail


def pillow(image, size, kernel):
    """A float picture at (height, width), by Pillow alone."""
    bands = [Image.fromarray(np.ascontiguousarray(image[..., c])) for c in range(3)]
    return np.clip(np.stack([np.asarray(b.resize(size[::-1], kernel)) for b in bands], -1), 0, 1)


def test_lost_detail_is_put_back_by_the_formula():
    down, up = Image.Resampling.LANCZOS, Image.Resampling.BICUBIC
    picture, sizes, starts = noise(), [(12, 16), (24, 32)], []

    def darken(picture, number):
        starts.append(picture)
        return Run((0.75 * picture).astype("float32"), history())

    run = through_octaves(picture, sizes, darken)
    small = pillow(picture, (12, 16), down)
    lost = picture - pillow(small, (24, 32), up)
    expected = np.clip(pillow(0.75 * small, (24, 32), up) + lost, 0, 1)
    assert np.abs(starts[0] - small).max() < 1e-6
    assert np.abs(starts[1] - expected).max() < 1e-6
    assert np.abs(run.image - 0.75 * expected).max() < 1e-6


def test_octaves_that_change_nothing_give_the_picture_back():
    kept = through_octaves(noise(), [(6, 8), (12, 16), (24, 32)], lambda p, n: Run(p, history()))
    assert np.abs(kept.image - noise()).max() < 1e-6


def test_the_history_runs_through_all_octaves_and_time_goes_on():
    sizes = [(12, 16), (24, 32)]
    run = through_octaves(noise(), sizes, lambda p, n: Run(p, history(octave=[n])))
    assert list(run.history["octave"]) == [1, 2]
    assert list(run.history["seconds"]) == [0.5, 1.0]


def test_an_octave_that_is_stopped_ends_all_at_full_size():
    def stop(picture, number):
        return Run(picture, history(), stopped="callback" if number == 2 else None)

    run = through_octaves(noise(), [(6, 8), (12, 16), (24, 32)], stop)
    assert run.stopped == "callback"
    assert len(run.history) == 2
    assert run.image.shape == (24, 32, 3)


def test_ctrl_c_at_the_start_of_an_octave_keeps_the_one_before():
    def interrupted(picture, number):
        if number == 2:
            raise KeyboardInterrupt
        return Run(picture * 0, history())

    run = through_octaves(noise(), [(12, 16), (24, 32)], interrupted)
    assert run.stopped == "interrupted"
    assert run.image.shape == (24, 32, 3)
    assert not run.image.any()


# Jitter


class Watcher:
    """Records the pictures it scores; its gradient is the same however the picture is rolled."""

    def __init__(self, gradient):
        self.gradient, self.pictures = gradient, []

    def __call__(self, picture):
        return self.value_and_gradient(picture)[:2]

    def value_and_gradient(self, picture):
        self.pictures.append(np.array(picture))
        return tf.constant(0.0), {"watched": tf.constant(0.0)}, tf.constant(self.gradient)


def shifts_between(rolled, picture):
    """All shifts (down, right), px, that turn a picture into a rolled one."""
    shifts = [(y, x) for y in range(-9, 10) for x in range(-9, 10)]
    return [s for s in shifts if np.array_equal(np.roll(picture, s, (0, 1)), rolled)]


def dream(seed, steps=5, jitter=3):
    """The rolls of a dream that does not change the picture."""
    watcher = Watcher(np.zeros((24, 32, 3), "float32"))
    ascend(noise(), watcher, steps, jitter=jitter, seed=seed, progress=False)
    return [shifts_between(rolled, noise()) for rolled in watcher.pictures]


def test_jitter_rolls_the_picture_within_its_range_and_is_seeded():
    first, again, other = dream(1), dream(1), dream(2)
    assert first == again
    assert first != other
    assert all(len(shifts) == 1 for shifts in first)
    rolls = [abs(px) for shifts in dream(3, steps=40)[:-1] for px in shifts[0]]
    assert max(rolls) == 3
    assert min(rolls) == 0


def test_the_gradient_is_rolled_back():
    gradient = np.random.default_rng(3).normal(size=(24, 32, 3)).astype("float32")
    picture = 0.25 + 0.5 * noise()
    watcher = Watcher(gradient)
    run = ascend(picture, watcher, 1, jitter=5, seed=4, keep="last", progress=False)
    ((down, right),) = shifts_between(watcher.pictures[0], picture)
    assert (down, right) != (0, 0)
    rolled_back = np.roll(gradient, (-down, -right), (0, 1)).astype("float64")
    expected = picture + 0.01 * rolled_back / rolled_back.std()
    assert np.abs(run.image - expected).max() < 1e-6


def test_without_jitter_the_picture_stays_where_it_is():
    assert dream(1, jitter=0) == [[(0, 0)]] * 6
