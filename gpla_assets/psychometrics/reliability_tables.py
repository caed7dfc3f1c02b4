"""Reliability of each factor and of its values, as tables."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from gpla_assets.psychometrics.correlation import Correlations
from gpla_assets.psychometrics.reliability import Reliability, reliability_of, value_reliabilities
from gpla_assets.studies.structure import StructureSettings

LEADING_VALUES = 3
COEFFICIENTS = (
    *("alpha", "ci_low", "ci_high", "alpha_standardised", "omega", "omega_observed"),
    *("split_half", "split_half_low", "split_half_high", "mean_r"),
)


def reliability_tables(
    found: Correlations, loadings: pd.DataFrame, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One row per factor with its coefficients, and one per factor and value of it.

    All are of one sample: the one that the correlations that were factored are of. Where these
    are polychoric, so is omega; alpha and halves
    are of the scores.
    """
    n, covariance = len(found.filled), found.covariance
    rows, each = [], []
    for factor, all_rows in loadings.groupby("factor", sort=False):
        own = all_rows[all_rows["is_primary"]].sort_values("loading", key=abs, ascending=False)
        keys = own.set_index("value")["keyed"]
        one = None
        if len(keys) > 1:
            one = reliability_of(covariance, found.matrix, keys, n, found.sample, seed)
        if len(keys):
            each.append(value_reliabilities(covariance, keys).assign(factor=factor))
        # pattern times structure adds up to the communalities, where factors are oblique too
        explained = float((all_rows["loading"] * all_rows["structure"]).sum())
        rows.append(
            {
                "factor": factor,
                "name": " / ".join(own["value"].head(LEADING_VALUES)) or "(no value)",
                "n_values": len(own),
                "n_subjects": n,
                "subjects_used": found.sample,
                **_coefficients(one),
                "variance_explained": explained / all_rows["value"].nunique(),
            }
        )
    columns = ["factor", "value", "r_rest", "alpha_without"]
    joined = pd.concat(each, ignore_index=True) if each else pd.DataFrame(columns=columns)
    return pd.DataFrame(rows), joined[columns]


def _coefficients(one: Reliability | None) -> dict[str, float | None]:
    return {name: getattr(one, name, None) for name in COEFFICIENTS}


def variance_table(loadings: pd.DataFrame) -> pd.DataFrame:
    """Per factor what it explains: factor, ss_loadings, share, cumulative, share_of_common.

    `loadings` has columns factor, value, loading, structure. Sums of squared loadings, of oblique
    factors pattern times structure; shares of all values' variance, and of that in common.
    """
    product = loadings["loading"] * loadings["structure"]
    sums = product.groupby(loadings["factor"], sort=False).sum()
    share = sums / loadings["value"].nunique()
    return pd.DataFrame(
        {
            "factor": sums.index.to_numpy(),
            "ss_loadings": sums.to_numpy(),
            "share": share.to_numpy(),
            "cumulative": share.cumsum().to_numpy(),
            "share_of_common": (sums / sums.sum()).to_numpy(),
        }
    )


def with_cautions(
    reliabilities: pd.DataFrame,
    shape: tuple[int, int],
    settings: StructureSettings,
    cautions: Sequence[str],
) -> pd.DataFrame:
    """`reliabilities` with whether each factor is interpretable and what a reader must know.

    `shape` is (n_subjects, n_values); `cautions` hold of the whole matrix.
    """
    n, p = shape
    said = [
        " ".join([*cautions, *alpha_cautions(row.factor, row, settings.minimum_alpha)]) or None
        for row in reliabilities.itertuples()
    ]
    # decision 0008: computed whatever the ratio, and said where it is too small
    return reliabilities.assign(interpretable=n / p >= settings.minimum_ratio, caution=said)


def alpha_cautions(name: object, row: object, minimum: float) -> list[str]:
    """What an alpha that is missing, negative or low says of the factor called `name`."""
    alpha, n_values = getattr(row, "alpha", None), getattr(row, "n_values", 0)
    if alpha is None or np.isnan(alpha):
        return [f"Alpha needs two values that vary together; {name} has {n_values}."]
    if alpha < 0:
        return [
            f"Alpha of {name} is {alpha:.2f}, below 0: its values vary against one another even "
            "as they are keyed (scores that sum to a constant do); they are no scale."
        ]
    if alpha < minimum:
        return [f"Alpha of {name} is {alpha:.2f}, below {minimum:.2f}."]
    return []
