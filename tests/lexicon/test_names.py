"""The filter without listed pairs decides as the one with them, and Rouge is rouge_score's own."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer

from gpla_assets.lexicon import filter_lexicon, filter_names, value_similarities
from gpla_assets.lexicon.names import BLOCK
from gpla_assets.lexicon.rouge import StemmedNames
from gpla_assets.studies import LexiconSettings

WORDS = ("care", "caring", "of", "order", "and", "day", "self-care", "自由", "\n", "right", "to")
NAMES = st.lists(st.sampled_from(WORDS), min_size=1, max_size=5).map(" ".join)


def drawn_values(
    rng: np.random.Generator, names: list[str], directions: int
) -> tuple[pd.DataFrame, np.ndarray]:
    """Frequencies with ties, and embeddings about a few directions: cosines on all sides."""
    vectors = rng.normal(size=(directions, 8))[rng.integers(0, directions, len(names))]
    vectors = vectors + 0.7 * rng.normal(size=vectors.shape)
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return pd.DataFrame({"value": names, "frequency": rng.integers(1, 9, len(names))}), vectors


@settings(max_examples=60, deadline=None)
@given(
    st.lists(NAMES.filter(str.strip), min_size=1, max_size=14, unique=True),
    st.sampled_from([0.34, 0.5, 2 / 3, 0.8, 1.0]),
    st.sampled_from([0.3, 0.53, 0.9]),
    st.integers(0, 2**32),
)
def test_the_walk_decides_as_the_list_of_pairs(
    names: list[str], rouge: float, cosine: float, seed: int
) -> None:
    frequencies, vectors = drawn_values(np.random.default_rng(seed), names, 4)
    chosen = LexiconSettings(rouge_threshold=rouge, cosine_threshold=cosine, minimum_frequency=2)
    similar = value_similarities(names, vectors, chosen.listed_cosine)
    expected = filter_lexicon(frequencies, similar, chosen)
    pd.testing.assert_frame_equal(filter_names(frequencies, vectors, chosen), expected)


@pytest.mark.parametrize("rouge", [0.5, 0.8])
def test_values_of_several_blocks_are_decided_as_one(rouge: float) -> None:
    rng = np.random.default_rng(5)
    pairs = itertools.combinations(range(60), 2)
    names = [f"w{a}x of w{b}x" for a, b in pairs][: BLOCK + 400]
    frequencies, vectors = drawn_values(rng, names, 300)
    chosen = LexiconSettings(rouge_threshold=rouge, cosine_threshold=0.9)
    similar = value_similarities(names, vectors, chosen.listed_cosine)
    found = filter_names(frequencies, vectors, chosen)
    pd.testing.assert_frame_equal(found, filter_lexicon(frequencies, similar, chosen))
    assert "cosine" in set(found["rule"]) and found["kept"].sum() > 9


def test_a_cosine_at_the_threshold_is_decided_in_float64() -> None:
    angle = np.arccos(0.53)
    vectors = np.array([[1.0, 0.0], [np.cos(angle), np.sin(angle)]])
    frequencies = pd.DataFrame({"value": ["Order", "Sailing"], "frequency": [2, 1]})
    exact = float(vectors[0] @ vectors[1])
    for threshold, kept in ((exact, 1), (float(np.nextafter(exact, 1)), 2)):
        found = filter_names(frequencies, vectors, LexiconSettings(cosine_threshold=threshold))
        assert found["kept"].sum() == kept


@settings(max_examples=60, deadline=None)
@given(NAMES, NAMES)
def test_rouge_is_rouge_scores_to_the_last_bit(target: str, prediction: str) -> None:
    scorer = RougeScorer(["rougeLsum"], use_stemmer=True)
    expected = scorer.score(target, prediction)["rougeLsum"]
    found = StemmedNames([target, prediction]).scores(np.array([0]), np.array([1]))
    assert [float(one[0]) for one in found] == [
        *(expected.fmeasure, expected.precision, expected.recall)
    ]


def test_many_stems_have_a_character_each() -> None:
    # past the surrogates, which are no characters
    names = [f"w{n}" for n in range(60_000)]
    stems = StemmedNames([*names, "w59999 w3"])
    assert len(set(stems.coded)) == len(names) + 1
    assert stems.scores(np.array([59_999]), np.array([60_000]))[2][0] == 1.0
