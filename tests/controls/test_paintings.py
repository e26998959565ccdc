"""Several styles: their shares, their layers and their places."""

import numpy as np
import pytest

from dreamkit.controls.masks import Masked
from dreamkit.controls.paintings import check_photo, paintings, scale_paintings, style_objective
from dreamkit.controls.quality import choice
from dreamkit.errors import ImageError, SettingsError
from dreamkit.recipes import WEIGHTS, plan, weaken
from dreamkit.terms import Style


def noise(height, width, seed=0):
    return np.random.default_rng(seed).random((height, width, 3), "float32")


ONE, TWO = noise(64, 64, 1), noise(64, 80, 2)


def test_one_painting_has_all_of_the_style(squeezenet):
    (painting,) = paintings(ONE, None, squeezenet)
    assert painting.share == 1
    assert tuple(painting.layers) == squeezenet.architecture.style_layers


def test_shares_are_relative_to_their_sum(squeezenet):
    found = paintings([(ONE, 3), (TWO, 1)], None, squeezenet)
    assert [painting.share for painting in found] == [0.75, 0.25]


def test_coarse_and_fine_share_the_layers_by_their_number(squeezenet):
    coarse, fine = paintings([(ONE, "coarse"), (TWO, "fine")], None, squeezenet)
    assert (*fine.layers, *coarse.layers) == squeezenet.architecture.style_layers
    assert (len(coarse.layers), len(fine.layers)) == (2, 3)
    assert (coarse.share, fine.share) == pytest.approx((0.4, 0.6))


def test_a_painting_may_name_its_layers(squeezenet):
    named, other = paintings([(ONE, ["fire2"]), (TWO, {"fire4": 3.0})], None, squeezenet)
    assert (named.layers, other.layers) == ({"fire2": 1.0}, {"fire4": 3.0})
    assert other.share == pytest.approx(3 * named.share)


def test_a_named_layer_counts_like_the_average_one(squeezenet):
    layers = choice("best", squeezenet).style_layers
    named, other = paintings([(ONE, ["fire5"]), (TWO, 1.0)], None, squeezenet, layers)
    assert other.share == pytest.approx(len(layers) * named.share)


def test_the_style_loss_is_the_shares_weighted_sum(squeezenet):
    photo, picture = noise(64, 64, 3), noise(64, 64, 4)
    styles = paintings([(ONE, 0.7), (TWO, 0.3)], None, squeezenet)
    weights = dict(content=0.0, style=10.0, total_variation=0.0)
    total, _ = style_objective(photo, styles, squeezenet, weights)(picture)
    parts = [float(Style(each, squeezenet)(picture)[0]) for each in (ONE, TWO)]
    assert float(total) == pytest.approx(10 * (0.7 * parts[0] + 0.3 * parts[1]), rel=1e-5)


def test_a_mask_belongs_to_all_paintings_or_to_one(squeezenet):
    white = np.ones((8, 8), "float32")
    styles = [(ONE, 1), (TWO, 1)]
    assert [p.mask is white for p in paintings(styles, white, squeezenet)] == [True, True]
    assert [p.mask for p in paintings(styles, [(white, 1)], squeezenet)] == [None, white]


def test_an_unmasked_term_is_not_wrapped(squeezenet):
    styles = paintings(ONE, None, squeezenet)
    objective = style_objective(noise(64, 64), styles, squeezenet, WEIGHTS)
    assert not any(isinstance(term, Masked) for _, term in objective.parts)


@pytest.mark.parametrize(
    ("style", "words"),
    [
        ([(ONE, 0), (TWO, 0)], "all zero"),
        ([(ONE, -1.0)], "share of a style cannot be -1"),
        ([(ONE, float("nan"))], "share of a style cannot be nan"),
        ([(ONE, None)], "share of a style cannot be None"),
        ([(ONE, [])], "share of a style"),
    ],
)
def test_a_wrong_share_is_named(squeezenet, style, words):
    with pytest.raises(SettingsError, match=words):
        paintings(style, None, squeezenet)


def test_paintings_are_scaled_but_never_below_what_their_layers_need(squeezenet):
    styles = paintings([(ONE, 1), (noise(20, 200), 1)], None, squeezenet)
    one, long = scale_paintings(styles, 32, squeezenet)
    assert one.picture.shape == (32, 32, 3)
    assert min(long.picture.shape[:2]) == max(map(squeezenet.smallest, long.layers))


def test_a_photo_too_small_for_a_paintings_layers_is_refused(squeezenet):
    styles = paintings([(ONE, ["fire9"])], None, squeezenet)
    with pytest.raises(ImageError, match="too small"):
        check_photo(noise(20, 20), styles, squeezenet)


def test_strength_weakens_style_smoothly_from_all_to_nothing():
    weights = [weaken(WEIGHTS, strength) for strength in (0, 0.25, 0.5, 0.75, 1)]
    assert weights[0] == {"content": 1.0, "style": 0.0, "total_variation": 0.0}
    assert weights[-1] == WEIGHTS
    assert all(np.diff([each["style"] for each in weights]) > 0)


@pytest.mark.parametrize("strength", [-0.1, 1.1, float("nan"), None, "0.5", True])
def test_a_strength_outside_0_to_1_is_named(strength):
    with pytest.raises(SettingsError, match="strength cannot be"):
        weaken(WEIGHTS, strength)


def test_more_steps_are_stages_of_their_own_at_full_size():
    sizes = [(50, 50), (100, 100)]
    stages = plan("style", sizes, [7, 4, 5], shared=True)
    assert [stage.steps for stage in stages] == [3, 4, 4, 5]
    assert [stage.size for stage in stages] == [*sizes, sizes[-1], sizes[-1]]
    assert [stage.phase for stage in stages][2:] == ["style more 1", "style more 2"]
    assert [stage.steps for stage in plan("octave", sizes, [3, 1], shared=False)] == [3, 3, 1]
