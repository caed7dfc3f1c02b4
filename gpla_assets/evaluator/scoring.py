"""The rule of M_E, in one place: which pairs are relevant, their score, and when there is none.

Points 9 and 10 of docs/open_points.md, after GPV (Value4AI/gpv, gpv/measure.py). SQL that repeats a
rule (the check of measurements) is held to it by tests/evaluator/test_scoring.py; what a subject's
perceptions add up to is `expression`'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Numbers = NDArray[np.floating]
COLUMNS = ["row", "value", "relevance", "p_support", "p_oppose", "p_either", "score"]


@overload
def is_relevant(relevance: float, minimum: float) -> bool: ...
@overload
def is_relevant(relevance: Numbers, minimum: float) -> NDArray[np.bool_]: ...
def is_relevant(relevance: float | Numbers, minimum: float) -> bool | NDArray[np.bool_]:
    """Whether a pair counts: its relevance is strictly above the cut; NaN is not.

    >>> is_relevant(0.5, 0.5), is_relevant(0.51, 0.5)
    (False, True)
    """
    return relevance > minimum


def lean(probabilities: Numbers) -> Numbers:
    """p(support) - p(oppose), in [-1, 1], of probabilities (..., 3): a score, but for its rule of
    none."""
    difference: Numbers = probabilities[..., 0] - probabilities[..., 1]
    return difference


def scored_pairs(
    rows: NDArray[np.int64], values: NDArray[np.object_], relevance: Numbers, probabilities: Numbers
) -> pd.DataFrame:
    """Pairs (n,) with their probabilities (n, 3) of support, oppose and either, and their score.

    The score is their `lean`; NaN where "either" is strictly the largest: such a perception takes
    no side.
    """
    stances = probabilities.astype(float)
    support, oppose, either = stances.T
    undecided = either > np.maximum(support, oppose)
    return pd.DataFrame(
        {
            "row": rows.astype(np.int64),
            "value": values,
            "relevance": relevance.astype(float),
            "p_support": support,
            "p_oppose": oppose,
            "p_either": either,
            "score": np.where(undecided, np.nan, lean(stances)),
        },
        columns=COLUMNS,
    )


def no_pairs() -> pd.DataFrame:
    """`scored_pairs` of none."""
    none = np.zeros((0, 3))
    return scored_pairs(np.zeros(0, np.int64), np.zeros(0, object), none[:, 0], none)


def leaning(pairs: pd.DataFrame) -> pd.DataFrame:
    """Scored pairs with their `lean` as the score in every row, also of the undecided.

    What is asked of single pairs; a study's measurements leave the undecided without.
    """
    return pairs.assign(score=lean(pairs[["p_support", "p_oppose"]].to_numpy()))


def counted(pairs: pd.DataFrame, minimum: float) -> pd.DataFrame:
    """Of scored pairs, whatever their relevance, those that count in a study, with a score."""
    ruled = scored_pairs(
        pairs["row"].to_numpy(),
        pairs["value"].to_numpy(),
        pairs["relevance"].to_numpy(),
        pairs[["p_support", "p_oppose", "p_either"]].to_numpy(),
    )["score"].to_numpy()
    return pairs[is_relevant(pairs["relevance"].to_numpy(), minimum) & ~np.isnan(ruled)]


def pooled(measured: pd.DataFrame, by: Sequence[str]) -> pd.Series:
    """Score of all perceptions of a group together: the mean of those that take a side.

    `measured`: rows with a score, NaN where there is none, and the columns `by`. By group; NaN
    where no perception takes a side.
    """
    return measured.groupby(list(by))["score"].mean()
