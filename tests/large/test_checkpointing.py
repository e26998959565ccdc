"""Deep features computed from a bottleneck equal the whole network's, and so do their gradients."""

import numpy as np
import pytest

from dreamkit.large.checkpointing import features_from, segments, split
from dreamkit.startup import tf


@pytest.mark.parametrize("network", ["squeezenet", "vgg19", "inception"])
def test_layers_beyond_a_bottleneck_depend_on_it_alone(request, network, picture):
    network = request.getfixturevalue(network)
    bottleneck, deeper = beyond_the_bottleneck(network)
    layers = (network.architecture.style_layers[0], bottleneck, deeper[0], deeper[6])
    shallow, deep = split(network, layers)
    assert (shallow, deep) == (layers[:2], layers[2:])
    assert split(network, layers[:1]) == (layers[:1], ())
    images = tf.constant(picture(150, 170)[np.newaxis])
    whole = network.raw_features(images, layers)
    for layer, found in features_from(network, whole[bottleneck], deep).items():
        np.testing.assert_allclose(found, whole[layer], rtol=1e-4, atol=1e-4)


def test_recomputed_features_have_the_same_gradient(inception, picture):
    bottleneck, deeper = beyond_the_bottleneck(inception)
    deep = (deeper[0], "mixed4", "activation_45", "mixed5")
    assert len(segments(inception, deep)) == 2
    start = inception.raw_features(tf.constant(picture(150, 170)[np.newaxis]), (bottleneck,))[
        bottleneck
    ]
    extractor = inception.extractor(deep, bottleneck)
    gradients = []
    for compute in (extractor, lambda x: list(features_from(inception, x, deep).values())):
        with tf.GradientTape() as tape:
            tape.watch(start)
            total = tf.add_n([(n + 1) * tf.reduce_sum(f**2) for n, f in enumerate(compute(start))])
        gradients.append(tape.gradient(total, start).numpy())
    np.testing.assert_allclose(
        gradients[1], gradients[0], rtol=1e-4, atol=1e-5 * abs(gradients[0]).max()
    )


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        (("mixed4",), [("mixed3", ("mixed4",))]),
        (("mixed5",), [("mixed3", ("mixed4",)), ("mixed4", ("mixed5",))]),
        (
            ("conv2d_44", "mixed10", "conv2d_30"),
            [("mixed3", ("conv2d_30", "mixed4")), ("mixed4", ("conv2d_44", "mixed10"))],
        ),
    ],
)
def test_segments_end_at_every_bottleneck(inception, layers, expected):
    assert segments(inception, layers) == expected


def beyond_the_bottleneck(network):
    """The first bottleneck, and the names of the layers beyond it."""
    bottleneck = network.architecture.bottlenecks[0]
    return bottleneck, network.layers[network.layers.index(bottleneck) + 1 :]
