"""The matplotlib figures of the notebooks and commands.  (Notebook 00.)"""

import sys

import numpy as np

# Each term has one colour everywhere, from Okabe and Ito's colour-blind-safe palette.
COLOURS = {
    "content": "#0072B2",
    "style": "#D55E00",
    "total_variation": "#999999",
    "dream": "#009E73",
    "total": "#000000",
}
LABELS = {"total_variation": "total variation"}

# For everything else: the same palette, ordered so that neighbours also differ in lightness.
CYCLE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
STYLE = {
    "figure.dpi": 100,
    "figure.facecolor": "white",
    "font.size": 12,
    "axes.titlesize": 12,
    "xtick.labelsize": 11,
    "ytick.labelsize": 11,
    "legend.fontsize": 11,
    "lines.linewidth": 2,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def notebook_style():
    """Make figures legible at half their size, and keep notebook files small.

    In Jupyter, figures are also stored as JPEG: for pictures, about a quarter of the size of PNG.

    Introduced in notebook 00.

    >>> notebook_style()
    """
    import matplotlib.pyplot as plt
    from cycler import cycler

    plt.rcParams.update(STYLE)
    plt.rcParams["axes.prop_cycle"] = cycler(color=CYCLE)
    ipython = sys.modules.get("IPython")
    shell = ipython and ipython.get_ipython()
    if shell is None or not hasattr(shell, "kernel"):
        return
    from matplotlib_inline.config import InlineBackend

    inline = InlineBackend.instance(parent=shell)
    inline.print_figure_kwargs = {"bbox_inches": "tight", "pil_kwargs": {"quality": 75}}
    inline.figure_formats = {"jpeg"}


def show(images, columns=None, width=3.2):
    """Show pictures side by side, each with its title.

    Args:
        images: {title: picture}; a picture is (H, W, 3) in [0, 1] or a `Run`.
        columns: pictures per row; None puts all in one row, up to four.
        width: width of one picture, inches.

    Returns the matplotlib figure. Introduced in notebook 00.

    >>> figure = show({"grey": np.full((8, 8, 3), 0.5)})
    >>> [axes.get_title() for axes in figure.axes]
    ['grey']
    """
    pictures = {title: np.asarray(image) for title, image in images.items()}
    tallest = max(image.shape[0] / image.shape[1] for image in pictures.values())
    figure, panels = panel_grid(len(pictures), columns or 4, width, width * tallest + 0.35)
    for panel, (title, image) in zip(panels, pictures.items(), strict=True):
        panel.imshow(image, interpolation="lanczos")
        panel.set_title(title)
        panel.axis("off")
    return figure


def plot_losses(runs):
    """Plot every term over the steps, with one panel per run.

    Args:
        runs: a `Run`, or {title: Run}.

    Returns:
        The matplotlib figure. Losses use the left axis and the dream score the right one; dotted
        lines separate the phases.

    Introduced in notebook 00.
    """
    runs = runs if isinstance(runs, dict) else {"": runs}
    figure, panels = panel_grid(len(runs), 2, 5.8, 3.6)
    for panel, (title, run) in zip(panels, runs.items(), strict=True):
        _plot_history(panel, run.history, title)
    return figure


def _plot_history(axes, history, title):
    """One run's terms: losses on the left axis (log scale), the dream score on the right one."""
    history = history.reset_index(drop=True)
    starts = history["phase"] != history["phase"].shift()
    losses = [name for name in ("content", "style", "total_variation") if name in history]
    lines = []
    for name in losses:
        values = history[name]
        floor = 1e-4 * values.max() * starts  # hides starts that would be 0 but for rounding
        shown = values.where(values > floor)
        lines += axes.plot(shown, color=COLOURS[name], label=LABELS.get(name, name))
    if losses:
        axes.set(yscale="log", ylabel="loss (before weights, log scale)")
    if "dream" in history:
        right = axes.twinx() if losses else axes
        lines += right.plot(history["dream"], color=COLOURS["dream"], label="dream", ls="--")
        right.set_ylabel("dream score (activation)")
        right.spines["right"].set_visible(True)
    for start in history.index[starts][1:]:
        axes.axvline(start - 0.5, color="0.8", ls=":", lw=1)
    axes.set(title=title, xlabel="step")
    below = dict(loc="upper center", bbox_to_anchor=(0.5, -0.16), frameon=False, fontsize="small")
    axes.legend(handles=lines, ncols=len(lines), **below)


def panel_grid(count, columns, width, height, margin=(0, 0), **shared):
    """A figure with panels in rows of `columns` and a margin, and the panels; sizes in inches."""
    import matplotlib.pyplot as plt

    columns = min(columns, count)
    rows = -(-count // columns)
    size = width * columns + margin[0], height * rows + margin[1]
    figure = plt.figure(figsize=size, layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False, **shared).ravel()
    for panel in panels[count:]:
        panel.axis("off")
    return figure, panels[:count]
