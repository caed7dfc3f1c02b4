"""Sentence embeddings from the MiniLM that ships as a Python package: no download, CPU only."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from gpla_assets.embedding.adapter import Adapter
from gpla_assets.embedding.encoder_model import BATCH_TOKENS, load_packed_encoder, mean_vectors
from gpla_assets.embedding.packaged import packaged_model
from gpla_assets.embedding.store import EmbeddingStore, model_revision, warehouse_store

if TYPE_CHECKING:
    from gpla_assets.embedding.pretrained import Pretrained, Tokenizer

MAX_TOKENS = 128
REMEMBERED = 150_000
"""Embeddings kept between calls, 230 MB: M_E meets the sentences that M_P has embedded."""

Floats = NDArray[np.float32]


class Encoder(Protocol):
    """Anything that embeds texts; tests pass a hash-based one."""

    @property
    def model(self) -> str: ...

    @property
    def inferences(self) -> int: ...

    def encode(self, texts: Sequence[str]) -> Floats:
        """Unit vectors (n_texts, n_dimensions), float32."""
        ...


class Embedder:
    """Unit embeddings of texts, computed once per distinct text, the same in any company.

    `adapter` changes the model's weights after loading, and `name` says what came of it. What
    `store` holds is not computed again; without one only this process remembers. `inferences`
    counts the texts that went through the model, not those remembered or stored.
    """

    def __init__(
        self,
        folder: Path | None = None,
        batch_tokens: int = BATCH_TOKENS,
        adapter: Adapter | None = None,
        name: str | None = None,
        store: EmbeddingStore | None = None,
    ) -> None:
        self.given_folder = folder
        self.adapter = adapter
        self.name = name
        self.batch_tokens = batch_tokens
        self.store = store
        self.inferences = 0
        self._loaded: tuple[Tokenizer, Pretrained] | None = None
        self._memory: OrderedDict[str, Floats] = OrderedDict()

    @property
    def model(self) -> str:
        """Name of the model."""
        return self.name or (str(self.given_folder) if self.given_folder else "all-MiniLM-L6-v2")

    @cached_property
    def folder(self) -> Path:
        """Where the model lies; raises BackendUnavailable where it is not installed."""
        return self.given_folder or packaged_model()

    @cached_property
    def dimensions(self) -> int:
        """Of an embedding, without loading the model."""
        return int(json.loads((self.folder / "config.json").read_text("utf-8"))["hidden_size"])

    @cached_property
    def revision(self) -> str:
        """Names the model by what it holds, for the store; raises ValueError without a store."""
        if self.store is None:
            raise ValueError("An embedder without a store has no revision; give it a store.")
        arrays = self.adapter.arrays("encoder") if self.adapter else {}
        return model_revision(self.store, self.folder, arrays, "mean", MAX_TOKENS)

    def encode(self, texts: Sequence[str]) -> Floats:
        """Embeddings (n_texts, 384), each of length 1; equal texts give equal rows."""
        distinct = list(dict.fromkeys(texts))
        if not distinct:
            return np.zeros((0, self.dimensions), np.float32)
        found = {text: self._memory[text] for text in distinct if text in self._memory}
        found |= self._stored_or_new([text for text in distinct if text not in found])
        for text in distinct:
            self._memory[text] = found[text]
            self._memory.move_to_end(text)
        while len(self._memory) > REMEMBERED:
            self._memory.popitem(last=False)
        return np.stack([found[text] for text in texts])

    def missing(self, texts: Iterable[str]) -> int:
        """How many distinct texts the model would have to read; does not load it."""
        new = {text for text in texts if text not in self._memory}
        return len(new) - (self.store.count(self.revision, new) if self.store and new else 0)

    def _stored_or_new(self, texts: list[str]) -> dict[str, Floats]:
        if self.store is None or not texts:
            return self._embed(texts)
        stored = self.store.get(self.revision, texts)
        new = self._embed([text for text in texts if text not in stored])
        self.store.put(self.revision, new)
        return stored | new

    def _embed(self, texts: list[str]) -> dict[str, Floats]:
        if not texts:
            return {}
        tokenizer, model = self._model()
        tokens = tokenizer(texts, truncation=True, max_length=MAX_TOKENS)["input_ids"]
        means = mean_vectors(model, tokens, self.batch_tokens).astype(np.float64)
        means /= np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-12)
        self.inferences += len(texts)
        return dict(zip(texts, means.astype(np.float32), strict=True))

    def _model(self) -> tuple[Tokenizer, Pretrained]:
        if self._loaded is None:
            self._loaded = load_packed_encoder(self.folder, self.adapter)
        return self._loaded


@lru_cache(maxsize=1)
def make_embedder() -> Embedder:
    """The general embedding model of this process: M_P's, and the lexicon's for names of values."""
    return Embedder(store=warehouse_store())
