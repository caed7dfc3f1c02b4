"""Standard errors and chi2 that hold without normality, and with subjects in clusters.

The sandwich of Huber and White, and Yuan and Bentler's (2000) scaled chi2 in the form of Mplus and
lavaan's MLR; for moments estimated in a first stage, the correction of Savalei and Bentler (2009).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gpla_assets.benchmarks.cfa_fit import Fitted
from gpla_assets.benchmarks.cfa_model import Directions, Floats, directions
from gpla_assets.benchmarks.information import (
    by_cluster,
    crossproduct,
    expected_of,
    few_clusters,
    information,
    observed_by_moments,
    observed_of,
    subject_scores,
)
from gpla_assets.benchmarks.sample import Sample, sample_of_moments
from gpla_assets.benchmarks.systems import UnfitSystem

Moments = tuple[Floats, Floats]
"""Mean (p,) and covariance (p, p) of a saturated model."""
MOST_MOMENTS = 3000


@dataclass(frozen=True)
class Corrected:
    """Covariance of the parameters and the number by which chi2 is to be divided."""

    covariance: Floats
    scaling: float


def sandwich(
    fitted: Fitted,
    samples: Sequence[Sample],
    saturated: Sequence[Moments],
    clusters: Sequence[np.ndarray | None],
    df: int,
) -> Corrected:
    """Huber and White's covariance and Yuan and Bentler's scaling.

    The bread is the observed information; scores are summed by cluster where `clusters` (one of n
    labels a group) say so. The scaling is NaN without degrees of freedom.
    """
    bread = inverted(observed_of(fitted.model, samples, fitted.parameters))
    meat = crossproduct(fitted.model, samples, fitted.parameters, clusters)
    whole = sum(
        _saturated_trace(sample, moments, own, fitted.model.means)
        for sample, moments, own in zip(samples, saturated, clusters, strict=True)
    )
    covariance = bread @ meat @ bread
    scaling = (whole - float((meat * bread).sum())) / df if df > 0 else np.nan
    return Corrected(covariance, float(scaling))


def inverted(matrix: Floats) -> Floats:
    """The inverse of an information; NaN throughout where the model is not identified."""
    scale = np.sqrt(np.abs(np.diag(matrix)))
    if (scale > 0).all():
        relative = matrix / np.outer(scale, scale)
        if np.abs(np.linalg.eigvalsh(relative)).min() > 1e-9:
            found: Floats = np.linalg.inv(relative) / np.outer(scale, scale)
            return found
    return np.full_like(matrix, np.nan)


def all_moments(p: int, means: bool) -> Directions:
    """Directions of each variance, covariance and mean."""
    rows, columns = np.triu_indices(p)
    unit = np.eye(p)
    right = unit[:, columns] * np.where(rows == columns, 0.5, 1.0)
    none = np.zeros((p, len(rows)))
    if not means:
        return Directions(unit[:, rows], right, none, np.arange(len(rows)))
    more = np.zeros((p, p))
    return Directions(
        np.hstack([unit[:, rows], more]),
        np.hstack([right, more]),
        np.hstack([none, unit]),
        np.arange(len(rows) + p),
    )


def _saturated_trace(
    sample: Sample, moments: Moments, clusters: np.ndarray | None, means: bool
) -> float:
    """Trace of the scores' crossproduct by the inverse information, of the saturated model."""
    mu, sigma = moments
    if not sample.complete:
        ways = all_moments(_few(sample.p), True)
        scores = by_cluster(subject_scores(sample, mu, sigma, ways), clusters)
        bread = np.linalg.inv(observed_by_moments(sample, mu, sigma, ways))
        return float(((scores @ bread) * scores).sum())
    around = sample.rows - mu
    inverse = np.linalg.inv(sigma)
    if clusters is None:
        # of one subject: half the square of its distance from the covariance, in its own metric
        distance = ((around @ inverse) * around).sum(axis=1)
        total = ((distance**2 - 2 * distance + sample.p) / 2).sum()
        return float(total + (distance.sum() if means else 0.0)) / sample.n
    labels, at = np.unique(clusters, return_inverse=True)
    total = 0.0
    for number in range(len(labels)):
        own = around[at.ravel() == number]
        bent = inverse @ (own.T @ own - len(own) * sigma)
        total += float((bent * bent.T).sum()) / 2
        if means:
            shift = own.sum(axis=0)
            total += float(shift @ inverse @ shift)
    return total / sample.n * few_clusters(len(labels))


def _few(p: int) -> int:
    if p * (p + 3) // 2 > MOST_MOMENTS:
        raise UnfitSystem(
            f"{p} values with missing cells have {p * (p + 3) // 2} means, variances and "
            f"covariances; two-stage and robust estimates take at most {MOST_MOMENTS}. Use "
            "--missing fiml without --robust, or --missing listwise."
        )
    return p


def two_stage(
    fitted: Fitted,
    sample: Sample,
    moments: Moments,
    clusters: np.ndarray | None,
    df: int,
    robust: bool,
) -> Corrected:
    """Correction of a fit to the saturated `moments` of an incomplete `sample`.

    The moments' covariance is the inverse of their observed information, or with `robust` its
    sandwich; a model fitted to them as if complete has its standard errors and chi2 from it.
    """
    p, n = sample.p, sample.n
    ways = all_moments(_few(p), True)
    gamma = np.linalg.inv(observed_by_moments(sample, *moments, ways))
    if robust:
        scores = by_cluster(subject_scores(sample, *moments, ways), clusters) @ gamma
        gamma = scores.T @ scores
    count = p * (p + 1) // 2
    gamma = gamma[:count, :count] * n
    ways = all_moments(p, False)
    now, own = fitted.groups[0], directions(fitted.model.groups[0], fitted.parameters)
    one = sample_of_moments(now.mu, now.sigma, 1)
    weight = information(one, now.mu, now.sigma, ways)
    slope = np.zeros((count, fitted.model.n_parameters))
    slope[:, own.at] = information(one, now.mu, now.sigma, ways, own)
    bread = inverted(expected_of(fitted.model, [one], fitted.parameters))
    meat = slope.T @ gamma @ slope
    scaling = (float((weight * gamma).sum()) - float((bread * meat).sum())) / df if df else np.nan
    return Corrected(bread @ meat @ bread / n, float(scaling))
