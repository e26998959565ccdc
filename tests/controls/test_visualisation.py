"""visualise(): what a channel looks for, what silences it, several kept apart, reproducibly."""

import numpy as np
import pytest

from dreamkit import (
    Dream,
    DreamkitError,
    ImageError,
    LayerError,
    SettingsError,
    load_image,
    rerun,
    resume,
)
from dreamkit.controls.visualisation import Alike, cosine, noise, row, visualise
from dreamkit.networks.unrectified import before_relu
from dreamkit.runs.checkpoint import Checkpoint
from references import toy_features, value

FAST = dict(profile="ci", progress=False, seed=3, size=64)
CHANNEL = ("squeezenet", "fire6", 219)


@pytest.fixture
def eager(monkeypatch):
    """Write a checkpoint at every step."""
    monkeypatch.setattr(Checkpoint, "due", lambda self: self.path is not None)


# What it shows


@pytest.mark.parametrize("canvas", ["pixels", "spectrum", "phase"])
def test_the_picture_excites_its_channel_more_than_noise_and_photos(canvas, squeezenet):
    made = visualise(*CHANNEL, steps=30, canvas=canvas, **FAST).image
    score = Dream(squeezenet, "fire6", 219)
    others = [load_image(name, 64) for name in ("chelsea", "coffee", "brick")]
    assert value(score, made) > 1.5 * max(value(score, x) for x in (noise(64, (3, 0)), *others))


def test_the_opposite_silences_it(squeezenet):
    network, layer, channel = before_relu(squeezenet, "fire6", 219)
    score = Dream(network, layer, channel)
    made = visualise(*CHANNEL, steps=20, negative=True, **FAST)
    assert value(score, made.image) < value(score, noise(64, (3, 0))) - 1
    assert made.history["dream"].iloc[-1] < 0


def test_a_channel_that_is_silent_on_noise_is_shown_too(squeezenet):
    silent = np.flatnonzero(
        squeezenet.features(noise(64, (3, 0)), "fire8")["fire8"].numpy().max((0, 1, 2)) == 0
    )
    assert len(silent)
    channel = int(silent[0])
    made = visualise("squeezenet", "fire8", channel, steps=30, **FAST).image
    assert value(Dream(squeezenet, "fire8", channel), made) > 0


def test_pictures_kept_apart_are_less_alike_than_those_left_alone(squeezenet):
    def likeness(**options):
        one, *others = visualise(*CHANNEL, steps=12, **options, **FAST).pictures
        return np.mean([value(Alike(one, squeezenet, "fire6"), other) for other in others])

    alone = visualise(*CHANNEL, steps=12, **FAST | {"seed": 8}).pictures[0]
    first = visualise(*CHANNEL, steps=12, **FAST).pictures[0]
    apart = likeness(pictures=3)
    assert apart < value(Alike(first, squeezenet, "fire6"), alone) - 0.05


def test_several_pictures_are_in_a_row(picture):
    run = visualise(*CHANNEL, steps=2, pictures=3, **FAST)
    assert len(run.pictures) == 3
    assert run.image.shape == (64, 3 * 68 - 4, 3)
    assert np.array_equal(run.image, row(run.pictures, 3))
    assert np.array_equal(run.image[:, 68:132], run.pictures[1])
    assert (run.image[:, 64:68] == 1).all()
    assert list(run.history["phase"].unique()) == [f"picture {n}/3" for n in (1, 2, 3)]
    seen = []
    visualise(*CHANNEL, steps=1, pictures=2, callback=lambda s: seen.append(s.image), **FAST)
    assert {image.shape for image in seen} == {(64, 132, 3)}


def test_no_size_means_half_the_profiles():
    options = FAST | {"size": None}
    assert visualise(*CHANNEL, steps=0, **options).image.shape == (48, 48, 3)


# Alike


def test_likeness_is_the_cosine_of_gram_matrices(toy, double):
    x, y = double(16, 12), double(10, 14, seed=1)
    grams = []
    for image in (x, y):
        f = toy_features(toy, image, "second")["second"].reshape(-1, 5)
        grams.append(f.T @ f)
    expected = (grams[0] * grams[1]).sum() / np.sqrt((grams[0] ** 2).sum() * (grams[1] ** 2).sum())
    found = value(Alike(y.numpy(), toy, "second"), x)
    assert found == pytest.approx(expected, rel=1e-6)
    assert value(Alike(x.numpy(), toy, "second"), x) == pytest.approx(1, abs=1e-6)
    assert float(cosine(np.array([3.0, 0.0]), np.array([0.0, 2.0]))) == 0


def test_likeness_is_the_same_in_tiles(squeezenet, picture):
    from dreamkit import Tiled

    x = picture(96, 120)
    alike = Alike(load_image("brick", 96), squeezenet, ["fire2", "fire6"])
    whole, tiled = alike.value_and_gradient(x), Tiled(alike, 48).value_and_gradient(x)
    assert float(tiled.total) == pytest.approx(float(whole.total), rel=1e-5)
    assert np.abs(tiled.gradient - whole.gradient).max() < 1e-4 * np.abs(whole.gradient).max()


# Before the ReLU


SLOW = pytest.param("inception", marks=pytest.mark.slow)


@pytest.mark.parametrize("name", ["squeezenet", "vgg19", SLOW])
def test_a_channel_before_its_relu_is_what_the_relu_takes(name, request, picture):
    network = request.getfixturevalue(name)
    layers = dict(squeezenet="fire4", vgg19="block3_conv1", inception="mixed3")
    layer, x = layers[name], picture(96, 96)
    after = network.features(x, layer)[layer]
    for channel in (0, (after.shape[-1] - 1) // 2):
        other, before, number = before_relu(network, layer, channel)
        assert before not in (layer, None)
        found = other.features(x, before)[before][..., number].numpy()
        np.testing.assert_allclose(
            np.maximum(found, 0), after[..., channel], atol=1e-4 * after.numpy().max()
        )


def test_a_copy_with_one_more_layer_is_made_once(squeezenet):
    assert before_relu(squeezenet, "fire4", 3)[0] is before_relu(squeezenet, "fire4", 5)[0]


def test_before_its_relu_a_channel_goes_below_zero(squeezenet, picture):
    network, layer, channel = before_relu(squeezenet, "fire4", 3)
    assert network.features(picture(64, 64), layer)[layer][..., channel].numpy().min() < 0


def test_a_layer_without_a_relu_is_left_as_it_is(squeezenet):
    assert before_relu(squeezenet, "conv10", 7) == (squeezenet, "conv10", 7)


@pytest.mark.parametrize("channel", [-1, 512, 2.5, "eyes", True, None])
def test_a_channel_that_is_not_there_is_named(channel):
    with pytest.raises(SettingsError, match=r"fire6 has no channel|channel cannot be"):
        visualise("squeezenet", "fire6", channel, **FAST)


def test_wrong_layers_and_sizes_are_named():
    with pytest.raises(LayerError, match="did you mean"):
        visualise("squeezenet", "fyre6", 1, **FAST)
    with pytest.raises(ImageError, match="too small for squeezenet"):
        visualise(*CHANNEL, **FAST | {"size": 8})
    for wrong in (dict(pictures=0), dict(apart=-1.0), dict(size=0), dict(size=(64, 64))):
        ((name, _),) = wrong.items()
        with pytest.raises(DreamkitError, match=f"{name} cannot be"):
            visualise(*CHANNEL, **FAST | wrong)


# Again


@pytest.mark.parametrize("canvas", ["spectrum", "phase"])
def test_it_reruns_exactly_from_its_file(canvas, tmp_path):
    run = visualise(*CHANNEL, steps=4, canvas=canvas, pictures=2, negative=True, **FAST)
    run.save(tmp_path / "a.png")
    again = rerun(tmp_path / "a.png", progress=False)
    assert np.array_equal(again.image, run.image)
    assert again.settings == run.settings
    other = rerun(tmp_path / "a.png", progress=False, canvas="pixels")
    assert not np.array_equal(other.image, run.image)


def test_it_resumes_exactly_after_a_crash_in_the_second_picture(eager, tmp_path):
    call = dict(steps=4, pictures=2, **FAST)
    whole = visualise(*CHANNEL, **call)
    file = tmp_path / "a.npz"
    late = lambda step: step.phase == "picture 2/2" and step.step == 2  # noqa: E731
    stopped = visualise(*CHANNEL, **call, callback=late, checkpoint=file)
    assert stopped.stopped == "callback"
    assert stopped.image.shape == whole.image.shape
    resumed = resume(file, progress=False)
    assert np.array_equal(resumed.image, whole.image)
    assert len(resumed.pictures) == 2


def test_more_steps_continue_the_last_picture(eager, tmp_path):
    file = tmp_path / "a.npz"
    first = visualise(*CHANNEL, steps=3, pictures=2, checkpoint=file, **FAST)
    more = resume(file, steps=2, progress=False)
    assert np.array_equal(more.pictures[0], first.pictures[0])
    assert not np.array_equal(more.pictures[1], first.pictures[1])
    assert list(more.history["phase"].unique())[-1] == "picture more 1"


def test_another_seed_is_another_picture():
    one, two = (visualise(*CHANNEL, steps=2, **FAST | {"seed": seed}).image for seed in (1, 2))
    assert np.abs(one - two).mean() > 0.001


def test_it_is_the_same_in_tiles():
    options = dict(steps=2, **FAST | {"size": 96})
    whole, tiled = (visualise(*CHANNEL, tile=tile, **options).image for tile in (None, 48))
    assert np.abs(whole - tiled).mean() < 2e-3


def test_half_precision_makes_much_the_same_picture():
    options = dict(steps=3, **FAST)
    exact, half = (
        visualise(*CHANNEL, precision=p, **options).image for p in ("float32", "bfloat16")
    )
    assert 0 < np.abs(exact - half).mean() < 0.02
