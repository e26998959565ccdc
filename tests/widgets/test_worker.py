"""A run in the background: it pauses, goes on, stops, changes its weights and takes turns."""

import functools
import itertools
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import dreamkit as dk
from dreamkit.errors import ImageError, SettingsError
from dreamkit.runs.steering import Steered, reweight
from dreamkit.widgets.turns import Turn
from dreamkit.widgets.worker import Listener, Worker, sentence

MINUTE = 60
paint = functools.partial(dk.style_transfer, profile="ci", seed=1, octaves=1)
PICTURES = {"content": "chelsea", "style": "mosaic", "size": 64}


class Notes(Listener):
    """Keeps what a run says."""

    def __init__(self):
        self.steps, self.places, self.run, self.problem = [], [], None, None
        self.first, self.stands, self.queued = (threading.Event() for _ in range(3))

    def waiting(self, place):
        self.places.append(place)
        self.queued.set()

    def walking(self, step, walk):
        self.steps.append((time.monotonic(), step.step))
        self.first.set()

    def paused(self, step, walk):
        self.stands.set()

    def ended(self, run, problem):
        self.run, self.problem = run, problem


@pytest.fixture
def notes():
    return Notes()


@pytest.fixture
def worker(notes):
    worker = Worker(notes, interval=0.0)
    yield worker
    worker.stop()
    assert worker.wait(MINUTE)


def start(worker, steps=5, **arguments):
    return worker.start(paint, PICTURES | dict(steps=steps) | arguments)


def test_a_run_in_the_background_gives_the_same_picture_as_in_front(worker, notes):
    start(worker)
    assert worker.wait(MINUTE)
    assert notes.problem is None
    expected = paint(**PICTURES, steps=5, progress=False)
    np.testing.assert_array_equal(notes.run.image, expected.image)
    assert "steered" not in notes.run.settings


def test_a_second_run_cannot_start_over_the_first(worker, notes):
    walk = start(worker, steps=500)
    with pytest.raises(SettingsError, match="stop it first"):
        start(worker)
    assert worker.walk is walk


def test_a_paused_run_stands_still_and_goes_on_to_the_same_picture(worker, notes):
    start(worker)
    worker.pause()
    assert notes.stands.wait(MINUTE)
    before = len(worker.walk.rows)
    time.sleep(0.3)
    assert len(worker.walk.rows) == before
    assert worker.busy
    worker.go_on()
    assert worker.wait(MINUTE)
    expected = paint(**PICTURES, steps=5, progress=False)
    np.testing.assert_array_equal(notes.run.image, expected.image)


def test_a_stopped_run_keeps_its_picture_and_can_be_made_again(worker, notes, tmp_path):
    start(worker, steps=500)
    assert notes.first.wait(MINUTE)
    worker.stop()
    assert worker.wait(MINUTE)
    assert notes.run.stopped == "callback"
    assert 2 <= len(notes.run.history) < 100
    again = dk.rerun(notes.run.save(tmp_path / "a.png"), progress=False)
    np.testing.assert_array_equal(again.image, notes.run.image)


def test_pausing_and_stopping_before_the_first_step_ends_the_run(worker, notes):
    start(worker)
    worker.pause()
    worker.stop()
    assert worker.wait(MINUTE)
    assert notes.run is None or notes.run.stopped


def test_weights_change_in_the_running_walk_and_a_rerun_repeats_it(worker, notes, tmp_path):
    larger = dict(content="astronaut", size=200, steps=8, octaves=2)
    start(worker, **larger)
    worker.change({"style": 1000.0})
    assert worker.wait(MINUTE)
    changes = [event for event in notes.run.settings["steered"] if "style" in event[2]]
    assert [phase for phase, *_ in changes] == ["style 1/2", "style 2/2"]  # again at each size
    plain = paint(**PICTURES | larger, progress=False)
    assert np.abs(plain.image - notes.run.image).mean() > 0.01
    again = dk.rerun(notes.run.save(tmp_path / "a.png"), progress=False)
    np.testing.assert_array_equal(again.image, notes.run.image)
    assert again.settings["steered"] == notes.run.settings["steered"]


def test_an_error_becomes_one_sentence(worker, notes):
    start(worker, content="no_such_picture")
    assert worker.wait(MINUTE)
    assert notes.run is None
    assert "no_such_picture" in notes.problem
    assert "\n" not in notes.problem
    start(worker)  # and the next run can start
    assert worker.wait(MINUTE)
    assert notes.run is not None


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ImageError("Too\nlarge."), "Too large."),
        (MemoryError(), "smaller size"),
        (ZeroDivisionError("by zero\nand more"), "ZeroDivisionError: by zero"),
    ],
)
def test_every_kind_of_error_has_its_sentence(error, words):
    assert words in sentence(error)
    assert "\n" not in sentence(error)


def test_pictures_come_at_most_twice_a_second(notes):
    worker = Worker(notes)
    start(worker, steps=30)
    assert worker.wait(MINUTE)
    times = [when for when, _ in notes.steps]
    assert notes.steps[0][1] == 1  # the first change is shown at once
    assert all(later - earlier > 0.45 for earlier, later in itertools.pairwise(times))


# Changing weights


def scores(network):
    photo = dk.load_image("chelsea", 64)
    return dk.Content(photo, network), dk.Style("mosaic", network), dk.TotalVariation(), photo


@pytest.mark.parametrize("tile", [None, 32])
def test_a_reweighted_score_equals_one_made_with_these_weights(squeezenet, tile):
    from dreamkit.large.memory import fit_to_memory

    content, style, smooth, photo = scores(squeezenet)
    score = fit_to_memory(content + 5 * style + 0.5 * smooth, photo.shape[:2], tile)
    before = score.value_and_gradient(photo).gradient.numpy()
    reweight(score, {"style": 50.0, "total_variation": 0.0, "unknown": 7.0})
    other = fit_to_memory(content + 50 * style + 0 * smooth, photo.shape[:2], tile)
    expected = other.value_and_gradient(photo)
    found = score.value_and_gradient(photo)
    np.testing.assert_array_equal(found.gradient, expected.gradient)
    assert float(found.total) == float(expected.total)
    assert np.abs(before - found.gradient).max() > 0


def test_a_reweighted_balance_equals_one_made_with_it(squeezenet):
    from dreamkit.large.memory import fit_to_memory

    content, style, _, photo = scores(squeezenet)
    made = [
        fit_to_memory(
            dk.Balanced(content + weight * style, dk.Dream(squeezenet), balance, smooth=2),
            photo.shape[:2],
        )
        for weight, balance in ((5, 1.0), (9, 3.0))
    ]
    reweight(made[0], {"style": 9.0, "balance": 3.0})
    found, expected = (score.value_and_gradient(photo).gradient for score in made)
    np.testing.assert_array_equal(found, expected)


def test_changing_weights_leaves_the_callers_objective_alone(squeezenet):
    content, style, _, photo = scores(squeezenet)
    objective = content + 5 * style
    steered = Steered([["descend", 0, {"style": 50.0}]])
    dk.descend(photo, objective, 1, callback=steered, progress=False)
    assert objective.weights == {"content": 1.0, "style": 5.0}


def test_the_best_picture_after_a_change_is_the_best_by_the_new_weights():
    noise = np.random.default_rng(0).random((8, 8, 3), "float32")
    steered = Steered([["descend", 2, {"total_variation": 100.0}]])
    run = dk.descend(noise, dk.TotalVariation(), 6, callback=steered, progress=False)
    after = run.history["total"][3:]
    found = float((100 * dk.TotalVariation())(run.image)[0])
    assert found == pytest.approx(after.min())  # not step 2's, whose total weighs less


# Turns


def test_turns_are_taken_in_order_and_the_places_are_counted(tmp_path):
    turns = [Turn(tmp_path, places=2) for _ in range(4)]
    for turn in turns:
        turn.enter()
    assert [turn.place() for turn in turns] == [0, 0, 1, 2]
    turns[0].leave()
    assert [turn.place() for turn in turns[1:]] == [0, 0, 1]
    for turn in turns[1:]:
        turn.leave()
    assert not list(tmp_path.glob("*.ticket"))


def test_a_process_that_dies_in_the_queue_gives_up_its_place(tmp_path):
    code = (
        "import sys, time; from dreamkit.widgets.turns import Turn;"
        f"turn = Turn({str(tmp_path)!r}); turn.enter(); print('in', flush=True); time.sleep(60)"
    )
    other = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert other.stdout.readline() == "in\n"
    turn = Turn(tmp_path)
    turn.enter()
    assert turn.place() == 1
    other.kill()
    other.wait()
    assert turn.place() == 0
    turn.leave()


def test_a_run_waits_for_its_turn_and_a_paused_one_lets_others_walk(tmp_path):
    ahead, behind = Notes(), Notes()
    first, second = (Worker(notes, Turn(tmp_path), 0.0) for notes in (ahead, behind))
    start(first, steps=500)
    assert ahead.first.wait(MINUTE)
    start(second)
    assert behind.queued.wait(MINUTE)
    assert behind.places == [1]
    assert not second.walk.rows
    first.pause()
    assert second.wait(MINUTE)
    assert behind.run is not None
    first.stop()
    assert first.wait(MINUTE)


def test_stopping_in_the_queue_ends_the_run_without_a_picture(tmp_path, notes):
    other = Turn(tmp_path)
    other.enter()
    worker = Worker(notes, Turn(tmp_path))
    start(worker)
    assert notes.queued.wait(MINUTE)
    worker.stop()
    assert worker.wait(MINUTE)
    assert (notes.run, notes.problem) == (None, None)
    other.leave()
