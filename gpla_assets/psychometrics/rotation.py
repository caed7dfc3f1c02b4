"""Principal-component loadings and their rotation, with signs and order made deterministic."""

from __future__ import annotations

from itertools import combinations

import numpy as np

SMALLEST_ANGLE = 1e-10


def principal_loadings(correlations: np.ndarray, n_factors: int) -> np.ndarray:
    """Unrotated loadings (n_values, n_factors): eigenvectors times root eigenvalues."""
    values, vectors = np.linalg.eigh(correlations)
    largest = np.argsort(values)[::-1][:n_factors]
    return vectors[:, largest] * np.sqrt(np.maximum(values[largest], 0.0))


def varimax(loadings: np.ndarray, kaiser: bool = True, rounds: int = 500) -> np.ndarray:
    """Varimax rotation (Kaiser, 1958) of loadings (n_values, n_factors), one plane at a time.

    With `kaiser`, rows are normalised to unit communality before and restored after. Planar
    rotations rather than the usual singular value iteration: that one can cycle between two
    mirror images without coming closer to the optimum (36 degrees off a simple structure).
    """
    scale = np.sqrt((loadings**2).sum(axis=1, keepdims=True)) if kaiser else np.ones((1, 1))
    scale = np.where(scale > 0, scale, 1.0)
    rotated = loadings / scale
    for _ in range(rounds):
        largest = 0.0
        for first, second in combinations(range(rotated.shape[1]), 2):
            angle = _plane_angle(rotated[:, first], rotated[:, second])
            largest = max(largest, abs(angle))
            turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
            rotated[:, [first, second]] = rotated[:, [first, second]] @ turn
        if largest < SMALLEST_ANGLE:
            break
    return rotated * scale


def _plane_angle(x: np.ndarray, y: np.ndarray) -> float:
    """The angle that maximises the varimax criterion in the plane of two factors."""
    u, v = x**2 - y**2, 2 * x * y
    sine = 2 * (u @ v) - 2 * u.sum() * v.sum() / len(x)
    cosine = u @ u - v @ v - (u.sum() ** 2 - v.sum() ** 2) / len(x)
    return float(np.arctan2(sine, cosine)) / 4


def ordered(loadings: np.ndarray) -> np.ndarray:
    """Factors by variance explained, each with its largest absolute loading positive."""
    by_variance = np.argsort(-(loadings**2).sum(axis=0), kind="stable")
    loadings = loadings[:, by_variance]
    largest = loadings[np.abs(loadings).argmax(axis=0), np.arange(loadings.shape[1])]
    return loadings * np.where(largest < 0, -1.0, 1.0)


def rotated_loadings(correlations: np.ndarray, n_factors: int) -> np.ndarray:
    """Varimax-rotated principal-component loadings, ordered and signed."""
    return ordered(varimax(principal_loadings(correlations, n_factors)))
