"""`dreamkit` on PyPI is not ours: nothing installs it by mistake or from a guessed address."""

import importlib.metadata
import os
import re
import subprocess
import sys

import pytest

from notebook_tools import FOLDER, ROOT, cells, load, notebooks

sys.path.insert(0, str(FOLDER))
import links

DISTRIBUTION = "neural-style-and-deep-dream"
TEXTS = {".py", ".md", ".toml", ".txt", ".lock", ".yml", ".yaml", ".json", ".ipynb", ".sh", ".cff"}
BY_NAME = re.compile(r"(pip|uv|pipx|conda)\b[^\n`&]*\b(install|add|run)\b[^\n`&]*?[ '\"]dreamkit\b")


def tracked():
    """The project's own text files."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    names = listed.stdout.split("\n") if listed.returncode == 0 else []
    files = [ROOT / name for name in names if name] or list(ROOT.rglob("*.*"))
    named = [file for file in files if file.suffix in TEXTS or file.name == "Makefile"]
    return [file for file in named if file.is_file() and ".venv" not in file.parts]


def test_the_distribution_has_a_name_of_its_own():
    assert importlib.metadata.version(DISTRIBUTION)
    assert f'name = "{DISTRIBUTION}"' in (ROOT / "pyproject.toml").read_text("utf-8")


def test_no_line_installs_a_package_called_dreamkit():
    for file in tracked():
        if file.name == "test_name.py":
            continue
        for line in file.read_text("utf-8").splitlines():
            found = BY_NAME.search(line)
            assert not found or "uninstall" in found[0], f"{file}: {line.strip()[:120]}"


@pytest.mark.parametrize("line", ["pip install dreamkit", "pip install -q 'dreamkit[cluster]'"])
def test_such_a_line_would_be_detected(line):
    assert BY_NAME.search(line)


def test_no_file_installs_from_an_address_that_is_not_set():
    repo = links.repository()
    for file in tracked():
        for address in re.findall(r"git\+https://[\w./-]+", file.read_text("utf-8")):
            assert file.name.startswith(("test_", "links")) or repo in address, file


@pytest.mark.parametrize("path", notebooks(), ids=lambda path: path.stem)
def test_without_an_address_the_set_up_cell_refuses_in_one_sentence(path, tmp_path):
    (setup,) = cells(load(path), "code", "setup")
    head = links.setup_head(None)
    assert links.repository() or setup.source.startswith(head)
    head = head.replace("%pip install --quiet {source}", "raise AssertionError(source)")
    (tmp_path / "dreamkit").mkdir()  # the namesake: it has a dreamkit, and no errors in it
    (tmp_path / "dreamkit" / "__init__.py").write_text("")
    done = subprocess.run(
        [sys.executable, "-c", head], cwd=tmp_path, capture_output=True, text=True,
        env={"PATH": "", "PYTHONPATH": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "DREAMKIT_SOURCE" in done.stderr


@pytest.mark.parametrize("installed", [True, False])
def test_the_namesake_in_the_same_environment_is_reported_in_one_sentence(tmp_path, installed):
    if installed:
        facts = tmp_path / "dreamkit-0.1.0.dist-info"
        facts.mkdir()
        (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: dreamkit\nVersion: 0.1.0\n")
    done = subprocess.run(
        [sys.executable, "-c", "import dreamkit"], cwd=tmp_path, capture_output=True, text=True,
        env={"PATH": "", "PYTHONPATH": os.pathsep.join([str(ROOT), str(tmp_path)])},
    )  # fmt: skip
    assert done.returncode == 0
    assert ("pip uninstall dreamkit" in done.stderr) == installed
