"""Text and value judged together by one encoder: what its last layer's mean is multiplied with.

A cross-encoder reads both in one pass, so that a negation or a reversal in the text meets the value
that it is about; a pair costs one pass, where the bi-encoder's (`heads`) costs a product.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from gpla_assets.evaluator.adapter import AdapterError
from gpla_assets.evaluator.heads import Floats, softmax
from gpla_assets.evaluator.low_rank import LowRank

CROSS_VERSION = "2"
SHIPPED_CROSS = Path(__file__).resolve().parent / "cross_weights.npz"


@dataclass(frozen=True)
class CrossWeights:
    """What training gives; needs the base model that it was trained on.

    `head_weights` (3, d) and `head_bias` (3,): logits of support, oppose and either from the mean
    of the last layer's d dimensions. `temperature` (1,) divides them, fitted on held-out values.
    """

    encoder: LowRank
    head_weights: Floats
    head_bias: Floats
    temperature: Floats

    def valence(self, logits: NDArray[np.floating]) -> Floats:
        """(n, 3) logits -> (n, 3) probabilities of support, oppose, either."""
        return softmax(np.asarray(logits, np.float64) / self.temperature[0])

    def calibrated(self, temperature: float) -> CrossWeights:
        """The same weights with the number that is fitted on held-out values."""
        return replace(self, temperature=np.array([temperature], np.float32))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Plain arrays for a npz file."""
        return self.encoder.arrays("encoder") | {
            "head/weights": self.head_weights,
            "head/bias": self.head_bias,
            "head/temperature": self.temperature,
        }

    def save(self, path: Path) -> None:
        """Write plain arrays."""
        np.savez_compressed(path, **self.arrays())  # type: ignore[arg-type]

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote; never unpickles, so that a file cannot run code.

        Raises AdapterError naming what the file lacks.
        """
        with np.load(path, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        names = ("weights", "bias", "temperature")
        missing = [name for name in names if f"head/{name}" not in arrays]
        if missing:
            raise AdapterError(
                f"{path} lacks head/{missing[0]}, expected the arrays of CrossWeights; train again."
            )
        return cls(
            LowRank.from_arrays(arrays, "encoder"), *(arrays[f"head/{name}"] for name in names)
        )
