"""Write the repository's address, the notebooks' badges and their set-up cells: `make links`.

Owner and repository stand once, in pyproject.toml under [project.urls]. From there this script
writes every place that names them, so that a fork needs one command:

    make links REPO=owner/name
"""

import argparse
import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ADDRESS = re.compile(r'(?m)^Repository = "https://github\.com/([\w.-]+/[\w.-]+?)"$')
BADGE = re.compile(r"\[!\[Open in Colab\]\([^)]*\)\]\([^)]*\)")
PIP = re.compile(r"(?m)^ *(?:# *)?%pip install --quiet \{source\}$")  # also commented by editors
COLAB = "https://colab.research.google.com"


def repository(root=ROOT):
    """The owner/name that pyproject.toml gives."""
    return ADDRESS.search((root / "pyproject.toml").read_text("utf-8")).group(1)


def badge(repo, path):
    """The badge that opens a notebook in Colab; `path` is inside the repository."""
    image = f"{COLAB}/assets/colab-badge.svg"
    return f"[![Open in Colab]({image})]({COLAB}/github/{repo}/blob/main/{path})"


def setup_head(repo):
    """The lines every set-up cell starts with: on Colab they install dreamkit, and only there."""
    return f"""\
import os
import sys

if "google.colab" in sys.modules:  # elsewhere dreamkit is installed already
    source = os.environ.get("DREAMKIT_SOURCE", "git+https://github.com/{repo}")
    %pip install --quiet {{source}}
"""


def with_head(source, repo):
    """A set-up cell's source with its first lines, up to the pip line, written anew."""
    rest = PIP.split(source, maxsplit=1)[-1].lstrip("\n")
    return f"{setup_head(repo)}\n{rest}"


def notebooks(root=ROOT):
    """Every notebook and every solutions notebook, in order."""
    folder = root / "notebooks"
    return sorted(folder.glob("[0-9]*.ipynb")) + sorted(folder.glob("solutions/[0-9]*.ipynb"))


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
    """Write address, badges and set-up cells; gives the paths of the files that changed."""
    changed = []
    pyproject = root / "pyproject.toml"
    if repo:
        text = pyproject.read_text("utf-8")
        new = ADDRESS.sub(f'Repository = "https://github.com/{repo}"', text)
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
    """Read --repo, write, and tell what changed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repo", help="owner/name on GitHub; as it stands when left out")
    repo = parser.parse_args().repo
    if repo and not re.fullmatch(r"[\w.-]+/[\w.-]+", repo):
        parser.error(f"{repo!r} is not owner/name, as in dreamkit/dreamkit")
    changed = write_all(repo)
    for path in changed:
        print(f"wrote {path.relative_to(ROOT)}")
    print(f"{len(changed)} files changed; all name {repository()}")


if __name__ == "__main__":
    main()
