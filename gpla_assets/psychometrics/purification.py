"""Removal of values without a clear loading, as the paper went from 123 to 92."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from gpla_assets.psychometrics.extraction import STARTS, Extracted, extract
from gpla_assets.psychometrics.reliability import alpha_of, alphas_without
from gpla_assets.psychometrics.rotation import Rotated, rotate
from gpla_assets.studies.structure import StructureSettings

REMOVAL_COLUMNS = ["round", "value", "reason", "loading", "gap", "alpha", "alpha_without"]
FEWEST_FOR_ALPHA = 4
"""Values that a factor must have before one may go for its alpha's sake: three are left."""


@dataclass(frozen=True)
class Solution:
    """A rotated solution of the values named by `values`, and what its extraction says."""

    values: list[str]
    rotated: Rotated
    extracted: Extracted

    @property
    def heywood(self) -> list[str]:
        """The values without any uniqueness left."""
        return [value for value, at in zip(self.values, self.extracted.heywood, strict=True) if at]

    @property
    def primary(self) -> np.ndarray:
        """Index of each value's factor: its largest absolute loading."""
        found: np.ndarray = np.abs(self.rotated.pattern).argmax(axis=1)
        return found

    @property
    def keys(self) -> np.ndarray:
        """1 or -1 per value: the sign of its primary loading (point 14)."""
        own = self.rotated.pattern[np.arange(len(self.values)), self.primary]
        return np.where(own < 0, -1, 1)


@dataclass(frozen=True)
class Purified:
    """The solution at the fixed point, what was removed on the way, and why it may have ended."""

    solution: Solution
    removals: pd.DataFrame
    caution: str | None


def solve(
    correlations: pd.DataFrame, number: int, settings: StructureSettings, starts: int = 1
) -> Solution:
    """Extract and rotate `number` factors of a correlation matrix (n_values, n_values)."""
    found = extract(correlations.to_numpy(), number, settings.extraction, starts)
    return Solution(list(correlations.index), rotate(found.loadings, settings.rotation), found)


def primary_and_gap(pattern: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each value's largest absolute loading and its distance to the second largest."""
    sizes = np.sort(np.abs(pattern), axis=1)[:, ::-1]
    # with one factor nothing competes: the gap is the loading itself
    second = sizes[:, 1] if sizes.shape[1] > 1 else np.zeros(len(sizes))
    return sizes[:, 0], sizes[:, 0] - second


def purify(
    correlations: pd.DataFrame,
    covariance: pd.DataFrame,
    number: int,
    settings: StructureSettings,
) -> Purified:
    """Remove values below the study's minima and extract again, until none is.

    `correlations` (n_values, n_values), positive semi-definite, and the covariance of the same
    values for alpha. Each round removes all values with a low primary loading or a small gap;
    in a round without one, each factor whose alpha is below the minimum loses the value without
    which its alpha rises most. Stops with a caution when fewer than two values a factor would be
    left: a clear pattern is then not to be had.
    """
    removals: list[tuple[object, ...]] = []
    starts = 1 if settings.extraction == "ml" else STARTS
    kept = list(correlations.index)
    while True:
        solution = solve(correlations.loc[kept, kept], number, settings, starts)
        # alphas are looked at once loadings are clear: until then factors change their values
        going = _unclear(solution, settings) or _unreliable(solution, covariance, settings)
        if not going or not settings.purify:
            if starts == STARTS:
                return Purified(solution, _frame(removals), None)
            # what seems done is looked at from all starts, and may go on from a better minimum
            starts = STARTS
            continue
        round_number = 1 + len({row[0] for row in removals})
        if len(kept) - len(going) < 2 * number:
            caution = (
                f"Purification stopped in round {round_number}: fewer than {2 * number} of "
                f"{len(kept)} values load clearly on {number} factors."
            )
            return Purified(solution, _frame(removals), caution)
        removals += [(round_number, value, *row) for value, row in going.items()]
        kept = [value for value in kept if value not in going]


def _unclear(solution: Solution, settings: StructureSettings) -> dict[str, tuple[object, ...]]:
    primary, gap = primary_and_gap(solution.rotated.pattern)
    going: dict[str, tuple[object, ...]] = {}
    for value, size, distance in zip(solution.values, primary, gap, strict=True):
        if size < settings.minimum_loading:
            reason = f"primary loading below {settings.minimum_loading}"
        elif distance < settings.minimum_gap:
            reason = f"gap to the second loading below {settings.minimum_gap}"
        else:
            continue
        going[value] = (reason, size, distance, None, None)
    return going


def _unreliable(
    solution: Solution, covariance: pd.DataFrame, settings: StructureSettings
) -> dict[str, tuple[object, ...]]:
    primary, gap = primary_and_gap(solution.rotated.pattern)
    values = np.array(solution.values, dtype=object)
    going: dict[str, tuple[object, ...]] = {}
    for factor in range(solution.rotated.pattern.shape[1]):
        own = np.flatnonzero(solution.primary == factor)
        if len(own) < FEWEST_FOR_ALPHA:
            continue
        keys = solution.keys[own]
        keyed = covariance.loc[values[own], values[own]].to_numpy() * np.outer(keys, keys)
        alpha, without = alpha_of(keyed), alphas_without(keyed)
        worst = int(np.argmax(without))
        # a weak factor whose values all help it keeps them, and shows its alpha
        if alpha < settings.minimum_alpha and without[worst] > alpha:
            at = own[worst]
            reason = f"alpha of its factor below {settings.minimum_alpha}, and higher without it"
            going[values[at]] = (reason, primary[at], gap[at], alpha, without[worst])
    return going


def _frame(removals: list[tuple[object, ...]]) -> pd.DataFrame:
    return pd.DataFrame(removals, columns=REMOVAL_COLUMNS)
