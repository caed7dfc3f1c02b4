"""From embeddings to relevance, valence and stance: all pairs by matrix products.

With u a perception's and v a value's unit embedding, a reader takes a dozen products of the form
sum_r (L_k u)_r (R_k v)_r + l_k . u + r_k . v + b_k, so that 50,000 perceptions x 150 values need a
few matrix products and no vector a pair, and a small network on them and on one or a few features
more. Valence is read beside the sentiments of the two texts (VADER: gloomy words support a gloomy
value). Relevance is a logistic curve of the pair's relatedness, read beside the cosine.

A matrix product adds up in an order that depends on how many rows it has. Here all is computed in
float64 and rounded to float32, which hides the order: a pair has the same numbers in any company.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Numbers = NDArray[np.floating]
PAIRS = 2**15
"""Pairs read at a time: their 32 hidden units fill 8 MB, which the processor's cache holds."""
SUPPORT, OPPOSE = range(2)
TURNED = [1, 0, 2]
"""Support, oppose and either, once what is stated is denied."""
SENTIMENTS = 3
"""Features of the texts' sentiments: the perception's, the value's, their product."""


@dataclass(frozen=True)
class Reader:
    """Numbers of a pair, from K products of unit embeddings (d dimensions) and e features more.

    Products: `perception_factors`, `value_factors` (K, r, d), `perception_weights`, `value_weights`
    (K, d), `bias` (K,). On products and features, K + e together, a hidden layer of h rectified
    units beside a linear path, with o outputs: `hidden_weights` (h, K + e), `hidden_bias` (h,),
    `output_weights` (o, h), `direct_weights` (o, K + e), `output_bias` (o,).
    """

    perception_factors: Floats
    value_factors: Floats
    perception_weights: Floats
    value_weights: Floats
    bias: Floats
    hidden_weights: Floats
    hidden_bias: Floats
    output_weights: Floats
    direct_weights: Floats
    output_bias: Floats

    def all_pairs(self, u: Floats, v: Floats, features: Numbers) -> Floats:
        """(n, d), (m, d) and (n, m, e) -> (n, m, o)."""
        own = self._precise()
        u, v = u.astype(np.float64), v.astype(np.float64)
        # decision 0002: in float64, which hides the order in which products add up
        left = np.einsum("nd,krd->knr", u, own.perception_factors, optimize=True)
        right = np.einsum("md,krd->krm", v, own.value_factors, optimize=True)
        linear_u, linear_v = u @ own.perception_weights.T, v @ own.value_weights.T
        found = np.empty((len(u), len(v), len(own.output_bias)), np.float32)
        # the hidden units of a part stay in the cache
        size = max(1, PAIRS // max(1, len(v)))
        for first in range(0, len(u), size):
            part = slice(first, first + size)
            products = np.moveaxis(left[:, part] @ right, 0, -1)
            products += linear_u[part, None] + linear_v
            found[part] = own._outputs(products, features[part])
        return found

    def aligned(self, u: Floats, v: Floats, features: Numbers) -> Floats:
        """(n, d), (n, d) and (n, e) -> (n, o)."""
        own = self._precise()
        u, v = u.astype(np.float64), v.astype(np.float64)
        left = np.einsum("nd,krd->nkr", u, own.perception_factors, optimize=True)
        right = np.einsum("nd,krd->nkr", v, own.value_factors, optimize=True)
        linear = u @ own.perception_weights.T + v @ own.value_weights.T
        return own._outputs((left * right).sum(-1) + linear, features).astype(np.float32)

    def _precise(self) -> Self:
        """The same in float64."""
        return replace(self, **{name: array.astype(float) for name, array in vars(self).items()})

    def _outputs(self, products: Doubles, features: Numbers) -> Doubles:
        """Products (..., K) without their bias, features (..., e) -> (..., o)."""
        every = np.concatenate([products + self.bias, features], axis=-1)
        hidden = every @ self.hidden_weights.T
        hidden += self.hidden_bias
        np.maximum(hidden, 0, out=hidden)
        found: Doubles = hidden @ self.output_weights.T + every @ self.direct_weights.T
        return found + self.output_bias

    def arrays(self, prefix: str) -> dict[str, Floats]:
        """Plain arrays for a safetensors file."""
        return {f"{prefix}/{name}": array for name, array in vars(self).items()}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], prefix: str) -> Self:
        """What `arrays` gave; raises ValueError naming what is missing."""
        return cls(*_named(arrays, prefix, [field.name for field in fields(cls)]))

    @classmethod
    def linear(
        cls,
        factors: tuple[Floats, Floats],
        weights: tuple[Floats, Floats],
        bias: Floats,
        features: tuple[float, ...],
    ) -> Self:
        """One whose outputs are its products as they are, plus the features by these weights."""
        k, e = len(bias), len(features)
        added = np.tile(np.array(features, np.float32), (k, 1))
        return cls(
            *factors,
            *weights,
            bias,
            hidden_weights=np.zeros((0, k + e), np.float32),
            hidden_bias=np.zeros(0, np.float32),
            output_weights=np.zeros((k, 0), np.float32),
            direct_weights=np.hstack([np.eye(k, dtype=np.float32), added]),
            output_bias=np.zeros(k, np.float32),
        )


@dataclass(frozen=True)
class Heads:
    """What reads a pair's embeddings.

    `valence` has the logits of support, oppose and either as outputs, and the SENTIMENTS as
    features; `related` has relatedness, and the cosine. `stance_weights` (3, d) and `stance_bias`
    (3,): whether a text that answers a question asserts, denies or leaves open what is asked;
    `relevance_curve` (2,): slope and offset of the logit of relevance on relatedness; `offset`
    (1,): is added to the logit of support, so that as many of balanced texts are called support as
    oppose; `temperature` (1,): divides the valence's logits. The last three are fitted on held-out
    values.
    """

    valence: Reader
    related: Reader
    stance_weights: Floats
    stance_bias: Floats
    relevance_curve: Floats
    offset: Floats
    temperature: Floats

    def relevance(self, u: Floats, v: Floats) -> Floats:
        """All pairs: (n, d) and (m, d) -> (n, m) probabilities."""
        cosines = u.astype(np.float64) @ v.astype(np.float64).T
        return self.relevance_of(self.related.all_pairs(u, v, cosines[..., None])[..., 0])

    def relatedness(self, u: Floats, v: Floats) -> Floats:
        """Aligned pairs: (n, d) and (n, d) -> (n,)."""
        cosines = (u.astype(np.float64) * v).sum(1, keepdims=True)
        return self.related.aligned(u, v, cosines)[:, 0]

    def relevance_of(self, relatedness: Floats) -> Floats:
        """Relatedness of any shape -> probabilities."""
        slope, offset = self.relevance_curve
        return sigmoid(relatedness.astype(np.float64) * slope + offset)

    def all_valence(self, u: Floats, v: Floats, u_sentiment: Floats, v_sentiment: Floats) -> Floats:
        """All pairs: (n, d), (m, d) and sentiments (n,), (m,) -> (n, m, 3) probabilities."""
        sentiments = sentiment_features(u_sentiment[:, None], v_sentiment[None, :])
        return self.judged(self.valence.all_pairs(u, v, sentiments))

    def pair_logits(self, u: Floats, v: Floats, u_sentiment: Floats, v_sentiment: Floats) -> Floats:
        """Aligned pairs: (n, d), (n, d) and sentiments (n,) -> (n, 3) before temperature."""
        return self.valence.aligned(u, v, sentiment_features(u_sentiment, v_sentiment))

    def judged(self, logits: Floats) -> Floats:
        """Logits (..., 3) of pairs to probabilities, by offset and temperature."""
        moved = logits.astype(np.float64)
        moved[..., SUPPORT] += self.offset[0]
        return softmax(moved / self.temperature[0])

    def stance(self, u: Floats) -> Floats:
        """Texts with their questions: (n, d) -> (n, 3) of asserts, denies, leaves open."""
        weights = self.stance_weights.T.astype(np.float64)
        return softmax(u.astype(np.float64) @ weights + self.stance_bias)

    def calibrated(self, curve: tuple[float, float], offset: float, temperature: float) -> Heads:
        """The same heads with the numbers that are fitted on held-out values."""
        return replace(
            self,
            relevance_curve=np.array(curve, np.float32),
            offset=np.array([offset], np.float32),
            temperature=np.array([temperature], np.float32),
        )

    def arrays(self) -> dict[str, Floats]:
        """Plain arrays for a safetensors file."""
        own = {f"heads/{name}": getattr(self, name) for name in PLAIN}
        return self.valence.arrays("heads/valence") | self.related.arrays("heads/related") | own

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Heads:
        """What `arrays` gave; raises ValueError naming what is missing."""
        valence, related = (
            Reader.from_arrays(arrays, f"heads/{name}") for name in ("valence", "related")
        )
        return cls(valence, related, *_named(arrays, "heads", PLAIN))


PLAIN = ("stance_weights", "stance_bias", "relevance_curve", "offset", "temperature")
"""The arrays of Heads beside its readers."""


def _named(arrays: Mapping[str, np.ndarray], prefix: str, names: Sequence[str]) -> list[np.ndarray]:
    missing = [name for name in names if f"{prefix}/{name}" not in arrays]
    if missing:
        raise ValueError(
            f"The weights lack {prefix}/{missing[0]}, expected the arrays of Heads; train again."
        )
    return [arrays[f"{prefix}/{name}"] for name in names]


def sentiment_features(u: Floats, v: Floats) -> Floats:
    """Sentiments of perceptions and values, of shapes that fit together -> (..., SENTIMENTS)."""
    u, v = np.broadcast_arrays(u, v)
    return np.stack([u, v, u * v], axis=-1).astype(np.float32)


def answered(stance: Floats, asked: Floats) -> Floats:
    """Valence of an answer from its stance and the valence of what is asked, (n, 3) each.

    To assert what supports a value supports it, and to deny what opposes it does so too.
    """
    support = stance[:, 0] * asked[:, SUPPORT] + stance[:, 1] * asked[:, OPPOSE]
    oppose = stance[:, 0] * asked[:, OPPOSE] + stance[:, 1] * asked[:, SUPPORT]
    return np.stack([support, oppose, 1 - support - oppose], axis=1).astype(np.float32)


def sigmoid(logits: Numbers) -> Floats:
    """1 / (1 + exp(-x)), without overflow."""
    found: Floats = (0.5 * (1 + np.tanh(0.5 * logits))).astype(np.float32)
    return found


def softmax(logits: Numbers) -> Floats:
    """Probabilities over the last axis."""
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    found: Floats = (shifted / shifted.sum(axis=-1, keepdims=True)).astype(np.float32)
    return found
