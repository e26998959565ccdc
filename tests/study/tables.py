"""Tables like those of a study, with planted effects."""

import itertools

import numpy as np
import pandas as pd

KINDS = ("blur", "noise", "lines")


def study_table(
    effect=None, pictures=16, kinds=KINDS, severities=(0.5, 1.0), noise=0.05, seed=0, **given
):
    """A study's table with planted effects, {kind: ln(ratio) at severity 1}."""
    rng = np.random.default_rng(seed)
    effect, rows = effect or {}, []
    shared = dict(recipe="style", variant="base", network="vgg16", role="content", style="oil")
    shared |= dict(seed=0, size=96, steps=25) | given
    for number in range(pictures):
        level, name = rng.normal(1, 0.6), f"picture {number}"
        about = dict(picture=name, origin="photo" if number % 2 else "scene", clutter=rng.random())
        for kind, severity in [("clear", 0.0), *itertools.product(kinds, severities)]:
            log = level + severity * effect.get(kind, 0) + rng.normal(0, noise)
            value = float(np.exp(log))
            measures = dict(end_relative=value, end_raw=1e6 * value, start_relative=2 * value)
            measures |= dict(start_raw=3.0, content_end=0.0, style_start=1.0, style_end=np.nan)
            rows.append(shared | about | dict(kind=kind, severity=severity) | measures)
    return pd.DataFrame(rows)
