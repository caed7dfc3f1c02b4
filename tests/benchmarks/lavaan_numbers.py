"""R's numbers of ../shared/psychometrics beside ours, statistic by statistic."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gpla_assets.benchmarks.cfa import Cfa, confirm
from gpla_assets.benchmarks.fit_definitions import indices
from gpla_assets.benchmarks.fit_indices import rmsea_interval, robust_rmsea_interval
from gpla_assets.benchmarks.modification import Omitted, omitted_paths
from gpla_assets.benchmarks.systems import read_system

Compared = tuple[str, str, float, float]
"""Statistic, where, R's number, ours."""


def fitted(folder: Path, model: str, **how: Any) -> Cfa:
    """The fit behind a model of expected_cfa.csv, such as `hs_missing fiml`."""
    name, missing = model.rsplit(" ", 1)
    expected = pd.read_csv(folder / "expected_cfa.csv")
    data = expected.loc[expected["model"] == model, "data"].iloc[0]
    system = read_system(folder / "systems" / f"{name}.yaml")
    scores = pd.read_csv(folder / "data" / f"{data}.csv")
    return confirm(scores, system, missing=missing, **how)  # type: ignore[arg-type]


def whole_fit(found: Cfa) -> dict[str, float | None]:
    """Indices by lavaan's names."""
    fit, ours = found.fit, indices(found.fit, "standard")
    low, high = rmsea_interval(fit)
    return {
        "chisq": fit.chi2,
        "df": fit.df,
        "pvalue": fit.p_value,
        "cfi": ours["cfi"],
        "tli": ours["tli"],
        "rmsea": ours["rmsea"],
        "rmsea.ci.lower": low,
        "rmsea.ci.upper": high,
        "srmr": ours["srmr"],
        "srmr_bentler": ours["srmr"],
        "gfi": ours["gfi"],
        "aic": ours["aic"],
        "bic": ours["bic"],
        "bic2": ours["bic_adjusted"],
        "logl": fit.log_likelihood,
        "baseline.chisq": fit.baseline_chi2,
        "nfi": ours["nfi"],
        "mfi": ours["mfi"],
        "npar": fit.k,
        "n": fit.n,
    }


def robust_fit(found: Cfa) -> dict[str, float | None]:
    """What MLR adds, by lavaan's names."""
    fit, ours = found.fit, indices(found.fit, "robust")
    low, high = robust_rmsea_interval(fit)
    return {
        "chisq.scaled": fit.scaled_chi2,
        "df.scaled": fit.df,
        "pvalue.scaled": fit.scaled_p_value,
        "chisq.scaling.factor": fit.scaling,
        "cfi.scaled": ours["cfi_scaled"],
        "cfi.robust": ours["cfi"],
        "tli.robust": ours["tli"],
        "rmsea.scaled": ours["rmsea_scaled"],
        "rmsea.robust": ours["rmsea"],
        "rmsea.ci.lower.robust": low,
        "rmsea.ci.upper.robust": high,
        "ntotal": fit.n,
    }


def compared(found: Cfa, expected: pd.DataFrame) -> list[Compared]:
    """All rows of one model of expected_cfa.csv."""
    turned = _turned(found, expected)
    fit = whole_fit(found)
    paths = _paths(found)
    loadings = found.loadings.set_index(["factor", "value"])
    values = found.values.set_index("value")
    between = found.factor_correlations.set_index(["factor_a", "factor_b"])
    rows: list[Compared] = []
    for row in expected.itertuples():
        statistic, left, right = row.statistic, row.lhs, row.rhs
        if statistic in fit:
            ours = fit[statistic]
        elif statistic in ("std=~", "se=~"):
            one = loadings.loc[(left, right)]
            ours = one["standardised"] * turned[left] if statistic == "std=~" else one["se"]
        elif statistic in ("std~~", "se~~"):
            ours = _covariance(values, between, turned, statistic, left, right)
        else:
            index, change = paths[statistic.split("=")[0].split("~")[0][:2], left, right]
            sign = turned.get(left, 1) if "=~" in statistic else 1
            ours = index if statistic.startswith("mi") else change * sign
        assert ours is not None, (statistic, left, right)
        rows.append((statistic, f"{left} {right}", float(row.value), float(ours)))
    return rows


def _turned(found: Cfa, expected: pd.DataFrame) -> dict[str, float]:
    """-1 for a factor that lavaan has the other way round."""
    theirs = expected[expected["statistic"] == "std=~"].set_index(["lhs", "rhs"])["value"]
    ours = found.loadings.set_index(["factor", "value"])["standardised"]
    product = (ours * theirs).groupby(level=0).sum()
    return {str(factor): float(np.sign(one)) for factor, one in product.items()}


def _covariance(
    values: pd.DataFrame,
    between: pd.DataFrame,
    turned: dict[str, float],
    statistic: str,
    left: str,
    right: str,
) -> float:
    if left in values.index:
        return float(values.loc[left, "residual" if statistic == "std~~" else "residual_se"])
    if left == right:
        return 1.0 if statistic == "std~~" else 0.0
    one = between.loc[(left, right)]
    return float(one["r"] * turned[left] * turned[right] if statistic == "std~~" else one["se"])


def _paths(found: Cfa) -> dict[tuple[str, str, str], tuple[float, float]]:
    values, factors = found.data.values, list(found.system.factors)
    paths = {}
    for one in omitted_paths(found.fitted, found.data.fitted_sample):
        keys = _keys(one, values, factors)
        for kind in ("mi", "ep"):
            for key in keys:
                paths[kind, *key] = one.index, one.change
    return paths


def _keys(one: Omitted, values: tuple[str, ...], factors: list[str]) -> list[tuple[str, str]]:
    if one.kind == "loading":
        return [(factors[one.column], values[one.row])]
    pair = values[one.row], values[one.column]
    return [pair, pair[::-1]]
