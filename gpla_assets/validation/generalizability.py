"""Whether LLMs come out the same with other questions, and how many questions that takes.

Two halves of the questions measure each LLM twice (split halves: Spearman, 1910; Brown, 1910).
Generalizability theory (Cronbach et al., 1972; Brennan, 2001) takes the variance of responses'
scores apart: between LLMs, between questions, and what is peculiar to an LLM's answer to a
question, which more questions average out.
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
from gpla_assets.psychometrics.variance import crossed_components
from gpla_assets.validation.consistency import FEWEST_VALUES, profile_correlations
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
R_OF_HALVES, MEDIAN, UNRELIABLE, RANK, FIRST = (
    "r between halves, mean over values",
    "reliability of all questions, median value",
    "values with a reliability below .5",
    "rank of the own profile",
    "share of own profiles at rank 1",
)
COMPONENTS = [
    *("value", "units", "questions", "between_units", "between_questions", "interaction", "within"),
]


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
    return weighted_correlations(found, np.ones((1, len(found.units))))[0]


def weighted_correlations(found: Halves, weights: Floats) -> Floats:
    """(k, splits, m): the same for each of k weightings of the units (k, n)."""
    both = ~np.isnan(found.first) & ~np.isnan(found.second)
    # near their means, sums of squares lose fewer digits
    x, y = (_known_deviations(half, both) for half in (found.first, found.second))

    def summed(one: Floats) -> Floats:
        return np.einsum("kn,snm->ksm", weights, one, optimize=True)

    total, units = summed(both.astype(float)), (weights > 0).astype(float)
    safe = np.maximum(total, 1e-12)
    of_x, of_y = summed(x), summed(y)
    between = summed(x * y) - of_x * of_y / safe
    within = (summed(x**2) - of_x**2 / safe) * (summed(y**2) - of_y**2 / safe)
    spread = np.sqrt(np.maximum(within, 0.0))
    enough = np.einsum("kn,snm->ksm", units, both.astype(float), optimize=True) >= FEWEST_UNITS
    usable = enough & (spread > 1e-12 * safe * _scale(x, y))
    return np.where(usable, between / np.where(usable, spread, 1.0), np.nan)


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


def stepped_up(r: Floats | float, factor: float = 2.0) -> Floats:
    """Reliability of a test `factor` times as long (Spearman and Brown): f r / (1 + (f - 1) r).

    >>> float(stepped_up(0.5).round(3))
    0.667
    """
    found = np.asarray(r, float)
    return factor * found / (1 + (factor - 1) * found)


def reliabilities(found: Halves) -> pd.Series:
    """By value: the reliability of scores from all questions, from the mean r of the halves."""
    r = half_correlations(found)
    known = ~np.isnan(r)
    mean = np.where(known, r, 0).sum(0) / np.maximum(known.sum(0), 1)
    # a negative mean is an estimate of no reliability, which no length would make negative
    numbers = np.where(known.any(0), stepped_up(np.maximum(mean, 0.0)), np.nan)
    return pd.Series(numbers, list(found.values), name="reliability")


def questions_needed(reliability: float, questions: int, wanted: float) -> float:
    """Questions for the reliability `wanted` where `questions` give `reliability`; inf of none.

    >>> questions_needed(0.5, 20, 0.7), questions_needed(0.0, 20, 0.7)
    (46.7, inf)
    """
    if not reliability > 0:
        return float("inf")
    if reliability >= 1:
        return 1.0
    factor = wanted * (1 - reliability) / (reliability * (1 - wanted))
    return round(factor * questions, 1)


def reliability_caution(
    each: pd.Series, questions: int, units: str, wanted: float
) -> str | None:
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
    elif np.isfinite(needed):
        remedy = f"about {needed:,.0f} such questions would bring the median value to {wanted:.2f}"
    else:
        remedy = f"no number of such questions would bring the median value to {wanted:.2f}"
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
        (R_OF_HALVES, _mean(r), *percentile_interval([_mean(one) for one in drawn]), n, "chance 0"),
        (MEDIAN, middle, None, None, len(each), "chance 0, at most 1"),
        (UNRELIABLE, (each < BELOW).sum(), None, None, len(each), "0"),
        (RANK, rank.mean(), *percentile_interval(counts @ rank / n), n, f"chance {(n + 1) / 2:g}"),
        (FIRST, first.mean(), *percentile_interval(counts @ first / n), n, f"chance {1 / n:.3f}"),
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


def components(cells: pd.DataFrame) -> pd.DataFrame:
    """Variance components of responses' scores, value by value: rows with COMPONENTS.

    `cells`: unit (a LLM), question, value, score, one row a response and value, or several where a
    LLM was asked again. `between_units` is what is to be measured; `interaction`, a LLM's answer to
    one question, is what more questions average out, and holds what differs between samples where
    no question was asked again; else that is `within`. Cell means are analysed as a crossed table
    (Henderson's method III), less their share of `within`. Negative estimates are 0; null with
    fewer than two units or questions.
    """
    rows = [
        (value, *_components(own.dropna(subset=["score"])))
        for value, own in cells.groupby("value", sort=True)
    ]
    return pd.DataFrame(rows, columns=COMPONENTS)


def _components(rows: pd.DataFrame) -> tuple[object, ...]:
    means = rows.groupby(["unit", "question"])["score"].agg(["mean", "size"]).reset_index()
    units, questions = means["unit"].nunique(), means["question"].nunique()
    if units < 2 or questions < 2 or len(means) <= units + questions - 1:
        return units, questions, None, None, None, None
    between, by_question, residual = crossed_components(
        means["mean"].to_numpy(float), means["unit"], means["question"]
    )
    within = None
    again = len(rows) - len(means)
    if again:
        mean = rows.groupby(["unit", "question"])["score"].transform("mean")
        within = float(((rows["score"] - mean) ** 2).sum() / again)
        # the mean of so many samples has that share of their variance
        residual -= within * float((1 / means["size"]).mean())
    kept = (max(one, 0.0) for one in (between, by_question, residual))
    return units, questions, *kept, within


def coefficient(parts: pd.DataFrame, questions: float, samples: int = 1) -> pd.Series:
    """Generalizability of scores from so many questions, each asked `samples` times, by value."""
    error = parts["interaction"] + parts["within"].fillna(0.0).astype(float) / samples
    signal = parts["between_units"]
    found = (signal / (signal + error / questions)).where(signal + error > 0)
    return found.astype(float).set_axis(parts["value"]).rename("reliability")


def planned(parts: pd.DataFrame, wanted: float) -> pd.DataFrame:
    """Components with the `reliability` of the questions there are, and how many are `needed`.

    `needed` is for the reliability `wanted`: infinite where LLMs do not differ, null where there
    is no estimate.
    """
    now = [
        coefficient(parts.iloc[[row]], float(parts["questions"].iloc[row])).iloc[0]
        for row in range(len(parts))
    ]
    one = coefficient(parts, 1).to_numpy(float)
    needed = [np.nan if np.isnan(g) else questions_needed(float(g), 1, wanted) for g in one]
    return parts.assign(reliability=now, needed=needed)
