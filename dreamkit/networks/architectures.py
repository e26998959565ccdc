"""The networks: how to build and feed each, and which of its layers to use.  (Notebook 00.)"""

import contextlib
import functools
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from ..startup import keras, tf

LAYOUT = "channels_last"


@contextlib.contextmanager
def keras_defaults():
    """Keras' own defaults, whatever `keras.json` or `keras.config` say outside this context.

    A network's layers and its features must not depend on settings made for other work.
    """
    config = keras.config
    layout, policy, floatx = config.image_data_format(), config.dtype_policy(), config.floatx()
    config.set_image_data_format(LAYOUT)
    config.set_floatx("float32")
    config.set_dtype_policy("float32")
    try:
        yield
    finally:
        config.set_image_data_format(layout)
        config.set_floatx(floatx)
        config.set_dtype_policy(policy)


def _vgg_preprocess(images):
    """[0, 1] RGB to VGG's scale: [0, 255], BGR, minus the ImageNet mean."""
    return keras.applications.vgg16.preprocess_input(images * 255.0, data_format=LAYOUT)


def _inception_preprocess(images):
    """[0, 1] to Inception's scale, [-1, 1]."""
    return keras.applications.inception_v3.preprocess_input(images * 255.0, data_format=LAYOUT)


def _squeezenet_preprocess(images):
    """[0, 1] RGB to Caffe's scale: [0, 255], BGR, minus (104, 117, 123)."""
    return tf.reverse(images * 255.0, axis=[-1]) - tf.constant([104, 117, 123], images.dtype)


@keras_defaults()
def _vgg19(weights=None):
    return keras.applications.VGG19(weights=weights, include_top=False)


@keras_defaults()
def _vgg16(weights=None):
    return keras.applications.VGG16(weights=weights, include_top=False)


# Keras numbers unnamed layers of Inception v3 consecutively across all models in the process.
_UNNAMED = re.compile(r"(conv2d|batch_normalization|activation|\w+_pooling2d|concatenate)_?(\d*)")


@keras_defaults()
def _inception_v3(weights=None):
    """Inception v3, with layers numbered from 0 no matter which models were built before."""
    model = keras.applications.InceptionV3(weights=weights, include_top=False)
    unnamed = {}
    for layer in model.layers:
        if match := _UNNAMED.fullmatch(layer.name):
            unnamed.setdefault(match[1], {})[int(match[2] or 0)] = layer
    for name, layers in unnamed.items():
        for number, (_, layer) in enumerate(sorted(layers.items())):
            layer.name = f"{name}_{number}" if number else name
    return model


@keras_defaults()
def _squeezenet(weights=None):
    """SqueezeNet 1.1 (Iandola et al. 2016) as a fully convolutional Keras model."""
    conv = functools.partial(keras.layers.Conv2D, padding="same")
    pool = functools.partial(keras.layers.MaxPooling2D, 3, strides=2)

    def fire(x, squeeze, expand, name):
        x = conv(squeeze, 1, activation="relu", name=f"{name}_squeeze1x1")(x)
        branches = [
            conv(expand, size, activation="relu", name=f"{name}_expand{size}x{size}")(x)
            for size in (1, 3)
        ]
        return keras.layers.Concatenate(name=name)(branches)

    inputs = keras.Input((None, None, 3))
    x = conv(64, 3, strides=2, activation="relu", name="conv1")(inputs)
    x = pool(name="pool1")(x)
    x = fire(fire(x, 16, 64, "fire2"), 16, 64, "fire3")
    x = pool(name="pool3")(x)
    x = fire(fire(x, 32, 128, "fire4"), 32, 128, "fire5")
    x = pool(name="pool5")(x)
    x = fire(fire(x, 48, 192, "fire6"), 48, 192, "fire7")
    x = fire(fire(x, 64, 256, "fire8"), 64, 256, "fire9")
    return keras.Model(inputs, conv(1000, 1, name="conv10")(x), name="squeezenet")


@dataclass(frozen=True)
class Architecture:
    """How to build and feed a network, and which of its layers to use.

    Attributes:
        build: function (weights=None) → Keras model.
        preprocess: function from images in [0, 1] to the network's input.
        content_layers, style_layers: default layers of `Content` and `Style`.
        dream_layers: {layer: weight}, the default of `Dream`.
        classes: the layer whose 1,000 channels are the ImageNet classes, if there is one.
        half_pays: True if half precision, bfloat16 or float16, makes it faster.
        bottlenecks: layers that every path to deeper layers passes through; see
            `large/checkpointing.py`.
    """

    build: Callable
    preprocess: Callable
    content_layers: tuple = ()
    style_layers: tuple = ()
    dream_layers: dict = field(default_factory=dict)
    classes: str | None = None
    half_pays: bool = False
    bottlenecks: tuple = ()


_VGG = dict(
    preprocess=_vgg_preprocess,
    content_layers=("block4_conv2",),
    style_layers=tuple(f"block{block}_conv1" for block in range(1, 6)),
    dream_layers={"block5_conv2": 1.0},
    half_pays=True,
    bottlenecks=("block3_pool",),
)
ARCHITECTURES = {
    "vgg19": Architecture(_vgg19, **_VGG),
    "vgg16": Architecture(_vgg16, **_VGG),
    "inception_v3": Architecture(
        _inception_v3,
        _inception_preprocess,
        content_layers=("mixed2",),
        style_layers=("conv2d_2", "mixed0", "mixed2", "mixed4"),
        dream_layers={"mixed3": 1.0, "mixed5": 1.0},
        half_pays=True,
        bottlenecks=("mixed3", "mixed4"),
    ),
    "squeezenet": Architecture(
        _squeezenet,
        _squeezenet_preprocess,
        content_layers=("fire5",),
        style_layers=("conv1", "fire2", "fire3", "fire4", "fire5"),
        dream_layers={"fire6": 1.0, "fire8": 1.0},
        classes="conv10",
        bottlenecks=("pool3",),
    ),
}
