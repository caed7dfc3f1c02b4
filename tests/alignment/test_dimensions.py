"""Scores of responses on the dimensions of a value system, worked by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from gpla_assets.alignment import dimension_scores, values_of

CARE = {"Care": {"Empathy": 1, "Cruelty": -1}, "Risk": {"Risk Taking": 1}}


def measured(*rows: tuple[str, str, float | None]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["response_id", "value", "score"])


def test_a_dimension_is_the_mean_of_its_keyed_values() -> None:
    # Empathy (0.8 + 0.4) / 2 = 0.6; Cruelty -0.2, keyed 0.2; Care (0.6 + 0.2) / 2 = 0.4
    rows = measured(
        ("a", "Empathy", 0.8),
        ("a", "Empathy", 0.4),
        ("a", "Cruelty", -0.2),
        ("b", "Risk Taking", 1),
    )
    found = dimension_scores(rows, CARE, ["b", "a"])
    assert list(found.index) == ["b", "a"]
    assert list(found.columns) == ["Care", "Risk"]
    np.testing.assert_allclose(found.to_numpy(), [[np.nan, 1.0], [0.4, np.nan]])


def test_each_value_weighs_the_same_however_often_it_was_measured() -> None:
    rows = measured(*[("a", "Empathy", 1.0)] * 9, ("a", "Cruelty", 1.0))
    assert dimension_scores(rows, CARE, ["a"]).loc["a", "Care"] == 0


def test_a_response_without_perceptions_has_no_score() -> None:
    rows = measured(("a", "Empathy", None), ("c", "Empathy", 1.0))
    found = dimension_scores(rows, CARE, ["a", "b"])
    assert found.shape == (2, 2)
    assert found.isna().all(axis=None)
    nothing = dimension_scores(rows.iloc[:0], CARE, ["a"])
    assert nothing.shape == (1, 2)
    assert nothing.isna().all(axis=None)


def test_scores_stay_between_minus_one_and_one_and_turn_with_the_keys() -> None:
    random = np.random.default_rng(0)
    rows = pd.DataFrame(
        {
            "response_id": random.choice(list("abcdef"), 300),
            "value": random.choice(["Empathy", "Cruelty", "Risk Taking", "Other"], 300),
            "score": random.uniform(-1, 1, 300),
        }
    )
    found = dimension_scores(rows, CARE, list("abcdef"))
    assert found.abs().max(axis=None) <= 1
    turned = {name: {v: -k for v, k in keys.items()} for name, keys in CARE.items()}
    np.testing.assert_allclose(dimension_scores(rows, turned, list("abcdef")), -found)
    # the order of the rows is nobody's business
    shuffled = rows.sample(frac=1, random_state=1)
    np.testing.assert_allclose(dimension_scores(shuffled, CARE, list("abcdef")), found)


def test_values_of_a_system_are_listed_once() -> None:
    assert values_of({"A": {"x": 1, "y": 1}, "B": {"y": -1, "z": 1}}) == ["x", "y", "z"]


@pytest.mark.parametrize(
    ("rows", "dimensions", "message"),
    [
        (measured(("a", "Empathy", 1.2)), CARE, "score 1.2; expected a number between -1 and 1"),
        (measured().drop(columns="value"), CARE, "Measurements lack value"),
        (measured(), {"Care": {"Empathy": 2}}, "'Care', value 'Empathy': key 2; expected 1 or -1"),
    ],
)  # fmt: skip
def test_what_cannot_be_scored_is_named(
    rows: pd.DataFrame, dimensions: dict[str, dict[str, int]], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        dimension_scores(rows, dimensions, ["a"])
