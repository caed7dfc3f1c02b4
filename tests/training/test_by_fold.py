"""M_E by folds: each value is read by the fold that held it out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from gpla_assets.evaluator.expression import Reading
from gpla_assets.evaluator.scoring import scored_pairs
from gpla_assets.training.by_fold import ByFold, folds_of_values


class Numbered:
    """An M_E that gives its number as relevance."""

    name, model, revision, inferences = "numbered", "numbered", None, 3

    def __init__(self, number: float) -> None:
        self.number = number

    def read(
        self,
        perceptions: Sequence[str],
        values: Sequence[str],
        definitions: Sequence[str | None],
        top_relevance: float = 1.0,
    ) -> Reading:
        shape = (len(perceptions), len(values))
        return Reading.judged(np.full(shape, self.number), np.full((*shape, 3), [0.7, 0.2, 0.1]))

    def score(
        self, perceptions: Sequence[str], values: Sequence[str], definitions: Sequence[str | None]
    ) -> pd.DataFrame:
        n = len(perceptions)
        return scored_pairs(
            np.arange(n), np.array(values, object), np.full(n, self.number), np.full((n, 3), 0.3)
        )

    evaluate = score


def test_columns_and_pairs_are_those_of_the_values_folds() -> None:
    both = ByFold({0: Numbered(0.1), 1: Numbered(0.2)}, {"a": 0, "b": 1, "c": 0}, "fast")
    reading = both.read(["x", "y"], ["B", "A", "C", "unknown"], [""] * 4)
    # a value of no fold was trained on in all of them: the first reads it
    assert reading.relevance.tolist() == [[0.2, 0.1, 0.1, 0.1]] * 2
    assert np.allclose(reading.lean, 0.5)
    pairs = both.score(["x", "y", "z"], ["B", "a", "b"], [""] * 3)
    assert pairs["relevance"].tolist() == [0.2, 0.1, 0.2]
    assert pairs["value"].tolist() == ["B", "a", "b"]
    assert pairs["row"].tolist() == [0, 1, 2]
    assert both.model == "values held out, fast" and both.inferences == 6


def test_traits_of_a_cluster_are_of_one_fold() -> None:
    fold_of = folds_of_values()
    assert fold_of["agreeableness"] in range(5)
    from gpla_assets.content import persona_traits

    traits = persona_traits().assign(fold=lambda rows: rows["value"].str.casefold().map(fold_of))
    assert (traits.groupby("cluster")["fold"].nunique() == 1).all()
