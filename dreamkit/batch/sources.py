"""Which pictures a batch works on, and what each result is called."""

import glob
import os
import re
from pathlib import Path

from ..errors import DreamkitError, ImageError
from ..images import WRITABLE
from ..inputs.names import plain_name, stem_of
from ..inputs.samples import samples

PICTURES = {*WRITABLE, ".gif", ".bmp", ".avif", ".jp2", ".ppm", ".pgm", ".pbm", ".ico"}


def is_single(photos):
    """True for one picture named as such: not a folder or a pattern."""
    return len(photos) == 1 and _kind(photos[0]) is None


def _is_sample_or_address(photo):
    return photo in samples() or photo.lower().startswith(("http://", "https://"))


def _kind(photo):
    """`"folder"`, `"pattern"`, or None for one picture."""
    path = os.path.expanduser(photo)
    if not _is_sample_or_address(photo):
        if os.path.isdir(path):
            return "folder"
        if not os.path.exists(path) and re.search(r"[*?\[]", photo):
            return "pattern"
    return None


def expand(photos, out):
    """The pictures that names, files, folders and patterns refer to, each once, in their order.

    Args:
        photos: list of str. A folder means the pictures directly inside it; `**` in a pattern
            matches any folders. Both leave out what dreamkit has made in `out`.
        out: folder for the results.

    Raises:
        ImageError: a folder or pattern without a picture.

    >>> expand(["chelsea", "coffee", "chelsea"], "outputs")
    ['chelsea', 'coffee']
    """
    found = {}
    for source in (source for photo in photos for source in _matches(photo, Path(out))):
        same = _is_sample_or_address(source)
        found.setdefault(source if same else os.path.realpath(source), source)
    return list(found.values())


def _matches(photo, out):
    path, kind = os.path.expanduser(photo), _kind(photo)
    if kind is None:
        return [photo]
    pattern = os.path.join(glob.escape(path), "*") if kind == "folder" else path
    files = glob.glob(pattern, recursive=True)
    pictures = [file for file in files if Path(file).suffix.lower() in PICTURES]
    found = sorted(p for p in pictures if os.path.isfile(p) and not _is_result(Path(p), out))
    if not found:
        raise ImageError(f"There is no picture in the {kind} '{photo}': check its spelling.")
    return found


def _is_result(picture, out):
    """True for an earlier result in the folder for results: a `.json` alone says nothing."""
    if os.path.realpath(picture.parent) != os.path.realpath(out):
        return False
    return bool(recorded(picture.with_suffix(".json")) or recorded(picture))


def recorded(path):
    """The settings in a picture or `.json` file if dreamkit wrote it, else None."""
    from ..runs.reproduce import read_settings

    try:
        return read_settings(path)
    except DreamkitError:
        return None


def distinct_names(photos):
    """A different name for each picture: its stem, with its folders where two stems are alike.

    >>> distinct_names(["chelsea", "one/cat.jpg", "two/cat.jpg", "two/dog.png", "two/dog.gif"])
    ['chelsea', 'one-cat', 'two-cat', 'dog-png', 'dog-gif']
    """
    parts = [_parts(photo) for photo in photos]
    for part, alike in zip(parts, _alike("/".join(p[:-1]) for p in parts), strict=True):
        part[-2:] = ["-".join(part[-2:])] if alike else part[-2:-1]
    names = [part[-1] for part in parts]
    for depth in range(2, max(map(len, parts)) + 1):
        for number, alike in enumerate(_alike(names)):
            names[number] = "-".join(parts[number][-depth:]) if alike else names[number]
    return _numbered(names)


def _parts(photo):
    """Folders, stem and suffix; an address's folders don't count."""
    path = Path(photo if _is_sample_or_address(photo) else os.path.abspath(photo))
    folders = [] if _is_sample_or_address(photo) else path.parts[1:-1]
    stem = stem_of(photo) if _is_sample_or_address(photo) else plain_name(path.stem)
    return [*map(plain_name, folders), stem, path.suffix[1:] and plain_name(path.suffix[1:])]


def _alike(names):
    """For each name, whether another equals it, as it may to a file system that ignores case."""
    folded = [name.casefold() for name in names]
    return [folded.count(name) > 1 for name in folded]


def _numbered(names):
    """The names, with numbers where some are still alike, such as those of two addresses."""
    taken, result = set(), []
    for name in names:
        candidates = (name if n == 1 else f"{name}-{n}" for n in range(1, len(names) + 1))
        free = next(name for name in candidates if name.casefold() not in taken)
        taken.add(free.casefold())
        result.append(free)
    return result
