"""Logistic heads on frozen embeddings whose logits over all pairs are matrix products.

For a perception p and a value v, both unit vectors, a weighted sum of the features p_i v_i is
(p * w) @ v, and one of the features p_i is p @ w. So 50,000 perceptions x 150 values need three
products, not 7.5 million feature vectors.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

Floats = NDArray[np.float32]

# Of unit vectors in 384 dimensions, products p_i v_i are about 1/384 and entries p_i about 1/20;
# scaled to be alike, one penalty suits all.
PRODUCT_SCALE = 10.0
ENTRY_SCALE = 3.0
COSINE_SCALE = 5.0


@dataclass(frozen=True)
class PairHead:
    """Weights of a linear model of pairs, one row per class (K).

    `product` (K, d) for p * v; `perception` (K, d) for p; `value` (K, d) for v; `cosine` (K,);
    `cues` (K, c) for the cues of a pair (see `pair_cues`); `bias` (K,).
    """

    product: Floats
    perception: Floats
    value: Floats
    cosine: Floats
    cues: Floats
    bias: Floats

    def logits(self, p: Floats, v: Floats) -> Floats:
        """All pairs without cues: (n, d) and (m, d) -> (K, n, m)."""
        weights = self.product + self.cosine[:, None]
        return (
            np.stack([(p * row) @ v.T for row in weights])
            + (self.perception @ p.T)[:, :, None]
            + (self.value @ v.T)[:, None, :]
            + self.bias[:, None, None]
        )

    def pair_logits(self, p: Floats, v: Floats, cues: Floats) -> Floats:
        """Aligned pairs: (n, d), (n, d), (n, c) -> (n, K)."""
        weights = self.product + self.cosine[:, None]
        return (
            (p * v) @ weights.T
            + p @ self.perception.T
            + v @ self.value.T
            + cues @ self.cues.T
            + self.bias
        )


@dataclass(frozen=True)
class HeadWeights:
    """Both heads of the evaluator: relevance (one row) and valence (support, oppose, either)."""

    relevance: PairHead
    valence: PairHead

    def save(self, path: Path) -> None:
        """Write as npz; plain arrays only."""
        np.savez(
            path,
            **{
                f"{head}_{field.name}": getattr(getattr(self, head), field.name)
                for head in ("relevance", "valence")
                for field in fields(PairHead)
            },
        )

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote; never unpickles, so that a file cannot run code."""
        with np.load(path, allow_pickle=False) as stored:
            heads = {}
            for head in ("relevance", "valence"):
                names = [field.name for field in fields(PairHead)]
                missing = [name for name in names if f"{head}_{name}" not in stored]
                if missing:
                    raise ValueError(
                        f"{path} lacks {head}_{missing[0]}, expected the arrays of HeadWeights; "
                        "train and save it again."
                    )
                heads[head] = PairHead(**{name: stored[f"{head}_{name}"] for name in names})
        return cls(**heads)


def fit_pair_head(
    p: Floats,
    v: Floats,
    cues: Floats,
    labels: NDArray[np.int64],
    strength: float,
) -> PairHead:
    """Logistic regression on [p * v, p, v, cos, cues]; K = 1 for two labels, else K.

    `labels`: 0..K-1, all present. `strength`: scikit-learn's C, 1 / the penalty.
    """
    d = p.shape[1]
    cosine = (p * v).sum(1, keepdims=True) * COSINE_SCALE
    features = np.hstack([p * v * PRODUCT_SCALE, p * ENTRY_SCALE, v * ENTRY_SCALE, cosine, cues])
    model = LogisticRegression(C=strength, max_iter=1000)
    model.fit(features.astype(np.float32), labels)
    weights = model.coef_.astype(np.float32)
    return PairHead(
        product=weights[:, :d] * PRODUCT_SCALE,
        perception=weights[:, d : 2 * d] * ENTRY_SCALE,
        value=weights[:, 2 * d : 3 * d] * ENTRY_SCALE,
        cosine=weights[:, 3 * d] * COSINE_SCALE,
        cues=weights[:, 3 * d + 1 :],
        bias=model.intercept_.astype(np.float32),
    )


def sigmoid(logits: Floats) -> Floats:
    """1 / (1 + exp(-x)), without overflow."""
    return (0.5 * (1 + np.tanh(0.5 * logits))).astype(np.float32)


def softmax(logits: Floats) -> Floats:
    """Probabilities over the last axis."""
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return (shifted / shifted.sum(axis=-1, keepdims=True)).astype(np.float32)
