"""What newcomers see first is correct: commands, files, versions, set-up on other machines."""

import json
import re
import shlex
import subprocess
import sys

import pytest
import typer
import yaml

import dreamkit
from dreamkit.commands import cli
from notebook_tools import FOLDER, ROOT

sys.path.insert(0, str(FOLDER))
import links

GUIDES = [
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "benchmarks/README.md",
    "data/styles/README.md",
    "docs/promises.md",
]
FOLDERS = r"docs|dreamkit|notebooks|tests|data|benchmarks|book|binder|\.devcontainer|\.github"
PATH = re.compile(rf"(?<![\w/.-])(?:{FOLDERS})/[\w./*-]*")
EVERY_GUIDE = pytest.mark.parametrize("name", GUIDES)


def read(name):
    return (ROOT / name).read_text("utf-8")


def snippets(text):
    """The code in a Markdown text: lines of code blocks, and what is in backticks."""
    fence = re.compile(r"```\w*\n(.*?)```", re.DOTALL)
    blocks = [line for block in fence.findall(text) for line in block.splitlines()]
    rest = fence.sub("", text)
    indented = re.findall(r"(?m)^ {4}(\S.*)$", rest)
    inline = [" ".join(code.split()) for code in re.findall(r"`([^`]+)`", rest)]
    return [*blocks, *indented, *inline]


def commands_without_make():
    """The README's commands for Linux and macOS, and those for Windows."""
    rows = read("README.md").split("| Linux, macOS | Windows |")[1].split("\n\n")[0]
    return zip(*re.findall(r"(?m)^\| `(.*?)` \| `(.*?)` \|$", rows), strict=True)


def pythons():
    """The oldest and the newest supported Python, such as ["3.10", "3.13"]."""
    bounds = re.search(r'requires-python = ">=3\.(\d+),<3\.(\d+)"', read("pyproject.toml"))
    return [f"3.{bounds[1]}", f"3.{int(bounds[2]) - 1}"]


# Everything the guides name exists


@EVERY_GUIDE
def test_every_link_leads_somewhere(name):
    for link in re.findall(r"\]\(([^)\s]+)\)", read(name)):
        if not link.startswith(("https://", "#")):
            assert ((ROOT / name).parent / link).exists(), link


@EVERY_GUIDE
def test_every_path_in_a_code_snippet_exists(name):
    for path in {path for code in snippets(read(name)) for path in PATH.findall(code)}:
        assert list(ROOT.glob(path.replace("NAME", "*").rstrip("./"))), path


@EVERY_GUIDE
def test_every_test_that_is_named_exists(name):
    for code in snippets(read(name)):
        for file, test in re.findall(r"(\S+\.py)::(\w+)", code):
            assert f"def {test}(" in read(file)


@EVERY_GUIDE
def test_every_make_target_and_variable_exists(name):
    makefile = read("Makefile")
    targets = re.search(r"(?m)^\.PHONY: (.*)", makefile)[1].split()
    variables = re.findall(r"(?m)^(\w+) +\?=", makefile)
    for code in snippets(read(name)):
        if called := re.match(r"(?:\w+=\S+ )*make ([^#]*)", code):
            for word in shlex.split(called[1]):
                variable, given, _ = word.partition("=")
                assert variable in (variables if given else targets), code


@EVERY_GUIDE
def test_every_command_and_option_of_the_package_exists(name):
    commands = typer.main.get_command(cli.app).commands
    for code in snippets(read(name)):
        if called := re.search(r"python -m dreamkit ([^#]*)", code):
            command, *arguments = shlex.split(called[1])
            assert command in commands, code
            known = [commands[command], *getattr(commands[command], "commands", {}).values()]
            options = {option for each in known for p in each.params for option in p.opts}
            assert {word for word in arguments if word.startswith("--")} <= options, code


@pytest.mark.parametrize(
    ("section", "file"),
    [
        ("Add a term", "dreamkit/terms.py"),
        ("Add a network", "dreamkit/networks/architectures.py"),
        ("Add an exercise", "dreamkit/exercises/notebook_02.py"),
    ],
)
def test_a_recipe_to_add_something_is_short_and_uses_the_names_of_the_code(section, file):
    steps = read("CONTRIBUTING.md").split(f"## {section}\n")[1].split("\n## ")[0]
    assert len(re.findall(r"(?m)^\d\. ", steps)) <= 5
    assert file in steps
    code = read(file) + read("tests/notebooks/test_all_notebooks.py")
    for word in re.findall(r"`@?(\w+)[`(]", steps):
        assert re.search(rf"\b{word}\b", code), word


def test_the_readmes_twenty_lines_run(monkeypatch, tmp_path):
    (code,) = re.findall(r"```python\n(.*?)```", read("README.md"), re.DOTALL)
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(code.replace("size=320", "size=64").replace("steps=50", "steps=2"), names)
    assert {path.name for path in (tmp_path / "outputs").iterdir()} >= {"cat.png", "losses.png"}
    (line,) = re.findall(r"`(dk\.rerun\(.*?\))` makes a saved picture again", read("README.md"))
    again = eval(line, names).image
    saved = dreamkit.load_image("outputs/cat.png")
    assert abs(saved - again).max() <= 0.5001 / 255


# Other machines


def test_the_commands_without_make_are_the_same_on_every_system():
    unix, windows = commands_without_make()
    same = [line.replace(".venv\\Scripts\\", ".venv/bin/") for line in windows]
    assert [line.replace("py -m venv", "python3 -m venv") for line in same] == list(unix)


def test_the_workflow_runs_the_readmes_commands_with_the_oldest_and_the_newest_python():
    jobs = yaml.safe_load(read(".github/workflows/test.yml"))["jobs"]
    runs = {name: [s["run"] for s in job["steps"] if "run" in s] for name, job in jobs.items()}
    matrices = {name: job["strategy"]["matrix"] for name, job in jobs.items()}
    _, windows = commands_without_make()
    ending = [line for line in windows if "jupyter lab" not in line]  # JupyterLab never ends
    assert runs == {"make": ["make test"], "without-make": ending}
    assert any(line.startswith("make test ") for line in snippets(read("README.md")))
    assert matrices["make"]["system"] == ["ubuntu-latest", "macos-latest"]
    assert jobs["without-make"]["runs-on"] == "windows-latest"
    assert [matrix["python"] for matrix in matrices.values()] == [pythons(), pythons()]


def test_codespaces_runs_the_readmes_own_set_up():
    unix, _ = commands_without_make()
    container = json.loads(read(".devcontainer/devcontainer.json"))
    assert container["postCreateCommand"] == " && ".join(unix[:3])
    assert "-r requirements.lock" in unix[1]
    assert unix[2].endswith("-m dreamkit weights prepare")
    assert_supported(container["image"].split(":")[-1])


def test_binder_installs_the_same_lock():
    included = read("binder/requirements.txt").strip().removeprefix("-r ")
    assert (ROOT / "binder" / included).resolve() == ROOT / "requirements.lock"
    assert_supported(read("binder/runtime.txt").strip().removeprefix("python-"))


def test_binder_fetches_the_weights_as_the_readme_does():
    unix, _ = commands_without_make()
    first, *lines = read("binder/postBuild").splitlines()
    assert first == "#!/bin/sh"
    assert unix[2].replace(".venv/bin/", "") + " || true" in lines  # or else with SqueezeNet
    listed = subprocess.run(
        ["git", "ls-files", "--stage", "binder/postBuild"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if listed.stdout:
        assert listed.stdout.startswith("100755")  # Binder executes it


def assert_supported(version):
    oldest, given, newest = (
        tuple(map(int, text.split("."))) for text in (pythons()[0], version, pythons()[1])
    )
    assert oldest <= given <= newest


# Citing, changing, reporting


def test_the_citation_names_this_version_and_the_readmes_paper():
    citation = yaml.safe_load(read("CITATION.cff"))
    assert citation["version"] == dreamkit.__version__
    assert [set(author) for author in citation["authors"]] == [{"name"}]
    (paper,) = citation["references"]
    quoted = " ".join(read("README.md").replace("\n> ", " ").split())
    assert f"https://doi.org/{paper['doi']}" in quoted
    assert paper["title"] in quoted
    assert paper["journal"] in quoted


def test_the_changelog_begins_with_this_version():
    assert re.search(r"(?m)^## (\S+)", read("CHANGELOG.md"))[1] == dreamkit.__version__


def test_the_issue_form_asks_for_the_doctors_report():
    form = yaml.safe_load(read(".github/ISSUE_TEMPLATE/bug.yml"))
    (doctor,) = [field for field in form["body"] if field["id"] == "doctor"]
    assert doctor["validations"]["required"]
    for command in ("make doctor", ".venv\\Scripts\\python -m dreamkit doctor"):
        assert command in doctor["attributes"]["description"]


@pytest.mark.parametrize("name", [*GUIDES, "CITATION.cff", ".github/ISSUE_TEMPLATE/bug.yml"])
def test_no_address_is_guessed(name):
    repo = links.repository()
    for owner, repository in re.findall(r"github\.com/([\w.-]+)/([\w.-]+)", read(name)):
        assert f"{owner}/{repository}" == repo
