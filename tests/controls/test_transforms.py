"""Moves before each step: a roll, a rotation and a zoom, their adjoints, and what they cost."""

import numpy as np
import pytest
from scipy.ndimage import affine_transform

from conftest import toy_network
from dreamkit import SettingsError, ascend, deep_dream, objectives
from dreamkit.controls.transforms import Move, Transforms
from dreamkit.dream import Dream
from dreamkit.large.fast import normalise_compiled
from dreamkit.startup import tf

MOVES = [
    Move((3, -2), 0.0, 1.0),
    Move((0, 0), 7.5, 1.0),
    Move((0, 0), 0.0, 0.8),
    Move((-5, 4), -33.0, 1.3),
    Move((1, 1), 180.0, 0.5),
]
QUIET = dict(progress=False, profile="ci")


def by_scipy(picture, move):
    """The move in float64 by SciPy, whose "reflect" is the same mirror."""
    rolled = np.roll(picture.astype("float64"), move.shift, (0, 1))
    angle = np.deg2rad(move.angle)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]) / move.scale
    centre = (np.array(picture.shape[:2]) - 1) / 2
    options = dict(offset=centre - turn @ centre, order=1, mode="reflect")
    return np.stack([affine_transform(rolled[..., c], turn, **options) for c in range(3)], -1)


@pytest.mark.parametrize("move", MOVES)
@pytest.mark.parametrize("size", [(24, 32), (17, 9)])
def test_a_move_is_scipys_affine_transform(move, size, picture):
    x = picture(*size)
    moved = move.apply(tf.constant(x))
    assert moved.dtype == tf.float32
    assert np.abs(moved - by_scipy(x, move)).max() < 1e-5


@pytest.mark.parametrize("move", MOVES)
def test_the_adjoint_is_the_transpose(move, double):
    x, y = double(23, 16), double(23, 16, seed=1)
    one, other = np.vdot(move.apply(x), y), np.vdot(x, move.adjoint(y))
    assert one == pytest.approx(other, rel=1e-12)


def test_a_quarter_turn_is_numpys(picture):
    x = picture(12, 12)
    turned = Move((0, 0), 90.0, 1.0).apply(tf.constant(x)).numpy()
    assert min(np.abs(turned - np.rot90(x, k)).max() for k in (1, 3)) < 1e-5


def test_a_flat_picture_stays_flat(double):
    flat = 0 * double(20, 30) + 0.7
    for move in MOVES:
        assert np.abs(move.apply(flat) - 0.7).max() < 1e-7


@pytest.mark.parametrize("move", MOVES[1:])
def test_the_gradient_through_a_move_equals_central_differences(move, toy, double):
    score, x, step = Dream(toy, power=2), double(10, 12), 1e-5
    gradient = move.adjoint(score.value_and_gradient(move.apply(x)).gradient)
    for place in zip(*(np.random.default_rng(3).integers(0, (10, 12, 3), (8, 3)).T), strict=True):
        ends = []
        for sign in (1, -1):
            moved = x.numpy()
            moved[place] += sign * step
            ends.append(float(score(move.apply(tf.constant(moved)))[0]))
        expected = (ends[0] - ends[1]) / (2 * step)
        assert float(gradient[place]) == pytest.approx(expected, rel=1e-5, abs=1e-9), place


# What is drawn


def test_moves_stay_within_their_range_and_are_seeded():
    transforms = Transforms(jitter=3, rotate=5, zoom=0.25)
    moves = [transforms.draw(1, step) for step in range(200)]
    assert moves == [transforms.draw(1, step) for step in range(200)]
    assert moves != [transforms.draw(2, step) for step in range(200)]
    shifts, angles, scales, _ = (np.array(values) for values in zip(*moves, strict=True))
    assert np.abs(shifts).max() == 3
    assert 4.5 < np.abs(angles).max() <= 5
    assert 0.8 <= scales.min() < 0.82
    assert 1.22 < scales.max() <= 1.25
    assert abs(angles.mean()) < 0.7
    assert abs(np.log(scales).mean()) < 0.03


def test_rolls_are_the_same_with_and_without_the_other_moves():
    for step in range(5):
        roll = np.random.default_rng((4, step)).integers(-8, 9, 2).tolist()
        assert list(Transforms(8).draw(4, step).shift) == roll
        assert list(Transforms(8, rotate=9, zoom=0.1).draw(4, step).shift) == roll


@pytest.mark.parametrize(
    "wrong",
    [dict(jitter=-1), dict(jitter=1.5), dict(rotate=-1), dict(rotate=181), dict(zoom=2),
     dict(zoom="in"), dict(rotate=float("nan"))],
    ids=str,
)  # fmt: skip
def test_a_move_out_of_range_is_named(wrong):
    ((name, _),) = wrong.items()
    with pytest.raises(SettingsError, match=f"{name} cannot be"):
        deep_dream("chelsea", **wrong, **QUIET)


# In the loop


def test_each_step_climbs_the_moved_pictures_score(picture):
    network, x = toy_network(seed=2), 0.25 + 0.5 * picture(16, 12)
    dream, options = Dream(network), dict(jitter=4, rotate=10, zoom=0.2)
    run = ascend(x, dream, 2, seed=3, progress=False, keep="last", **options)
    expected = tf.constant(x)
    for step in range(2):
        move = Transforms(**options).draw(3, step)
        total, _, gradient = dream.value_and_gradient(move.apply(expected))
        assert run.history["total"][step] == pytest.approx(float(total), rel=1e-6)
        direction = move.adjoint(gradient)
        expected = tf.clip_by_value(expected + 0.01 * direction / np.std(direction), 0, 1)
    assert np.abs(run.image - expected).max() < 1e-6


def test_a_roll_alone_is_to_the_last_bit_what_it_was(squeezenet, picture, monkeypatch):
    """And it costs no more: no matrix is made for it."""
    monkeypatch.setattr(Move, "matrix", None)
    x, dream = picture(48, 56), Dream(squeezenet)
    run = ascend(x, dream, 3, jitter=9, seed=5, progress=False, keep="last")
    expected = x
    for step in range(3):
        shift = np.random.default_rng((5, step)).integers(-9, 10, 2)
        gradient = dream.value_and_gradient(np.roll(expected, shift, (0, 1))).gradient
        moved = normalise_compiled(tf.roll(gradient, -shift, (0, 1)))
        expected = tf.clip_by_value(expected - (-0.01 * moved), 0, 1).numpy()
    assert np.array_equal(run.image, expected)


def test_moves_take_the_same_graphs(picture):
    network, x = toy_network(), picture(16, 12)  # its graphs are new
    ascend(x, Dream(network), 1, progress=False)
    before = set(objectives._graphs)
    ascend(x, Dream(network), 2, jitter=3, rotate=5, zoom=0.1, progress=False)
    assert set(objectives._graphs) == before


def test_a_moved_dream_is_the_same_in_tiles(squeezenet, picture):
    dream = Dream(squeezenet, "fire4", channel={3: 1.0, 7: -0.5})
    options = dict(seed=1, jitter=9, rotate=8, zoom=0.1, progress=False, keep="last")
    whole, tiled = (
        ascend(picture(96, 120), dream, 3, tile=tile, **options).image for tile in (None, 48)
    )
    assert np.abs(whole - tiled).mean() < 1e-4


def test_moves_change_the_picture():
    still, turned, scaled = (
        deep_dream("coffee", seed=1, **moves, **QUIET).image
        for moves in ({}, dict(rotate=10), dict(zoom=0.2))
    )
    assert np.abs(still - turned).mean() > 0.005
    assert np.abs(still - scaled).mean() > 0.005
    assert np.abs(turned - scaled).mean() > 0.005
