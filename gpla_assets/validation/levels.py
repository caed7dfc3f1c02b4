"""Whether factors between LLMs are more than what texts, or M_E, speak of together.

Answers of one LLM to different questions have a structure, too: values that one text bears on. Only
what differs from it is a structure of LLMs (two-level factor analysis: Muthen, 1994). And factors
that other questions do not bring again are of the questions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gpla_assets.psychometrics.congruence import matched, tucker_congruence
from gpla_assets.psychometrics.extraction import principal_loadings
from gpla_assets.psychometrics.rotation import rotate
from gpla_assets.studies.measurement import MeasurementRule
from gpla_assets.validation.by_question import ByQuestion
from gpla_assets.validation.question_halves import SPLITS, Floats, question_halves


@dataclass(frozen=True)
class Levels:
    """Factors between units beside those of halves of the questions, and of answers within units.

    `factors`: factor (1 is the largest; varimax of principal components), `halves` the mean
    congruence of the factor in one half of the questions with itself in the other, `within` its
    congruence with a factor of the answers. `r` of the values' correlations between units with
    those within; `n_units`, `n_answers`.
    """

    factors: pd.DataFrame
    r: float
    n_units: int
    n_answers: int


def factor_levels(
    by_question: ByQuestion,
    rule: MeasurementRule,
    values: Sequence[str],
    n_factors: int,
    splits: int = SPLITS,
    seed: int = 0,
) -> Levels:
    """Compare the factors of some values between units with two others; see Levels.

    Answers are scored by the rule and taken less their unit's and their question's mean; those
    without a score on some value are left out. Units without a score are left out likewise.
    """
    names, score = list(values), by_question.scores(rule)
    whole = score(by_question.questions)[names].dropna()
    between = _correlations(whole.to_numpy(float))
    own = _loadings(between, n_factors)
    halves = question_halves(by_question.questions, score, splits, seed)
    columns = [halves.values.index(name) for name in names]
    again = [
        _alike(own, first[:, columns], second[:, columns])
        for first, second in zip(halves.first, halves.second, strict=True)
    ]
    cells = by_question.cells(rule)
    answers = cells[cells["value"].isin(names)].pivot(
        index=["unit", "question"], columns="value", values="score"
    )
    known = answers[names].dropna()
    for level in ("unit", "question"):
        known = known - known.groupby(level=level).transform("mean")
    within = _correlations(known.to_numpy(float))
    pairs = np.triu_indices(len(names), 1)
    table = pd.DataFrame(
        {
            "factor": np.arange(1, n_factors + 1),
            "halves": np.mean(again, axis=0),
            "within": matched(own, _loadings(within, n_factors))[2],
        }
    )
    r = float(np.corrcoef(between[pairs], within[pairs])[0, 1])
    return Levels(table, r, len(whole), len(known))


def _correlations(scores: Floats) -> Floats:
    return np.asarray(np.corrcoef(scores.T), float)


def _loadings(correlations: Floats, n_factors: int) -> Floats:
    found: Floats = rotate(principal_loadings(correlations, n_factors), "varimax").pattern
    return found


def _alike(own: Floats, first: Floats, second: Floats) -> Floats:
    """(n_factors,): congruence of what each half has in the place of each factor."""
    known = ~(np.isnan(first).any(axis=1) | np.isnan(second).any(axis=1))
    loadings = [_loadings(_correlations(half[known]), own.shape[1]) for half in (first, second)]
    places = [matched(own, one)[0] for one in loadings]
    a, b = (one[:, place] for one, place in zip(loadings, places, strict=True))
    found: Floats = np.abs(np.diag(tucker_congruence(a, b)))
    return found
