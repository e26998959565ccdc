"""Intervals, tests and power for (n,) effects, from SciPy and statsmodels.  (Notebook 05.)"""

import functools
import warnings

import numpy as np

ALPHA, POWER = 0.05, 0.8


def interval(values, resamples=9999, seed=0):
    """95 % bootstrap interval of a mean: BCa, or percentiles where BCa cannot be had.

    Args:
        values: (n,) effects; with n < 3 both ends are NaN.
        resamples, seed: of the bootstrap.

    Source: Efron 1987. Introduced in notebook 05.

    >>> interval(np.full(5, 0.5))
    (0.5, 0.5)
    """
    from scipy.stats import bootstrap

    if len(values) < 3:
        return np.nan, np.nan
    for method in ("BCa", "percentile"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # SciPy warns where BCa fails, and gives NaN
            found = bootstrap(
                (values,),
                np.mean,
                n_resamples=resamples,
                method=method,
                vectorized=True,
                **seeded(bootstrap, seed),
            ).confidence_interval
        if np.isfinite(found).all():
            break
    return float(found.low), float(found.high)


def seeded(function, seed):
    """The keyword that seeds a SciPy function: `rng`, before SciPy 1.15 `random_state`."""
    import inspect

    new = "rng" in inspect.signature(function).parameters
    return {"rng" if new else "random_state": np.random.default_rng(seed)}


def sign_test(values):
    """Two-sided p of as many rises and falls among (n,) effects; NaN if fewer than 3 differ."""
    from scipy.stats import binomtest

    changed = np.count_nonzero(values)
    if changed < 3:
        return np.nan
    return float(binomtest(int(np.sum(values > 0)), changed).pvalue)


def flip_test(values, resamples=9999, seed=0):
    """Two-sided p that a mean is 0: how often random signs give one as far off.

    Args:
        values: (n,) effects; with n < 3 the result is NaN.
        resamples, seed: where there are more than so many ways to flip signs, so many are drawn.

    Source: Fisher 1935 (Darwin's maize). Introduced in notebook 05.

    >>> flip_test(np.array([1.0, 2.0, 3.0, 4.0, 5.0]))  # 2 of 32 ways
    0.0625
    """
    from scipy.stats import permutation_test

    if len(values) < 3:
        return np.nan
    tested = permutation_test(
        (values,),
        lambda sample, axis: np.mean(sample, axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=resamples,
        **seeded(permutation_test, seed),
    )
    return float(tested.pvalue)


def holm(p_values):
    """p values corrected for their number; those that are NaN stay so and are not counted."""
    from statsmodels.stats.multitest import multipletests

    p_values = np.asarray(p_values, float)
    tested = np.isfinite(p_values)
    corrected = np.full(len(p_values), np.nan)
    if tested.any():
        corrected[tested] = multipletests(p_values[tested], method="holm")[1]
    return corrected


def detectable(n, spread, tests=1):
    """The effect that a t test of n pairs shows with 80 % power, at 5 % shared by all tests.

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
    """The effect that `detectable` gives for a spread of 1."""
    from statsmodels.stats.power import TTestPower

    found = TTestPower().solve_power(nobs=n, alpha=ALPHA / tests, power=POWER)
    return float(np.squeeze(found))


def correlation(clutter, values, resamples=9999, seed=0):
    """Spearman's correlation of two (n,) arrays, its bootstrap interval and permutation p."""
    from scipy.stats import bootstrap, permutation_test, rankdata

    x, y = rankdata(clutter), rankdata(values)
    if len(x) < 4 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return dict(n=len(x), rho=np.nan, low=np.nan, high=np.nan, p_permutation=np.nan)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # samples of one picture many times have no correlation
        limits = bootstrap(
            (x, y),
            spearman,
            paired=True,
            vectorized=True,
            n_resamples=resamples,
            method="percentile",
            **seeded(bootstrap, seed),
        ).bootstrap_distribution
    tested = permutation_test(
        (x,),
        lambda sample, axis: spearman(sample, y, axis),
        permutation_type="pairings",
        vectorized=True,
        n_resamples=resamples,
        **seeded(permutation_test, seed),
    )
    low, high = np.nanpercentile(limits, [2.5, 97.5])
    found = dict(n=len(x), rho=float(spearman(x, y, -1)), low=float(low), high=float(high))
    return found | dict(p_permutation=float(tested.pvalue))


def spearman(x, y, axis):
    """Spearman's correlation along an axis; NaN where all values are one."""
    from scipy.stats import rankdata

    x, y = (rankdata(values, axis=axis) for values in (x, y))
    x, y = (ranks - ranks.mean(axis, keepdims=True) for ranks in (x, y))
    return (x * y).sum(axis) / np.sqrt((x**2).sum(axis) * (y**2).sum(axis))
