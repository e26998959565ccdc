"""Keras settings made for other work do not change our networks or their features."""

import contextlib
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from dreamkit.networks.architectures import keras_defaults
from dreamkit.startup import keras

ROOT = Path(__file__).parents[2]
# Features of a network that Keras builds and of one that we build, a network's input and a run;
# printed as types and a digest of all bits.
CODE = """
import hashlib
import numpy as np, dreamkit as dk
from dreamkit.startup import keras, tf
{settings}
from dreamkit.networks.architectures import ARCHITECTURES
from dreamkit.networks.backbone import Backbone

picture, bits = np.random.default_rng(0).random((48, 48, 3), "float32"), hashlib.sha256()
model = ARCHITECTURES["vgg16"].build()
for layer in model.layers[1:5]:
    for variable in layer.weights:
        variable.assign(np.random.default_rng(1).normal(0, 0.05, variable.shape))
vgg = Backbone(model, ARCHITECTURES["vgg16"], "vgg16")
found = vgg.features(picture, "block2_conv1")["block2_conv1"]
bits.update(found.numpy().tobytes())
print(found.dtype.name, found.shape[-1], {{variable.dtype for variable in model.weights}})
bits.update(np.asarray(ARCHITECTURES["inception_v3"].preprocess(tf.constant(picture[None]))))
squeezenet = dk.load_backbone("squeezenet")
bits.update(squeezenet.features(picture, "fire3")["fire3"].numpy().tobytes())
run = dk.descend(picture, dk.Dream(squeezenet, "fire3"), 2, progress=False)
bits.update(run.image.tobytes())
print(bits.hexdigest())
"""


def outcome(tmp_path, settings="", config=None):
    """What `CODE` prints with Keras set up in this way."""
    if config:
        (tmp_path / "keras.json").write_text(json.dumps({"backend": "tensorflow", **config}))
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "KERAS_HOME": str(tmp_path)}
    command = [sys.executable, "-c", CODE.format(settings=settings)]
    run = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert run.returncode == 0, run.stderr
    return found(run.stdout)


def found(printed):
    """The lines printed, but for the one on a network that a process loads for the first time."""
    return [line for line in printed.splitlines() if "weights from" not in line]


@pytest.fixture(scope="module")
def expected():
    """What it prints with Keras' own defaults, here."""
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(CODE.format(settings=""), {})
    assert printed.getvalue().count("float32") == 2
    return found(printed.getvalue())


@pytest.mark.parametrize(
    ("settings", "config"),
    [
        (
            'keras.config.set_dtype_policy("mixed_float16")',
            dict(image_data_format="channels_first", floatx="float64", epsilon=0.1),
        ),
        pytest.param(
            'keras.config.set_floatx("float64")', dict(floatx="float16"), marks=pytest.mark.slow
        ),
    ],
)
def test_settings_change_no_bit(expected, tmp_path, settings, config):
    assert outcome(tmp_path, settings, config) == expected


@keras_defaults()
def fail_to_build():
    """Raise an error after looking at Keras' settings."""
    assert keras.layers.Conv2D(1, 1).data_format == "channels_last"
    assert keras.layers.Conv2D(1, 1).dtype_policy.name == "float32"
    assert keras.config.floatx() == "float32"
    raise ZeroDivisionError


def test_the_settings_are_as_before_after_a_network_was_built():
    before = keras.config.image_data_format(), keras.config.floatx(), keras.config.dtype_policy()
    try:
        keras.config.set_image_data_format("channels_first")
        keras.config.set_floatx("float64")
        keras.config.set_dtype_policy("mixed_float16")
        with pytest.raises(ZeroDivisionError):
            fail_to_build()
        assert keras.config.image_data_format() == "channels_first"
        assert keras.config.floatx() == "float64"
        assert keras.config.dtype_policy().name == "mixed_float16"
    finally:
        keras.config.set_image_data_format(before[0])
        keras.config.set_floatx(before[1])
        keras.config.set_dtype_policy(before[2])
