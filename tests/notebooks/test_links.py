"""Owner and repository are defined once, in pyproject.toml; badges and set-up cells follow."""

import json
import shutil
import sys

import pytest

from notebook_tools import FOLDER, ROOT, cells, lessons, load, notebooks

sys.path.insert(0, str(FOLDER))
import links

HEAD = links.setup_head(links.repository())
EVERY = pytest.mark.parametrize("path", notebooks(), ids=lambda path: path.stem)


@EVERY
def test_the_badge_opens_its_own_notebook(path):
    inside = path.relative_to(ROOT).as_posix()
    text = "\n".join(cell.source for cell in cells(load(path), "markdown"))
    assert links.BADGE.findall(text) == [links.badge(links.repository(), inside)]


@EVERY
def test_every_set_up_cell_installs_the_same_way(path):
    (setup,) = cells(load(path), "code", "setup")
    assert setup.source.startswith(HEAD)
    assert "import dreamkit as dk" in setup.source  # the import is the proof that it worked


@pytest.mark.parametrize("path", lessons(), ids=lambda path: path.stem)
def test_every_lesson_ends_its_set_up_with_the_style_and_the_profile(path):
    (setup,) = cells(load(path), "code", "setup")
    assert setup.source.endswith("\n\nnotebook_style()\nP = dk.profile()")


def test_the_links_are_up_to_date():
    repo = links.repository()
    for path in notebooks():
        notebook = json.loads(path.read_text("utf-8"))
        assert not links.rewrite(notebook, repo, path.relative_to(ROOT).as_posix()), path.name


def test_a_fork_is_one_command(tmp_path):
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(FOLDER, tmp_path / "notebooks", ignore=shutil.ignore_patterns("outputs"))
    changed = links.write_all("someone/else", tmp_path)
    assert {path.suffix for path in changed} >= {".toml", ".ipynb"}
    assert links.repository(tmp_path) == "someone/else"
    for path in links.notebooks(tmp_path):
        text = path.read_text("utf-8")
        assert "git+https://github.com/someone/else" in text
        assert "colab.research.google.com/github/someone/else" in text
    assert links.write_all("another/home", tmp_path)  # again, replacing the first
    assert links.repository(tmp_path) == "another/home"
    assert not links.write_all(None, tmp_path)


@pytest.mark.parametrize("mark", ["", "# "])
def test_a_commented_pip_line_is_restored(mark):
    source = f"import os\n    {mark}%pip install --quiet {{source}}\n\nimport numpy as np\n"
    assert links.with_head(source, links.repository()) == f"{HEAD}\nimport numpy as np\n"
