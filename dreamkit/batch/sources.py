"""Which pictures a batch works on, and what each result is called."""

import glob
import hashlib
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
        found.setdefault(_identity(source), source)
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


def names(photo):
    """What the result of a photo may be called: its stem; a name that no other photo has; others.

    None depends on other photos. The others are names that earlier versions gave, which only serve
    to find what was made.

    >>> plain, own, *_ = names("one/cat.jpg")
    >>> plain, own[:-6]
    ('cat', 'one-cat-')
    """
    *folders, stem, suffix = _parts(photo)
    mark = hashlib.sha256(os.fsencode(_identity(photo))).hexdigest()[:6]
    own = "-".join([*folders[-1:], stem, mark])
    ends = [(stem,), (stem, suffix)]
    paths = ["-".join([*folders[n:], *end]) for end in ends for n in range(len(folders) + 1)]
    return [stem, own, *(path for path in paths if path != stem)]


def _parts(photo):
    """Folders, stem and suffix; an address's folders don't count."""
    path = Path(photo if _is_sample_or_address(photo) else os.path.abspath(photo))
    folders = [] if _is_sample_or_address(photo) else path.parts[1:-1]
    stem = stem_of(photo) if _is_sample_or_address(photo) else plain_name(path.stem)
    return [*map(plain_name, folders), stem, plain_name(path.suffix[1:])]


def _identity(photo):
    """The same text for the same photo, however its path is written."""
    return photo if _is_sample_or_address(photo) else os.path.realpath(os.path.expanduser(photo))


def shared(texts):
    """For each text, whether another equals it, as it may to a file system that ignores case."""
    folded = [text.casefold() for text in texts]
    return [folded.count(text) > 1 for text in folded]


def is_source(photo, record):
    """True if a result's record of its photo names this one."""
    try:
        return bool(record["source"]) and _identity(record["source"]) == _identity(photo)
    except ValueError:  # a text that can be no path
        return False
