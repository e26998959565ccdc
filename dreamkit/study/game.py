"""Does the picture help?  The pooled answers of the game.  (Notebook 04.)

What is sampled decides what is counted. If the question is about channels, twenty answers about one
channel are one observation, not twenty. So answers are averaged first: for each channel over the
players, or for each player over the channels.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from ..errors import SettingsError, check_choice, check_range
from .statistics import flip_test, interval

CHANCE = 0.5
NEEDED = ("player", "channel", "canvas", "right")


def game_results(table, over="channel", resamples=9999):
    """How many answers are right with each kind of picture, and by how much they differ.

    Args:
        table: of `dreamkit.widgets.game`: a pandas DataFrame, a CSV file, or a folder of them.
        over: what counts as one observation: "channel", to say something about other channels, or
            "player", to say something about other players.
        resamples: of the bootstrap, and of the permutation test if it is not exact.

    Returns:
        A pandas DataFrame with a row for each canvas and, for two or more, one for each pair of
        them: `n` channels or players, the number of `answers`, the `share` of right ones (or the
        difference of the two shares, paired), its 95 % interval `low` to `high`, and `p`
        (permutation test, two-sided) of a share of 0.5 or a difference of 0. The interval is exact
        (Clopper and Pearson) where each observation is one answer or many equal ones, and else a
        bootstrap's. With n < 3, it and p are NaN.

    Raises:
        SettingsError: no such file, or not a table of the game.

    Source: Borowski et al. 2021. Introduced in notebook 04.

    >>> rows = [("ann", f"mixed4 {n}", "pixels", n % 2) for n in range(4)]
    >>> rows += [("bob", f"mixed4 {n}", "spectrum", 1) for n in range(4)]
    >>> table = pd.DataFrame(rows, columns=["player", "channel", "canvas", "right"])
    >>> game_results(table)["share"].tolist()
    [0.5, 1.0, 0.5]
    """
    check_choice("over", over, ("channel", "player"))
    check_range("resamples", resamples, 99)
    answers = read(table)
    shares = answers.groupby([over, "canvas"])["right"].mean().unstack("canvas")
    counts = answers["canvas"].value_counts()
    rows = {
        canvas: dict(answers=counts[canvas]) | _share(shares[canvas].dropna(), resamples)
        for canvas in shares
    }
    for number, first in enumerate(shares):
        for second in shares.columns[number + 1 :]:
            difference = (shares[second] - shares[first]).dropna().to_numpy()
            both = answers[answers["canvas"].isin([first, second])][over]
            paired = int(both.isin(shares[[first, second]].dropna().index).sum())
            rows[f"{second} − {first}"] = dict(answers=paired) | _difference(difference, resamples)
    found = pd.DataFrame(rows).T.astype({"answers": int, "n": int})
    return found[["n", "answers", "share", "low", "high", "p"]]


def read(table):
    """The answers as a DataFrame, checked."""
    if not isinstance(table, pd.DataFrame):
        path = Path(table)
        files = sorted(path.glob("*.csv")) if path.is_dir() else [path]
        if not files or not files[0].is_file():
            raise SettingsError(f"There are no answers at {path}: play the game first.")
        try:
            table = pd.concat([pd.read_csv(file, keep_default_na=False) for file in files])
        except (OSError, ValueError) as error:
            raise SettingsError(f"{path} cannot be read as a table: {error}.") from None
    for name in NEEDED:
        if name not in table:
            raise SettingsError(f"The table has no column {name!r}: use a table of the game.")
    right = pd.to_numeric(table["right"], errors="coerce")
    if not len(table) or not right.isin([0, 1]).all():
        raise SettingsError("The column 'right' must hold a 0 or a 1 for every answer.")
    return table.assign(right=right.astype(float))


def _share(shares, resamples):
    """A mean of (n,) shares, with its interval and a test of chance."""
    shares = shares.to_numpy()
    n, low, high = len(shares), *interval(shares, resamples)
    if n > 2 and np.isin(shares, (0, 1)).all():
        low, high = binomtest(int(shares.sum()), n).proportion_ci()
    return dict(
        n=n, share=shares.mean(), low=low, high=high, p=flip_test(shares - CHANCE, resamples)
    )


def _difference(values, resamples):
    """A mean of (n,) paired differences, with its interval and a test of 0."""
    low, high = interval(values, resamples)
    mean = values.mean() if len(values) else np.nan
    return dict(n=len(values), share=mean, low=low, high=high, p=flip_test(values, resamples))
