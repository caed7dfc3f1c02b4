"""Correlations between values over subjects, some cells missing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from gpla_assets.psychometrics.pairwise import pairwise_correlation, pairwise_covariance
from gpla_assets.psychometrics.polychoric import Polychoric
from gpla_assets.studies.structure import CorrelationName, Missing

SMALLEST_EIGENVALUE = 1e-6
EM_ROUNDS, EM_TOLERANCE, EM_RIDGE = 200, 1e-4, 1e-6


@dataclass(frozen=True)
class Correlations:
    """A positive semi-definite correlation matrix and how it came about."""

    matrix: pd.DataFrame
    covariance: pd.DataFrame
    pairs: pd.DataFrame
    filled: pd.DataFrame
    method: Missing
    n_missing: int
    smallest_eigenvalue: float
    mended: bool
    kind: CorrelationName = "pearson"

    @property
    def sample(self) -> str:
        """Which subjects everything is of, and how their missing cells are handled."""
        if self.method == "listwise":
            return "complete cases"
        return self.method if self.n_missing else "all subjects"

    @property
    def n(self) -> float:
        """Subjects behind the median pair of values; all of them where cells were imputed.

        A half more than a number where an even number of pairs has two in their middle.
        """
        return float(np.median(self.pairs.to_numpy()[np.triu_indices(len(self.pairs), 1)]))


def correlations(
    scores: pd.DataFrame,
    method: Missing = "pairwise",
    known: pd.DataFrame | None = None,
    kind: CorrelationName = "pearson",
) -> Correlations:
    """Correlations (n_values, n_values) of `scores` (n_subjects, n_values), NaN where missing.

    `pairwise`: over the subjects that have both values; `listwise` likewise, of scores that have
    no missing cell any more. `mean`: missing cells take the value's
    mean first. `em`: maximum likelihood under a normal distribution (Dempster, Laird and Rubin,
    1977). `known` (value_a, value_b, r, n) are pairwise correlations that a database computed of
    the same scores: each is taken that rests on as many subjects. `filled` are the scores with
    missing cells imputed: by the mean, or by EM's expectation. Of `kind` polychoric the matrix
    alone is, over pairs; the covariances stay those of the scores.
    """
    n_missing = int(scores.isna().to_numpy().sum())
    names = scores.columns
    if method == "em" and n_missing:
        # decision 0008: EM and means are choices, pairwise is what is done unasked
        filled, covariance = expectation_maximisation(scores.to_numpy(float))
        pairs = np.full((len(names), len(names)), len(scores))
    else:
        filled = scores.fillna(scores.mean()).to_numpy(float)
        covariance, pairs = pairwise_covariance(
            filled if method == "mean" else scores.to_numpy(float)
        )
    matrix = _as_correlation(scores, covariance, method, n_missing)
    if kind == "polychoric":
        matrix = Polychoric(scores).correlations()[0]
    elif known is not None and method == "pairwise":
        matrix = _with_known(pd.DataFrame(matrix, names, names), pairs, known)
    smallest = float(np.linalg.eigvalsh(matrix).min())
    mended, was_mended = nearest_psd(matrix)
    return Correlations(
        pd.DataFrame(mended, names, names),
        pd.DataFrame(covariance, names, names),
        pd.DataFrame(pairs, names, names).astype(int),
        pd.DataFrame(filled, scores.index, names),
        method,
        n_missing,
        smallest,
        was_mended,
        kind,
    )


def _as_correlation(
    scores: pd.DataFrame, covariance: np.ndarray, method: Missing, n_missing: int
) -> np.ndarray:
    # over a pair's own subjects: the covariances' diagonal is of other subjects
    if method == "pairwise" and n_missing:
        return pairwise_correlation(scores.to_numpy(float))
    scale = np.sqrt(np.diag(covariance))
    # rounding may leave a correlation just beyond 1
    matrix: np.ndarray = np.clip(covariance / np.outer(scale, scale), -1.0, 1.0)
    np.fill_diagonal(matrix, 1.0)
    return matrix


def _with_known(matrix: pd.DataFrame, pairs: np.ndarray, known: pd.DataFrame) -> np.ndarray:
    """A database's correlations in the place of ours where both are over the same subjects.

    Screening only ever takes cells away, so that as many subjects are the same subjects.
    """
    places = pd.Series(range(len(matrix)), matrix.index)
    own = known[known["value_a"].isin(places.index) & known["value_b"].isin(places.index)]
    a, b = places[own["value_a"]].to_numpy(int), places[own["value_b"]].to_numpy(int)
    r = own["r"].to_numpy(float)
    same = (pairs[a, b] == own["n"].to_numpy(float)) & ~np.isnan(r)
    found: np.ndarray = matrix.to_numpy(copy=True)
    found[a[same], b[same]] = found[b[same], a[same]] = r[same]
    return found


def expectation_maximisation(scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Maximum-likelihood covariance under normality with cells missing at random.

    `scores` (n_subjects, n_values). Returns the scores with missing cells at their conditional
    expectation, and the covariance (n - 1 in the denominator). A ridge of 1e-6 of the variances
    keeps it invertible where subjects are few; results do not depend on the values' units.
    """
    mean, spread = np.nanmean(scores, axis=0), np.nanstd(scores, axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    standard = (scores - mean) / spread
    missing = np.isnan(standard)
    filled = np.where(missing, 0.0, standard)
    centre, covariance = np.zeros(scores.shape[1]), np.cov(filled, rowvar=False, bias=True)
    # subjects with the same gaps share their inverse
    patterns, membership = np.unique(missing, axis=0, return_inverse=True)
    groups = [np.flatnonzero(membership.ravel() == n) for n in range(len(patterns))]
    for _ in range(EM_ROUNDS):
        extra = np.zeros_like(covariance)
        # conditional means and covariances of the missing from the precision matrix: its block of
        # missing values is small, where that of measured ones is nearly the whole matrix
        precision = np.linalg.inv(covariance + EM_RIDGE * np.eye(len(covariance)))
        for pattern, rows in zip(patterns, groups, strict=True):
            if not pattern.any():
                continue
            gone, there = np.flatnonzero(pattern), np.flatnonzero(~pattern)
            rest = np.linalg.inv(precision[np.ix_(gone, gone)])
            slope = -precision[np.ix_(there, gone)] @ rest
            around = standard[np.ix_(rows, there)] - centre[there]
            filled[np.ix_(rows, gone)] = centre[gone] + around @ slope
            # expected cells vary too little: what is added is how far they are not known
            extra[np.ix_(gone, gone)] += len(rows) * rest
        centre = filled.mean(axis=0)
        around = filled - centre
        updated = (around.T @ around + extra) / len(filled)
        moved = float(np.abs(updated - covariance).max())
        covariance = updated
        if moved < EM_TOLERANCE:
            break
    # maximum likelihood divides by n; the other two ways divide by n - 1
    unbiased = covariance * np.outer(spread, spread) * len(scores) / (len(scores) - 1)
    return filled * spread + mean, unbiased


def nearest_psd(correlations: np.ndarray) -> tuple[np.ndarray, bool]:
    """The matrix with its negative eigenvalues lifted and a unit diagonal, and whether it was
    mended: pairwise correlations need not form a positive semi-definite matrix.

    Spectral method of Rebonato and Jäckel (1999), by statsmodels, which by itself would also lift
    the zeros of a singular matrix that needs no mending.
    """
    if np.linalg.eigvalsh(correlations).min() >= -1e-10:
        return correlations, False
    # half a second to import, and few matrices need it
    from statsmodels.stats.correlation_tools import corr_clipped

    return corr_clipped(correlations, SMALLEST_EIGENVALUE), True
