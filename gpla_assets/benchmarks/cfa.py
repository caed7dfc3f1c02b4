"""Confirmatory factor analysis of a value system (the paper's 5.1)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.stats import norm

from gpla_assets.benchmarks.cfa_model import (
    LARGEST_CORRELATION,
    LOWEST_RESIDUAL,
    Fitted,
    Measurement,
    Structure,
    fit,
    measurement,
    modification_indices,
    standard_errors,
)
from gpla_assets.benchmarks.fit_indices import Fit
from gpla_assets.benchmarks.systems import System, UnfitSystem
from gpla_assets.psychometrics.correlation import Correlations, correlations
from gpla_assets.psychometrics.errors import StructureError
from gpla_assets.psychometrics.matrix import checked_scores

TOP_PATHS = 20


@dataclass(frozen=True)
class Cfa:
    """A fitted system: the fit, its loadings and what a reader must be told.

    `loadings` has columns factor, value, estimate, standardised, se, p; `paths` the omitted paths
    with the largest modification indices; `factor_correlations` factor_a, factor_b, r.
    """

    system: System
    fit: Fit
    loadings: pd.DataFrame
    factor_correlations: pd.DataFrame
    paths: pd.DataFrame
    converged: bool
    cautions: tuple[str, ...]


def confirm(
    scores: pd.DataFrame,
    system: System,
    structure: Structure = "correlated",
    estimated: Correlations | None = None,
) -> Cfa:
    """Fit a system by maximum likelihood.

    `scores` (n_subjects, n_values). Covariances of incomplete scores are estimated by EM, and said;
    `estimated` saves that where it was done before. Improper solutions are named in `cautions`:
    residual variances at their lower bound (Heywood cases), factor correlations at 1, factors with
    one or two values. Raises UnfitSystem for a system without measured values or without a degree
    of freedom, and StructureError for a singular correlation matrix.
    """
    known = system.within(scores.columns)
    # the order of values is that of the system: loadings, signs and residuals go by place
    table = checked_scores(scores)[known.values]
    # not > 0 rather than <= 0: a column without a score has a NaN for its sd
    constant = [value for value in table if not table[value].std() > 0]
    if constant:
        raise UnfitSystem(
            f"System {system.name!r}: value {constant[0]!r} is constant over the subjects or not "
            "measured; expected values that vary. Leave it out of the system or the matrix."
        )
    found = _over(estimated, known.values) if estimated else correlations(table, "em")
    signs = _signs(known)
    model = measurement(signs, structure)
    n, p = table.shape
    if p * (p + 1) // 2 - model.n_parameters < 1:
        raise UnfitSystem(
            f"System {system.name!r}: {model.n_parameters} parameters for {p * (p + 1) // 2} "
            "variances and covariances leave no degree of freedom; expected at least 1. A factor "
            "needs three values, or two where it correlates with others."
        )
    observed = found.matrix.to_numpy()
    if found.mended or np.linalg.eigvalsh(observed).min() < 1e-10:
        raise StructureError(
            f"The correlation matrix of {p} values over {n} subjects is singular (smallest "
            f"eigenvalue {found.smallest_eigenvalue:.2g}): maximum likelihood has no optimum. Use "
            "more subjects than values, or leave out values."
        )
    fitted = fit(model, observed)
    described = Fit(
        n=n,
        p=p,
        k=model.n_parameters,
        discrepancy=fitted.discrepancy,
        # F of uncorrelated values: Sigma = I leaves -ln|S| of it
        baseline=-float(np.linalg.slogdet(observed)[1]),
        observed=observed,
        implied=fitted.implied,
        # covariances here divide by n - 1; the likelihood is at its maximum with n
        log_sd=float(np.log(np.diag(found.covariance) * (n - 1) / n).sum()) / 2,
    )
    sds = np.sqrt(np.diag(found.covariance))
    cautions = _missing_cautions(found.n_missing) + _improper(known, model, fitted)
    return Cfa(
        known,
        described,
        _loading_rows(known, model, fitted, sds, n),
        _factor_rows(known, fitted),
        _path_rows(known, modification_indices(model, fitted, observed, n)),
        fitted.converged,
        tuple(cautions),
    )


def _over(found: Correlations, values: list[str]) -> Correlations:
    return replace(
        found,
        matrix=found.matrix.loc[values, values],
        covariance=found.covariance.loc[values, values],
        pairs=found.pairs.loc[values, values],
        filled=found.filled[values],
    )


def _signs(system: System) -> np.ndarray:
    values = {value: at for at, value in enumerate(system.values)}
    signs = np.zeros((len(values), len(system.factors)), int)
    for column, own in enumerate(system.factors.values()):
        for value, sign in own.items():
            signs[values[value], column] = sign
    return signs


def _loading_rows(
    system: System, model: Measurement, fitted: Fitted, sds: np.ndarray, n: int
) -> pd.DataFrame:
    errors = standard_errors(model, fitted, n)
    rows = []
    values = {value: at for at, value in enumerate(system.values)}
    for column, (factor, own) in enumerate(system.factors.items()):
        # the model has factors of variance 1; a printed estimate is in units of its first value
        marker = values[next(iter(own))]
        unit = fitted.loadings[marker, column] * sds[marker]
        for value in own:
            at = values[value]
            loading = fitted.loadings[at, column]
            standardised = loading / np.sqrt(fitted.implied[at, at])
            error = errors[at, column]
            z = standardised / error if error > 0 else np.nan
            rows.append(
                {
                    "factor": factor,
                    "value": value,
                    # with the factor's first value as its unit, as semopy and lavaan print it
                    "estimate": loading * sds[at] / unit,
                    "standardised": standardised,
                    "se": error,
                    "p": 2 * norm.sf(abs(z)),
                }
            )
    return pd.DataFrame(rows)


def _factor_rows(system: System, fitted: Fitted) -> pd.DataFrame:
    names = list(system.factors)
    return pd.DataFrame(
        {
            "factor_a": np.repeat(np.asarray(names, dtype=object), len(names)),
            "factor_b": np.tile(np.asarray(names, dtype=object), len(names)),
            "r": fitted.phi.ravel(),
        }
    )


def _path_rows(system: System, found: list[tuple[str, int, int, float, float]]) -> pd.DataFrame:
    values, factors = system.values, list(system.factors)
    largest = sorted(found, key=lambda path: -path[3])[:TOP_PATHS]
    rows = [
        (kind, values[row], factors[column] if kind == "loading" else values[column], index, change)
        for kind, row, column, index, change in largest
    ]
    columns = ["kind", "value", "other", "modification_index", "expected_change"]
    return pd.DataFrame(rows, columns=columns)


def _missing_cautions(n_missing: int) -> list[str]:
    if not n_missing:
        return []
    return [f"{n_missing} cells were missing: covariances by EM, n counts all subjects."]


def _improper(system: System, model: Measurement, fitted: Fitted) -> list[str]:
    cautions = []
    if not fitted.converged:
        cautions.append(
            f"The optimiser stopped with a gradient of {fitted.gradient:.1g}: the solution is the "
            "last it reached, and its indices are no maximum-likelihood indices."
        )
    values = np.asarray(system.values, dtype=object)
    heywood = (fitted.residuals <= LOWEST_RESIDUAL * 1.001) & ~model.fixed_residual
    if heywood.any():
        cautions.append(
            f"Heywood case: no residual variance left in {', '.join(values[heywood])}; it was held "
            f"at {LOWEST_RESIDUAL} of the value's variance."
        )
    for factor, own in system.factors.items():
        if len(own) == 1:
            cautions.append(
                f"Factor {factor} has one value: its residual variance was set to 0, so that the "
                "factor is that value."
            )
        elif len(own) == 2:
            cautions.append(f"Factor {factor} has two values: it is identified by its "
                            "correlations with other factors alone.")  # fmt: skip
    names, upper = list(system.factors), np.triu_indices(len(fitted.phi), 1)
    for i, j in zip(*upper, strict=True):
        if abs(fitted.phi[i, j]) >= LARGEST_CORRELATION * 0.9999:
            cautions.append(f"Factors {names[i]} and {names[j]} correlate 1: they are one factor.")
    if np.linalg.eigvalsh(fitted.phi).min() < -1e-8:
        cautions.append("The correlations of the factors are not positive definite: improper.")
    return cautions
