"""How far implied moments are from observed ones."""

from __future__ import annotations

import numpy as np
import pandas as pd

from gpla_assets.benchmarks.cfa_model import Floats, Implied
from gpla_assets.benchmarks.sample import Sample, stacks


def residual_correlations(observed: np.ndarray, implied: np.ndarray) -> Floats:
    """Observed less implied correlations (p, p), each by its own variances."""
    first, second = np.sqrt(np.diag(observed)), np.sqrt(np.diag(implied))
    found: Floats = observed / np.outer(first, first) - implied / np.outer(second, second)
    return found


def srmr(
    observed: np.ndarray, implied: np.ndarray, mean_residuals: np.ndarray | None = None
) -> float:
    """Root mean square of standardised residuals (Bentler, 1995), as lavaan.

    Of covariances (p, p), the diagonal included, and where means are modelled of those (p,) too,
    all by the observed standard deviations.
    """
    scale = np.sqrt(np.diag(observed))
    rows, columns = np.tril_indices(len(observed))
    # the diagonal counts: its zeros make the mean smaller
    squares = ((observed - implied) / np.outer(scale, scale))[rows, columns] ** 2
    if mean_residuals is not None:
        squares = np.concatenate([squares, (mean_residuals / scale) ** 2])
    return float(np.sqrt(squares.mean()))


def gfi(sample: Sample, now: Implied, centre: np.ndarray, means: bool) -> float:
    """Goodness of fit index; `centre` (p,) are the means that standard units took away.

    Observed moments are over the subjects that have both values, the weight is the expected
    information of the cells measured: lavaan's definition, which without missing cells and means
    is LISREL's.
    """
    mu, sigma = now.mu, now.sigma
    if sample.complete:
        mean, covariance = sample.means[0], sample.covariances[0]
    else:
        cells = pd.DataFrame(np.where(sample.measured[sample.pattern], sample.rows, np.nan))
        mean = cells.mean().to_numpy()
        covariance = cells.cov().to_numpy() * (sample.n - 1) / sample.n
    off, whole = (mean - mu, mean + centre) if means else (np.zeros_like(mu),) * 2
    left = total = 0.0
    for stack in stacks(sample, mu, sigma):
        for inverse, count in zip(stack.inverse, stack.counts, strict=True):
            residual, observed = inverse @ (covariance - sigma), inverse @ covariance
            left += count * (float((residual * residual.T).sum()) / 2 + off @ inverse @ off)
            total += count * (float((observed * observed.T).sum()) / 2 + whole @ inverse @ whole)
    return 1 - left / total
