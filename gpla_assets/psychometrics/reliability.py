"""Internal consistency of a factor's values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
import pingouin
from scipy.stats import f as f_distribution

from gpla_assets.common.intervals import CONFIDENCE
from gpla_assets.psychometrics.correlation import nearest_psd, pairwise_covariance
from gpla_assets.psychometrics.extraction import extract
from gpla_assets.studies.structure import Extraction

FEWEST_COMPLETE = 30
HALVES = 1000


@dataclass(frozen=True)
class Reliability:
    """Reliability coefficients of one factor, and what they rest on.

    `alpha` with its 95% interval (Feldt), `alpha_standardised` (of the correlations), `omega`
    (McDonald's total), `split_half` (mean Spearman-Brown over random halves, with the lowest and
    the highest), `mean_r` between its values. `missing` says which subjects: complete cases, or
    all by the pairwise covariance matrix with the median number of pairs as `n_subjects`.
    """

    alpha: float
    ci_low: float
    ci_high: float
    n_subjects: int
    n_values: int
    missing: Literal["complete cases", "pairwise"]
    alpha_standardised: float = np.nan
    omega: float | None = None
    split_half: float = np.nan
    split_half_low: float = np.nan
    split_half_high: float = np.nan
    mean_r: float = np.nan


def cronbach_alpha(scores: pd.DataFrame, keys: pd.Series) -> Reliability | None:
    """Alpha (Cronbach, 1951) of keyed values with Feldt's interval; None for one value.

    `scores`: (n_subjects, n_values), `keys`: 1 or -1 per value. Complete cases where there are at
    least 30 or all; else the pairwise covariance matrix with the median number of pairs as n.
    """
    found = keyed_covariance(scores, keys)
    if found is None:
        return None
    covariance, n_subjects, missing, keyed = found
    if missing == "complete cases":
        alpha, (low, high) = pingouin.cronbach_alpha(keyed)
        alpha, low, high = float(alpha), float(low), float(high)
    else:
        alpha = alpha_of(covariance)
        low, high = feldt_interval(alpha, n_subjects, len(keys))
    return Reliability(alpha, low, high, n_subjects, len(keys), missing)


def reliability(scores: pd.DataFrame, keys: pd.Series, seed: int = 0) -> Reliability | None:
    """All coefficients of one factor; None for one value or without variance.

    `scores`: (n_subjects, n_values), `keys`: 1 or -1 per value; the order of values changes
    nothing. Missing cells are handled as in `cronbach_alpha`.
    """
    # halves are drawn by place
    keys = keys.sort_index()
    base, found = cronbach_alpha(scores, keys), keyed_covariance(scores, keys)
    if base is None or found is None:
        return None
    covariance = found[0]
    scale = np.sqrt(np.diag(covariance))
    # pairwise covariances of few subjects need not be positive semi-definite
    correlations = nearest_psd(covariance / np.outer(scale, scale))[0]
    halves = split_halves(covariance, seed)
    return Reliability(
        base.alpha,
        base.ci_low,
        base.ci_high,
        base.n_subjects,
        base.n_values,
        base.missing,
        alpha_standardised=alpha_of(correlations),
        omega=omega_total(correlations),
        split_half=float(halves.mean()),
        split_half_low=float(halves.min()),
        split_half_high=float(halves.max()),
        mean_r=float(correlations[np.triu_indices(len(keys), 1)].mean()),
    )


def keyed_covariance(
    scores: pd.DataFrame, keys: pd.Series
) -> tuple[np.ndarray, int, Literal["complete cases", "pairwise"], pd.DataFrame] | None:
    """Covariance of keyed values, its n, which subjects it is of, and their keyed scores."""
    keyed = scores[list(keys.index)] * keys
    if keyed.shape[1] < 2:
        return None
    complete = keyed.dropna()
    if len(complete) >= FEWEST_COMPLETE or (len(complete) == len(keyed) and len(keyed) > 2):
        covariance, n_subjects = complete.cov().to_numpy(), len(complete)
        missing: Literal["complete cases", "pairwise"] = "complete cases"
    else:
        covariance, pairs = pairwise_covariance(keyed.to_numpy(float))
        n_subjects = int(np.median(pairs[np.triu_indices(keyed.shape[1], 1)]))
        missing = "pairwise"
    # a sum score without variance has nothing that could be reliable
    if n_subjects < 3 or covariance.sum() <= 0 or (np.diag(covariance) <= 0).any():
        return None
    return covariance, n_subjects, missing, complete


def alpha_of(covariance: np.ndarray) -> float:
    """Cronbach's alpha of a covariance matrix (n_values, n_values): k / (k - 1) (1 - tr / sum)."""
    k = len(covariance)
    return float(k / (k - 1) * (1 - np.trace(covariance) / covariance.sum()))


def feldt_interval(
    alpha: float, n_subjects: int, n_values: int, confidence: float = CONFIDENCE
) -> tuple[float, float]:
    """Interval of alpha from the F distribution (Feldt, Woodruff and Salih, 1987)."""
    tail = (1 - confidence) / 2
    first, second = n_subjects - 1, (n_subjects - 1) * (n_values - 1)
    low = 1 - (1 - alpha) * f_distribution.isf(tail, first, second)
    high = 1 - (1 - alpha) * f_distribution.isf(1 - tail, first, second)
    return float(low), float(high)


def omega_total(correlations: np.ndarray, extraction: Extraction = "minres") -> float | None:
    """McDonald's (1999) omega of one common factor, by minimum residuals (or `ml`).

    (sum of loadings)^2 / ((sum of loadings)^2 + sum of uniquenesses) on correlations of keyed
    values (n_values, n_values). None for two values: one factor is not identified then.
    """
    if len(correlations) < 3:
        return None
    loadings = extract(correlations, 1, extraction).loadings[:, 0]
    common = float(loadings.sum()) ** 2
    return common / (common + float((1 - loadings**2).sum()))


def split_halves(covariance: np.ndarray, seed: int = 0, repeats: int = HALVES) -> np.ndarray:
    """Spearman-Brown corrected correlations of random halves (repeats,): 2 r / (1 + r).

    `covariance` (n_values, n_values) of keyed values; with an odd number of values one half has
    one more.
    """
    random, k = np.random.default_rng(seed), len(covariance)
    # the places of a random order below k / 2: a half of k // 2 values in every row
    first = np.argsort(random.random((repeats, k)), axis=1) < k // 2
    a, b = first.astype(float), (~first).astype(float)
    between = ((a @ covariance) * b).sum(axis=1)
    within = ((a @ covariance) * a).sum(axis=1) * ((b @ covariance) * b).sum(axis=1)
    r = between / np.sqrt(np.maximum(within, 1e-300))
    found: np.ndarray = 2 * r / (1 + r)
    return found


def value_reliabilities(scores: pd.DataFrame, keys: pd.Series) -> pd.DataFrame:
    """Per value: its correlation with the rest of its factor, and alpha without it.

    `scores` (n_subjects, n_values), `keys` 1 or -1 per value. Columns value, r_rest (corrected
    item-total correlation), alpha_without (null where one value would be left).
    """
    found = keyed_covariance(scores, keys)
    columns = ["value", "r_rest", "alpha_without"]
    if found is None:
        return pd.DataFrame({"value": list(keys.index), "r_rest": None, "alpha_without": None})
    covariance, k = found[0], len(keys)
    with_rest = covariance.sum(axis=1) - np.diag(covariance)
    rest = covariance.sum() - 2 * covariance.sum(axis=1) + np.diag(covariance)
    r_rest = with_rest / np.sqrt(np.maximum(np.diag(covariance) * rest, 1e-300))
    return pd.DataFrame(
        dict(zip(columns, (list(keys.index), r_rest, alphas_without(covariance)), strict=True))
        if k > 1
        else {}
    )


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
