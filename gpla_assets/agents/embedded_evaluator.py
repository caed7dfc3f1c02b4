"""M_E that ships: a fine-tuned sentence encoder with heads for relevance, valence and stance.

Rules of relevance and score as in GPV (Value4AI/gpv): a pair counts above relevance 0.5; its score
is p(support) - p(oppose), and missing where "either" is strictly the most probable.

In mode `fast` perceptions and values are embedded apart, and pairs are products. In mode `accurate`
relevance comes from the same embeddings, and a cross-encoder judges the valence of relevant pairs.

In both modes words that only affirm or deny a statement are taken off before it is judged, and what
answers a question is relevant to a value if the question or the answer is (`said`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gpla_assets.agents.cross_encoder import PairJudge
from gpla_assets.agents.cues import sentiment
from gpla_assets.agents.embedding import Encoder
from gpla_assets.agents.said import Said, relevance_to_all, relevance_to_own, said
from gpla_assets.evaluator import Floats, Heads, answered
from gpla_assets.evaluator.heads import TURNED
from gpla_assets.evaluator.value_text import value_texts

COLUMNS = ["row", "value", "relevance", "p_support", "p_oppose", "p_either", "score"]
CHUNK = 2048


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
        parts, v = said(perceptions, self.encoder), self.encoder.encode(texts)
        relevance, by_question = relevance_to_own(parts, v, self.heads)
        every = np.arange(len(values))
        probabilities = self._valence(parts, every, by_question, texts, v, every)
        rows = scored_pairs(every, np.array(values, object), relevance, probabilities)
        return rows.assign(score=rows["p_support"] - rows["p_oppose"])

    def _relevant(
        self, perceptions: list[str], values: list[str], definitions: list[str | None]
    ) -> Iterator[pd.DataFrame]:
        if not perceptions or not values:
            return
        texts, names = value_texts(values, definitions), np.array(values, object)
        v, parts = self.encoder.encode(texts), said(perceptions, self.encoder)
        for first in range(0, len(perceptions), CHUNK):
            chunk = slice(first, first + CHUNK)
            relevance, by_question = relevance_to_all(parts, chunk, v, self.heads)
            rows, columns = np.nonzero(relevance > self.minimum_relevance)
            probabilities = self._valence(
                parts, rows + first, by_question[rows, columns], texts, v, columns
            )
            yield scored_pairs(
                rows + first, names[columns], relevance[rows, columns], probabilities
            )

    def _valence(
        self,
        parts: Said,
        rows: NDArray[np.int64],
        by_question: NDArray[np.bool_],
        texts: list[str],
        v: Floats,
        columns: NDArray[np.int64],
    ) -> Floats:
        """Valence of aligned pairs (n, 3): perceptions by `rows`, values by `columns`.

        Where the question is judged, the stance that the answer takes to it turns the valence; what
        a perception denies turns it too.
        """
        if not len(rows):
            return np.zeros((0, 3), np.float32)
        read = [
            parts.questions[row] if asked else parts.statements[row]
            for row, asked in zip(rows, by_question, strict=True)
        ]
        if self.judge:
            logits = self.judge.logits(read, [texts[column] for column in columns])
            found = self.judge.weights.valence(logits)
        else:
            u = np.where(by_question[:, None], parts.u_question[rows], parts.u[rows])
            found = self._in_chunks(u, v, columns, sentiment(read), sentiment(texts))
        if by_question.any():
            answers = [parts.perceptions[row] for row in rows[by_question]]
            stance = self.heads.stance(self.encoder.encode(answers))
            found[by_question] = answered(stance, found[by_question])
        turned = ~by_question & parts.denied[rows]
        found[turned] = found[turned][:, TURNED]
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
