"""What the bi-encoder learns from the cross-encoder: which pairs, and what is left out."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gpla_assets.content import STANCES, labelled_perceptions, vocabulary
from gpla_assets.embedding.embedder import make_embedder
from gpla_assets.embedding.low_rank import LowRank
from gpla_assets.evaluator.cross_weights import CrossWeights
from gpla_assets.parser.backends import make_parser
from gpla_assets.studies import Parser
from gpla_assets.training.fast import lessons_of_teacher
from gpla_assets.training.labels import labelled_relations, texts_with_hash
from gpla_assets.training.teaching import (
    NEAREST,
    VALUES_PER_TEXT,
    pairs_to_teach,
    taught,
    unlabelled_sentences,
)

STATEMENTS = pd.DataFrame(
    {
        "text": ["I keep every promise.", "I save for bad days.", "I keep every promise."],
        "value": ["Reliability", "Thrift", "Honesty"],
    }
)
SENTENCES = ["Listen to your partner.", "Practise a little every day."]


class Teacher:
    """Supports whatever it reads with a definition, and opposes what it reads without."""

    def __init__(self) -> None:
        self.read: list[str] = []
        nothing = np.zeros((4, 1), np.float32)
        self.weights = CrossWeights(
            LowRank.between({}, {}, 1), nothing, nothing[:, 0], np.ones(1, np.float32)
        )

    def logits(self, texts: Sequence[str], values: Sequence[str]) -> np.ndarray:
        self.read += values
        return np.array([[2.0, 0, 0, 0] if ":" in value else [0, 2.0, 0, 0] for value in values])


def pairs(count: int = 40) -> pd.DataFrame:
    values = vocabulary()[["value", "definition"]]
    return pairs_to_teach(STATEMENTS, SENTENCES, values, make_embedder(), count)


@pytest.mark.slow
def test_each_text_gets_two_near_values_and_never_its_own() -> None:
    found = pairs()
    assert list(found.groupby("text").size()) == [VALUES_PER_TEXT] * 4
    assert not found.duplicated(["text", "value"]).any()
    own = dict(zip(STATEMENTS["text"][:2], STATEMENTS["value"][:2], strict=True))
    assert all(row.value != own.get(row.text) for row in found.itertuples())
    values, encode = vocabulary(), make_embedder().encode
    names = list(values["value"])
    texts = [f"{v}: {d}" for v, d in zip(values["value"], values["definition"], strict=True)]
    similar = encode(list(found["text"])) @ encode(texts).T
    ranks = [(s > s[names.index(v)]).sum() for s, v in zip(similar, found["value"], strict=True)]
    assert max(ranks) < NEAREST
    pd.testing.assert_frame_equal(found, pairs())


def test_no_more_pairs_than_asked_for() -> None:
    assert len(pairs(8)) == 8
    assert len(pairs(4)) == 4


def test_a_teachers_probabilities_stand_beside_the_whole_definition() -> None:
    rows = pd.concat([pairs()] * 25, ignore_index=True)
    teacher = Teacher()
    found = taught(rows, teacher)  # type: ignore[arg-type]
    np.testing.assert_allclose(found[list(STANCES)].sum(axis=1), 1, atol=1e-5)
    pd.testing.assert_series_equal(found["definition"], rows["definition"])
    bare = np.array([":" not in value for value in teacher.read])
    assert 0.15 < bare.mean() < 0.45
    assert ((found["oppose"] > found["support"]).to_numpy() == bare).all()
    # unrelated stands at 0 beside logits of 2 and two of 0
    expected = 1 - 1 / (np.exp(2) + 3)
    np.testing.assert_allclose(found["related"], expected, atol=1e-5)


def test_without_a_cross_encoder_there_is_nothing_to_learn_and_it_is_said(tmp_path: Path) -> None:
    said: list[str] = []
    assert lessons_of_teacher(tmp_path, 3, STATEMENTS, STATEMENTS, said.append).empty
    assert "no cross_3 to learn from" in said[0]


@pytest.mark.slow
@pytest.mark.skipif(not os.environ.get("GPLA_DATA_DIR"), reason="no GPLA_DATA_DIR: real texts")
def test_sentences_to_teach_are_none_that_the_test_holds() -> None:
    found = unlabelled_sentences(make_parser(Parser()), texts=60)  # type: ignore[arg-type]
    assert len(found) > 60
    texts = texts_with_hash("alpaca_eval", set(labelled_perceptions()["text"]))
    assert texts is not None
    assert not set(found) & set(labelled_relations(texts)["content"])
