"""M_E that ships: a fine-tuned sentence encoder with heads for relevance, valence and stance.

Rules of relevance and score as in GPV (Value4AI/gpv): a pair counts above relevance 0.5; its score
is p(support) - p(oppose), and missing where "either" is strictly the most probable.

In mode `fast` perceptions and values are embedded apart, and pairs are products. In mode `accurate`
relevance comes from the same embeddings, and a cross-encoder judges the valence of relevant pairs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gpla_assets.agents.cross_encoder import PairJudge
from gpla_assets.agents.cues import sentiment
from gpla_assets.agents.embedding import Encoder
from gpla_assets.agents.referents import is_polar
from gpla_assets.evaluator import Floats, Heads, answered
from gpla_assets.evaluator.value_text import value_texts

COLUMNS = ["row", "value", "relevance", "p_support", "p_oppose", "p_either", "score"]
CHUNK = 2048
ASKED = re.compile(r"^(?P<question>[^?\n]{8,300}\?)\s+(?P<answer>\S.*)$", re.DOTALL)


class EmbeddedEvaluator:
    """Scores pairs of perceptions and values, with `judge` in mode accurate, else in mode fast.

    Relevance is that of the embeddings in both modes, so that both judge the same pairs.
    """

    name = "embedded"
    revision: str | None = None

    def __init__(
        self,
        encoder: Encoder,
        heads: Heads,
        minimum_relevance: float = 0.5,
        judge: PairJudge | None = None,
    ) -> None:
        self.encoder = encoder
        self.heads = heads
        self.minimum_relevance = minimum_relevance
        self.judge = judge

    @property
    def model(self) -> str:
        """Name of the encoder, or of the judge, and of the mode."""
        if self.judge:
            return f"{self.judge.model}, accurate"
        return f"{self.encoder.model}, fast"

    @property
    def inferences(self) -> int:
        """Texts embedded and pairs judged so far."""
        return self.encoder.inferences + (self.judge.inferences if self.judge else 0)

    def evaluate(
        self, perceptions: Sequence[str], values: Sequence[str], definitions: Sequence[str | None]
    ) -> pd.DataFrame:
        """Pairs with relevance above `minimum_relevance`, by perception, then in order of values.

        Rows (row, value, relevance, p_support, p_oppose, p_either, score); `score` in [-1, 1] is
        p_support - p_oppose, NaN where p_either is strictly the largest. Raises ValueError where
        values and definitions differ in number.
        """
        if len(values) != len(definitions):
            raise ValueError(
                f"Found {len(values)} values and {len(definitions)} definitions, expected one "
                "definition (or None) a value."
            )
        parts = list(self._relevant(list(perceptions), list(values), list(definitions)))
        if not parts:
            empty = {name: np.zeros(0) for name in COLUMNS}
            return pd.DataFrame(empty).astype({"row": np.int64, "value": object})
        return pd.concat(parts, ignore_index=True)

    def score(
        self, perceptions: Sequence[str], values: Sequence[str], definitions: Sequence[str | None]
    ) -> pd.DataFrame:
        """Aligned pairs, whatever their relevance: the columns of `evaluate`, one row a pair.

        `score` is p_support - p_oppose in every row.
        """
        texts = value_texts(values, definitions)
        u, v = self.encoder.encode(list(perceptions)), self.encoder.encode(texts)
        relevance = self.heads.relevance_of(self.heads.relatedness(u, v))
        every = np.arange(len(values))
        probabilities = self._valence(list(perceptions), u, texts, v, every)
        rows = scored_pairs(every, np.array(values, object), relevance, probabilities)
        return rows.assign(score=rows["p_support"] - rows["p_oppose"])

    def _relevant(
        self, perceptions: list[str], values: list[str], definitions: list[str | None]
    ) -> Iterator[pd.DataFrame]:
        if not perceptions or not values:
            return
        texts, names = value_texts(values, definitions), np.array(values, object)
        v, u = self.encoder.encode(texts), self.encoder.encode(perceptions)
        for first in range(0, len(u), CHUNK):
            part = slice(first, first + CHUNK)
            relevance = self.heads.relevance(u[part], v)
            rows, columns = np.nonzero(relevance > self.minimum_relevance)
            said = [perceptions[first + row] for row in rows]
            probabilities = self._valence(said, u[part][rows], texts, v, columns)
            yield scored_pairs(
                rows + first, names[columns], relevance[rows, columns], probabilities
            )

    def _valence(
        self,
        perceptions: list[str],
        u: Floats,
        texts: list[str],
        v: Floats,
        columns: NDArray[np.int64],
    ) -> Floats:
        """Valence of aligned pairs (n, 3); `columns` are their rows in `texts` and `v`.

        Where a perception answers a question, the question is judged, and the stance that the
        answer takes to it turns the valence.
        """
        if not perceptions:
            return np.zeros((0, 3), np.float32)
        questions = [question_of(text) for text in perceptions]
        asked = np.array([n for n, question in enumerate(questions) if question], np.int64)
        read = [question or text for question, text in zip(questions, perceptions, strict=True)]
        if self.judge:
            logits = self.judge.logits(read, [texts[column] for column in columns])
            found = self.judge.weights.valence(logits)
        else:
            of_read = u
            if len(asked):
                of_read = u.copy()
                of_read[asked] = self.encoder.encode([read[n] for n in asked])
            found = self._in_chunks(of_read, v, columns, sentiment(read), sentiment(texts))
        if len(asked):
            found[asked] = answered(self.heads.stance(u[asked]), found[asked])
        return found

    def _in_chunks(
        self,
        u: Floats,
        v: Floats,
        columns: NDArray[np.int64],
        u_sentiment: Floats,
        v_sentiment: Floats,
    ) -> Floats:
        parts = []
        for first in range(0, len(u), CHUNK):
            part = slice(first, first + CHUNK)
            own = columns[part]
            logits = self.heads.pair_logits(u[part], v[own], u_sentiment[part], v_sentiment[own])
            parts.append(self.heads.judged(logits))
        return np.concatenate(parts)


def question_of(perception: str) -> str | None:
    """The yes-or-no question that a text begins with and goes on to answer; None without one.

    >>> question_of("Should I plan ahead? No, not always.")
    'Should I plan ahead?'
    """
    found = ASKED.match(perception)
    return found["question"] if found and is_polar(found["question"]) else None


def scored_pairs(
    rows: NDArray[np.int64], values: NDArray[np.object_], relevance: Floats, probabilities: Floats
) -> pd.DataFrame:
    """Pairs with their probabilities (n, 3) and the score of point 9."""
    support, oppose, either = probabilities.astype(float).T
    undecided = either > np.maximum(support, oppose)
    return pd.DataFrame(
        {
            "row": rows.astype(np.int64),
            "value": values,
            "relevance": relevance.astype(float),
            "p_support": support,
            "p_oppose": oppose,
            "p_either": either,
            "score": np.where(undecided, np.nan, support - oppose),
        },
        columns=COLUMNS,
    )
