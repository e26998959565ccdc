"""The quiz: open questions for an exam and choices for a self-test, and the pages made of them."""

import textwrap
from functools import cache

from ..inputs.samples import data_folder

LETTERS = "abcdef"
INTRODUCTION = """\
# Test bank: Gram matrices, style transfer, deep dream, a study

For teachers: {count} questions for somebody who has worked through notebooks 00 to 06. Each has a
model answer of one to four sentences, the points an answer must contain (one mark each), and the
section where it is taught. Any wording that makes the points is right. No computer is
needed. `data/quiz.yml` holds the questions, and `python -m dreamkit quiz` makes this page and files
for Moodle and Canvas from it.

{table}

Notation: a layer's features are $F$, with a row for each position and a column for each channel;
$H \\cdot W$ is the number of positions, $C$ of channels. $L$ is a loss, $D$ a dream's score,
$\\eta$ the length of a step."""


@cache
def read_quiz():
    """The quiz as in data/quiz.yml: `open_questions`, in parts, and `self_test`."""
    import yaml

    return yaml.safe_load((data_folder() / "quiz.yml").read_text("utf-8"))


def open_questions():
    """The open questions, in order."""
    return [question for part in read_quiz()["open_questions"] for question in part["questions"]]


def exam_page():
    """The open questions with answers and marks, as Markdown: tests/quiz.md."""
    rows, sections, number = [], [], 0
    for part in read_quiz()["open_questions"]:
        first, marks = number + 1, 0
        sections.append(f"## {part['title']}")
        for question in part["questions"]:
            number += 1
            marks += len(question["must_contain"])
            sections.append(_exam_question(number, question))
        rows.append((part["title"], f"{first}–{number}", marks))
    rows.append(("all", number, sum(marks for *_, marks in rows)))
    table = "| part | questions | marks |\n|---|---|---|\n"
    table += "\n".join(f"| {title} | {numbers} | {marks} |" for title, numbers, marks in rows)
    return "\n\n".join([INTRODUCTION.format(count=number, table=table), *sections]) + "\n"


def _exam_question(number, question):
    points = "\n".join(_wrap(f"- {point}", "  ") for point in question["must_contain"])
    return "\n\n".join(
        [
            f"### {number}. {question['title']}",
            question["question"].strip(),
            f"**Model answer.** {question['answer'].strip()}",
            f"**Must contain.**\n\n{points}",
            f"**Taught in.** {question['taught_in']}",
        ]
    )


def _wrap(text, indent=""):
    return textwrap.fill(
        text, 100, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def self_test_page():
    """The choices, and the open questions with folded answers, as Markdown for the book."""
    parts, notebook = ["## Choose"], None
    for number, question in enumerate(read_quiz()["self_test"], 1):
        if question["notebook"] != notebook:
            notebook = question["notebook"]
            parts.append(f"### Notebook {notebook}")
        parts.append(f"**{number}.** {question['question']}")
        shown = in_order(number, question["choices"])
        parts += [f"- **{letter}** {choice['text']}" for letter, choice in shown]
        parts += ['<div class="choices">', *(_folded(f"choices-{number}", *c) for c in shown)]
        parts += ["</div>"]
    parts.append("## Answer on paper")
    for part in read_quiz()["open_questions"]:
        parts.append(f"### {part['title']}")
        for question in part["questions"]:
            points = "\n".join(f"- {point}" for point in question["must_contain"])
            fold = [f"{question['answer']}\n\n**One point each:**\n\n{points}"]
            parts += [f"#### {question['title']}", question["question"]]
            parts += ["<details><summary>Answer</summary>", *fold, "</details>"]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _folded(group, letter, choice):
    opening = f'<details name="{group}"><summary>{letter}</summary>'
    return f"{opening}\n\n{feedback(choice)}\n\n</details>"


def in_order(number, choices):
    """(letter, choice) pairs, turned so that the right one isn't always the first."""
    turn = number * 2 % len(choices)
    return list(zip(LETTERS, choices[turn:] + choices[:turn], strict=False))


def feedback(choice):
    """What to say to somebody who chose this."""
    return f"{'Right' if choice.get('right') else 'Not yet'}: {choice['why']}"
