"""The checks behind the notebooks' exercises: "not yet", or "right, because …".

Each notebook's checks stand in a module of their own. A check is a function of the learner's
answer that returns None if it is right, or else a hint:

    @exercise("1.1", because="an inner product is large where two patterns agree")
    def inner_product(answer):
        return None if answer == 12 else "multiply the numbers pairwise, then add"
"""

from dataclasses import dataclass

import numpy as np

EXERCISES = {}


@dataclass(frozen=True)
class Verdict:
    """What a check says: `right`, and why or what to try."""

    right: bool
    words: str

    def __repr__(self):
        return f"Right, because {self.words}." if self.right else f"Not yet: {self.words}."


def exercise(number, because):
    """Register a check under its number, such as `"1.2"`, and why a right answer is right."""

    def register(function):
        EXERCISES[number] = (function, because)
        return function

    return register


def check(number, answer=...):
    """Check an answer to an exercise; never raises.

    Args:
        number: the exercise's number, such as `"1.2"`.
        answer: a number, an array, a function or whatever the exercise asks for; `...` stands for
            not answered yet.

    Returns:
        A `Verdict` that shows itself as "Not yet: …" or "Right, because …".

    Introduced in notebook 00.

    >>> check("0.1")
    Not yet: replace the three dots with your answer.
    """
    if number not in EXERCISES:
        return Verdict(False, f"there is no exercise {number}; there are {', '.join(EXERCISES)}")
    function, because = EXERCISES[number]
    if answer is ... or answer is None:
        return Verdict(False, "replace the three dots with your answer")
    try:
        hint = function(answer)
    except Exception as error:  # the learner's own code may fail in any way
        return Verdict(False, f"your answer raised {type(error).__name__}: {error}".rstrip("."))
    return Verdict(True, because) if hint is None else Verdict(False, hint.rstrip("."))


def close(answer, expected, tolerance=1e-4):
    """True if an answer has the expected shape and values."""
    answer, expected = np.asarray(answer, float), np.asarray(expected, float)
    return answer.shape == expected.shape and np.allclose(answer, expected, tolerance, tolerance)


# Each module registers its notebook's checks.
from . import (  # noqa: E402
    notebook_00,  # noqa: F401
    notebook_01,  # noqa: F401
    notebook_02,  # noqa: F401
    notebook_03,  # noqa: F401
    notebook_04,  # noqa: F401
    notebook_05,  # noqa: F401
)
