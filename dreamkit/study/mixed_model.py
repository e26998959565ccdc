"""All distortions of a recipe in one mixed model.  (Notebook 06.)"""

import warnings

import numpy as np
import pandas as pd
from statsmodels.regression.mixed_linear_model import MixedLM

from ..errors import SettingsError, check_choice
from .effects import CLAIM, logarithms


def mixed_model(table, measure, recipe, network, variant="base"):
    """Fit all distortions of a recipe at once, with the pictures as a random sample.

    ln(measure) = the clear picture's value + a constant for each kind and, with several
    severities, a coefficient of severity for each kind + a constant for each style, with several
    styles + a random constant for each picture. The verdicts come from `effects`, which tests each
    kind separately; the model shows dose and response, and how much pictures differ from each
    other.

    Args:
        table: of a study, as for `paired`.
        measure: one of `MEASURES`.
        recipe, network, variant: which cells.

    Returns:
        A pandas DataFrame with a row for each term: `kind` (`"clear"` for the intercept,
        `"pictures"` for the standard deviation of the random constants), `term`
        (`"at severity 1"`, `"per unit of severity"`, …), `estimate`, `low`, `high` (95 %, Wald),
        `p`, `n` cells, `converged` and `note`. If the fit did not converge, `converged` is False,
        `note` says why, and the numbers cannot be trusted.

    Raises:
        SettingsError: as for `paired`, or there are fewer than 3 pictures or no distortion.

    Source: Laird and Ware 1982. Introduced in notebook 06's appendix.
    """
    check_choice("recipe", recipe, CLAIM)
    values, wanted = logarithms(table, measure), [recipe, network, variant]
    values = values[(values[["recipe", "network", "variant"]] == wanted).all(axis=1)]
    kinds = [kind for kind in values["kind"].unique() if kind != "clear"]
    if values["picture"].nunique() < 3 or not kinds or "clear" not in set(values["kind"]):
        raise SettingsError(
            f"A mixed model of {', '.join(wanted)} needs clear and distorted cells of at least 3"
            " pictures: choose another recipe, network or variant."
        )
    design = fixed_effects(values, kinds)
    return as_table(*fit(values["log"], design, values["picture"]), design, len(values))


def fixed_effects(values, kinds):
    """The model's fixed part, a DataFrame with a column for each (kind, term)."""
    columns = {("clear", "intercept"): np.ones(len(values))}
    for kind in kinds:
        is_kind = values["kind"] == kind
        severities = values.loc[is_kind, "severity"].unique()
        base = severities[0] if len(severities) == 1 else 1
        columns[kind, f"at severity {base:g}"] = is_kind.astype(float)
        if len(severities) > 1:
            columns[kind, "per unit of severity"] = is_kind * (values["severity"] - 1)
    for style in values["style"].unique()[1:]:
        columns["clear", f"style {style}"] = (values["style"] == style).astype(float)
    return pd.DataFrame({key: np.asarray(column) for key, column in columns.items()})


def fit(response, design, pictures):
    """The fitted MixedLM (None if the fit failed) and what went wrong ("" if nothing did)."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            model = MixedLM(np.asarray(response), design.to_numpy(), groups=np.asarray(pictures))
            result = model.fit(reml=True)
        except (np.linalg.LinAlgError, ValueError) as error:
            return None, f"no fit: {error}"
    notes = [] if result.converged else ["the search for the best fit did not converge"]
    notes += [str(warning.message).splitlines()[0] for warning in caught]
    return result, "; ".join(dict.fromkeys(notes))


def as_table(result, note, design, cells):
    """A fitted model as a DataFrame with a row for each term."""
    rows = pd.DataFrame(list(design.columns), columns=["kind", "term"])
    count = len(rows)
    if result is None:
        rows[["estimate", "low", "high", "p"]] = np.nan
    else:
        rows["estimate"] = result.fe_params
        rows[["low", "high"]] = np.asarray(result.conf_int())[:count]
        rows["p"] = np.asarray(result.pvalues)[:count]
        between = float(np.sqrt(np.squeeze(result.cov_re)))
        rows.loc[count] = ["pictures", "standard deviation", between, np.nan, np.nan, np.nan]
    return rows.assign(n=cells, converged=bool(result and result.converged), note=note)
