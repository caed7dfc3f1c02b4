"""Principal-component loadings and their rotation, with signs and order made deterministic."""

from __future__ import annotations

import numpy as np


def principal_loadings(correlations: np.ndarray, n_factors: int) -> np.ndarray:
    """Unrotated loadings (n_values, n_factors): eigenvectors times root eigenvalues."""
    values, vectors = np.linalg.eigh(correlations)
    largest = np.argsort(values)[::-1][:n_factors]
    return vectors[:, largest] * np.sqrt(np.maximum(values[largest], 0.0))


def varimax(
    loadings: np.ndarray, kaiser: bool = True, tolerance: float = 1e-9, rounds: int = 500
) -> np.ndarray:
    """Varimax rotation (Kaiser, 1958) of loadings (n_values, n_factors).

    With `kaiser`, rows are normalised to unit communality before and restored after. Own code:
    factor_analyzer stops at a fixed number of rounds without saying so.
    """
    if loadings.shape[1] == 1:
        return loadings.copy()
    scale = np.sqrt((loadings**2).sum(axis=1, keepdims=True)) if kaiser else np.ones((1, 1))
    scale = np.where(scale > 0, scale, 1.0)
    start = loadings / scale
    rotation, criterion = np.eye(loadings.shape[1]), 0.0
    for _ in range(rounds):
        rotated = start @ rotation
        gradient = start.T @ (rotated**3 - rotated * (rotated**2).mean(axis=0))
        left, singular, right = np.linalg.svd(gradient)
        rotation = left @ right
        if singular.sum() <= criterion * (1 + tolerance):
            break
        criterion = singular.sum()
    return (start @ rotation) * scale


def ordered(loadings: np.ndarray) -> np.ndarray:
    """Factors by variance explained, each with its largest absolute loading positive."""
    by_variance = np.argsort(-(loadings**2).sum(axis=0), kind="stable")
    loadings = loadings[:, by_variance]
    largest = loadings[np.abs(loadings).argmax(axis=0), np.arange(loadings.shape[1])]
    return loadings * np.where(largest < 0, -1.0, 1.0)


def rotated_loadings(correlations: np.ndarray, n_factors: int) -> np.ndarray:
    """Varimax-rotated principal-component loadings, ordered and signed."""
    return ordered(varimax(principal_loadings(correlations, n_factors)))
