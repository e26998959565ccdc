"""How many pairs of pictures go the way the paper claims.  (Notebook 05.)"""

PAIR = ["recipe", "variant", "network", "role", "style", "picture", "seed"]


def as_claimed(table):
    """Count the pairs of a clear and a distorted picture that go the way the paper claims.

    Args:
        table: of `run_study`.

    Returns:
        A pandas DataFrame of the base cells: for each kind of distortion (rows), measure at the
        end, recipe and network (columns) a text such as "9 of 16". Claimed is that a distorted
        picture ends with a higher style loss and a lower dream score.

    Source: Al-Khazraji, Abbas and Jamil 2022. Introduced in notebook 05.
    """
    import pandas as pd

    base = table[table["variant"] == "base"]
    clear = base[base["kind"] == "clear"]
    pairs = base[base["kind"] != "clear"].merge(clear, on=PAIR, suffixes=("", "_clear"))
    counts = {}
    for measure in ("end_raw", "end_relative"):
        higher = pairs[measure] > pairs[f"{measure}_clear"]
        lower = pairs[measure] < pairs[f"{measure}_clear"]
        claimed = higher.where(pairs["recipe"] == "style", lower)
        groups = claimed.groupby([pairs[key] for key in ("kind", "recipe", "network")], sort=False)
        told = groups.sum().astype(str) + " of " + groups.size().astype(str)
        counts[measure] = told.unstack(["recipe", "network"])
    return pd.concat(counts, axis=1)
