"""Reliability and validity of a fitted system's factors: CR, AVE, HTMT and the bifactor model."""

from __future__ import annotations

import numpy as np
import pandas as pd

from gpla_assets.benchmarks.cfa import Cfa, fitted_system
from gpla_assets.benchmarks.cfa_data import CfaData
from gpla_assets.benchmarks.systems import System, UnfitSystem
from gpla_assets.common.json_data import Json, plain

GENERAL = "general"
"""The bifactor model's factor of all values."""


def convergent(found: Cfa) -> pd.DataFrame:
    """Composite reliability and average variance extracted of each factor.

    Columns factor, cr, ave, root_ave, largest_r (with another factor; Fornell and Larcker, 1981,
    want it below root_ave). From standardised loadings turned by their keyed signs; residuals that
    correlate count in CR.
    """
    place = {value: at for at, value in enumerate(found.data.values)}
    now = found.fitted.groups[0]
    scale = np.sqrt(np.diag(now.sigma))
    theta = now.theta / np.outer(scale, scale)
    r = np.abs(now.phi - np.diag(np.diag(now.phi)))
    rows = []
    for column, (factor, own) in enumerate(found.system.factors.items()):
        at = np.array([place[value] for value in own])
        keyed = _keyed(now.loadings[at, column], list(own.values()), found.system.keyed)
        loadings = now.loadings[at, column] / scale[at] * keyed
        common = float(loadings.sum()) ** 2
        left = float(keyed @ theta[np.ix_(at, at)] @ keyed)
        ave = float((loadings**2).mean())
        largest = float(r[column].max()) if len(r) > 1 else None
        rows.append((factor, common / (common + left), ave, np.sqrt(ave), largest))
    return pd.DataFrame(rows, columns=["factor", "cr", "ave", "root_ave", "largest_r"])


def _keyed(loadings: np.ndarray, signs: list[int], said: bool) -> np.ndarray:
    return np.asarray(signs, float) if said else np.sign(loadings)


def heterotrait_monotrait(
    correlations: np.ndarray, system: System, values: tuple[str, ...]
) -> dict[tuple[str, str], float]:
    """HTMT of each pair of factors (Henseler, Ringle and Sarstedt, 2015), by absolute correlations.

    The mean correlation of values of two factors over the geometric mean of those within. Values on
    several factors and factors of one value are left out.
    """
    place = {value: at for at, value in enumerate(values)}
    loads = [value for own in system.factors.values() for value in own]
    r = np.abs(correlations)
    members = {
        factor: [place[value] for value in own if loads.count(value) == 1]
        for factor, own in system.factors.items()
    }
    own = {factor: at for factor, at in members.items() if len(at) > 1}
    within = {
        factor: float(r[np.ix_(at, at)][np.triu_indices(len(at), 1)].mean())
        for factor, at in own.items()
    }
    names = list(own)
    return {
        (a, b): float(r[np.ix_(own[a], own[b])].mean() / np.sqrt(within[a] * within[b]))
        for i, a in enumerate(names)
        for b in names[i + 1 :]
    }


def htmt_table(found: Cfa, resamples: int = 500, seed: int = 0) -> pd.DataFrame:
    """HTMT with its 95% interval by bootstrap over subjects, or whole clusters where there are.

    Columns factor_a, factor_b, htmt, ci_low, ci_high; correlations over the subjects that have both
    values.
    """
    data, system = found.data, found.system
    point = heterotrait_monotrait(_pairwise(data, np.arange(data.n)), system, data.values)
    random = np.random.default_rng(seed)
    drawn: dict[tuple[str, str], list[float]] = {pair: [] for pair in point}
    units = np.arange(data.n) if data.clusters is None else data.clusters
    order = np.argsort(units, kind="stable")
    parts = np.split(order, np.cumsum(np.bincount(units))[:-1])
    for _ in range(resamples if point else 0):
        rows = np.concatenate([parts[at] for at in random.integers(0, len(parts), len(parts))])
        once = heterotrait_monotrait(_pairwise(data, rows), system, data.values)
        for pair, one in once.items():
            drawn[pair].append(one)
    rows_of = []
    for (a, b), one in point.items():
        known = np.asarray(drawn[a, b])
        known = known[np.isfinite(known)]
        low, high = np.quantile(known, [0.025, 0.975]) if len(known) else (np.nan, np.nan)
        rows_of.append((a, b, one, low, high))
    return pd.DataFrame(rows_of, columns=["factor_a", "factor_b", "htmt", "ci_low", "ci_high"])


def _pairwise(data: CfaData, rows: np.ndarray) -> np.ndarray:
    """Correlations over the subjects that have both values, some subjects more than once."""
    scores = data.sample.rows[rows]
    known = data.sample.measured[data.sample.pattern[rows]].astype(float)
    n = np.maximum(known.T @ known, 1.0)
    # column i's sums over the subjects that have j
    sums, squares = scores.T @ known, (scores**2).T @ known
    variance = np.maximum(squares - sums**2 / n, 1e-300)
    product = scores.T @ scores - sums * sums.T / n
    found: np.ndarray = product / np.sqrt(variance * variance.T)
    return found


def bifactor(found: Cfa) -> Json | None:
    """Omega hierarchical, omega total and ECV of a general factor beside the system's own.

    Orthogonal factors (Reise, 2012); shares of a factor's own common variance that are general
    (`ecv_by_factor`). None for one factor; the reason where the model cannot be fitted.
    """
    if len(found.system.factors) < 2:
        return None
    system, data = found.system, found.data
    signs = _general_signs(found)
    factors = {
        GENERAL: signs,
        **{name: own for name, own in system.factors.items() if len(own) > 1},
    }
    try:
        fitted, fit = fitted_system(
            data, System(system.name, factors, keyed=False), "orthogonal", bounded=True
        )
    except UnfitSystem as error:
        return {"fault": str(error)}
    now = fitted.groups[0]
    scale = np.sqrt(np.diag(now.sigma))
    keyed = np.array([signs[value] for value in data.values], float)
    loadings = now.loadings / scale[:, None] * keyed[:, None]
    total = float(keyed @ (now.sigma / np.outer(scale, scale)) @ keyed)
    common = loadings**2
    by_factor = {}
    for column, (factor, own) in enumerate(list(factors.items())[1:], start=1):
        at = [data.values.index(value) for value in own]
        by_factor[factor] = float(common[at, 0].sum() / (common[at, 0] + common[at, column]).sum())
    return {
        "omega_hierarchical": float(loadings[:, 0].sum()) ** 2 / total,
        "omega_total": float((loadings.sum(axis=0) ** 2).sum()) / total,
        "ecv": float(common[:, 0].sum() / common.sum()),
        "ecv_by_factor": by_factor,
        "chi2": fit.chi2,
        "df": fit.df,
        "converged": fitted.converged,
    }


def _general_signs(found: Cfa) -> dict[str, int]:
    """How values are turned before they are summed: keyed within factors, factors by their
    correlations with the others."""
    phi = found.fitted.groups[0].phi
    axis = np.linalg.eigh(np.nan_to_num(phi))[1][:, -1]
    axis = np.where(axis * np.sign(axis.sum() or 1.0) < 0, -1, 1)
    signs: dict[str, int] = {}
    for column, own in enumerate(found.system.factors.values()):
        for value, sign in own.items():
            at = found.data.values.index(value)
            estimated = np.sign(found.fitted.groups[0].loadings[at, column]) or 1.0
            turned = sign if found.system.keyed else int(estimated)
            signs.setdefault(value, turned * int(axis[column]))
    return signs


def validity_json(found: Cfa, resamples: int = 500, seed: int = 0) -> Json:
    """All of it as plain data."""
    content: Json = plain(
        {
            "factors": convergent(found).to_dict("records"),
            "htmt": htmt_table(found, resamples, seed).to_dict("records"),
            "bifactor": bifactor(found),
        }
    )
    return content
