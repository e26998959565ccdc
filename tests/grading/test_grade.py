"""Submissions are graded by their answers alone, whatever else they do."""

import csv
import io
import json
import textwrap

import nbformat
import pytest
from typer.testing import CliRunner

from dreamkit.commands.cli import app
from dreamkit.errors import DreamkitError
from dreamkit.grading.grade import Limits, grade_folder
from dreamkit.grading.report import by_student, grades_csv, summary_markdown
from dreamkit.grading.submissions import find_submissions

RIGHT = 64 * 96 * 3
START = "import numpy as np\nfrom dreamkit.exercises import check"
CLIMB = """
def climb(picture, gradient, rate):
    return np.clip(picture + rate * gradient, 0, 1)
check("0.2", climb)
"""
CLASS = {
    "ada": [f"check('0.1', {RIGHT})", CLIMB],
    "bob": ["check('0.1', 64 * 96)", CLIMB.replace("+ rate", "- rate")],
    "cleo": ["check('0.1', ...)", CLIMB.replace("np.clip(picture + rate * gradient, 0, 1)", "...")],
    "dan": ["1 / 0", "while True: pass", f"check('0.1', {RIGHT})"],
    "fay": ["hoard = np.ones(2**40)", f"check('0.1', {RIGHT})"],
    "gus": [
        """
        import dreamkit.exercises as e
        from dreamkit.exercises import diagnosis
        e.Verdict.right = True
        diagnosis.same = lambda *_: True
        e.EXERCISES["0.1"] = (lambda answer: None, "I say so")
        check("0.1", 1)
        def check(*_): return e.Verdict(True, "I say so")
        check("0.2", 1)
        print("Right, because I say so.")
        """
    ],
    "hal": [f"check('0.1', {RIGHT})", "import os; os._exit(0)", CLIMB],
    "ivy": [
        """
        import socket
        try:
            socket.create_connection(("1.1.1.1", 53), timeout=3)
            found = "network"
        except OSError as error:
            found = type(error).__name__
        interfaces = [name for _, name in socket.if_nameindex()]
        check("0.1", found + " " + " ".join(interfaces))
        """
    ],
    "joe": [
        """
        from pathlib import Path
        seen = [p.name for f in FOLDERS for p in Path(f).rglob("*")]
        for f in FOLDERS:
            try:
                (Path(f) / "grades.csv").write_text("joe,right")
                seen.append("written")
            except OSError:
                pass
        scratch = Path.cwd().parent
        others = [p for p in scratch.parent.iterdir() if p != scratch]
        check("0.1", "seen: " + " ".join(seen) + f"{len(others)}")
        """
    ],
    "kim": [
        """
        class Yes:
            def __eq__(self, other): return True
            def __array__(self, *_, **__): raise RuntimeError
            __hash__ = None
        check("0.1", Yes())
        check("0.2", lambda *arguments: Yes())
        """
    ],
    "leo": ["for n in range(30_000): check('0.1', n)"],
    "mia": [
        """
        def climb(picture, gradient, rate):
            picture += rate * gradient
            return np.clip(picture, 0, 1)
        check("0.2", climb)
        """,
        "def climb(picture, gradient, rate):\n    raise KeyError('oh')\ncheck('0.1', climb)",
    ],
    "nils": ["import os\nfor fd in range(3, 30):\n    try: os.write(fd, b'{\"result\": 1}\\n')\n"
            "    except OSError: pass", f"check('0.1', {RIGHT})"],
}  # fmt: skip
LIMITS = Limits(seconds=60, cell_seconds=5, memory=2**32)


def write_notebook(path, sources):
    path.parent.mkdir(parents=True, exist_ok=True)
    cells = [nbformat.v4.new_code_cell(textwrap.dedent(source)) for source in sources]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """The class's results, its folder, the results' folder and the lines announced."""
    folder, out = (tmp_path_factory.mktemp(name) for name in ("class", "grades"))
    start = f"{START}\nFOLDERS = [{str(folder)!r}, {str(out)!r}]"
    for student, cells in CLASS.items():
        path = folder / student / "00_start_here.ipynb"
        write_notebook(path, [start, *cells])
    (folder / "oz").mkdir()
    (folder / "oz" / "00_start_here.ipynb").write_text("no notebook")
    announced = []
    results = grade_folder(folder, out, LIMITS, 2, announced.append)
    return results, folder, out, announced


def verdicts(graded, student):
    answers = by_student(graded[0])[student]
    return {number: answer.verdict for number, answer in answers.items()}


def words(graded, student, number):
    return by_student(graded[0])[student][number].words


def note(graded, student):
    (found,) = [result.note for result in graded[0] if result.student == student]
    return found


def isolated(graded):
    return not graded[3][0].startswith("WARNING")


def test_right_and_wrong_answers_get_their_verdicts(graded):
    assert verdicts(graded, "ada") == {"0.1": "right", "0.2": "right"}
    assert verdicts(graded, "bob") == {"0.1": "wrong", "0.2": "wrong"}
    assert "number of pixels" in words(graded, "bob", "0.1")
    assert "downhill" in words(graded, "bob", "0.2")


def test_dots_are_unanswered(graded):
    assert verdicts(graded, "cleo") == {"0.1": "unanswered", "0.2": "unanswered"}


def test_after_an_error_and_an_endless_loop_the_notebook_goes_on(graded):
    assert verdicts(graded, "dan") == {"0.1": "right"}
    (dan,) = [result for result in graded[0] if result.student == "dan"]
    assert dan.failed == ["cell 1: ZeroDivisionError: division by zero",
                          "cell 2: TimeoutError: took longer than 5 s"]  # fmt: skip


def test_a_notebook_that_defies_the_alarm_is_ended(tmp_path):
    deaf = "import signal; signal.signal(signal.SIGALRM, signal.SIG_IGN)\nwhile True: pass"
    write_notebook(tmp_path / "in" / "eve_00_start_here.ipynb", [deaf])
    limits = Limits(seconds=4, cell_seconds=1)
    (eve,) = grade_folder(tmp_path / "in", tmp_path / "out", limits, announce=lambda _: None)
    assert eve.note == "took longer than 4 s"
    assert "took longer than 4 s" in grades_csv([eve])


def test_hoarding_memory_fails_one_cell(graded):
    assert verdicts(graded, "fay") == {"0.1": "right"}
    (fay,) = [result for result in graded[0] if result.student == "fay"]
    assert "MemoryError" in fay.failed[0]


def test_nothing_is_gained_by_redefining_the_check(graded):
    assert verdicts(graded, "gus") == {"0.1": "wrong"}


def test_a_crash_keeps_what_was_answered_before(graded):
    assert verdicts(graded, "hal") == {"0.1": "right"}
    assert note(graded, "hal").startswith("ended before its last cell")


def test_there_is_no_network(graded):
    if not isolated(graded):
        pytest.skip("this system has no sandbox")
    shown = by_student(graded[0])["ivy"]["0.1"].shown
    assert "network" not in shown
    assert "eth" not in shown


def test_other_submissions_and_the_results_are_out_of_sight(graded):
    if not isolated(graded):
        pytest.skip("this system has no sandbox")
    assert by_student(graded[0])["joe"]["0.1"].shown == "'seen: 0'"
    assert not (graded[2] / "grades.csv").exists()


def test_an_object_that_equals_everything_is_wrong(graded):
    assert verdicts(graded, "kim") == {"0.1": "wrong", "0.2": "wrong"}


def test_guessing_in_a_loop_stops_counting(graded):
    assert verdicts(graded, "leo") == {"0.1": "wrong"}
    assert by_student(graded[0])["leo"]["0.1"].tries > 100


def test_a_function_that_changes_its_argument_is_reported(graded):
    assert "changes the array" in words(graded, "mia", "0.2")


def test_noise_on_the_pipe_gains_nothing(graded):
    assert verdicts(graded, "nils").get("0.1") in (None, "right")
    assert note(graded, "nils").startswith("stopped: ConversationError")


def test_a_broken_file_is_noted_and_the_rest_is_graded(graded):
    assert note(graded, "oz").startswith("ended before")
    assert len(graded[0]) == len(CLASS) + 1


def test_the_table_has_a_row_for_each_student_and_a_column_for_each_exercise(graded):
    rows = {row["student"]: row for row in csv.DictReader(io.StringIO(grades_csv(graded[0])))}
    assert rows["ada"]["right"] == "2"
    assert rows["ada"]["3.1"] == "missing"
    assert rows["bob"]["0.2"] == "wrong"
    assert "ZeroDivisionError" in rows["dan"]["notes"]
    assert set(rows) == {*CLASS, "oz"}


def test_the_summary_names_the_commonest_hint_and_an_answer(graded):
    summary = summary_markdown(graded[0])
    assert "1 × `that is the number of pixels: each has a red, a green and a blue value`" in summary
    assert "answered `6144`" in summary


def test_graded_notebooks_are_skipped_until_they_change(graded):
    results, folder, out, _ = graded
    write_notebook(folder / "bob" / "00_start_here.ipynb", [START, f"check('0.1', {RIGHT})"])
    announced = []
    again = grade_folder(folder, out, LIMITS, 1, announced.append)
    assert sum("graded before" in line for line in announced) == len(results) - 1
    assert by_student(again)["bob"]["0.1"].verdict == "right"
    assert by_student(again)["ada"] == by_student(results)["ada"]


def test_functions_of_functions_and_of_tables_are_checked_too(tmp_path):
    sources = [
        START,
        """
        def jittered(x, shift, slope):
            rolled = slope(np.roll(x, shift, axis=(0, 1)))
            return np.roll(rolled, (-shift[0], -shift[1]), axis=(0, 1))
        check("4.2", jittered)
        """,
        "check('5.3', (0.8, 1.25))",
        "check('5.5', dict(sentence='so', first=[2, 3, 4], second=[1, 1, 1], verdict='holds'))",
        """
        def bears_out(table, measure):
            t = table[(table.measure == measure) & (table.p_corrected < 0.05)]
            up = t[(t.recipe == "style") & (t.effect > 0)].kind
            return set(up) & set(t[(t.recipe == "dream") & (t.effect < 0)].kind)
        check("6.4", bears_out)
        """,
        """
        def step(picture, gradient, rate):
            return np.clip(picture - rate * gradient, 0, 1)
        check("3.2", step)
        """,
        "check('3.1', {'relative': 0.64, 'gatys': 32, 'tutorial': 8})",
        "check('3.4', {'style': 'b', 'content': 'd', 'total variation': 'a', 'all three': 'c'})",
    ]
    write_notebook(tmp_path / "in" / "pia_99_all.ipynb", sources)
    (result,) = grade_folder(tmp_path / "in", tmp_path / "out", LIMITS, announce=lambda _: None)
    assert (result.note, result.failed) == ("", [])
    assert [answer.words for answer in result.answers.values() if answer.verdict != "right"] == []
    assert len(result.answers) == 7


# Whose is it?


def test_both_layouts_are_read_and_links_are_not_followed(tmp_path):
    write_notebook(tmp_path / "ada" / "work" / "02_gram_matrices.ipynb", [])
    write_notebook(tmp_path / "bob-lee_02_gram_matrices (1).ipynb", [])
    write_notebook(tmp_path / "ada" / ".ipynb_checkpoints" / "02_gram_matrices.ipynb", [])
    (tmp_path / "eve").symlink_to(tmp_path / "ada")
    found = find_submissions(tmp_path)
    assert [(s.student, s.notebook) for s in found] == [
        ("ada", "02_gram_matrices"),
        ("bob-lee", "02_gram_matrices"),
    ]


def test_a_folder_without_notebooks_says_what_is_expected(tmp_path):
    with pytest.raises(DreamkitError, match=r"no notebooks in it; expected FOLDER/STUDENT/"):
        find_submissions(tmp_path)


def test_a_name_that_is_a_formula_is_harmless_in_a_spreadsheet(tmp_path):
    write_notebook(tmp_path / "in" / "=1+1" / "a.ipynb", [])
    results = grade_folder(tmp_path / "in", tmp_path / "out", LIMITS, announce=lambda _: None)
    assert "\n'=1+1," in grades_csv(results)


def test_the_command_writes_both_reports_and_exits_1_if_a_notebook_did_not_finish(tmp_path):
    write_notebook(tmp_path / "in" / "ada_00_start_here.ipynb", [START, "import os; os._exit(1)"])
    out = tmp_path / "out"
    done = CliRunner().invoke(app, ["grade", str(tmp_path / "in"), "--out", str(out)])
    assert done.exit_code == 1
    assert (out / "grades.csv").read_text("utf-8").startswith("student,0.1,0.2,")
    assert (out / "summary.md").exists()
    assert json.loads((out / "grades.json").read_text("utf-8"))["results"]
