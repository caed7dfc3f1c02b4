"""The lexicon's filter: the sequential rule, the similarities and the tool on a user's file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpla_assets.lexicon import LexiconError, filter_lexicon, sweep, value_similarities
from gpla_assets.lexicon.tool import filter_file

PAIRS = ["value_a", "value_b", "rouge_f", "rouge_precision", "rouge_recall", "cosine"]


def frequencies(**counts: float) -> pd.DataFrame:
    return pd.DataFrame({"value": list(counts), "frequency": list(counts.values())})


def pairs(*rows: tuple[object, ...]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=PAIRS)


def test_a_chain_drops_only_what_overlaps_a_kept_value() -> None:
    # b goes for a; c overlaps b alone, which is gone, so that c stays
    found = filter_lexicon(
        frequencies(c=2, b=5, a=9), pairs(("a", "b", 0, 0, 0, 0.53), ("b", "c", 0.9, 0.9, 0.9, 0))
    )
    assert list(found["value"]) == ["a", "b", "c"]
    assert list(found["kept"]) == [True, False, True]
    dropped = found.iloc[1]
    assert (dropped.winner, dropped.rule, dropped.similarity) == ("a", "cosine", 0.53)


def test_equal_frequencies_go_by_name() -> None:
    found = filter_lexicon(frequencies(b=3, a=3), pairs(("a", "b", 0.5, 0, 0, 0)))
    assert found.loc[found["kept"], "value"].tolist() == ["a"]


def test_a_threshold_is_reached_at_equality_and_not_below() -> None:
    for cosine, kept in ((0.53, 1), (np.nextafter(0.53, 0), 2)):
        found = filter_lexicon(frequencies(a=2, b=1), pairs(("a", "b", 0, 0, 0, cosine)))
        assert found["kept"].sum() == kept


def test_the_first_rule_that_holds_is_named() -> None:
    found = filter_lexicon(frequencies(a=2, b=1), pairs(("a", "b", 0.4, 0.3, 1.0, 0.9)))
    assert (found.iloc[1].rule, found.iloc[1].similarity) == ("rouge_recall", 1.0)


def test_rare_values_go_and_win_against_nobody() -> None:
    found = filter_lexicon(
        frequencies(a=2, b=1), pairs(("a", "b", 1, 1, 1, 1)), minimum_frequency=2
    )
    assert found.iloc[1].rule == "frequency"
    assert found.iloc[1].winner is None


def test_similarities_are_rouges_own_numbers() -> None:
    # "Social Justice" and "Justice": 1 of 1 predicted words right, 1 of 2 found: F = 2/3
    names = ["Social Justice", "Justice", "Sailing"]
    found = value_similarities(names, np.eye(3))
    row = found.iloc[0]
    assert len(found) == 1
    assert (row.value_a, row.value_b) == ("Justice", "Social Justice")
    assert row.rouge_precision == pytest.approx(0.5)
    assert row.rouge_recall == pytest.approx(1.0)
    assert row.rouge_f == pytest.approx(2 / 3)


def test_words_of_one_stem_are_candidates() -> None:
    found = value_similarities(["Learning", "Learned Skills"], np.eye(2))
    assert found["rouge_f"].iloc[0] > 0.5


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from("abcdefgh"), min_size=2, max_size=8, unique=True), st.randoms())
def test_the_order_of_names_does_not_matter(names: list[str], random) -> None:  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(3)
    vectors = {name: rng.normal(size=4) for name in "abcdefgh"}
    unit = {name: vector / np.linalg.norm(vector) for name, vector in vectors.items()}
    shuffled = list(names)
    random.shuffle(shuffled)

    def similar(order: list[str]) -> pd.DataFrame:
        return value_similarities(order, np.stack([unit[name] for name in order]), 0.2)

    pd.testing.assert_frame_equal(similar(names), similar(shuffled))


def test_a_sweep_gives_the_size_at_each_pair_of_thresholds() -> None:
    similar = pairs(("a", "b", 0.6, 0.6, 0.6, 0.2))
    found = sweep(frequencies(a=2, b=1), similar, [0.5, 0.7], [0.5])
    assert found["size"].tolist() == [1, 2]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ({"value": ["a", "a"], "frequency": [1, 2]}, "'a' occurs twice"),
        ({"value": ["a"], "frequency": [-1]}, "frequency '-1'"),
        ({"value": ["a"], "frequency": ["many"]}, "'many'"),
        ({"value": [" "], "frequency": [1]}, "blank"),
        ({"name": ["a"], "frequency": [1]}, "'value' is missing"),
    ],
)
def test_what_cannot_be_filtered_is_named(rows: dict[str, list[object]], message: str) -> None:
    with pytest.raises(LexiconError, match=message):
        filter_lexicon(pd.DataFrame(rows), pairs())


def test_a_threshold_out_of_range_is_refused() -> None:
    with pytest.raises(LexiconError, match=r"cosine_threshold = 1\.5"):
        filter_lexicon(frequencies(a=1), pairs(), cosine_threshold=1.5)


def test_the_tool_decides_on_every_value_of_a_users_file(tmp_path: Path) -> None:
    file = tmp_path / "values.csv"
    file.write_text(
        "value,frequency\nhonesty,9\nHonesty,3\nTruthfulness and honesty,5\nSailing,1\n"
    )
    found = filter_file(file, 0.5, 0.53).set_index("value")
    assert found.loc["honesty", "frequency"] == 12
    assert found["kept"].to_dict() == {
        "honesty": True,
        "Truthfulness and honesty": False,
        "Sailing": True,
    }
    assert found.loc["Truthfulness and honesty", "winner"] == "honesty"


def test_the_tool_names_a_missing_column(tmp_path: Path) -> None:
    file = tmp_path / "values.csv"
    file.write_text("name,count\na,1\n")
    with pytest.raises(LexiconError, match="expected value,frequency"):
        filter_file(file, 0.5, 0.53)
