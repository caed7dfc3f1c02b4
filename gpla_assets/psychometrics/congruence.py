"""How alike two sets of factors are."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

FEWEST_SHARED = 2
FAIR, EQUAL = 0.85, 0.95
"""Congruence from which two factors are fairly alike, and the same (Lorenzo-Seva and ten Berge,
2006); `sql/stability.sql` has them too."""


def tucker_congruence(a: NDArray[np.float64], b: NDArray[np.float64]) -> np.ndarray:
    """Tucker's (1951) congruence of columns: (n_values, p), (n_values, q) -> (p, q).

    sum(a b) / sqrt(sum(a^2) sum(b^2)); 0 for a column of zeros. FAIR and EQUAL say how to read it.
    """
    length_a, length_b = np.linalg.norm(a, axis=0), np.linalg.norm(b, axis=0)
    size = np.outer(length_a, length_b)
    return np.divide(a.T @ b, size, out=np.zeros(size.shape), where=size > 0)


def matched(target: np.ndarray, loadings: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Columns of `loadings` in the order and with the signs that fit `target` best.

    Both (n_values, n_factors), with as many or more columns in `loadings`. The sum of absolute
    congruences is maximised (Hungarian assignment). Returns the column of each target, its sign,
    and the congruence, which is never negative.
    """
    found = tucker_congruence(target, loadings)
    rows, columns = linear_sum_assignment(-np.abs(found))
    order = columns[np.argsort(rows)]
    own = found[np.arange(len(order)), order]
    return order, np.where(own < 0, -1.0, 1.0), np.abs(own)


def factor_congruence(ours: pd.DataFrame, theirs: pd.DataFrame) -> pd.DataFrame:
    """Best match of each of their factors among ours over the shared values.

    Both frames hold loadings (values x factors); values are matched by name, case aside. One row
    per matched pair: factor, other_factor, congruence (its sign kept), shared_values, and how
    many of them load primarily on the other's factor. A pair that shares fewer
    than two of these is left out: one value fits any factor.
    """
    columns = ["factor", "other_factor", "congruence", "shared_values", "shared_primary"]
    a, b = ours.rename(str.casefold), theirs.rename(str.casefold)
    shared = sorted(set(a.index) & set(b.index))
    if len(shared) < FEWEST_SHARED:
        return pd.DataFrame(columns=columns)
    a, b = a.loc[shared], b.loc[shared]
    congruence = tucker_congruence(a.to_numpy(), b.to_numpy())
    primary = np.abs(b.to_numpy()).argmax(axis=1)
    rows = [
        (a.columns[i], b.columns[j], congruence[i, j], len(shared), int((primary == j).sum()))
        for i, j in zip(*linear_sum_assignment(-np.abs(congruence)), strict=True)
        if (primary == j).sum() >= FEWEST_SHARED
    ]
    return pd.DataFrame(rows, columns=columns)
