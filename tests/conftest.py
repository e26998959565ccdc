"""Fixtures that the tests share: networks, pictures and the command line."""

import functools
import gc
import os
import sys
from pathlib import Path

import numpy as np
import pytest

from dreamkit.commands import cli
from dreamkit.networks import backbone, pace, pastiche
from dreamkit.networks.architectures import ARCHITECTURES, Architecture
from dreamkit.networks.backbone import Backbone, load_backbone
from dreamkit.startup import keras, tf
from dreamkit.system.processor import flags

# TensorFlow's graphs are very many objects, and there is seldom any garbage among them.
gc.set_threshold(50_000, 20, 50)


@pytest.fixture(scope="session")
def avx512():
    """True if Linux reports AVX-512; kernels for other processors round differently."""
    return "avx512f" in flags()


@pytest.fixture(scope="session")
def squeezenet():
    return load_backbone("squeezenet")


@pytest.fixture(scope="session")
def toy():
    """Two smooth float64 convolutions, so that gradients can be checked to many digits."""
    return toy_network()


def toy_network(*extra, seed=0):
    """The toy backbone; `extra` layers come first."""
    keras.utils.set_random_seed(seed)
    conv = dict(padding="same", activation="softplus", dtype="float64", bias_initializer="normal")
    inputs = x = keras.Input((None, None, 3), dtype="float64")
    for layer in (
        *extra,
        keras.layers.Conv2D(4, 3, name="first", **conv),
        keras.layers.AveragePooling2D(2, name="pool", dtype="float64"),
        keras.layers.Conv2D(5, 3, name="second", **conv),
    ):
        x = layer(x)
    architecture = Architecture(
        build=toy_network,
        preprocess=lambda images: 2 * images - 1,
        content_layers=("second",),
        style_layers=("first", "second"),
        dream_layers={"first": 1.0, "second": 0.5},
    )
    return Backbone(keras.Model(inputs, x, name="toy"), architecture)


@pytest.fixture(scope="session")
def vgg19():
    """VGG-19 as Keras builds it, with random weights."""
    return random_network("vgg19", keras.applications.VGG19)


@pytest.fixture(scope="session")
def inception():
    """Inception v3 as Keras builds it, with random weights."""
    return random_network("inception_v3", keras.applications.InceptionV3)


def random_network(name, build):
    """A network of Keras Applications with random weights and biases, as a `Backbone`."""
    keras.utils.set_random_seed(1)
    model = build(weights=None, include_top=False)
    rng = np.random.default_rng(2)
    for layer in model.layers:
        for variable in layer.weights:
            if variable.path.endswith(("bias", "beta", "moving_mean")):
                variable.assign(rng.normal(0, 0.1, variable.shape))
    return Backbone(model, ARCHITECTURES[name], name)


@pytest.fixture(scope="session")
def pretrained():
    """Function (name) → the pretrained `Backbone` in DREAMKIT_WEIGHTS, or a skip that says why."""
    folder = os.environ.get("DREAMKIT_WEIGHTS")

    def load(name):
        if not folder:
            pytest.skip("DREAMKIT_WEIGHTS is not set")
        file = Path(folder).expanduser() / f"{name}.weights.h5"
        if not file.is_file():
            pytest.skip(f"no {file.name} in DREAMKIT_WEIGHTS")
        return load_backbone(name, weights=file)

    return load


@pytest.fixture
def bare(monkeypatch, tmp_path):
    """No DREAMKIT_* variable is set and no weights are cached; gives Keras' cache folder."""
    for variable in [name for name in os.environ if name.startswith("DREAMKIT_")]:
        monkeypatch.delenv(variable)
    monkeypatch.setattr(pastiche, "cache_file", lambda: tmp_path / "cache" / "vgg19-8bit.npz")
    monkeypatch.setattr(pace, "note", lambda: tmp_path / "cache" / "pace.json")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    (tmp_path / "keras" / "models").mkdir(parents=True)
    return tmp_path / "keras" / "models"


@pytest.fixture
def fresh_loader(monkeypatch):
    """`load_backbone` has forgotten what it loaded in other tests."""
    monkeypatch.setattr(backbone, "_load", functools.lru_cache(backbone._load.__wrapped__))


@pytest.fixture
def picture():
    """Function (height, width, seed) → a float32 picture of noise."""

    def noise(height, width, seed=0):
        return np.random.default_rng(seed).random((height, width, 3), "float32")

    return noise


@pytest.fixture
def double(picture):
    """Like `picture`, but a float64 tensor."""
    return lambda *size, seed=0: tf.constant(picture(*size, seed=seed), tf.float64)


@pytest.fixture
def command(monkeypatch, capsys, tmp_path):
    """Function (*arguments) → exit code, stdout and stderr of `python -m dreamkit …`."""
    monkeypatch.setenv("DREAMKIT_PROFILE", "ci")
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["dreamkit", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capsys.readouterr()
        return ended.value.code or 0, out, err

    return call
