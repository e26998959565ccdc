"""Intervals, tests and power for (n,) effects, mostly from SciPy and statsmodels.  (Notebook 06.)

With fewer than 3 effects, results are NaN.
"""

import functools
import inspect
import warnings

import numpy as np
from scipy.stats import binomtest, bootstrap, permutation_test, rankdata
from statsmodels.stats.power import TTestPower

ALPHA, POWER = 0.05, 0.8
# SciPy 1.15 renamed this keyword.
RNG = "rng" if "rng" in inspect.signature(bootstrap).parameters else "random_state"


def interval(values, resamples=9999):
    """95 % bootstrap interval of a mean: BCa, or percentiles where BCa is undefined.

    Source: Efron 1987. Introduced in notebook 06.

    >>> interval(np.full(5, 0.5))
    (0.5, 0.5)
    """
    if len(values) < 3:
        return np.nan, np.nan
    for method in ("BCa", "percentile"):
        result = _resample(bootstrap, (values,), np.mean, resamples, method=method)
        low, high = map(float, result.confidence_interval)
        if np.isfinite([low, high]).all():
            break
    return low, high


def _resample(test, data, statistic, resamples, **options):
    """SciPy's bootstrap or permutation test, seeded; NaN comes without a warning."""
    options |= {"vectorized": True, "n_resamples": resamples, RNG: np.random.default_rng(0)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return test(data, statistic, **options)


def sign_test(values):
    """Two-sided p of a sign test on (n,) effects; zeros don't count."""
    changed = np.count_nonzero(values)
    if changed < 3:
        return np.nan
    return float(binomtest(int(np.sum(values > 0)), changed).pvalue)


def flip_test(values, resamples=9999):
    """Two-sided p of a mean of 0: how often random signs give a mean at least as far from 0.

    Exact if there are at most `resamples` ways to flip the signs; otherwise that many are drawn.
    Source: Fisher 1935 (Darwin's maize). Introduced in notebook 06.

    >>> flip_test(np.array([1.0, 2.0, 3.0, 4.0, 5.0]))  # 2 of 32 ways
    0.0625
    """
    if len(values) < 3:
        return np.nan
    options = dict(permutation_type="samples")
    return float(_resample(permutation_test, (values,), np.mean, resamples, **options).pvalue)


def holm(p_values):
    """Correct p values for the number of tests; NaNs stay NaN and don't count.

    Source: Holm 1979.
    """
    # statsmodels' `multipletests` gives the same, but first collects all of Python's garbage, and
    # for each family of tests that takes longer than all of its intervals.
    p_values = np.asarray(p_values, float)
    order = np.argsort(p_values)[: np.isfinite(p_values).sum()]  # NaNs come last
    tests_left = np.arange(len(order), 0, -1)
    corrected = np.full(len(p_values), np.nan)
    corrected[order] = np.minimum(np.maximum.accumulate(tests_left * p_values[order]), 1)
    return corrected


def detectable(n, spread, tests=1):
    """The effect that a t test on n pairs detects with 80 % power, at 5 % for all tests together.

    Args:
        n: number of pairs.
        spread: standard deviation of their effects.
        tests: how many share the 5 % (the first step of Holm's correction).

    Source: Cohen 1988. Introduced in notebook 06's appendix.

    >>> round(detectable(16, 0.1), 3)
    0.075
    """
    return standard_effect(int(n), int(tests)) * spread if n > 2 else np.nan


@functools.lru_cache(maxsize=256)
def standard_effect(n, tests):
    """The `detectable` effect for a spread of 1."""
    effect = TTestPower().solve_power(nobs=n, alpha=ALPHA / tests, power=POWER)
    return float(np.squeeze(effect))


def correlation(clutter, values, resamples=9999):
    """Spearman's correlation of two (n,) arrays, with bootstrap interval and permutation p."""
    x, y = rankdata(clutter), rankdata(values)
    if len(x) < 4 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return dict(n=len(x), rho=np.nan, low=np.nan, high=np.nan, p_permutation=np.nan)
    options = dict(paired=True, method="percentile")
    resampled = _resample(bootstrap, (x, y), spearman, resamples, **options)
    # A resample of equal values has no correlation.
    low, high = map(float, np.nanpercentile(resampled.bootstrap_distribution, [2.5, 97.5]))
    with_y, options = functools.partial(spearman, y), dict(permutation_type="pairings")
    p = float(_resample(permutation_test, (x,), with_y, resamples, **options).pvalue)
    return dict(n=len(x), rho=float(spearman(x, y, -1)), low=low, high=high, p_permutation=p)


def spearman(x, y, axis):
    """Spearman's correlation along an axis; NaN where all values are equal."""
    x, y = (rankdata(values, axis=axis) for values in (x, y))
    x, y = (ranks - ranks.mean(axis, keepdims=True) for ranks in (x, y))
    return (x * y).sum(axis) / np.sqrt((x**2).sum(axis) * (y**2).sum(axis))
