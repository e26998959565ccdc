"""Effects: pairs, tests and corrections agree with independent references."""

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests
from tables import KINDS, study_table

from dreamkit.errors import SettingsError
from dreamkit.study.effects import by_clutter, effects, paired, per_cent, verdict
from dreamkit.study.mixed_model import mixed_model
from dreamkit.study.statistics import (
    correlation,
    detectable,
    flip_test,
    holm,
    interval,
    sign_test,
    spearman,
)

# Pairs


def test_an_effect_is_the_logarithm_of_distorted_over_clear():
    table = study_table()
    pairs = paired(table, "end_relative")
    assert len(pairs) == 16 * 3 * 2
    by_hand = table.set_index(["picture", "kind", "severity"])["end_relative"]
    for row in pairs.itertuples():
        clear = by_hand[row.picture, "clear", 0.0]
        distorted = by_hand[row.picture, row.kind, row.severity]
        assert row.effect == pytest.approx(np.log(distorted) - np.log(clear))
        assert (row.clear, row.distorted) == pytest.approx((clear, distorted))


def test_the_scale_of_a_measure_does_not_matter():
    table = study_table()
    relative, raw = (paired(table, name)["effect"] for name in ("end_relative", "end_raw"))
    np.testing.assert_allclose(relative, raw)


def test_a_picture_counts_once_however_many_styles_and_seeds_it_had():
    first = study_table(seed=1)
    tables = [first, study_table(seed=2, style="ink"), study_table(seed=3).assign(seed=9)]
    pairs = paired(pd.concat(tables))
    assert len(pairs) == len(paired(first))
    singles = [paired(table)["effect"].to_numpy() for table in tables]
    np.testing.assert_allclose(pairs["effect"], np.mean(singles, axis=0))


def test_where_the_style_is_distorted_the_style_picture_is_the_unit():
    tables = [study_table(pictures=4, seed=n, style=f"style {n}", role="style") for n in range(3)]
    pairs = paired(pd.concat(tables))
    assert set(pairs["picture"]) == {"style 0", "style 1", "style 2"}
    assert set(effects(pd.concat(tables), resamples=99)["n"]) == {3}


def test_cells_of_another_style_seed_size_or_variant_are_not_partners():
    table = study_table(pictures=1, kinds=("blur",), severities=(1.0,))
    for column, other in dict(style="ink", seed=5, size=48, variant="noise start").items():
        mixed = table.copy()
        mixed[column] = np.where(mixed["kind"] == "clear", other, mixed[column])
        assert paired(mixed).empty, column


def test_pairs_without_a_partner_or_a_logarithm_are_left_out():
    table = study_table(pictures=5, kinds=("blur",), severities=(1.0,))
    clear, distorted = table["kind"] == "clear", table["kind"] == "blur"
    table.loc[table.index[clear][0], "end_relative"] = 0.0
    table.loc[table.index[distorted][1], "end_relative"] = -1.0
    table.loc[table.index[distorted][2], "end_relative"] = np.inf
    table = table.drop(table.index[clear][3])
    assert list(paired(table)["picture"]) == ["picture 4"]
    assert paired(table, "content_end").empty  # all 0
    assert paired(table, "style_end").empty  # all NaN


def test_the_tables_order_does_not_matter():
    table, keys = study_table(), ["kind", "severity", "picture"]
    a, b = (paired(t).sort_values(keys)["effect"] for t in (table, table.sample(frac=1)))
    np.testing.assert_allclose(a, b)


def test_a_missing_measure_or_column_is_named():
    with pytest.raises(SettingsError, match="measure cannot be 'loss': choose 'start_raw'"):
        paired(study_table(), "loss")
    with pytest.raises(SettingsError, match="no column 'picture': use a table from run_study"):
        paired(study_table().drop(columns="picture"))
    with pytest.raises(SettingsError, match="no column 'clutter'"):
        by_clutter(study_table().drop(columns="clutter"))
    with pytest.raises(SettingsError, match="resamples cannot be 9"):
        effects(study_table(), resamples=9)


# Tests and intervals


@pytest.mark.parametrize("n", [3, 5, 8, 10])
def test_the_flip_test_is_the_share_of_sign_flips_as_far_from_0(n):
    values = np.random.default_rng(n).normal(0.4, 1, n)
    means = [np.mean(signs * values) for signs in itertools.product([-1, 1], repeat=n)]
    share = np.mean(np.abs(means) >= abs(values.mean()) - 1e-12)
    assert flip_test(values) == pytest.approx(share)


def test_with_many_pictures_the_flip_test_draws_and_comes_close():
    values = np.random.default_rng(3).normal(0.35, 1, 30)
    signs = np.random.default_rng(8).choice([-1, 1], (40_000, 30))
    by_hand = np.mean(np.abs((signs * values).mean(1)) >= abs(values.mean()))
    assert flip_test(values) == pytest.approx(by_hand, abs=0.01)


def test_the_sign_test_is_the_binomial_tail_and_ties_do_not_count():
    values = np.array([1.0] * 9 + [-1.0] + [0.0] * 4)
    assert sign_test(values) == pytest.approx(2 * (1 + 10) / 2**10)
    assert np.isnan(sign_test(np.array([0.0, 0.0, 0.0, 1.0, 1.0])))


def test_holm_multiplies_the_smallest_p_by_the_number_of_tests_the_next_by_one_fewer():
    np.testing.assert_allclose(holm([0.01, 0.04, 0.03]), [0.03, 0.06, 0.06])
    np.testing.assert_allclose(holm([0.01, np.nan, 0.03]), [0.02, np.nan, 0.03])
    assert np.isnan(holm([np.nan, np.nan])).all()


def test_holm_agrees_with_statsmodels():
    p_values = np.random.default_rng(0).random(40) ** 4  # from 0.0001 to 0.9
    p_values[5:9] = p_values[4]
    np.testing.assert_allclose(holm(p_values), multipletests(p_values, method="holm")[1])


def test_the_interval_contains_the_true_mean_in_nineteen_cases_of_twenty():
    rng = np.random.default_rng(4)
    limits = [interval(rng.normal(0.3, 1, 25), 499) for _ in range(200)]
    held = np.mean([low <= 0.3 <= high for low, high in limits])
    assert 0.89 < held < 0.98


def test_the_interval_of_equal_effects_is_that_effect_and_of_two_pictures_undefined():
    assert interval(np.full(6, 0.25)) == (0.25, 0.25)
    assert np.isnan(interval(np.array([0.1, 0.2]))).all()


def test_the_detectable_effect_is_detected_in_eight_cases_of_ten():
    size = detectable(12, 0.5)
    samples = np.random.default_rng(5).normal(size, 0.5, (4000, 12))
    found = np.mean(stats.ttest_1samp(samples, 0, axis=1).pvalue < 0.05)
    assert found == pytest.approx(0.8, abs=0.02)


def test_a_detectable_effect_grows_with_spread_and_tests_and_falls_with_pictures():
    assert detectable(12, 0.4) == pytest.approx(2 * detectable(12, 0.2))
    assert detectable(24, 0.4) < detectable(12, 0.4) < detectable(12, 0.4, tests=20)
    assert np.isnan(detectable(2, 0.4))
    assert detectable(5, 0.0) == 0


# Effects


def test_planted_effects_are_recovered():
    planted = dict(blur=-0.4, lines=0.3)
    found = effects(study_table(planted)).set_index(["kind", "severity"])
    for kind in KINDS:
        for severity in (0.5, 1.0):
            row, true = found.loc[(kind, severity)], severity * planted.get(kind, 0)
            assert row["effect"] == pytest.approx(true, abs=0.04)
            assert row["low"] < row["effect"] < row["high"]
            assert row["n"] == 16
    verdicts = {kind: set(found.loc[kind, "verdict"]) for kind in KINDS}
    assert verdicts == {"blur": {"opposite"}, "noise": {"open"}, "lines": {"as claimed"}}
    assert found.loc[("blur", 1.0), "share"] == 0
    assert found.loc[("lines", 1.0), "share"] == 1


def test_for_dreams_the_claim_has_the_opposite_sign():
    found = effects(study_table(dict(blur=-0.4), recipe="dream"), resamples=999).set_index("kind")
    assert set(found.loc["blur", "verdict"]) == {"as claimed"}
    assert set(found.loc["blur", "share"]) == {1.0}
    assert [verdict(-1, 0.01, "style"), verdict(-1, 0.01, "dream")] == ["opposite", "as claimed"]
    assert verdict(-1, np.nan, "style") == verdict(0.0, 0.01, "style") == "open"


def test_without_effects_one_family_in_twenty_claims_something(monkeypatch):
    monkeypatch.setattr("gc.collect", lambda: 0)  # statsmodels collects at each correction
    families = pd.concat(
        study_table(pictures=8, noise=1, seed=seed, network=f"network {seed}")
        for seed in range(120)
    )
    found = effects(families, resamples=299)  # 8 pictures: the test is exact
    wrong = (found["p_corrected"] < 0.05).groupby(found["network"]).any().mean()
    raw = (found["p_permutation"] < 0.05).mean()
    assert wrong <= 0.1
    assert raw == pytest.approx(0.05, abs=0.025)


def test_each_recipe_network_variant_and_role_is_a_separate_family():
    one = study_table(dict(blur=0.05), noise=0.1)
    two = pd.concat(
        [one, study_table(seed=3, network="squeezenet"), study_table(seed=4, recipe="dream")]
    )
    alone, together = (effects(table, resamples=199) for table in (one, two))
    np.testing.assert_allclose(alone["p_corrected"], together["p_corrected"][: len(alone)])
    assert (alone["p_corrected"] >= alone["p_permutation"]).all()


def test_too_few_pictures_leave_everything_open_and_the_table_shows_why():
    found = effects(study_table(dict(blur=-2, noise=-2, lines=-2), pictures=5), resamples=999)
    assert set(found["verdict"]) == {"open"}
    np.testing.assert_allclose(found["smallest_possible_p"], 6 * 2 / 2**5)
    np.testing.assert_allclose(found["p_corrected"], found["smallest_possible_p"])


@pytest.mark.parametrize("pictures", [1, 2])
def test_with_fewer_than_three_pictures_there_is_an_effect_and_no_test(pictures):
    found = effects(study_table(pictures=pictures), resamples=99)
    assert np.isfinite(found["effect"]).all()
    unknown = [
        "low",
        "high",
        "p_sign",
        "p_permutation",
        "p_corrected",
        "smallest_possible_p",
        "detectable",
    ]
    assert found[unknown].isna().all(axis=None)
    assert set(found["verdict"]) == {"open"}


def test_a_measure_that_never_changes_is_open():
    found = effects(study_table(), "start_raw", resamples=99)
    assert (found[["effect", "low", "high"]] == 0).all(axis=None)
    assert set(found["verdict"]) == {"open"}


def test_a_table_without_pairs_has_columns_but_no_effects():
    found = effects(study_table(), "style_end", resamples=99)
    assert found.empty
    assert list(found) == list(effects(study_table(pictures=3), resamples=99))


def test_the_same_seed_gives_the_same_table():
    table = study_table(pictures=16, noise=0.5)
    pd.testing.assert_frame_equal(effects(table, resamples=199), effects(table, resamples=199))


def test_per_cent_is_the_change_in_the_measure():
    assert per_cent(np.log(np.array([0.5, 1, 2]))) == pytest.approx([-50, 0, 100])


# The mixed model


def test_the_mixed_model_recovers_effect_slope_and_spread_of_pictures():
    table = study_table(dict(blur=-0.4, lines=0.3), pictures=40)
    found = mixed_model(table, "end_relative", "style", "vgg16").set_index(["kind", "term"])
    assert found["converged"].all()
    assert found.loc[("blur", "at severity 1"), "estimate"] == pytest.approx(-0.4, abs=0.04)
    assert found.loc[("lines", "per unit of severity"), "estimate"] == pytest.approx(0.3, abs=0.08)
    assert found.loc[("noise", "at severity 1"), "p"] > 0.01
    assert found.loc[("pictures", "standard deviation"), "estimate"] == pytest.approx(0.6, abs=0.2)
    assert set(found["n"]) == {40 * 7}


def test_in_a_balanced_design_the_models_effects_are_the_means_of_the_pairs():
    table = study_table(dict(blur=-0.4), severities=(1.0,))
    found = mixed_model(table, "end_relative", "style", "vgg16").set_index("kind")
    means = paired(table).groupby("kind")["effect"].mean()
    np.testing.assert_allclose(found.loc[list(KINDS), "estimate"], means[list(KINDS)], atol=1e-6)
    assert list(found["term"])[1:4] == ["at severity 1"] * 3


def test_a_second_style_has_its_own_constant():
    second = study_table(seed=1, style="ink").assign(end_relative=lambda t: 2 * t["end_relative"])
    table = pd.concat([study_table(), second.assign(picture=study_table()["picture"])])
    found = mixed_model(table, "end_relative", "style", "vgg16").set_index("term")
    assert np.isfinite(found.loc["style ink", "estimate"])


def test_a_model_that_does_not_converge_says_so(monkeypatch):
    from statsmodels.regression.mixed_linear_model import MixedLM

    def singular(self, **options):
        raise np.linalg.LinAlgError("Singular matrix")

    monkeypatch.setattr(MixedLM, "fit", singular)
    found = mixed_model(study_table(), "end_relative", "style", "vgg16")
    assert not found["converged"].any()
    assert set(found["note"]) == {"no fit: Singular matrix"}
    assert found["estimate"].isna().all()


def test_pictures_that_do_not_differ_leave_a_note():
    table = study_table(pictures=6)
    table["end_relative"] = np.random.default_rng(0).uniform(1, 2, len(table))
    found = mixed_model(table, "end_relative", "style", "vgg16")
    between = found.set_index("kind").loc["pictures", "estimate"]
    assert between < 0.1
    assert found["converged"].all() or found["note"].str.len().min() > 0


def test_a_model_of_nothing_is_refused():
    with pytest.raises(SettingsError, match="style, vgg19, base needs clear and distorted cells"):
        mixed_model(study_table(), "end_relative", "style", "vgg19")


# By clutter


def test_spearman_is_scipys():
    x, y = np.random.default_rng(6).integers(0, 6, (2, 5, 12))
    expected = [stats.spearmanr(a, b).statistic for a, b in zip(x, y, strict=True)]
    np.testing.assert_allclose(spearman(x, y, -1), expected)


def test_a_correlations_p_is_the_share_of_orders_as_far_from_0():
    x, y = np.random.default_rng(7).random((2, 6))
    rho = stats.spearmanr(x, y).statistic
    orders = [stats.spearmanr(x, p).statistic for p in itertools.permutations(y)]
    found = correlation(x, y)
    assert found["rho"] == pytest.approx(rho)
    share = [np.mean(np.array(orders) >= rho - 1e-9), np.mean(np.array(orders) <= rho + 1e-9)]
    assert found["p_permutation"] == pytest.approx(min(1, 2 * min(share)))
    assert found["low"] <= rho <= found["high"]


def test_by_clutter_ranks_only_the_clear_pictures():
    table = study_table(pictures=20)
    clear = table["kind"] == "clear"
    table["end_relative"] = np.where(clear, np.exp(table["clutter"]), 1)
    found = by_clutter(table, resamples=999).set_index("pictures")
    assert list(found.index) == ["photo", "scene", "both"]
    assert list(found["n"]) == [10, 10, 20]
    np.testing.assert_allclose(found["rho"], 1)
    assert set(found["verdict"]) == {"as claimed"}
    table["end_relative"] = 1 / table["end_relative"]
    assert set(by_clutter(table, resamples=999)["verdict"]) == {"opposite"}


def test_by_clutter_without_a_relation_is_open():
    found = by_clutter(study_table(pictures=24, seed=11), resamples=999)
    assert set(found["verdict"]) == {"open"}
    assert ((found["low"] < 0) & (found["high"] > 0)).all()


def test_too_few_or_equal_pictures_have_no_correlation():
    few = by_clutter(study_table(pictures=4), resamples=99).set_index("pictures")
    assert few.loc[["photo", "scene"], "rho"].isna().all()
    assert np.isfinite(few.loc["both", "rho"])
    assert by_clutter(study_table(), "start_raw", resamples=99)["rho"].isna().all()
    assert by_clutter(study_table(), "style_end", resamples=99).empty
