"""Run one submitted notebook: the process in the sandbox.

Everything in this process belongs to the submission, which may replace any function in it. That
gains nothing: `check` only sends the answer out, and what is right is decided on the other side.

    python -m dreamkit.grading.student NOTEBOOK SECONDS MEMORY
"""

import json
import os
import signal
import sys

from ..errors import DreamkitError
from .conversation import Conversation

LARGEST_FILE = 2**28  # bytes


def main(notebook, seconds, memory):
    """Run all code cells in order, as "Restart and run all" would, but continue after an error."""
    conversation = _take_over_pipes()
    set_limits(int(memory))
    _set_alarm(conversation, float(seconds))
    _redirect_checks(conversation)
    from IPython.core.interactiveshell import InteractiveShell

    os.chdir(os.path.dirname(notebook))
    shell = InteractiveShell.instance()
    with open(notebook, encoding="utf-8") as file:
        cells = json.load(file)["cells"]
    for number, cell in enumerate(cells):
        if cell["cell_type"] == "code":
            _start_alarm(float(seconds))
            result = shell.run_cell("".join(cell["source"]), silent=True)
            if error := result.error_before_exec or result.error_in_exec:
                conversation.call("failed", number, f"{type(error).__name__}: {error}"[:200])
    conversation.call("finished")


def _take_over_pipes():
    """Talk over stdin and stdout, and give the notebook others, so that it can print."""
    reader, writer = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    return Conversation(reader, writer)


def set_limits(memory):
    """Limit memory and the size of files, for good, where the system can; 0 is no limit."""
    try:
        import resource
    except ImportError:  # Windows
        return
    limits = {resource.RLIMIT_FSIZE: LARGEST_FILE, resource.RLIMIT_CORE: 0}
    if memory:
        limits[resource.RLIMIT_AS] = memory
    for limit, value in limits.items():
        try:
            resource.setrlimit(limit, (value, value))
        except (ValueError, OSError):  # macOS knows RLIMIT_AS but doesn't let us set it
            continue


def _set_alarm(conversation, seconds):
    """Stop a cell, or a function that is checked, after a while; the notebook continues."""

    def ring(*_):
        if not conversation.busy:
            raise TimeoutError(f"took longer than {seconds:g} s")

    if hasattr(signal, "setitimer"):
        signal.signal(signal.SIGALRM, ring)


def _start_alarm(seconds):
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, seconds, seconds)


def _redirect_checks(conversation):
    """Send the answers that the notebook checks to the grader."""
    from .. import exercises

    def check(number, answer=...):
        try:
            return exercises.Verdict(*conversation.call("check", number, answer))
        except ValueError as error:  # an answer that is too large
            return exercises.Verdict(False, str(error))

    exercises.check = check


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except DreamkitError as error:
        sys.exit(str(error))
