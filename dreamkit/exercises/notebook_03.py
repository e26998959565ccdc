"""Checks of notebook 03_neural_style_transfer."""

import numpy as np

from ..exercises import close, diagnose, diagnose_form, diagnose_report, exercise


@exercise(
    "3.1",
    because="four copies of every feature make both sums of the relative loss four times as large,"
    " so their ratio stays 16/25; gatys is a sum and grows to ½·64, tutorial is a mean and stays"
    " 64/8",
)
def three_losses(answer):
    """The content loss of P = (3, 4), F = (3, 0) after each position has become four."""
    before = {"relative": 0.64, "gatys": 8, "tutorial": 8}
    right = {"relative": 0.64, "gatys": 32, "tutorial": 8}
    if hint := diagnose_form(answer, right, "a number"):
        return hint
    mistakes = {
        "that is before the picture is enlarged": before,
        "only the sum grows with the picture: the relative loss is a ratio of two sums": (
            right | {"relative": 4 * 0.64}
        ),
        "only the sum grows with the picture: the tutorial's loss is a mean": (
            right | {"tutorial": 32}
        ),
        "not all of them grow: a mean and a ratio stay as they are": {
            name: 4 * value for name, value in before.items()
        },
        "gatys: the ½ is missing": right | {"gatys": 64},
        "gatys: a picture twice as wide and twice as high has four times the positions": (
            right | {"gatys": 16}
        ),
        "relative: divide by the sum of P², not of F²": right | {"relative": 16 / 9},
        "relative: square before you add, also in the energy": right | {"relative": 16 / 49},
        "tutorial: the mean is over all 8 features, not over the 4 positions": (
            right | {"tutorial": 16}
        ),
    }
    if hint := diagnose(answer, right, mistakes, ""):
        return hint
    wrong = [name for name in right if not close(answer[name], right[name])]
    return f"{wrong[0]}: F − P is (0, −4) at each of the four positions" if wrong else None


@exercise(
    "3.2",
    because="the gradient points uphill, so the step goes against it, and only after the step can"
    " pixels have left [0, 1]",
)
def fixed_step(answer):
    """(picture, gradient, rate) → clip(picture − rate · gradient)."""
    rng = np.random.default_rng(23)
    x, g, rate = rng.random((4, 5, 3)), rng.normal(size=(4, 5, 3)), 0.3
    up, down = x + rate * g, x - rate * g
    right, ascent, unscaled, divided = (np.clip(y, 0, 1) for y in (down, up, x - g, x - g / rate))
    mistakes = {
        "both bugs are still there: look at which way the gradient points, and at when to clip": up,
        "still one bug: this goes uphill. The gradient points to where the loss rises": ascent,
        "still one bug: some pixels leave [0, 1]. Clip what comes out of the step": down,
        "the rate was right: multiply the gradient by it": unscaled,
        "multiply by the rate, so that a small rate is a small step": divided,
        "you clip the gradient: clip the new picture instead": x - rate * np.clip(g, 0, 1),
        "this is only the step: subtract it from the picture": rate * g,
        "this is the picture unchanged: subtract rate × gradient": x,
    }
    return diagnose(answer, right, mistakes, arguments=(x, g, rate))


POWERS = {"m": 1, "v": 2, "adam": 0, "plain": 1, "unit": 0}
ABOUT_POWERS = {
    "m": "it is a running mean of gradients, and each of them has the factor c",
    "v": "it is a running mean of squared gradients",
    "adam": "divide the power of m by that of the root of v",
    "plain": "it is the rate times the gradient, as it is",
    "unit": "the standard deviation has the factor too, and cancels it",
}


@exercise(
    "3.3",
    because="m has the factor c and √v has it too, so in m/√v it cancels at every step, and two"
    " walks that start at one picture stay together. Now give yourself points for the proof",
)
def powers_of_a_factor(answer):
    """{quantity: n}, where c times the loss makes it c^n times as large."""
    if hint := diagnose_form(answer, POWERS, "a power of c"):
        return hint
    for name, power in POWERS.items():
        mistakes = {f"{name}: 0 would mean that it doesn't change at all": 0} if power else {}
        if hint := diagnose(answer[name], power, mistakes, f"{name}: {ABOUT_POWERS[name]}"):
            return hint
    return None


EFFECTS = {"style": "b", "content": "d", "total variation": "a", "all three": "c"}
WHY_NOT = {  # the change and the wrong letter for it
    "more style means more strokes, and strokes are neighbours that differ": "style: a",
    "with more style the photo still counts, just for less": "style: d",
    "the content term doesn't look at neighbours: it compares features": "content: a",
    "b still keeps a little of the photo's layout; without content nothing does": "content: b",
    "total variation doesn't know the painting: it can't add strokes": "total variation: b",
    "total variation smooths a picture, but doesn't fill it with texture": "total variation: d",
    "no term gains on the others when all are multiplied by the same factor": "all three: a",
    "style doesn't gain on content when both are multiplied by the same factor": "all three: b",
    "content is multiplied like the rest, so it still holds the picture": "all three: d",
}


@exercise(
    "3.4",
    because="only the ratios of the weights matter: each term pulls against the others, and Adam's"
    " steps stay the same when all weights are multiplied by one factor",
)
def which_weight(answer):
    """{change of a weight: the letter of its effect}."""
    if hint := diagnose_form(answer, EFFECTS, "a letter"):
        return hint
    letters = {change: str(letter).strip().lower() for change, letter in answer.items()}
    if strange := set(letters.values()) - set(EFFECTS.values()):
        return f"{min(strange)!r} is not one of the letters a, b, c and d"
    advice = "c needs all ratios to stay as they are, and here one weight changes"
    for change, letter in letters.items():
        right = f"{change}: {EFFECTS[change]}"
        if hint := diagnose(f"{change}: {letter}", right, WHY_NOT, advice):
            return f"{change}: {hint}"
    return None


@exercise(
    "3.5",
    because="the network sees pixels, so the painting is measured against the photo, and the file"
    " it came in no longer matters",
)
def painting_size(answer):
    """(painting's size, photo's size, style_scale) → the size at which to take the target."""
    painting, photo, scale = (1200, 900), (320, 400), 0.5
    factor = scale * max(photo) / max(painting)

    def shrunk(factor):
        return np.round(np.array(painting) * factor)

    mistakes = {
        "still the bug: with a file twice as large, the strokes become twice as broad": (
            shrunk(scale)
        ),
        "this is the size of a painting at scale 1: style_scale must come in too": shrunk(
            factor / scale
        ),
        "you divide by style_scale: a larger scale should give a larger painting": shrunk(
            factor / scale**2
        ),
        "the painting is squeezed into the photo's shape: keep its own proportions": (
            np.round(np.array(photo) * scale)
        ),
        "compare the longest sides: here the photo is wide and the painting high": shrunk(
            scale * photo[0] / painting[0]
        ),
        "compare the longest sides, not the widths": shrunk(scale * photo[1] / painting[1]),
        "the fraction is upside down: the photo's longest side goes on top": shrunk(
            scale * max(painting) / max(photo)
        ),
        "height comes first, as in a picture's shape": shrunk(factor)[::-1],
    }
    advice = "the painting's longest side should become style_scale times the photo's"
    return diagnose(
        answer, shrunk(factor), mistakes, advice, arguments=(painting, photo, scale), tolerance=1e-2
    )


@exercise(
    "3.6",
    because="your prediction could have failed, and your verdict agrees with the losses. Now give"
    " yourself the points",
)
def a_bargain(answer):
    """dict(change, predicted, before, after, verdict): does the verdict agree with the losses?"""
    texts = {"change": "say in a few words what you changed"}
    if hint := diagnose_report(answer, texts, ("predicted", "before", "after", "verdict")):
        return hint
    predicted, before, after = (dict(answer[part]) for part in ("predicted", "before", "after"))
    if len(predicted) < 2:
        return "predict at least two terms, such as content and style"
    if strange := set(map(str, predicted.values())) - {"up", "down"}:
        return f'predict "up" or "down" for each term, not {min(strange)!r}'
    if unmeasured := sorted(set(predicted) - (set(before) & set(after))):
        return f"give the loss of {unmeasured[0]!r} before and after"
    failed = [
        term
        for term, way in predicted.items()
        if (float(after[term]) > float(before[term])) != (way == "up")
    ]
    right, wrong = ("fails", "holds") if failed else ("holds", "fails")
    found = f"{failed[0]} didn't go {predicted[failed[0]]}" if failed else "every term went its way"
    advice = 'the verdict is "holds" or "fails"'
    return diagnose(answer["verdict"], right, {f"{found}: look again": wrong}, advice)
