"""Whether LLMs come out the same with other questions: halves of the questions, many times.

Two halves measure each LLM twice; what they share is the reliability of half the questions, and
Spearman and Brown's formula (1910) gives that of all.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gpla_assets.psychometrics.resampling import (
    drawn_counts,
    halves,
    percentile_interval,
)
from gpla_assets.validation.consistency import FEWEST_VALUES, profile_correlations
from gpla_assets.validation.generalizability import questions_needed, stepped_up
from gpla_assets.validation.style import less_style

Floats = NDArray[np.float64]
Scorer = Callable[[Collection[str]], pd.DataFrame]
"""Scores (units x values) from some of the questions, by their keys."""

SPLITS = 50
RESAMPLES = 400
"""Of intervals: each takes all splits."""
FEWEST_UNITS = 4
"""Of fewer LLMs a correlation says nothing."""
BELOW = 0.5
"""Reliability below which more than half of a score's variance is not the LLM's own."""
FAR_TOO_MANY = 1000
"""Questions that no study asks: a higher number would be a way to say never."""
R_OF_HALVES, MEDIAN, UNRELIABLE, RANK, FIRST = (
    "r between halves, mean over values",
    "reliability of all questions, median value",
    "values with a reliability below .5",
    "rank of the own profile",
    "share of own profiles at rank 1",
)


@dataclass(frozen=True)
class Halves:
    """Scores of n units on m values from both halves of the questions, for each random split.

    `first` and `second` (splits, n, m), NaN where a half has no score; a half has `size` questions
    of `questions`.
    """

    units: tuple[str, ...]
    values: tuple[str, ...]
    first: Floats
    second: Floats
    questions: int

    def of(self, units: Collection[str]) -> Halves:
        """The same of some units."""
        kept = [name in units for name in self.units]
        names = tuple(name for name in self.units if name in units)
        return Halves(names, self.values, self.first[:, kept], self.second[:, kept], self.questions)

    def less_style(self, style: pd.DataFrame) -> Halves:
        """Without what scores owe to the units' style (by unit), as far as that is linear."""
        own = style.loc[list(self.units)].to_numpy(float)
        first, second = (
            np.stack([less_style(scores, own) for scores in half])
            for half in (self.first, self.second)
        )
        return Halves(self.units, self.values, first, second, self.questions)


def question_halves(
    questions: Sequence[str], score: Scorer, splits: int = SPLITS, seed: int = 0
) -> Halves:
    """Scores from random halves of the questions; units and values are those of all of them."""
    random, keys = np.random.default_rng(seed), sorted(set(questions))
    whole = score(keys).sort_index().sort_index(axis=1)
    found: tuple[list[Floats], list[Floats]] = ([], [])
    for _ in range(splits):
        for side, places in zip(found, halves(keys, random), strict=True):
            part = score([keys[place] for place in places])
            side.append(part.reindex(index=whole.index, columns=whole.columns).to_numpy(float))
    names = (tuple(map(str, whole.index)), tuple(map(str, whole.columns)))
    return Halves(*names, np.stack(found[0]), np.stack(found[1]), len(keys))


def half_correlations(found: Halves) -> Floats:
    """(splits, m): r of the halves' scores across units, value by value.

    NaN with fewer than FEWEST_UNITS units that have both, or without variance.
    """
    r: Floats = weighted_correlations(found, np.ones((1, len(found.units))))[0]
    return r


def weighted_correlations(found: Halves, weights: Floats) -> Floats:
    """(k, splits, m): the same for each of k weightings of the units (k, n)."""
    both = ~np.isnan(found.first) & ~np.isnan(found.second)
    # near their means, sums of squares lose fewer digits
    x, y = (_known_deviations(half, both) for half in (found.first, found.second))

    total, units = _summed(weights, both.astype(float)), (weights > 0).astype(float)
    safe = np.maximum(total, 1e-12)
    of_x, of_y = _summed(weights, x), _summed(weights, y)
    between = _summed(weights, x * y) - of_x * of_y / safe
    within = (_summed(weights, x**2) - of_x**2 / safe) * (_summed(weights, y**2) - of_y**2 / safe)
    spread = np.sqrt(np.maximum(within, 0.0))
    enough = _summed(units, both.astype(float)) >= FEWEST_UNITS
    usable = enough & (spread > 1e-12 * safe * _scale(x, y))
    r: Floats = np.where(usable, between / np.where(usable, spread, 1.0), np.nan)
    return r


def _summed(weights: Floats, one: Floats) -> Floats:
    """(k, n) and (splits, n, m) -> (k, splits, m)."""
    found: Floats = np.einsum("kn,snm->ksm", weights, one, optimize=True)
    return found


def _known_deviations(half: Floats, known: NDArray[np.bool_]) -> Floats:
    sizes = np.maximum(known.sum(axis=1, keepdims=True), 1)
    means = np.where(known, half, 0.0).sum(axis=1, keepdims=True) / sizes
    return np.where(known, half - means, 0.0)


def _scale(x: Floats, y: Floats) -> Floats:
    """(splits, m): product of the largest deviations, by which rounding is judged."""
    found: Floats = np.abs(x).max(axis=1) * np.abs(y).max(axis=1)
    return found


def own_ranks(found: Halves) -> Floats:
    """(2 splits, n): the rank of a unit's own profile among all units' of the other half.

    By r over values of profiles less each value's mean over units; 1 is best, and a profile that
    tells nothing, or has no r, has (n + 1) / 2 by chance. A tie counts half. Each half is
    looked for in the other; NaN with fewer than FEWEST_VALUES values.
    """
    splits, n = found.first.shape[:2]
    if len(found.values) < FEWEST_VALUES or n < 2:
        return np.full((2 * splits, n), np.nan)
    ranks = []
    for a, b in zip(found.first, found.second, strict=True):
        r = profile_correlations(_centred(a), _centred(b))
        ranks += [_rank_of_diagonal(r), _rank_of_diagonal(r.T)]
    return np.stack(ranks)


def _centred(scores: Floats) -> Floats:
    known = ~np.isnan(scores)
    sums = np.where(known, scores, 0.0).sum(axis=0)
    return scores - np.where(known.any(axis=0), sums / np.maximum(known.sum(axis=0), 1), np.nan)


def _rank_of_diagonal(r: Floats) -> Floats:
    own = np.diag(r)[:, None]
    # an r that does not exist is not better; where the own one does not, nothing is known
    better = np.where(np.isnan(own), 0.5, (r > own) + 0.5 * (r == own))
    np.fill_diagonal(better, 0.0)
    ranks: Floats = 1.0 + better.sum(axis=1)
    return ranks


def reliabilities(found: Halves) -> pd.Series:
    """By value: the reliability of scores from all questions, from the mean r of the halves."""
    r = half_correlations(found)
    known = ~np.isnan(r)
    mean = np.where(known, r, 0).sum(0) / np.maximum(known.sum(0), 1)
    # a negative mean is an estimate of no reliability, which no length would make negative
    numbers = np.where(known.any(0), stepped_up(np.maximum(mean, 0.0)), np.nan)
    return pd.Series(numbers, list(found.values), name="reliability")


def reliability_caution(each: pd.Series, questions: int, units: str, wanted: float) -> str | None:
    """What a reader must know of values with a reliability below BELOW; None where there is none.

    `each`: reliability of scores from all `questions`, by value; `units` says across whom.
    """
    known = each.dropna()
    weak, middle = int((known < BELOW).sum()), float(known.median()) if len(known) else np.nan
    if not weak:
        return None
    needed = questions_needed(middle, questions, wanted)
    if middle >= wanted:
        remedy = "the median value is reliable"
    elif needed > FAR_TOO_MANY:
        remedy = f"{FAR_TOO_MANY:,} such questions would not bring the median value to {wanted:.2f}"
    else:
        remedy = f"about {needed:,.0f} such questions would bring the median value to {wanted:.2f}"
    return (
        f"Not reliable: across {units}, {weak} of {len(known)} values have a reliability below "
        f"{BELOW:.2f} over halves of the {questions} questions (median {middle:.2f}); {remedy}."
    )


def reliability_rows(found: Halves, wanted: float, seed: int = 0) -> pd.DataFrame:
    """How far LLMs come out the same: rows measure, number, low, high, n, known.

    Intervals are over units drawn anew; n is of units, or of the values that have a reliability.
    `known` says what no reliability would give.
    """
    n = len(found.units)
    counts = drawn_counts(n, RESAMPLES, np.random.default_rng(seed)).astype(float)
    ranks = own_ranks(found)
    rank, first = ranks.mean(axis=0), np.where(np.isnan(ranks), np.nan, ranks <= 1).mean(axis=0)
    r, drawn = half_correlations(found), weighted_correlations(found, counts)
    each = reliabilities(found).dropna()
    middle = float(each.median()) if len(each) else np.nan
    needed = questions_needed(middle, found.questions, wanted)
    rows: list[tuple[object, ...]] = [
        (R_OF_HALVES, _mean(r), *_interval([_mean(one) for one in drawn]), n, "chance 0"),
        (MEDIAN, middle, None, None, len(each), "chance 0, at most 1"),
        (UNRELIABLE, (each < BELOW).sum(), None, None, len(each), "0"),
        (RANK, rank.mean(), *_interval(counts @ rank / n), n, f"chance {(n + 1) / 2:g}"),
        (FIRST, first.mean(), *_interval(counts @ first / n), n, f"chance {1 / n:.3f}"),
        (
            f"questions for {wanted:g}, median value",
            needed if np.isfinite(needed) else None,
            *(None, None, found.questions),
            "as few as there are" if np.isfinite(needed) else "no number will do",
        ),
    ]
    table = pd.DataFrame(rows, columns=["measure", "number", "low", "high", "n", "known"])
    return table.astype({"number": float, "low": float, "high": float})


def _mean(numbers: Floats) -> float:
    known = numbers[~np.isnan(numbers)]
    return float(known.mean()) if len(known) else float("nan")


def _interval(draws: Sequence[float] | Floats) -> tuple[float | None, float | None]:
    """The interval of draws; nothing where there is none."""
    if np.isnan(draws).all():
        return None, None
    low, high = percentile_interval(draws)
    return float(low), float(high)
