"""Checks of notebook 04_deep_dream."""

import numpy as np

from ..exercises import diagnose, diagnose_form, diagnose_report, exercise
from ..images import resize


@exercise(
    "4.1",
    because="a mean over four times as many places gives each pixel a quarter of the gradient;"
    " only a normalised step keeps its length",
)
def lengths_of_steps(answer):
    """(raw step, normalised step, raw rate that repairs it) in a picture twice as wide and high."""
    raw, unit, rate = answer
    advice = "the score is a mean over all places: count how many more of them there are"
    mistakes = {
        "the first number: twice as wide and twice as high is four times as many pixels": 0.005,
        "the first number: a raw step follows the gradient, which gets smaller": 0.01,
        "the first number: each pixel has less of a say now, not more": 0.04,
        "the first number: a quarter, not a sixteenth": 0.01 / 16,
    }
    if hint := diagnose(raw, 0.0025, mistakes, f"the first number: {advice}"):
        return hint
    mistakes = {
        "the second number: dividing by the standard deviation takes the quarter out again": 0.0025,
        "the second number: the gradient was divided by its own standard deviation": 0.01 / 4e-4,
    }
    advice = "the second number: work out the standard deviation of 0.01 · g / std(g)"
    if hint := diagnose(unit, 0.01, mistakes, advice):
        return hint
    mistakes = {
        "the third number: a smaller gradient needs a larger rate": 25 / 4,
        "the third number: that was the rate for the small picture": 25,
        "the third number: four times as many pixels, not twice": 50,
    }
    return diagnose(rate, 100, mistakes, "the third number: rate × gradient should be 0.01 again")


@exercise(
    "4.2", because="the grid falls on different pixels each time, while the picture stays in place"
)
def jittered_gradient(answer):
    """(picture, shift, gradient function) → roll, take the gradient, roll back."""
    rng = np.random.default_rng(32)
    advice = (
        "it takes three lines: roll the picture, take the gradient there, roll that by -shift;"
        " roll along axis=(0, 1), not along the colours"
    )
    for shift in ((2, -3), (-1, 4)):
        picture, grid = rng.random((2, 8, 9, 3))

        def gradient(x, grid=grid):
            return grid * x

        def roll(x, sign=1, shift=shift):
            return np.roll(x, sign * np.array(shift), axis=(0, 1))

        plain, rolled = gradient(picture), gradient(roll(picture))
        backwards = roll(gradient(roll(picture, -1)))
        mistakes = {
            "the picture is never rolled: roll it before you take the gradient": plain,
            "this is the gradient of the rolled picture: roll it back by -shift": rolled,
            "still the bug: it rolls the same way twice; the opposite shift undoes a shift": (
                roll(rolled)
            ),
            "you roll by -t, then by t: the formula does it the other way round": backwards,
            "you roll only the gradient: first roll the picture too": roll(plain, -1),
            "you roll only the gradient: roll the picture, then the gradient back": roll(plain),
            "that is the rolled picture: take the gradient there": roll(picture),
        }
        arguments = picture, shift, gradient
        if hint := diagnose(answer, roll(rolled, -1), mistakes, advice, arguments=arguments):
            return hint
    return None


@exercise(
    "4.3",
    because="five times smaller by 1.4 is 5.4 times smaller: 119 px is the first width below 159,"
    " and the photo's own size is an octave too",
)
def octaves_for_a_window(answer):
    """(how many octaves, the width of the smallest) until one feature sees the whole picture."""
    octaves, width = answer
    mistakes = {
        "the first number: 640 px is an octave too, and after four divisions 167 px are left": 5,
        "the first number: the scale is 1.4 here, not 2": 4,
        "the first number: one division less would do": 7,
    }
    if hint := diagnose(octaves, 6, mistakes, "the first number: divide 640 by 1.4 until it fits"):
        return hint
    width_of = {n: 640 / 1.4**n for n in (4, 6)}
    mistakes = {
        "the second number: that is one division too few": width_of[4],
        "the second number: that is one division too many: six octaves, five divisions": (
            width_of[6]
        ),
        "the second number: that is the window: give the width of the picture": 159,
    }
    advice = "the second number: 640 px, divided by 1.4 five times"
    return diagnose(width, 640 / 1.4**5, mistakes, advice, tolerance=6e-3)


@exercise(
    "4.4",
    because="the dream is enlarged, and the detail that the small photo can't hold is added back",
)
def next_start(answer):
    """(dreamed, smaller, base) → clip(↑dreamed + base − ↑smaller)."""
    rng = np.random.default_rng(34)
    base = rng.uniform(0.3, 0.7, (18, 24, 3)).astype("float32")
    smaller = resize(base, (9, 12))
    dreamed = np.clip(smaller + rng.normal(0, 0.05, smaller.shape), 0, 1).astype("float32")
    up, detail = resize(dreamed, (18, 24)), base - resize(smaller, (18, 24))
    mistakes = {
        "the dream is enlarged, but the lost detail is missing": up,
        "that is only the lost detail: add the enlarged dream": detail,
        "the sign is wrong: add what the small photo lacks": up - detail,
        "still the bug: this is the photo, and what was dreamt is gone. The lost detail is what the"
        " small photo lacks": base,
        "you add the whole photo: add only what the smaller one lacks": up + base,
        "you add the whole photo: add only its lost detail": np.clip(up + base, 0, 1),
        "a mean of the two mixes dream and photo: follow the formula": (up + base) / 2,
    }
    advice = "the lost detail is what the photo has and the smaller photo, enlarged, has not"
    arguments = dreamed, smaller, base
    if hint := diagnose(answer, up + detail, mistakes, advice, arguments=arguments):
        return hint
    base, dreamed = np.clip(base + 0.4, 0, 1), np.clip(dreamed + 0.5, 0, 1)
    smaller = resize(base, (9, 12))
    start = resize(dreamed, (18, 24)) + base - resize(smaller, (18, 24))
    clip = "right except for values outside [0, 1]: finish with np.clip(…, 0, 1)"
    return diagnose(answer, np.clip(start, 0, 1), {}, clip, arguments=(dreamed, smaller, base))


LOOKS = {"-1": "d", "0": "a", "1": "b", "2": "c"}
WHY_NOT = {  # the power k and the wrong letter for it
    "0 divides by 1: nothing happens to the noise": "0: b",
    "that divides by f, so broad waves gain": "1: d",
    "k = 1 is what photos have, with structure at every size": "1: c",
    "k = 2 weakens fine waves twice over, so hardly any are left": "2: b",
    "dividing by a power of f favours broad waves, so it can't be finer than the noise": "2: d",
    "k = −1 multiplies by f, so the broad waves are what is lost": "-1: b",
    "multiplying by f makes fine waves stronger, not broad ones": "-1: c",
}


@exercise(
    "4.5",
    because="dividing by a higher power of f leaves more of the broad waves and less of the fine"
    " ones; at k = 1 every size of detail has the same share, as in photos",
)
def looks_of_noise(answer):
    """{power k: the letter of how noise looks, divided by f^k}."""
    if hint := diagnose_form(answer, LOOKS, "a letter"):
        return hint
    letters = {str(k): str(letter).strip().lower() for k, letter in answer.items()}
    if strange := set(letters.values()) - set(LOOKS.values()):
        return f"{min(strange)!r} is not one of the letters a, b, c and d"
    advice = "think of which waves become weaker if the spectrum is divided by this power"
    for k, letter in letters.items():
        if hint := diagnose(f"{k}: {letter}", f"{k}: {LOOKS[k]}", WHY_NOT, advice):
            return f"k = {k}: {hint}"
    return None


@exercise(
    "4.6",
    because="you said beforehand which would be larger, measured both often enough to fail, and"
    " your verdict agrees with the numbers. Now give yourself the points",
)
def a_claim_put_to_the_test(answer):
    """dict(claim, measure, larger, smaller, verdict): does the verdict agree with the numbers?"""
    texts = {part: f"say in a few words what your {part} is" for part in ("claim", "measure")}
    if hint := diagnose_report(answer, texts, ("larger", "smaller", "verdict")):
        return hint
    larger, smaller = (np.asarray(answer[side], float).ravel() for side in ("larger", "smaller"))
    if min(larger.size, smaller.size) < 3:
        return "measure at least three dreams of each kind: other photos, or other seeds"
    share = np.mean(larger[:, None] > smaller)
    right, wrong = ("holds", "fails") if share >= 0.75 else ("fails", "holds")
    hint = f"in {share:.0%} of the pairs the first is larger: look again"
    advice = 'the verdict is "holds" or "fails"'
    return diagnose(answer["verdict"], right, {hint: wrong}, advice)
