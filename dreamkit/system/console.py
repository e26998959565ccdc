"""Printing that works on any console, even one that knows few letters."""

import sys


def say(text):
    """Print a line; what the console cannot write is written as an escape, such as \\xe9.

    >>> say("3/5 …")
    3/5 …
    """
    try:
        print(text, flush=True)
    except UnicodeEncodeError:
        encoding = sys.stdout.encoding or "ascii"
        print(str(text).encode(encoding, "backslashreplace").decode(encoding), flush=True)


def write_anything():
    """Let this process's output hold any text; for a command, whose output is its own."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
