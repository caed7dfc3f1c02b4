"""The linear probe of equation 2: which of two LLMs stands higher on a criterion."""

from __future__ import annotations

import numpy as np

MOST_STEPS, CONVERGED = 60, 1e-7
LEAST_SLOPE_LEFT = 0.9
"""A step is kept where the slope along it has fallen to this share: it has not gone too far."""
ROOM = 1 << 18
"""Pairs that are held at once: what a core's own cache takes."""
FARTHEST = 340.0
"""Scores farther from the middle decide a pair by more than float64 can tell from certainty."""


def bradley_terry(
    features: np.ndarray, criterion: np.ndarray, l2: np.ndarray, start: np.ndarray | None = None
) -> np.ndarray:
    """Weights (b, d) of b probes, each fitted to all pairs of its n LLMs whose criterion differs.

    `features` (b, n, d), `criterion` (b, n), `l2` (b,), `start` (b, d): where the search begins
    (0). Each minimises the pairwise cross-entropy of the paper's equation 2, the mean over pairs of
    -log P(the higher one wins), plus l2 / 2 |w|^2: convex, so that Newton's method with halved
    steps reaches the optimum, wherever it begins. A probe without a pair has weights 0. Raises
    ValueError for an l2 that is not positive, since separable pairs have no optimum then.
    """
    if not (l2 > 0).all():
        raise ValueError(f"l2 = {l2.min()}, expected above 0: separable pairs have no optimum.")
    b, n, d = features.shape
    weights = np.zeros((b, d)) if start is None else start.copy()
    at_once = max(1, ROOM // max(1, n * n))
    for at in range(0, b, at_once):
        part = slice(at, at + at_once)
        weights[part] = _fit(features[part], criterion[part], l2[part], weights[part])
    return weights


def _fit(x: np.ndarray, criterion: np.ndarray, l2: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Newton's method; probes that have arrived leave the batch."""
    found, left = start.copy(), np.arange(len(x))
    pairs = _Pairs.of(x, criterion, l2)
    weights = start
    gradient, hessian = pairs.slopes(weights)
    for _ in range(MOST_STEPS):
        going = np.abs(gradient).max(1, initial=0) >= CONVERGED
        found[left] = weights
        if not going.any():
            return found
        if not going.all():
            left, pairs = left[going], pairs.only(going)
            weights, gradient, hessian = weights[going], gradient[going], hessian[going]
        direction = np.linalg.solve(hessian, gradient[:, :, None])[:, :, 0]
        slope = (direction * gradient).sum(1)
        step = np.ones(len(weights))
        for _ in range(30):
            moved = weights - step[:, None] * direction
            gradient, hessian = pairs.slopes(moved)
            # of a convex function: past the lowest point the slope has turned
            far = -(direction * gradient).sum(1) > LEAST_SLOPE_LEFT * slope
            if not far.any():
                break
            step = np.where(far, step / 2, step)
        weights = moved
    found[left] = weights
    return found


class _Pairs:
    """The pairs of b probes: a graph of n LLMs, so that no array has a row a pair and feature.

    The chance of i against j is e_i / (e_i + e_j) with e = exp(score): one exponential a LLM.
    """

    def __init__(
        self, x: np.ndarray, l2: np.ndarray, wins: np.ndarray, met: np.ndarray | None, n: np.ndarray
    ) -> None:
        self.x, self.l2, self.wins, self.met, self.n = x, l2, wins, met, n

    @classmethod
    def of(cls, x: np.ndarray, criterion: np.ndarray, l2: np.ndarray) -> _Pairs:
        """`wins` (b, n): whom each LLM stands above; `met` only where some LLMs stand level."""
        above = criterion[:, :, None] > criterion[:, None, :]
        wins = above.sum(2).astype(float)
        n, llms = wins.sum(1), x.shape[1]
        level = (n < llms * (llms - 1) / 2).any()
        met = (above | above.transpose(0, 2, 1)).astype(float) if level else None
        return cls(x, l2, wins, met, np.maximum(n, 1))

    def only(self, kept: np.ndarray) -> _Pairs:
        """Those of some probes."""
        met = None if self.met is None else self.met[kept]
        return _Pairs(self.x[kept], self.l2[kept], self.wins[kept], met, self.n[kept])

    def slopes(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Gradient (b, d) and Hessian (b, d, d) of the loss, a mean over pairs: penalties mean the
        same with ten LLMs and with a hundred."""
        score = np.matmul(self.x, weights[:, :, None])[:, :, 0]
        middle = (score.max(1, keepdims=True) + score.min(1, keepdims=True)) / 2
        e = np.exp(np.clip(score - middle, -FARTHEST, FARTHEST))
        share = e[:, :, None] + e[:, None, :]
        np.reciprocal(share, out=share)
        if self.met is None:
            # a LLM against itself: a half, taken off below; in the Hessian it cancels
            expected = e * share.sum(2) - 0.5
        else:
            share *= self.met
            expected = e * share.sum(2)
        np.square(share, out=share)
        # a pair's curvature is p (1 - p), whichever side won
        weighted = e[:, :, None] * np.matmul(share, e[:, :, None] * self.x)
        degree = e * np.matmul(share, e[:, :, None])[:, :, 0]
        across = self.x.transpose(0, 2, 1)
        pull = np.matmul(across, (self.wins - expected)[:, :, None])[:, :, 0]
        gradient = self.l2[:, None] * weights - pull / self.n[:, None]
        hessian = np.matmul(across, degree[:, :, None] * self.x - weighted) / self.n[:, None, None]
        places = np.arange(weights.shape[1])
        hessian[:, places, places] += self.l2[:, None]
        return gradient, hessian


def cross_entropy(scores: np.ndarray, criterion: np.ndarray) -> np.ndarray:
    """Mean pairwise cross-entropy (b,) of predicted `scores` (b, n); nan without a pair."""
    wins = criterion[:, :, None] > criterion[:, None, :]
    surprise = np.logaddexp(0, -(scores[:, :, None] - scores[:, None, :])) * wins
    pairs = wins.sum((1, 2))
    return np.where(pairs > 0, surprise.sum((1, 2)) / np.maximum(pairs, 1), np.nan)
