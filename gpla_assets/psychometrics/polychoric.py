"""Polychoric correlations: of the normal variables that ordered categories are cut from."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from gpla_assets.psychometrics.errors import StructureError

Floats = NDArray[np.float64]

MOST_CATEGORIES = 10
"""Of a value that may be taken as ordered categories."""
FEW_CATEGORIES = 7
"""A value with as many or fewer differs in its correlations when it is taken as continuous."""
NODES = 24
"""Of the quadrature over the correlation: six digits up to .9, four at .99."""
ROUNDS, TOLERANCE, LARGEST = 50, 1e-7, 0.9999
BEYOND = 9.0
"""A threshold beyond which nothing lies: what is infinite would have no product."""
AT_ONCE = 2000
"""Pairs that are looked at together: with 8 x 8 tables they take some 25 MB."""


class Polychoric:
    """The categories of a matrix (n_subjects, n_values), NaN where missing.

    Raises StructureError for a value with more than ten different scores.
    """

    def __init__(self, scores: pd.DataFrame) -> None:
        self._indicators = []
        for name in scores.columns:
            column = scores[name].to_numpy(float)
            levels = np.unique(column[~np.isnan(column)])
            if len(levels) > MOST_CATEGORIES:
                raise StructureError(
                    f"value {name!r} has {len(levels)} different scores; polychoric correlations "
                    f"are of at most {MOST_CATEGORIES} ordered categories. Use correlation: "
                    "pearson, or fewer categories."
                )
            self._indicators.append((column[:, None] == levels).astype(float))
        self._sizes = [one.shape[1] for one in self._indicators]
        self._both = np.hstack(self._indicators)

    def correlations(self, weights: Floats | None = None) -> tuple[Floats, list[Floats]]:
        """Correlations (n_values, n_values) and each value's thresholds, of weighted subjects.

        In two steps (Olsson, 1979): thresholds from each value's own frequencies, then the
        correlation with the largest likelihood of each pair's table over the subjects that have
        both. No constant is added to empty cells.
        """
        weighted = self._both if weights is None else self._both * weights[:, None]
        counts = weighted.T @ self._both
        starts = np.concatenate([[0], np.cumsum(self._sizes)])
        widest = max(self._sizes)
        cuts, thresholds = np.full((len(self._sizes), widest + 1), BEYOND), []
        for at, size in enumerate(self._sizes):
            shares = np.diag(counts)[starts[at] : starts[at] + size]
            inner = ndtri(np.cumsum(shares / shares.sum())[:-1])
            cuts[at, 0], cuts[at, 1:size] = -BEYOND, np.clip(inner, -BEYOND, BEYOND)
            thresholds.append(inner)
        first, second = np.triu_indices(len(self._sizes), 1)
        found = np.eye(len(self._sizes))
        for begin in range(0, len(first), AT_ONCE):
            a, b = first[begin : begin + AT_ONCE], second[begin : begin + AT_ONCE]
            tables = np.zeros((len(a), widest, widest))
            for at, (i, j) in enumerate(zip(a, b, strict=True)):
                block = counts[starts[i] : starts[i + 1], starts[j] : starts[j + 1]]
                tables[at, : block.shape[0], : block.shape[1]] = block
            found[a, b] = found[b, a] = _most_likely(tables, cuts[a], cuts[b])
        return found, thresholds


def _most_likely(tables: Floats, rows: Floats, columns: Floats) -> Floats:
    """Correlations (n,) of tables (n, k, k) between thresholds (n, k + 1), by Fisher's scoring."""
    total = np.maximum(tables.sum(axis=(1, 2)), 1.0)
    rho = np.zeros(len(tables))
    for _ in range(ROUNDS):
        share = np.maximum(_cells(_below(rows, columns, rho)), 1e-12)
        slope = _cells(_density(rows, columns, rho))
        score = (tables * slope / share).sum(axis=(1, 2))
        information = total * (slope**2 / share).sum(axis=(1, 2))
        step = np.divide(score, information, out=np.zeros_like(rho), where=information > 0)
        # never more than half of what is left to 1
        room = np.where(step > 0, LARGEST - rho, LARGEST + rho) / 2
        step = np.clip(step, -room, room)
        rho = rho + step
        if np.abs(step).max(initial=0.0) < TOLERANCE:
            break
    return rho


def _cells(corners: Floats) -> Floats:
    """What lies between neighbouring thresholds, from what lies below each pair of them."""
    found: Floats = np.diff(np.diff(corners, axis=1), axis=2)
    return found


def _density(rows: Floats, columns: Floats, rho: Floats) -> Floats:
    """The bivariate normal density at each pair of thresholds: the derivative over rho of below."""
    h, k, r = rows[:, :, None], columns[:, None, :], rho[:, None, None]
    rest = 1 - r**2
    found: Floats = np.exp(-(h**2 + k**2 - 2 * r * h * k) / (2 * rest)) / np.sqrt(rest)
    return found / (2 * np.pi)


def _below(rows: Floats, columns: Floats, rho: Floats) -> Floats:
    """P(X < h, Y < k) of standard normals with correlation rho (Drezner and Wesolowsky, 1990).

    The product of both margins, and the density summed over correlations from 0 to rho.
    """
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    h, k = rows[:, :, None], columns[:, None, :]
    total = np.zeros((len(rho), rows.shape[1], columns.shape[1]))
    # in angles, where the density's root has gone
    half = np.arcsin(rho)[:, None, None] / 2
    squares, product = h**2 + k**2, 2 * h * k
    for node, weight in zip(nodes, weights, strict=True):
        angle = half * (node + 1)
        sine = np.sin(angle)
        total += weight * np.exp((product * sine - squares) / (2 * (1 - sine**2)))
    found: Floats = ndtr(h) * ndtr(k) + half * total / (2 * np.pi)
    return found


def few_categories(scores: pd.DataFrame) -> int:
    """How many values of `scores` (n_subjects, n_values) have seven different scores or fewer."""
    return int((scores.nunique() <= FEW_CATEGORIES).sum())
