"""Checks of notebook 03_neural_style_transfer."""

import numpy as np

from ..exercises import diagnose, exercise


@exercise(
    "3.1",
    because="each layer's squared difference is divided by the photo's own energy in that layer,"
    " so every layer counts equally in the mean, however large its numbers are",
)
def content_loss(answer):
    """({layer: F}, {layer: P}) → mean over layers of Σ(F−P)² / ΣP²."""
    rng = np.random.default_rng(21)
    shallow, deep = rng.normal(size=(2, 1, 6, 8, 4)), rng.normal(size=(2, 1, 3, 4, 16))
    f = {"shallow": shallow[0], "deep": deep[0]}
    p = {"shallow": 3 * shallow[1], "deep": deep[0] + 0.3 * deep[1]}
    differences = [f[layer] - p[layer] for layer in f]
    squares, own, energies = (
        np.array([np.sum(array**2) for array in arrays])
        for arrays in (differences, f.values(), p.values())
    )
    ratios, means = squares / energies, [np.mean(d**2) for d in differences]
    unsquared = np.array([np.sum(d) for d in differences]) / energies
    mistakes = {
        "the layers' losses are summed: divide by the number of layers": np.sum(ratios),
        "only the last layer counts: keep every layer's loss, then take the mean": ratios[-1],
        "only the first layer counts: return after the loop, not inside it": ratios[0],
        "you divide by the energy of the picture's features F: the yardstick is the photo's P,"
        " which stays the same while the picture changes": np.mean(squares / own),
        "this is the mean of the raw sums: divide each by the sum of P²": np.mean(squares),
        "this is the papers' ½ Σ(F − P)²: divide each sum by ΣP² instead": np.mean(squares) / 2,
        "this is the tutorial's mean of (F − P)²: divide by the sum of P², not by the number of"
        " features": np.mean(means),
        "the differences aren't squared, so they cancel": np.mean(unsquared),
        "you add up the layers before you divide, so the largest layer dominates: divide layer by"
        " layer": np.sum(squares) / np.sum(energies),
        "you took the root of each ratio: leave the squares as they are": np.mean(np.sqrt(ratios)),
    }
    return diagnose(answer, np.mean(ratios), mistakes, arguments=(f, p))


@exercise(
    "3.2",
    because="it averages the absolute differences between each pixel and its neighbours to the"
    " right and below, so it measures how grainy a picture is at any size",
)
def total_variation(answer):
    """Picture → mean |difference across| + mean |difference down|."""
    x = np.random.default_rng(22).random((5, 9, 3))
    dx, dy = x[:, 1:] - x[:, :-1], x[1:] - x[:-1]
    across, down, colours = (np.abs(d).mean() for d in (dx, dy, np.diff(x, axis=2)))
    pairs = np.abs(np.concatenate([dx.ravel(), dy.ravel()]))
    mistakes = {
        "these are sums, which grow with the picture: take means": pairs.sum(),
        "differences of opposite sign cancel: take np.abs before the mean": dx.mean() + dy.mean(),
        "these are squared differences: use np.abs instead": np.mean(dx**2) + np.mean(dy**2),
        "you have the pairs side by side, but not those above each other": across,
        "you have the pairs above each other, but not those side by side": down,
        "you average all pairs together: add one mean across and one mean down": pairs.mean(),
        "you halve the sum of the two means: just add them": (across + down) / 2,
        "the last axis holds colours, not neighbours: use axes 0 and 1": colours + down,
    }
    return diagnose(answer, across + down, mistakes, arguments=(x,))


@exercise(
    "3.3",
    because="the gradient points uphill, so the step goes against it, and a pixel that would"
    " leave [0, 1] stays at the edge",
)
def gradient_step(answer):
    """(picture, gradient, rate) → clip(picture − rate · gradient)."""
    rng = np.random.default_rng(23)
    x, g, rate = rng.random((4, 5, 3)), rng.normal(size=(4, 5, 3)), 0.3
    up, down = x + rate * g, x - rate * g
    right, ascent, unscaled, divided, signed = (
        np.clip(y, 0, 1) for y in (down, up, x - g, x - g / rate, x - rate * np.sign(g))
    )
    mistakes = {
        "this goes uphill, so the loss would rise: go against the gradient, with a minus": ascent,
        "this goes uphill, and isn't clipped: use a minus sign, then np.clip(…, 0, 1)": up,
        "the step is right, but some pixels leave [0, 1]: np.clip(…, 0, 1)": down,
        "the rate is missing: multiply the gradient by it": unscaled,
        "you divide by the rate: multiply, so that a small rate is a small step": divided,
        "you clip the gradient: clip the new picture instead": x - rate * np.clip(g, 0, 1),
        "this is only the step: subtract it from the picture": rate * g,
        "this is the picture unchanged: subtract rate × gradient": x,
        "you use only the sign of the gradient: use the gradient itself": signed,
    }
    return diagnose(answer, right, mistakes, arguments=(x, g, rate))


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
    if not isinstance(answer, dict) or set(answer) != set(EFFECTS):
        return f"give a dictionary with the keys {', '.join(map(repr, EFFECTS))}"
    if unanswered := [change for change, letter in answer.items() if letter in (..., None, "")]:
        return f"choose a letter for {', '.join(unanswered)}"
    letters = {change: str(letter).strip().lower() for change, letter in answer.items()}
    if strange := set(letters.values()) - set(EFFECTS.values()):
        return f"{min(strange)!r} is not one of the letters a, b, c and d"
    advice = "c needs all ratios to stay as they are, and here one weight changes"
    for change, letter in letters.items():
        right = f"{change}: {EFFECTS[change]}"
        if hint := diagnose(f"{change}: {letter}", right, WHY_NOT, advice):
            return f"{change}: {hint}"
    return None
