"""M_G by embeddings: the values of the vocabulary that lie nearest to a perception."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from gpla_assets.agents.embedding import Encoder
from gpla_assets.evaluator.value_text import value_text

CHUNK = 4096
"""Perceptions a matrix product: 4,096 x 1,200 values in float32 are 20 MB."""


class EmbeddedGenerator:
    """The `values_per_perception` values with the highest cosine above `minimum_cosine`.

    `vocabulary`: rows (value, definition). `probability` of a value is its cosine: it orders the
    values of a perception, and is no frequency.
    """

    name = "embedded"
    revision: str | None = None

    def __init__(
        self,
        embedder: Encoder,
        vocabulary: pd.DataFrame,
        minimum_cosine: float = 0.30,
        values_per_perception: int = 5,
    ) -> None:
        self.embedder = embedder
        self.values = vocabulary["value"].to_numpy(object)
        self.texts = [
            value_text(row.value, row.definition) for row in vocabulary.itertuples(index=False)
        ]
        self.minimum_cosine = minimum_cosine
        self.values_per_perception = values_per_perception

    @property
    def model(self) -> str:
        """Name of the embedding model."""
        return self.embedder.model

    @property
    def inferences(self) -> int:
        """Texts embedded so far."""
        return self.embedder.inferences

    def generate(self, perceptions: Sequence[str]) -> pd.DataFrame:
        """Rows (row, value, probability), nearest first within a perception."""
        parts = []
        if len(perceptions) and len(self.texts):
            values = self.embedder.encode(self.texts)
            embedded = self.embedder.encode(perceptions)
            for first in range(0, len(embedded), CHUNK):
                parts.append(self._nearest(embedded[first : first + CHUNK] @ values.T, first))
        rows, columns, cosines = (
            (np.concatenate(part) for part in zip(*parts, strict=True))
            if parts
            else (np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))
        )
        return pd.DataFrame(
            {"row": rows, "value": self.values[columns], "probability": cosines.astype(float)}
        )

    def _nearest(
        self, cosines: np.ndarray, first: int
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        # A stable sort: of equal cosines the value earlier in the vocabulary wins, on any machine.
        order = np.argsort(-cosines, axis=1, kind="stable")[:, : self.values_per_perception]
        top = np.take_along_axis(cosines, order, axis=1)
        kept = top >= self.minimum_cosine
        rows = np.broadcast_to(np.arange(first, first + len(cosines))[:, None], kept.shape)
        return rows[kept], order[kept], np.minimum(top[kept], 1.0)
