"""Files that are there whole or not at all, and folders that can be written to."""

import contextlib
import os
import uuid
from pathlib import Path

from .errors import ImageError


@contextlib.contextmanager
def replacing(path):
    """Write a file that is there whole or not at all, even if the process is killed.

    Args:
        path: where the file belongs. Its folder is made if it is missing.

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

    Called before the work, so that an hour is not lost at its end.
    """
    folder = Path(folder).expanduser()
    nearest = next(path for path in (folder, *folder.parents) if os.path.exists(path))
    if not (nearest.is_dir() and os.access(nearest, os.W_OK)):
        raise ImageError(f"Nothing can be written to '{folder}': choose another place.")


def check_free(path, overwrite=False):
    """Raise an `ImageError` if a file is there already and may not be replaced."""
    if os.path.exists(path) and not overwrite:
        raise ImageError(f"'{path}' is there already: pass overwrite=True to replace it.")
