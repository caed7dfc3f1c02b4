"""A second evaluator that no policy is trained on, to see whether a gain is more than M_E's whim.

It shares nothing with the tuned M_E: relevance is the cosine of the general sentence embedding,
the sign is the sentiment (VADER) of the perception times that of the value. Cruder than M_E, and
wrong in other places, which is what it is for.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from gpla_assets.embedding.cues import sentiment
from gpla_assets.embedding.embedder import Encoder
from gpla_assets.evaluator.expression import NO_TOP, Reading, joined
from gpla_assets.evaluator.scoring import leaning, scored_pairs
from gpla_assets.evaluator.value_text import value_texts

RELEVANT = 0.35
"""Cosine; about as many pairs pass as pass M_E's threshold on the demo's responses."""


class SentimentEvaluator:
    """Relevance by the general embedding, valence by the product of sentiments."""

    name = "sentiment"
    revision: str | None = None

    def __init__(self, encoder: Encoder, minimum_cosine: float = RELEVANT) -> None:
        self.encoder, self.minimum_cosine = encoder, minimum_cosine

    @property
    def model(self) -> str:
        """Name of the encoder, and of what judges the sign."""
        return f"{self.encoder.model}, VADER"

    @property
    def inferences(self) -> int:
        """Texts embedded so far."""
        return self.encoder.inferences

    def read(
        self,
        perceptions: Sequence[str],
        values: Sequence[str],
        definitions: Sequence[str | None],
        top_relevance: float = NO_TOP,
    ) -> Reading:
        """Cosines of all pairs, 0 where negative, and the valence of all, which costs nothing."""
        if not perceptions or not values:
            return joined([], len(perceptions), len(values))
        texts = value_texts(values, definitions)
        cosines = self.encoder.encode(list(perceptions)) @ self.encoder.encode(texts).T
        turn = np.outer(sentiment(list(perceptions)), sentiment(texts)).astype(np.float32)
        chances = np.stack([np.maximum(turn, 0), np.maximum(-turn, 0), 1 - np.abs(turn)], -1)
        return Reading.judged(np.maximum(cosines, 0), chances)

    def evaluate(
        self, perceptions: Sequence[str], values: Sequence[str], definitions: Sequence[str | None]
    ) -> pd.DataFrame:
        """Pairs whose cosine is above the minimum, with the columns of every evaluator."""
        found = self.read(perceptions, values, definitions).pairs(values, self.minimum_cosine)
        # a faint sentiment still leans to a side
        return leaning(found)

    def score(
        self, perceptions: Sequence[str], values: Sequence[str], definitions: Sequence[str | None]
    ) -> pd.DataFrame:
        """Aligned pairs, whatever their relevance."""
        texts = value_texts(values, definitions)
        u, v = self.encoder.encode(list(perceptions)), self.encoder.encode(texts)
        turn = (sentiment(list(perceptions)) * sentiment(texts)).astype(np.float32)
        chances = np.stack([np.maximum(turn, 0), np.maximum(-turn, 0), 1 - np.abs(turn)], 1)
        every = np.arange(len(values), dtype=np.int64)
        found = scored_pairs(every, np.array(values, object), (u * v).sum(1), chances)
        return leaning(found)
