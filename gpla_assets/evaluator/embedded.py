"""M_E that ships: a fine-tuned sentence encoder with heads for relevance, valence and stance.

Rules of relevance and score are those of `scoring`.

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

from gpla_assets.content import STANCES
from gpla_assets.embedding.cues import sentiment
from gpla_assets.embedding.embedder import Encoder
from gpla_assets.evaluator.cross_encoder import PairJudge
from gpla_assets.evaluator.expression import NO_TOP, Cuts, Reading, joined, to_judge
from gpla_assets.evaluator.heads import TURNED, Floats, Heads, answered
from gpla_assets.evaluator.said import Said, relevance_to_all, relevance_to_own, said
from gpla_assets.evaluator.scoring import leaning, no_pairs, scored_pairs
from gpla_assets.evaluator.value_text import one_each, value_texts
from gpla_assets.studies import Evaluator

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
        settings: Evaluator,
        judge: PairJudge | None = None,
    ) -> None:
        self.encoder = encoder
        self.heads = heads
        self.minimum_relevance = settings.minimum_relevance
        self.answer_margin = settings.answer_margin
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
        """The relevant pairs, by perception, then in order of values: rows of `scored_pairs`.

        Raises ValueError where values and definitions differ in number.
        """
        one_each(values, definitions)
        parts = [
            part.pairs(values, self.minimum_relevance).assign(
                row=lambda rows, n=first: rows.row + n
            )
            for first, part in self._chunks(perceptions, values, definitions, NO_TOP)
        ]
        return pd.concat(parts, ignore_index=True) if parts else no_pairs()

    def read(
        self,
        perceptions: Sequence[str],
        values: Sequence[str],
        definitions: Sequence[str | None],
        top_relevance: float = NO_TOP,
    ) -> Reading:
        """Relevance of all pairs, valence of those that `to_judge` names.

        Raises ValueError where values and definitions differ in number.
        """
        one_each(values, definitions)
        parts = [part for _, part in self._chunks(perceptions, values, definitions, top_relevance)]
        return joined(parts, len(perceptions), len(values))

    def score(
        self, perceptions: Sequence[str], values: Sequence[str], definitions: Sequence[str | None]
    ) -> pd.DataFrame:
        """Aligned pairs, whatever their relevance, one row a pair, `leaning`."""
        texts = value_texts(values, definitions)
        parts, v = said(perceptions, self.encoder), self.encoder.encode(texts)
        found = relevance_to_own(parts, v, self.heads)
        by_question = found.by_question(self.answer_margin)
        every = np.arange(len(values))
        probabilities = self._valence(parts, every, by_question, texts, v, every)
        names = np.array(values, object)
        return leaning(scored_pairs(every, names, found.of_either, probabilities))

    def _chunks(
        self,
        perceptions: Sequence[str],
        values: Sequence[str],
        definitions: Sequence[str | None],
        top_relevance: float,
    ) -> Iterator[tuple[int, Reading]]:
        """Readings of CHUNK perceptions, each with the place of its first."""
        if not len(perceptions) or not len(values):
            return
        cuts = Cuts(self.minimum_relevance, top_relevance)
        texts = value_texts(values, definitions)
        v, parts = self.encoder.encode(texts), said(perceptions, self.encoder)
        for first in range(0, len(perceptions), CHUNK):
            chunk = slice(first, first + CHUNK)
            found = relevance_to_all(parts, chunk, v, self.heads)
            relevance, by_question = found.of_either, found.by_question(self.answer_margin)
            rows, columns = np.nonzero(to_judge(relevance, cuts))
            stances = np.full((*relevance.shape, len(STANCES)), np.nan, np.float32)
            stances[rows, columns] = self._valence(
                parts, rows + first, by_question[rows, columns], texts, v, columns
            )
            yield first, Reading.judged(relevance, stances)

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
            # the whole perception: the stance head learnt from questions with their answers
            answers = [parts.perceptions[row] for row in rows[by_question]]
            stance = self.heads.stance(self.encoder.encode(answers))
            found[by_question] = answered(stance, found[by_question])
        # an answer's denial is in its stance already
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
