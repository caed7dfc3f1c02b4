"""Rotation of loadings, with signs and order of factors made deterministic.

Varimax and promax are our own: scipy has no rotation; statsmodels' gradient projection stays where
the criterion is flat (45 degrees off a simple structure) and takes seconds for seven digits, its
promax has no Kaiser normalisation; scikit-learn's singular value iteration is private to its factor
model and can cycle (see `varimax`). Oblimin is statsmodels'.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from statsmodels.multivariate.factor_rotation import rotate_factors

from gpla_assets.studies.structure import RotationName

SMALLEST_ANGLE = 1e-10
PROMAX_POWER = 4


@dataclass(frozen=True)
class Rotated:
    """Pattern (n_values, n_factors) and correlations of the factors (n_factors, n_factors)."""

    pattern: NDArray[np.float64]
    phi: NDArray[np.float64]

    @property
    def structure(self) -> NDArray[np.float64]:
        """Correlations of values with factors: the pattern itself for orthogonal factors."""
        return self.pattern @ self.phi

    @property
    def communalities(self) -> np.ndarray:
        """Share of each value's variance that the factors explain."""
        found: np.ndarray = (self.pattern * self.structure).sum(axis=1)
        return found

    @property
    def variance(self) -> np.ndarray:
        """Variance that each factor explains: sums over values of pattern times structure."""
        found: np.ndarray = (self.pattern * self.structure).sum(axis=0)
        return found

    @property
    def complexity(self) -> np.ndarray:
        """Hofmann's (1978) index: 1 for a value on one factor, 2 for one evenly on two."""
        fourth = (self.pattern**4).sum(axis=1)
        squares = (self.pattern**2).sum(axis=1) ** 2
        ones = np.ones_like(fourth)
        found: np.ndarray = np.divide(squares, fourth, out=ones, where=fourth > 0)
        return found


def rotate(loadings: np.ndarray, rotation: RotationName) -> Rotated:
    """Loadings (n_values, n_factors) rotated with Kaiser normalisation, ordered and signed.

    `oblimin` is direct oblimin with gamma 0 (quartimin; Jennrich and Sampson, 1966), by
    statsmodels' gradient projection. Factors come by the variance they explain, each with its
    largest absolute loading positive.
    """
    if loadings.shape[1] == 1 or rotation == "none":
        return arranged(loadings, np.eye(loadings.shape[1]))
    if rotation == "varimax":
        return arranged(varimax(loadings), np.eye(loadings.shape[1]))
    if rotation == "promax":
        return arranged(*promax(loadings))
    return arranged(*oblimin(loadings))


def varimax(loadings: np.ndarray, kaiser: bool = True, rounds: int = 500) -> np.ndarray:
    """Varimax rotation (Kaiser, 1958) of loadings (n_values, n_factors), one plane at a time.

    With `kaiser`, rows are normalised to unit communality before and restored after. Planar
    rotations rather than the usual singular value iteration: that one can cycle between two
    mirror images without coming closer to the optimum (36 degrees off a simple structure).
    """
    scale = _row_lengths(loadings) if kaiser else np.ones((1, 1))
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


def _row_lengths(loadings: np.ndarray) -> np.ndarray:
    lengths = np.sqrt((loadings**2).sum(axis=1, keepdims=True))
    return np.where(lengths > 0, lengths, 1.0)


def _plane_angle(x: np.ndarray, y: np.ndarray) -> float:
    """The angle that maximises the varimax criterion in the plane of two factors."""
    u, v = x**2 - y**2, 2 * x * y
    sine = 2 * (u @ v) - 2 * u.sum() * v.sum() / len(x)
    cosine = u @ u - v @ v - (u.sum() ** 2 - v.sum() ** 2) / len(x)
    return float(np.arctan2(sine, cosine)) / 4


def oblimin(loadings: np.ndarray, kaiser: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """Direct oblimin with gamma 0: pattern and factor correlations."""
    scale = _row_lengths(loadings) if kaiser else np.ones((1, 1))
    pattern, turn = rotate_factors(
        loadings / scale, "oblimin", 0.0, "oblique", max_tries=2000, tol=1e-8
    )
    return np.asarray(pattern) * scale, np.asarray(turn).T @ np.asarray(turn)


def promax(
    loadings: np.ndarray, power: int = PROMAX_POWER, normalise_target: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Promax (Hendrickson and White, 1964): pattern and factor correlations.

    The varimax loadings (with Kaiser normalisation) raised to `power` with their sign are the
    target, fitted by least squares: power 4 and the plain target are R's `promax`; SAS uses
    power 3 and a target from row-normalised loadings scaled by column (`normalise_target`).
    """
    straight = varimax(loadings)
    target = straight
    if normalise_target:
        rows = straight / _row_lengths(straight)
        target = rows / np.abs(rows).max(axis=0)
    target = target * np.abs(target) ** (power - 1)
    turn = np.linalg.lstsq(straight, target, rcond=None)[0]
    # least squares gives factors of any variance; here it is 1
    turn = turn * np.sqrt(np.diag(np.linalg.inv(turn.T @ turn)))
    inverse = np.linalg.inv(turn)
    return straight @ turn, inverse @ inverse.T


def arranged(pattern: np.ndarray, phi: np.ndarray) -> Rotated:
    """Factors by variance explained, each with its largest absolute loading positive."""
    variance = (pattern * (pattern @ phi)).sum(axis=0)
    # stable: factors that explain the same stay as they came, on any machine
    order = np.argsort(-variance, kind="stable")
    pattern, phi = pattern[:, order], phi[np.ix_(order, order)]
    # a mirrored factor is the same factor: its clearest value says which way up
    largest = pattern[np.abs(pattern).argmax(axis=0), np.arange(pattern.shape[1])]
    signs = np.where(largest < 0, -1.0, 1.0)
    return Rotated(pattern * signs, phi * np.outer(signs, signs))
