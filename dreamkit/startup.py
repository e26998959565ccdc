"""Import TensorFlow and Keras without their log chatter: `from .startup import keras, tf`."""

import contextlib
import os
import sys
import tempfile


@contextlib.contextmanager
def quiet_start():
    """Capture what C++ code writes to stderr and show it only if the start fails.

    TensorFlow logs before it reads its own log settings, so only redirecting the file descriptor
    can stop those lines.
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

        tf.config.list_physical_devices()  # looking for a GPU logs too
        tf.zeros(1)


__all__ = ["keras", "tf"]
