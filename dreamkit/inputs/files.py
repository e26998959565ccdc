"""Atomic writes, and checks that a folder or file can be written to."""

import contextlib
import os
import uuid
from pathlib import Path

from ..errors import ImageError


@contextlib.contextmanager
def replacing(path):
    """Write a file atomically: either all of it appears or nothing, even if the process is killed.

    Args:
        path: where the file belongs; its folder is created if it is missing.

    Yields:
        A path next to it, with its suffixes, to write to; it takes the place of `path` when the
        block ends without an error, and is removed when it does not.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with replacing(f"{folder}/a.txt") as part:
    ...         _ = part.write_text("all of it")
    ...     print([file.name for file in Path(folder).iterdir()])
    ['a.txt']
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{uuid.uuid4().hex}{''.join(path.suffixes)}")
    try:
        yield part
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def check_folder(folder):
    """Raise an `ImageError` unless files can be written to `folder`, which need not exist yet.

    Called before the work starts, so that a long run doesn't fail at the very end.
    """
    folder = Path(folder).expanduser()
    nearest = next(path for path in (folder, *folder.parents) if os.path.exists(path))
    if not (nearest.is_dir() and os.access(nearest, os.W_OK)):
        raise ImageError(f"Cannot write to '{folder}': choose another place.")


def check_free(path, overwrite=False):
    """Raise an `ImageError` if a file already exists and must not be replaced."""
    if os.path.exists(path) and not overwrite:
        raise ImageError(f"'{path}' already exists: pass overwrite=True to replace it.")
