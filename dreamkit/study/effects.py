"""Effects of distortions: paired, with intervals, tests and power.  (Notebook 05.)

An effect is ln(measure of the distorted / measure of the clear picture), so that halving and
doubling are equally far from 0. Pictures are the unit of replication: two seeds or two styles of
one picture are not two independent looks at the world, and counting them as two would make every
p value too small (pseudo-replication; Hurlbert 1984). So they are averaged first.
"""

import numpy as np

from ..errors import SettingsError, check_choice, check_range
from .statistics import ALPHA, correlation, detectable, flip_test, holm, interval, sign_test

MEASURES = ("start_raw", "end_raw", "start_relative", "end_relative")
MEASURES += ("content_end", "style_start", "style_end")
GROUP = ["recipe", "variant", "network", "role"]  # with the measure, a family of tests
PAIR = [*GROUP, "style", "picture", "seed", "size", "steps"]  # what the two of a pair share
CLAIM = {"style": 1, "dream": -1}  # sign of the effect that the paper reports


def paired(table, measure="end_relative"):
    """Pair each distorted picture with its clear self, one row for each picture.

    Args:
        table: of a study; its columns are told in data/study/README.md.
        measure: the column to compare, one of `MEASURES`.

    Returns:
        A pandas DataFrame: recipe, variant, network, role, kind, severity, picture, `clear` and
        `distorted` (geometric means over styles and seeds, so that a picture counts once), and
        `effect` = ln(distorted / clear). Where the style picture is the one distorted, it is the
        unit, so `picture` holds its name. Left out are pairs without a partner, or with a value
        that has no logarithm (0, negative, missing).

    Raises:
        SettingsError: there is no such measure, or the table lacks a column.

    Source: Hurlbert 1984 (pseudo-replication). Introduced in notebook 05.

    >>> import pandas as pd
    >>> shared = dict(recipe="style", variant="base", network="vgg16", role="content", style="oil")
    >>> shared |= dict(picture="cat", seed=0, size=96, steps=9)
    >>> rows = [dict(kind="clear", severity=0.0, end_raw=2.0)]
    >>> rows += [dict(kind="blur", severity=1.0, end_raw=1.0)]
    >>> paired(pd.DataFrame(rows).assign(**shared), "end_raw")["effect"].round(2).tolist()
    [-0.69]
    """
    values = logarithms(table, measure)
    clear = values[values["kind"] == "clear"].groupby(PAIR, as_index=False)["log"].mean()
    distorted = values[values["kind"] != "clear"]
    pairs = distorted.merge(clear, on=PAIR, suffixes=("", "_clear"))
    is_style = pairs["role"] == "style"
    pairs["picture"] = pairs["picture"].where(~is_style, pairs["style"])
    unit = [*GROUP, "kind", "severity", "picture"]
    found = pairs.groupby(unit, as_index=False, sort=False)[["log", "log_clear"]].mean()
    found["clear"], found["distorted"] = np.exp(found["log_clear"]), np.exp(found["log"])
    found["effect"] = found["log"] - found["log_clear"]
    return found[[*unit, "clear", "distorted", "effect"]]


def logarithms(table, measure):
    """The table with a column `log`, ln(measure), without the rows that have none."""
    check_choice("measure", measure, MEASURES)
    needed = [*PAIR, "kind", "severity", measure]
    if missing := [name for name in needed if name not in table]:
        raise SettingsError(
            f"The table has no column {missing[0]!r}: give one that run_study has made."
        )
    values = table[measure].astype(float)
    usable = table[(values > 0) & np.isfinite(values)]
    return usable.assign(log=np.log(usable[measure].astype(float)))


def effects(table, measure="end_relative", resamples=9999, seed=0):
    """Estimate and test what each distortion does to a measure.

    Args:
        table: of a study, as for `paired`.
        measure: the column to compare, one of `MEASURES`.
        resamples: of the bootstrap; and of the permutation test where there are more sign flips
            than that (from 14 pairs on), else it is exact.
        seed: of both.

    Returns:
        A pandas DataFrame with a row for each recipe, variant, network, role, kind and severity:
        `n` pairs, their mean `effect`, the 95 % bootstrap interval `low` to `high`, the `share`
        of pairs in the claim's direction, `p_sign` and `p_permutation` (both two-sided),
        `p_corrected` (Holm, within the family of all distortions of one recipe, variant, network
        and role), `p_least` (the least p_corrected that n pairs can reach), `detectable` (the
        effect that n pairs of this spread would show with 80 % power) and the `verdict`:
        `"as claimed"`, `"opposite"` or `"open"`. What n < 3 cannot tell is NaN.

    Raises:
        SettingsError: as for `paired`, or resamples or seed are out of range.

    Sources: Efron 1987 (BCa interval); Holm 1979; Al-Khazraji, Abbas and Jamil 2022 (the claim).
    Introduced in notebook 05.
    """
    import pandas as pd

    check_range("resamples", resamples, 99)
    check_range("seed", seed, 0)
    keys = [*GROUP, "kind", "severity"]
    rows = []
    for key, pairs in paired(table, measure).groupby(keys, sort=False):
        tested = summary(pairs["effect"].to_numpy(), CLAIM[key[0]], resamples, seed)
        rows.append(dict(zip(keys, key, strict=True)) | tested)
    columns = [*keys, *summary(np.zeros(0), 1, resamples, seed)]
    found = pd.DataFrame(rows, columns=columns)
    families = found.groupby(GROUP, sort=False)
    found["p_corrected"] = families["p_permutation"].transform(holm)
    sizes = families["n"].transform("size")
    found["p_least"] = np.minimum(1, sizes * 2.0 ** (1 - found["n"])).where(found["n"] > 2)
    found["detectable"] = [
        detectable(*of) for of in zip(found["n"], found.pop("spread"), sizes, strict=True)
    ]
    found["verdict"] = [
        verdict(*of)
        for of in zip(found["effect"], found["p_corrected"], found["recipe"], strict=True)
    ]
    found.insert(0, "measure", measure)
    return found


def summary(values, claim, resamples, seed):
    """Effects of one distortion on (n,) pictures: their mean, interval, spread and tests."""
    low, high = interval(values, resamples, seed)
    return {
        "n": len(values),
        "effect": float(np.mean(values)) if len(values) else np.nan,
        "low": low,
        "high": high,
        "share": float(np.mean(claim * values > 0)) if len(values) else np.nan,
        "spread": float(np.std(values, ddof=1)) if len(values) > 1 else np.nan,
        "p_sign": sign_test(values),
        "p_permutation": flip_test(values, resamples, seed),
    }


def verdict(effect, p, recipe):
    """`"as claimed"`, `"opposite"`, or `"open"` where the corrected p is not below 0.05."""
    if not p < ALPHA or effect == 0:
        return "open"
    return "as claimed" if effect * CLAIM[recipe] > 0 else "opposite"


def per_cent(effect):
    """An effect, ln(ratio), as a change in per cent.

    >>> round(per_cent(np.log(0.8)))
    -20
    """
    return 100 * np.expm1(effect)


def by_nature(table, measure="end_relative", resamples=9999, seed=0):
    """The claim's other reading: do pictures that are cluttered by nature fare worse?

    Args:
        table: of a study, as for `paired`; only its clear cells are used.
        measure: one of `MEASURES`.
        resamples: of the bootstrap, and of the permutation test where it is not exact.
        seed: of both.

    Returns:
        A pandas DataFrame with a row for each recipe, variant, network and `pictures` (`"photo"`,
        `"scene"`, `"both"`): `n`, `rho`, the rank correlation of clutter and measure (Spearman),
        its 95 % bootstrap interval `low` to `high`, `p_permutation` (two-sided), `p_corrected`
        (Holm, over the three) and the `verdict` on the claim, as for `effects`. What n < 4
        pictures, or pictures all alike, cannot tell is NaN.

    Raises:
        SettingsError: as for `effects`.

    Source: Spearman 1904. Introduced in notebook 05.
    """
    import pandas as pd

    check_range("resamples", resamples, 99)
    check_range("seed", seed, 0)
    rows = []
    for key, group in ranked(table, measure).groupby(GROUP[:3], sort=False):
        for origin in ("photo", "scene", "both"):
            mine = group if origin == "both" else group[group["origin"] == origin]
            of = dict(zip(GROUP[:3], key, strict=True)) | dict(pictures=origin)
            rows.append(of | correlation(mine["clutter"], mine[measure], resamples, seed))
    columns = [*GROUP[:3], "pictures", *correlation([], [], resamples, seed)]
    found = pd.DataFrame(rows, columns=columns)
    tests = found.groupby(GROUP[:3], sort=False)["p_permutation"]
    found["p_corrected"] = tests.transform(holm)
    found["verdict"] = [
        verdict(*of) for of in zip(found["rho"], found["p_corrected"], found["recipe"], strict=True)
    ]
    found.insert(0, "measure", measure)
    return found


def ranked(table, measure):
    """Clear pictures with their clutter and their measure, averaged over styles and seeds."""
    values = logarithms(table, measure)
    if missing := [name for name in ("origin", "clutter") if name not in values]:
        raise SettingsError(
            f"The table has no column {missing[0]!r}: give one that run_study has made."
        )
    clear = values[(values["kind"] == "clear") & (values["role"] == "content")]
    unit = [*GROUP[:3], "origin", "picture"]
    found = clear.groupby(unit, as_index=False, sort=False)[["clutter", "log"]].mean()
    found[measure] = np.exp(found.pop("log"))
    return found
