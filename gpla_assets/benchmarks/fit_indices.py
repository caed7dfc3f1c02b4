"""Fit indices of covariance structures, each by a named definition.

Two sets: `standard`, as lavaan and the textbooks have them, and `paper`, by semopy's formulas, with
which the paper's Table 2 was printed; both are of one and the same fit. The `paper` set's AIC and
BIC take the discrepancy for a log-likelihood and so get better as the fit gets worse: they are kept
for comparison with Table 2 and never shown first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.optimize import brentq
from scipy.stats import chi2 as chi2_distribution
from scipy.stats import ncx2

Set = Literal["standard", "paper"]


@dataclass(frozen=True)
class Fit:
    """What all indices are functions of.

    `discrepancy` F of the model and `baseline` of the independence model, on `n` subjects and `p`
    values with `k` free parameters; `observed` and `implied` correlations (p, p);
    `log_sd` the sum of the values' log standard deviations (n in the denominator).
    """

    n: int
    p: int
    k: int
    discrepancy: float
    baseline: float
    observed: np.ndarray
    implied: np.ndarray
    log_sd: float

    @property
    def df(self) -> int:
        """Degrees of freedom: p (p + 1) / 2 - k."""
        return self.p * (self.p + 1) // 2 - self.k

    @property
    def baseline_df(self) -> int:
        """Those of the independence model."""
        return self.p * (self.p - 1) // 2

    @property
    def chi2(self) -> float:
        """n F, the normal-theory likelihood ratio."""
        # n as in lavaan, not n - 1; rounding may leave a perfect fit just below 0
        return self.n * max(self.discrepancy, 0.0)

    @property
    def baseline_chi2(self) -> float:
        """n F of the independence model."""
        return self.n * self.baseline


@dataclass(frozen=True)
class Definition:
    """How an index is computed: id, set, formula in words, source."""

    id: str
    set: Set
    index: str
    formula: str
    source: str
    compute: Callable[[Fit], float | None]


def rmsea_interval(fit: Fit, confidence: float = 0.90) -> tuple[float | None, float | None]:
    """Interval of the RMSEA from the noncentral chi2 (Browne and Cudeck, 1993); None at df = 0."""
    if fit.df <= 0:
        return None, None
    tail = (1 - confidence) / 2

    def bound(level: float) -> float:
        # the noncentrality at which the observed chi2 has this probability below it
        def gap(noncentrality: float) -> float:
            return float(ncx2.cdf(fit.chi2, fit.df, noncentrality)) - level

        # no noncentrality reaches the level: the interval begins, or ends, at 0
        if float(chi2_distribution.cdf(fit.chi2, fit.df)) < level:
            return 0.0
        high = max(fit.chi2, 1.0)
        # brentq needs a change of sign between its ends
        while gap(high) > 0:
            high *= 2
        return float(np.sqrt(brentq(gap, 1e-9, high) / (fit.df * fit.n)))

    return bound(1 - tail), bound(tail)


def _cfi(fit: Fit) -> float | None:
    excess = max(fit.chi2 - fit.df, 0.0)
    # a model that fits worse than independence has a CFI of 0, not below
    worst = max(fit.baseline_chi2 - fit.baseline_df, excess)
    return 1 - excess / worst if worst > 0 else 1.0


def _tli(fit: Fit) -> float | None:
    if fit.df <= 0:
        return None
    baseline = fit.baseline_chi2 / fit.baseline_df
    return (baseline - fit.chi2 / fit.df) / (baseline - 1) if baseline != 1 else None


def _gfi(fit: Fit) -> float | None:
    product = np.linalg.solve(fit.implied, fit.observed)
    distance = product - np.eye(fit.p)
    return 1 - float(np.trace(distance @ distance)) / float(np.trace(product @ product))


def _srmr(fit: Fit) -> float | None:
    scale = np.sqrt(np.diag(fit.implied))
    # the diagonal counts, as in lavaan: its zeros make the mean smaller
    residual = (fit.observed - fit.implied / np.outer(scale, scale))[np.tril_indices(fit.p)]
    return float(np.sqrt((residual**2).sum() / len(residual)))


def _rmsea(fit: Fit) -> float | None:
    return float(np.sqrt(max(fit.chi2 - fit.df, 0.0) / (fit.df * fit.n))) if fit.df > 0 else None


def log_likelihood(fit: Fit) -> float:
    """Normal log-likelihood at the solution, in the values' own units."""
    log_determinant = float(np.linalg.slogdet(fit.implied)[1])
    trace = float(np.trace(np.linalg.solve(fit.implied, fit.observed)))
    constant = fit.p * float(np.log(2 * np.pi))
    return -fit.n / 2 * (constant + log_determinant + trace + 2 * fit.log_sd)


def _paper_rmsea(fit: Fit) -> float | None:
    if fit.df <= 0:
        return None
    return float(np.sqrt(max(fit.chi2 / fit.df - 1, 0.0) / (fit.n - 1)))


# decision 0009: the paper's indices are kept under a name of their own
DEFINITIONS: tuple[Definition, ...] = (
    Definition("chi2.standard", "standard", "chi2", "n F", "Jöreskog (1969)", lambda f: f.chi2),
    Definition(
        "cfi.standard",
        "standard",
        "cfi",
        "1 - max(chi2 - df, 0) / max(chi2_b - df_b, chi2 - df, 0)",
        "Bentler (1990)",
        _cfi,
    ),
    Definition(
        "tli.standard",
        "standard",
        "tli",
        "(chi2_b / df_b - chi2 / df) / (chi2_b / df_b - 1)",
        "Tucker and Lewis (1973)",
        _tli,
    ),
    Definition(
        "gfi.standard",
        "standard",
        "gfi",
        "1 - tr((Sigma^-1 S - I)^2) / tr((Sigma^-1 S)^2)",
        "Jöreskog and Sörbom (1986), LISREL",
        _gfi,
    ),
    Definition(
        "rmsea.standard",
        "standard",
        "rmsea",
        "sqrt(max(chi2 - df, 0) / (df n))",
        "Steiger (1990), with n as in lavaan",
        _rmsea,
    ),
    Definition(
        "srmr.standard",
        "standard",
        "srmr",
        "root mean square of residual correlations, diagonal included",
        "Bentler (1995)",
        _srmr,
    ),
    Definition(
        "aic.standard",
        "standard",
        "aic",
        "2 k - 2 log L",
        "Akaike (1974), normal likelihood",
        lambda f: 2 * f.k - 2 * log_likelihood(f),
    ),
    Definition(
        "bic.standard",
        "standard",
        "bic",
        "k ln n - 2 log L",
        "Schwarz (1978), normal likelihood",
        lambda f: f.k * float(np.log(f.n)) - 2 * log_likelihood(f),
    ),
    Definition("chi2.paper", "paper", "chi2", "n F", "semopy calc_stats", lambda f: f.chi2),
    Definition(
        "cfi.paper",
        "paper",
        "cfi",
        "1 - (chi2 - df) / (chi2_b - df_b)",
        "semopy calc_stats",
        lambda f: 1 - (f.chi2 - f.df) / (f.baseline_chi2 - f.baseline_df),
    ),
    Definition(
        "tli.paper",
        "paper",
        "tli",
        "(chi2_b / df_b - chi2 / df) / (chi2_b / df_b - 1)",
        "semopy calc_stats",
        _tli,
    ),
    Definition(
        "gfi.paper",
        "paper",
        "gfi",
        "1 - chi2 / chi2_b (elsewhere the normed fit index)",
        "semopy calc_stats",
        lambda f: 1 - f.chi2 / f.baseline_chi2,
    ),
    Definition(
        "rmsea.paper",
        "paper",
        "rmsea",
        "sqrt((chi2 / df - 1) / (n - 1))",
        "semopy calc_stats",
        _paper_rmsea,
    ),
    Definition(
        "aic.paper",
        "paper",
        "aic",
        "2 (k - F): rewards misfit",
        "semopy calc_stats",
        lambda f: 2 * (f.k - f.discrepancy),
    ),
    Definition(
        "bic.paper",
        "paper",
        "bic",
        "k ln n - 2 F: rewards misfit",
        "semopy calc_stats",
        lambda f: f.k * float(np.log(f.n)) - 2 * f.discrepancy,
    ),
)


def indices(fit: Fit, which: Set) -> dict[str, float | None]:
    """All indices of a set by their names."""
    return {one.index: one.compute(fit) for one in DEFINITIONS if one.set == which}
