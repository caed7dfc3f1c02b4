"""Fit indices of covariance structures, each by a named definition.

Three sets: `standard`, as lavaan and the textbooks have them; `robust`, which hold without
normality or over clusters; and `paper`, by semopy's formulas, with which the paper's Table 2 was
printed. All are of one and the same fit. The `paper` set's AIC and
BIC take the discrepancy for a log-likelihood and so get better as the fit gets worse: they are kept
for comparison with Table 2 and never shown first.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import chdtr, chdtrc, chndtr


@dataclass(frozen=True)
class Fit:
    """What all indices are functions of.

    `discrepancy` F of the model and `baseline` of the independence model, both less that of the
    saturated model, on `n` subjects and `p` values with `k` free parameters for `n_moments` means,
    variances and covariances. `scaling` and `baseline_scaling` are what chi2 is divided by so that
    it holds without normality, or over clusters; None where they were not asked for.
    """

    n: int
    p: int
    k: int
    discrepancy: float
    baseline: float
    n_moments: int
    log_likelihood: float
    gfi: float | None = None
    srmr: float | None = None
    groups: int = 1
    scaling: float | None = None
    baseline_scaling: float | None = None

    @property
    def df(self) -> int:
        """Degrees of freedom."""
        return self.n_moments - self.k

    @property
    def baseline_df(self) -> int:
        """Those of the independence model."""
        return self.groups * self.p * (self.p - 1) // 2

    @property
    def chi2(self) -> float:
        """n F, the normal-theory likelihood ratio."""
        # n as in lavaan, not n - 1; rounding may leave a perfect fit just below 0
        return self.n * max(self.discrepancy, 0.0)

    @property
    def baseline_chi2(self) -> float:
        """n F of the independence model."""
        return self.n * self.baseline

    @property
    def p_value(self) -> float | None:
        """Of chi2; None without a degree of freedom."""
        return float(chdtrc(self.df, self.chi2)) if self.df > 0 else None

    @property
    def scaled_chi2(self) -> float | None:
        """chi2 by its scaling."""
        return self.chi2 / self.scaling if self.scaling and self.scaling > 0 else None

    @property
    def scaled_p_value(self) -> float | None:
        """Of the scaled chi2."""
        chi2 = self.scaled_chi2
        return None if chi2 is None else float(chdtrc(self.df, chi2))


def rmsea_interval(fit: Fit, confidence: float = 0.90) -> tuple[float | None, float | None]:
    """Interval of the RMSEA from the noncentral chi2 (Browne and Cudeck, 1993); None at df = 0."""
    return _rmsea_interval(fit, fit.chi2, 1.0, confidence)


def robust_rmsea_interval(fit: Fit, confidence: float = 0.90) -> tuple[float | None, float | None]:
    """That of the robust RMSEA (Brosseau-Liard, Savalei and Li, 2012)."""
    chi2 = fit.scaled_chi2
    if chi2 is None or fit.scaling is None:
        return None, None
    return _rmsea_interval(fit, chi2, fit.scaling, confidence)


def _rmsea_interval(
    fit: Fit, chi2: float, scaling: float, confidence: float
) -> tuple[float | None, float | None]:
    if fit.df <= 0:
        return None, None
    tail = (1 - confidence) / 2

    def bound(level: float) -> float:
        # no noncentrality reaches the level: the interval begins, or ends, at 0
        if float(chdtr(fit.df, chi2)) < level:
            return 0.0
        # the noncentrality at which the observed chi2 has this probability below it
        low, high = 0.0, max(chi2, 1.0)
        while float(chndtr(chi2, fit.df, high)) > level:
            low, high = high, high * 2
        while high - low > 1e-10 * high:
            middle = (low + high) / 2
            above = float(chndtr(chi2, fit.df, middle)) > level
            low, high = (middle, high) if above else (low, middle)
        return float(np.sqrt(scaling * high * fit.groups / (fit.df * fit.n)))

    return bound(1 - tail), bound(tail)


def _cfi_of(chi2: float, baseline: float, df: float, baseline_df: float) -> float:
    excess = max(chi2 - df, 0.0)
    # a model that fits worse than independence has a CFI of 0, not below
    worst = max(baseline - baseline_df, excess)
    return 1 - excess / worst if worst > 0 else 1.0


def cfi(fit: Fit) -> float | None:
    return _cfi_of(fit.chi2, fit.baseline_chi2, fit.df, fit.baseline_df)


def scaled_cfi(fit: Fit) -> float | None:
    chi2, scaling = fit.scaled_chi2, fit.baseline_scaling
    if chi2 is None or not scaling:
        return None
    return _cfi_of(chi2, fit.baseline_chi2 / scaling, fit.df, fit.baseline_df)


def robust_cfi(fit: Fit) -> float | None:
    c, b = fit.scaling, fit.baseline_scaling
    if not c or not b:
        return None
    return _cfi_of(fit.chi2, fit.baseline_chi2, c * fit.df, b * fit.baseline_df)


def tli(fit: Fit) -> float | None:
    if fit.df <= 0:
        return None
    baseline = fit.baseline_chi2 / fit.baseline_df
    return (baseline - fit.chi2 / fit.df) / (baseline - 1) if baseline != 1 else None


def robust_tli(fit: Fit) -> float | None:
    c, b = fit.scaling, fit.baseline_scaling
    if fit.df <= 0 or not c or not b:
        return None
    worst = (fit.baseline_chi2 - b * fit.baseline_df) / fit.baseline_df
    return 1 - (fit.chi2 - c * fit.df) / fit.df / worst if worst else None


def rmsea_of(fit: Fit, excess: float) -> float | None:
    if fit.df <= 0:
        return None
    return float(np.sqrt(max(excess, 0.0) * fit.groups / (fit.df * fit.n)))


def scaled_rmsea(fit: Fit) -> float | None:
    chi2 = fit.scaled_chi2
    return None if chi2 is None else rmsea_of(fit, chi2 - fit.df)


def robust_rmsea(fit: Fit) -> float | None:
    return rmsea_of(fit, fit.chi2 - fit.scaling * fit.df) if fit.scaling else None


def bic(fit: Fit, n: float) -> float:
    return fit.k * float(np.log(n)) - 2 * fit.log_likelihood
