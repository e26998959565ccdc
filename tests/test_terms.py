"""Scores: every formula equals independent arithmetic; scores add, subtract and scale."""

import itertools

import numpy as np
import pytest

from conftest import toy_network
from dreamkit import objectives
from dreamkit.balanced import Balanced
from dreamkit.dream import Dream
from dreamkit.errors import ImageError, LayerError, SettingsError
from dreamkit.large.memory import fit_to_memory
from dreamkit.networks.mirrored import MirroredConv2D
from dreamkit.startup import keras, tf
from dreamkit.terms import Content, Style, TotalVariation
from references import features_of, toy_features, value


def undivided_gram(f):
    """Gatys et al. 2016, equation 3: sum over positions of products of channels."""
    flat = f.reshape(-1, f.shape[-1])
    return flat.T @ flat


class TestContent:
    """Picture 10 x 12 px against a photo of the same size; two layers of the toy network."""

    @pytest.fixture(autouse=True)
    def pair(self, toy, picture, double):
        self.toy, self.x, self.photo = toy, double(10, 12), picture(10, 12, seed=1)
        self.f = toy_features(toy, self.x, "first", "second")
        self.p = toy_features(toy, self.photo, "first", "second")

    def test_relative_content_is_the_squared_difference_over_the_photos_energy(self):
        f, p = self.f["second"], self.p["second"]
        expected = ((f - p) ** 2).sum() / (p**2).sum()
        assert value(Content(self.photo, self.toy), self.x) == pytest.approx(expected, rel=1e-12)

    def test_gatys_content_is_half_the_sum_of_squared_differences(self):
        expected = 0.5 * ((self.f["second"] - self.p["second"]) ** 2).sum()
        content = Content(self.photo, self.toy, "second", formula="gatys")
        assert value(content, self.x) == pytest.approx(expected, rel=1e-12)

    def test_tutorial_content_is_the_mean_squared_difference_averaged_over_layers(self):
        means = [((self.f[name] - self.p[name]) ** 2).mean() for name in self.f]
        content = Content(self.photo, self.toy, ["first", "second"], formula="tutorial")
        assert value(content, self.x) == pytest.approx(np.mean(means), rel=1e-12)

    def test_layers_are_averaged_under_their_weights(self):
        halves = [0.5 * ((self.f[name] - self.p[name]) ** 2).sum() for name in self.f]
        content = Content(self.photo, self.toy, {"first": 3, "second": 1}, formula="gatys")
        expected = np.average(halves, weights=[3, 1])
        assert value(content, self.x) == pytest.approx(expected, rel=1e-12)

    @pytest.mark.parametrize("formula", ["relative", "gatys", "tutorial"])
    def test_a_photo_has_zero_distance_from_itself(self, formula):
        content = Content(self.photo, self.toy, formula=formula)
        assert value(content, tf.constant(self.photo, tf.float64)) == 0

    def test_the_photo_may_have_another_size_than_the_picture(self, picture):
        flat = np.full((31, 17, 3), 0.25, "float32")
        p = toy_features(self.toy, np.full((10, 12, 3), 0.25), "second")["second"]
        expected = ((self.f["second"] - p) ** 2).sum() / (p**2).sum()
        assert value(Content(flat, self.toy), self.x) == pytest.approx(expected, rel=1e-6)


class TestStyle:
    """Picture 10 x 12 px against a painting, by Gram matrices at two layers."""

    @pytest.fixture(autouse=True)
    def pair(self, toy, picture, double):
        self.toy, self.x = toy, double(10, 12)
        self.painting, self.larger = picture(10, 12, seed=1), picture(22, 18, seed=2)
        self.f = toy_features(toy, self.x, "first", "second")

    def grams(self, painting, layer):
        """The picture's and the painting's Gram matrices, divided by the number of positions."""
        a = toy_features(self.toy, painting, layer)[layer]
        gram = lambda f: undivided_gram(f) / (f.shape[0] * f.shape[1])  # noqa: E731
        return gram(self.f[layer]), gram(a)

    def test_relative_style_is_the_squared_difference_over_the_paintings_energy(self):
        values = []
        for layer in ("first", "second"):
            g, a = self.grams(self.larger, layer)
            values.append(((g - a) ** 2).sum() / (a**2).sum())
        style = Style(self.larger, self.toy)
        assert value(style, self.x) == pytest.approx(np.mean(values), rel=1e-12)

    def test_gatys_style_has_the_papers_constants_on_undivided_gram_matrices(self):
        values = []
        for layer in ("first", "second"):
            f, p = self.f[layer], toy_features(self.toy, self.painting, layer)[layer]
            m, n = f.shape[0] * f.shape[1], f.shape[2]
            g, a = undivided_gram(f), undivided_gram(p)
            values.append(((g - a) ** 2).sum() / (4 * n**2 * m**2))
        style = Style(self.painting, self.toy, formula="gatys")
        assert value(style, self.x) == pytest.approx(np.mean(values), rel=1e-12)

    def test_tutorial_style_is_the_mean_squared_difference_averaged_over_layers(self):
        values = []
        for layer in ("first", "second"):
            g, a = self.grams(self.larger, layer)
            values.append(((g - a) ** 2).mean())
        style = Style(self.larger, self.toy, formula="tutorial")
        assert value(style, self.x) == pytest.approx(np.mean(values), rel=1e-12)

    def test_layers_are_averaged_under_their_weights(self):
        values = []
        for layer in ("first", "second"):
            g, a = self.grams(self.larger, layer)
            values.append(((g - a) ** 2).mean())
        style = Style(self.larger, self.toy, {"first": 1, "second": 4}, formula="tutorial")
        expected = np.average(values, weights=[1, 4])
        assert value(style, self.x) == pytest.approx(expected, rel=1e-12)

    def test_the_painting_is_used_at_its_own_size(self):
        big = tf.constant(np.random.default_rng(4).random((20, 30, 3)))
        f = toy_features(self.toy, big, "second")["second"]
        _, a = self.grams(self.larger, "second")
        g = undivided_gram(f) / (f.shape[0] * f.shape[1])
        expected = ((g - a) ** 2).sum() / (a**2).sum()
        style = Style(self.larger, self.toy, "second")
        value(style, self.x)  # first score a picture of another size
        assert value(style, big) == pytest.approx(expected, rel=1e-12)

    def test_a_painting_has_zero_distance_from_itself(self):
        assert value(Style(self.painting, self.toy), tf.constant(self.painting, tf.float64)) == 0


def test_tensorflows_whole_tutorial_on_vgg19(vgg19, picture):
    x, photo, painting = picture(64, 64), picture(64, 64, seed=1), picture(48, 64, seed=2)
    content_layers = ["block5_conv2"]
    style_layers = [f"block{block}_conv1" for block in range(1, 6)]
    objective = 1e4 * Content(photo, vgg19, content_layers, "tutorial")
    objective += 1e-2 * Style(painting, vgg19, style_layers, "tutorial")

    def vgg(image, layers):
        return features_of(vgg19, keras.applications.vgg19.preprocess_input(image * 255), layers)

    def gram(f):
        return np.einsum("ijc,ijd->cd", f, f) / (f.shape[0] * f.shape[1])

    f = vgg(x, content_layers + style_layers)
    p, a = vgg(photo, content_layers), vgg(painting, style_layers)
    style = sum(((gram(f[name]) - gram(a[name])) ** 2).mean() for name in style_layers)
    content = sum(((f[name] - p[name]) ** 2).mean() for name in content_layers)
    expected = style * 1e-2 / len(style_layers) + content * 1e4 / len(content_layers)
    total, terms = objective(x)
    assert float(terms["content"]) == pytest.approx(content, rel=1e-4)
    assert float(terms["style"]) == pytest.approx(style / len(style_layers), rel=1e-4)
    assert float(total) == pytest.approx(expected, rel=1e-4)
    assert float(objective.value_and_gradient(x)[0]) == pytest.approx(expected, rel=1e-4)


class TestTotalVariation:
    def test_relative_total_variation_is_the_mean_difference_of_neighbours(self, picture):
        x = picture(9, 13)
        expected = np.abs(np.diff(x.astype("float64"), axis=0)).mean()
        expected += np.abs(np.diff(x.astype("float64"), axis=1)).mean()
        assert value(TotalVariation(), x) == pytest.approx(expected, rel=1e-5)

    def test_tutorial_total_variation_is_tensorflows_own(self, picture):
        x = picture(9, 13)
        expected = float(tf.image.total_variation(tf.constant(x)))
        assert value(TotalVariation("tutorial"), x) == pytest.approx(expected, rel=1e-6)

    def test_relative_total_variation_does_not_grow_with_the_picture(self):
        stripes = lambda side: np.tile([0.0, 1.0], (side, side // 2))[..., None].repeat(3, -1)  # noqa: E731
        assert value(TotalVariation(), stripes(8)) == value(TotalVariation(), stripes(64)) == 1


class TestAlgebra:
    @pytest.fixture(autouse=True)
    def terms(self, toy, picture, double):
        self.x = double(10, 12)
        self.content, self.style = Content(picture(10, 12, seed=1), toy), Style(self.photo(2), toy)
        self.dream, self.other = Dream(toy), Style(self.photo(3), toy)

    @staticmethod
    def photo(seed):
        return np.random.default_rng(seed).random((12, 16, 3), "float32")

    def alone(self, term):
        return value(term, self.x)

    def test_scores_add_subtract_and_scale(self):
        objective = 2 * self.content + self.style * 20 - 0.5 * self.dream + -TotalVariation()
        expected = 2 * self.alone(self.content) + 20 * self.alone(self.style)
        expected -= 0.5 * self.alone(self.dream) + self.alone(TotalVariation())
        assert value(objective, self.x) == pytest.approx(expected, rel=1e-12)
        assert objective.weights == dict(content=2, style=20, dream=-0.5, total_variation=-1)

    def test_total_is_the_sum_of_weight_times_term(self):
        objective = 0.3 * self.content - 7 * (self.style + 2 * self.dream)
        for total, terms in (objective(self.x), objective.value_and_gradient(self.x)[:2]):
            expected = sum(w * float(terms[name]) for name, w in objective.weights.items())
            assert float(total) == pytest.approx(expected, rel=1e-12)

    def test_terms_are_unweighted(self):
        terms = (5 * self.content - 3 * self.dream)(self.x)[1]
        assert float(terms["content"]) == pytest.approx(self.alone(self.content), rel=1e-12)
        assert float(terms["dream"]) == pytest.approx(self.alone(self.dream), rel=1e-12)

    def test_a_second_style_is_called_style_2(self):
        terms = (self.style + self.content + 2 * self.other + self.style)(self.x)[1]
        assert list(terms) == ["style", "content", "style_2", "style_3"]
        assert float(terms["style_2"]) == pytest.approx(self.alone(self.other), rel=1e-12)
        assert float(terms["style_3"]) == pytest.approx(self.alone(self.style), rel=1e-12)

    def test_scaling_a_sum_scales_all_of_it(self):
        objective = self.content + 3 * self.style
        assert value(-2 * objective, self.x) == pytest.approx(-2 * value(objective, self.x))

    def test_a_score_minus_itself_is_zero(self):
        assert value(self.style - self.style, self.x) == pytest.approx(0, abs=1e-15)

    def test_arithmetic_does_not_change_the_terms(self):
        before = self.alone(self.content)
        assert (5 * self.content + self.style) is not self.content
        assert self.alone(self.content) == before
        assert self.content.weights == {"content": 1.0}

    def test_only_scores_add(self):
        with pytest.raises(TypeError):
            self.content + 1.0

    def test_balanced_gives_the_difference_and_all_terms(self):
        balanced = Balanced(self.content + 3 * self.style, 2 * self.dream, balance=0.25)
        expected = self.alone(self.content) + 3 * self.alone(self.style)
        expected -= 0.25 * 2 * self.alone(self.dream)
        for total, terms in (balanced(self.x), balanced.value_and_gradient(self.x)[:2]):
            assert float(total) == pytest.approx(expected, rel=1e-12)
            assert list(terms) == ["content", "style", "dream"]
            assert float(terms["dream"]) == pytest.approx(self.alone(self.dream), rel=1e-12)


class Counter(keras.layers.Layer):
    """Passes on its input and counts how often it really runs, even in a compiled graph."""

    def build(self, shape):
        self.runs = tf.Variable(0, dtype=tf.int64)

    def call(self, x):
        self.runs.assign_add(1)
        return tf.identity(x)


def counted(seed=0):
    """A toy backbone and the counter of its forward passes."""
    counter = Counter(dtype="float64")
    return toy_network(counter, seed=seed), counter


class TestOnePass:
    def runs_in_a_step(self, objective, x, *counters):
        """Forward passes of each backbone in one step, once the targets are known."""
        objective.value_and_gradient(x)
        before = [int(counter.runs) for counter in counters]
        objective.value_and_gradient(x)
        return [int(c.runs) - b for c, b in zip(counters, before, strict=True)]

    def test_all_terms_on_one_backbone_share_one_forward_pass(self, picture, double):
        network, counter = counted()
        photo = picture(10, 12, seed=1)
        objective = Content(photo, network) + Style(photo, network) + Style(photo, network, "first")
        objective += Dream(network) - Dream(network, "second", channel=1)
        objective += Dream(network, "second", guide=photo) + TotalVariation()
        assert self.runs_in_a_step(objective, double(10, 12), counter) == [1]

    def test_each_of_two_backbones_runs_once(self, picture, double):
        (painter, strokes), (dreamer, dreams) = counted(0), counted(1)
        photo = picture(10, 12, seed=1)
        objective = Content(photo, painter) + Style(photo, painter) - Dream(dreamer)
        assert self.runs_in_a_step(objective, double(10, 12), strokes, dreams) == [1, 1]

    def test_balanced_runs_each_of_two_backbones_once(self, picture, double):
        (painter, strokes), (dreamer, dreams) = counted(0), counted(1)
        photo = picture(10, 12, seed=1)
        balanced = Balanced(Content(photo, painter) + Style(photo, painter), Dream(dreamer))
        assert self.runs_in_a_step(balanced, double(10, 12), strokes, dreams) == [1, 1]

    def test_balanced_runs_a_shared_backbone_once(self, picture, double):
        network, counter = counted()
        photo = picture(10, 12, seed=1)
        balanced = Balanced(Content(photo, network) + Style(photo, network), Dream(network))
        fast = fit_to_memory(balanced, (10, 12))
        assert self.runs_in_a_step(fast, double(10, 12), counter) == [1]

    def test_targets_are_computed_once_for_each_size(self, picture, double):
        network, counter = counted()
        style = Style(picture(10, 12, seed=1), network)
        for size, passes in ((10, 12), 2), ((10, 12), 1), ((8, 6), 2), ((8, 6), 1), ((10, 12), 1):
            before = int(counter.runs)
            style.value_and_gradient(double(*size))
            assert int(counter.runs) - before == passes, size

    def test_squeezenets_compiled_step_holds_each_convolution_once(self, squeezenet, picture):
        photo, x = picture(64, 64), tf.constant(picture(64, 64, seed=1))
        objective = Content(photo, squeezenet) + Style(photo, squeezenet)
        objective -= Dream(squeezenet, {"fire6": 1.0, "fire8": 0.17})  # as no other test has it
        (graph,) = graphs_of(lambda: objective.value_and_gradient(x))
        graph = graph.get_concrete_function().graph
        kinds = [node.type for node in graph.get_operations()]
        layers = squeezenet.extractor(("fire8",)).layers
        mirrored = sum(isinstance(layer, MirroredConv2D) for layer in layers)  # each is a gradient
        forward = 1 + 3 * 7  # conv1, and three in each of fire2 … fire8
        assert kinds.count("Conv2D") == forward - mirrored
        assert kinds.count("Conv2DBackpropInput") == forward + mirrored


def graphs_of(action):
    """The graphs that an action adds to the cache."""
    before = set(objectives._graphs)
    action()
    return [objectives._graphs[key] for key in set(objectives._graphs) - before]


class TestOneTrace:
    def test_the_step_is_traced_once_for_all_sizes(self, squeezenet, picture):
        photo, painting = picture(80, 64, seed=1), picture(56, 72, seed=2)
        objective = Content(photo, squeezenet) + Style(painting, squeezenet)
        objective -= Dream(squeezenet, {"fire2": 0.17})  # a weight that no other test uses

        def at_several_sizes():
            for size in ((64, 64), (48, 96), (96, 80), (64, 64)):
                objective.value_and_gradient(tf.constant(picture(*size)))

        (graph,) = graphs_of(at_several_sizes)
        assert graph.experimental_get_tracing_count() == 1

    def test_other_pictures_and_weights_take_the_same_graph(self, picture, double):
        toy = toy_network()  # its graphs are new

        def with_several():
            for seed, weight in itertools.product((1, 2), (0.5, 20)):
                photo = picture(10, 12, seed=seed)
                objective = Content(photo, toy) + weight * Style(photo, toy)
                x = double(8 + seed, 12)
                total, expected = objective.value_and_gradient(x)[0], objective(x)[0]
                assert float(total) == pytest.approx(float(expected), rel=1e-12)

        graphs = graphs_of(with_several)  # one for the value, one with the gradient
        assert [graph.experimental_get_tracing_count() for graph in graphs] == [1, 1]

    @pytest.mark.parametrize(
        ("one", "other"),
        [
            (dict(channel=1), dict(channel=2)),
            (dict(power=1), dict(power=2)),
            (dict(border=0), dict(border=1)),
            (dict(layers={"second": 1}), dict(layers={"second": 2})),
        ],
        ids=str,
    )
    def test_settings_that_change_the_formula_do_not_share_a_graph(self, toy, double, one, other):
        x = double(10, 12)
        for settings in (one, other):
            dream = Dream(toy, **{"layers": "second", **settings})
            compiled = float(dream.value_and_gradient(x)[0])
            assert compiled == pytest.approx(value(dream, x), rel=1e-12)


class TestRefusals:
    @pytest.fixture(autouse=True)
    def scene(self, toy, picture):
        self.toy, self.photo = toy, picture(10, 12)

    def test_an_unknown_formula(self):
        for term in (Content, Style):
            with pytest.raises(SettingsError, match="'relative', 'gatys' or 'tutorial'"):
                term(self.photo, self.toy, formula="gram")
        with pytest.raises(SettingsError, match="formula cannot be 'gatys'"):
            TotalVariation("gatys")

    def test_an_unknown_layer_is_refused_with_a_suggestion(self):
        with pytest.raises(LayerError, match="did you mean second"):
            Style(self.photo, self.toy, "secnd")

    def test_no_layer_at_all(self):
        with pytest.raises(SettingsError, match="name at least one"):
            Content(self.photo, self.toy, [])

    @pytest.mark.parametrize("channel", [-1, 5])
    def test_a_channel_the_layer_does_not_have(self, channel):
        with pytest.raises(SettingsError, match="from 0 to 4"):
            Dream(self.toy, "second", channel=channel)

    def test_a_power_other_than_one_and_two(self):
        with pytest.raises(SettingsError, match="power cannot be 3"):
            Dream(self.toy, power=3)

    def test_a_negative_border(self):
        with pytest.raises(SettingsError, match="border cannot be -1"):
            Dream(self.toy, border=-1)

    def test_a_border_that_leaves_nothing(self, double):
        dream = Dream(self.toy, "second", border=2)  # 10 px give five features across: one is left
        assert np.isfinite(value(dream, double(10, 12)))
        with pytest.raises(ImageError, match="at least 10 px"):
            dream(double(9, 12))

    def test_two_targets_at_once(self):
        with pytest.raises(SettingsError, match="only one of channel, label and guide"):
            Dream(self.toy, channel=1, guide=self.photo)

    def test_a_label_without_a_classifier(self):
        with pytest.raises(SettingsError, match="without its classifier"):
            Dream(self.toy, label="goldfish")

    @pytest.mark.parametrize("label", ["golfdish", 1000, -1, "nothing of the kind"])
    def test_an_unknown_label(self, squeezenet, label):
        with pytest.raises(SettingsError, match="ImageNet has no class"):
            Dream(squeezenet, label=label)

    def test_a_painting_too_small_for_the_layers(self, squeezenet):
        with pytest.raises(ImageError, match=r"style picture is 9×8 px.*at least 13 px"):
            Style(np.zeros((8, 9, 3), "float32"), squeezenet)

    def test_a_picture_too_small_for_the_layers(self, squeezenet):
        dream = Dream(squeezenet, "fire9")
        with pytest.raises(ImageError, match="at least 29 px"):
            dream(np.zeros((28, 64, 3), "float32"))
