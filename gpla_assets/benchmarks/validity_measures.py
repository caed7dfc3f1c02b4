"""Reliability and validity of a fitted system's factors: CR, AVE, HTMT and the bifactor model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from gpla_assets.benchmarks.cfa import Cfa, fitted_system
from gpla_assets.benchmarks.cfa_data import CfaData
from gpla_assets.benchmarks.sample import MOST_CELLS
from gpla_assets.benchmarks.systems import System, UnfitSystem
from gpla_assets.common.intervals import INTERVAL
from gpla_assets.common.json_data import Json, plain

GENERAL = "general"
"""The bifactor model's factor of all values."""
AT_A_TIME = 100


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
    correlations: np.ndarray, members: Mapping[str, Sequence[int]]
) -> dict[tuple[str, str], np.ndarray]:
    """HTMT of each pair of factors (Henseler, Ringle and Sarstedt, 2015), by absolute correlations.

    The mean correlation of values of two factors over the geometric mean of those within.
    `correlations` (..., p, p), `members` the places of each factor's values; an array (...) a pair.
    """
    r = np.abs(correlations)

    def mean(rows: Sequence[int], columns: Sequence[int]) -> np.ndarray:
        block: np.ndarray = r[..., rows, :][..., columns]
        if rows is not columns:
            return np.asarray(block.mean(axis=(-2, -1)))
        above = np.triu_indices(len(rows), 1)
        return np.asarray(block[..., above[0], above[1]].mean(axis=-1))

    within = {factor: mean(own, own) for factor, own in members.items()}
    return {
        (a, b): mean(members[a], members[b]) / np.sqrt(within[a] * within[b])
        for a, b in combinations(members, 2)
    }


def htmt_table(found: Cfa, resamples: int, seed: int = 0) -> pd.DataFrame:
    """HTMT with its 95% interval by bootstrap over subjects, or whole clusters where there are.

    Columns factor_a, factor_b, htmt, ci_low, ci_high; correlations over the subjects that have both
    values. Values on several factors and factors of one value are left out.
    """
    data = found.data
    loads = [value for own in found.system.factors.values() for value in own]
    members = {
        factor: [data.values.index(value) for value in own if loads.count(value) == 1]
        for factor, own in found.system.factors.items()
    }
    members = {factor: own for factor, own in members.items() if len(own) > 1}
    point = heterotrait_monotrait(_weighted_correlations(data, np.ones((1, data.n)))[0], members)
    units = np.arange(data.n) if data.clusters is None else data.clusters
    n_units = int(units.max()) + 1
    random = np.random.default_rng(seed)
    drawn: dict[tuple[str, str], list[np.ndarray]] = {pair: [] for pair in point}
    for start in range(0, resamples if point else 0, AT_A_TIME):
        count = min(AT_A_TIME, resamples - start)
        # how often each subject was drawn
        weights = random.multinomial(n_units, np.full(n_units, 1 / n_units), count)[:, units]
        once = heterotrait_monotrait(_weighted_correlations(data, weights.astype(float)), members)
        for pair, one in once.items():
            drawn[pair].append(one)
    rows = []
    for (a, b), one in point.items():
        known = np.concatenate(drawn[a, b]) if drawn[a, b] else np.empty(0)
        known = known[np.isfinite(known)]
        low, high = np.quantile(known, INTERVAL) if len(known) else (np.nan, np.nan)
        rows.append((a, b, float(one), low, high))
    return pd.DataFrame(rows, columns=["factor_a", "factor_b", "htmt", "ci_low", "ci_high"])


def _weighted_correlations(data: CfaData, weights: np.ndarray) -> np.ndarray:
    """Correlations (n_draws, p, p) over the subjects that have both values, each subject counted as
    often as `weights` (n_draws, n) say."""
    scores, p = data.sample.rows, data.sample.p
    known = data.sample.measured[data.sample.pattern].astype(float)
    found = np.ones((len(weights), p, p))
    rows, columns = np.triu_indices(p, 1)
    step = max(1, MOST_CELLS // data.n)
    if data.sample.complete:
        n = weights.sum(axis=1)
        sums, squares = weights @ scores, weights @ scores**2
        spread = np.maximum(squares - sums**2 / n[:, None], 1e-12)
    for start in range(0, len(rows), step):
        i, j = rows[start : start + step], columns[start : start + step]
        product = weights @ (scores[:, i] * scores[:, j])
        if data.sample.complete:
            product -= sums[:, i] * sums[:, j] / n[:, None]
            size = spread[:, i] * spread[:, j]
        else:
            pairs = np.maximum(weights @ (known[:, i] * known[:, j]), 1.0)
            first = weights @ (scores[:, i] * known[:, j])
            second = weights @ (scores[:, j] * known[:, i])
            size = weights @ (scores[:, i] ** 2 * known[:, j]) - first**2 / pairs
            size *= weights @ (scores[:, j] ** 2 * known[:, i]) - second**2 / pairs
            product -= first * second / pairs
        found[:, i, j] = found[:, j, i] = product / np.sqrt(np.maximum(size, 1e-24))
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


def validity_json(found: Cfa, resamples: int, seed: int = 0) -> Json:
    """All of it as plain data."""
    content: Json = plain(
        {
            "factors": convergent(found).to_dict("records"),
            "htmt": htmt_table(found, resamples, seed).to_dict("records"),
            "bifactor": bifactor(found),
        }
    )
    return content
