"""Which mistake a wrong answer shows: one function and one table format for all exercises.

A table of mistakes is a dict {hint: the wrong result that this mistake leads to}.
"""

import copy

import numpy as np

UNFILLED = "replace the three dots inside your function, and return a result"
CHANGED = "your function changes the array it is given: make a new array, without += or out="
BY_HAND = "the values differ: try your function on numbers that you can check by hand"


def close(answer, expected, tolerance=1e-4):
    """True if an answer has the expected shape and values."""
    answer, expected = np.asarray(answer, float), np.asarray(expected, float)
    return answer.shape == expected.shape and np.allclose(answer, expected, tolerance, tolerance)


def diagnose(
    answer, right, mistakes, advice=BY_HAND, *, arguments=None, inspect=None, tolerance=1e-4
):
    """Find the hint for a wrong answer.

    Args:
        answer: the learner's: a value, or a function if there are `arguments`.
        right: the right value or result: numbers, text, a set, or a dict of these.
        mistakes: {hint: wrong result}; the first one that matches counts.
        advice: the hint if no known mistake matches.
        arguments: what to call the function with; it gets copies.
        inspect: a function of the result that returns a hint for a fault that no table can list,
            such as a missing key, or else None.
        tolerance: how far numbers may be off, relative and absolute.

    Returns:
        A hint, or None if the answer is right.

    >>> diagnose(6, 8, {"that is the area: take the border": 4}, "add the four sides")
    'add the four sides'
    """
    if arguments is None:
        result = answer
    elif not callable(answer):
        return "give the function itself: its name, without parentheses"
    else:
        given = copy.deepcopy(arguments)
        result = answer(*given)
        if is_unfilled(result):
            return UNFILLED
        if not all(same(after, before, 0) for after, before in zip(given, arguments, strict=True)):
            return CHANGED
    if inspect and (hint := inspect(result)):
        return hint
    if same(result, right, tolerance):
        return None
    for hint, wrong in mistakes.items():
        if same(result, wrong, tolerance):
            return hint
    if np.issubdtype(np.asarray(right).dtype, np.number) and np.shape(result) != np.shape(right):
        return f"expected {size_of(right)}, but got {size_of(result)}"
    return advice


def diagnose_letters(answer, right, reasons):
    """Find the hint for a choice of letters.

    Args:
        answer: the learner's letters, in any form: `"abd"`, `"A, b, d"` or a list.
        right: the letters that belong to the answer, such as `"abd"`.
        reasons: {letter: why it belongs or doesn't}, for every letter on offer.

    Returns:
        A hint, or None if the answer is right.

    >>> diagnose_letters("b", "a", {"a": "one is odd", "b": "two is even"})
    'not b: two is even'
    """
    chosen = set("".join(answer).lower()) - set(" ,;")
    if strange := chosen - set(reasons):
        return f"{min(strange)!r} is not one of the letters {', '.join(reasons)}"
    if not chosen:
        return "give one letter or more in a string, such as 'ac'"
    if wrong := chosen - set(right):
        return f"not {min(wrong)}: {reasons[min(wrong)]}"
    if missing := set(right) - chosen:
        return f"there are more. Look at {min(missing)}: {reasons[min(missing)]}"
    return None


def diagnose_form(answer, keys, what="a value"):
    """Find the hint for an answer that should be a dictionary and isn't filled in yet.

    Args:
        answer: the learner's.
        keys: the keys it must have, as text.
        what: what each key should get, such as `"a letter"`.

    Returns:
        A hint, or None if every key has something.

    >>> diagnose_form({"a": ..., "b": 1}, "ab", "a number")
    'choose a number for a'
    """
    if not isinstance(answer, dict) or {str(key) for key in answer} != set(keys):
        return f"give a dictionary with the keys {', '.join(map(repr, keys))}"
    unfilled = [str(key) for key, value in answer.items() if value in (..., None, "")]
    return f"choose {what} for {', '.join(unfilled)}" if unfilled else None


def diagnose_report(answer, texts, others):
    """Find the hint for the report of an open task that isn't complete.

    Args:
        answer: the learner's dictionary.
        texts: {part in words: the hint if it is empty}.
        others: names of the parts that are numbers or a verdict.

    Returns:
        A hint, or None if every part is there and every text has words.

    >>> diagnose_report({"name": "…"}, {"name": "give it a name"}, ["verdict"])
    "your report has no 'verdict'"
    >>> diagnose_report({"name": "…", "verdict": "holds"}, {"name": "give it a name"}, ["verdict"])
    'give it a name'
    """
    if missing := {*texts, *others} - set(answer):
        return f"your report has no {min(missing)!r}"
    return next((hint for part, hint in texts.items() if not str(answer[part]).strip(" .…")), None)


def same(result, right, tolerance):
    """True if two results agree: numbers up to a tolerance, anything else exactly."""
    if isinstance(right, dict):
        alike = isinstance(result, dict) and result.keys() == right.keys()
        return alike and all(same(result[key], right[key], tolerance) for key in right)
    if isinstance(right, set):
        return set(result) == right
    try:
        return close(result, right, tolerance)
    except (TypeError, ValueError):  # not numbers
        return np.array_equal(result, right)


def is_unfilled(result):
    """True if there are still dots where a result, or a part of it, should be."""
    parts = result.values() if isinstance(result, dict) else result
    nested = isinstance(result, dict | list | tuple) and any(map(is_unfilled, parts))
    return nested or result is None or result is ...


def size_of(result):
    """A result's shape in words."""
    return f"an array of shape {np.shape(result)}" if np.shape(result) else "one number"
