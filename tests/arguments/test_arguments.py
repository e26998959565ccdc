"""Arguments are checked at the door: each by one rule, in one sentence that names it."""

import functools
import time

import hostile
import numpy as np
import pytest
from hostile import MASK, PHOTO, PUBLIC, VALUES, parameters
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import draws
import dreamkit as dk
from dreamkit.arguments.checked import checked, plain
from dreamkit.arguments.rules import RULES
from dreamkit.large.memory import peak_memory

CHANNEL = ("squeezenet", "fire2", 1)
FAST = dict(profile="ci", seed=1, steps=1, octaves=1, progress=False)
CALLS = [(name, argument) for name in sorted(PUBLIC) for argument in parameters(name)]
SLOW = {"estimate", "morph", "transform_video", "zoom_dream", "contact_sheet", "scrub"}
few = settings(draws.few, max_examples=200, phases=[Phase.generate])
many = settings(few, max_examples=2000, derandomize=False)


def try_all(rules, calls, folder, tried):
    """Hostile calls, each of which takes a short time and little memory."""
    hostile.saved(folder)
    before, count = peak_memory(), 0

    @rules
    @given(st.sampled_from(calls), st.sampled_from(sorted(VALUES)))
    def one(call, value):
        nonlocal count
        started = time.process_time()  # not other programs' time
        hostile.attempt(*call, VALUES[value](), folder)
        assert time.process_time() - started < 60
        count += 1

    one()
    assert peak_memory() - before < 2 * 2**30
    tried("hostile calls", count)


def test_hostile_calls_give_a_right_result_or_one_sentence(tmp_path, monkeypatch, tried):
    monkeypatch.chdir(tmp_path)
    try_all(few, [call for call in CALLS if call[0] not in SLOW], tmp_path, tried)


@pytest.mark.slow
def test_very_many_hostile_calls_give_a_right_result_or_one_sentence(tmp_path, monkeypatch, tried):
    monkeypatch.chdir(tmp_path)
    try_all(many, CALLS, tmp_path, tried)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_the_calls_that_the_hostile_ones_start_from_are_right(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    hostile.saved(tmp_path)
    if name not in hostile.REFUSED:
        hostile.check_result(PUBLIC[name](**hostile.arguments(name, tmp_path)))


# The examples


def refusal(function, *arguments, **options):
    with pytest.raises(dk.DreamkitError) as caught:
        function(*arguments, **options)
    return str(caught.value)


def test_numpys_numbers_are_numbers_and_leave_nothing_behind():
    numbers = dict(smooth=np.int64(3), jitter=np.int32(4), learning_rate=np.float32(0.02))
    numbers |= dict(octave_scale=np.float64(1.4), steps=np.int64(1))
    own = dk.deep_dream(PHOTO, **FAST | numbers)
    plain_numbers = {name: number.item() for name, number in numbers.items()}
    later = dk.deep_dream(PHOTO, **FAST | plain_numbers)
    assert np.array_equal(own.image, later.image)
    assert own.settings == later.settings


def test_numpys_numbers_become_pythons_wherever_they_are():
    given = {"a": np.float32(0.5), "b": [np.int64(1), (np.bool_(True), np.str_("c"))]}
    found = plain(given)
    assert found == {"a": 0.5, "b": [1, (True, "c")]}
    assert type(found["a"]) is float
    assert [type(x) for x in (found["b"][0], *found["b"][1])] == [int, bool, str]
    array = np.zeros(3)
    assert plain([array])[0] is array


@pytest.mark.parametrize("rate", [1.5, 0, -0.1, np.inf, "0.01", True])
def test_a_learning_rate_that_could_only_leave_the_photo_as_it_is_is_refused(rate):
    for recipe, pictures in ((dk.style_transfer, [PHOTO, PHOTO]), (dk.deep_dream, [PHOTO])):
        said = refusal(recipe, *pictures, learning_rate=rate, **FAST)
        assert said.startswith("learning_rate cannot be")


def test_what_a_channel_belongs_to_is_one_layers_name():
    within_itself = []
    within_itself.append(within_itself)
    for layer in (within_itself, ["fire6"], 6, None, ""):
        said = refusal(dk.visualise, "squeezenet", layer, 11, progress=False)
        assert said.startswith("layer cannot be")


@pytest.mark.parametrize("weight", ["3", True, np.nan, np.inf, [1]])
def test_a_weight_that_is_not_a_number_is_refused(weight, squeezenet):
    assert "style_weight" in refusal(dk.style_transfer, PHOTO, PHOTO, style_weight=weight, **FAST)
    check_weight(weight, squeezenet)


def test_only_the_styles_weight_may_be_left_open(squeezenet):
    check_weight(None, squeezenet)


def check_weight(weight, network):
    """No other weight may be this."""
    said = refusal(dk.style_transfer, PHOTO, PHOTO, content_weight=weight, **FAST)
    assert "content_weight" in said
    assert "weight" in refusal(lambda: weight * dk.TotalVariation())
    assert "fire2" in refusal(dk.Content, PHOTO, network, {"fire2": weight})


@pytest.mark.filterwarnings("error")
def test_a_numpy_number_times_a_score_is_a_score():
    for number in (np.float16(2), np.float32(2), np.float64(2), np.int64(2)):
        for score in (number * dk.TotalVariation(), dk.TotalVariation() * number):
            assert score.weights == {"total_variation": 2.0}


def test_weights_that_add_up_to_zero_are_refused_where_they_are_averaged(squeezenet):
    opposites = {"fire2": 1.0, "fire3": -1.0}
    for term in (dk.Content, dk.Style):
        assert "add up to zero" in refusal(term, PHOTO, squeezenet, opposites)
    said = refusal(dk.style_transfer, PHOTO, PHOTO, content_layers=opposites, **FAST)
    assert said.startswith("content_layers")
    assert dk.Dream(squeezenet, opposites).layers == opposites  # a dream only sums them
    assert "all zero" in refusal(dk.Style, PHOTO, squeezenet, {"fire2": 0})
    weights = dict(content_weight=0, style_weight=0, tv_weight=0)
    assert "all zero" in refusal(dk.style_transfer, PHOTO, PHOTO, **weights, **FAST)


def test_a_networks_name_is_loaded_where_a_backbone_is_needed(squeezenet):
    for term in (dk.Content(PHOTO, "squeezenet"), dk.Style(PHOTO, "squeezenet")):
        assert term.backbone is squeezenet
    assert dk.Dream("squeezenet").backbone is squeezenet
    assert "No network is called 'alexnet'" in refusal(dk.Dream, "alexnet")


@pytest.mark.parametrize("layers", [3, [3], {3: 1.0}, [None], b"fire2", 2.5])
def test_a_layer_that_is_not_a_name_is_refused(layers, squeezenet):
    for function in (dk.Dream, squeezenet.features):
        given = (squeezenet, layers) if function is dk.Dream else (PHOTO, layers)
        assert refusal(function, *given).startswith("layers cannot be")


@pytest.mark.parametrize(
    ("call", "argument"),
    [
        (lambda: dk.octave_sizes((300, 400), 10**9), "octaves"),
        (lambda: dk.octave_sizes((300, 400), 3, scale=1e300), "octave_scale"),
        (lambda: dk.texture(PHOTO, (10**5, 10**5), **FAST), "size"),
        (lambda: dk.estimate("style", 10**9), "size"),
        (lambda: dk.deep_dream(PHOTO, **FAST | dict(size=10**9)), "size"),
        (lambda: dk.deep_dream(PHOTO, **FAST | dict(steps=10**30)), "steps"),
        (lambda: dk.deep_dream(PHOTO, **FAST | dict(octaves=10**9)), "octaves"),
        (lambda: dk.deep_dream(PHOTO, smooth=10**9, **FAST), "smooth"),
        (lambda: dk.deep_dream(PHOTO, jitter=10**30, **FAST), "jitter"),
        (lambda: dk.normalise(PHOTO, 10**9), "levels"),
        (lambda: dk.resize(PHOTO, 10**400), "Size"),
        (lambda: dk.zoom_dream(PHOTO, "a.gif", 10**12), "frames"),
        (lambda: dk.visualise(*CHANNEL, pictures=10**9, profile="ci"), "pictures"),
        (lambda: dk.visualise(*CHANNEL, pictures=10**30, profile="ci"), "pictures"),
        (lambda: dk.visualise(*CHANNEL, size=10**5, profile="ci"), "size"),
        (lambda: dk.visualise(*CHANNEL, size=10_000, pictures=100, profile="ci"), "pictures"),
        (lambda: dk.visualise(*CHANNEL, apart=1e300, profile="ci"), "apart"),
    ],
)
def test_absurd_sizes_and_counts_are_refused_at_once(call, argument):
    started = time.process_time()  # not other programs' time
    assert argument in refusal(call)
    assert time.process_time() - started < 1


@pytest.mark.parametrize(
    ("argument", "value", "order"),
    [
        ("balance", 0.5, "dream-style"),
        ("octave_steps", 2, "joint"),
        ("learning_rate", 0.1, "joint"),
    ],
)
def test_a_setting_that_an_order_does_not_use_is_refused(argument, value, order):
    said = refusal(dk.dream_style, PHOTO, PHOTO, order, **{**FAST, argument: value})
    assert said == f"{argument} has no effect with order='{order}': leave it out."


def test_a_setting_that_an_optimizer_does_not_use_is_refused():
    call = functools.partial(refusal, dk.descend, PHOTO, dk.TotalVariation(), steps=1)
    said = call(smooth=2, progress=False)
    assert said == "smooth has no effect with optimizer='adam': leave it out."
    for recipe in (dk.style_transfer, dk.texture):
        pictures = [PHOTO] * (2 if recipe is dk.style_transfer else 1)
        said = refusal(recipe, *pictures, optimizer="lbfgs", learning_rate=0.1, **FAST)
        assert said == "learning_rate has no effect with optimizer='lbfgs': leave it out."


@pytest.mark.parametrize("pace", [{"a": 1}, 3.0, [1], (1, 2, 3), (1, "2"), (np.nan, 1)])
def test_a_pace_is_two_numbers(pace):
    assert "pace cannot be" in refusal(dk.estimate, "dream", 64, "squeezenet", pace=pace)


def test_a_picture_in_an_error_is_named_by_its_argument():
    wrong = np.full((48, 48, 3), np.nan)
    said = refusal(dk.style_transfer, PHOTO, PHOTO, content_mask=wrong, **FAST)
    assert said.startswith("content_mask has NaN")
    said = refusal(dk.style_transfer, PHOTO, {"mosaic": 1, **{3: 1}}, **FAST)
    assert said.startswith("style cannot be 3")


def test_a_mask_of_a_style_that_is_not_there_is_refused():
    styles, masks = [(PHOTO, 1)], [(MASK, 1)]
    assert "style_mask" in refusal(dk.style_transfer, PHOTO, styles, style_mask=masks, **FAST)


# The mechanism


def test_every_rule_is_of_an_argument_that_exists():
    known = {argument for name in PUBLIC for argument in parameters(name)}
    assert set(RULES) - known <= {"pad"}


def test_a_checked_function_is_still_itself():
    def twice(steps, *, size=None):
        """The docstring."""
        return 2 * steps, size

    function = checked(twice)
    assert function.__doc__ == "The docstring."
    assert function.__wrapped__ is twice
    assert function(np.int64(4)) == (8, None)
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'steps'"):
        function()
    with pytest.raises(TypeError, match="unexpected keyword argument 'step'"):
        function(step=3)
