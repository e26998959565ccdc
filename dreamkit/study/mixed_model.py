"""All distortions of a recipe in one mixed model.  (Notebook 05.)"""

import warnings

import numpy as np

from ..errors import SettingsError, check_choice
from .effects import CLAIM, logarithms


def mixed_model(table, measure, recipe, network, variant="base"):
    """Fit all distortions of a recipe at once, pictures being a random sample of pictures.

    ln(measure) = its value for the clear picture + a constant for each kind and, with several
    severities, a slope for each kind + a constant for each style, with several styles + a random
    constant for each picture. `effects` tests each kind by itself and decides; the model shows
    dose and response, and what one picture differs from another.

    Args:
        table: of a study, as for `paired`.
        measure: one of `MEASURES`.
        recipe, network, variant: which cells.

    Returns:
        A pandas DataFrame with a row for each term: `kind` (`"clear"` for the intercept,
        `"pictures"` for the standard deviation of the random constants), `term`
        (`"at severity 1"`, `"per unit of severity"`, …), `estimate`, `low`, `high` (95 %, by
        Wald), `p`, `n` cells, `converged` and `note`. If the fit did not converge, that is False,
        `note` says why, and the numbers are not to be trusted.

    Raises:
        SettingsError: as for `paired`, or there are fewer than 3 pictures or no distortion.

    Source: Laird and Ware 1982. Introduced in notebook 05.
    """
    check_choice("recipe", recipe, CLAIM)
    values = logarithms(table, measure)
    chosen = dict(recipe=recipe, network=network, variant=variant)
    for name, value in chosen.items():
        values = values[values[name] == value]
    kinds = [kind for kind in values["kind"].unique() if kind != "clear"]
    if values["picture"].nunique() < 3 or not kinds or "clear" not in set(values["kind"]):
        told = ", ".join(chosen.values())
        raise SettingsError(
            f"A mixed model of {told} needs clear and distorted cells of 3 pictures or more:"
            " choose another recipe, network or variant."
        )
    design = columns_of(values, kinds)
    return tidy(*fit(values["log"], design, values["picture"]), design, len(values))


def columns_of(values, kinds):
    """What the model's fixed part is made of: {(kind, term): a column}, as a DataFrame."""
    import pandas as pd

    columns = {("clear", "intercept"): np.ones(len(values))}
    for kind in kinds:
        mine = values["kind"] == kind
        columns[kind, "at severity 1"] = mine.astype(float)
        if values.loc[mine, "severity"].nunique() > 1:
            columns[kind, "per unit of severity"] = mine * (values["severity"] - 1)
        elif (only := values.loc[mine, "severity"].iloc[0]) != 1:
            columns[kind, f"at severity {only:g}"] = columns.pop((kind, "at severity 1"))
    for style in values["style"].unique()[1:]:
        columns["clear", f"style {style}"] = (values["style"] == style).astype(float)
    return pd.DataFrame({key: np.asarray(column) for key, column in columns.items()})


def fit(response, design, pictures):
    """The fitted MixedLM, None if there is none, and what went wrong ("" if nothing did)."""
    from statsmodels.regression.mixed_linear_model import MixedLM

    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            model = MixedLM(np.asarray(response), design.to_numpy(), groups=np.asarray(pictures))
            result = model.fit(reml=True)
        except (np.linalg.LinAlgError, ValueError) as error:
            return None, f"no fit: {error}"
    notes = [] if result.converged else ["the search for the best fit did not converge"]
    notes += [str(warning.message).splitlines()[0] for warning in told]
    return result, "; ".join(dict.fromkeys(notes))


def tidy(result, note, design, cells):
    """A fitted model as a table, one row for each term."""
    import pandas as pd

    found = pd.DataFrame(list(design.columns), columns=["kind", "term"])
    count = len(found)
    if result is None:
        found[["estimate", "low", "high", "p"]] = np.nan
    else:
        found["estimate"] = result.fe_params
        found[["low", "high"]] = np.asarray(result.conf_int())[:count]
        found["p"] = np.asarray(result.pvalues)[:count]
        between = float(np.sqrt(np.squeeze(result.cov_re)))
        found.loc[count] = ["pictures", "standard deviation", between, np.nan, np.nan, np.nan]
    return found.assign(n=cells, converged=bool(result and result.converged), note=note)
