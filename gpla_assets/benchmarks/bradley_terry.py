"""The linear probe of equation 2: which of two LLMs stands higher on a criterion."""

from __future__ import annotations

import numpy as np
import torch

LARGEST_STEP, MOST_STEPS, CONVERGED = 1.0, 40, 1e-7
FITS_AT_ONCE = 64


def bradley_terry(features: np.ndarray, criterion: np.ndarray, l2: np.ndarray) -> np.ndarray:
    """Weights (b, d) of b probes, each fitted to all pairs of its n LLMs whose criterion differs.

    `features` (b, n, d), `criterion` (b, n), `l2` (b,). Each minimises the pairwise cross-entropy
    of the paper's equation 2, the mean over pairs of -log P(the higher one wins), plus
    l2 / 2 |w|^2: convex, so that Newton's method with halved steps reaches the optimum. A probe
    without a pair has weights 0. Raises ValueError for an l2 that is not positive, since separable
    pairs have no optimum then.
    """
    if not (l2 > 0).all():
        raise ValueError(f"l2 = {l2.min()}, expected above 0: separable pairs have no optimum.")
    parts = [
        _fit(*(torch.as_tensor(part[at : at + FITS_AT_ONCE]) for part in (features, criterion, l2)))
        for at in range(0, len(features), FITS_AT_ONCE)
    ]
    return np.concatenate(parts) if parts else np.zeros((0, features.shape[-1]))


def _fit(x: torch.Tensor, criterion: torch.Tensor, l2: torch.Tensor) -> np.ndarray:
    """Newton's method; the Hessian of all pairs is a graph's Laplacian: n LLMs, not n^2 pairs."""
    wins = (criterion[:, :, None] > criterion[:, None, :]).to(x.dtype)
    # a mean over pairs: penalties mean the same with ten LLMs and with a hundred
    wins = wins / wins.sum((1, 2)).clamp(min=1)[:, None, None]
    weights = torch.zeros(x.shape[0], x.shape[2], dtype=x.dtype)
    loss = _loss(x, wins, weights, l2)
    for _ in range(MOST_STEPS):
        score = torch.einsum("bnd,bd->bn", x, weights)
        lost = torch.sigmoid(score[:, None, :] - score[:, :, None])
        surprise = wins * lost
        pull = surprise.sum(2) - surprise.sum(1)
        gradient = l2[:, None] * weights - torch.einsum("bnd,bn->bd", x, pull)
        if gradient.abs().max() < CONVERGED:
            break
        # a pair's curvature is p (1 - p), whichever side won: edges go both ways
        edges = surprise * (1 - lost)
        edges = edges + edges.transpose(1, 2)
        laplacian_x = edges.sum(2)[:, :, None] * x - edges @ x
        hessian = x.transpose(1, 2) @ laplacian_x + torch.diag_embed(l2[:, None].expand_as(weights))
        direction = torch.linalg.solve(hessian, gradient)
        step = torch.full_like(l2, LARGEST_STEP)
        for _ in range(20):
            moved = weights - step[:, None] * direction
            new = _loss(x, wins, moved, l2)
            # each probe halves its own step; one that has arrived may move by rounding
            worse = new > loss + 1e-12
            if not worse.any():
                break
            step = torch.where(worse, step / 2, step)
        better = new <= loss
        weights = torch.where(better[:, None], moved, weights)
        loss = torch.where(better, new, loss)
    return weights.numpy()


def _loss(
    x: torch.Tensor, wins: torch.Tensor, weights: torch.Tensor, l2: torch.Tensor
) -> torch.Tensor:
    score = torch.einsum("bnd,bd->bn", x, weights)
    margins = score[:, :, None] - score[:, None, :]
    entropy = -(wins * torch.nn.functional.logsigmoid(margins)).sum((1, 2))
    return entropy + l2 / 2 * (weights**2).sum(1)


def cross_entropy(scores: np.ndarray, criterion: np.ndarray) -> np.ndarray:
    """Mean pairwise cross-entropy (b,) of predicted `scores` (b, n); nan without a pair."""
    wins = criterion[:, :, None] > criterion[:, None, :]
    surprise = np.logaddexp(0, -(scores[:, :, None] - scores[:, None, :])) * wins
    pairs = wins.sum((1, 2))
    return np.where(pairs > 0, surprise.sum((1, 2)) / np.maximum(pairs, 1), np.nan)
