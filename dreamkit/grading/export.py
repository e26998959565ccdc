"""The quiz for Moodle (XML) and Canvas (QTI 1.2)."""

import re
import textwrap
from html import escape
from xml.etree import ElementTree

from ..errors import SettingsError
from ..inputs.files import replacing
from .quiz import feedback, in_order, open_questions, read_quiz

NEEDED = "The export needs two packages: pip install text2qti markdown."
FORMULA = re.compile(r"\$(.+?)\$", re.DOTALL)


# Moodle


def write_moodle(path):
    """Write all questions as Moodle XML, for "Import" in a question bank.

    Choices are graded by Moodle. Open questions are essays: the teacher sees the model answer and
    the points, and gives the marks.
    """
    quiz = ElementTree.Element("quiz")
    category = ElementTree.SubElement(quiz, "question", type="category")
    _text(category, "category", "$course$/dreamkit")
    for number, question in enumerate(read_quiz()["self_test"], 1):
        _moodle_choices(quiz, number, question)
    for question in open_questions():
        _moodle_essay(quiz, question)
    ElementTree.indent(quiz)
    with replacing(path) as part:
        ElementTree.ElementTree(quiz).write(part, "utf-8", xml_declaration=True)


def _moodle_choices(quiz, number, question):
    item = ElementTree.SubElement(quiz, "question", type="multichoice")
    _text(item, "name", f"Notebook {question['notebook']}, question {number}")
    _html(item, "questiontext", question["question"])
    values = {"single": "true", "shuffleanswers": "1", "answernumbering": "abc", "defaultgrade": 1}
    for name, value in values.items():
        ElementTree.SubElement(item, name).text = str(value)
    for choice in question["choices"]:
        fraction = "100" if choice.get("right") else "0"
        answer = ElementTree.SubElement(item, "answer", fraction=fraction, format="html")
        ElementTree.SubElement(answer, "text").text = to_html(choice["text"])
        _html(answer, "feedback", feedback(choice))


def _moodle_essay(quiz, question):
    item = ElementTree.SubElement(quiz, "question", type="essay")
    _text(item, "name", question["title"])
    _html(item, "questiontext", question["question"])
    _html(item, "graderinfo", model_answer(question))
    ElementTree.SubElement(item, "defaultgrade").text = str(len(question["must_contain"]))
    ElementTree.SubElement(item, "responseformat").text = "editor"


def _text(parent, name, text):
    ElementTree.SubElement(ElementTree.SubElement(parent, name), "text").text = text


def _html(parent, name, markdown):
    element = ElementTree.SubElement(parent, name, format="html")
    ElementTree.SubElement(element, "text").text = to_html(markdown)


def to_html(text):
    r"""Markdown as HTML, with formulas as \(…\), which Moodle's MathJax filter draws.

    >>> to_html("Is $a_1 < b$ *right*?")
    '<p>Is \\(a_1 &lt; b\\) <em>right</em>?</p>'
    """
    try:
        from markdown import markdown
    except ImportError:
        raise SettingsError(NEEDED) from None
    formulas = []

    def keep(found):
        formulas.append(rf"\({escape(found[1])}\)")
        return f"FORMULA{len(formulas) - 1}."

    html = markdown(FORMULA.sub(keep, text.strip()), extensions=["fenced_code", "tables"])
    return re.sub(r"FORMULA(\d+)\.", lambda found: formulas[int(found[1])], html)


def model_answer(question):
    """The answer to an open question and the points it must make, as Markdown."""
    points = "\n".join(f"- {point}" for point in question["must_contain"])
    return f"{question['answer'].strip()}\n\nOne mark each:\n\n{points}\n"


# Canvas


def write_canvas(path):
    """Write all questions as a QTI 1.2 package (a ZIP file), for "Import" in Canvas.

    Canvas has no notes for graders, so the model answer is the general feedback, which students see
    once you let them see the correct answers.
    """
    try:
        from text2qti.config import Config
        from text2qti.qti import QTI
        from text2qti.quiz import Quiz
    except ImportError:
        raise SettingsError(NEEDED) from None
    quiz = Quiz(canvas_text(), config=Config(), source_name="data/quiz.yml")
    with replacing(path) as part:
        QTI(quiz).save(part)


def canvas_text():
    """All questions in text2qti's format."""
    parts = ["Quiz title: dreamkit\n"]
    for number, question in enumerate(read_quiz()["self_test"], 1):
        parts.append(f"Title: Notebook {question['notebook']}")
        parts.append(_block(f"{number}.", question["question"]))
        for letter, choice in in_order(number, question["choices"]):
            mark = "*" if choice.get("right") else ""
            parts.append(_block(f"{mark}{letter})", choice["text"]))
            parts.append(_block("...", feedback(choice)))
        parts.append("")
    for number, question in enumerate(open_questions(), len(read_quiz()["self_test"]) + 1):
        parts += [f"Title: {question['title']}", f"Points: {len(question['must_contain'])}"]
        parts.append(_block(f"{number}.", question["question"]))
        parts += [_block("...", model_answer(question)), "____", ""]
    return "\n".join(parts)


def _block(mark, text):
    """Text after its mark, the further lines indented as far as the first."""
    return f"{mark:<4} " + textwrap.indent(text.strip(), " " * 5).lstrip()
