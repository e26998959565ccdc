"""Entry point of `python -m dreamkit`."""

import os
import sys

from .commands.cli import CTRL_C, main

if __name__ == "__main__":
    try:
        main()
    except SystemExit as ended:
        if ended.code == CTRL_C:  # the work is saved, and TensorFlow can crash while it is undone
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(CTRL_C)
        raise
