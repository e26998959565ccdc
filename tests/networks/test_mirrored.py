"""Convolutions computed as gradients give the same features, and are used only where faster."""

import os
import subprocess
import sys

import numpy as np
import pytest
from scipy import ndimage

from dreamkit.networks import mirrored, precision
from dreamkit.networks.mirrored import MirroredConv2D, convolve, mirrorable, mirrors_pay
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
        for name in ("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA", processor.SWITCH):
            monkeypatch.delenv(name, raising=False)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)

    return pretend


@pytest.fixture
def paying(monkeypatch):
    """Mirrored layers are used, whatever the processor."""
    monkeypatch.setattr(precision, "mirrors_pay", lambda: True)


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
    ],
)
def test_only_convolutions_of_which_it_is_the_mirror_image_are_replaced(changed):
    settings = dict(filters=4, kernel_size=3, padding="same")
    assert mirrorable(keras.layers.Conv2D(**settings))
    assert not mirrorable(keras.layers.Conv2D(**settings | changed))
    assert not mirrorable(keras.layers.DepthwiseConv2D(3, padding="same"))


@pytest.mark.parametrize("name", ["squeezenet", "vgg19", "inception"])
def test_every_layer_of_a_mirrored_network_equals_kerass(request, paying, picture, name):
    network = request.getfixturevalue(name)
    plain = network.model
    ours = in_precision(plain, "float32")
    kinds = [type(layer) for layer in ours.layers]
    assert kinds.count(MirroredConv2D) == sum(map(mirrorable, plain.layers)) > 5
    outputs = [keras.Model(m.inputs, [layer.output for layer in m.layers]) for m in (ours, plain)]
    inputs = network.architecture.preprocess(tf.constant(picture(96, 80)[np.newaxis]))
    for ours, exact in zip(*(model(inputs) for model in outputs), strict=True):
        np.testing.assert_allclose(ours, exact, rtol=1e-5, atol=1e-5 * np.abs(exact).max())


def test_the_layer_before_a_relu_stays_before_it(paying, squeezenet):
    layer = in_precision(squeezenet.model, "float32").get_layer("fire2_expand3x3")
    assert (type(layer), layer.activation) == (MirroredConv2D, keras.activations.relu)


def test_networks_in_other_precisions_are_not_mirrored(paying, squeezenet):
    kinds = {type(layer) for layer in in_precision(squeezenet.model, "bfloat16").layers}
    assert MirroredConv2D not in kinds


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
    machine(flags, **{processor.SWITCH: "1"}, **limit)
    assert mirrors_pay() is expected


@pytest.mark.parametrize("switch", [{}, {processor.SWITCH: "0"}])
def test_without_onednn_the_plain_convolution_is_faster_and_used(machine, squeezenet, switch):
    machine(AVX2, **switch)  # as when TensorFlow was imported before dreamkit
    assert not mirrors_pay()
    assert in_precision(squeezenet.model, "float32") is squeezenet.model


def test_a_gpu_has_fast_convolutions_of_its_own(machine, monkeypatch):
    machine(AVX2, **{processor.SWITCH: "1"})
    monkeypatch.setattr(mirrored, "gpu", lambda: "GPU:0")
    assert not mirrors_pay()


def test_onednn_is_switched_on_unless_it_is_too_late_or_unwanted(machine, monkeypatch):
    def switch(flags, **environment):
        machine(flags, **environment)
        processor.switch_on_onednn()
        return os.environ.get(processor.SWITCH)

    assert switch(AVX2) is None  # TensorFlow runs already
    monkeypatch.delitem(sys.modules, "tensorflow")
    assert switch(AVX2) == "1"
    assert switch(AVX512) is None  # TensorFlow's own choice
    assert switch(AVX2, **{processor.SWITCH: "0"}) == "0"


def test_no_word_of_it_on_another_system(monkeypatch, tmp_path):
    monkeypatch.setattr(processor, "CPUINFO", tmp_path / "none")
    assert processor.flags() == set()
    assert not processor.stops_at_avx2()


@pytest.mark.skipif(not processor.stops_at_avx2(), reason="for processors whose best is AVX2")
@pytest.mark.parametrize("first", ["", "import tensorflow; "])
def test_a_fresh_process_uses_it_if_dreamkit_starts_tensorflow(first):
    code = first + "from dreamkit.networks.mirrored import mirrors_pay as pay; print(pay())"
    environment = {name: v for name, v in os.environ.items() if name != processor.SWITCH}
    out = subprocess.check_output([sys.executable, "-c", code], text=True, env=environment)
    assert out.split()[-1] == str(not first)
