"""Intervals, tests and power for (n,) effects, from SciPy and statsmodels.  (Notebook 05.)"""

import functools
import inspect
import warnings

import numpy as np
from scipy.stats import binomtest, bootstrap, permutation_test, rankdata
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestPower

ALPHA, POWER = 0.05, 0.8


def interval(values, resamples=9999, seed=0):
    """95 % bootstrap interval of a mean: BCa, or percentiles where BCa is undefined.

    Args:
        values: (n,) effects; with n < 3 both ends are NaN.
        resamples, seed: of the bootstrap.

    Source: Efron 1987. Introduced in notebook 05.

    >>> interval(np.full(5, 0.5))
    (0.5, 0.5)
    """
    if len(values) < 3:
        return np.nan, np.nan
    options = dict(n_resamples=resamples, vectorized=True)
    for method in ("BCa", "percentile"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # SciPy warns where BCa fails, and returns NaN
            result = bootstrap(
                (values,), np.mean, method=method, **options, **seeded(bootstrap, seed)
            )
        low, high = map(float, result.confidence_interval)
        if np.isfinite([low, high]).all():
            break
    return low, high


def seeded(function, seed):
    """The keyword that seeds a SciPy function: `rng`, or `random_state` before SciPy 1.15."""
    new = "rng" in inspect.signature(function).parameters
    return {"rng" if new else "random_state": np.random.default_rng(seed)}


def sign_test(values):
    """Two-sided p of a sign test on (n,) effects; zeros don't count, NaN with fewer than 3 left."""
    changed = np.count_nonzero(values)
    if changed < 3:
        return np.nan
    return float(binomtest(int(np.sum(values > 0)), changed).pvalue)


def flip_test(values, resamples=9999, seed=0):
    """Two-sided p of a mean of 0: how often random signs give a mean at least as far from 0.

    Args:
        values: (n,) effects; with n < 3 the result is NaN.
        resamples, seed: if there are more ways to flip the signs than `resamples`, that many are
            drawn at random.

    Source: Fisher 1935 (Darwin's maize). Introduced in notebook 05.

    >>> flip_test(np.array([1.0, 2.0, 3.0, 4.0, 5.0]))  # 2 of 32 ways
    0.0625
    """
    if len(values) < 3:
        return np.nan
    return _permutation_p(values, np.mean, "samples", resamples, seed)


def _permutation_p(values, statistic, kind, resamples, seed):
    """Two-sided p of SciPy's permutation test, exact where `resamples` allows."""
    options = dict(permutation_type=kind, vectorized=True, n_resamples=resamples)
    options |= seeded(permutation_test, seed)
    return float(permutation_test((values,), statistic, **options).pvalue)


def holm(p_values):
    """Correct p values for the number of tests; NaNs stay NaN and don't count."""
    p_values = np.asarray(p_values, float)
    tested = np.isfinite(p_values)
    corrected = np.full(len(p_values), np.nan)
    if tested.any():
        corrected[tested] = multipletests(p_values[tested], method="holm")[1]
    return corrected


def detectable(n, spread, tests=1):
    """The effect that a t test on n pairs detects with 80 % power, at 5 % for all tests together.

    Args:
        n: pairs; with n < 3 the result is NaN.
        spread: standard deviation of their effects.
        tests: how many share the 5 % (the first step of Holm's correction).

    Source: Cohen 1988. Introduced in notebook 05.

    >>> round(detectable(16, 0.1), 3)
    0.075
    """
    return standard_effect(int(n), int(tests)) * spread if n > 2 else np.nan


@functools.lru_cache(maxsize=256)
def standard_effect(n, tests):
    """The `detectable` effect for a spread of 1."""
    effect = TTestPower().solve_power(nobs=n, alpha=ALPHA / tests, power=POWER)
    return float(np.squeeze(effect))


def correlation(clutter, values, resamples=9999, seed=0):
    """Spearman's correlation of two (n,) arrays, with bootstrap interval and permutation p."""
    x, y = rankdata(clutter), rankdata(values)
    if len(x) < 4 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return dict(n=len(x), rho=np.nan, low=np.nan, high=np.nan, p_permutation=np.nan)
    options = dict(paired=True, vectorized=True, n_resamples=resamples, method="percentile")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a resample of equal values has no correlation
        resampled = bootstrap((x, y), spearman, **options, **seeded(bootstrap, seed))
    low, high = map(float, np.nanpercentile(resampled.bootstrap_distribution, [2.5, 97.5]))
    p = _permutation_p(x, functools.partial(spearman, y), "pairings", resamples, seed)
    return dict(n=len(x), rho=float(spearman(x, y, -1)), low=low, high=high, p_permutation=p)


def spearman(x, y, axis):
    """Spearman's correlation along an axis; NaN where all values are equal."""
    x, y = (rankdata(values, axis=axis) for values in (x, y))
    x, y = (ranks - ranks.mean(axis, keepdims=True) for ranks in (x, y))
    return (x * y).sum(axis) / np.sqrt((x**2).sum(axis) * (y**2).sum(axis))
