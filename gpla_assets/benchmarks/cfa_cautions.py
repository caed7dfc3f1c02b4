"""What a reader of a confirmatory factor analysis must be told before its numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd

from gpla_assets.benchmarks.cfa_data import CfaData
from gpla_assets.benchmarks.cfa_fit import Fitted
from gpla_assets.benchmarks.cfa_model import LARGEST_CORRELATION, LOWEST_RESIDUAL
from gpla_assets.benchmarks.fit_indices import Fit
from gpla_assets.benchmarks.robust import Corrected
from gpla_assets.benchmarks.systems import System

FEWEST_TOGETHER = 10
FEW_CATEGORIES = 5


def solution_cautions(system: System, data: CfaData, fitted: Fitted, fit: Fit) -> list[str]:
    """Of a solution that was not reached, is improper, or fits whatever the data are."""
    cautions = []
    if not fitted.converged:
        cautions.append(
            f"The optimiser stopped with a gradient of {fitted.gradient:.1g}: the solution is the "
            "last it reached, and its indices are no maximum-likelihood indices."
        )
    if fit.df == 0:
        cautions.append(
            "Just identified: as many parameters as moments (df = 0), so that the model fits "
            "whatever the data are; its indices say nothing, its loadings stand."
        )
    return cautions + _improper(data, fitted) + _small_factors(system) + _factors(system, fitted)


def error_cautions(fit: Fit, corrected: Corrected) -> list[str]:
    """Of standard errors and a scaling that do not exist."""
    cautions = []
    if np.isnan(corrected.covariance).all():
        cautions.append(
            "Not identified: the information is singular, other loadings fit as well; no standard "
            "errors."
        )
    if fit.df > 0 and corrected.scaling <= 0:
        cautions.append(
            f"The scaling of chi2 is {corrected.scaling:.2g}, not above 0: too few subjects or "
            "clusters for it; no robust indices."
        )
    return cautions


def data_cautions(data: CfaData) -> list[str]:
    """Of subjects left out, cells missing, few clusters and coarse scales."""
    cautions = []
    if data.without_scores:
        cautions.append(
            f"{data.without_scores} subjects have no score on any value of the system: left out of "
            f"n = {data.n}."
        )
    if data.dropped:
        cautions.append(
            f"{data.dropped} subjects have a missing cell: left out (listwise) of n = {data.n}."
        )
    if data.n_missing:
        how = "two-stage estimates" if data.two_stage else "full information maximum likelihood"
        complete = int(data.sample.counts[data.sample.measured.all(axis=1)].sum())
        cautions.append(
            f"{data.n_missing} cells are missing, in {len(data.sample.counts)} patterns; "
            f"{complete} of {data.n} subjects have all "
            f"values: {how}, valid if cells are missing at random."
        )
        pairs, a, b = data.thinnest_pair()
        if pairs < FEWEST_TOGETHER:
            cautions.append(f"Only {pairs} subjects have both {a} and {b}.")
    clusters = data.n_clusters
    if clusters is not None and clusters <= len(data.values) * 2:
        cautions.append(
            f"{clusters} clusters are few beside the parameters of {len(data.values)} values: "
            "standard errors and the scaled chi2 of so few are themselves uncertain."
        )
    coarse = [
        value
        for at, value in enumerate(data.values)
        if len(np.unique(data.sample.rows[data.sample.measured[data.sample.pattern, at], at]))
        < FEW_CATEGORIES
    ]
    if coarse:
        named = ", ".join(coarse[:5]) + (" ..." if len(coarse) > 5 else "")
        cautions.append(
            f"{len(coarse)} values have fewer than {FEW_CATEGORIES} different scores ({named}): "
            "treated as continuous; DWLS (WLSMV) for ordered categories is not offered."
        )
    return cautions


def _improper(data: CfaData, fitted: Fitted) -> list[str]:
    cautions = []
    now = fitted.groups[0]
    share = np.diag(now.theta) / np.diag(now.sigma)
    free = fitted.model.groups[0].of("residual")
    own = np.unique(free[0][free[0] == free[1]])
    held = [at for at in own if 0 <= now.theta[at, at] <= LOWEST_RESIDUAL * 1.001]
    below = [at for at in own if now.theta[at, at] < 0]
    if held:
        named = ", ".join(data.values[at] for at in held)
        cautions.append(
            f"Heywood case: no residual variance left in {named}; it was held at "
            f"{LOWEST_RESIDUAL} of the value's variance."
        )
    if below:
        named = ", ".join(f"{data.values[at]} ({share[at]:.2f})" for at in below)
        cautions.append(
            f"Heywood case: negative residual variance of {named}, a share of the value's "
            "variance: the solution is improper. --bounded keeps it above 0."
        )
    return cautions


def _small_factors(system: System) -> list[str]:
    cautions = []
    for factor, own in system.factors.items():
        if len(own) == 1:
            cautions.append(
                f"Factor {factor} has one value: its residual variance was set to 0, so that the "
                "factor is that value."
            )
        elif len(own) == 2:
            cautions.append(
                f"Factor {factor} has two values: it is identified by its correlations with other "
                "factors alone."
            )
    return cautions


def _factors(system: System, fitted: Fitted) -> list[str]:
    cautions, phi = [], fitted.groups[0].phi
    names = list(system.factors)
    for i, j in zip(*np.triu_indices(len(phi), 1), strict=True):
        if abs(phi[i, j]) > 1:
            cautions.append(
                f"Factors {names[i]} and {names[j]} correlate {phi[i, j]:.2f}, beyond 1: improper; "
                "they are one factor."
            )
        elif abs(phi[i, j]) >= LARGEST_CORRELATION * 0.9999:
            cautions.append(f"Factors {names[i]} and {names[j]} correlate 1: they are one factor.")
    if np.linalg.eigvalsh(phi).min() < -1e-8:
        cautions.append("The correlations of the factors are not positive definite: improper.")
    return cautions


def sign_cautions(system: System, loadings: pd.DataFrame) -> list[str]:
    """Of values that load against their keyed sign."""
    if not system.keyed:
        return []
    turned = []
    for row in loadings.itertuples():
        keyed = system.factors[row.factor][row.value]
        if keyed * row.standardised < 0:
            turned.append(f"{row.value} on {row.factor} (keyed {keyed}, {row.standardised:.2f})")
    if not turned:
        return []
    return [
        "Loadings whose sign is not the keyed one: "
        + ", ".join(turned)
        + ". Look whether the value was reversed already, or the sign is wrong."
    ]
