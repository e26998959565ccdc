"""The quiz: its page, its exports and its arithmetic."""

import re
import zipfile
from html import unescape
from xml.etree import ElementTree

import numpy as np
import pytest
from typer.testing import CliRunner

from dreamkit.commands.cli import app
from dreamkit.exercises import notebook_01
from dreamkit.grading.export import to_html, write_canvas, write_moodle
from dreamkit.grading.quiz import exam_page, feedback, open_questions, read_quiz, self_test_page
from notebook_tools import ROOT

CHOICES = read_quiz()["self_test"]
QTI = "{http://www.imsglobal.org/xsd/ims_qtiasiv1p2}"
IMS = "{http://www.imsglobal.org/xsd/imsccv1p1/imscp_v1p1}"


def test_the_page_is_made_from_the_questions():
    assert (ROOT / "tests" / "quiz.md").read_text("utf-8") == exam_page()


def test_every_choice_question_has_one_right_answer_and_a_reason_for_each():
    for question in CHOICES:
        assert [bool(choice.get("right")) for choice in question["choices"]].count(True) == 1
        assert all(choice["why"] for choice in question["choices"])
    assert {question["notebook"] for question in CHOICES} == set(range(7))


def test_the_right_letter_varies_in_the_self_test():
    page = self_test_page()
    letters = re.findall(r"<summary>(\w)</summary>\s+Right: ", page)
    assert len(letters) == len(CHOICES)
    assert set(letters) == {"a", "b", "c"}


@pytest.fixture(scope="module")
def moodle(tmp_path_factory):
    path = tmp_path_factory.mktemp("moodle") / "quiz.xml"
    write_moodle(path)
    return ElementTree.parse(path).getroot()


def of_type(moodle, name):
    return [question for question in moodle if question.get("type") == name]


def test_moodle_gets_every_open_question_with_its_marks_and_model_answer(moodle):
    essays = of_type(moodle, "essay")
    assert [essay.findtext("name/text") for essay in essays] == [
        q["title"] for q in open_questions()
    ]
    for essay, question in zip(essays, open_questions(), strict=True):
        assert int(essay.findtext("defaultgrade")) == len(question["must_contain"])
        assert essay.findtext("graderinfo/text").count("<li>") == len(question["must_contain"])
        formulas = essay.findtext("questiontext/text").count(r"\(")
        assert 2 * formulas == question["question"].count("$")


def test_moodle_gives_the_points_to_the_right_choice(moodle):
    for item, question in zip(of_type(moodle, "multichoice"), CHOICES, strict=True):
        (right,) = [choice for choice in question["choices"] if choice.get("right")]
        (best,) = [answer for answer in item.iter("answer") if answer.get("fraction") == "100"]
        assert best.findtext("text") == to_html(right["text"])
        assert best.findtext("feedback/text") == to_html(feedback(right))


# What Moodle's importer reads: docs.moodle.org, "Moodle XML format", and its qformat_xml.
MOODLE_FIELDS = {
    "multichoice": {"single", "shuffleanswers", "answernumbering", "answer"},
    "essay": {"graderinfo", "responseformat"},
}
MOODLE_VALUES = {
    "single": {"true", "false"},
    "shuffleanswers": {"0", "1"},
    "answernumbering": {"none", "abc", "ABCD", "123", "iii", "IIII"},
    "responseformat": {"editor", "editorfilepicker", "plain", "monospaced", "noinline"},
}


def test_moodle_finds_the_fields_and_values_that_its_importer_reads(moodle):
    assert moodle.tag == "quiz"
    category, *questions = moodle
    assert category.get("type") == "category"
    assert category.findtext("category/text").startswith("$course$/")
    for question in questions:
        common = {"name", "questiontext", "defaultgrade"}
        assert {child.tag for child in question} == common | MOODLE_FIELDS[question.get("type")]
        assert 0 < len(question.findtext("name/text")) <= 255
        assert float(question.findtext("defaultgrade")) > 0
        for name in MOODLE_VALUES.keys() & {child.tag for child in question}:
            assert question.findtext(name) in MOODLE_VALUES[name]
    names = [question.findtext("name/text") for question in questions]
    assert len(set(names)) == len(names)


def test_every_text_for_moodle_is_whole_html(moodle):
    texts = [element for element in moodle.iter() if element.get("format")]
    assert {element.get("format") for element in texts} == {"html"}
    for element in texts:
        html = element.findtext("text")
        ElementTree.fromstring(f"<div>{html}</div>")  # every tag is closed
        assert "$" not in html
        assert "FORMULA" not in html


@pytest.fixture(scope="module")
def canvas(tmp_path_factory):
    path = tmp_path_factory.mktemp("canvas") / "quiz.zip"
    write_canvas(path)
    with zipfile.ZipFile(path) as package:
        return {name: package.read(name) for name in package.namelist()}


def items_of(canvas):
    largest = max(canvas.values(), key=len)
    return list(ElementTree.fromstring(largest).iter(f"{QTI}item"))


def test_the_manifest_of_the_canvas_package_leads_to_every_file(canvas):
    manifest = ElementTree.fromstring(canvas["imsmanifest.xml"])
    resources = {r.get("identifier"): r for r in manifest.iter(f"{IMS}resource")}
    files = {file.get("href") for file in manifest.iter(f"{IMS}file")}
    assert files == {name for name in canvas if not name.endswith("/")} - {"imsmanifest.xml"}
    (quiz,) = [r for r in resources.values() if r.get("type") == "imsqti_xmlv1p2"]
    assert quiz.find(f"{IMS}dependency").get("identifierref") in resources
    assessment = ElementTree.fromstring(canvas[quiz.find(f"{IMS}file").get("href")])
    assert assessment.tag == f"{QTI}questestinterop"
    assert assessment.find(f"{QTI}assessment").get("ident") == quiz.get("identifier")


def test_canvas_knows_every_type_of_question_and_no_identifier_occurs_twice(canvas):
    idents = []
    for item in items_of(canvas):
        entries = {
            field.findtext(f"{QTI}fieldlabel"): field.findtext(f"{QTI}fieldentry")
            for field in item.iter(f"{QTI}qtimetadatafield")
        }
        choices = item.find(f"{QTI}presentation/{QTI}response_lid") is not None
        kind = "multiple_choice_question" if choices else "essay_question"
        assert entries["question_type"] == kind
        assert float(entries["points_possible"]) > 0
        idents.append(item.get("ident"))
        idents += [x.get("ident") for x in item.iter(f"{QTI}response_label") if choices]
        replies = {x.get("ident") for x in item.iter(f"{QTI}itemfeedback")}
        assert {x.get("linkrefid") for x in item.iter(f"{QTI}displayfeedback")} == replies
    assert len(set(idents)) == len(idents)


def test_canvas_gets_every_question_and_the_right_choices(canvas):
    items = items_of(canvas)
    assert len(items) == len(CHOICES) + len(open_questions())
    for item, question in zip(items, CHOICES, strict=False):
        (right,) = [choice for choice in question["choices"] if choice.get("right")]
        scored = [c for c in item.iter(f"{QTI}respcondition") if c.find(f"{QTI}setvar") is not None]
        chosen = scored[0].findtext(f"{QTI}conditionvar/{QTI}varequal")
        (label,) = [x for x in item.iter(f"{QTI}response_label") if x.get("ident") == chosen]
        first_words = right["text"].split("$")[0].split("`")[0][:20].strip()
        text = unescape(label.findtext(f"{QTI}material/{QTI}mattext")).replace("’", "'")
        assert first_words in text


def test_code_and_formulas_survive_as_html():
    assert to_html("`a < b`: $x_1 * y * z$") == r"<p><code>a &lt; b</code>: \(x_1 * y * z\)</p>"


def test_the_command_writes_what_is_asked_for_and_overwrites_nothing(tmp_path):
    path = tmp_path / "quiz.md"
    assert CliRunner().invoke(app, ["quiz", "--page", str(path)]).exit_code == 0
    again = CliRunner().invoke(app, ["quiz", "--page", str(path)])
    assert "already exists" in str(again.exception)
    assert "Nothing to write" in str(CliRunner().invoke(app, ["quiz"]).exception)


# Model answers that can be computed


def model_answer(title):
    (question,) = [question for question in open_questions() if question["title"] == title]
    return question["answer"]


def test_the_convolution_by_hand():
    picture = np.array([[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 0, 0]])
    windows = np.lib.stride_tricks.sliding_window_view(picture, (2, 2))
    feature_map = np.einsum("ijkl,kl", windows, [[1, -1], [1, -1]])
    pooled = np.lib.stride_tricks.sliding_window_view(feature_map, (2, 2)).max((2, 3))
    assert feature_map.tolist() == [[0, 2, 0], [0, 1, 0]]
    assert pooled.tolist() == [[2, 2]]
    assert "(0, 2, 0) and (0, 1, 0)" in model_answer("By hand: a convolution")
    assert "(2, 2)" in model_answer("By hand: a convolution")


def test_the_receptive_fields():
    layers = [(5, 1), (2, 2), (3, 1), (2, 2), (3, 1)]
    steps = [notebook_01.field_and_stride(layers[:n]) for n in range(1, 6)]
    flat = [notebook_01.field_and_stride([(k, 1) for k, _ in layers[:n]])[0] for n in range(1, 6)]
    answer = model_answer("Compute: receptive fields")
    assert ", ".join(map(str, steps)) in answer
    assert f"{', '.join(map(str, flat[:-1]))}\nand {flat[-1]}" in answer


def test_the_two_pulls():
    down, up = np.array([6.0, 8.0]), np.array([0.0, 500.0])
    ratio = np.linalg.norm(down) / np.linalg.norm(up)
    changes = {}
    for name, d in {"plain": down - up, 1: down - ratio * up, 2: down - 2 * ratio * up,
                    0.5: down - 0.5 * ratio * up}.items():  # fmt: skip
        changes[name] = -down @ d, -up @ d
    answer = model_answer("By hand: two pulls")
    assert ratio == 0.02
    for number in (*changes["plain"], *changes[1], changes[2][0], changes[0.5][1]):
        assert f"{number:+.0f}\\,\\eta".replace("+-", "-") in answer, number
