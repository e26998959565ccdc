"""The checks behind the notebooks' exercises: "not yet", or "right, because …".

The checks of each notebook have a module of their own. A check is a function of the learner's
answer that returns None if the answer is right, or a hint if it's wrong:

    @exercise("1.1", because="an inner product is large where two patterns agree")
    def inner_product(answer):
        return None if answer == 12 else "multiply the numbers pairwise, then add"

Most checks leave the work to `diagnose`, which has a hint for each of the usual mistakes.
"""

import importlib
from dataclasses import dataclass

from .diagnosis import close, diagnose, diagnose_form, diagnose_letters, diagnose_report

__all__ = [
    "EXERCISES",
    "Verdict",
    "check",
    "close",
    "diagnose",
    "diagnose_form",
    "diagnose_letters",
    "diagnose_report",
    "exercise",
]

EXERCISES = {}


@dataclass(frozen=True)
class Verdict:
    """What a check answers: `right`, and in words why, or what to try."""

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
        answer: a number, an array, a function or whatever the exercise asks for; `...` means not
            answered yet.

    Returns:
        A `Verdict`, displayed as "Not yet: …" or "Right, because …".

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


for _number in range(7):  # each module registers its notebook's checks
    importlib.import_module(f"{__name__}.notebook_0{_number}")
