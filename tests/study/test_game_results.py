"""The pooled table of the game: shares, intervals and tests agree with independent references."""

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from dreamkit.errors import SettingsError
from dreamkit.study import game_results
from dreamkit.study.statistics import RNG


def answers(right, canvas, player="ann"):
    """The rows of one player, {channel: 0 or 1} or a list of them."""
    pairs = right.items() if isinstance(right, dict) else enumerate(right)
    rows = [dict(player=player, channel=f"mixed4 {c}", canvas=canvas, right=r) for c, r in pairs]
    return pd.DataFrame(rows)


def a_class(players=12, channels=8, seed=0):
    """A class in which the spectrum helps: each channel on one canvas for each player."""
    rng, tables = np.random.default_rng(seed), []
    for number in range(players):
        on_pixels = rng.permutation(channels)[: channels // 2]
        for canvas, chance in (("pixels", 0.6), ("spectrum", 0.85)):
            own = [c for c in range(channels) if (c in on_pixels) == (canvas == "pixels")]
            right = {c: int(rng.random() < chance) for c in own}
            tables.append(answers(right, canvas, f"player {number}"))
    return pd.concat(tables)


def test_one_answer_for_each_channel_has_the_exact_interval_of_a_share():
    found = game_results(answers([1] * 17 + [0] * 3, "spectrum")).loc["spectrum"]
    beta = stats.beta.ppf
    assert found["share"] == 17 / 20
    assert found["low"] == pytest.approx(beta(0.025, 17, 4))  # Clopper and Pearson's formula
    assert found["high"] == pytest.approx(beta(0.975, 18, 3))
    assert (found["n"], found["answers"]) == (20, 20)


def test_twenty_of_twenty_are_not_certain():
    found = game_results(answers([1] * 20, "spectrum")).loc["spectrum"]
    assert found["low"] == pytest.approx(0.025 ** (1 / 20))
    assert found["high"] == 1


def test_the_share_of_a_class_is_averaged_over_channels_first():
    table = a_class()
    found = game_results(table)
    by_hand = table.groupby(["canvas", "channel"])["right"].mean().groupby("canvas").mean()
    for canvas in ("pixels", "spectrum"):
        assert found.loc[canvas, "share"] == pytest.approx(by_hand[canvas])
        assert found.loc[canvas, "answers"] == (table["canvas"] == canvas).sum()
        shares = table[table["canvas"] == canvas].groupby("channel")["right"].mean().to_numpy()
        options = {RNG: np.random.default_rng(0), "n_resamples": 9999}
        reference = stats.bootstrap((shares,), np.mean, **options).confidence_interval
        assert tuple(found.loc[canvas, ["low", "high"]]) == pytest.approx(tuple(reference))


@pytest.mark.parametrize("over", ["channel", "player"])
def test_the_difference_is_paired_and_its_p_counts_all_flips_of_signs(over):
    table = a_class()
    table = table[table[over].isin(table[over].unique()[:7])]
    found = game_results(table, over).loc["spectrum − pixels"]
    shares = table.pivot_table("right", over, "canvas", "mean")
    values = (shares["spectrum"] - shares["pixels"]).to_numpy()
    flipped = [np.mean(values * signs) for signs in itertools.product((1, -1), repeat=7)]
    p = np.mean(np.abs(flipped) >= abs(values.mean()) - 1e-12)
    assert found["n"] == 7
    assert found["share"] == pytest.approx(values.mean())
    assert found["low"] < values.mean() < found["high"]
    assert found["p"] == pytest.approx(p)
    assert found["answers"] == len(table)


def test_chance_is_not_rejected_and_a_good_eye_is():
    table = pd.concat([answers([0, 1] * 10, "pixels"), answers([1] * 18 + [0] * 2, "spectrum")])
    found = game_results(table)
    assert found.loc["pixels", "p"] == 1
    expected = stats.binomtest(18, 20).pvalue
    assert found.loc["spectrum", "p"] == pytest.approx(expected, abs=3e-4)


def test_a_channel_seen_on_one_canvas_only_does_not_count_in_the_difference():
    pixels = answers({0: 0, 1: 1, 2: 0, 9: 1}, "pixels")
    spectrum = answers({0: 1, 1: 1, 2: 0, 3: 1}, "spectrum")
    found = game_results(pd.concat([pixels, spectrum]))
    difference = found.loc["spectrum − pixels"]
    assert (difference["n"], difference["answers"]) == (3, 6)
    assert difference["share"] == pytest.approx(1 / 3)
    assert found.loc["pixels", "n"] == 4


def test_with_too_few_channels_there_is_a_share_but_no_interval():
    found = game_results(answers([1, 0], "pixels")).loc["pixels"]
    assert found["share"] == 0.5
    assert np.isnan(found[["low", "high", "p"]].to_numpy(float)).all()


def test_a_folder_pools_the_tables_of_a_class(tmp_path):
    table = a_class(players=4)
    for player, own in table.groupby("player"):
        own.to_csv(tmp_path / f"{player}.csv", index=False)
    pd.testing.assert_frame_equal(game_results(tmp_path), game_results(table))
    assert game_results(tmp_path / "player 0.csv").loc["pixels", "answers"] == 4


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (lambda table: table.drop(columns="canvas"), "no column 'canvas'"),
        (lambda table: table.assign(right="yes"), "a 0 or a 1"),
        (lambda table: table.assign(right=2), "a 0 or a 1"),
        (lambda table: table[:0], "a 0 or a 1"),
        (lambda table: "no/such/table.csv", "play the game first"),
    ],
)
def test_what_is_no_table_of_the_game_is_refused_in_one_sentence(broken, message):
    with pytest.raises(SettingsError, match=message):
        game_results(broken(answers([1, 0, 1], "pixels")))


def test_a_file_that_is_no_table_is_refused(tmp_path):
    (tmp_path / "empty.csv").write_text("")
    with pytest.raises(SettingsError, match="cannot be read as a table"):
        game_results(tmp_path)
