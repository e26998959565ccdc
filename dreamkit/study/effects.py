"""Effects of distortions: paired, with intervals, tests and power.  (Notebook 06.)

An effect is ln(measure of the distorted / measure of the clear picture), so that halving and
doubling are equally far from 0. Pictures are the unit of replication: two seeds or two styles of
one picture are not two independent observations, and counting them as two would make every p value
too small (pseudo-replication; Hurlbert 1984). So they are averaged first.
"""

import numpy as np
import pandas as pd

from ..errors import SettingsError, check_choice, check_range
from .statistics import ALPHA, correlation, detectable, flip_test, holm, interval, sign_test

MEASURES = ("start_raw", "end_raw", "start_relative", "end_relative")
MEASURES += ("content_end", "style_start", "style_end")
GROUP = ["recipe", "variant", "network", "role"]  # for each measure, a family of tests
PAIR = [*GROUP, "style", "picture", "seed", "size", "steps"]  # equal for both cells of a pair
CLAIM = {"style": 1, "dream": -1}  # sign of the effect that the paper claims


def paired(table, measure="end_relative"):
    """Pair each distorted picture with its clear version, one row for each picture.

    Args:
        table: of a study; data/study/README.md explains its columns.
        measure: the column to compare, one of `MEASURES`.

    Returns:
        A pandas DataFrame: recipe, variant, network, role, kind, severity, picture, `clear` and
        `distorted` (geometric means over styles and seeds, so that a picture counts once), and
        `effect` = ln(distorted / clear). If the style picture is the distorted one, it is the
        unit, and `picture` holds its name. Cells without a partner are left out, and so are values
        without a logarithm (0, negative, missing).

    Raises:
        SettingsError: there is no such measure, or the table lacks a column.

    Source: Hurlbert 1984 (pseudo-replication). Introduced in notebook 06.

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
    means = pairs.groupby(unit, as_index=False, sort=False)[["log", "log_clear"]].mean()
    means["clear"], means["distorted"] = np.exp(means["log_clear"]), np.exp(means["log"])
    means["effect"] = means["log"] - means["log_clear"]
    return means[[*unit, "clear", "distorted", "effect"]]


def logarithms(table, measure, *columns):
    """The table, checked, with a column `log` = ln(measure), without the rows that have none."""
    check_choice("measure", measure, MEASURES)
    for name in (*PAIR, "kind", "severity", measure, *columns):
        if name not in table:
            raise SettingsError(f"The table has no column {name!r}: use a table from run_study.")
    values = table[measure].astype(float)
    usable = (values > 0) & np.isfinite(values)
    return table[usable].assign(log=np.log(values[usable]))


def as_claimed(table):
    """Count the pairs of a clear and a distorted picture that go the way the paper claims.

    Args:
        table: of a study, as for `paired`; only its base cells are used.

    Returns:
        A pandas DataFrame with a row for each kind of distortion and a column for each measure at
        the end, recipe and network; its values are texts such as "9 of 16". The claim is a higher
        style loss and a lower dream score for the distorted picture.

    Source: Al-Khazraji, Abbas and Jamil 2022. Introduced in notebook 06.
    """
    counts = {}
    for measure in ("end_raw", "end_relative"):
        pairs = paired(table[table["variant"] == "base"], measure)
        claimed = pairs["effect"] * pairs["recipe"].map(CLAIM) > 0
        groups = claimed.groupby([pairs[key] for key in ("kind", "recipe", "network")], sort=False)
        texts = groups.sum().astype(str) + " of " + groups.size().astype(str)
        counts[measure] = texts.unstack(["recipe", "network"])
    return pd.concat(counts, axis=1)


def effects(table, measure="end_relative", resamples=9999):
    """Estimate and test what each distortion does to a measure.

    Args:
        table: of a study, as for `paired`.
        measure: the column to compare, one of `MEASURES`.
        resamples: of the bootstrap, and of the permutation test if there are more sign flips than
            that (from 14 pairs on); otherwise the test is exact.

    Returns:
        A pandas DataFrame with a row for each recipe, variant, network, role, kind and severity:
        `n` pairs, their mean `effect`, the 95 % bootstrap interval `low` to `high`, the `share`
        of pairs in the claimed direction, `p_sign` and `p_permutation` (both two-sided),
        `p_corrected` (Holm, within the family of all distortions of one recipe, variant, network
        and role), `smallest_possible_p` (the smallest p_corrected that n pairs can give),
        `detectable` (the effect that n pairs with this spread would show with 80 % power) and the
        `verdict`: `"as claimed"`, `"opposite"` or `"open"`. Tests and intervals of n < 3 are NaN.

    Raises:
        SettingsError: as for `paired`, or `resamples` is out of range.

    Sources: Efron 1987 (BCa interval); Holm 1979; Al-Khazraji, Abbas and Jamil 2022 (the claim).
    Introduced in notebook 06.
    """
    check_range("resamples", resamples, 99)
    keys = [*GROUP, "kind", "severity"]
    rows = []
    for key, pairs in paired(table, measure).groupby(keys, sort=False):
        tests = summary(pairs["effect"].to_numpy(), CLAIM[key[0]], resamples)
        rows.append(dict(zip(keys, key, strict=True)) | tests)
    columns = [*keys, *summary(np.zeros(0), 1, resamples)]
    found = pd.DataFrame(rows, columns=columns)
    families = found.groupby(GROUP, sort=False)
    found["p_corrected"] = families["p_permutation"].transform(holm)
    n, tests = found["n"], families["n"].transform("size")
    found["smallest_possible_p"] = np.minimum(1, tests * 2.0 ** (1 - n)).where(n > 2)
    found["detectable"] = list(map(detectable, n, found.pop("spread"), tests))
    found["verdict"] = list(map(verdict, found["effect"], found["p_corrected"], found["recipe"]))
    found.insert(0, "measure", measure)
    return found


def summary(values, claim, resamples):
    """Mean, interval, spread and tests of one distortion's (n,) effects."""
    low, high = interval(values, resamples)
    return {
        "n": len(values),
        "effect": float(np.mean(values)) if len(values) else np.nan,
        "low": low,
        "high": high,
        "share": float(np.mean(claim * values > 0)) if len(values) else np.nan,
        "spread": float(np.std(values, ddof=1)) if len(values) > 1 else np.nan,
        "p_sign": sign_test(values),
        "p_permutation": flip_test(values, resamples),
    }


def verdict(effect, p, recipe):
    """`"as claimed"`, `"opposite"`, or `"open"` if the corrected p is not below 0.05."""
    if not p < ALPHA or effect == 0:
        return "open"
    return "as claimed" if effect * CLAIM[recipe] > 0 else "opposite"


def per_cent(effect):
    """An effect, ln(ratio), as a change in per cent.

    >>> round(per_cent(np.log(0.8)))
    -20
    """
    return 100 * np.expm1(effect)


def by_clutter(table, measure="end_relative", resamples=9999):
    """Test the claim's other reading: do clear pictures that are cluttered do worse?

    Args:
        table: of a study, as for `paired`; only its clear cells are used.
        measure: one of `MEASURES`.
        resamples: of the bootstrap, and of the permutation test where it is not exact.

    Returns:
        A pandas DataFrame with a row for each recipe, variant, network and `pictures` (`"photo"`,
        `"scene"`, `"both"`): `n`, `rho`, the rank correlation of clutter and measure (Spearman),
        its 95 % bootstrap interval `low` to `high`, `p_permutation` (two-sided), `p_corrected`
        (Holm, over the three) and the `verdict` on the claim, as for `effects`. With n < 4, or
        with pictures that are all alike, the numbers are NaN.

    Raises:
        SettingsError: as for `effects`.

    Source: Spearman 1904. Introduced in notebook 06's appendix.
    """
    check_range("resamples", resamples, 99)
    keys, rows = GROUP[:3], []
    for key, group in clear_pictures(table, measure).groupby(keys, sort=False):
        for origin in ("photo", "scene", "both"):
            points = group if origin == "both" else group[group["origin"] == origin]
            row = dict(zip(keys, key, strict=True)) | dict(pictures=origin)
            rows.append(row | correlation(points["clutter"], points[measure], resamples))
    found = pd.DataFrame(rows, columns=[*keys, "pictures", *correlation([], [])])
    tests = found.groupby(keys, sort=False)["p_permutation"]
    found["p_corrected"] = tests.transform(holm)
    found["verdict"] = list(map(verdict, found["rho"], found["p_corrected"], found["recipe"]))
    found.insert(0, "measure", measure)
    return found


def clear_pictures(table, measure):
    """Clear pictures with their clutter and their measure, averaged over styles and seeds."""
    values = logarithms(table, measure, "origin", "clutter")
    clear = values[(values["kind"] == "clear") & (values["role"] == "content")]
    unit = [*GROUP[:3], "origin", "picture"]
    means = clear.groupby(unit, as_index=False, sort=False)[["clutter", "log"]].mean()
    means[measure] = np.exp(means.pop("log"))
    return means
