"""Confirmatory factor analysis of a value system (the paper's 5.1)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.special import ndtr

from gpla_assets.benchmarks.cfa_cautions import (
    data_cautions,
    error_cautions,
    sign_cautions,
    solution_cautions,
)
from gpla_assets.benchmarks.cfa_data import CfaData, Missing, cfa_data
from gpla_assets.benchmarks.cfa_fit import Fitted, fit
from gpla_assets.benchmarks.cfa_model import (
    Measurement,
    Structure,
    independence,
    measurement,
)
from gpla_assets.benchmarks.fit_indices import Fit
from gpla_assets.benchmarks.information import expected_of, observed_of
from gpla_assets.benchmarks.modification import omitted_paths
from gpla_assets.benchmarks.residuals import gfi, residual_correlations, srmr
from gpla_assets.benchmarks.robust import Corrected, inverted, sandwich, two_stage
from gpla_assets.benchmarks.standardised import Estimates, estimates
from gpla_assets.benchmarks.systems import System, UnfitSystem

TOP_PATHS = 20
NORMAL_95 = 1.959963984540054


@dataclass(frozen=True)
class Cfa:
    """A fitted system: the fit, its estimates and what a reader must be told.

    `loadings` has columns factor, value; estimate, estimate_se (the factor's first value its unit);
    std_lv, std_lv_se (the factor's variance 1); standardised, se, z, p, ci_low, ci_high. `values`:
    value, residual, residual_se, r2; `factor_correlations`: factor_a, factor_b, r, se; `paths`: the
    omitted paths with the largest modification indices; `residuals`: value_a, value_b, residual
    (observed less implied correlation), largest first. `errors` says where standard errors are
    from: expected, observed, robust, cluster-robust or two-stage.
    """

    system: System
    data: CfaData
    fitted: Fitted
    fit: Fit
    errors: str
    loadings: pd.DataFrame
    values: pd.DataFrame
    factor_correlations: pd.DataFrame
    paths: pd.DataFrame
    residuals: pd.DataFrame
    cautions: tuple[str, ...]

    @property
    def converged(self) -> bool:
        """Whether the optimum was reached."""
        return self.fitted.converged


def confirm(
    scores: pd.DataFrame | CfaData,
    system: System,
    structure: Structure = "correlated",
    *,
    missing: Missing = "fiml",
    clusters: pd.Series | None = None,
    robust: bool = False,
    bounded: bool = False,
) -> Cfa:
    """Fit a system by maximum likelihood.

    `scores` (n_subjects, n_values), or data made of them before over the system's values. Missing
    cells: `fiml`, the likelihood of the cells there are (Arbuckle, 1996); `listwise`; `two-stage`,
    moments first and a correction for it (Savalei and Bentler, 2009). `clusters` by subject, or
    `robust`, give sandwich standard errors and a scaled chi2 as lavaan's MLR. Improper solutions
    are named in `cautions`; `bounded` keeps residual variances above 0 and correlations below 1.
    Raises UnfitSystem for a value that was not measured or does not vary, and for more parameters
    than moments; StructureError for a singular correlation matrix.
    """
    if isinstance(scores, CfaData):
        data = scores
    else:
        system.measured(map(str, scores.columns))
        data = cfa_data(scores, system.values, missing, clusters)
    fitted, described = fitted_system(data, system, structure, bounded)
    corrected, errors = _corrected(data, fitted, described.df, robust)
    if np.isfinite(corrected.scaling):
        described = replace(
            described,
            scaling=corrected.scaling,
            baseline_scaling=_baseline_scaling(data, fitted.model.means, described, robust),
        )
    markers = [data.values.index(next(iter(own))) for own in system.factors.values()]
    found = estimates(fitted, corrected.covariance, data.sds, markers)
    loadings = _loading_rows(system, data, found)
    parts = [
        *data_cautions(data),
        *solution_cautions(system, data, fitted, described),
        *error_cautions(described, corrected),
        *sign_cautions(system, loadings),
    ]
    return Cfa(
        system=system,
        data=data,
        fitted=fitted,
        fit=described,
        errors=errors,
        loadings=loadings,
        values=_value_rows(data, found),
        factor_correlations=_factor_rows(system, found),
        paths=_path_rows(system, data, fitted),
        residuals=_residual_rows(data, fitted),
        cautions=tuple(parts),
    )


def fitted_system(
    data: CfaData, system: System, structure: Structure = "correlated", bounded: bool = False
) -> tuple[Fitted, Fit]:
    """The solution and its fit alone, of data over the system's values.

    Raises UnfitSystem for more parameters than moments.
    """
    model = system_model(system, data, structure)
    if model.n_parameters > model.n_moments:
        raise UnfitSystem(
            f"System {system.name!r}: {model.n_parameters} parameters for {model.n_moments} "
            f"{'means, ' if model.means else ''}variances and covariances; expected at most as "
            "many. A factor needs three values, or two where it correlates with others."
        )
    fitted = fit(model, [data.fitted_sample], bounded)
    return fitted, _described(data, model, fitted)


def system_model(
    system: System, data: CfaData, structure: Structure = "correlated", means: bool | None = None
) -> Measurement:
    """The measurement model of a system over the data's values; `means` as the data ask for."""
    places = {value: at for at, value in enumerate(data.values)}
    factors = {factor: at for at, factor in enumerate(system.factors)}
    signs = np.zeros((len(places), len(factors)), int)
    for column, own in enumerate(system.factors.values()):
        for value, sign in own.items():
            signs[places[value], column] = sign
    return measurement(
        signs,
        structure,
        means=data.models_means if means is None else means,
        residuals=[(places[a], places[b]) for a, b in system.residuals],
        uncorrelated=[(factors[a], factors[b]) for a, b in system.uncorrelated],
        correlations=data.observed,
    )


def _described(data: CfaData, model: Measurement, fitted: Fitted) -> Fit:
    now, (mean, covariance) = fitted.groups[0], data.moments
    cells = data.sample.counts @ data.sample.measured
    # in the values' own units, the constant of 2 pi included
    units = float(cells @ (np.log(2 * np.pi) / 2 + np.log(data.sds)))
    return Fit(
        n=data.n,
        p=len(data.values),
        k=model.n_parameters,
        discrepancy=fitted.discrepancy - data.level,
        baseline=data.baseline(model.means),
        n_moments=model.n_moments,
        log_likelihood=-data.n / 2 * fitted.discrepancy - units,
        gfi=gfi(data.fitted_sample, now, data.means / data.sds, model.means),
        srmr=srmr(covariance, now.sigma, mean - now.mu if model.means else None),
    )


def _corrected(data: CfaData, fitted: Fitted, df: int, robust: bool) -> tuple[Corrected, str]:
    sample, model = data.fitted_sample, fitted.model
    robust = robust or data.clusters is not None
    if data.two_stage:
        found = two_stage(fitted, data.sample, data.moments, data.clusters, df, robust)
        return found, "two-stage, robust" if robust else "two-stage"
    if robust:
        found = sandwich(fitted, [sample], [data.moments], [data.clusters], df)
        return found, "robust" if data.clusters is None else "cluster-robust"
    if sample.complete:
        information = expected_of(model, [sample], fitted.parameters)
        return Corrected(inverted(information), np.nan), "expected"
    # with cells missing at random the expected information is not valid (Kenward and
    # Molenberghs, 1998)
    information = observed_of(model, [sample], fitted.parameters)
    return Corrected(inverted(information), np.nan), "observed"


def _baseline_scaling(data: CfaData, means: bool, described: Fit, robust: bool) -> float:
    sample = data.fitted_sample
    alone = fit(independence(sample.p, means=means), [sample])
    return _corrected(data, alone, described.baseline_df, robust)[0].scaling


def _loading_rows(system: System, data: CfaData, found: Estimates) -> pd.DataFrame:
    places = {value: at for at, value in enumerate(data.values)}
    rows = []
    for column, (factor, own) in enumerate(system.factors.items()):
        for value in own:
            at = places[value]
            standardised, error = found.loadings[at, column], found.loading_errors[at, column]
            z = standardised / error if error > 1e-10 else np.nan
            rows.append(
                {
                    "factor": factor,
                    "value": value,
                    # with the factor's first value as its unit, as semopy and lavaan print it
                    "estimate": found.marked[at, column],
                    "estimate_se": found.marked_errors[at, column],
                    "std_lv": found.raw[at, column],
                    "std_lv_se": found.raw_errors[at, column],
                    "standardised": standardised,
                    "se": error if error > 1e-10 else np.nan,
                    "z": z,
                    "p": 2 * ndtr(-abs(z)),
                    "ci_low": standardised - NORMAL_95 * error,
                    "ci_high": standardised + NORMAL_95 * error,
                }
            )
    return pd.DataFrame(rows)


def _value_rows(data: CfaData, found: Estimates) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "value": data.values,
            "residual": found.residuals,
            "residual_se": found.residual_errors,
            "r2": 1 - found.residuals,
        }
    )


def _factor_rows(system: System, found: Estimates) -> pd.DataFrame:
    names = np.asarray(list(system.factors), dtype=object)
    return pd.DataFrame(
        {
            "factor_a": np.repeat(names, len(names)),
            "factor_b": np.tile(names, len(names)),
            "r": found.factors.ravel(),
            "se": found.factor_errors.ravel(),
        }
    )


def _path_rows(system: System, data: CfaData, fitted: Fitted) -> pd.DataFrame:
    values, factors = data.values, list(system.factors)
    found = [one for one in omitted_paths(fitted, data.fitted_sample) if np.isfinite(one.index)]
    rows = [
        (
            one.kind,
            factors[one.row] if one.kind == "factor" else values[one.row],
            values[one.column] if one.kind == "residual" else factors[one.column],
            one.index,
            one.change,
            one.change_total,
        )
        for one in sorted(found, key=lambda one: -one.index)[:TOP_PATHS]
    ]
    columns = ["kind", "value", "other", "modification_index", "expected_change"]
    return pd.DataFrame(rows, columns=[*columns, "expected_change_total"])


def _residual_rows(data: CfaData, fitted: Fitted) -> pd.DataFrame:
    residual = residual_correlations(data.moments[1], fitted.groups[0].sigma)
    rows, columns = np.tril_indices(len(residual), -1)
    values = np.asarray(data.values, dtype=object)
    found = pd.DataFrame(
        {
            "value_a": values[columns],
            "value_b": values[rows],
            "residual": residual[rows, columns],
        }
    )
    return found.sort_values("residual", key=np.abs, ascending=False, ignore_index=True)
