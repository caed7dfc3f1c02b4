"""Do groups share a value system? Measurement invariance (Meredith, 1993), level by level."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.special import chdtrc

from gpla_assets.benchmarks.cfa import system_model
from gpla_assets.benchmarks.cfa_cautions import data_cautions
from gpla_assets.benchmarks.cfa_data import CfaData, Missing, cfa_data
from gpla_assets.benchmarks.cfa_fit import Fitted, fit
from gpla_assets.benchmarks.cfa_model import (
    Level,
    Structure,
    independence,
    invariant,
)
from gpla_assets.benchmarks.fit_definitions import indices
from gpla_assets.benchmarks.fit_indices import Fit
from gpla_assets.benchmarks.grouped import Parted, parted_by, permutation_p
from gpla_assets.benchmarks.modification import released_equalities
from gpla_assets.benchmarks.own_matrix import data_json
from gpla_assets.benchmarks.residuals import srmr
from gpla_assets.benchmarks.robust import sandwich
from gpla_assets.benchmarks.systems import System, UnfitSystem
from gpla_assets.common.json_data import Json, plain

LEVELS: tuple[Level, ...] = ("configural", "metric", "scalar", "strict")


@dataclass(frozen=True)
class Invariance:
    """Fits of all levels, `levels` as a table beside the level before, `score_tests` of what is
    held equal, and how often permuted groups differ as much."""

    system: System
    data: CfaData
    groups: dict[str, int]
    fits: dict[Level, Fit]
    levels: pd.DataFrame
    score_tests: pd.DataFrame
    permuted: str
    cautions: tuple[str, ...]


def levels_of(
    scores: pd.DataFrame,
    system: System,
    groups: pd.Series,
    structure: Structure = "correlated",
    *,
    missing: Missing = "fiml",
    clusters: pd.Series | None = None,
    permutations: int,
    seed: int = 0,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Invariance:
    """Configural, metric, scalar and strict invariance over `groups` (by subject).

    Each level is tested by its difference of chi2 from the one before (scaled with `clusters`,
    Satorra and Bentler, 2001) and by permutation of the groups over whole clusters, or within
    clusters that have subjects in several groups (Jorgensen et al., 2018). `progress` is told the
    permutations done, and of how many. Raises UnfitSystem for fewer than two groups and for a group
    too small.
    """
    if missing == "two-stage":
        raise UnfitSystem("Invariance has no two-stage estimates; use --missing fiml or listwise.")
    known = groups.dropna()
    kept = scores.loc[scores.index.isin(known.index)]
    data = cfa_data(kept, system.values, missing, clusters)
    labels = known.set_axis(known.index.map(str)).reindex(data.subjects).map(str)
    names = sorted(labels.unique())
    if len(names) < 2:
        raise UnfitSystem(
            f"All {data.n} subjects are in group {names[0]!r}; expected at least 2 groups."
        )
    codes = np.array([names.index(label) for label in labels])
    base = system_model(system, data, structure, means=True)
    parted = parted_by(data, codes, len(names), names)
    models = {level: invariant(base, len(names), level) for level in LEVELS}
    fitted = {level: fit(model, parted.samples) for level, model in models.items()}
    fits = _fits(data, parted, fitted)
    table = _table(fits)
    permuted = "-"
    if permutations:
        table["permutation_p"], permuted = permutation_p(
            data, codes, fitted, list(table["unscaled_chi2"]), permutations, seed, progress
        )
    cautions = [*data_cautions(data), *_cautions(fitted, len(scores) - len(kept))]
    return Invariance(
        system,
        data,
        {name: int((codes == at).sum()) for at, name in enumerate(names)},
        fits,
        table,
        _score_tests(system, data, fitted, parted),
        permuted,
        tuple(cautions),
    )


def _fits(data: CfaData, parted: Parted, fitted: dict[Level, Fitted]) -> dict[Level, Fit]:
    alone = fit(independence(len(data.values), len(parted.samples), means=True), parted.samples)
    cells = data.sample.counts @ data.sample.measured
    units = float(cells @ (np.log(2 * np.pi) / 2 + np.log(data.sds)))
    shares = [sample.n / data.n for sample in parted.samples]
    found = {}
    for level, one in fitted.items():
        # lavaan's mean over groups, by their size
        distance = sum(
            share * srmr(covariance, now.sigma, mean - now.mu)
            for share, now, (mean, covariance) in zip(
                shares, one.groups, parted.moments, strict=True
            )
        )
        found[level] = Fit(
            n=data.n,
            p=len(data.values),
            k=one.model.n_parameters,
            discrepancy=one.discrepancy - parted.level,
            baseline=alone.discrepancy - parted.level,
            n_moments=one.model.n_moments,
            log_likelihood=-data.n / 2 * one.discrepancy - units,
            srmr=distance,
            groups=len(parted.samples),
        )
    if data.clusters is None:
        return found

    def scaling(one: Fitted, df: int) -> float | None:
        corrected = sandwich(one, parted.samples, parted.moments, parted.clusters, df)
        return corrected.scaling if np.isfinite(corrected.scaling) else None

    below = scaling(alone, found["configural"].baseline_df)
    return {
        level: replace(one, scaling=scaling(fitted[level], one.df), baseline_scaling=below)
        for level, one in found.items()
    }


def _table(fits: dict[Level, Fit]) -> pd.DataFrame:
    rows: list[dict[str, object]] = []
    before: Fit | None = None
    for level, one in fits.items():
        robust = one.scaled_chi2 is not None
        # of clustered subjects the robust indices are those to read
        named = indices(one, "robust" if robust else "standard")
        row: dict[str, object] = {
            "level": level,
            "chi2": one.scaled_chi2 if robust else one.chi2,
            "df": one.df,
            "p": one.scaled_p_value if robust else one.p_value,
            "k": one.k,
            "cfi": named["cfi"],
            "tli": named["tli"],
            "rmsea": named["rmsea"],
            "srmr": one.srmr,
            "bic": indices(one, "standard")["bic"],
            "unscaled_chi2": one.chi2,
            **dict.fromkeys(
                ("delta_chi2", "delta_df", "delta_p", "delta_cfi", "delta_rmsea", "permutation_p")
            ),
        }
        if before is not None:
            chi2, df = difference(one, before)
            row |= {
                "delta_chi2": chi2,
                "delta_df": df,
                "delta_p": None if chi2 is None else float(chdtrc(df, max(chi2, 0.0))),
            }
            for name in ("cfi", "rmsea"):
                now, last = row[name], rows[-1][name]
                both = isinstance(now, float) and isinstance(last, float)
                row[f"delta_{name}"] = now - last if both else None  # type: ignore[operator]
        rows.append(row)
        before = one
    return pd.DataFrame(rows).astype({"permutation_p": object})


def difference(strict: Fit, loose: Fit) -> tuple[float | None, int]:
    """chi2 and degrees of freedom between nested fits, scaled where both are (Satorra and Bentler,
    2001); None where their difference has no scaling above 0."""
    df = strict.df - loose.df
    plain = strict.chi2 - loose.chi2
    if strict.scaling is None or loose.scaling is None or df == 0:
        return plain, df
    scaling = (strict.df * strict.scaling - loose.df * loose.scaling) / df
    return (plain / scaling if scaling > 0 else None), df


def _score_tests(
    system: System, data: CfaData, fitted: dict[Level, Fitted], parted: Parted
) -> pd.DataFrame:
    factors = list(system.factors)
    rows = []
    for level, part in (("metric", "loading"), ("scalar", "intercept"), ("strict", "residual")):
        for one in released_equalities(fitted[level], parted.samples):  # type: ignore[index]
            if one.part != part and level != "scalar":
                continue
            if one.part not in ("loading", "intercept", "residual"):
                continue
            rows.append(
                (
                    level,
                    one.part,
                    data.values[one.row],
                    factors[one.column] if one.part == "loading" else None,
                    one.chi2,
                    one.df,
                    float(chdtrc(one.df, max(one.chi2, 0.0))),
                )
            )
    columns = ["level", "part", "value", "factor", "chi2", "df", "p"]
    found = pd.DataFrame(rows, columns=columns)
    return found.sort_values("chi2", ascending=False, ignore_index=True)


def _cautions(fitted: dict[Level, Fitted], without_group: int) -> list[str]:
    cautions = []
    if without_group:
        cautions.append(f"{without_group} subjects have no group: left out.")
    for level, one in fitted.items():
        if not one.converged:
            cautions.append(f"The {level} model did not converge (gradient {one.gradient:.1g}).")
        for at, now in enumerate(one.groups):
            if (np.diag(now.theta) < 0).any():
                cautions.append(f"Heywood case in the {level} model, group {at + 1}: improper.")
    return cautions


def invariance_json(found: Invariance) -> Json:
    """All levels as plain data; a number that does not exist is null."""
    content: Json = plain(
        {
            "system": found.system.name,
            **data_json(found.data),
            "groups": found.groups,
            "levels": found.levels.to_dict("records"),
            "score_tests": found.score_tests.to_dict("records"),
            "permuted": found.permuted,
            "cautions": list(found.cautions),
        }
    )
    return content
