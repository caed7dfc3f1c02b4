"""The lexicon's filter: the sequential rule, the similarities and the tool on a user's file."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpla_assets.embedding.embedder import make_embedder
from gpla_assets.lexicon import (
    LexiconError,
    filter_lexicon,
    sweep,
    unread,
    value_similarities,
)
from gpla_assets.lexicon.own_values import filter_file
from gpla_assets.studies import LexiconSettings, StudyError, settings_of_options
from gpla_assets.studies.lexicon import LISTED_COSINE

OURS = LexiconSettings()
PAIRS = ["value_a", "value_b", "rouge_f", "rouge_precision", "rouge_recall", "cosine"]


def frequencies(**counts: float) -> pd.DataFrame:
    return pd.DataFrame({"value": list(counts), "frequency": list(counts.values())})


def pairs(*rows: tuple[object, ...]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=PAIRS)


def test_a_chain_drops_only_what_overlaps_a_kept_value() -> None:
    # b goes for a; c overlaps b alone, which is gone, so that c stays
    found = filter_lexicon(
        frequencies(c=2, b=5, a=9),
        pairs(("a", "b", 0, 0, 0, 0.53), ("b", "c", 0.9, 0.9, 0.9, 0)),
        OURS,
    )
    assert list(found["value"]) == ["a", "b", "c"]
    assert list(found["kept"]) == [True, False, True]
    dropped = found.iloc[1]
    assert (dropped.winner, dropped.rule, dropped.similarity) == ("a", "cosine", 0.53)


def test_equal_frequencies_go_by_name() -> None:
    found = filter_lexicon(frequencies(b=3, a=3), pairs(("a", "b", 0.5, 0, 0, 0)), OURS)
    assert found.loc[found["kept"], "value"].tolist() == ["a"]


def test_a_threshold_is_reached_at_equality_and_not_below() -> None:
    for cosine, kept in ((0.53, 1), (np.nextafter(0.53, 0), 2)):
        found = filter_lexicon(frequencies(a=2, b=1), pairs(("a", "b", 0, 0, 0, cosine)), OURS)
        assert found["kept"].sum() == kept


def test_the_first_rule_that_holds_is_named() -> None:
    found = filter_lexicon(frequencies(a=2, b=1), pairs(("a", "b", 0.4, 0.3, 1.0, 0.9)), OURS)
    assert (found.iloc[1].rule, found.iloc[1].similarity) == ("rouge_recall", 1.0)


def test_rare_values_go_and_win_against_nobody() -> None:
    found = filter_lexicon(
        frequencies(a=2, b=1),
        pairs(("a", "b", 1, 1, 1, 1)),
        LexiconSettings(minimum_frequency=2),
    )
    assert found.iloc[1].rule == "frequency"
    assert found.iloc[1].winner is None


def test_the_winner_is_the_first_kept_value_and_not_the_most_similar() -> None:
    # c reaches the cosine's threshold with a and Rouge's, by more, with b; a comes first
    found = filter_lexicon(
        frequencies(a=9, b=5, c=2),
        pairs(("a", "c", 0, 0, 0, 0.6), ("b", "c", 0.9, 0.9, 0.9, 0.9)),
        OURS,
    )
    last = found.iloc[2]
    assert (last.winner, last.rule, last.similarity) == ("a", "cosine", 0.6)


def test_names_are_ordered_by_codepoint() -> None:
    # "Z" is 5A, "a" 61, "É" C9: as DuckDB orders them, whatever the language
    found = filter_lexicon(frequencies(**{"É": 1, "a": 1, "Z": 1}), pairs(), OURS)
    assert found["value"].tolist() == ["Z", "a", "É"]


def test_frequencies_read_as_text_count_as_numbers() -> None:
    rows = pd.DataFrame({"value": ["a", "b"], "frequency": ["9", "10"]})
    assert filter_lexicon(rows, pairs(), OURS)["value"].tolist() == ["b", "a"]


def test_no_values_give_no_rows() -> None:
    assert filter_lexicon(frequencies(), pairs(), OURS).empty


@st.composite
def lexicons(draw: st.DrawFn) -> tuple[pd.DataFrame, pd.DataFrame]:
    names = draw(st.lists(st.sampled_from("abcdefghZÉ"), min_size=1, max_size=8, unique=True))
    counts = draw(st.lists(st.integers(1, 4), min_size=len(names), max_size=len(names)))
    numbers = st.tuples(*[st.sampled_from([0, 0.3, 0.5, 0.53, 0.8])] * 4)
    rows = [
        (a, b, *draw(numbers)) for a in names for b in names if a < b and draw(st.integers(0, 2))
    ]
    return pd.DataFrame({"value": names, "frequency": counts}), pairs(*rows)


@settings(max_examples=100, deadline=None)
@given(lexicons(), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(drawn, random) -> None:  # type: ignore[no-untyped-def]
    counts, similar = drawn
    rows, columns = list(range(len(counts))), list(range(len(similar)))
    random.shuffle(rows)
    random.shuffle(columns)
    pd.testing.assert_frame_equal(
        filter_lexicon(counts, similar, OURS),
        filter_lexicon(counts.iloc[rows], similar.iloc[columns], OURS),
    )


@settings(max_examples=100, deadline=None)
@given(lexicons())
def test_kept_values_do_not_overlap_and_dropped_ones_overlap_an_earlier(drawn) -> None:  # type: ignore[no-untyped-def]
    counts, similar = drawn
    near = similar[(similar.iloc[:, 2:5].max(axis=1) >= 0.5) | (similar["cosine"] >= 0.53)]
    overlaps = {frozenset(pair) for pair in near[["value_a", "value_b"]].to_numpy().tolist()}
    found = filter_lexicon(counts, similar, OURS).set_index("value")
    kept = found.index[found["kept"]]
    assert not any(frozenset((a, b)) in overlaps for a in kept for b in kept if a != b)
    for value, row in found[~found["kept"]].iterrows():
        earlier = [a for a in kept if found["rank"][a] < row["rank"]]
        assert row["winner"] == next(a for a in earlier if frozenset((a, value)) in overlaps)


def test_similarities_are_rouges_own_numbers() -> None:
    # "Social Justice" and "Justice": 1 of 1 predicted words right, 1 of 2 found: F = 2/3
    names = ["Social Justice", "Justice", "Sailing"]
    found = value_similarities(names, np.eye(3), 0.4)
    row = found.iloc[0]
    assert len(found) == 1
    assert (row.value_a, row.value_b) == ("Justice", "Social Justice")
    assert row.rouge_precision == pytest.approx(0.5)
    assert row.rouge_recall == pytest.approx(1.0)
    assert row.rouge_f == pytest.approx(2 / 3)


def test_words_of_one_stem_are_candidates() -> None:
    found = value_similarities(["Learning", "Learned Skills"], np.eye(2), 0.4)
    assert found["rouge_f"].iloc[0] > 0.5


def test_candidates_are_all_pairs_of_a_stem_or_of_near_vectors_and_no_others() -> None:
    # three names share "care" (the stem of Caring and Cared): 3 pairs; two share "order": 1 pair;
    # Order and Sailing are near by cosine (0.6): 1 pair; of the 15 pairs no other
    names = ["Caring", "Cared Work", "Care Home", "Order", "Public Order", "Sailing"]
    vectors = np.eye(6)
    vectors[5] = 0.6 * vectors[3] + 0.8 * vectors[5]
    found = value_similarities(names, vectors, 0.4)
    assert (found["value_a"] < found["value_b"]).all()
    assert set(zip(found["value_a"], found["value_b"], strict=True)) == {
        ("Care Home", "Cared Work"),
        ("Care Home", "Caring"),
        ("Cared Work", "Caring"),
        ("Order", "Public Order"),
        ("Order", "Sailing"),
    }
    last = found.iloc[-1]
    assert (last.rouge_f, last.cosine) == (0, pytest.approx(0.6))


def test_two_thousand_names_are_compared_in_seconds() -> None:
    # names of two words out of 400: about 10 names share each word
    rng = np.random.default_rng(2)
    drawn = {tuple(sorted(rng.choice(400, 2, replace=False))) for _ in range(3000)}
    names = [f"w{a}x w{b}x" for a, b in sorted(drawn)][:2000]
    vectors = rng.normal(size=(2000, 384))
    start = time.perf_counter()
    found = value_similarities(names, vectors / np.linalg.norm(vectors, axis=1, keepdims=True), 0.4)
    assert len(found) > 5000
    assert time.perf_counter() - start < 20  # 2 s on an idle core; all pairs would take 250 s


@pytest.mark.parametrize(
    ("names", "vectors", "minimum", "message"),
    [
        (["a", "a"], np.eye(2), 0.4, "1 distinct"),
        (["a", "b"], np.eye(3), 0.4, "3 embeddings"),
        (["a", " "], np.eye(2), 0.4, r"names\[1\] = ' ' is blank"),
        (["a", "b"], np.ones(2), 0.4, r"shape \(2,\)"),
        (["a", "b"], 2 * np.eye(2), 0.4, "'a' has length 2"),
        (["a", "b"], np.diag([1, np.nan]), 0.4, "'[ab]' has length nan"),
        (["a", "b"], np.eye(2), 0.0, r"minimum_cosine = 0\.0"),
    ],
)
def test_what_cannot_be_compared_is_named(
    names: list[str], vectors: np.ndarray, minimum: float, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        value_similarities(names, vectors, minimum)


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


def test_the_size_may_fall_as_a_threshold_rises() -> None:
    # at 0.53 b goes for a, and c and d, near b alone, stay: a, c, d. At 0.6 b stays beside a and
    # drops both: a, b. At 1 nothing overlaps.
    similar = pairs(("a", "b", 0, 0, 0, 0.55), ("b", "c", 0, 0, 0, 0.9), ("b", "d", 0, 0, 0, 0.9))
    found = sweep(frequencies(a=4, b=3, c=2, d=1), similar, [1.0], [0.53, 0.6, 1.0])
    assert found["size"].tolist() == [3, 2, 4]


@settings(max_examples=50, deadline=None)
@given(lexicons())
def test_a_sweep_keeps_the_first_value_at_least_and_all_where_nothing_overlaps(drawn) -> None:  # type: ignore[no-untyped-def]
    counts, similar = drawn
    found = sweep(counts, similar, [0.5, 0.9], [0.53, 0.9])
    assert found["size"].between(1, len(counts)).all()
    assert found["size"].iloc[-1] == len(counts)  # no similarity reaches 0.9


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ({"value": ["a", "a"], "frequency": [1, 2]}, "'a' occurs twice"),
        ({"value": ["a"], "frequency": [-1]}, "frequency '-1'"),
        ({"value": ["a"], "frequency": ["many"]}, "'many'"),
        ({"value": ["a"], "frequency": [float("nan")]}, "frequency 'nan'"),
        ({"value": ["a"], "frequency": [float("inf")]}, "frequency 'inf'"),
        ({"value": [" "], "frequency": [1]}, "blank"),
        ({"name": ["a"], "frequency": [1]}, "'value' is missing"),
    ],
)
def test_what_cannot_be_filtered_is_named(rows: dict[str, list[object]], message: str) -> None:
    with pytest.raises(LexiconError, match=message):
        filter_lexicon(pd.DataFrame(rows), pairs(), OURS)


@pytest.mark.parametrize("threshold", [0.0, -0.1, 1.5, float("nan")])
def test_a_threshold_out_of_range_is_refused(threshold: float) -> None:
    for name in ("cosine_threshold", "rouge_threshold"):
        with pytest.raises(StudyError, match=f"{name} = {threshold}: Input should be"):
            settings_of_options(LexiconSettings, **{name: threshold})


def test_a_low_threshold_has_its_pairs_listed(tmp_path: Path) -> None:
    assert LexiconSettings().listed_cosine == LISTED_COSINE
    assert LexiconSettings(cosine_threshold=0.2).listed_cosine == 0.2
    file = tmp_path / "values.csv"
    file.write_text("value,frequency\nHonesty,9\nGenerosity,3\n")
    embedder = make_embedder()
    cosine = float(np.prod(embedder.encode(["Honesty", "Generosity"]), axis=0).sum())
    assert cosine < LISTED_COSINE
    low = filter_file(file, LexiconSettings(cosine_threshold=cosine - 0.01))
    assert low["kept"].tolist() == [True, False]
    assert filter_file(file, OURS)["kept"].tolist() == [True, True]


def test_a_similarity_that_is_missing_is_named() -> None:
    similar = pairs(("a", "b", 0, 0, 0, float("nan")))
    with pytest.raises(LexiconError, match="'a', 'b': cosine is NaN"):
        filter_lexicon(frequencies(a=2, b=1), similar, OURS)
    with pytest.raises(LexiconError, match="'cosine' is missing"):
        filter_lexicon(frequencies(a=2, b=1), similar.drop(columns="cosine"), OURS)


def test_the_tool_decides_on_every_value_of_a_users_file(tmp_path: Path) -> None:
    file = tmp_path / "values.csv"
    file.write_text(
        "value,frequency\nhonesty,9\nHonesty,3\nTruthfulness and honesty,5\nSailing,1\n"
    )
    found = filter_file(file, OURS).set_index("value")
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
        filter_file(file, OURS)


def test_names_that_the_encoder_cannot_read_are_no_duplicates() -> None:
    names = ["自由", "秩序", "الصدق", "🙂", "Order", "Orders"]
    assert unread(names) == names[:4]
    # as it embeds what it cannot read: all alike
    same = np.tile(np.eye(4)[0], (len(names), 1))
    found = value_similarities(names, same, 0.5)
    assert found[["value_a", "value_b"]].to_numpy().tolist() == [["Order", "Orders"]]
    assert filter_lexicon(frequencies(自由=3, 秩序=2), found, OURS)["kept"].all()
