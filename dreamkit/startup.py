"""Import TensorFlow and Keras without their log chatter: `from .startup import keras, tf`."""

import sys

from .errors import DreamkitError
from .system.start import grow_memory, quiet_start, reason


def _start():
    """TensorFlow and Keras, imported, with the GPU's memory set to grow."""
    import keras
    import tensorflow as tf

    grow_memory(tf)
    return keras, tf


try:
    if "tensorflow" in sys.modules:
        keras, tf = _start()
    else:
        with quiet_start():
            keras, tf = _start()
            tf.zeros(1)  # looking for a GPU logs too
except Exception as error:
    raise DreamkitError(
        f"TensorFlow cannot start ({reason(error)}): install it again, in a fresh environment,"
        " with `pip install -r requirements.txt`."
    ) from error


__all__ = ["keras", "tf"]
