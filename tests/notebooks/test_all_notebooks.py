"""Rules for every committed notebook, and a check that wrong saved outputs are detected."""

import os
import re
import subprocess
import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from dreamkit.exercises import EXERCISES
from notebook_tools import FOLDER, ROOT, appendices, cells, lessons, load, notebooks, solutions

MARKER = "# NBVAL_CHECK_OUTPUT"
WIDGET = "application/vnd.jupyter.widget-view+json"
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
EVERY = pytest.mark.parametrize("path", notebooks(), ids=lambda path: path.stem)
EVERY_LESSON = pytest.mark.parametrize("path", lessons(), ids=lambda path: path.stem)


def prose(notebook):
    return "\n".join(cell.source for cell in cells(notebook, "markdown"))


def marked(notebook):
    return [cell for cell in cells(notebook, "code") if MARKER in cell.source]


def exercises(path):
    """Numbers of the exercises that have a heading in a notebook."""
    return re.findall(r"(?m)^#+ Exercise (\d\.\d)", prose(load(path)))


def test_every_lesson_has_its_solutions():
    assert [path.stem + "_solutions" for path in lessons()] == [p.stem for p in solutions()]


@EVERY
def test_it_is_a_valid_notebook_under_a_megabyte_and_a_half(path):
    nbformat.validate(load(path))
    assert path.stat().st_size < 1_500_000


@EVERY
def test_it_was_run_from_top_to_bottom_without_an_error(path):
    code = cells(load(path), "code")
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    kinds = {output.output_type for cell in code for output in cell.outputs}
    assert "error" not in kinds


@EVERY
def test_github_can_render_it_and_colab_gives_it_a_gpu(path):
    metadata = load(path).metadata
    assert "state" in metadata.get("widgets", {"state": {}})
    assert metadata.accelerator == "GPU"
    assert metadata.kernelspec.name == "python3"


@EVERY
def test_outputs_do_not_reveal_the_machine(path):
    for cell in cells(load(path), "code"):
        for output in cell.outputs:
            assert output.get("name") != "stderr", cell.source
            assert WIDGET not in output.get("data", {}), cell.source
            text = str(output.get("text", "")) + str(output.get("data", {}).get("text/plain", ""))
            assert str(ROOT) not in text, cell.source
            assert not re.search(r"(?<![\w:/.<\-])/\w+/[\w.]|[A-Z]:\\", text), cell.source


@EVERY
def test_it_has_one_title(path):
    fenced = re.compile(r"```.*?```", re.DOTALL)
    assert len(re.findall(r"(?m)^# ", fenced.sub("", prose(load(path))))) == 1


@EVERY
def test_every_cell_fits_a_screen(path):
    for cell in cells(load(path), "code"):
        assert cell.source.count("\n") < 25, cell.source


@EVERY
def test_its_markers_are_on_their_own_line_and_have_an_output_to_compare(path):
    for cell in marked(load(path)):
        assert cell.source.startswith(MARKER + "\n"), cell.source
        assert cell.outputs, cell.source


@EVERY
def test_no_compared_output_depends_on_the_machine(path):
    for cell in marked(load(path)):
        assert "plt.show" not in cell.source, cell.source
        assert "examine()" not in cell.source, cell.source


@pytest.mark.parametrize("path", lessons() + appendices(), ids=lambda path: path.stem)
def test_at_least_five_outputs_are_compared(path):
    assert len(marked(load(path))) >= 5


@EVERY
def test_every_figure_is_described_in_words(path):
    notebook = load(path)
    figures = [cell for cell in cells(notebook, "code") if "plt.show()" in cell.source]
    captions = [cell for cell in cells(notebook, "markdown") if "*Figure" in cell.source]
    assert len(captions) >= len(figures)


@EVERY
def test_its_links_into_the_repository_lead_somewhere(path):
    for link in LINK.findall(prose(load(path))):
        if not link.startswith(("http://", "https://", "#", "mailto:")):
            assert (path.parent / link.split("#")[0]).exists(), link


@EVERY_LESSON
def test_it_leads_to_its_solutions_and_to_the_next_lesson(path):
    found = LINK.findall(prose(load(path)))
    assert f"solutions/{path.stem}_solutions.ipynb" in found
    later = lessons()[lessons().index(path) + 1 :]
    assert not later or later[0].name in found


@EVERY_LESSON
def test_every_exercise_has_a_stub_a_check_and_a_solution(path):
    numbers = exercises(path)
    code = "\n".join(cell.source for cell in cells(load(path), "code"))
    solved = "\n".join(
        cell.source for cell in cells(load(f"solutions/{path.stem}_solutions.ipynb"), "code")
    )
    assert 2 <= len(numbers) <= 6
    assert numbers == sorted(set(numbers))
    for number in numbers:
        assert number in EXERCISES
        assert f'check("{number}"' in code
        assert f'check("{number}"' in solved
    assert len(cells(load(path), "code", "exercise")) >= len(numbers)


@EVERY_LESSON
def test_stubs_say_not_yet_and_solutions_right(path):
    def printed(name):
        outputs = [o for cell in cells(load(name), "code") for o in cell.outputs]
        return "\n".join(str(o.get("text") or o.get("data", {}).get("text/plain")) for o in outputs)

    count, solved = len(exercises(path)), f"solutions/{path.stem}_solutions.ipynb"
    assert printed(path).count("Not yet: ") >= count
    assert printed(solved).count("Right, because ") >= count


def test_every_check_belongs_to_an_exercise():
    numbers = {number for path in lessons() for number in exercises(path)}
    assert set(EXERCISES) - {"0.0"} == numbers  # notebook 00 itself defines 0.0


def run_nbval(path):
    """Run notebooks the way `make test` does; returns the exit code and the output."""
    command = [sys.executable, "-m", "pytest", "--override-ini=addopts=", "-p", "no:cacheprovider"]
    flags = ["--nbval-lax", "--nbval-current-env", "--nbval-cell-timeout", "60"]
    sanitize = ["--nbval-sanitize-with", str(ROOT / "tests" / "nbval_sanitize.cfg")]
    done = subprocess.run(
        [*command, *flags, *sanitize, "--rootdir", str(path.parent), str(path)],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        check=False,
    )
    return done.returncode, done.stdout


def small_notebook(saved, marker=MARKER):
    cell = new_code_cell(f"{marker}\nprint(6 * 7)", execution_count=1)
    cell.outputs = [new_output("stream", name="stdout", text=f"{saved}\n")]
    return new_notebook(cells=[new_markdown_cell("# Small"), cell])


def test_a_true_saved_output_passes_and_a_false_one_fails(tmp_path):
    nbformat.write(small_notebook("42"), tmp_path / "true.ipynb")
    nbformat.write(small_notebook("43"), tmp_path / "false.ipynb")
    code, printed = run_nbval(tmp_path)
    assert code == 1, printed
    assert "1 failed, 1 passed" in printed
    assert "mismatch 'stdout'" in printed
    summary = printed.split("short test summary")[1]
    assert "false.ipynb" in summary
    assert "true.ipynb" not in summary


def test_make_test_runs_every_notebook():
    recipe = (ROOT / "Makefile").read_text("utf-8").split("\ntest:")[1].split("\n\n")[0]
    for part in ("DREAMKIT_PROFILE=ci", "--nbval-lax", "--nbval-current-env", FOLDER.name):
        assert part in recipe
