"""The explorable figures' static twins, for GitHub and print.  (Notebooks 02 to 05.)"""

import numpy as np

from .figures import FOLDER, read_about

ORANGE, BLUE, GREEN = "#D55E00", "#0072B2", "#009E73"


def tiles(name):
    """The pictures of a sheet, an array (N, H, W, …) in [0, 1], and what they show."""
    from PIL import Image

    about = read_about(name)
    sheet = np.asarray(Image.open(FOLDER / "data" / about["sheet"])) / 255
    height, width, columns = about["height"], about["width"], about["columns"]
    rows = sheet.shape[0] // height
    parts = sheet[: rows * height].reshape(rows, height, columns, width, *sheet.shape[2:])
    return parts.swapaxes(1, 2).reshape(-1, height, width, *sheet.shape[2:]), about


def draw_gram(pairs=((0, 1),)):
    """For some entries of the explorable Gram matrix, both channels and their product.

    Args:
        pairs: (row, column) of each entry.

    Returns:
        A Matplotlib figure with one row for each entry.

    Introduced in notebook 02.
    """
    import matplotlib.pyplot as plt

    maps, about = tiles("gram")
    figure, panels = plt.subplots(
        len(pairs), 3, figsize=(5.4, 2.1 * len(pairs)), squeeze=False, layout="constrained"
    )
    for row, pair in zip(panels, pairs, strict=True):
        first, second = (10 * maps[k] for k in pair)
        names = [f"channel {about['channels'][k]}" for k in pair]
        entry = np.mean(first * second)
        shown = zip(
            (first, second, first * second),
            ("Oranges", "Blues", "Greys"),
            (*names, f"product, mean {entry:.2f}"),
            strict=True,
        )
        for axes, (values, colours, title) in zip(row, shown, strict=True):
            axes.imshow(values, colours, vmin=0, interpolation="bilinear")
            axes.set(title=title, xticks=[], yticks=[])
    return figure


def draw_joint(angles=(70, 25), balance=1.0):
    """Two gradients at several angles, and the balanced step between them.

    Args:
        angles: between the gradients, in degrees.
        balance: b in ∇L/|∇L| − b ∇D/|∇D|.

    Returns:
        A Matplotlib figure with one panel for each angle.

    Introduced in notebook 05.
    """
    import matplotlib.pyplot as plt

    figure, panels = plt.subplots(
        1, len(angles), figsize=(4.4 * len(angles), 4), squeeze=False, layout="constrained"
    )
    for axes, angle in zip(panels[0], angles, strict=True):
        loss = np.array([1.0, 0.0])
        score = np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])
        step = balance * score - loss
        axes.add_patch(_half_plane(180, ORANGE))
        axes.add_patch(_half_plane(angle, GREEN))
        arrows = {"∇L": (loss, ORANGE), "∇D": (score, GREEN), "step −d": (step, BLUE)}
        for name, (vector, colour) in arrows.items():
            head = dict(arrowstyle="-|>", color=colour, lw=3, shrinkA=0, shrinkB=0)
            axes.annotate("", vector, (0, 0), arrowprops=head)
            end = vector + 0.16 * vector / np.linalg.norm(vector)
            axes.text(*end, name, color=colour, ha="center", va="center", weight="bold")
        axes.set(xlim=(-1.45, 1.45), ylim=(-1.3, 1.3), aspect="equal", title=f"angle {angle}°")
        axes.axis("off")
    return figure


def _half_plane(angle, colour):
    """The directions less than 90° away from one, as a half disc."""
    from matplotlib.patches import Wedge

    return Wedge((0, 0), 1.25, angle - 90, angle + 90, color=colour, alpha=0.16, lw=0)


def draw_style():
    """Three content layers by three content weights, at one style weight.

    Returns:
        A Matplotlib figure.

    Introduced in notebook 03.
    """
    pictures, about = tiles("style")
    layers, contents, styles = about["layers"], about["contents"], about["styles"]
    chosen = [
        [(layer * len(contents) + content) * len(styles) + 1 for content in range(len(contents))]
        for layer in range(len(layers))
    ]
    columns = [f"α = {contents[content]:g}" for content in range(len(contents))]
    return _grid(pictures[np.array(chosen)], layers, columns, f"β = {styles[1]}")


def draw_dream():
    """The end of each octave, for each kind of gradient.

    Returns:
        A Matplotlib figure.

    Introduced in notebook 04.
    """
    pictures, about = tiles("dream")
    octaves, steps = len(about["sizes"]), len(about["steps"])
    last = [
        [(way * octaves + octave) * steps + steps - 1 for octave in range(octaves)]
        for way in range(len(about["ways"]))
    ]
    columns = [f"octave {n + 1}, {width} px" for n, (_, width) in enumerate(about["sizes"])]
    return _grid(pictures[np.array(last)], about["ways"], columns)


def _grid(pictures, rows, columns, title=None):
    """Rows of pictures with their names on the left, and the columns' on top."""
    import matplotlib.pyplot as plt

    height, width = pictures.shape[2:4]
    figure, panels = plt.subplots(
        len(rows),
        len(columns),
        figsize=(5, 5 * len(rows) * height / (len(columns) * width)),
        layout="constrained",
    )
    for axes, column in zip(panels[0], columns, strict=True):
        axes.set_title(column)
    for line, name, own in zip(panels, rows, pictures, strict=True):
        for axes, picture in zip(line, own, strict=True):
            axes.imshow(picture)
            axes.set(xticks=[], yticks=[])
        line[0].set_ylabel(name)
    if title:
        figure.suptitle(title)
    return figure
