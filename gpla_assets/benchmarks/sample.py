"""What a sample tells about means and covariances under a normal likelihood, cells missing or not.

Subjects with the same cells make a pattern; complete scores are one pattern. All sums over patterns
run over stacks of matrices, in which rows and columns of missing values are 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

MOST_CELLS = 4_000_000
"""Numbers of a stack of matrices that are held at a time (32 MB)."""
EM_ROUNDS = 1000
EM_TOLERANCE = 1e-9
SMALLEST_EIGENVALUE = 1e-8


@dataclass(frozen=True)
class Sample:
    """Moments by pattern: `measured` (n_patterns, p), `counts`, `means` (n_patterns, p) and
    `covariances` (n_patterns, p, p), divided by the pattern's n; 0 where nothing was measured.

    `rows` (n, p) are the scores, 0 where missing, and `pattern` (n,) the pattern of each.
    """

    measured: NDArray[np.bool_]
    counts: NDArray[np.float64]
    means: NDArray[np.float64]
    covariances: NDArray[np.float64]
    rows: NDArray[np.float64]
    pattern: NDArray[np.int64]

    @property
    def n(self) -> int:
        """Subjects."""
        return int(self.counts.sum())

    @property
    def p(self) -> int:
        """Values."""
        return int(self.measured.shape[1])

    @cached_property
    def batches(self) -> tuple[NDArray[np.int64], ...]:
        """Places of patterns that go through the same steps: as many values missing, and one
        subject or several; few enough at a time to be held."""
        kinds = np.stack([(~self.measured).sum(axis=1), self.counts > 1], axis=1)
        step = max(1, MOST_CELLS // (self.p * self.p))
        found = []
        for kind in np.unique(kinds, axis=0):
            own = np.flatnonzero((kinds == kind).all(axis=1))
            found += [own[start : start + step] for start in range(0, len(own), step)]
        return tuple(found)

    @property
    def complete(self) -> bool:
        """Whether no cell is missing."""
        return bool(self.measured.all())


def sample_of(scores: np.ndarray) -> Sample:
    """The sample of `scores` (n, p), NaN where missing; each row has a score."""
    known = ~np.isnan(scores)
    rows = np.where(known, scores, 0.0)
    if known.all():
        measured, pattern = known[:1], np.zeros(len(scores), int)
    else:
        measured, pattern = np.unique(known, axis=0, return_inverse=True)
        pattern = pattern.ravel()
    counts = np.bincount(pattern, minlength=len(measured)).astype(float)
    order = np.argsort(pattern, kind="stable")
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(int)
    means = np.add.reduceat(rows[order], starts, axis=0) / counts[:, None]
    covariances = np.zeros((len(measured), rows.shape[1], rows.shape[1]))
    for at, (start, count) in enumerate(zip(starts, counts.astype(int), strict=True)):
        if count > 1:
            around = rows[order[start : start + count]] - means[at]
            around[:, ~measured[at]] = 0.0
            covariances[at] = around.T @ around / count
    return Sample(measured, counts, means, covariances, rows, pattern)


def sample_of_moments(mean: np.ndarray, covariance: np.ndarray, n: int) -> Sample:
    """A complete sample of which the moments alone are known: `covariance` divides by n."""
    p = len(mean)
    return Sample(
        np.ones((1, p), bool),
        np.array([float(n)]),
        mean[None],
        covariance[None],
        np.zeros((0, p)),
        np.zeros(0, int),
    )


@dataclass(frozen=True)
class Stack:
    """Patterns side by side, `at` their places: `inverse` of their part of Sigma, `off` their means
    less mu, and their `covariances`, None where each has one subject."""

    at: NDArray[np.int64]
    counts: NDArray[np.float64]
    inverse: NDArray[np.float64]
    log_determinant: NDArray[np.float64]
    off: NDArray[np.float64]
    covariances: NDArray[np.float64] | None

    @property
    def around(self) -> NDArray[np.float64]:
        """Their covariances about mu."""
        found: NDArray[np.float64] = self.off[:, :, None] * self.off[:, None, :]
        return found if self.covariances is None else found + self.covariances


def stacks(sample: Sample, mu: np.ndarray, sigma: np.ndarray) -> Iterator[Stack]:
    """Patterns in stacks; raises LinAlgError where Sigma is not positive definite."""
    factor = np.linalg.cholesky(sigma)
    whole = 2 * float(np.log(np.diag(factor)).sum())
    precision = np.linalg.inv(sigma)
    for at in sample.batches:
        known = sample.measured[at]
        if known.all():
            inverse = np.broadcast_to(precision, (len(at), *sigma.shape))
            log_determinant = np.full(len(at), whole)
        elif 2 * known[0].sum() >= sample.p:
            # what is left of the precision without the missing: few rows to invert, not many
            gone = np.nonzero(~known)[1].reshape(len(at), -1)
            block = precision[gone[:, :, None], gone[:, None, :]]
            across = precision[gone]
            inverse = precision - np.swapaxes(across, 1, 2) @ np.linalg.solve(block, across)
            log_determinant = whole + np.linalg.slogdet(block)[1]
        else:
            there = np.nonzero(known)[1].reshape(len(at), -1)
            block = sigma[there[:, :, None], there[:, None, :]]
            inverse = np.zeros((len(at), *sigma.shape))
            each = np.arange(len(at))[:, None, None]
            inverse[each, there[:, :, None], there[:, None, :]] = np.linalg.inv(block)
            log_determinant = np.linalg.slogdet(block)[1]
        counts = sample.counts[at]
        several = bool((counts > 1).any())
        yield Stack(
            at,
            counts,
            inverse,
            log_determinant,
            np.where(known, sample.means[at] - mu, 0.0),
            sample.covariances[at] if several else None,
        )


def slopes(
    sample: Sample, mu: np.ndarray, sigma: np.ndarray
) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
    """F = -2 log L / n without the constant of 2 pi, dF/dSigma (p, p) and dF/dmu (p,)."""
    value, by_sigma, by_mu = 0.0, np.zeros_like(sigma), np.zeros_like(mu)
    for one in stacks(sample, mu, sigma):
        pull = (one.inverse @ one.off[:, :, None])[:, :, 0]
        value += float(one.counts @ (one.log_determinant + (pull * one.off).sum(axis=1)))
        by_sigma += np.tensordot(one.counts, one.inverse, axes=1)
        by_sigma -= (pull * one.counts[:, None]).T @ pull
        if one.covariances is not None:
            bent = one.inverse @ one.covariances
            value += float(one.counts @ np.einsum("gii->g", bent))
            by_sigma -= np.tensordot(one.counts, bent @ one.inverse, axes=1)
        by_mu -= 2 * one.counts @ pull
    return value / sample.n, by_sigma / sample.n, by_mu / sample.n


def value(sample: Sample, mu: np.ndarray, sigma: np.ndarray) -> float:
    """F alone; infinite where Sigma is not positive definite."""
    try:
        return slopes(sample, mu, sigma)[0]
    except np.linalg.LinAlgError:
        return np.inf


def saturated(sample: Sample) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Maximum-likelihood mean (p,) and covariance (p, p) of a sample (divided by n).

    Those of complete scores as they stand, else by EM (Dempster, Laird and Rubin, 1977), whose
    step is the likelihood's slope in the metric of the covariance, with squared extrapolation
    (Varadhan and Roland, 2008). Raises LinAlgError where the covariance becomes singular.
    """
    if len(sample.counts) == 1:
        return sample.means[0], sample.covariances[0]
    weights = sample.counts / sample.counts.sum()
    known = weights @ sample.measured
    mean = (weights @ sample.means) / known
    off = np.where(sample.measured, sample.means - mean, 0.0)
    spread = np.einsum("g,gii->i", weights, sample.covariances) + weights @ off**2
    now = _Point(sample, mean, np.diag(spread / known))
    for _ in range(EM_ROUNDS):
        moved = now.step()
        if np.abs(moved).max() < EM_TOLERANCE:
            break
        if np.linalg.eigvalsh(now.sigma).min() < SMALLEST_EIGENVALUE:
            raise np.linalg.LinAlgError(
                "the likelihood grows without end towards a singular matrix"
            )
        first = now.moved(moved)
        bend = first.step() - moved
        length = max(1.0, float(np.sqrt((moved**2).sum() / max((bend**2).sum(), 1e-300))))
        # an extrapolation that is no better than the step before it is not taken
        try:
            far = now.moved(2 * length * moved + length**2 * bend)
            now = far if far.value <= first.value else first
        except np.linalg.LinAlgError:
            now = first
    return now.mu, now.sigma


class _Point:
    """A mean and a covariance of the saturated model, and the likelihood there."""

    def __init__(self, sample: Sample, mu: NDArray[np.float64], sigma: NDArray[np.float64]) -> None:
        self.sample, self.mu, self.sigma = sample, mu, sigma
        self.value, self.by_sigma, self.by_mu = slopes(sample, mu, sigma)

    def step(self) -> NDArray[np.float64]:
        """What a step of EM adds to mean (first row) and covariance (the rest)."""
        by_mean = -self.sigma @ self.by_mu / 2
        by_covariance = -self.sigma @ self.by_sigma @ self.sigma - np.outer(by_mean, by_mean)
        return np.vstack([by_mean, (by_covariance + by_covariance.T) / 2])

    def moved(self, step: NDArray[np.float64]) -> _Point:
        """The point after a step; raises LinAlgError where that is no covariance."""
        return _Point(self.sample, self.mu + step[0], self.sigma + step[1:])
