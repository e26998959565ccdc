"""Checks of notebook 01_what_a_network_sees."""

import numpy as np

from ..exercises import diagnose, diagnose_letters, diagnose_report, exercise

PICTURE = np.array(
    [[0, 1, 3, 0, 2], [2, 0, 1, 4, 0], [0, 1, 0, 3, 1], [1, 0, 2, 1, 2], [0, 3, 0, 1, 2]]
)
KERNEL = np.array([[0, -1, 0], [-1, 4, 0], [0, 0, -2]])


def at(row, column, kernel=KERNEL):
    """One number of the feature map."""
    return np.sum(PICTURE[row : row + 3, column : column + 3] * kernel)


@exercise("1.1", because="the window is rows 2 to 4, columns 3 to 5: −1·4 − 1·0 + 4·3 − 2·2 = 4")
def one_number(answer):
    """The number in the middle row, right column of a feature map."""
    window = PICTURE[1:4, 2:5]
    mistakes = {
        "these are the products: add all nine": window * KERNEL,
        "you turned the kernel round: lay it on the picture as it is": at(1, 2, KERNEL[::-1, ::-1]),
        "mind the minus signs: three of the weights are negative": at(1, 2, abs(KERNEL)),
        "this is the middle row, left column": at(1, 0),
        "this is the middle of the map: take its right column": at(1, 1),
        "this is the top right corner: take the middle row": at(0, 2),
        "this is the bottom row, middle column: rows come first": at(2, 1),
        "this is the bottom right corner: take the middle row": at(2, 2),
        "this is the mean: a convolution adds and doesn't divide": at(1, 2) / 9,
        "this is the sum of the window: multiply by the kernel first": window.sum(),
    }
    advice = "the window is rows 2 to 4 and columns 3 to 5: multiply by the kernel, then add"
    return diagnose(answer, at(1, 2), mistakes, advice, tolerance=1e-3)


TRUE_OF_ALL = "ace"
STATEMENTS = {
    "a": "the weights add up to 0, so what is added to every pixel cancels",
    "b": "the frame stays 0 while the picture gets brighter, so the map changes at the border",
    "c": "sums of products double with the pixels, and ReLU only asks for the sign",
    "d": "brighter to the right becomes brighter to the left, so the numbers change their sign",
    "e": "the same weights are used at every place",
    "f": "the kernel subtracts, so there may be negative numbers at the end again",
}


@exercise(
    "1.2",
    because="a, c and e follow from one rule: the same weighted sum at every place. The others"
    " forget the padding, the direction of the kernel or the order of the steps",
)
def what_changes(answer):
    """Which of six statements about a convolution are always true?"""
    return diagnose_letters(answer, TRUE_OF_ALL, STATEMENTS)


STACK = [(3, 1), (3, 1), (2, 2), (3, 1), (5, 2), (7, 1)]


def field_and_stride(layers, widen_first=True, whole_kernel=False, running=True):
    """The right field and stride, or those of a usual mistake."""
    field, stride = 1, 1
    for size, step in layers:
        after = stride * step if running else step
        field += (size - (not whole_kernel)) * (stride if widen_first else after)
        stride = after
    return field, stride


@exercise(
    "1.3",
    because="a layer reads units that lie the old stride apart: its own step only counts for the"
    " layers after it",
)
def fixed_receptive_field(answer):
    """[(kernel size, stride)] → (field, stride)."""
    mistakes = {
        "still the bug: what does the step of a pooling change, its own field or later ones": (
            field_and_stride(STACK, widen_first=False)
        ),
        "a kernel of size 1 must not widen the field: count size − 1": (
            field_and_stride(STACK, whole_kernel=True)
        ),
        "strides multiply from layer to layer": field_and_stride(STACK, running=False),
        "return both, field and stride, in this order": field_and_stride(STACK)[::-1],
    }
    advice = "compare with the table in the text, row by row"
    return diagnose(answer, field_and_stride(STACK), mistakes, advice, arguments=(STACK,))


@exercise(
    "1.4",
    because="without pooling each layer adds 2 px, so 50 are needed for 101 px; with pooling the"
    " first eight convolutions and four poolings see 76 px, and the ninth adds 2·16 to make 108",
)
def layers_for_100_pixels(answer):
    """(3 × 3 convolutions without pooling, with pooling) until a feature sees 100 px."""
    plain, pooled = answer
    mistakes = {
        "the first number: 49 layers see 99 px, just too few": 49,
        "the first number: a layer adds k − 1 = 2 px, not 3": 34,
        "the first number: a layer adds k − 1 = 2 px, not 1": 99,
    }
    hint = diagnose(plain, 50, mistakes, "the first number: solve 1 + 2n ≥ 100 for n")
    mistakes = {
        "the second number: eight convolutions and four poolings see 76 px": 8,
        "the second number: a pooling widens the field too, by one stride": 10,
        "the second number: count convolutions only, not poolings": 13,
        "the second number: after a pooling, each convolution adds twice as much": 50,
    }
    advice = "the second number: continue the table in the text, two convolutions to a pooling"
    return hint or diagnose(pooled, 9, mistakes, advice)


@exercise(
    "1.5",
    because="your name made a prediction that could have failed, and your verdict agrees with the"
    " numbers. Now give yourself the points",
)
def name_of_a_channel(answer):
    """dict(name, yes, no, verdict): does the verdict agree with the responses?"""
    texts = {"name": "give the channel a name, in a few words"}
    if hint := diagnose_report(answer, texts, ("yes", "no", "verdict")):
        return hint
    yes, no = (np.asarray(answer[kind], float).ravel() for kind in ("yes", "no"))
    if min(yes.size, no.size) < 3:
        return "measure at least three pictures of each kind"
    share = np.mean(yes[:, None] > no)
    right, wrong = ("holds", "fails") if share >= 0.75 else ("fails", "holds")
    hint = f"the first kind responds more strongly in {share:.0%} of the pairs: look again"
    advice = 'the verdict is "holds" or "fails"'
    return diagnose(answer["verdict"], right, {hint: wrong}, advice)
