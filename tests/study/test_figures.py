"""The study's figures show what its table says."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.text import Text
from tables import KINDS, study_table

from dreamkit.errors import SettingsError
from dreamkit.plots import COLOURS
from dreamkit.study.effects import by_clutter, effects, paired
from dreamkit.study.figures import (
    ORIGINS,
    VERDICTS,
    measure_label,
    plot_clutter,
    plot_effects,
    plot_pairs,
    plot_severity,
    signed,
)
from dreamkit.study.replication import agreement, compare, plot_agreement
from dreamkit.study.verdicts import plot_variants, plot_verdicts
from test_plots import DICHROMATS, drawn


@pytest.fixture(autouse=True)
def _closed():
    """No figure outlives its test, and none needs a screen."""
    mpl.use("Agg")
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def table():
    """Both recipes: lines raise the style loss, blur lowers both, noise does nothing."""
    style = study_table(dict(blur=-0.4, lines=0.3), pictures=10)
    dream = study_table(
        dict(blur=-0.4), pictures=10, recipe="dream", network="inception_v3", seed=1
    )
    return pd.concat([style, dream], ignore_index=True)


@pytest.fixture(scope="module")
def found(table):
    return effects(table, resamples=1999)


def of_kind(axes_or_figure, title):
    (axes,) = [a for a in axes_or_figure.axes if a.get_title().startswith(title)]
    return axes


def words_below(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


# Pairs


def test_each_picture_is_a_line_from_clear_to_distorted(table):
    figure = drawn(plot_pairs(table, "end_relative", "style", "vgg16"))
    for kind in KINDS:
        lines = of_kind(figure, kind).lines
        pairs = paired(table).query("recipe == 'style' and severity == 1 and kind == @kind")
        expected = pairs[["clear", "distorted"]].to_numpy()
        np.testing.assert_allclose([line.get_ydata() for line in lines], expected)


def test_lines_in_the_claimed_direction_are_counted_and_look_different(table):
    figure = drawn(plot_pairs(table, "end_relative", "style", "vgg16", kinds=["lines", "blur"]))
    assert [a.get_title() for a in figure.axes] == [
        "lines: 10 of 10\nas claimed",
        "blur: 0 of 10\nas claimed",
    ]
    looks = [{(to_hex(ln.get_color()), ln.get_ls()) for ln in a.lines} for a in figure.axes]
    colours = [VERDICTS[verdict][0].lower() for verdict in ("as claimed", "opposite")]
    assert looks == [{(colours[0], "-")}, {(colours[1], "--")}]


def test_for_dreams_a_fall_is_as_claimed(table):
    figure = plot_pairs(table, "end_relative", "dream", "inception_v3", kinds=["blur"])
    assert figure.axes[0].get_title().startswith("blur: 10 of 10")
    assert figure.axes[0].get_yscale() == "log"
    assert figure._supylabel.get_text() == "relative dream score at the end\n(log scale)"


def test_a_selection_that_is_not_in_the_table_is_named(table):
    with pytest.raises(SettingsError, match="nothing to draw for style, vgg19"):
        plot_pairs(table, "end_relative", "style", "vgg19")


# Effects


def test_each_effect_has_its_row_and_its_interval(found):
    figure = drawn(plot_effects(found))
    order = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    style = found.query("recipe == 'style' and severity == 1").set_index("kind")
    assert order == list(style["effect"].sort_values().index)
    bars = [line for line in figure.axes[0].lines if list(line.get_xdata()) != [0, 0]]
    for place, kind in enumerate(order):
        interval, point = bars[2 * place : 2 * place + 2]
        row = style.loc[kind]
        np.testing.assert_allclose(interval.get_xdata(), row[["low", "high"]].astype(float))
        assert point.get_xdata()[0] == pytest.approx(row["effect"])
        assert set(interval.get_ydata()) == set(point.get_ydata()) == {place}


def test_a_verdict_has_its_colour_marker_and_filling(found):
    figure = drawn(plot_effects(found))
    expected = {"blur": "opposite", "noise": "open", "lines": "as claimed"}
    order = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    points = [line for line in figure.axes[0].lines if line.get_marker() != "None"]
    for kind, point in zip(order, points, strict=True):
        colour, marker, full = VERDICTS[expected[kind]]
        assert (point.get_color(), point.get_marker()) == (colour, marker)
        assert point.get_markerfacecolor() == (colour if full else "white")
    assert words_below(figure)[0] == "as the paper claims"


def test_the_claimed_side_is_shaded_and_labelled(found):
    style, dream = drawn(plot_effects(found)).axes
    sides = [(style.patches[0], 1, "claimed: higher"), (dream.patches[0], 0, "claimed: lower")]
    for axes, (patch, edge, words) in zip((style, dream), sides, strict=True):
        left, right = sorted((patch.get_x(), patch.get_x() + patch.get_width()))
        assert (left, right)[1 - edge] == 0
        assert (left, right)[edge] == pytest.approx(axes.get_xlim()[edge])
        assert words in [text.get_text() for text in axes.texts]


def test_the_axis_shows_effects_in_per_cent(found):
    axes = drawn(plot_effects(found)).axes[0]
    for place, text in zip(axes.get_xticks(), axes.get_xticklabels(), strict=True):
        assert text.get_text() == signed(round(100 * (np.exp(place) - 1)))
    assert "−20 %" in [text.get_text() for text in axes.get_xticklabels()]
    assert "change in the relative style-transfer loss" in axes.get_xlabel()


def test_if_everything_must_be_open_the_legend_says_why(table):
    few = effects(table[table["picture"].isin(["picture 0", "picture 1", "picture 2"])])
    assert words_below(plot_effects(few))[2] == "open (too few pictures for any other verdict)"


@pytest.mark.parametrize("pictures", [1, 2])
def test_effects_without_an_interval_are_still_drawn(pictures):
    figure = drawn(plot_effects(effects(study_table(pictures=pictures), resamples=99)))
    assert len([line for line in figure.axes[0].lines if line.get_marker() == "D"]) == 3


def test_effects_that_are_all_zero_can_be_drawn():
    drawn(plot_effects(effects(study_table(pictures=4), "start_raw", resamples=99)))


# Verdicts


def test_each_field_has_the_mark_of_its_verdict_and_the_change(found):
    both = pd.concat([found.assign(measure="end_raw"), found])
    style, dream = drawn(plot_verdicts(both)).axes
    for axes, recipe in ((style, "style"), (dream, "dream")):
        rows = found[(found["recipe"] == recipe) & (found["severity"] == 1)]
        points = [line for line in axes.lines if line.get_marker() != "None"]
        changes = [text.get_text() for text in axes.texts if "%" in text.get_text()]
        expected = [signed(round(100 * np.expm1(effect))) for effect in rows["effect"]]
        assert changes == 2 * expected
        marks = [(point.get_color(), point.get_marker()) for point in points]
        assert marks == 2 * [VERDICTS[verdict][:2] for verdict in rows["verdict"]]
        names = [text.get_text() for text in axes.get_xticklabels()]
        assert names == ["raw,\nat the end", "relative,\nat the end"]


def test_variants_are_next_to_the_base_for_each_measure(found):
    style = found[(found["recipe"] == "style") & (found["severity"] == 1)]
    both = pd.concat([style, style.assign(variant="noise start", verdict="open")])
    axes = drawn(plot_variants(both)).axes[0]
    assert [text.get_text() for text in axes.get_xticklabels()] == ["base", "noise\nstart"]
    assert "relative, at the end" in [text.get_text() for text in axes.texts]
    points = [line for line in axes.lines if line.get_marker() != "None"]
    assert [p.get_marker() for p in points[len(KINDS) :]] == ["D"] * len(KINDS)


def test_no_verdict_has_the_colour_of_a_term():
    assert not {look[0].lower() for look in VERDICTS.values()} & {
        c.lower() for c in COLOURS.values()
    }


# Clutter


@pytest.fixture(scope="module")
def clutter(table):
    return drawn(plot_clutter(table, "end_relative", resamples=199))


def test_each_clear_picture_is_a_named_point(clutter, table):
    clear = table.query("kind == 'clear' and recipe == 'style'").set_index("picture")
    axes = clutter.axes[0]
    assert {text.get_text() for text in axes.texts} == set(clear.index)
    for text in axes.texts:
        expected = clear.loc[text.get_text(), ["clutter", "end_relative"]].astype(float)
        np.testing.assert_allclose(text.xy, expected)
    for collection, origin in zip(axes.collections, ORIGINS, strict=True):
        rows = clear[clear["origin"] == origin]
        expected = rows[["clutter", "end_relative"]].to_numpy()
        np.testing.assert_allclose(collection.get_offsets(), expected)


def test_the_title_gives_the_rank_correlation(clutter, table):
    rho = by_clutter(table, resamples=199).query("recipe == 'dream' and pictures == 'both'")["rho"]
    title = clutter.axes[1].get_title()
    assert f"ρ = {rho.item():.2f}".replace("-", "−") in title
    assert "claimed: ρ < 0" in title


def test_names_do_not_overlap():
    table = study_table(pictures=12).assign(end_relative=1.0)
    table["clutter"] = table["picture"].str.split().str[1].astype(float) % 4 / 10
    table["end_relative"] += table["picture"].str.split().str[1].astype(float) // 4 / 4
    figure = drawn(plot_clutter(table, "end_relative", resamples=99))
    boxes = [text.get_window_extent() for text in figure.axes[0].texts]
    assert not any(a.overlaps(b) for n, a in enumerate(boxes) for b in boxes[:n])


def test_names_stay_inside_their_panel(table):
    long = table.assign(picture=table["picture"].str.replace("picture", "immunohistochemistry"))
    for axes in drawn(plot_clutter(long, "end_relative", resamples=99)).axes:
        frame = axes.get_window_extent()
        for text in axes.texts:
            box = Text.get_window_extent(text)  # without the line to its point
            assert frame.x0 - 2 < box.x0 < box.x1 < frame.x1 + 2, text
            assert frame.y0 - 2 < box.y0 < box.y1 < frame.y1 + 2, text


# Severity


def test_dose_and_response_start_from_no_change(found):
    figure = drawn(plot_severity(found))
    style = found.query("recipe == 'style' and severity == 1")
    order = list(style.sort_values("effect")["kind"])
    assert [text.get_text() for text in figure.axes[0].get_yticklabels()] == order
    for axes, recipe in zip(figure.axes, ("style", "dream"), strict=True):
        for place, kind in enumerate(order):
            rows = found[(found["recipe"] == recipe) & (found["kind"] == kind)]
            rows = rows.sort_values("severity")
            line, half, full = (ln for ln in axes.lines if set(ln.get_ydata()) == {place})
            np.testing.assert_allclose(line.get_xdata(), [0, *rows["effect"]])
            np.testing.assert_allclose(half.get_xdata(), rows["effect"].iloc[:1])
            np.testing.assert_allclose(full.get_xdata(), rows["effect"].iloc[1:])
            assert half.get_color() == full.get_color() == COLOURS[recipe]
            assert (half.get_markerfacecolor(), full.get_markerfacecolor()) == (
                "white",
                COLOURS[recipe],
            )
    assert words_below(figure) == ["severity 0.5", "severity 1"]
    assert figure.axes[0].get_xlabel() == (
        "change in the relative style-transfer loss at the end\n(log scale)"
    )


# Two networks


@pytest.fixture(scope="module")
def two():
    """Two networks that agree on lines and noise, and contradict each other on blur."""
    first = study_table(dict(blur=-0.4, lines=0.3), pictures=10, noise=0.02, seed=2)
    second = study_table(dict(blur=0.4, lines=0.5), pictures=10, noise=0.02, network="vgg19")
    return effects(pd.concat([first, second]), resamples=1999)


def test_agreement_counts_shared_verdicts_and_contradictions(two):
    counts = agreement(compare(two, "vgg16", "vgg19")).loc["end_relative"]
    assert counts["kinds"] == 3
    assert counts["same_verdict"] == 2
    assert counts["contradicted"] == 1
    alone = agreement(compare(two, "vgg19", "vgg19")).loc["end_relative"]
    assert alone["same_verdict"] == alone["same_sign"] == 3
    assert alone["rho"] == pytest.approx(1)


def test_a_network_that_was_not_in_the_study_cannot_be_compared(two):
    with pytest.raises(SettingsError, match="inception_v3"):
        compare(two, "vgg16", "inception_v3")


def test_a_point_has_one_networks_effect_across_and_the_others_upward(two):
    axes = drawn(plot_agreement(two, "vgg16", "vgg19")).axes[0]
    assert axes.get_xlabel() == "change with vgg16 (log scale)"
    assert axes.get_ylabel() == "change with vgg19 (log scale)"
    effect = two[two["severity"] == 1].set_index(["network", "kind"])["effect"]
    assert {text.get_text() for text in axes.texts} == set(KINDS)
    for text in axes.texts:
        kind = text.get_text()
        np.testing.assert_allclose(text.xy, (effect["vgg16", kind], effect["vgg19", kind]))
        assert text.get_fontweight() == ("bold" if kind == "blur" else "normal")
    marks = {line.get_marker() for line in axes.lines} - {"None"}
    assert marks == {VERDICTS["as claimed"][1], VERDICTS["open"][1], "X"}


# All


def test_no_two_ticks_of_a_log_axis_have_the_same_label(table):
    for factor in (0.01, 4e6):
        scaled = table.assign(end_raw=factor * table["end_relative"])
        axes = drawn(plot_clutter(scaled, "end_raw", resamples=99)).axes[0]
        labels = [text.get_text() for text in axes.get_yticklabels()]
        assert len(labels) == len(set(labels)) > 2


@pytest.mark.parametrize("measure", ["end_raw", "start_relative"])
def test_axes_say_what_is_measured(measure):
    where, way = measure.split("_")
    assert measure_label("style", measure) == f"{way} style-transfer loss at the {where}"


@pytest.mark.parametrize("eyes", DICHROMATS)
@pytest.mark.parametrize("palette", [VERDICTS, ORIGINS], ids=["verdicts", "origins"])
def test_colour_blind_readers_can_distinguish_verdicts_and_origins(eyes, palette):
    from skimage.color import deltaE_ciede2000, rgb2lab

    colours = [look[0] for look in palette.values()]
    rgb = np.array([[int(c[n : n + 2], 16) for n in (1, 3, 5)] for c in colours]) / 255
    seen = np.clip(rgb**2.2 @ np.transpose(DICHROMATS[eyes]), 0, 1) ** (1 / 2.2)
    apart = deltaE_ciede2000(rgb2lab(seen)[:, None], rgb2lab(seen)[None])
    assert apart[np.triu_indices(len(colours), 1)].min() > 10
    assert len({look[1] for look in palette.values()}) == len(palette)
