"""TensorFlow and Keras, started without their chatter: `from .startup import keras, tf`."""

import contextlib
import ctypes
import functools
import os
import sys
import tempfile


@contextlib.contextmanager
def quiet_start():
    """Hold back what C++ code writes to stderr; it is shown only if the start fails.

    TensorFlow's first log lines come before its own log settings are read, so a file descriptor
    is the one place to stop them.
    """
    with tempfile.TemporaryFile() as held:
        stderr = os.dup(2)
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            held.seek(0)
            os.write(stderr, held.read())
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)


if "tensorflow" in sys.modules:
    import keras
    import tensorflow as tf
else:
    with quiet_start():
        import keras
        import tensorflow as tf

        tf.config.list_physical_devices()  # the search for a GPU has chatter of its own
        tf.zeros(1)


@functools.cache
def give_back_memory():
    """Let the C library return blocks of 1 MiB and more at once, where it is glibc.

    Left to itself it keeps what a tile has freed, in pieces that the next tile may not fit into: at
    4096 px that is a third of a GiB.
    """
    trim_threshold, mmap_threshold = -1, -3  # names of options in malloc.h
    with contextlib.suppress(AttributeError, OSError, TypeError):  # another system's library
        for option in (trim_threshold, mmap_threshold):
            ctypes.CDLL(None).mallopt(option, 2**20)


__all__ = ["give_back_memory", "keras", "tf"]
