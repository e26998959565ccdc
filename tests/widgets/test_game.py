"""The game: the network decides what is right, and a page without a browser plays whole games."""

import html
import os
import re

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import dreamkit as dk
from dreamkit.errors import SettingsError
from dreamkit.networks.unrectified import before_relu
from dreamkit.widgets import game
from dreamkit.widgets.explore.figures import read_about
from dreamkit.widgets.game import WITHOUT
from dreamkit.widgets.rounds import (
    COLUMNS,
    KINDS,
    PAIRS,
    cut,
    draw,
    record,
    references,
    rounds,
    verdict,
)

CHANNELS = read_about("game")["channels"]


def words(widget):
    """The text of an HTML widget."""
    return html.unescape(re.sub(r"<[^>]*>", " ", widget.value)).strip()


def wrong(question):
    return "B" if question.answer == "A" else "A"


@pytest.fixture
def table(tmp_path):
    return tmp_path / "class" / "ann.csv"


@pytest.fixture
def page(table):
    return game("spectrum", count=3, seed=1, player="ann", table=table)


# What is right


@pytest.fixture(scope="module")
def inception_v3():
    if not os.environ.get("DREAMKIT_WEIGHTS"):
        pytest.skip("the channels are those of Inception v3, and DREAMKIT_WEIGHTS is not set")
    return dk.load_backbone("inception_v3")


@pytest.mark.parametrize("number", range(4))  # one of each layer
def test_the_network_agrees_with_every_answer_and_with_the_pictures(inception_v3, number):
    found = CHANNELS[number]
    network, layer, channel = before_relu(inception_v3, found["layer"], found["channel"])
    score = dk.Dream(network, layer, channel)

    def response(picture):
        return float(score(picture)[0])

    for entries in (*found["pairs"], found["photos"]):
        strong, weak = (response(cut(*entry[:4])) for entry in entries)
        assert (strong, weak) == pytest.approx([entry[4] for entry in entries], abs=2e-3)
        assert strong > weak
    for canvas in KINDS[:2]:
        liked, disliked = (dk.resize(each, (112, 112)) for each in references(number, canvas))
        assert response(liked) > found["pairs"][0][0][4]  # more than any photo of ours
        assert response(disliked) < found["pairs"][0][1][4]


@pytest.mark.parametrize("canvas", KINDS)
def test_a_round_shows_two_photos_and_the_answer_is_the_one_that_excites_more(canvas):
    for question in rounds(canvas, seed=3):
        assert question.answer == max(question.responses, key=question.responses.get)
        assert question.about["A"] != question.about["B"]
        shown = [*question.references, *question.photos.values()]
        assert len(shown) == 4
        assert all(image.ndim == 3 and 0 <= image.min() < image.max() <= 1 for image in shown)


def test_no_photo_is_in_two_pairs_of_a_channel():
    for found in CHANNELS:
        names = [entry[0] for entries in (*found["pairs"], found["photos"]) for entry in entries]
        assert len(set(names)) == len(names) == 2 * PAIRS + 2


def test_both_sides_are_right_equally_often():
    answers = [question.answer for seed in range(20) for question in rounds(seed=seed)]
    assert stats.binomtest(answers.count("A"), len(answers)).pvalue > 0.01


def test_no_channel_comes_again_before_all_have_come():
    names = [question.channel for question in rounds("pixels", PAIRS * len(CHANNELS), seed=5)]
    for part in np.array_split(names, PAIRS):
        assert len(set(part)) == len(CHANNELS)
    photos = [tuple(q.about.values()) for q in rounds("pixels", PAIRS * len(CHANNELS), seed=5)]
    pairs = {(name, frozenset(pair)) for name, pair in zip(names, photos, strict=True)}
    assert len(pairs) == len(names)


def test_a_mixed_game_shows_a_channel_on_one_canvas_only_and_half_of_them_on_each():
    canvases = {}
    for question in rounds(count=PAIRS * len(CHANNELS), seed=1):
        canvases.setdefault(question.channel, set()).add(question.canvas)
    assert all(len(found) == 1 for found in canvases.values())
    on_pixels = sum(found == {"pixels"} for found in canvases.values())
    assert on_pixels == (len(CHANNELS) + 1) // 2


def test_a_seed_repeats_the_game():
    def names(seed):
        return [(question.channel, question.answer) for question in rounds(seed=seed)]

    assert names(1) == names(1)
    assert names(1) != names(2)


@pytest.mark.parametrize(("canvas", "count"), [("oil", 3), ("pixels", 0), ("pixels", 1000)])
def test_a_game_that_does_not_exist_is_one_sentence(canvas, count):
    with pytest.raises(SettingsError, match=r"choose|give an integer"):
        game(canvas, count)


# The page


def test_a_right_answer_and_a_wrong_one_are_said_counted_and_written_down(page, table):
    first = page.round
    page.buttons[first.answer].click()
    assert words(page.message).startswith(f"Right: channel {first.channel} responds with")
    assert "So far 1 of 1 right" in words(page.message)
    assert page.buttons["A"].disabled
    assert page.buttons["B"].disabled
    page.next_button.click()
    assert words(page.heading) == "Round 2 of 3"
    assert words(page.message) == ""
    second = page.round
    page.name.value = "bob"
    page.buttons[wrong(second)].click()
    assert words(page.message).startswith("Wrong: ")
    assert "1 of 2 right" in words(page.message)
    rows = pd.read_csv(table)
    assert tuple(rows) == COLUMNS
    assert rows["right"].tolist() == [1, 0]
    assert rows["player"].tolist() == ["ann", "bob"]
    assert rows["channel"].tolist() == [first.channel, second.channel]
    assert set(rows["canvas"]) == {"spectrum"}
    assert rows["seconds"].ge(0).all()


def test_a_game_goes_through_all_rounds_and_ends_with_the_score(page):
    for _ in range(3):
        page.buttons[page.round.answer].click()
        if not page.next_button.disabled:
            page.next_button.click()
    assert words(page.message).endswith("That was the last round: 3 of 3 right.")
    assert page.next_button.disabled


def test_the_page_gives_no_hint_before_the_answer(page):
    def everything(widget):
        yield from (str(getattr(widget, name, "")) for name in ("value", "description", "tooltip"))
        for child in getattr(widget, "children", ()):
            yield from everything(child)

    shown = re.sub(r"data:image[^\"]*", "", " ".join(everything(page)))
    hints = {page.round.canvas, page.round.channel, *page.round.about.values()}
    hints |= {f"{value:.2f}" for value in page.round.responses.values()}
    assert not any(hint in shown for hint in hints)


def test_the_pictures_on_the_page_are_those_of_the_round(page):
    for side in "AB":
        assert f'alt="Photo {side}, 160 × 160 px"' in page.photos[side].value

    def pictures():
        return page.photos["A"].value, [box.children[0].value for box in page.references.children]

    before = pictures()
    page.buttons["A"].click()
    page.next_button.click()
    after = pictures()
    assert before[0] != after[0]
    assert not set(before[1]) & set(after[1])


def test_an_answer_that_cannot_be_written_down_still_gets_its_verdict(tmp_path):
    (tmp_path / "file").write_text("in the way")
    page = game("pixels", count=1, table=tmp_path / "file" / "game.csv")
    page.buttons[page.round.answer].click()
    assert words(page.message).startswith("Right: ")
    assert "This answer is not in" in words(page.message)


def test_without_a_table_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    page = game(count=1, table=None)
    page.buttons["A"].click()
    assert not list(tmp_path.iterdir())


# By code


def test_without_widgets_a_sentence_says_how_to_play_by_code(page, monkeypatch, capsys):
    assert repr(page) == WITHOUT
    assert len(WITHOUT) < 110  # ipywidgets cuts the rest
    monkeypatch.setitem(__import__("sys").modules, "ipywidgets", None)
    assert game() is None
    assert "pip install ipywidgets" in capsys.readouterr().out


def test_a_round_can_be_drawn_and_answered_by_code(table):
    question = rounds("pixels", count=1, seed=4)[0]
    titles = [axes.get_title() for axes in draw(question).axes]
    assert titles == ["excites it", "silences it", "photo A", "photo B"]
    assert record(question, question.answer, "ann", table).startswith("Right")
    assert record(question, wrong(question), "ann", table) == verdict(question, wrong(question))
    assert pd.read_csv(table)["right"].tolist() == [1, 0]
    with pytest.raises(SettingsError, match="'A' or 'B'"):
        record(question, "C", "ann", table)


def test_the_pictures_are_small():
    from dreamkit.widgets.explore.figures import FOLDER

    files = list((FOLDER / "data").glob("game*"))
    assert len(files) == 5
    assert sum(file.stat().st_size for file in files) < 400_000
    for canvas in ("pixels", "spectrum"):
        assert read_about(f"game_{canvas}")["licence"] == "CC0"
    assert np.shape(references(0, "pixels")) == (2, 96, 96, 3)
