"""Convolutions computed as gradients give the same features, and are used only where faster."""

import os
import subprocess
import sys

import numpy as np
import pytest
from scipy import ndimage

from dreamkit.networks import mirrored, precision
from dreamkit.networks.devices import gpu
from dreamkit.networks.mirrored import MirroredConv2D, mirrorable, mirroring_pays
from dreamkit.networks.precision import in_precision
from dreamkit.startup import keras, tf
from dreamkit.system import processor

KERNELS = [(3, 3), (5, 5), (1, 7), (7, 1), (3, 1)]
AVX2, AVX512 = "fpu avx avx2 fma", "fpu avx avx2 fma avx512f avx512_vnni"


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """Function (flags, **environment): what the processor and the environment say from now on."""

    def pretend(flags, **environment):
        monkeypatch.setattr(mirrored, "gpu", lambda: None)
        monkeypatch.setattr(processor, "CPUINFO", tmp_path / "cpuinfo")
        (tmp_path / "cpuinfo").write_text(f"flags : {flags}\n")
        for name in ("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA", processor.ONEDNN_SWITCH):
            monkeypatch.setenv(name, "")  # so that its end restores what there was
            monkeypatch.delenv(name)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)

    return pretend


@pytest.fixture
def mirroring(monkeypatch):
    """Mirrored layers are used, whatever the processor."""
    monkeypatch.setattr(precision, "mirroring_pays", lambda: True)


def convolve(images, kernel):
    return mirrored.convolve(images, kernel, mirrored.mirror(kernel))


def drawn(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


@pytest.mark.parametrize("size", KERNELS)
@pytest.mark.parametrize("shape", [(1, 9, 12), (2, 6, 5), (1, 2, 1), (1, 1, 1)])
def test_a_mirrored_convolution_is_scipys_correlation(size, shape):
    images, kernel = drawn(*shape, 3), drawn(*size, 3, 4, seed=1)
    found = convolve(tf.constant(images), tf.constant(kernel))
    for n, image in enumerate(images.astype("float64")):
        for d in range(4):
            channels = [
                ndimage.correlate(
                    image[..., c], kernel[..., c, d].astype("float64"), mode="constant"
                )
                for c in range(3)
            ]
            np.testing.assert_allclose(found[n, ..., d], sum(channels), rtol=1e-4, atol=2e-5)


def test_its_gradient_and_the_gradients_gradient_are_tensorflows_own():
    images, kernel = tf.constant(drawn(1, 8, 7, 3)), tf.constant(drawn(3, 3, 3, 4, seed=1))

    def derivatives(convolution):
        with tf.GradientTape() as outer:
            outer.watch(images)
            with tf.GradientTape() as inner:
                inner.watch(images)
                loss = tf.reduce_sum(convolution(images, kernel) ** 3)
            gradient = inner.gradient(loss, images)
            bend = tf.reduce_sum(gradient**2)
        return gradient, outer.gradient(bend, images)

    plain = derivatives(lambda x, k: tf.nn.conv2d(x, k, 1, "SAME"))
    for ours, theirs in zip(derivatives(convolve), plain, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5 * float(tf.norm(theirs)))


@pytest.mark.parametrize("wrap", [tf.function, tf.recompute_grad])
def test_its_gradient_is_the_same_in_graphs_and_when_features_are_computed_again(wrap):
    images, kernel = tf.constant(drawn(1, 8, 7, 3)), tf.constant(drawn(3, 3, 3, 4, seed=1))

    @tf.function
    def gradient(convolution):
        with tf.GradientTape() as tape:
            tape.watch(images)
            loss = tf.reduce_sum(convolution(images) ** 3)
        return tape.gradient(loss, images)

    ours = gradient(wrap(lambda x: convolve(x, kernel)))
    plain = gradient(lambda x: tf.nn.conv2d(x, kernel, 1, "SAME"))
    np.testing.assert_allclose(ours, plain, rtol=1e-4, atol=1e-5 * float(tf.norm(plain)))


@pytest.mark.parametrize("watched", [True, False])
def test_a_kernel_gets_no_gradient(watched):
    images, kernel = tf.constant(drawn(1, 8, 7, 3)), tf.constant(drawn(3, 3, 3, 4, seed=1))
    fixed = mirrored.mirror(kernel)
    with tf.GradientTape() as tape:
        tape.watch([kernel, images] if watched else kernel)
        loss = tf.reduce_sum(mirrored.convolve(images, kernel, fixed) ** 3)
    assert tape.gradient(loss, kernel) is None


def test_it_works_in_a_graph_that_knows_no_sizes():
    kernel = tf.constant(drawn(3, 3, 3, 4))
    spec = tf.TensorSpec((None, None, None, 3), tf.float32)
    graph = tf.function(lambda x: convolve(x, kernel), input_signature=[spec])
    for shape in ((1, 5, 8, 3), (2, 3, 2, 3)):
        x = tf.constant(drawn(*shape))
        np.testing.assert_allclose(graph(x), tf.nn.conv2d(x, kernel, 1, "SAME"), atol=1e-5)


@pytest.mark.parametrize(
    "changed",
    [
        dict(kernel_size=1),
        dict(kernel_size=(3, 2)),
        dict(padding="valid"),
        dict(strides=2),
        dict(dilation_rate=2),
        dict(groups=2),
        dict(data_format="channels_first"),
        dict(dtype="mixed_bfloat16"),
    ],
)
def test_only_convolutions_with_a_mirror_image_are_replaced(changed):
    settings = dict(filters=4, kernel_size=3, padding="same")
    assert mirrorable(keras.layers.Conv2D(**settings))
    assert not mirrorable(keras.layers.Conv2D(**settings | changed))
    assert not mirrorable(keras.layers.DepthwiseConv2D(3, padding="same"))


@pytest.mark.parametrize("name", ["squeezenet", "vgg19", "inception"])
def test_every_layer_of_a_mirrored_network_equals_kerass(request, mirroring, picture, name):
    network = request.getfixturevalue(name)
    plain = network.model
    ours = in_precision(plain, "float32")
    kinds = [type(layer) for layer in ours.layers]
    assert kinds.count(MirroredConv2D) == sum(map(mirrorable, plain.layers)) > 5
    outputs = [keras.Model(m.inputs, [layer.output for layer in m.layers]) for m in (ours, plain)]
    inputs = network.architecture.preprocess(tf.constant(picture(96, 80)[np.newaxis]))
    for found, exact in zip(*(model(inputs) for model in outputs), strict=True):
        np.testing.assert_allclose(found, exact, rtol=1e-5, atol=1e-5 * np.abs(exact).max())


def test_a_replaced_layer_keeps_its_relu(mirroring, squeezenet):
    layer = in_precision(squeezenet.model, "float32").get_layer("fire2_expand3x3")
    assert (type(layer), layer.activation) == (MirroredConv2D, keras.activations.relu)


def test_networks_in_other_precisions_are_not_mirrored(mirroring, squeezenet):
    kinds = {type(layer) for layer in in_precision(squeezenet.model, "bfloat16").layers}
    assert MirroredConv2D not in kinds


def network_with(*layers):
    inputs = x = keras.Input((None, None, 3))
    for layer in (keras.layers.Conv2D(4, 3, padding="same"), *layers):
        x = layer(x)
    return keras.Model(inputs, x)


class Unnamed(keras.layers.Layer):
    """A layer that Keras cannot copy: it needs an argument that its settings don't hold."""

    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def call(self, x):
        return self.factor * x


@pytest.mark.parametrize("layer", [keras.layers.Lambda(lambda x: 2 * x), Unnamed(2)])
def test_a_network_that_cannot_be_copied_is_used_as_it_is(mirroring, layer):
    model = network_with(layer)
    assert in_precision(model, "float32") is model


def test_a_network_without_such_convolutions_is_used_as_it_is(mirroring):
    inputs = keras.Input((None, None, 3))
    model = keras.Model(inputs, keras.layers.Conv2D(4, 3)(inputs))
    assert in_precision(model, "float32") is model


def test_a_network_keeps_its_layers_own_precisions(mirroring):
    model = network_with(
        keras.layers.Conv2D(4, 3, padding="same", dtype="mixed_bfloat16"),
        keras.layers.Activation("relu", dtype="float32"),
    )
    layers = in_precision(model, "float32").layers[1:]
    assert [layer.compute_dtype for layer in layers] == ["float32", "bfloat16", "float32"]
    assert [type(layer) is MirroredConv2D for layer in layers] == [True, False, False]


@pytest.mark.parametrize(
    ("flags", "limit", "expected"),
    [
        (AVX2, {}, True),
        (AVX512, {}, False),
        ("fpu sse4_1 avx", {}, False),
        ("fp asimd", {}, False),  # ARM
        (AVX512, {"ONEDNN_MAX_CPU_ISA": "AVX2"}, True),
        (AVX512, {"DNNL_MAX_CPU_ISA": "avx2_vnni"}, True),
        (AVX512, {"ONEDNN_MAX_CPU_ISA": "AVX512_CORE"}, False),
        (AVX2, {"ONEDNN_MAX_CPU_ISA": "SSE41"}, False),
        (AVX2, {"ONEDNN_MAX_CPU_ISA": "ALL"}, True),
    ],
)
def test_it_is_for_processors_whose_best_is_avx2(machine, flags, limit, expected):
    machine(flags, **{processor.ONEDNN_SWITCH: "1"}, **limit)
    assert mirroring_pays() is expected


@pytest.mark.parametrize(
    "switch", [{}, {processor.ONEDNN_SWITCH: "0"}, {processor.ONEDNN_SWITCH: "False"}]
)
def test_without_onednn_the_plain_convolution_is_faster_and_used(machine, squeezenet, switch):
    machine(AVX2, **switch)  # as when TensorFlow was imported before dreamkit
    assert not mirroring_pays()
    assert in_precision(squeezenet.model, "float32") is squeezenet.model


def test_a_gpu_has_fast_convolutions_of_its_own(machine, monkeypatch):
    machine(AVX2, **{processor.ONEDNN_SWITCH: "1"})
    monkeypatch.setattr(mirrored, "gpu", lambda: "GPU:0")
    assert not mirroring_pays()


def test_onednn_is_switched_on_unless_it_is_too_late_or_unwanted(machine, monkeypatch):
    def switch(flags, **environment):
        machine(flags, **environment)
        processor.switch_on_onednn()
        return os.environ.get(processor.ONEDNN_SWITCH)

    assert switch(AVX2) is None  # TensorFlow runs already
    monkeypatch.delitem(sys.modules, "tensorflow")
    assert switch(AVX2) == "1"
    assert switch(AVX512) is None  # TensorFlow's own choice
    assert switch(AVX2, **{processor.ONEDNN_SWITCH: "0"}) == "0"


def test_other_systems_list_no_instruction_sets(monkeypatch, tmp_path):
    monkeypatch.setattr(processor, "CPUINFO", tmp_path / "none")
    assert processor.flags() == set()
    assert not processor.stops_at_avx2()


@pytest.mark.skipif(gpu() or not processor.stops_at_avx2(), reason="for processors up to AVX2")
@pytest.mark.parametrize("first", ["", "import dreamkit, tensorflow; ", "import tensorflow; "])
def test_a_fresh_process_uses_it_if_dreamkit_is_imported_first(first):
    code = first + "from dreamkit.networks.mirrored import mirroring_pays; print(mirroring_pays())"
    environment = {k: v for k, v in os.environ.items() if k != processor.ONEDNN_SWITCH}
    out = subprocess.check_output([sys.executable, "-c", code], text=True, env=environment)
    assert out.split()[-1] == str(first != "import tensorflow; ")
