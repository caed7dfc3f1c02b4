"""M_E's `accurate` mode: a cross-encoder on all-mpnet-base-v2, whose weights the user brings.

Where they lie, and what is done without the hub, is `embedding.packaged`'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from gpla_assets.embedding.encoder_model import BATCH_TOKENS, load_packed_encoder, mean_vectors
from gpla_assets.embedding.store import EmbeddingStore, model_revision
from gpla_assets.evaluator.cross_weights import OUTPUTS, CrossWeights

if TYPE_CHECKING:
    from gpla_assets.embedding.pretrained import Pretrained, Tokenizer

MAX_TOKENS = 160

Logits = NDArray[np.float32]


class PairJudge(Protocol):
    """Anything that judges text and value together; tests pass a table."""

    weights: CrossWeights

    @property
    def model(self) -> str: ...

    @property
    def inferences(self) -> int: ...

    def logits(self, texts: Sequence[str], values: Sequence[str]) -> Logits:
        """Aligned pairs -> (n, 4): support, oppose, either, unrelated."""
        ...


class CrossEncoder:
    """Logits of pairs, the same in any company; `inferences` counts the pairs that the model read.

    What `store` holds is not judged again.
    """

    def __init__(
        self,
        folder: str,
        weights: CrossWeights,
        name: str,
        batch_tokens: int = BATCH_TOKENS,
        store: EmbeddingStore | None = None,
    ) -> None:
        self.folder = folder
        self.weights = weights
        self.name = name
        self.batch_tokens = batch_tokens
        self.store = store
        self.inferences = 0
        self._loaded: tuple[Tokenizer, Pretrained] | None = None

    @property
    def model(self) -> str:
        """Name of the model."""
        return self.name

    @cached_property
    def revision(self) -> str:
        """Names the model by what it holds, for the store; raises ValueError without a store."""
        if self.store is None:
            raise ValueError("A cross-encoder without a store has no revision; give it a store.")
        arrays = self.weights.arrays()
        return model_revision(self.store, Path(self.folder), arrays, "pairs", MAX_TOKENS)

    def logits(self, texts: Sequence[str], values: Sequence[str]) -> Logits:
        """Aligned pairs -> (n, 4): support, oppose, either, unrelated; equal pairs are run once."""
        # a NUL stands in no text: two pairs never share a key
        pairs = [f"{text}\0{value}" for text, value in zip(texts, values, strict=True)]
        if not pairs:
            return np.zeros((0, OUTPUTS), np.float32)
        distinct = dict(zip(pairs, zip(texts, values, strict=True), strict=True))
        found = self.store.get(self.revision, list(distinct)) if self.store else {}
        new = [pair for pair in distinct if pair not in found]
        judged = dict(zip(new, self._judged([distinct[pair] for pair in new]), strict=True))
        if self.store:
            self.store.put(self.revision, judged)
        found |= judged
        return np.stack([found[pair] for pair in pairs])

    def _judged(self, pairs: list[tuple[str, str]]) -> Logits:
        if not pairs:
            return np.zeros((0, OUTPUTS), np.float32)
        tokenizer, model = self._model()
        texts, values = (list(part) for part in zip(*pairs, strict=True))
        # of a pair that is too long the text gives way, so that the value is read whole
        tokens = tokenizer(texts, values, truncation="only_first", max_length=MAX_TOKENS)
        means = mean_vectors(model, tokens["input_ids"], self.batch_tokens).astype(np.float64)
        self.inferences += len(pairs)
        # float64 so that rounding hides in which order a matrix product adds up
        found = means @ self.weights.head_weights.T.astype(np.float64) + self.weights.head_bias
        return found.astype(np.float32)

    def _model(self) -> tuple[Tokenizer, Pretrained]:
        if self._loaded is None:
            self._loaded = load_packed_encoder(self.folder, self.weights.encoder)
        return self._loaded
