"""How well a number of common factors fits a correlation matrix, as psych::fa prints it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import chdtrc, chndtr

from gpla_assets.psychometrics.correlation import nearest_psd

SINGULAR = 1e-8
TAIL = 0.05
"""On either side of RMSEA's 90% interval."""


@dataclass(frozen=True)
class FactorFit:
    """Fit of a factor model with `df` degrees of freedom to correlations of `n_subjects`.

    `chi2` is of the likelihood with Bartlett's (1951) correction, from which `p`, `rmsea` (with
    its 90% interval), `tli` and `bic` follow; `null_chi2` is that of uncorrelated values. `rmsr` is
    the root mean square of residual correlations, `rmsr_corrected` the same over the degrees of
    freedom; `chi2_residuals` is their sum of squares times the subjects of a pair (harmonic mean
    `n_per_pair`), with `p_residuals`. `off_diagonal` is the share of squared correlations that is
    reproduced. None where a number does not exist: principal components are no model, a singular
    matrix has no likelihood, and with no degrees of freedom everything fits.
    """

    n_subjects: int
    n_per_pair: float
    df: int
    chi2: float | None
    p: float | None
    null_chi2: float | None
    null_df: int
    rmsr: float
    rmsr_corrected: float | None
    rmsea: float | None
    rmsea_low: float | None
    rmsea_high: float | None
    tli: float | None
    bic: float | None
    chi2_residuals: float
    p_residuals: float | None
    off_diagonal: float


def factor_fit(
    correlations: NDArray[np.float64],
    implied: NDArray[np.float64],
    n_factors: int,
    n_subjects: int,
    pairs: NDArray[np.float64],
    is_model: bool = True,
) -> FactorFit:
    """Fit of `implied` (n_values, n_values), the factors' part of the correlations alone.

    `implied` is L Phi L'; its diagonal is not looked at. `pairs` (n_values, n_values) counts the
    subjects of each pair; `is_model` is False of principal components, whose fit is that of their
    residuals alone. The formulas are psych's (Revelle, 2.2.9: fa.stats).
    """
    p = len(correlations)
    off = ~np.eye(p, dtype=bool)
    df = p * (p - 1) // 2 - p * n_factors + n_factors * (n_factors - 1) // 2
    residual2 = float(((correlations - implied)[off] ** 2).sum())
    n_per_pair = float(1 / np.mean(1 / np.maximum(pairs[off], 1)))
    chi2, null_chi2 = None, None
    if is_model and np.linalg.eigvalsh(correlations)[0] > SINGULAR:
        model = np.where(off, implied, correlations)
        chi2 = _chi2(_discrepancy(correlations, nearest_psd(model)[0]), n_subjects, p, n_factors)
        null_chi2 = _chi2(_discrepancy(correlations, np.eye(p)), n_subjects, p, 0)
    known = chi2 if df > 0 else None
    low, high = (None, None) if known is None else rmsea_interval(known, df, n_subjects)
    return FactorFit(
        n_subjects=n_subjects,
        n_per_pair=n_per_pair,
        df=df,
        chi2=chi2,
        p=None if known is None else float(chdtrc(df, known)),
        null_chi2=null_chi2,
        null_df=p * (p - 1) // 2,
        rmsr=float(np.sqrt(residual2 / (p * (p - 1)))),
        rmsr_corrected=float(np.sqrt(residual2 / (2 * df))) if df > 0 else None,
        rmsea=None if known is None else _rmsea(known, df, n_subjects),
        rmsea_low=low,
        rmsea_high=high,
        tli=None if known is None else _tli(correlations, known, df, n_subjects, n_factors),
        bic=None if known is None else known - df * float(np.log(n_subjects)),
        chi2_residuals=residual2 * n_per_pair,
        p_residuals=float(chdtrc(df, residual2 * n_per_pair)) if df > 0 else None,
        off_diagonal=1 - residual2 / float((correlations[off] ** 2).sum()),
    )


def _discrepancy(correlations: np.ndarray, model: np.ndarray) -> float:
    """Likelihood's discrepancy: tr(M^-1 R) - ln|M^-1 R| - p."""
    ratio = np.linalg.solve(model, correlations)
    return float(np.trace(ratio) - np.linalg.slogdet(ratio)[1] - len(model))


def _correction(n_subjects: int, n_values: int, n_factors: int) -> float:
    return (n_subjects - 1) - (2 * n_values + 5) / 6 - 2 * n_factors / 3


def _chi2(discrepancy: float, n_subjects: int, n_values: int, n_factors: int) -> float:
    return max(discrepancy * _correction(n_subjects, n_values, n_factors), 0.0)


def _tli(
    correlations: np.ndarray, chi2: float, df: int, n_subjects: int, n_factors: int
) -> float | None:
    """Tucker and Lewis (1973), from discrepancies per degree of freedom."""
    p = len(correlations)
    correction = _correction(n_subjects, p, n_factors)
    null = _discrepancy(correlations, np.eye(p)) * 2 / (p * (p - 1))
    if correction <= 0 or null <= 1 / correction:
        return None
    return (null - chi2 / correction / df) / (null - 1 / correction)


def _rmsea(chi2: float, df: int, n_subjects: int) -> float:
    return float(np.sqrt(max(chi2 / (df * n_subjects) - 1 / (n_subjects - 1), 0.0)))


def rmsea_interval(chi2: float, df: int, n_subjects: int) -> tuple[float, float]:
    """90% interval of RMSEA from the noncentral chi2 (Steiger, 1990)."""
    ends = []
    for quantile in (1 - TAIL, TAIL):
        if chndtr(chi2, df, 0.0) <= quantile:
            ends.append(0.0)
            continue
        most = max(n_subjects, chi2) + 2 * n_subjects
        noncentral = brentq(lambda x, q: chndtr(chi2, df, x) - q, 0.0, most, args=(quantile,))
        ends.append(float(np.sqrt(noncentral / (df * (n_subjects - 1)))))
    return ends[0], ends[1]
