"""How many factors to keep."""

from __future__ import annotations

from typing import Literal

import numpy as np


def eigenvalues(correlations: np.ndarray) -> np.ndarray:
    """Eigenvalues of a correlation matrix (n_values, n_values), largest first."""
    return np.linalg.eigvalsh(correlations)[::-1]


def parallel_analysis(
    n_subjects: int, n_values: int, seed: int, repeats: int = 100, percentile: float = 95.0
) -> np.ndarray:
    """Percentile of each eigenvalue in uncorrelated normal data of the same size.

    Horn (1965), with the 95th percentile of Glorfeld (1995) in place of the mean.
    """
    random = np.random.default_rng(seed)
    found = np.empty((repeats, n_values))
    for turn in range(repeats):
        data = random.standard_normal((n_subjects, n_values))
        found[turn] = eigenvalues(np.atleast_2d(np.corrcoef(data, rowvar=False)))
    return np.percentile(found, percentile, axis=0)


def n_factors(
    observed: np.ndarray, random: np.ndarray, rule: Literal["parallel", "kaiser"] | int
) -> int:
    """Factors to keep: eigenvalues above chance, above 1 (Kaiser), or a fixed number.

    Counting stops at the first eigenvalue that fails; at least one factor is kept. Raises
    ValueError for a fixed number outside 1..n_values.
    """
    if isinstance(rule, int):
        if not 1 <= rule <= len(observed):
            raise ValueError(
                f"n_factors = {rule}, but there are {len(observed)} values: "
                f"expected 1 to {len(observed)}."
            )
        return rule
    above = observed > (random if rule == "parallel" else 1.0)
    return max(1, int(np.argmin(above)) if not above.all() else len(above))
