"""Definitions in notebooks that share a name with the package share its code."""

import ast
import re
from pathlib import Path

import pytest

import dreamkit
from notebook_tools import load, notebooks

PACKAGE = Path(dreamkit.__file__).parent
EARLIER = ("First version", "Second version", "earlier version")


def lesson():
    """{name: syntax tree} of everything that the package's root and its controls define."""
    paths = [*PACKAGE.glob("*.py"), *PACKAGE.glob("controls/*.py")]
    trees = [ast.parse(path.read_text("utf-8")) for path in paths]
    return {name: node for tree in trees for name, node in definitions(tree.body)}


def definitions(statements):
    """(name, node) of functions, classes and tables of formulas."""
    for node in statements:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name, node
        target = node.targets[0] if isinstance(node, ast.Assign) else None
        if isinstance(target, ast.Name) and target.id.endswith("_FORMULAS"):
            yield target.id, node


def code(node):
    """The syntax tree as text, without docstrings."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(inner):
            inner.body = inner.body[1:] or [ast.Pass()]
    return ast.dump(node)


def python(source):
    """A cell's syntax tree, without its magics."""
    lines = source.splitlines()
    return ast.parse(
        "\n".join("pass" if x.lstrip()[:1] in "%!" and x.strip() else x for x in lines)
    )


def homonyms(path):
    """(name, node, cell with the text before it) of definitions that the package has too."""
    text, known = "", lesson()
    for cell in load(path).cells:
        if cell.cell_type == "markdown":
            text = cell.source
            continue
        if "setup" not in cell.metadata.get("tags", ()):
            for name, node in definitions(python(cell.source).body):
                if name in known:
                    yield name, node, f"{text}\n{cell.source}"


@pytest.mark.parametrize("path", notebooks(), ids=lambda path: path.stem)
def test_a_definition_is_the_packages_code_or_is_called_an_earlier_version(path):
    known = lesson()
    for name, node, text in homonyms(path):
        earlier = any(words in text for words in EARLIER)
        assert earlier or code(node) == code(known[name]), name


def test_the_lessons_key_formulas_are_shown():
    shown = {name for path in notebooks() for name, *_ in homonyms(path)}
    assert shown >= {
        "gram_matrix", "CONTENT_FORMULAS", "STYLE_FORMULAS", "normalise", "octave_sizes",
        "through_octaves", "best_match", "Balanced",
    }  # fmt: skip


@pytest.mark.parametrize("path", notebooks(), ids=lambda path: path.stem)
def test_the_text_names_modules_that_exist_and_what_is_in_them(path):
    text = "\n".join(cell.source for cell in load(path).cells if cell.cell_type == "markdown")
    for module in re.findall(r"dreamkit/[\w/]+\.py", text):
        assert (PACKAGE.parent / module).is_file(), module
    for name, module in re.findall(r"`(\w+)`(?: \w+)? in `(dreamkit/[\w/]+\.py)`", text):
        assert re.search(rf"(?m)^(def|class) {name}\b", (PACKAGE.parent / module).read_text()), name
