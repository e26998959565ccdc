"""The baselines of the benchmarks do what they claim."""

import numpy as np
import pytest

from benchmarks import bare_pass, tutorial_dream, tutorial_style
from dreamkit import Content, Style, TotalVariation, load_image
from dreamkit.startup import tf


@pytest.fixture(scope="module")
def pictures():
    return load_image("astronaut", 64), load_image("mosaic", 64)


def test_the_tutorials_loss_is_our_objective_with_its_formulas(vgg19, pictures):
    photo, painting = pictures
    picture = np.random.default_rng(0).random(photo.shape, "float32")
    theirs = tutorial_style.objective(vgg19.model, photo, painting)(tf.constant(picture[None]))
    ours = (
        1e4 * Content(photo, vgg19, tutorial_style.CONTENT, "tutorial")
        + 1e-2 * Style(painting, vgg19, tutorial_style.STYLE, "tutorial")
        + 30 * TotalVariation("tutorial")
    )
    assert float(theirs) == pytest.approx(float(ours(picture)[0]), rel=1e-4)


def test_the_tutorials_loop_descends(vgg19, pictures):
    results = tutorial_style.run(vgg19.model, *pictures, steps=20)
    loss = tutorial_style.objective(vgg19.model, *pictures)
    before, after = (float(loss(tf.constant(x[None]))) for _, x in results)
    assert after < before
    assert results[0][0] < results[1][0]


def test_the_tutorials_dream_changes_the_picture_at_every_size(inception, pictures):
    seconds, picture = tutorial_dream.run(inception.model, pictures[0], [(80, 80), (96, 96)], 1)
    assert picture.shape == (96, 96, 3)
    assert np.ptp(picture) > 0
    assert seconds > 0


def test_the_bare_pass_reaches_every_pixel(vgg19, pictures):
    objective = 1.0 * Content(pictures[0], vgg19) + Style(pictures[1], vgg19)
    _, gradient = bare_pass.bare_pass(objective)(tf.constant(pictures[0]))
    assert gradient.shape == pictures[0].shape
    assert np.abs(gradient).sum(-1).min() > 0
