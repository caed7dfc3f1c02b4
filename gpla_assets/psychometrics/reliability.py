"""Internal consistency of a factor's values."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np
import pandas as pd
from scipy.special import fdtri

from gpla_assets.common.intervals import CONFIDENCE
from gpla_assets.psychometrics.correlation import nearest_psd
from gpla_assets.psychometrics.extraction import extract
from gpla_assets.psychometrics.pairwise import Pairwise
from gpla_assets.studies.structure import Extraction

HALVES = 5000
"""Most halves that are looked at: all there are of up to 14 values, random ones of more."""


@dataclass(frozen=True)
class Reliability:
    """Reliability coefficients of one factor, and what they rest on.

    `alpha` with its 95% interval (Feldt), `alpha_standardised` (of the correlations), `omega`
    (McDonald's total by the variance that one factor implies) and `omega_observed` (by the
    variance of the sum as it is: psych's), `split_half` (mean over halves of values, with the
    lowest and the highest), `mean_r` between its values. `n_subjects` is that of the sample that
    `missing` names.
    """

    alpha: float
    ci_low: float
    ci_high: float
    n_subjects: int
    n_values: int
    missing: str
    alpha_standardised: float
    omega: float | None
    omega_observed: float | None
    split_half: float
    split_half_low: float
    split_half_high: float
    mean_r: float


def reliability(scores: pd.DataFrame, keys: pd.Series, seed: int = 0) -> Reliability | None:
    """All coefficients of one factor; None for one value or without variance.

    `scores`: (n_subjects, n_values), `keys`: 1 or -1 per value; the order of values changes
    nothing. Covariances are pairwise where cells are missing, and n the subjects with any of them.
    """
    own = scores[list(keys.index)].dropna(how="all")
    sample = "pairwise" if own.isna().to_numpy().any() else "all subjects"
    found = Pairwise(own.to_numpy(float)).moments()
    covariance = pd.DataFrame(found.covariance, keys.index, keys.index)
    matrix = pd.DataFrame(found.correlation, keys.index, keys.index)
    return reliability_of(covariance, matrix, keys, len(own), sample, seed)


def reliability_of(
    covariance: pd.DataFrame,
    correlations: pd.DataFrame,
    keys: pd.Series,
    n_subjects: int,
    sample: str,
    seed: int = 0,
) -> Reliability | None:
    """All coefficients of the values in `keys` (1 or -1 each) from the sample's covariances.

    `covariance` and `correlations` (n_values, n_values) may hold further values; omega is of the
    latter, which with missing cells are not quite the former's. None for one value, fewer than
    three subjects or a sum without variance.
    """
    # halves are drawn by place
    keys = keys.sort_index()
    keyed = keyed_covariance(covariance, keys)
    if len(keys) < 2 or n_subjects < 3 or keyed.sum() <= 0 or (np.diag(keyed) <= 0).any():
        return None
    scale = np.sqrt(np.diag(keyed))
    matrix = keyed / np.outer(scale, scale)
    alpha, halves = alpha_of(keyed), split_halves(keyed, seed)
    # pairwise correlations of few subjects need not be positive semi-definite
    omegas = omega_totals(nearest_psd(keyed_covariance(correlations, keys))[0])
    low, high = feldt_interval(alpha, n_subjects, len(keys))
    return Reliability(
        alpha=alpha,
        ci_low=low,
        ci_high=high,
        n_subjects=n_subjects,
        n_values=len(keys),
        missing=sample,
        alpha_standardised=alpha_of(matrix),
        omega=omegas[0] if omegas else None,
        omega_observed=omegas[1] if omegas else None,
        split_half=float(halves.mean()),
        split_half_low=float(halves.min()),
        split_half_high=float(halves.max()),
        mean_r=float(matrix[np.triu_indices(len(keys), 1)].mean()),
    )


def keyed_covariance(covariance: pd.DataFrame, keys: pd.Series) -> np.ndarray:
    """Covariances (n_values, n_values) of the values in `keys`, each with its sign."""
    own, signs = list(keys.index), keys.to_numpy()
    keyed: np.ndarray = covariance.loc[own, own].to_numpy() * np.outer(signs, signs)
    return keyed


def alpha_of(covariance: np.ndarray) -> float:
    """Cronbach's (1951) alpha of covariances (n_values, n_values): k / (k - 1) (1 - tr / sum)."""
    k = len(covariance)
    return float(k / (k - 1) * (1 - np.trace(covariance) / covariance.sum()))


def feldt_interval(
    alpha: float, n_subjects: int, n_values: int, confidence: float = CONFIDENCE
) -> tuple[float, float]:
    """Interval of alpha from the F distribution (Feldt, Woodruff and Salih, 1987)."""
    tail = (1 - confidence) / 2
    first, second = n_subjects - 1, (n_subjects - 1) * (n_values - 1)
    low = 1 - (1 - alpha) * fdtri(first, second, 1 - tail)
    high = 1 - (1 - alpha) * fdtri(first, second, tail)
    return float(low), float(high)


def omega_totals(
    correlations: np.ndarray, extraction: Extraction = "minres"
) -> tuple[float, float] | None:
    """Omega total of one common factor, by implied and by observed variance of the sum.

    McDonald's (1999, 6.20): (sum of loadings)^2 over itself plus the sum of uniquenesses, and
    psych's: 1 less the sum of uniquenesses over the sum of the correlations of keyed values
    (n_values, n_values). They differ where one factor does not fit. The loadings are by minimum
    residuals (or `ml`). None for two values: one factor is not identified then.
    """
    if len(correlations) < 3:
        return None
    loadings = extract(correlations, 1, extraction).loadings[:, 0]
    common, unique = float(loadings.sum()) ** 2, float((1 - loadings**2).sum())
    return common / (common + unique), 1 - unique / float(correlations.sum())


def split_halves(covariance: np.ndarray, seed: int = 0, most: int = HALVES) -> np.ndarray:
    """Reliabilities by halves of the values, (n_halves,): all halves, or `most` random ones.

    `covariance` (n_values, n_values) of keyed values. Correlations of halves are corrected to full
    length by Horst (1951), which for halves of one length is Spearman and Brown's 2 r / (1 + r):
    with an odd number of values one half has one more.
    """
    k = len(covariance)
    first = _halves(k, seed, most)
    a, b = first.astype(float), (~first).astype(float)
    between = ((a @ covariance) * b).sum(axis=1)
    within = ((a @ covariance) * a).sum(axis=1) * ((b @ covariance) * b).sum(axis=1)
    r = between / np.sqrt(np.maximum(within, 1e-300))
    return full_length(r, (k // 2) / k)


def _halves(k: int, seed: int, most: int) -> np.ndarray:
    """Which of k values are in the first half, (n_halves, k)."""
    if comb(k, k // 2) // (1 + (k % 2 == 0)) > most:
        random = np.random.default_rng(seed)
        # the places of a random order below k / 2: a half of k // 2 values in every row
        drawn: np.ndarray = np.argsort(random.random((most, k)), axis=1) < k // 2
        return drawn
    # of an even number each half comes twice, as itself and as the other: the last value stays out
    chosen = combinations(range(k if k % 2 else k - 1), k // 2)
    rows = np.array(list(chosen), dtype=int).reshape(-1, k // 2)
    first = np.zeros((len(rows), k), bool)
    np.put_along_axis(first, rows, True, axis=1)
    return first


def full_length(r: np.ndarray, share: float) -> np.ndarray:
    """Reliability of the whole from the correlation r of two parts of `share` and 1 - `share`.

    Horst (1951): r (sqrt(r^2 + 4 pq (1 - r^2)) - r) / (2 pq (1 - r^2)), here with the fraction
    turned so that nothing is divided by 0 at r = 1; Spearman and Brown's formula where p = q.
    """
    pq = share * (1 - share)
    with np.errstate(divide="ignore"):
        found: np.ndarray = 2 * r / (np.sqrt(r**2 + 4 * pq * (1 - r**2)) + r)
    return found


def value_reliabilities(covariance: pd.DataFrame, keys: pd.Series) -> pd.DataFrame:
    """Per value: its correlation with the rest of its factor, and alpha without it.

    `covariance` (n_values, n_values) holds the values in `keys` (1 or -1 each). Columns value,
    r_rest (corrected item-total correlation; null for a single value), alpha_without (null where
    one value would be left).
    """
    keyed = keyed_covariance(covariance, keys)
    sums, variances = keyed.sum(axis=1), np.diag(keyed)
    rest = keyed.sum() - 2 * sums + variances
    size = np.sqrt(np.maximum(variances * rest, 0.0))
    r_rest = np.divide(sums - variances, size, out=np.full(len(keys), np.nan), where=size > 1e-300)
    without = alphas_without(keyed)
    return pd.DataFrame({"value": list(keys.index), "r_rest": r_rest, "alpha_without": without})


def alphas_without(covariance: np.ndarray) -> np.ndarray:
    """Alpha of the other values with each left out (n_values,); NaN where one would be left."""
    k = len(covariance)
    if k < 3:
        return np.full(k, np.nan)
    # variance of the others' sum: the value's row and column go, its own cell twice
    total = covariance.sum() - 2 * covariance.sum(axis=1) + np.diag(covariance)
    trace = np.trace(covariance) - np.diag(covariance)
    found: np.ndarray = (k - 1) / (k - 2) * (1 - trace / total)
    return found
