"""Internal consistency of a factor's values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
import pingouin
from scipy.stats import f as f_distribution


@dataclass(frozen=True)
class Reliability:
    """Cronbach's alpha, its 95% interval, and what it rests on."""

    alpha: float
    ci_low: float
    ci_high: float
    n_subjects: int
    n_values: int
    missing: Literal["complete cases", "pairwise"]


def cronbach_alpha(scores: pd.DataFrame, keys: pd.Series) -> Reliability | None:
    """Alpha (Cronbach, 1951) of keyed values with Feldt's interval; None for one value.

    `scores`: (n_subjects, n_values), `keys`: 1 or -1 per value. Complete cases where there are at
    least 30 or all; else the pairwise covariance matrix with the median number of pairs as n.
    """
    keyed = scores[keys.index] * keys
    if keyed.shape[1] < 2:
        return None
    complete = keyed.dropna()
    if len(complete) >= 30 or (len(complete) == len(keyed) and len(keyed) > 2):
        alpha, (low, high) = pingouin.cronbach_alpha(complete)
        return Reliability(
            float(alpha), float(low), float(high), len(complete), keyed.shape[1], "complete cases"
        )
    return _pairwise_alpha(keyed)


def _pairwise_alpha(keyed: pd.DataFrame) -> Reliability | None:
    covariance = keyed.cov(min_periods=3).to_numpy()
    measured = keyed.notna().to_numpy(float)
    n_subjects = int(np.median((measured.T @ measured)[np.triu_indices(keyed.shape[1], 1)]))
    total, k = np.nansum(covariance), keyed.shape[1]
    if n_subjects < 3 or total <= 0:
        return None
    alpha = k / (k - 1) * (1 - np.nansum(np.diag(covariance)) / total)
    low, high = feldt_interval(alpha, n_subjects, k)
    return Reliability(float(alpha), low, high, n_subjects, k, "pairwise")


def feldt_interval(
    alpha: float, n_subjects: int, n_values: int, confidence: float = 0.95
) -> tuple[float, float]:
    """Interval of alpha from the F distribution (Feldt, Woodruff and Salih, 1987)."""
    tail = (1 - confidence) / 2
    first, second = n_subjects - 1, (n_subjects - 1) * (n_values - 1)
    low = 1 - (1 - alpha) * f_distribution.isf(tail, first, second)
    high = 1 - (1 - alpha) * f_distribution.isf(1 - tail, first, second)
    return float(low), float(high)
