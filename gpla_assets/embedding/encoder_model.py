"""A text encoder (BERT, MPNet) on the CPU: tokens in, the mean of the last layer's vectors out.

A text's vector is the same, bit for bit, alone and beside any others: texts are batched with texts
of exactly as many tokens, so that nothing is padded, and all arithmetic is float32.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gpla_assets.embedding.local_weights import batches_of_one_length

if TYPE_CHECKING:
    from gpla_assets.embedding.adapter import Adapter
    from gpla_assets.embedding.low_rank import LowRank
    from gpla_assets.embedding.pretrained import Pretrained, Tokenizer

BATCH_TOKENS = 2048
"""Tokens a batch: enough for the matrix kernels, few enough for the processor's cache."""
LEAST_TOKENS = 64
"""A smaller batch is filled with its own texts again: kernels add up in another order where a
matrix has but a few rows (oneDNN at one, MKL below eight)."""


def load_encoder(folder: str | Path) -> tuple[Tokenizer, Pretrained]:
    """Tokenizer and encoder in float32, without the pooler that nothing here uses."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
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


def load_packed_encoder(
    folder: str | Path, change: Adapter | LowRank | None = None
) -> tuple[Tokenizer, Pretrained]:
    """The same for inference: with the weights that training changed, then packed.

    Raises AdapterError where `change` is of another model.
    """
    from gpla_assets.embedding.packed_linear import pack_linear_layers

    tokenizer, model = load_encoder(folder)
    if change is not None:
        change.apply(model)
    pack_linear_layers(model)
    return tokenizer, model


def mean_vectors(
    model: Pretrained, tokens: Sequence[Sequence[int]], batch_tokens: int = BATCH_TOKENS
) -> NDArray[np.float32]:
    """Token rows -> (n, d): means of the last layer's vectors over all of a row's tokens."""
    import torch

    vectors = np.zeros((len(tokens), model.config.hidden_size), np.float32)
    # decision 0002
    for places in batches_of_one_length([len(row) for row in tokens], batch_tokens):
        rows = [tokens[place] for place in places]
        # its own rows again, as often as fills the least; the copies are cut off below
        rows = rows * -(-LEAST_TOKENS // (len(rows) * len(rows[0])))
        with torch.inference_mode():
            hidden = model(input_ids=torch.tensor(rows)).last_hidden_state
            # float64: what the order of the sum changes is gone once it is rounded
            vectors[places] = hidden[: len(places)].double().mean(1).float().numpy()
    return vectors
