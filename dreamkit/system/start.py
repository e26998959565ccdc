"""Starting TensorFlow without its log chatter, and without losing what it says when it fails."""

import contextlib
import os
import subprocess
import sys

# A second process holds what C++ code writes to stderr: if that code ends this process, as
# TensorFlow does on a processor without AVX, nothing else is left to show it.
HOLDER = """
import os, sys
held = b""
while b"\\0" not in held and (part := os.read(0, 65536)):
    held += part
text, alive, _ = held.partition(b"\\0")
os.write(2, text if alive else text + sys.argv[1].encode())
"""
DIED = (
    "dreamkit: TensorFlow ended Python while it was starting; what it said is above, if it said"
    " anything. A processor without AVX cannot run it: https://www.tensorflow.org/install/pip\n"
)


@contextlib.contextmanager
def quiet_start():
    """Capture what C++ code writes to stderr and show it only if the start fails.

    TensorFlow logs before it reads its own log settings, so only redirecting the file descriptor
    can stop those lines. They are shown after an exception, and also if the process dies.
    """
    try:
        stderr = os.dup(2)
        own_session = {"start_new_session": True} if os.name == "posix" else {}  # survives Ctrl-C
        command = [sys.executable or "", "-I", "-S", "-c", HOLDER, DIED]
        holder = subprocess.Popen(command, stdin=subprocess.PIPE, **own_session)
    except OSError:  # no stderr, or no second process: better some chatter than a lost reason
        yield
        return
    os.dup2(holder.stdin.fileno(), 2)
    holder.stdin.close()
    try:
        yield
    except BaseException:
        os.write(2, b"\0")
        raise
    else:
        holder.kill()
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
        holder.wait()


def grow_memory(tf):
    """Let TensorFlow take a GPU's memory as it needs it, so that several processes can share it.

    A choice that was made before is respected: the variable TF_FORCE_GPU_ALLOW_GROWTH, a GPU that
    is already in use, or one whose memory growth or logical devices have been set.
    """
    if os.environ.get("TF_FORCE_GPU_ALLOW_GROWTH"):
        return
    with contextlib.suppress(RuntimeError, ValueError):
        gpus = tf.config.list_physical_devices("GPU")
        grows = [tf.config.experimental.get_memory_growth(gpu) for gpu in gpus]
        logical = [tf.config.get_logical_device_configuration(gpu) for gpu in gpus]
        if any(choice is not None for choice in grows + logical):
            return  # TensorFlow refuses GPUs of which only some grow
        for gpu in gpus:
            tf.config.experimental.set_memory_growth(gpu, True)


def reason(error):
    """The error at the bottom of a chain of them: TensorFlow wraps the one that matters."""
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__
    return f"{type(error).__name__}: {error}"
