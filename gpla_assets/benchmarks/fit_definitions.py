"""Which fit indices there are: how each is computed, and by whose formula."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from gpla_assets.benchmarks.fit_indices import (
    Fit,
    bic,
    cfi,
    rmsea_of,
    robust_cfi,
    robust_rmsea,
    robust_tli,
    scaled_cfi,
    scaled_rmsea,
    tli,
)

Set = Literal["standard", "robust", "paper"]


@dataclass(frozen=True)
class Definition:
    """How an index is computed: id, set, formula in words, source."""

    id: str
    set: Set
    index: str
    formula: str
    source: str
    compute: Callable[[Fit], float | None]


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
        cfi,
    ),
    Definition(
        "tli.standard",
        "standard",
        "tli",
        "(chi2_b / df_b - chi2 / df) / (chi2_b / df_b - 1)",
        "Tucker and Lewis (1973)",
        tli,
    ),
    Definition(
        "gfi.standard",
        "standard",
        "gfi",
        "1 - e'Ve / s'Vs of residual and observed moments, V their expected information; without "
        "means 1 - tr((Sigma^-1 S - I)^2) / tr((Sigma^-1 S)^2)",
        "Jöreskog and Sörbom (1986), LISREL; with missing cells as lavaan",
        lambda f: f.gfi,
    ),
    Definition(
        "rmsea.standard",
        "standard",
        "rmsea",
        "sqrt(groups) sqrt(max(chi2 - df, 0) / (df n))",
        "Steiger (1990), with n as in lavaan",
        lambda f: rmsea_of(f, f.chi2 - f.df),
    ),
    Definition(
        "srmr.standard",
        "standard",
        "srmr",
        "root mean square of residual correlations, diagonal included, and of standardised "
        "residual means where means are modelled",
        "Bentler (1995)",
        lambda f: f.srmr,
    ),
    Definition(
        "aic.standard",
        "standard",
        "aic",
        "2 k - 2 log L",
        "Akaike (1974), normal likelihood",
        lambda f: 2 * f.k - 2 * f.log_likelihood,
    ),
    Definition(
        "bic.standard",
        "standard",
        "bic",
        "k ln n - 2 log L",
        "Schwarz (1978), normal likelihood",
        lambda f: bic(f, f.n),
    ),
    Definition(
        "bic_adjusted.standard",
        "standard",
        "bic_adjusted",
        "k ln((n + 2) / 24) - 2 log L",
        "Sclove (1987)",
        lambda f: bic(f, (f.n + 2) / 24),
    ),
    Definition(
        "nfi.standard",
        "standard",
        "nfi",
        "1 - chi2 / chi2_b",
        "Bentler and Bonett (1980)",
        lambda f: 1 - f.chi2 / f.baseline_chi2 if f.baseline > 0 else None,
    ),
    Definition(
        "mfi.standard",
        "standard",
        "mfi",
        "exp(-(chi2 - df) / (2 n))",
        "McDonald (1989)",
        lambda f: float(np.exp(-(f.chi2 - f.df) / (2 * f.n))),
    ),
    Definition(
        "chi2.robust",
        "robust",
        "chi2",
        "chi2 / c, c = tr(B A^-1) of the saturated model less that of the model, by df",
        "Yuan and Bentler (2000) as in Mplus; two-stage: Savalei and Bentler (2009)",
        lambda f: f.scaled_chi2,
    ),
    Definition(
        "cfi_scaled.robust", "robust", "cfi_scaled", "CFI of the scaled chi2", "-", scaled_cfi
    ),
    Definition(
        "cfi.robust",
        "robust",
        "cfi",
        "1 - (chi2 - c df) / (chi2_b - c_b df_b)",
        "Brosseau-Liard and Savalei (2014)",
        robust_cfi,
    ),
    Definition(
        "tli.robust",
        "robust",
        "tli",
        "1 - ((chi2 - c df) / df) / ((chi2_b - c_b df_b) / df_b)",
        "Brosseau-Liard and Savalei (2014)",
        robust_tli,
    ),
    Definition(
        "rmsea_scaled.robust",
        "robust",
        "rmsea_scaled",
        "RMSEA of the scaled chi2",
        "-",
        scaled_rmsea,
    ),
    Definition(
        "rmsea.robust",
        "robust",
        "rmsea",
        "sqrt(groups) sqrt(max(chi2 - c df, 0) / (df n))",
        "Brosseau-Liard, Savalei and Li (2012)",
        robust_rmsea,
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
        tli,
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
