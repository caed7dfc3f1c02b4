"""Helpfulness without an LLM: which response people's stand-ins would prefer, from AlpacaEval.

Bradley-Terry: P(a is preferred to b) = sigmoid(w . (x_a - x_b)), x a response's standardised
features (`features`); the score is w . x. Trained on pairs that GPT-4-class annotators judged, not
people: it has learnt their taste. See MODEL_CARD.md for how often it is right.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from gpla_assets.common.errors import BackendUnavailable
from gpla_assets.embedding.arrays import load_arrays, save_arrays
from gpla_assets.embedding.embedder import Encoder
from gpla_assets.judges.features import features
from gpla_assets.judges.protocol import Floats, readable

FOLDER = Path(__file__).resolve().parent


@dataclass(frozen=True)
class PreferenceWeights:
    """Weights on standardised features; `mean`, `scale` and `weights` are (f,)."""

    mean: Floats
    scale: Floats
    weights: Floats

    def score(self, x: Floats) -> Floats:
        """(n, f) -> (n,): differences of scores are log-odds of preference."""
        return ((x - self.mean) / self.scale) @ self.weights

    def save(self, path: Path) -> None:
        """Write as float32."""
        parts = {name: np.asarray(found, np.float32) for name, found in vars(self).items()}
        save_arrays(parts, path)

    @staticmethod
    def load(path: Path) -> PreferenceWeights:
        """Raises BackendUnavailable where the file is missing."""
        if not path.is_file():
            raise BackendUnavailable(
                f"The preference model is missing: found no {path}; run `gpla train-judge FOLDER` "
                "where GPLA_DATA_DIR has AlpacaEval's preferences."
            )
        parts = load_arrays(path)
        return PreferenceWeights(**{name: part.astype(float) for name, part in parts.items()})


def weights_path(with_length: bool) -> Path:
    """Where the weights that ship lie."""
    return FOLDER / (
        "preference_with_length.safetensors" if with_length else "preference.safetensors"
    )


class PreferenceJudge:
    """The preference model as a judge of helpfulness; scores are log-odds up to a constant."""

    measure = "helpfulness"
    pairwise: Literal[False] = False

    def __init__(
        self, encoder: Encoder, with_length: bool = False, weights: PreferenceWeights | None = None
    ) -> None:
        self.encoder, self.with_length = encoder, with_length
        self.weights = weights or PreferenceWeights.load(weights_path(with_length))
        self.name = f"preference model{' with length' if with_length else ''}"

    @property
    def model(self) -> str:
        """The encoder's name; the weights are the project's."""
        return f"AlpacaEval's pairs, {self.encoder.model}"

    @property
    def inferences(self) -> int:
        """Texts embedded so far."""
        return self.encoder.inferences

    def score(self, prompts: Sequence[str], responses: Sequence[str]) -> Floats:
        """(n,) log-odds; only differences between responses to one prompt mean something."""
        if not responses:
            return np.zeros(0)
        return self.weights.score(
            features(
                readable(prompts), readable(responses), self.encoder, with_length=self.with_length
            )
        )
