"""Text and value judged together by one encoder: what its last layer's mean is multiplied with.

A cross-encoder reads both in one pass, so that a negation or a reversal in the text meets the value
that it is about; a pair costs one pass, where the bi-encoder's (`heads`) costs a product.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from gpla_assets.content import STANCES
from gpla_assets.embedding.adapter import AdapterError
from gpla_assets.embedding.arrays import load_arrays, save_arrays
from gpla_assets.embedding.low_rank import LowRank
from gpla_assets.evaluator.heads import Floats, softmax

CROSS_VERSION = "3"
UNRELATED = len(STANCES)
"""The output after those of the stances."""
OUTPUTS = len(STANCES) + 1
SHIPPED_CROSS = Path(__file__).resolve().parent / "cross_adapter"
HEAD = "head.safetensors"
NAMES = ("weights", "bias", "temperature")
"""The arrays of a head in its file."""


@dataclass(frozen=True)
class CrossWeights:
    """What training gives; needs the base model that it was trained on.

    `head_weights` (4, d) and `head_bias` (4,): logits of support, oppose, either and unrelated from
    the mean of the last layer's d dimensions. `temperature` (1,) divides those of the stances,
    fitted on held-out values.
    """

    encoder: LowRank
    head_weights: Floats
    head_bias: Floats
    temperature: Floats

    def valence(self, logits: NDArray[np.floating]) -> Floats:
        """(n, 4) logits -> (n, 3) probabilities of support, oppose, either, if it is about it."""
        stances = np.asarray(logits, np.float64)[:, : len(STANCES)]
        return softmax(stances / self.temperature[0])

    def about(self, logits: NDArray[np.floating]) -> Floats:
        """(n, 4) logits -> (n,) probability that the text is about the value."""
        found: Floats = 1 - softmax(np.asarray(logits, np.float64))[:, UNRELATED]
        return found

    def calibrated(self, temperature: float) -> CrossWeights:
        """The same weights with the number that is fitted on held-out values."""
        return replace(self, temperature=np.array([temperature], np.float32))

    def arrays(self) -> dict[str, np.ndarray]:
        """All arrays by name: what the model is, beside its base."""
        return {**self.encoder.tensors, **self._head()}

    def _head(self) -> dict[str, np.ndarray]:
        parts = (self.head_weights, self.head_bias, self.temperature)
        return dict(zip(NAMES, parts, strict=True))

    def save(self, folder: Path) -> None:
        """Write a folder: the encoder's changes as a peft adapter, and the head as the last."""
        self.encoder.save(folder)
        save_arrays(self._head(), folder / HEAD)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; nothing in it can run code.

        Raises AdapterError naming what the folder lacks.
        """
        if not cls.are_in(folder):
            raise AdapterError(f"{folder} lacks {HEAD}, expected what CrossWeights saves; train.")
        head = load_arrays(folder / HEAD)
        missing = [name for name in NAMES if name not in head]
        if missing:
            raise AdapterError(
                f"{folder / HEAD} lacks {missing[0]}, expected the arrays of a head; train again."
            )
        return cls(LowRank.load(folder), *(head[name] for name in NAMES))

    @staticmethod
    def are_in(folder: Path) -> bool:
        """Whether a folder holds all of them: the head is written last."""
        return (folder / HEAD).is_file()
