"""Whatever optimizer, moves, steps and moment to stop: a run ends with a picture and a word."""

import contextlib
import io

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import draws
from dreamkit import SettingsError, TotalVariation, descend
from dreamkit.optimize import LEARNING_RATES

PICTURE = np.random.default_rng(0).random((12, 16, 3), "float32")
MOVES = st.fixed_dictionaries(
    {},
    optional=dict(
        jitter=st.integers(0, 20),
        rotate=st.floats(0, 180),
        zoom=st.floats(0, 1),
        pad=st.integers(0, 8),
        smooth=st.integers(0, 3),
        canvas=st.sampled_from(["pixels", "spectrum", "phase"]),
        keep=st.sampled_from(["best", "last"]),
    ),
)


def check_sentence(message):
    assert message.endswith(".")
    assert "\n" not in message


def check_picture(image):
    assert image.shape == PICTURE.shape
    assert np.isfinite(image).all()
    assert image.min() >= 0
    assert image.max() <= 1


FEW = settings(draws.few, max_examples=60)


@FEW
@given(
    optimizer=st.sampled_from(sorted(LEARNING_RATES)),
    moves=MOVES,
    steps=st.integers(0, 6),
    stop=st.none() | st.integers(0, 6),
    flat=st.booleans(),
)
def test_any_run_ends_with_a_picture_and_a_word_or_is_refused(optimizer, moves, steps, stop, flat):
    image, said = np.full_like(PICTURE, 0.5) if flat else PICTURE, io.StringIO()
    try:
        with contextlib.redirect_stdout(said):
            run = descend(
                *(image, TotalVariation(), steps, optimizer),
                **moves, seed=1, progress=False, callback=lambda step: step.step == stop
            )  # fmt: skip
    except SettingsError as error:
        check_sentence(str(error))
        return
    check_picture(run.image)
    made = list(run.history["step"])
    assert made == list(range(len(made)))
    if stop is not None and stop in made:
        assert run.stopped == "callback"
        assert made[-1] == stop
    else:
        assert run.stopped is None
        assert made[-1] == steps or f"nothing better after {made[-1]} of {steps}" in said.getvalue()
