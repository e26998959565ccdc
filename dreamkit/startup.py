"""Import TensorFlow and Keras without their log chatter: `from .startup import keras, tf`."""

import os
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

STARTED_BY = os.getpid()


def check_process():
    """Raise a `DreamkitError` in a process that was forked after TensorFlow had started.

    A fork copies none of TensorFlow's threads, so its first large operation would wait forever.
    """
    if os.getpid() != STARTED_BY:
        raise DreamkitError(
            "This process was forked after TensorFlow had started, and would hang: start processes"
            ' with multiprocessing.get_context("spawn"), with joblib\'s default backend, or use'
            " the commands' --workers."
        )


__all__ = ["check_process", "keras", "tf"]
