"""Confirmatory factor analysis of a value system (the paper's 5.1)."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
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
AGREEMENT = 1e-4
"""Largest difference in F between semopy and the second optimiser that counts as the same."""


@dataclass(frozen=True)
class Cfa:
    """A fitted system: the fit, its loadings and what a reader must be told.

    `loadings` has columns factor, value, estimate, standardised, se, p; `paths` the omitted paths
    with the largest modification indices; `factor_correlations` factor_a, factor_b, r.
    `semopy_discrepancy` is F as semopy found it; null where it was not asked or did not converge.
    """

    system: System
    fit: Fit
    loadings: pd.DataFrame
    factor_correlations: pd.DataFrame
    paths: pd.DataFrame
    converged: bool
    cautions: tuple[str, ...]
    semopy_discrepancy: float | None


def confirm(
    scores: pd.DataFrame,
    system: System,
    structure: Structure = "correlated",
    with_semopy: bool = True,
    estimated: Correlations | None = None,
) -> Cfa:
    """Fit a system by maximum likelihood; semopy's optimum is compared with exact gradients'.

    `scores` (n_subjects, n_values). Covariances of incomplete scores are estimated by EM, and said;
    `estimated` saves that where it was done before. Improper solutions are named in `cautions`:
    residual variances at their lower bound (Heywood cases), factor correlations at 1, factors with
    one or two values. Raises UnfitSystem for a system without measured values or without a degree
    of freedom, and StructureError for a singular correlation matrix.
    """
    known = system.within(scores.columns)
    table = checked_scores(scores)[known.values]
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
        baseline=-float(np.linalg.slogdet(observed)[1]),
        observed=observed,
        implied=fitted.implied,
        log_sd=float(np.log(np.diag(found.covariance) * (n - 1) / n).sum()) / 2,
    )
    sds = np.sqrt(np.diag(found.covariance))
    with_semopy = with_semopy and structure == "correlated" and not model.fixed_residual.any()
    other = semopy_discrepancy(found.filled, known) if with_semopy else None
    cautions = _missing_cautions(found.n_missing) + _improper(known, model, fitted)
    cautions += _disagreement(fitted, other, with_semopy)
    return Cfa(
        known,
        described,
        _loading_rows(known, model, fitted, sds, n),
        _factor_rows(known, fitted),
        _path_rows(known, modification_indices(model, fitted, observed, n)),
        fitted.converged,
        tuple(cautions),
        other,
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


def semopy_discrepancy(scores: pd.DataFrame, system: System) -> float | None:
    """F at semopy's optimum (its default objective MLW); None where it does not converge.

    Values and factors get neutral names first, since semopy reads them as a formula.
    """
    import semopy

    values = {value: f"v{at}" for at, value in enumerate(system.values)}
    lines = [
        f"f{at} =~ " + " + ".join(values[value] for value in own)
        for at, own in enumerate(system.factors.values())
    ]
    standard = (scores[system.values] - scores[system.values].mean()) / scores[system.values].std()
    model = semopy.Model("\n".join(lines))
    with _quiet():
        try:
            result = model.fit(standard.rename(columns=values))
        except (np.linalg.LinAlgError, ValueError):
            return None
    discrepancy = float(result.fun)
    return discrepancy if np.isfinite(discrepancy) else None


@contextmanager
def _quiet() -> Iterator[None]:
    """No warnings, which semopy also gives by the root logger; our own cautions say as much."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def _loading_rows(
    system: System, model: Measurement, fitted: Fitted, sds: np.ndarray, n: int
) -> pd.DataFrame:
    errors = standard_errors(model, fitted, n)
    rows = []
    values = {value: at for at, value in enumerate(system.values)}
    for column, (factor, own) in enumerate(system.factors.items()):
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


def _disagreement(fitted: Fitted, other: float | None, asked: bool) -> list[str]:
    if not asked:
        return []
    if other is None:
        return ["semopy did not converge; the optimum is that of the exact gradients."]
    if other - fitted.discrepancy > AGREEMENT:
        return [f"semopy stopped at F = {other:.4f}, above the optimum {fitted.discrepancy:.4f}."]
    if fitted.discrepancy - other > AGREEMENT:
        return [
            f"semopy found a lower F = {other:.4f} than {fitted.discrepancy:.4f}: bounds of "
            "residual variances or correlations hold here."
        ]
    return []
