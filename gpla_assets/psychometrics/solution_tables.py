"""A rotated solution as tables."""

from __future__ import annotations

import numpy as np
import pandas as pd

from gpla_assets.psychometrics.frozen import FrozenSystem
from gpla_assets.psychometrics.purification import REMOVAL_COLUMNS, Purified, Solution
from gpla_assets.psychometrics.scoring import (
    bartlett_weights,
    keyed_means,
    regression_weights,
    standard_error,
    weighted_scores,
)


def factor_labels(solution: Solution) -> list[str]:
    """F1, F2, ... by the variance that the factors explain."""
    return [f"F{n + 1}" for n in range(solution.rotated.pattern.shape[1])]


def loadings_table(solution: Solution) -> pd.DataFrame:
    """One row per value and factor: pattern, structure, key, communality and complexity."""
    rotated = solution.rotated
    n_values, n_found = rotated.pattern.shape
    return pd.DataFrame(
        {
            "factor": np.tile(factor_labels(solution), n_values),
            "value": np.repeat(np.asarray(solution.values, dtype=object), n_found),
            "loading": rotated.pattern.ravel(),
            "structure": rotated.structure.ravel(),
            "is_primary": (np.arange(n_found) == solution.primary[:, None]).ravel(),
            "keyed": np.where(rotated.pattern < 0, -1, 1).ravel(),
            "communality": np.repeat(rotated.communalities, n_found),
            "complexity": np.repeat(rotated.complexity, n_found),
            "kept": True,
        }
    )


def factor_correlations_table(solution: Solution) -> pd.DataFrame:
    """One row per ordered pair of factors; the identity for an orthogonal rotation."""
    names = factor_labels(solution)
    return pd.DataFrame(
        {
            "factor_a": np.repeat(names, len(names)),
            "factor_b": np.tile(names, len(names)),
            "r": solution.rotated.phi.ravel(),
        }
    )


def removals_table(values: pd.DataFrame, purified: Purified) -> pd.DataFrame:
    """One row per value left out: in round 0 before the first extraction, then round by round."""
    early = values.loc[values["status"] != "usable", ["value", "status"]]
    early = early.rename(columns={"status": "reason"}).assign(round=0)
    frames = [early.reindex(columns=REMOVAL_COLUMNS), purified.removals]
    frames = [frame.astype(object) for frame in frames if len(frame)]
    joined = pd.concat(frames, ignore_index=True) if frames else early
    numbers = dict.fromkeys(("loading", "gap", "alpha", "alpha_without"), float)
    return joined.reindex(columns=REMOVAL_COLUMNS).astype(numbers | {"round": int})


def factor_scores(
    filled: pd.DataFrame,
    usable: pd.DataFrame,
    frozen: FrozenSystem,
    solution: Solution,
    reliabilities: pd.DataFrame,
) -> pd.DataFrame:
    """Per subject and factor: the study's score, and the keyed mean, regression and Bartlett's.

    `standard_error` is that of measurement of the keyed mean, by alpha. Values without a
    measurement are skipped in the mean; for the other two they are imputed (`filled`).
    """
    values, rotated = solution.values, solution.rotated
    rows = keyed_means(usable, frozen.keys).rename(columns={"score": "keyed_mean"})
    # of the imputed scores, since these are what the weights are multiplied with
    matrix = filled[values].corr().fillna(0.0).to_numpy()
    weights = {
        "regression": regression_weights(matrix, rotated.structure),
        "bartlett": bartlett_weights(rotated.pattern, 1 - rotated.communalities),
    }
    for method, found in weights.items():
        table = pd.DataFrame(found, values, factor_labels(solution))
        wide = weighted_scores(filled, frozen.means, frozen.sds, table)
        long = wide.rename_axis("subject_id").reset_index()
        long = long.melt("subject_id", var_name="factor", value_name=method)
        rows = rows.merge(long, on=["subject_id", "factor"], how="left")
    rows["score"] = rows[frozen.factor_score]
    alphas = reliabilities.set_index("factor")["alpha"]
    errors = {
        factor: standard_error(own["keyed_mean"], alphas.get(factor))
        for factor, own in rows.groupby("factor")
    }
    rows["standard_error"] = rows["factor"].map(errors).astype(float)
    columns = ["subject_id", "factor", "score", "keyed_mean", "regression", "bartlett"]
    return rows[[*columns, "standard_error", "n_values"]]
