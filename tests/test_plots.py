"""The figures show the pictures and numbers of the runs."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from dreamkit import Run, plot_losses, show
from dreamkit.plots import COLOURS, LABELS


@pytest.fixture(autouse=True)
def _closed():
    """Draw without a screen, and close the figures after each test."""
    mpl.use("Agg")
    yield
    plt.close("all")


def run_with(phases=("a", "a", "b"), **terms):
    """A run with this history."""
    count = len(phases)
    columns = {"step": range(count), "phase": phases, "total": np.arange(count) + 1.0, **terms}
    picture = np.random.default_rng(0).random((6, 9, 3), "float32")
    return Run(picture, pd.DataFrame({**columns, "seconds": np.arange(count) + 0.1}))


def lines(axes):
    """{label: line} of all axes in the same place as this one."""
    twins = [other for other in axes.figure.axes if other.bbox.bounds == axes.bbox.bounds]
    return {ln.get_label(): ln for a in twins for ln in a.lines if ln.get_label()[0] != "_"}


def drawn(figure):
    figure.canvas.draw()
    return figure


# Pictures


def test_show_draws_each_picture_under_its_title():
    run = run_with()
    figure = drawn(show({"run": run, "grey": np.full((6, 9, 3), 0.5)}))
    assert [axes.get_title() for axes in figure.axes] == ["run", "grey"]
    assert np.array_equal(figure.axes[0].images[0].get_array(), run.image)
    assert not any(axes.axison for axes in figure.axes)


@pytest.mark.parametrize(
    ("count", "columns", "grid"),
    [(1, None, (1, 1)), (3, None, (1, 3)), (7, None, (2, 4)), (5, 2, (3, 2))],
)
def test_show_lays_pictures_out_in_rows(count, columns, grid):
    figure = drawn(show({str(n): np.zeros((6, 9, 3)) for n in range(count)}, columns))
    spec = figure.axes[0].get_subplotspec().get_gridspec()
    assert (spec.nrows, spec.ncols) == grid
    assert sum(bool(axes.images) for axes in figure.axes) == count


def test_a_tall_picture_gets_a_tall_panel():
    wide, tall = (show({"": np.zeros(size)}) for size in ((10, 40, 3), (40, 10, 3)))
    assert tall.get_figheight() > 2 * wide.get_figheight()


# Losses


def test_every_term_is_drawn_with_the_values_of_the_history():
    terms = dict(content=[3.0, 2, 1], style=[9.0, 5, 2], total_variation=[0.1, 0.2, 0.3])
    run = run_with(**terms, dream=[1.0, 4, 9])
    found = lines(drawn(plot_losses(run)).axes[0])
    assert set(found) == {"content", "style", "total variation", "dream"}
    for name, values in {**terms, "dream": [1.0, 4, 9]}.items():
        line = found[LABELS.get(name, name)]
        assert list(line.get_ydata()) == values
        assert list(line.get_xdata()) == [0, 1, 2]
        assert to_hex(line.get_color()).upper() == COLOURS[name]


def test_losses_use_the_left_log_axis_and_the_dream_the_right_one():
    figure = drawn(plot_losses(run_with(style=[9.0, 5, 2], dream=[1.0, 4, 9])))
    left, right = figure.axes
    assert left.get_yscale() == "log"
    assert right.get_yscale() == "linear"
    assert "loss" in left.get_ylabel()
    assert "dream" in right.get_ylabel()
    assert left.get_xlabel() == "step"


def test_a_dream_alone_has_one_axis():
    (axes,) = drawn(plot_losses(run_with(dream=[1.0, 4, 9]))).axes
    assert "dream" in axes.get_ylabel()
    assert axes.get_yscale() == "linear"


def test_a_dotted_line_separates_the_phases():
    figure = plot_losses(run_with(phases=("a", "a", "b", "b", "c"), style=[5.0, 4, 3, 2, 1]))
    dotted = [ln.get_xdata()[0] for ln in figure.axes[0].lines if ln.get_linestyle() == ":"]
    assert dotted == [1.5, 3.5]


def test_every_run_has_an_axis_and_its_title():
    runs = {name: run_with(style=[3.0, 2, 1]) for name in ("one", "two", "three")}
    figure = drawn(plot_losses(runs))
    assert [axes.get_title() for axes in figure.axes if axes.axison] == ["one", "two", "three"]
    assert sum(not axes.axison for axes in figure.axes) == 1


def test_the_legend_names_every_line():
    figure = drawn(plot_losses(run_with(content=[3.0, 2, 1], dream=[1.0, 2, 3])))
    (legend,) = [axes.get_legend() for axes in figure.axes if axes.get_legend()]
    assert [text.get_text() for text in legend.get_texts()] == ["content", "dream"]


def test_a_loss_of_zero_leaves_a_gap_and_no_warning(recwarn):
    drawn(plot_losses(run_with(content=[0.0, 2, 1])))
    assert not [w for w in recwarn if "log" in str(w.message)]


def test_a_start_near_zero_is_left_out_but_a_low_end_is_not():
    figure = drawn(plot_losses(run_with(content=[1e-6, 1.0, 1e-6])))
    assert np.array_equal(
        lines(figure.axes[0])["content"].get_ydata(), [np.nan, 1, np.nan], equal_nan=True
    )
    figure = drawn(plot_losses(run_with(("a", "a", "a"), content=[1e-6, 1.0, 1e-6])))
    assert lines(figure.axes[0])["content"].get_ydata()[2] == 1e-6


def test_a_history_with_other_terms_can_be_drawn():
    drawn(plot_losses(run_with(bowl=[3.0, 2, 1])))


def test_terms_that_only_some_phases_have_can_be_drawn():
    run = run_with(phases=("a", "a", "b"), style=[3.0, 2, np.nan], dream=[np.nan, np.nan, 1])
    assert set(lines(drawn(plot_losses(run)).axes[0])) == {"style", "dream"}


# Viénot, Brettel and Mollon 1999: linear RGB as a dichromat sees it.
DICHROMATS = {
    "protanope": [[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]],
    "deuteranope": [[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]],
}


@pytest.mark.parametrize("eyes", DICHROMATS)
def test_the_colours_can_be_told_apart_by_colour_blind_readers(eyes):
    from skimage.color import deltaE_ciede2000, rgb2lab

    rgb = np.array([[int(c[n : n + 2], 16) for n in (1, 3, 5)] for c in COLOURS.values()]) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ np.transpose(DICHROMATS[eyes]), 0, 1)
    lab = rgb2lab(np.where(seen <= 0.0031308, 12.92 * seen, 1.055 * seen ** (1 / 2.4) - 0.055))
    distances = deltaE_ciede2000(lab[:, None], lab[None])
    assert distances[np.triu_indices(len(lab), 1)].min() > 10
