"""TensorFlow and Keras, started without their chatter: `from .startup import keras, tf`."""

import contextlib
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


__all__ = ["keras", "tf"]
