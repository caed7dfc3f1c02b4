"""Scores of subjects on factors."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gpla_assets.psychometrics.extraction import LOWEST_UNIQUENESS


def keyed_means(scores: pd.DataFrame, keys: pd.DataFrame) -> pd.DataFrame:
    """Mean of each factor's keyed values per subject; missing cells are skipped and counted.

    `scores` (n_subjects, n_values); `keys` with columns factor, value, keyed (1 or -1). Returns
    one row per subject and factor: subject, factor, score (null without any cell), n_values.
    """
    frames = []
    for factor, own in keys.groupby("factor", sort=False):
        keyed = scores[list(own["value"])] * own["keyed"].to_numpy()
        frames.append(
            pd.DataFrame(
                {
                    "subject_id": scores.index.to_numpy(),
                    "factor": factor,
                    "score": keyed.mean(axis=1).to_numpy(),
                    "n_values": keyed.notna().sum(axis=1).to_numpy(),
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


def regression_weights(
    correlations: NDArray[np.float64], structure: NDArray[np.float64]
) -> np.ndarray:
    """Weights (n_values, n_factors) of standardised values: R^-1 S (Thurstone, 1935).

    `structure` (n_values, n_factors) holds the correlations of values with factors. A singular R
    is inverted by its pseudo-inverse, the smallest of the weights that fit as well.
    """
    return np.linalg.pinv(correlations, rcond=1e-8, hermitian=True) @ structure


def bartlett_weights(pattern: NDArray[np.float64], uniquenesses: NDArray[np.float64]) -> np.ndarray:
    """Bartlett's (1937) weights (n_values, n_factors): U^-1 L (L' U^-1 L)^-1.

    `pattern` (n_values, n_factors); `uniquenesses` (n_values,), lifted to the extraction's
    lowest where lower.
    """
    weighted = pattern / np.maximum(uniquenesses, LOWEST_UNIQUENESS)[:, None]
    return weighted @ np.linalg.pinv(pattern.T @ weighted)


def weighted_scores(
    scores: pd.DataFrame, means: pd.Series, sds: pd.Series, weights: pd.DataFrame
) -> pd.DataFrame:
    """Scores (n_subjects, n_factors) of standardised values by `weights` (values x factors).

    A missing cell counts as the value's mean, which moves no score.
    """
    values = list(weights.index)
    standard = ((scores[values] - means[values]) / sds[values]).fillna(0.0)
    return standard @ weights


def standard_error(score: pd.Series, reliability: float | None) -> float | None:
    """Standard error of measurement of a score: its sd times sqrt(1 - reliability).

    None where the reliability is not known or below 0.
    """
    if reliability is None or not 0 <= reliability <= 1:
        return None
    return float(score.std() * np.sqrt(1 - reliability))
