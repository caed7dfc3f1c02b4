"""From embeddings to relevance, valence and stance: all pairs by matrix products.

With u a perception's and v a value's unit embedding, valence k of a pair has the logit
sum_r (A_k u)_r (B_k v)_r + a_k . u + b_k . v + c_k, so that 50,000 perceptions x 150 values need a
few products and no feature vector a pair. The product of the two texts' sentiments (VADER) is
added to support and taken from oppose: gloomy words support a gloomy value. Relevance is a logistic
curve of the pair's relatedness: a fourth logit of this form, and the cosine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
SUPPORT, OPPOSE, EITHER, RELATED = range(4)
OUTPUTS = 4
"""Logits of a pair."""
RELATED_SCALE = 20.0
"""What one of cosine adds to the logit of relatedness."""


@dataclass(frozen=True)
class Heads:
    """Weights on unit embeddings of d dimensions; outputs are support, oppose, either, related.

    `perception_factors`, `value_factors` (4, r, d); `perception_weights`, `value_weights` (4, d);
    `bias` (4,); `stance_weights` (3, d) and `stance_bias` (3,): whether a text that answers a
    question asserts, denies or leaves open what is asked; `relevance_curve` (2,): slope and offset
    of the logit of relevance on relatedness; `sentiment` (1,): weight of the product of sentiments;
    `temperature` (1,): divides the valence's logits. The last three are fitted on held-out values.
    """

    perception_factors: Floats
    value_factors: Floats
    perception_weights: Floats
    value_weights: Floats
    bias: Floats
    stance_weights: Floats
    stance_bias: Floats
    relevance_curve: Floats
    sentiment: Floats
    temperature: Floats

    def relevance(self, u: Floats, v: Floats) -> Floats:
        """All pairs: (n, d) and (m, d) -> (n, m) probabilities."""
        return self.relevance_of(RELATED_SCALE * (u @ v.T) + self._products(u, v, RELATED))

    def relevance_of(self, relatedness: Floats) -> Floats:
        """Relatedness of any shape -> probabilities."""
        slope, offset = self.relevance_curve
        return sigmoid(slope * relatedness + offset)

    def valence(self, u: Floats, v: Floats, u_sentiment: Floats, v_sentiment: Floats) -> Floats:
        """All pairs: (n, d), (m, d) and sentiments (n,), (m,) -> (n, m, 3) probabilities."""
        logits = np.stack([self._products(u, v, k) for k in (SUPPORT, OPPOSE, EITHER)], axis=-1)
        product = self.sentiment[0] * np.outer(u_sentiment, v_sentiment)
        logits[..., SUPPORT] += product
        logits[..., OPPOSE] -= product
        return softmax(logits / self.temperature[0])

    def _products(self, u: Floats, v: Floats, k: int) -> Floats:
        """Output k of all pairs: (n, d) and (m, d) -> (n, m)."""
        found: Floats = (
            (u @ self.perception_factors[k].T) @ (v @ self.value_factors[k].T).T
            + (u @ self.perception_weights[k])[:, None]
            + (v @ self.value_weights[k])[None, :]
            + self.bias[k]
        )
        return found

    def relatedness(self, u: Floats, v: Floats) -> Floats:
        """Aligned pairs: (n, d) and (n, d) -> (n,)."""
        own: Floats = self._aligned(u, v, slice(RELATED, OUTPUTS))[:, 0]
        return RELATED_SCALE * (u * v).sum(1) + own

    def pair_logits(self, u: Floats, v: Floats) -> Floats:
        """Aligned pairs: (n, d) and (n, d) -> (n, 3) logits without sentiment and temperature."""
        return self._aligned(u, v, slice(SUPPORT, RELATED))

    def _aligned(self, u: Floats, v: Floats, which: slice) -> Floats:
        left = np.einsum("nd,krd->nkr", u, self.perception_factors[which], optimize=True)
        right = np.einsum("nd,krd->nkr", v, self.value_factors[which], optimize=True)
        found: Floats = (
            (left * right).sum(-1)
            + u @ self.perception_weights[which].T
            + v @ self.value_weights[which].T
            + self.bias[which]
        )
        return found

    def pair_valence(self, u: Floats, v: Floats, sentiments: Floats) -> Floats:
        """Aligned pairs, with the product of their sentiments (n,) -> (n, 3) probabilities."""
        return self.judged(self.pair_logits(u, v), sentiments)

    def judged(self, logits: Floats, sentiments: Floats) -> Floats:
        """Logits (n, 3) of aligned pairs to probabilities, by sentiment and temperature."""
        turn = self.sentiment[0] * sentiments[:, None] * np.array([1, -1, 0], np.float32)
        return softmax((logits + turn) / self.temperature[0])

    def stance(self, u: Floats) -> Floats:
        """Texts with their questions: (n, d) -> (n, 3) of asserts, denies, leaves open."""
        return softmax(u @ self.stance_weights.T + self.stance_bias)

    def calibrated(self, curve: tuple[float, float], sentiment: float, temperature: float) -> Heads:
        """The same heads with the numbers that are fitted on held-out values."""
        return replace(
            self,
            relevance_curve=np.array(curve, np.float32),
            sentiment=np.array([sentiment], np.float32),
            temperature=np.array([temperature], np.float32),
        )

    def arrays(self) -> dict[str, Floats]:
        """Plain arrays for a npz file."""
        return {f"heads/{field.name}": getattr(self, field.name) for field in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Heads:
        """What `arrays` gave; raises KeyError-free ValueError naming what is missing."""
        names = [field.name for field in fields(cls)]
        missing = [name for name in names if f"heads/{name}" not in arrays]
        if missing:
            raise ValueError(
                f"The weights lack heads/{missing[0]}, expected the arrays of Heads; train again."
            )
        return cls(**{name: arrays[f"heads/{name}"] for name in names})


def answered(stance: Floats, asked: Floats) -> Floats:
    """Valence of an answer from its stance and the valence of what is asked, (n, 3) each.

    To assert what supports a value supports it, and to deny what opposes it does so too.
    """
    support = stance[:, 0] * asked[:, SUPPORT] + stance[:, 1] * asked[:, OPPOSE]
    oppose = stance[:, 0] * asked[:, OPPOSE] + stance[:, 1] * asked[:, SUPPORT]
    return np.stack([support, oppose, 1 - support - oppose], axis=1).astype(np.float32)


def sigmoid(logits: Floats) -> Floats:
    """1 / (1 + exp(-x)), without overflow."""
    return (0.5 * (1 + np.tanh(0.5 * logits))).astype(np.float32)


def softmax(logits: Floats) -> Floats:
    """Probabilities over the last axis."""
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return (shifted / shifted.sum(axis=-1, keepdims=True)).astype(np.float32)
