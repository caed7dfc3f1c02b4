"""A response's place in a value system: one score a dimension, from its measured perceptions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from gpla_assets.evaluator.scoring import pooled

Dimensions = Mapping[str, Mapping[str, int]]
"""A value system: each dimension's values with their keys, 1 or -1."""
COLUMNS = ("response_id", "value", "score")


def dimension_scores(
    measured: pd.DataFrame, dimensions: Dimensions, responses: Sequence[str]
) -> pd.DataFrame:
    """Scores (n_responses, n_dimensions) in [-1, 1]; NaN where no value of a dimension has one.

    `measured` has columns response_id, value, score: one row per perception and value that it is
    relevant to; a score that is NaN counts as none. The score of a response on a value is that of
    its perceptions `pooled`; that on a dimension the mean over the dimension's values, each keyed
    (times 1 or -1). A value weighs as much as another, however many perceptions concern it.

    Rows are in the order of `responses`, columns in that of `dimensions`. Raises ValueError for a
    missing column, a score beyond [-1, 1] and a key that is neither 1 nor -1.
    """
    _check(measured, dimensions)
    order = pd.Index(list(responses), name="response_id")
    own = measured[measured["response_id"].isin(order)]
    values = pooled(own, ["response_id", "value"]).unstack("value").reindex(order)
    scores = {}
    for dimension, keys in dimensions.items():
        keyed = values.reindex(columns=list(keys)).astype(float) * list(keys.values())
        scores[dimension] = keyed.mean(axis=1)
    return pd.DataFrame(scores, index=order, columns=list(dimensions), dtype=float)


def values_of(dimensions: Dimensions) -> list[str]:
    """All values of a system once, in the order of its dimensions: what M_E is to measure."""
    return list(dict.fromkeys(value for keys in dimensions.values() for value in keys))


def _check(measured: pd.DataFrame, dimensions: Dimensions) -> None:
    missing = [name for name in COLUMNS if name not in measured.columns]
    if missing:
        raise ValueError(
            f"Measurements lack {', '.join(missing)}; found {', '.join(map(str, measured))}; "
            f"expected the columns {', '.join(COLUMNS)}. Rename them."
        )
    beyond = measured[measured["score"].abs() > 1]
    if len(beyond):
        row = beyond.iloc[0]
        raise ValueError(
            f"Response {row['response_id']!r}, value {row['value']!r}: score {row['score']}; "
            "expected a number between -1 and 1. Scale the scores."
        )
    for dimension, keys in dimensions.items():
        for value, sign in keys.items():
            if sign not in (1, -1):
                raise ValueError(
                    f"Dimension {dimension!r}, value {value!r}: key {sign!r}; expected 1 or -1."
                )
