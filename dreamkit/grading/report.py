"""The tables for the teacher: every student's verdicts, and what most got wrong."""

import csv
import io
from collections import Counter
from pathlib import Path

from ..exercises import EXERCISES
from ..inputs.files import replacing

MOST_SHOWN = 5  # hints of an exercise
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # starts of cells that a spreadsheet computes


def write_reports(results, out):
    """Write `grades.csv` and `summary.md`, and return their paths."""
    grades, summary = Path(out) / "grades.csv", Path(out) / "summary.md"
    for path, text in ((grades, grades_csv(results)), (summary, summary_markdown(results))):
        with replacing(path) as part:
            part.write_text(text, "utf-8", newline="")
    return grades, summary


def by_student(results):
    """{student: {exercise: Answer}}; of several answers to an exercise the best counts."""
    order = {"right": 2, "wrong": 1, "unanswered": 0}
    students = {}
    for result in results:
        answers = students.setdefault(result.student, {})
        for number, answer in result.answers.items():
            before = answers.get(number)
            if before is None or order[answer.verdict] > order[before.verdict]:
                answers[number] = answer
    return students


def grades_csv(results):
    """A row for each student: a verdict for each exercise, how many are right, and notes.

    An exercise that no submitted notebook of the student has checked is "missing".
    """
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["student", *EXERCISES, "right", "notes"])
    for student, answers in by_student(results).items():
        verdicts = [answers[n].verdict if n in answers else "missing" for n in EXERCISES]
        own = [result for result in results if result.student == student]
        notes = "; ".join(note for result in own for note in _notes(result))
        writer.writerow([_safe(student), *verdicts, verdicts.count("right"), _safe(notes)])
    return file.getvalue()


def _notes(result):
    notes = [result.note] if result.note else []
    if result.failed:
        more = len(result.failed) - 1
        notes.append(result.failed[0] + (f" (and {more} more)" if more else ""))
    return [f"{result.notebook}: {note}" for note in notes]


def _safe(text):
    """Text that comes from a student, harmless in a spreadsheet."""
    return "'" + text if text.startswith(FORMULA) else text


def summary_markdown(results):
    """For each exercise: how many are right, and the commonest hints with answers that got them."""
    students = by_student(results)
    lines = ["# What the class answered", "", f"{len(students)} students.", ""]
    for number in EXERCISES:
        answers = [own[number] for own in students.values() if number in own]
        counts = Counter(answer.verdict for answer in answers)
        lines += [f"## Exercise {number}", ""]
        lines += [
            f"{counts['right']} right, {counts['wrong']} wrong, {counts['unanswered']} unanswered,"
            f" {len(students) - len(answers)} missing",
            "",
        ]
        hints = Counter(answer.words for answer in answers if answer.verdict == "wrong")
        for words, count in hints.most_common(MOST_SHOWN):
            shown = Counter(answer.shown for answer in answers if answer.words == words)
            example = shown.most_common(1)[0][0]
            lines.append(f"- {count} × {_code(words)}, answered {_code(example)}")
        lines += [""] if hints else []
    return "\n".join(lines)


def _code(text):
    """Text that may come from a student, which Markdown must not interpret."""
    return "`" + " ".join(text.replace("`", "'").split()) + "`"
