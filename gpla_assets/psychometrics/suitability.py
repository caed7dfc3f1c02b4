"""Whether a subject x value matrix is fit for factor analysis."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import chdtrc

from gpla_assets.psychometrics.correlation import Correlations

SINGULAR = 1e-8
UNACCEPTABLE = 0.5
LARGEST_P = 0.05


@dataclass(frozen=True)
class Bartlett:
    """Bartlett's test of sphericity: chi2 with df degrees of freedom."""

    chi2: float
    df: int
    p: float


def kmo(correlations: np.ndarray) -> tuple[float | None, np.ndarray]:
    """Kaiser, Meyer and Olkin's sampling adequacy, overall and per value (Kaiser and Rice, 1974).

    `correlations` (n_values, n_values). Squared correlations over squared correlations plus
    squared partial correlations. None and NaNs where the matrix is singular: no partial
    correlations exist then (more values than subjects, or a mended matrix).
    """
    if len(correlations) < 2 or np.linalg.eigvalsh(correlations).min() < SINGULAR:
        return None, np.full(len(correlations), np.nan)
    inverse = np.linalg.inv(correlations)
    scale = np.sqrt(np.diag(inverse))
    partial = inverse / np.outer(scale, scale)
    off = ~np.eye(len(correlations), dtype=bool)
    r2, partial2 = (correlations**2 * off).sum(axis=0), (partial**2 * off).sum(axis=0)
    return float(r2.sum() / (r2.sum() + partial2.sum())), r2 / (r2 + partial2)


def bartlett(correlations: np.ndarray, n_subjects: float) -> Bartlett | None:
    """Bartlett's (1950) test that values are uncorrelated; None for a singular matrix.

    chi2 = -(n - 1 - (2p + 5) / 6) ln|R| with p (p - 1) / 2 degrees of freedom.
    """
    p = len(correlations)
    # fewer subjects than values may have an invertible pairwise matrix, whose chi2 means nothing
    if p < 2 or np.linalg.eigvalsh(correlations).min() < SINGULAR or n_subjects <= p:
        return None
    statistic = -(n_subjects - 1 - (2 * p + 5) / 6) * float(np.linalg.slogdet(correlations)[1])
    df = p * (p - 1) // 2
    return Bartlett(statistic, df, float(chdtrc(df, statistic)))


def value_suitability(
    scores: pd.DataFrame,
    minimum_coverage: float,
    maximum_same: float,
    counts: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Per value: n_subjects, coverage, sd, share of its most frequent score, and its status.

    `scores` (n_subjects, n_values); `counts` (same shape) the measurements behind each cell, of
    which `per_cell` is the median over measured subjects. The status is `usable`, or why the value
    is left out before the first extraction: not measured, measured in too few subjects, constant,
    nearly constant.
    """
    measured, coverage, sd = scores.notna().sum(), scores.notna().mean(), scores.std()
    # neither zeros alone nor a column without a score has a second score
    same = scores.apply(lambda one: one.value_counts(normalize=True).max() if one.any() else 1.0)
    same = same.astype(float)
    # relative to the scores' size, so that the unit of a value changes nothing
    still = ~(sd > 1e-12 * scores.abs().max().clip(lower=1e-300))
    # of several reasons the last one written stays: the plainest comes last
    status = pd.Series("usable", scores.columns, dtype=object)
    status[same > maximum_same] = [
        f"nearly constant: {share:.0%} of its subjects have the same score, "
        f"above {maximum_same:.0%}"
        for share in same[same > maximum_same]
    ]
    status[still] = "constant over subjects"
    sparse = coverage < minimum_coverage
    status[sparse] = [
        f"measured in {share:.0%} of subjects, below {minimum_coverage:.0%}"
        for share in coverage[sparse]
    ]
    status[measured == 0] = "not measured in any subject"
    return pd.DataFrame(
        {
            "value": scores.columns,
            "n_subjects": measured.to_numpy(),
            "coverage": coverage.to_numpy(),
            "sd": sd.to_numpy(),
            "per_cell": _per_cell(scores, counts),
            "same_share": same.to_numpy(),
            "status": status.to_numpy(),
        }
    )


def _per_cell(scores: pd.DataFrame, counts: pd.DataFrame | None) -> np.ndarray:
    if counts is None:
        return np.full(scores.shape[1], np.nan)
    known = counts.reindex(index=scores.index, columns=scores.columns)
    found: np.ndarray = known.where(scores.notna()).median().to_numpy(float)
    return found


def suitability(
    scores: pd.DataFrame, found: Correlations, values: pd.DataFrame, n_llms: int | None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One row on the whole matrix, and `values` with the KMO of each usable value.

    `scores` are the usable values' scores (n_subjects, n_values) that `found` was made of.
    """
    matrix = found.matrix.to_numpy()
    # lifted eigenvalues give partial correlations that are not of the data
    overall, each = (None, np.full(len(matrix), np.nan)) if found.mended else kmo(matrix)
    test = None if found.mended else bartlett(matrix, found.n)
    n, p = scores.shape
    row = {
        "n_subjects": n,
        "n_llms": n_llms,
        "n_values": p,
        "ratio": n / p,
        "kmo": overall,
        "bartlett_chi2": test.chi2 if test else None,
        "bartlett_df": test.df if test else None,
        "bartlett_p": test.p if test else None,
        "n_per_pair": found.n,
        "missing_cells": found.n_missing,
        "missing_share": found.n_missing / scores.size,
        "missing_method": found.method if found.n_missing else "none missing",
        "smallest_eigenvalue": found.smallest_eigenvalue,
        "mended": "spectral (Rebonato and Jäckel, 1999)" if found.mended else None,
        "values_left_out": int((values["status"] != "usable").sum()),
    }
    per_value = values.set_index("value")
    per_value["kmo"] = pd.Series(each, found.matrix.index)
    return pd.DataFrame([row]), per_value.reset_index()


def suitability_cautions(whole: pd.DataFrame) -> list[str]:
    """What Kaiser (1974) says of a sampling adequacy that is too low or unknown, and Bartlett's p.

    `whole` is the one row of `suitability`.
    """
    row = whole.iloc[0]
    if row.kmo is None:
        return ["The correlation matrix is singular: no KMO and no Bartlett's test."]
    cautions = []
    if row.kmo < UNACCEPTABLE:
        cautions.append(
            f"KMO {row.kmo:.2f} is below {UNACCEPTABLE:.2f}, which Kaiser called unacceptable: the "
            "values share too little for factors."
        )
    if row.bartlett_p is not None and row.bartlett_p > LARGEST_P:
        cautions.append(
            f"Bartlett's test does not show that values correlate at all (p = {row.bartlett_p:.2f},"
            f" above {LARGEST_P}): factors of such a matrix are of chance."
        )
    return cautions
