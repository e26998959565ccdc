"""Atomic writes, and checks that a folder or file can be written to."""

import contextlib
import errno
import hashlib
import itertools
import os
import shutil
import uuid
from pathlib import Path

from ..errors import ImageError
from .checks import check_flag

LONGEST_NAME, SHORT_NAME = 240, 204  # bytes; most systems allow 255; temporary names need some
LEAST_ROOM = 2**20  # bytes that must be free on a disk


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
    part = part_of(path)
    try:
        yield part
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def part_of(path):
    """A hidden name next to a file, with its suffixes, that nothing else has."""
    suffixes = "".join(path.suffixes[-2:])
    return path.with_name(f".{uuid.uuid4().hex}{suffixes if len(suffixes) < 20 else path.suffix}")


@contextlib.contextmanager
def replacing_all(paths, overwrite):
    """Write files that belong together: either all of them appear or none.

    Args:
        paths: where they belong, in one folder. The last one says that the others are complete: it
            is written last, and an old one is removed before the others are replaced.
        overwrite: False to raise a FileExistsError if one of them has appeared meanwhile, even at
            the last moment.

    Yields:
        A list of paths next to them to write to; if anything fails, all old files are back.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     both = [Path(folder, name) for name in ("a.txt", "b.txt")]
    ...     with replacing_all(both, overwrite=False) as parts:
    ...         _ = [part.write_text("all of it") for part in parts]
    ...     print(sorted(file.name for file in Path(folder).iterdir()))
    ['a.txt', 'b.txt']
    """
    paths[0].parent.mkdir(parents=True, exist_ok=True)
    parts = [part_of(path) for path in paths]
    try:
        yield parts
        if overwrite:
            _replace(parts, paths)
        else:
            _add(parts, paths)
    finally:
        for part in parts:
            part.unlink(missing_ok=True)


def _replace(parts, paths):
    for path in paths:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    old = [part_of(path) if os.path.lexists(path) else None for path in paths]
    try:
        for path, kept in zip(paths, old, strict=True):
            if kept:
                _keep(path, kept)
        try:
            paths[-1].unlink(missing_ok=True)
            for part, path in zip(parts, paths, strict=True):
                os.replace(part, path)
        except BaseException:
            for path, kept in zip(paths, old, strict=True):
                os.replace(kept, path) if kept else path.unlink(missing_ok=True)
            raise
    finally:
        for kept in filter(None, old):
            with contextlib.suppress(OSError):
                kept.unlink(missing_ok=True)


def _keep(path, kept):
    """Give a file a second name; where the file system has no links, copy it."""
    try:
        os.link(path, kept, follow_symlinks=False)
    except (OSError, NotImplementedError):
        shutil.copy2(path, kept, follow_symlinks=False)


def _add(parts, paths):
    added = []
    try:
        for part, path in zip(parts, paths, strict=True):
            _move_to_free(part, path)
            added.append(path)
    except OSError:
        for path in added:
            path.unlink()
        raise


def _move_to_free(part, path):
    """Rename a file unless the name is taken; two processes cannot both succeed."""
    try:
        os.link(part, path)
    except FileExistsError:
        raise
    except OSError as error:  # not every file system supports links
        if os.path.lexists(path):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path)) from error
        os.replace(part, path)


def free_name(path, companions=()):
    """The path with the first number with which it and its companions are free: `cat-2.png`.

    >>> free_name(Path("nowhere/cat.png"), [".json"]).name
    'cat-2.png'
    """
    for number in itertools.count(2):
        free = with_ending(path, f"-{number}")
        if not any(map(os.path.lexists, (free, *(free.with_suffix(s) for s in companions)))):
            return free


def with_ending(path, ending, room=""):
    """The path with an ending after its stem, which is cut if the name is too long otherwise.

    Args:
        path, ending: a path and text.
        room: what a later ending may need.

    >>> with_ending(Path("cat.png"), "-stopped").name
    'cat-stopped.png'
    """
    stem = shortened(path.stem, f"{ending}{room}{path.suffix}")
    return path.with_name(f"{stem}{ending}{path.suffix}")


def shortened(stem, suffix):
    """A file's stem, cut so that the name isn't too long; the names of two files stay different.

    >>> shortened("cat", ".png"), len(shortened("x" * 300, ".png"))
    ('cat', 200)
    """
    if len(os.fsencode(stem + suffix)) <= LONGEST_NAME:
        return stem
    mark = hashlib.sha256(os.fsencode(stem)).hexdigest()[:8]
    kept = stem
    while len(os.fsencode(f"{kept}-{mark}{suffix}")) > SHORT_NAME:
        kept = kept[:-1]
    return f"{kept}-{mark}"


def check_folder(folder):
    """Raise an `ImageError` unless files can be written to `folder`, which need not exist yet.

    Called before the work starts, so that a long run doesn't fail at the very end.
    """
    folder = Path(folder).expanduser()
    nearest = next(path for path in (folder, *folder.parents) if os.path.exists(path))
    if not (nearest.is_dir() and os.access(nearest, os.W_OK)):
        raise ImageError(f"Cannot write to '{folder}': choose another place.")


def check_room(path):
    """Raise an `ImageError` if a file of this name cannot be written: too long, or no room left."""
    folder = Path(path).expanduser().parent
    check_folder(folder)
    nearest = next(path for path in (folder, *folder.parents) if os.path.exists(path))
    if shutil.disk_usage(nearest).free < LEAST_ROOM:
        raise ImageError(f"The disk of '{folder}' is full: make room, or choose another place.")
    try:
        os.lstat(path)
    except OSError as error:
        if error.errno in (errno.ENAMETOOLONG, errno.EILSEQ, errno.EINVAL):
            raise ImageError(f"'{path}' cannot be a file's name: choose a shorter one.") from error


def check_free(path, overwrite=False):
    """Raise an `ImageError` if a file already exists and must not be replaced."""
    check_flag("overwrite", overwrite)
    if os.path.exists(path) and not overwrite:
        raise ImageError(f"'{path}' already exists: pass overwrite=True to replace it.")
