"""Helpers for the tests of the notebooks."""

import ast
from pathlib import Path

import nbformat
import numpy as np

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "notebooks"
PLAYGROUND = FOLDER / "07_playground.ipynb"


def lessons():
    """Paths of the notebooks that teach, in order: all but the playground."""
    return [path for path in numbered() if path != PLAYGROUND]


def numbered():
    """Paths of all numbered notebooks, in order."""
    return sorted(FOLDER.glob("[0-9]*.ipynb"))


def appendices():
    """Paths of the notebooks that go with a lesson and have no exercises."""
    return sorted(FOLDER.glob("appendix_*.ipynb"))


def solutions():
    """Paths of the solutions notebooks, in order."""
    return sorted(FOLDER.glob("solutions/[0-9]*.ipynb"))


def notebooks():
    """Paths of all notebooks: the numbered ones, then appendices, then solutions."""
    return numbered() + appendices() + solutions()


def load(path):
    """A notebook, from its path or from its name inside notebooks/."""
    return nbformat.read(FOLDER / path, as_version=4)


def cells(notebook, kind=None, tag=None):
    """The cells of a notebook, of one type and with one tag if these are given."""
    return [
        cell
        for cell in notebook.cells
        if (kind is None or cell.cell_type == kind)
        and (tag is None or tag in cell.metadata.get("tags", ()))
    ]


def definitions(name):
    """Execute a notebook's cells tagged `definition` and return what they define.

    Args:
        name: inside notebooks/, such as `"02_gram_matrices.ipynb"`.

    Returns:
        The namespace, {name: value}; it starts with the imports of the set-up cell, `np`, `tf`
        and `dk`, and the imports of the definition cells themselves.
    """
    import dreamkit as dk
    from dreamkit.startup import tf

    notebook = load(name)
    namespace = {"np": np, "tf": tf, "dk": dk, "__name__": "notebook"}
    for cell in cells(notebook, "code", "setup"):
        exec(_imports(cell.source), namespace)
    for cell in cells(notebook, "code", "definition"):
        exec(compile(cell.source, f"<{name}>", "exec"), namespace)
    return namespace


def _imports(source):
    """The top-level imports of a set-up cell, without its magics."""
    lines = [line.replace("%pip", "pass  #") for line in source.splitlines()]
    tree = ast.parse("\n".join(lines))
    kept = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    return "\n".join(ast.unparse(node) for node in kept)
