"""Removal of values without a clear loading, as the paper went from 123 to 92."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from gpla_assets.psychometrics.rotation import rotated_loadings

REMOVAL_COLUMNS = ["round", "value", "reason", "loading", "gap"]


@dataclass(frozen=True)
class Purified:
    """Loadings (values x factors) at the fixed point, and what was removed on the way."""

    loadings: pd.DataFrame
    removals: pd.DataFrame
    caution: str | None


def primary_and_gap(loadings: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Each value's largest absolute loading and its distance to the second largest."""
    sizes = np.sort(np.abs(loadings.to_numpy()), axis=1)[:, ::-1]
    second = sizes[:, 1] if sizes.shape[1] > 1 else np.zeros(len(sizes))
    return sizes[:, 0], sizes[:, 0] - second


def purify(
    correlations: pd.DataFrame, n_factors: int, minimum_loading: float, minimum_gap: float
) -> Purified:
    """Remove values below the minima and extract again, until none is.

    `correlations`: (n_values, n_values), positive semi-definite. Stops with a caution when fewer
    than two values a factor would be left: a clear pattern is then not to be had.
    """
    removals: list[dict[str, object]] = []
    kept = list(correlations.index)
    number = 1
    while True:
        matrix = correlations.loc[kept, kept].to_numpy()
        loadings = pd.DataFrame(rotated_loadings(matrix, n_factors), index=kept)
        primary, gap = primary_and_gap(loadings)
        weak, unclear = primary < minimum_loading, gap < minimum_gap
        if not (weak | unclear).any():
            return Purified(loadings, _frame(removals), None)
        if (~(weak | unclear)).sum() < 2 * n_factors:
            caution = (
                f"Purification stopped in round {number}: fewer than {2 * n_factors} of "
                f"{len(kept)} values load clearly on {n_factors} factors."
            )
            return Purified(loadings, _frame(removals), caution)
        for at in np.flatnonzero(weak | unclear):
            rule = (
                f"primary loading below {minimum_loading}"
                if weak[at]
                else f"gap to the second loading below {minimum_gap}"
            )
            removals.append(
                dict(
                    zip(
                        REMOVAL_COLUMNS, (number, kept[at], rule, primary[at], gap[at]), strict=True
                    )
                )
            )
        kept = [value for value, out in zip(kept, weak | unclear, strict=True) if not out]
        number += 1


def _frame(removals: list[dict[str, object]]) -> pd.DataFrame:
    return pd.DataFrame(removals, columns=REMOVAL_COLUMNS)
