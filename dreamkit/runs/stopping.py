"""Ctrl-C ends a run between two steps.  (Notebook 03.)

Python raises its KeyboardInterrupt wherever it happens to be, also where TensorFlow's C++ calls
back into it. There the exception can end the process with a segmentation fault, and it can leave a
picture in the middle of a step.
"""

import contextlib
import signal
import threading

_pressed = threading.Event()


@contextlib.contextmanager
def between_steps():
    """Within the block Ctrl-C is only noted, for the loop to stop; a second one doesn't wait.

    Where Ctrl-C has another meaning, as in a worker process or in a thread, nothing changes.

    >>> with between_steps():
    ...     signal.raise_signal(signal.SIGINT)
    ...     print(stop_requested())
    True
    """
    here = threading.current_thread() is threading.main_thread()
    if not here or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    _pressed.clear()
    signal.signal(signal.SIGINT, _note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        _pressed.clear()


@contextlib.contextmanager
def completing():
    """Within the block Ctrl-C waits, unless it is pressed twice; at its end, it is raised."""
    with between_steps():
        yield
        pressed = stop_requested()
    if pressed:
        raise KeyboardInterrupt


def _note(_number, _frame):
    if _pressed.is_set():
        raise KeyboardInterrupt
    _pressed.set()


def stop_requested():
    """True if Ctrl-C was pressed in this block of `between_steps`."""
    return _pressed.is_set()
