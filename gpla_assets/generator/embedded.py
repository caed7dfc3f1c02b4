"""M_G by embeddings: the values of the vocabulary that a perception bears on most."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gpla_assets.embedding.embedder import Encoder
from gpla_assets.evaluator.heads import Floats, Heads
from gpla_assets.evaluator.said import relevance_to_all, said
from gpla_assets.evaluator.scoring import is_relevant
from gpla_assets.evaluator.value_text import value_text
from gpla_assets.studies import Generator

CHUNK = 512
"""Perceptions read at a time: of 1,200 values and the reader's 32 hidden units they take 80 MB."""


class EmbeddedGenerator:
    """The `values_per_perception` most relevant values, of those that `is_relevant` lets count.

    Relevance is M_E's, by the same encoder and `heads`, to all of `vocabulary`, rows (value,
    definition). `probability` of a value is its relevance: it orders the values of a perception,
    and is no frequency.
    """

    name = "embedded"
    revision: str | None = None

    def __init__(
        self,
        embedder: Encoder,
        heads: Heads,
        vocabulary: pd.DataFrame,
        settings: Generator,
    ) -> None:
        self.embedder, self.heads = embedder, heads
        self.values = vocabulary["value"].to_numpy(object)
        self.texts = [
            value_text(row.value, row.definition) for row in vocabulary.itertuples(index=False)
        ]
        self.minimum_relevance = settings.minimum_relevance
        self.values_per_perception = settings.values_per_perception

    @property
    def model(self) -> str:
        """Name of the embedding model."""
        return self.embedder.model

    @property
    def inferences(self) -> int:
        """Texts embedded so far."""
        return self.embedder.inferences

    def generate(self, perceptions: Sequence[str]) -> pd.DataFrame:
        """Rows (row, value, probability), most relevant first within a perception."""
        parts = []
        if len(perceptions) and len(self.texts):
            values = self.embedder.encode(self.texts)
            told = said(perceptions, self.embedder)
            for first in range(0, len(perceptions), CHUNK):
                chunk = slice(first, first + CHUNK)
                # decision 0006: M_E's relevance, by its embeddings, and not the nearest
                found = relevance_to_all(told, chunk, values, self.heads)
                parts.append(self._most_relevant(found.of_either, first))
        rows, columns, relevance = (
            (np.concatenate(part) for part in zip(*parts, strict=True))
            if parts
            else (np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float32))
        )
        return pd.DataFrame(
            {"row": rows, "value": self.values[columns], "probability": relevance.astype(float)}
        )

    def _most_relevant(
        self, relevance: Floats, first: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
        # A stable sort: of equals the value earlier in the vocabulary wins, on any machine.
        order = np.argsort(-relevance, axis=1, kind="stable")[:, : self.values_per_perception]
        top = np.take_along_axis(relevance, order, axis=1)
        kept = is_relevant(top, self.minimum_relevance)
        rows = np.broadcast_to(np.arange(first, first + len(top))[:, None], kept.shape)
        return rows[kept], order[kept], top[kept]
