"""A target distilled from preferences: per dimension, where winners are near and losers far.

Of pairs with measurements w (the preferred response) and l (the other), the target is

    x* = argmin over the measured values x of f(x) = sum_i |x - w_i| - |x - l_i|

(equations 3 and 4 of the paper). f is piecewise linear with its corners at the measured values:
with these sorted, its slope between two neighbours is twice the number of winners less losers
to their left, so that one sort and two running sums give f everywhere, in O(m log m).

Hence the target is where the share of winners below x overtakes that of losers. Where winners
score higher throughout, that is at the top: a target of 1 says which way preference goes, and no
more of how far.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
TOLERANCE = 1e-12
"""Objectives that differ by less, times the sum of all measurements' sizes, are equal."""
WIDE = 0.1
"""Minimisers that lie further apart leave the target open: it is printed to one decimal."""
NOTHING, CONSTANT, TIED = "nothing measured", "constant", "tied"


@dataclass(frozen=True)
class Target:
    """The target on one dimension, and how far it is determined.

    `objective` is f at the target, `spread` the largest f less the smallest; `low` and `high` the
    smallest and the largest minimiser. `flat` says why the target is open, where it is: "nothing
    measured", "constant" (f is the same at all measured values) or "tied" (`low` and `high` are
    further apart than WIDE). All numbers but the counts are NaN without a pair.
    """

    target: float
    objective: float
    pairs: int
    excluded: int
    low: float
    high: float
    spread: float
    flat: str | None


@dataclass(frozen=True)
class Corners:
    """The measured values of both sides of some pairs, sorted: where f may bend.

    `at` (2n,) the values; `pair` the pair of each, `side` 1 of a winner and -1 of a loser; `rank`
    the order in which ties between minimisers are broken: nearest to 0, then the positive one.
    """

    at: Floats
    pair: NDArray[np.int64]
    side: Floats
    rank: NDArray[np.int64]

    def of_first(self, n_pairs: int) -> Corners:
        """Those of the first pairs, without sorting again."""
        kept = self.pair < n_pairs
        at = self.at[kept]
        return Corners(at, self.pair[kept], self.side[kept], _ranks(at))


def corners(winning: Floats, losing: Floats) -> Corners:
    """Corners of the objective of pairs (n,), (n,) without NaN."""
    values = np.concatenate([winning, losing])
    order = np.argsort(values, kind="stable")
    n = len(winning)
    # winners came first when the sides were joined
    side = np.where(order < n, 1.0, -1.0)
    return Corners(values[order], order % max(n, 1), side, _ranks(values[order]))


def _ranks(at: Floats) -> NDArray[np.int64]:
    ranks = np.empty(len(at), np.int64)
    ranks[np.lexsort((-at, np.abs(at)))] = np.arange(len(at))
    return ranks


def objectives(found: Corners, weights: Floats | None = None) -> Floats:
    """f at each corner: (2n,), or (n_draws, 2n) for `weights` of pairs (n_draws, n_pairs).

    A negative weight turns a preference round.
    """
    signed = found.side if weights is None else found.side * weights[:, found.pair]
    # to the left of the first corner f is flat: there are as many winners as losers
    first = (signed * found.at).sum(axis=-1, keepdims=True)
    slopes = 2 * np.cumsum(signed, axis=-1)[..., :-1]
    return np.concatenate([first, first + np.cumsum(slopes * np.diff(found.at), axis=-1)], axis=-1)


def minimisers(found: Corners, weights: Floats) -> Floats:
    """The target of each draw (n_draws,) of weighted pairs; NaN of a draw without any.

    `weights` (n_draws, n_pairs) as in `objectives`; a pair of weight 0 is not there.
    """
    if not len(found.at):
        return np.full(len(weights), np.nan)
    f = np.where(weights[:, found.pair] != 0, objectives(found, weights), np.inf)
    lowest = f.min(axis=1, keepdims=True)
    scale = np.abs(weights[:, found.pair]) @ np.abs(found.at)
    ties = f <= lowest + TOLERANCE * scale[:, None]
    # ties are broken by rank, not by which of equal sums rounding made smaller
    best = np.where(ties, found.rank, len(found.at)).argmin(axis=1)
    return np.where(np.isfinite(lowest[:, 0]), found.at[best], np.nan)


def minimiser(winning: Floats, losing: Floats) -> Target:
    """The target of one dimension from measurements (n,), (n,); a pair with a NaN is left out.

    Among equal minimisers the one nearest to 0 is taken, the positive one of two as near.

    >>> minimiser(np.array([1.0, 1.0, 0.0]), np.array([0.0, -1.0, 0.5])).target
    1.0
    """
    both = ~(np.isnan(winning) | np.isnan(losing))
    excluded = int((~both).sum())
    if not both.any():
        nan = float("nan")
        return Target(nan, nan, 0, excluded, nan, nan, nan, NOTHING)
    found = corners(winning[both], losing[both])
    f = objectives(found)
    slack = TOLERANCE * float(np.abs(found.at).sum())
    ties = np.flatnonzero(f <= f.min() + slack)
    best = ties[found.rank[ties].argmin()]
    low, high = float(found.at[ties[0]]), float(found.at[ties[-1]])
    spread = float(f.max() - f.min())
    flat = None
    if spread <= slack:
        flat = CONSTANT
    elif high - low > WIDE:
        flat = TIED
    return Target(
        float(found.at[best]), float(f[best]), int(both.sum()), excluded, low, high, spread, flat
    )


def distil(winning: pd.DataFrame, losing: pd.DataFrame, mask_below: float) -> pd.DataFrame:
    """Targets of all dimensions from scores (n_pairs, n_dimensions) of both sides.

    One row a dimension: dimension and the fields of `Target`. A pair in which either side was not
    measured on a dimension is left out of it and counted in `excluded`; so is one in which either
    side is nearer to 0 than `mask_below` (the original BaseAlign masks below 0.3, the paper not).

    Raises ValueError where the two sides differ in shape or dimensions.
    """
    check_sides(winning, losing)
    rows = [
        minimiser(masked(winning[name], mask_below), masked(losing[name], mask_below))
        for name in winning.columns
    ]
    fields = list(Target.__dataclass_fields__)
    found = pd.DataFrame([vars(row) for row in rows], columns=fields)
    # where no objective is flat, pandas would make the column of nulls numbers
    flat = pd.Series([row.flat for row in rows], dtype=object)
    return found.assign(dimension=list(winning.columns), flat=flat)[["dimension", *fields]]


def masked(scores: pd.Series, mask_below: float) -> Floats:
    """Scores as numbers; those nearer to 0 than `mask_below` become NaN."""
    numbers = scores.to_numpy(float)
    return np.where(np.abs(numbers) < mask_below, np.nan, numbers)


def check_sides(winning: pd.DataFrame, losing: pd.DataFrame) -> None:
    """Raises ValueError where the scores of the two sides do not match."""
    if winning.shape != losing.shape or list(winning.columns) != list(losing.columns):
        raise ValueError(
            f"Winning responses have {len(winning)} rows of {list(winning.columns)}, losing ones "
            f"{len(losing)} of {list(losing.columns)}; expected the same pairs and dimensions."
        )
