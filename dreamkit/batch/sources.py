"""Which pictures a batch works on, and what each result is called."""

import glob
import os
import re
from pathlib import Path

from ..errors import ImageError
from ..images import WRITABLE
from ..sample_pictures import samples

PICTURES = {*WRITABLE, ".gif", ".bmp", ".avif", ".jp2", ".ppm", ".pgm", ".pbm", ".ico"}


def is_one(photos):
    """True for a single picture that is named as such: no folder and no pattern."""
    return len(photos) == 1 and not (_is_folder(photos[0]) or _is_pattern(photos[0]))


def _is_sample_or_address(photo):
    return photo in samples() or photo.lower().startswith(("http://", "https://"))


def _is_folder(photo):
    return not _is_sample_or_address(photo) and os.path.isdir(os.path.expanduser(photo))


def _is_pattern(photo):
    named = _is_sample_or_address(photo) or os.path.exists(os.path.expanduser(photo))
    return not named and bool(re.search(r"[*?\[]", photo))


def expand(photos, out):
    """The pictures behind names, files, folders and patterns, each once, in the order given.

    Args:
        photos: list of str. Of a folder, the pictures directly inside count; `**` in a pattern
            stands for any folders. Both leave out what dreamkit has made in `out`.
        out: the folder that results go to.

    Raises:
        ImageError: a folder or pattern without a picture.

    >>> expand(["chelsea", "coffee", "chelsea"], "outputs")
    ['chelsea', 'coffee']
    """
    found = {}
    for photo in photos:
        for source in _behind(photo, Path(out)):
            same = _is_sample_or_address(source)
            found.setdefault(source if same else os.path.realpath(source), source)
    return list(found.values())


def _behind(photo, out):
    place = os.path.expanduser(photo)
    if _is_folder(photo):
        files = glob.glob(os.path.join(glob.escape(place), "*"))
    elif _is_pattern(photo):
        files = glob.glob(place, recursive=True)
    else:
        return [photo]
    pictures = [file for file in files if Path(file).suffix.lower() in PICTURES]
    found = sorted(p for p in pictures if os.path.isfile(p) and not _made_here(Path(p), out))
    if not found:
        what, mend = ("folder", "path") if _is_folder(photo) else ("pattern", "spelling")
        raise ImageError(
            f"There is no picture to work on in the {what} '{photo}': check its {mend}."
        )
    return found


def _made_here(picture, out):
    """True for an earlier result in the very folder that results go to."""
    here = os.path.realpath(picture.parent) == os.path.realpath(out)
    return here and picture.with_suffix(".json").exists()


def distinct_names(photos):
    """A name of its own for each picture: its stem, and where two are alike, its folders too.

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
    """Folders, stem and suffix; folders count only where they are the user's own."""
    whole = Path(photo if _is_sample_or_address(photo) else os.path.abspath(photo))
    folders = [] if _is_sample_or_address(photo) else whole.parts[1:-1]
    return [part.replace(" ", "_") for part in (*folders, whole.stem, whole.suffix[1:])]


def _alike(names):
    """For each name, whether another is the same to a file system that minds no capitals."""
    folded = [name.casefold() for name in names]
    return [folded.count(name) > 1 for name in folded]


def _numbered(names):
    """Names that are alike even so, such as those of two addresses, with numbers."""
    taken, result = set(), []
    for name in names:
        tries = (name if n == 1 else f"{name}-{n}" for n in range(1, len(names) + 1))
        free = next(name for name in tries if name.casefold() not in taken)
        taken.add(free.casefold())
        result.append(free)
    return result
