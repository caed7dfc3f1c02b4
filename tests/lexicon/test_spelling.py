"""Names that are equal in normal form are one value, under the spelling met most often."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from gpla_assets.assets.values import joined_values
from gpla_assets.lexicon.spelling import common_spellings, normal_form, respelled


def generated(*rows: tuple[int, str, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["row", "value", "probability"]).astype(
        {"row": np.int64, "value": object, "probability": float}
    )


def test_a_name_has_one_normal_form() -> None:
    assert normal_form("  Self\t RESPECT\n") == "self respect"
    assert normal_form("Straße") == "strasse"
    assert normal_form(normal_form(" A  b ")) == normal_form(" A  b ")


def test_the_most_frequent_spelling_stands_and_ties_go_by_name() -> None:
    found = common_spellings(pd.Series({"care": 3, "Care": 2, "Order": 1, "order": 1}))
    assert found == {"care": "care", "Care": "care", "Order": "Order", "order": "Order"}


def spelled_alike(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows (row, value, probability) under the most frequent spellings of all of them."""
    frequencies = rows.drop_duplicates(["row", "value"])["value"].value_counts()
    return respelled(rows, common_spellings(frequencies), "row")


def test_free_names_are_counted_together_and_once_a_perception() -> None:
    # "Work-life balance" is met in rows 0 and 1, "Work-Life Balance" in row 1 alone, where it is
    # the likelier: row 1 keeps that probability under the common spelling
    rows = generated(
        (0, "Work-life balance", 0.9),
        (1, "Work-Life Balance", 0.8),
        (1, "Care", 0.7),
        (1, "Work-life balance", 0.6),
    )
    found = spelled_alike(rows)
    assert found.to_numpy().tolist() == [
        [0, "Work-life balance", 0.9],
        [1, "Work-life balance", 0.8],
        [1, "Care", 0.7],
    ]
    perceptions = pd.DataFrame({"perception_id": ["p", "q"], "source": "x"})
    assert joined_values(perceptions, found).groupby("value").size()["Work-life balance"] == 2


def test_names_that_differ_stay_as_they_are() -> None:
    rows = generated((0, "Care", 0.9), (0, "Order", 0.2), (3, "Care", 0.4))
    pd.testing.assert_frame_equal(spelled_alike(rows), rows)
    pd.testing.assert_frame_equal(spelled_alike(generated()), generated())


NAMES = st.sampled_from(["Care", "care", "CARE", "Self Respect", "self  respect", "Order"])


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), NAMES, st.floats(0, 1)), max_size=12))
def test_every_value_is_spelled_once_and_every_perception_keeps_it(
    drawn: list[tuple[int, str, float]],
) -> None:
    found = spelled_alike(generated(*drawn))
    forms = found["value"].map(normal_form)
    assert found["value"].nunique() == forms.nunique()
    assert not found.duplicated(["row", "value"]).any()
    kept = set(zip(found["row"], forms, strict=True))
    assert kept == {(row, normal_form(name)) for row, name, _ in drawn}


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), NAMES, st.floats(0, 1)), max_size=12))
def test_parts_are_spelled_as_the_whole_is(drawn: list[tuple[int, str, float]]) -> None:
    rows = generated(*sorted(drawn, key=lambda one: one[0]))
    spellings = common_spellings(rows["value"].value_counts())
    whole = respelled(rows, spellings, "row")
    parts = [respelled(own, spellings, "row") for _, own in rows.groupby("row")]
    found = pd.concat(parts, ignore_index=True) if parts else whole
    pd.testing.assert_frame_equal(found, whole)
