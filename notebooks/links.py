"""Write the repository's address, the notebooks' badges and their set-up cells: `make links`.

Owner and repository are written once, in pyproject.toml under [project.urls]. From there this
script writes every place that names them, so that a fork needs one command:

    make links REPO=owner/name

Until then there is no address: badges open Colab's own page, and a set-up cell that finds no
dreamkit refuses, for whoever owns a guessed address could run code on a reader's machine.
"""

import argparse
import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ADDRESS = re.compile(r'(?m)^Repository = "https://github\.com/([\w.-]+/[\w.-]+?)"$')
URLS = re.compile(r"(?m)^\[project\.urls\].*$")
BADGE = re.compile(r"\[!\[Open in Colab\]\([^)]*\)\]\([^)]*\)")
# The head's last lines; the first of them also as editors comment it.
PIP = re.compile(r"(?m)^ *(?:# *)?%pip install --quiet \{source\}$(?:\n    sys\.modules\.pop.*)?")
COLAB = "https://colab.research.google.com"


def repository(root=ROOT):
    """The owner/name that pyproject.toml gives, None if it gives none."""
    found = ADDRESS.search((root / "pyproject.toml").read_text("utf-8"))
    return found and found.group(1)


def badge(repo, path):
    """The badge that opens a notebook in Colab; `path` is inside the repository."""
    image = f"{COLAB}/assets/colab-badge.svg"
    page = f"/github/{repo}/blob/main/{path}" if repo else ""
    return f"[![Open in Colab]({image})]({COLAB}{page})"


def setup_head(repo):
    """The lines every set-up cell starts with: they install dreamkit where it is missing."""
    address = f"git+https://github.com/{repo}" if repo else ""
    return f"""\
import os
import sys

try:
    from dreamkit.errors import DreamkitError  # is it here, and is it ours?
except ImportError:  # Colab, Kaggle, or a kernel without it
    source = os.environ.get("DREAMKIT_SOURCE", "{address}")
    source or sys.exit("dreamkit is missing: run `make lab`, or set DREAMKIT_SOURCE to its folder.")
    %pip install --quiet {{source}}
    sys.modules.pop("dreamkit", None)  # what the try may have found instead of ours
"""


def with_head(source, repo):
    """A set-up cell's source with its first lines, up to the pip line, rewritten."""
    rest = PIP.split(source, maxsplit=1)[-1].lstrip("\n")
    return f"{setup_head(repo)}\n{rest}"


def notebooks(root=ROOT):
    """Every notebook, appendix and solutions notebook, in order."""
    folder = root / "notebooks"
    names = ("[0-9]*.ipynb", "appendix_*.ipynb", "solutions/[0-9]*.ipynb")
    return [path for name in names for path in sorted(folder.glob(name))]


def is_setup(cell):
    """True for the one cell that is tagged `setup`."""
    return "setup" in cell.get("metadata", {}).get("tags", ())


def rewrite(notebook, repo, path):
    """Bring a notebook (its JSON) up to date; True if something changed."""
    changed = False
    for cell in notebook["cells"]:
        before = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            after = BADGE.sub(lambda _: badge(repo, path), before)
        else:
            after = with_head(before, repo) if is_setup(cell) else before
        if after != before:
            cell["source"], changed = after.splitlines(keepends=True), True
    return changed


def write_all(repo=None, root=ROOT):
    """Write address, badges and set-up cells; returns the paths of the files that changed."""
    changed = []
    pyproject = root / "pyproject.toml"
    if repo:
        text = pyproject.read_text("utf-8")
        line = f'Repository = "https://github.com/{repo}"'
        known = ADDRESS.search(text)
        new = ADDRESS.sub(line, text) if known else URLS.sub(lambda m: f"{m[0]}\n{line}", text)
        changed += _write(pyproject, text, new)
    repo = repository(root)
    readme = root / "README.md"
    text = readme.read_text("utf-8")
    first = "notebooks/00_start_here.ipynb"
    changed += _write(readme, text, BADGE.sub(lambda _: badge(repo, first), text))
    for path in notebooks(root):
        notebook = json.loads(path.read_text("utf-8"))
        if rewrite(notebook, repo, path.relative_to(root).as_posix()):
            text = json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"
            path.write_text(text, encoding="utf-8")
            changed.append(path)
    return changed


def _write(path, old, new):
    if new == old:
        return []
    path.write_text(new, encoding="utf-8")
    return [path]


def main():
    """Read --repo, write, and report what changed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repo", help="owner/name on GitHub; as it stands when left out")
    repo = parser.parse_args().repo
    if repo and not re.fullmatch(r"[\w.-]+/[\w.-]+", repo):
        parser.error(f"{repo!r} is not owner/name")
    changed = write_all(repo)
    for path in changed:
        print(f"wrote {path.relative_to(ROOT)}")
    print(f"{len(changed)} files changed; the repository is {repository() or 'not set'}")


if __name__ == "__main__":
    main()
