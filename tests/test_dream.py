"""Dreams: what they score equals independent arithmetic, and every control does what it says."""

import itertools

import numpy as np
import pytest

from dreamkit import SettingsError, deep_dream, load_image, recipes, rerun
from dreamkit.dream import Dream, rank_channels
from dreamkit.octaves import count_octaves, octave_sizes
from references import features_of, toy_features, value

FAST = dict(profile="ci", progress=False, seed=1)


class TestDream:
    """On the toy network, whose dream layers are first (weight 1) and second (weight 0.5)."""

    @pytest.fixture(autouse=True)
    def scene(self, toy, double):
        self.toy, self.x = toy, double(10, 12)
        self.f = toy_features(toy, self.x, "first", "second")

    def test_dream_is_the_weighted_sum_of_mean_activations(self):
        expected = self.f["first"].mean() + 0.5 * self.f["second"].mean()
        assert value(Dream(self.toy), self.x) == pytest.approx(expected, rel=1e-12)

    def test_layers_given_by_name_have_equal_weights(self):
        expected = self.f["first"].mean() + self.f["second"].mean()
        dream = Dream(self.toy, ["first", "second"])
        assert value(dream, self.x) == pytest.approx(expected, rel=1e-12)

    def test_power_two_is_the_mean_square(self):
        expected = (self.f["first"] ** 2).mean() + 0.5 * (self.f["second"] ** 2).mean()
        assert value(Dream(self.toy, power=2), self.x) == pytest.approx(expected, rel=1e-12)

    def test_channel_is_one_channel_of_each_layer(self):
        expected = self.f["first"][..., 2].mean() + self.f["second"][..., 2].mean()
        dream = Dream(self.toy, ["first", "second"], channel=2)
        assert value(dream, self.x) == pytest.approx(expected, rel=1e-12)

    def test_border_leaves_out_the_edges(self):
        expected = self.f["second"][2:-2, 2:-2].mean()
        dream = Dream(self.toy, "second", border=2)
        assert value(dream, self.x) == pytest.approx(expected, rel=1e-12)

    def test_guide_draws_each_position_to_its_best_match(self, picture):
        guide = picture(8, 6, seed=1)
        g = toy_features(self.toy, guide, "second")["second"].reshape(-1, 5)
        best = []
        for y, x in np.ndindex(self.f["second"].shape[:2]):
            feature = self.f["second"][y, x]
            best.append((g @ feature).max() / 5)
        dream = Dream(self.toy, "second", guide=guide)
        assert value(dream, self.x) == pytest.approx(np.mean(best), rel=1e-12)


def inception_features(inception, x, layers):
    return features_of(inception, x * 2 - 1, layers)


def test_tensorflows_dream_on_inception(inception, picture):
    x, layers = picture(96, 128), ["mixed3", "mixed5"]
    expected = sum(f.mean() for f in inception_features(inception, x, layers).values())
    assert value(Dream(inception), x) == pytest.approx(expected, rel=1e-5)


def test_keras_dream_on_inception(inception, picture):
    x = picture(139, 171)
    settings = {"mixed4": 1.0, "mixed5": 1.5, "mixed6": 2.0, "mixed7": 2.5}
    expected, published = 0.0, {}
    for layer, f in inception_features(inception, x, settings).items():
        expected += settings[layer] * (f[2:-2, 2:-2] ** 2).mean()
        published[layer] = settings[layer] * (f[2:-2, 2:-2] ** 2).sum() / f.size
    dream = Dream(inception, settings, power=2, border=2)
    assert value(dream, x) == pytest.approx(expected, rel=1e-5)
    # keras.io divides by the number of all features, border included: a constant per layer.
    h, w = f.shape[:2]
    share = (h - 4) * (w - 4) / (h * w)
    scaled = Dream(inception, {name: share * s for name, s in settings.items()}, power=2, border=2)
    assert value(scaled, x) == pytest.approx(sum(published.values()), rel=1e-5)


def test_pretrained_inception_dreams_of_the_same_score(pretrained, picture):
    network, x, layers = pretrained("inception_v3"), picture(96, 96), ["mixed3", "mixed5"]
    expected = sum(f.mean() for f in inception_features(network, x, layers).values())
    assert value(Dream(network), x) == pytest.approx(expected, rel=1e-5)


def test_label_is_the_channel_of_that_class(squeezenet, picture):
    x = picture(64, 64)
    by_name, by_number = Dream(squeezenet, label="goldfish"), Dream(squeezenet, label=1)
    scaled = x[..., ::-1] * np.float32(255) - np.array([104, 117, 123], "float32")
    logits = features_of(squeezenet, scaled, ["conv10"])["conv10"]
    assert value(by_name, x) == pytest.approx(logits[..., 1].mean(), rel=1e-4)
    assert value(by_number, x) == value(by_name, x)


# Several channels


@pytest.mark.parametrize("power", [1, 2])
@pytest.mark.parametrize("border", [0, 1])
def test_several_channels_are_the_weighted_sum_of_single_ones(toy, double, power, border):
    x, options = double(10, 12), dict(power=power, border=border)
    alone = [value(Dream(toy, channel=c, **options), x) for c in range(4)]
    for channel, expected in (
        ([1, 3], alone[1] + alone[3]),
        ({0: 2.0, 2: -0.5}, 2 * alone[0] - 0.5 * alone[2]),
        ([2], alone[2]),
    ):
        assert value(Dream(toy, channel=channel, **options), x) == pytest.approx(
            expected, rel=1e-12
        )


def test_each_layer_may_have_channels_of_its_own(toy, double):
    x, layers = double(10, 12), {"first": 2.0, "second": -1.0}
    f = toy_features(toy, x, "first", "second")
    expected = 2 * f["first"][..., 3].mean() - (f["second"][..., 4].mean() * 0.5)
    dream = Dream(toy, layers, {"first": 3, "second": {4: 0.5}})
    assert value(dream, x) == pytest.approx(expected, rel=1e-12)
    assert dream.channel == {"first": {3: 1.0}, "second": {4: 0.5}}


def test_channels_by_layer_name_the_layers_too(toy, double):
    dream = Dream(toy, channel={"second": [1, 2]})  # the toy dreams of "second" with weight 0.5
    assert dream.layers == {"second": 0.5}
    expected = toy_features(toy, double(10, 12), "second")["second"][..., 1:3].mean()
    assert value(dream, double(10, 12)) == pytest.approx(expected, rel=1e-12)


def test_channels_read_from_json_are_numbers_again(toy):
    assert Dream(toy, "first", {"3": -1}).channel == {"first": {3: -1.0}}
    assert Dream(toy, channel={"first": ["2", "0"]}).channel == {"first": {2: 1.0, 0: 1.0}}


def test_other_channels_take_another_graph(toy, double):
    x = double(10, 12)
    for channel in ([0, 1], [0, 2], {0: 1, 2: 3}):
        dream = Dream(toy, "second", channel)
        total = float(dream.value_and_gradient(x).total)
        assert total == pytest.approx(value(dream, x), rel=1e-12)


@pytest.mark.parametrize(
    ("channel", "words"),
    [
        ([1, 5], "second has no channel 5: choose one from 0 to 4"),
        ({-1: 1}, "second has no channel -1"),
        (2.5, "second has no channel 2.5"),
        (True, "second has no channel True"),
        ("strongest", 'second has no channel strongest.*deep_dream "strongest"'),
        ([], "No channels given for second"),
        ({1: "much"}, "weight of channel 1 cannot be 'much'"),
        ({"first": 1}, "name the same layers in both"),
    ],
    ids=str,
)
def test_wrong_channels_are_named(toy, channel, words):
    with pytest.raises(SettingsError, match=words):
        Dream(toy, "second", channel)


# The channels of this photo


@pytest.fixture(scope="module")
def photo():
    return load_image("chelsea", 96)


def caffe(photo):
    """What SqueezeNet is fed."""
    return photo[..., ::-1] * np.float32(255) - np.array([104, 117, 123], "float32")


def test_strongest_and_weakest_agree_with_a_sort_of_mean_activations(squeezenet, photo):
    layers = ["fire6", "fire8"]
    strongest = rank_channels(photo, squeezenet, layers, "strongest", 7)
    weakest = rank_channels(photo, squeezenet, layers, "weakest", 7)
    for layer, f in features_of(squeezenet, caffe(photo), layers).items():
        means, awake = f.mean((0, 1)), np.flatnonzero(f.any((0, 1)))
        order = awake[np.argsort(means[awake])]
        assert strongest[layer] == order[::-1][:7].tolist()
        assert weakest[layer] == order[:7].tolist()


def test_a_dream_of_the_strongest_is_a_dream_of_those_channels(squeezenet, photo):
    run = deep_dream(photo, channel=("strongest", 2), **FAST)
    found = rank_channels(photo, squeezenet, number=2)
    assert run.settings["arguments"]["channel"] == found
    assert np.array_equal(run.image, deep_dream(photo, channel=found, **FAST).image)
    few = deep_dream(photo, channel="weakest", steps=0, **FAST).settings["arguments"]["channel"]
    assert {layer: len(channels) for layer, channels in few.items()} == {"fire6": 5, "fire8": 5}


@pytest.mark.parametrize(
    "channel", ["weakest", ("strongest", 3), {7: -1.0, 3: 0.5}, [3, 7], {"fire6": [1, 2]}], ids=str
)
def test_a_rerun_repeats_the_channels_and_moves_to_the_last_bit(channel, tmp_path):
    options = dict(channel=channel, rotate=5, zoom=0.05, smallest=50, steps=1)
    run = deep_dream("chelsea", **options, **FAST)
    again = rerun(run.save(tmp_path / "made.png").with_suffix(".json"), progress=False)
    assert np.array_equal(run.image, again.image)
    assert run.settings == again.settings
    assert "strongest" not in str(run.settings) + str(again.settings)


# Negative weights


@pytest.mark.parametrize("weight", [1.0, -1.0])
@pytest.mark.parametrize("what", ["layer", "channel"])
def test_a_negative_weight_calms_what_a_positive_one_excites(squeezenet, photo, what, weight):
    settings = dict(layers={"fire6": weight}) if what == "layer" else dict(channel={3: weight})
    chosen = Dream(squeezenet, "fire6", None if what == "layer" else 3)
    if what == "channel":
        settings["layers"] = "fire6"
    dreamt = deep_dream(photo, steps=5, octaves=1, **settings, **FAST).image
    change = value(chosen, dreamt) / value(chosen, photo) - 1
    assert change * weight > 0.05


# Silent channels


def awake_at(squeezenet, picture, layer):
    """Which channels respond anywhere in a picture."""
    return features_of(squeezenet, caffe(picture), [layer])[layer].any((0, 1))


def test_a_silent_channel_is_reported_with_what_to_do(squeezenet):
    flat = np.full((64, 64, 3), 0.5, "float32")  # however it is moved, it stays flat
    channel = int(np.flatnonzero(~awake_at(squeezenet, flat, "fire8"))[0])
    with pytest.raises(SettingsError, match=f"channel {channel} of fire8 silent.*picture of noise"):
        deep_dream(flat, layers="fire8", channel=channel, **FAST)
    noise = np.random.default_rng(0).random(flat.shape, "float32")
    run = deep_dream(noise, layers="fire8", channel=channel, **FAST)
    assert np.abs(run.image - noise).mean() > 0.001


def test_a_channel_silent_at_the_small_sizes_only_is_dreamt_of(squeezenet, photo):
    sizes = octave_sizes(photo.shape[:2], 2)
    small = recipes.resize(photo, sizes[0])
    wakes = awake_at(squeezenet, photo, "fire8") & ~awake_at(squeezenet, small, "fire8")
    channel = int(np.flatnonzero(wakes)[0])
    run = deep_dream(photo, layers="fire8", channel=channel, jitter=0, **FAST)
    assert np.abs(run.image - photo).mean() > 0.001


def test_only_a_dream_of_channels_is_checked_for_silence(monkeypatch):
    """So that all other dreams cost no more than before."""
    monkeypatch.setattr(recipes, "responds", None)
    assert len(deep_dream("chelsea", **FAST).history) == 2 * 3
    assert len(deep_dream("chelsea", channel=1, steps=0, **FAST).history) == 2


# Octaves down to a smallest side


def test_octaves_go_down_to_the_smallest_side():
    for size, smallest, scale in itertools.product(
        [(300, 400), (96, 64)], (20, 64, 75, 500), (1.2, 2)
    ):
        sizes = octave_sizes(size, count_octaves(size, smallest, scale), scale)
        assert all(min(side) >= smallest for side in sizes[:-1])
        assert round(min(size) / scale ** len(sizes)) < smallest


def test_a_dream_takes_the_sizes_that_are_large_enough():
    for options, sizes in (
        (dict(smallest=40), 2),
        (dict(smallest=40, octave_scale=1.2), 3),
        (dict(smallest=40, octaves=1), 1),
        (dict(smallest=1000), 1),
    ):
        history = deep_dream("chelsea", steps=0, **options, **FAST).history
        assert history["phase"].nunique() == sizes
    with pytest.raises(SettingsError, match="smallest cannot be 0"):
        deep_dream("chelsea", smallest=0, **FAST)
