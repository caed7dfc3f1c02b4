"""Correlations and covariances over pairs of values, each over the subjects that have both."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

FEWEST_PAIRS = 3
STILL = 1e-12
"""Of a value's variance: what a resample has less of, it has none of."""


@dataclass(frozen=True)
class Moments:
    """Correlations, covariances (n_values, n_values), and weight of the subjects of each pair.

    `still` (n_values,) says which values do not vary among the subjects that weigh anything.
    """

    correlation: np.ndarray
    covariance: np.ndarray
    pairs: np.ndarray
    still: np.ndarray


class Pairwise:
    """A matrix (n_subjects, n_values), NaN where missing, whose subjects are weighted anew.

    A resample is a weight per subject (how often it was drawn), so that nothing is copied: what
    does not depend on weights is computed once.
    """

    def __init__(self, scores: np.ndarray) -> None:
        measured = ~np.isnan(scores)
        # centred first: sums of squares of large scores would swallow their variance
        means = np.where(measured, scores, 0.0).sum(axis=0) / np.maximum(measured.sum(axis=0), 1)
        self._centred = np.where(measured, scores - means, 0.0)
        self._mask = None if measured.all() else measured.astype(float)
        self._both = np.hstack(
            [self._centred, np.ones((len(scores), 1)) if self._mask is None else self._mask]
        )
        self._least = STILL * np.nanvar(self._centred, axis=0)

    def moments(self, weights: np.ndarray | None = None, imputed: bool = False) -> Moments:
        """Moments over complete pairs; with `imputed`, missing cells take the value's mean first.

        `weights` (n_subjects,), 1 each by default. Both means and both variances are taken over
        the pair's own subjects, as in R's `use = "pairwise.complete.obs"`; pairs of fewer than
        three subjects have correlation and covariance 0.
        """
        p = self._centred.shape[1]
        weighted = self._both if weights is None else self._both * weights[:, None]
        sums_of = weighted.T @ self._both
        product = sums_of[:p, :p]
        if self._mask is None:
            total = sums_of[p, p]
            product = product - np.outer(sums_of[:p, p], sums_of[:p, p]) / max(total, 1.0)
            pairs = np.full((p, p), total)
            variance = np.repeat(np.diag(product)[:, None], p, axis=1)
        else:
            sums, pairs = sums_of[:p, p:], sums_of[p:, p:]
            if imputed:
                n = float(len(weighted) if weights is None else weights.sum())
                product, variance, pairs = _imputed(product, sums, pairs, n)
            else:
                squares = (self._centred * weighted[:, :p]).T @ self._mask
                product, variance, pairs = _paired(product, sums, squares, pairs)
        return self._as_moments(product, variance, pairs)

    def _as_moments(self, product: np.ndarray, variance: np.ndarray, pairs: np.ndarray) -> Moments:
        enough = pairs >= FEWEST_PAIRS
        size = np.sqrt(np.maximum(variance * variance.T, 0.0))
        usable = enough & (size > 0)
        correlation = np.divide(product, size, out=np.zeros_like(product), where=usable)
        correlation = np.clip(correlation, -1.0, 1.0)
        np.fill_diagonal(correlation, 1.0)
        covariance = np.divide(
            product, np.maximum(pairs - 1, 1.0), out=np.zeros_like(product), where=enough
        )
        still = np.diag(variance) <= self._least * np.maximum(np.diag(pairs), 1.0)
        return Moments(correlation, covariance, pairs, still)


def _paired(
    product: np.ndarray, sums: np.ndarray, squares: np.ndarray, pairs: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sums of products and squares about the means of the pair's subjects, and their number.

    [i, j] of `sums` and `squares` is of value i over the subjects that have j too.
    """
    known = np.maximum(pairs, 1.0)
    return product - sums * sums.T / known, squares - sums**2 / known, pairs


def _imputed(
    product: np.ndarray, sums: np.ndarray, pairs: np.ndarray, n_subjects: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The same about each value's own mean, which a missing cell takes: it adds nothing."""
    means = np.diag(sums) / np.maximum(np.diag(pairs), 1.0)
    shift = sums * means
    about = product - shift - shift.T + np.outer(means, means) * pairs
    variance = np.repeat(np.diag(about)[:, None], len(about), axis=1)
    return about, variance, np.full_like(pairs, n_subjects)


def pairwise_correlation(scores: np.ndarray) -> np.ndarray:
    """Pearson correlations of `scores` (n_subjects, n_values) over complete pairs.

    0 where fewer than three subjects have both; a few matrix products instead of a loop.
    """
    return Pairwise(scores).moments().correlation


def pairwise_covariance(scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Covariances over complete pairs (0 below three subjects), and the number of pairs."""
    found = Pairwise(scores).moments()
    return found.covariance, found.pairs
