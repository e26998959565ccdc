"""Checks of notebook 02_neural_style_transfer."""

import numpy as np

from ..exercises import close, exercise

UNFILLED = "replace the three dots inside your function, and return a result"


def diagnose(function, arguments, expected, mistakes):
    """A hint for a function's result, or None if it is the one expected.

    Args:
        function: the learner's.
        arguments: what to call it with.
        expected: the right result.
        mistakes: {hint: the result that shows this mistake}.
    """
    if not callable(function):
        return "give the function itself, by its name and without brackets behind it"
    result = function(*arguments)
    if result is ... or result is None:
        return UNFILLED
    result = np.asarray(result, float)
    if close(result, expected):
        return None
    shape = np.shape(expected)
    if result.shape != shape:
        wanted = f"an array of shape {shape}" if shape else "one number"
        return f"your function gives shape {result.shape}, where {wanted} is asked for"
    for hint, wrong in mistakes.items():
        if close(result, wrong):
            return hint
    return "the result is another one; try your function on numbers that you can check by hand"


@exercise(
    "2.1",
    because="each layer's squared difference is measured against the photo's own energy there,"
    " so every layer has the same say in the mean, however large its numbers are",
)
def content_loss(answer):
    random = np.random.default_rng(21)
    shapes = {"shallow": (1, 6, 8, 4), "deep": (1, 3, 4, 16)}
    f = {layer: random.normal(size=shape) for layer, shape in shapes.items()}
    p = {
        "shallow": 3 * random.normal(size=shapes["shallow"]),
        "deep": f["deep"] + 0.3 * random.normal(size=shapes["deep"]),
    }
    pairs = [(f[layer], p[layer]) for layer in shapes]
    squares = [np.sum((a - b) ** 2) for a, b in pairs]
    energies = [np.sum(b**2) for _, b in pairs]
    ratios = np.divide(squares, energies)
    own = [np.sum(a**2) for a, _ in pairs]
    mistakes = {
        "the layers' losses are summed: divide by the number of layers": np.sum(ratios),
        "only the last layer counts: keep every layer's loss, then take the mean": ratios[-1],
        "only the first layer counts: return after the loop, not inside it": ratios[0],
        "you divide by the energy of the picture's features F: the yardstick is the photo's P,"
        " which stays the same while the picture changes": np.mean(np.divide(squares, own)),
        "this is the mean of the raw sums: divide each by the sum of P²": np.mean(squares),
        "this is the papers' ½ Σ(F − P)²: divide each sum by the sum of P² instead": np.mean(
            squares
        )
        / 2,
        "this is the tutorial's mean (F − P)²: divide by the sum of P², not by the number of"
        " features": np.mean([np.mean((a - b) ** 2) for a, b in pairs]),
        "the differences are not squared: they cancel": np.mean(
            [np.sum(a - b) / e for (a, b), e in zip(pairs, energies, strict=True)]
        ),
        "you pool all layers before you divide, so the largest layer rules: divide layer by"
        " layer": np.sum(squares) / np.sum(energies),
        "you took the root of each ratio: leave the squares as they are": np.mean(np.sqrt(ratios)),
    }
    return diagnose(answer, (f, p), np.mean(ratios), mistakes)


@exercise(
    "2.2",
    because="it compares each pixel with its right and its lower neighbour, takes what is left"
    " without its sign, and averages, so it says how grainy a picture is at any size",
)
def total_variation(answer):
    x = np.random.default_rng(22).random((5, 9, 3))
    across, down = x[:, 1:] - x[:, :-1], x[1:] - x[:-1]
    both = np.concatenate([across.ravel(), down.ravel()])
    mistakes = {
        "these are sums, which grow with the picture: take means": np.abs(both).sum(),
        "differences with a sign cancel each other: take np.abs before the mean": across.mean()
        + down.mean(),
        "these are squared differences: this formula takes np.abs": np.mean(across**2)
        + np.mean(down**2),
        "the pairs that lie across are in it, those above each other are missing": np.abs(
            across
        ).mean(),
        "the pairs above each other are in it, those that lie across are missing": np.abs(
            down
        ).mean(),
        "you average all pairs together: take one mean across, one mean down, and add them": np.abs(
            both
        ).mean(),
        "you halve the sum of the two means: just add them": (
            np.abs(across).mean() + np.abs(down).mean()
        )
        / 2,
        "the last axis holds the colours, not neighbours: use axes 0 and 1": np.abs(
            x[..., 1:] - x[..., :-1]
        ).mean()
        + np.abs(down).mean(),
    }
    return diagnose(answer, (x,), np.abs(across).mean() + np.abs(down).mean(), mistakes)


@exercise(
    "2.3",
    because="the gradient points uphill, so the step goes against it, and a pixel that would"
    " leave [0, 1] stays at the edge",
)
def gradient_step(answer):
    random = np.random.default_rng(23)
    x, g, rate = random.random((4, 5, 3)), random.normal(size=(4, 5, 3)), 0.3
    mistakes = {
        "this walks uphill, and the loss would rise: go against the gradient, with a minus"
        " sign": np.clip(x + rate * g, 0, 1),
        "this walks uphill, and it is not clipped either: take a minus sign, then"
        " np.clip(…, 0, 1)": x + rate * g,
        "the step is right, but some pixels leave [0, 1]: np.clip(…, 0, 1)": x - rate * g,
        "the rate is left out: multiply the gradient by it": np.clip(x - g, 0, 1),
        "you divide by the rate: multiply, so that a small rate is a small step": np.clip(
            x - g / rate, 0, 1
        ),
        "you clip the gradient; clip the new picture instead": x - rate * np.clip(g, 0, 1),
        "this is the length of the step only: take it from the picture": rate * g,
        "this is the picture as it was: subtract rate × gradient": x,
        "only the sign of the gradient is used: use the gradient itself": np.clip(
            x - rate * np.sign(g), 0, 1
        ),
    }
    kept = x.copy()
    hint = diagnose(answer, (x, g, rate), np.clip(kept - rate * g, 0, 1), mistakes)
    if hint is None and not np.array_equal(x, kept):
        return "the values are right, but the given picture itself was changed: make a new one"
    return hint


EFFECTS = {
    "style": "b",
    "content": "d",
    "total variation": "a",
    "all three": "c",
}
WHY_NOT = {
    ("style", "a"): "more style means more strokes, and strokes are neighbours that differ",
    ("style", "d"): "with more style the photo is still asked for, only less loudly",
    ("content", "a"): "the content term does not look at neighbours: it compares features",
    ("content", "b"): "b still keeps a little of the photo's layout; without content nothing does",
    ("total variation", "b"): "total variation knows no painting: it cannot add strokes",
    ("total variation", "d"): "total variation calms a picture, but does not fill it with texture",
    ("all three", "a"): "no term gains on the others when all are multiplied alike",
    ("all three", "b"): "style does not gain on content when both are multiplied alike",
    ("all three", "d"): "content is multiplied like the rest, so it still holds the picture",
}


@exercise(
    "2.4",
    because="only the ratio of the weights counts: each term pulls against the others, and Adam"
    " divides a common factor out of its steps",
)
def which_weight(answer):
    if not isinstance(answer, dict) or set(answer) != set(EFFECTS):
        return f"give a dictionary with the keys {', '.join(map(repr, EFFECTS))}"
    letters = {change: str(letter).strip().lower() for change, letter in answer.items()}
    open_ = [change for change, letter in letters.items() if letter in ("ellipsis", "none", "")]
    if open_:
        return f"choose a letter for {', '.join(open_)}"
    strange = [letter for letter in letters.values() if letter not in EFFECTS.values()]
    if strange:
        return f"{strange[0]!r} is none of the letters a, b, c and d"
    for change, letter in letters.items():
        if letter != EFFECTS[change]:
            plain = "a common factor changes no balance: ask what changes in the sum that matters"
            if letter == "c":
                plain = "c needs every balance to stay as it is, and here one weight changes"
            return f"{change}: {WHY_NOT.get((change, letter), plain)}"
    return None
