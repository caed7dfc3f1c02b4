"""Correlations between values over subjects, some cells missing."""

from __future__ import annotations

import numpy as np
import pandas as pd

SMALLEST_EIGENVALUE = 1e-6


def pairwise_correlations(scores: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Pearson correlations over complete pairs, and how many pairs each rests on.

    `scores`: (n_subjects, n_values), NaN where a subject has no measurement of a value.
    A pair with fewer than three complete subjects correlates 0: nothing is known of it.
    """
    measured = scores.notna().to_numpy(float)
    pairs = pd.DataFrame(measured.T @ measured, scores.columns, scores.columns).astype(int)
    correlations = scores.corr(min_periods=3).fillna(0.0)
    matrix = correlations.to_numpy(copy=True)
    np.fill_diagonal(matrix, 1.0)
    return pd.DataFrame(matrix, scores.columns, scores.columns), pairs


def nearest_psd(correlations: np.ndarray) -> tuple[np.ndarray, bool]:
    """The matrix with its negative eigenvalues lifted and a unit diagonal, and whether it was
    mended: pairwise correlations need not form a positive semi-definite matrix.

    Spectral method of Rebonato and Jäckel (1999).
    """
    values, vectors = np.linalg.eigh(correlations)
    if values.min() >= -1e-10:
        return correlations, False
    lifted = (vectors * np.maximum(values, SMALLEST_EIGENVALUE)) @ vectors.T
    scale = np.sqrt(np.diag(lifted))
    return lifted / np.outer(scale, scale), True
