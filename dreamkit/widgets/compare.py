"""Two pictures in one, with a divider to move: what has changed?"""

import numpy as np

from ..images import resize

WIDTH = 2  # px of the divider


def divided(before, after, position):
    """The picture before on the left of a divider, and the picture after on its right.

    Args:
        before, after: pictures, (H, W, 3) in [0, 1]; `before` is scaled to the size of `after`.
        position: where the divider is, from 0 (only after) to 1 (only before).

    Returns:
        (H, W, 3) float32 picture.

    >>> divided(np.zeros((4, 8, 3)), np.ones((4, 8, 3)), 0.5)[0, :, 0].tolist()
    [0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0]
    """
    after = np.asarray(after, "float32")
    both, width = after.copy(), after.shape[1]
    column = round(position * width)
    both[:, :column] = resize(before, after.shape[:2])[:, :column]
    if 0 < column < width:
        first = max(0, column - WIDTH // 2)
        both[:, first : first + WIDTH] = [1.0, 1.0, 1.0]
    return both
