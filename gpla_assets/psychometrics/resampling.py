"""Random draws behind intervals and p values: what is drawn, and how draws are summed up.

Whole units are drawn (a LLM with its profiles, a prompt with its pairs): what a unit holds is not
independent, and drawn one by one makes intervals too narrow (Efron and Tibshirani, 1993, 8.6).
`scipy.stats.bootstrap` and `permutation_test` draw single observations, and anew for each
statistic; here one set of draws serves a whole table.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gpla_assets.common.intervals import INTERVAL

Floats = NDArray[np.float64]
Places = NDArray[np.int64]

RESAMPLES = 1000
TIE = 1e-12
"""Statistics that differ by less are equal, whatever the order of their sums."""


def units_of(names: Sequence[str]) -> list[Places]:
    """The places of each unit's rows; units in order of their names, one a row."""
    unit_of_row = np.asarray(names, dtype=object)
    return [np.flatnonzero(unit_of_row == unit) for unit in sorted(set(names))]


def drawn_rows(units: Sequence[Places], random: np.random.Generator) -> Places:
    """The rows of as many units as there are, drawn with replacement."""
    return np.concatenate([units[at] for at in random.integers(0, len(units), len(units))])


def groups_of(n: int, names: Sequence[str] | None) -> Places:
    """The number of each row's unit (n,), from 0, in order of names; of each row where None."""
    if names is None:
        return np.arange(n)
    _, found = np.unique(np.asarray(names, dtype=str), return_inverse=True)
    return found.astype(np.int64)


def drawn_weights(group: Places, random: np.random.Generator) -> Floats:
    """How often each row (n,) counts where as many of its units are drawn as there are."""
    n = int(group.max()) + 1
    drawn = np.bincount(random.integers(0, n, n), minlength=n)
    return drawn[group].astype(float)


def drawn_units(n: int, resamples: int, random: np.random.Generator) -> Places:
    """(resamples, n): places of units, each row n of n drawn with replacement."""
    return random.integers(n, size=(resamples, n))


def drawn_counts(n: int, resamples: int, random: np.random.Generator) -> Places:
    """(resamples, n): how often each unit is drawn where n of n are drawn with replacement."""
    return random.multinomial(n, np.full(n, 1 / n), resamples)


def poisson_counts(n: int, resamples: int, random: np.random.Generator) -> Places:
    """(resamples, n): how often each unit counts, Poisson(1) independently of the others.

    The usual bootstrap, but for a total that varies a little: for statistics of weights.
    """
    return random.poisson(1.0, (resamples, n))


def drawn_signs(n: int, draws: int, random: np.random.Generator) -> Floats:
    """(draws, n) of 1 and -1 by a coin: what may as well have been turned round."""
    return random.choice([-1.0, 1.0], (draws, n))


def halves(units: Sequence[str], random: np.random.Generator) -> tuple[Places, Places]:
    """Places of two random halves of the rows; all rows of a unit (a LLM) are in one half."""
    names = np.asarray(units, dtype=object)
    different = np.asarray(sorted(set(units)), dtype=object)
    first = set(random.permutation(different)[: len(different) // 2])
    inside = np.array([name in first for name in names], bool)
    return np.flatnonzero(inside), np.flatnonzero(~inside)


def percentile_interval(draws: ArrayLike) -> Floats:
    """(2, ...): lower and upper end of the 95% percentile interval of draws (resamples, ...).

    Draws without a number (NaN) are passed over; NaN where none is left.
    """
    found = np.asarray(draws, float)
    if not len(found):
        return np.full((2, *found.shape[1:]), np.nan)
    # nanquantile goes through a table of draws column by column
    quantile = np.nanquantile if np.isnan(found).any() else np.quantile
    return np.asarray(quantile(found, INTERVAL, axis=0))


def permutation_p(observed: float, null: ArrayLike) -> float | None:
    """(1 + draws at least as large) / (1 + draws), Phipson and Smyth (2010); None without draws.

    The observed order is one of those that chance can bring, so that p is never 0.
    """
    drawn = np.asarray(null, float)
    if not len(drawn):
        return None
    return float((1 + (drawn >= observed - TIE).sum()) / (1 + len(drawn)))
