"""Which notebooks are there, and whose they are."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from ..errors import ImageError, SettingsError

LARGEST = 2**28  # bytes of a student's files
LAYOUTS = (
    "expected FOLDER/STUDENT/NOTEBOOK.ipynb, or FOLDER/STUDENT_NOTEBOOK.ipynb such as"
    " ada_02_gram_matrices.ipynb"
)
# The name of a notebook of the course, and what systems add if a file is handed in again.
COURSE_NAME = re.compile(r"[_\W]*(\d\d_[a-z][a-z_]*)(?:[-_ ]\(?\d+\)?)?$")


@dataclass(frozen=True)
class Submission:
    """A submitted notebook: whose it is, its path, and the student's other files, if any."""

    student: str
    path: Path
    root: Path  # what is copied into the sandbox: the student's folder, or the notebook itself

    @property
    def notebook(self):
        """The notebook's name without the student's, as people read it."""
        found = COURSE_NAME.search(self.path.stem)
        return found[1] if found else self.path.stem

    def files(self):
        """The regular files to copy. No links, which could lead to another student's work."""
        paths = [self.root] if self.root.is_file() else sorted(self.root.rglob("*"))
        return [path for path in paths if path.is_file() and not _through_link(path, self.root)]

    def digest(self):
        """Changes whenever any of the files does."""
        total, found = hashlib.sha256(), 0
        for path in self.files():
            found += path.stat().st_size
            if found > LARGEST:
                raise SettingsError(
                    f"{self.root}: larger than {LARGEST >> 20} MiB; remove what isn't needed."
                )
            total.update(str(path.relative_to(self.root.parent)).encode() + b"\0")
            total.update(hashlib.sha256(path.read_bytes()).digest())
        return total.hexdigest()


def find_submissions(folder):
    """All submitted notebooks in a folder, by student and name.

    Args:
        folder: holds a folder for each student, or notebooks named STUDENT_NOTEBOOK.ipynb, or
            both.

    Raises:
        ImageError: there is no such folder.
        SettingsError: there are no notebooks in it.
    """
    folder = Path(folder).resolve()
    if not folder.is_dir():
        raise ImageError(f"{folder}: there is no such folder.")
    found = []
    for path in folder.rglob("*.ipynb"):
        parts = path.relative_to(folder).parts
        hidden = any(part.startswith((".", "__MACOSX")) for part in parts)
        if hidden or not path.is_file() or _through_link(path, folder):
            continue
        if len(parts) > 1:
            found.append(Submission(parts[0], path, folder / parts[0]))
        else:
            found.append(Submission(_student_in(path.stem), path, path))
    if not found:
        raise SettingsError(f"{folder}: no notebooks in it; {LAYOUTS}.")
    return sorted(found, key=lambda submission: (submission.student, submission.path))


def _student_in(stem):
    student = COURSE_NAME.sub("", stem)
    if not student:
        raise SettingsError(f"{stem}.ipynb: whose is it? We {LAYOUTS}.")
    return student


def _through_link(path, root):
    """True if the path, or a folder between it and the root, is a link."""
    between = [path, *path.parents]
    return any(part.is_symlink() for part in between[: between.index(root) + 1])
