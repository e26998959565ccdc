"""Entry point of `python -m dreamkit`."""

from .commands.cli import main

if __name__ == "__main__":
    main()
