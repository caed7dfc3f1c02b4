"""The method on a user's own matrix, without Dagster, a warehouse or an LLM: `gpla structure`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from gpla_assets.common.json_data import Json, plain
from gpla_assets.psychometrics.naming import Encode, name_table
from gpla_assets.psychometrics.reading import OwnMatrix
from gpla_assets.psychometrics.stability import Stability, bootstrap, leave_one_out
from gpla_assets.psychometrics.structure import ValueSystem, value_system
from gpla_assets.studies.structure import StructureSettings

SUGGESTED = ("parallel", "map", "kaiser", "scree", "permutation", "alpha")


@dataclass(frozen=True)
class Structured:
    """A matrix's value system, its stability and the names of its factors."""

    system: ValueSystem
    stability: Stability
    influence: pd.DataFrame
    names: pd.Series
    llms: pd.Series
    minimum_alpha: float


def structure_of(
    matrix: OwnMatrix,
    settings: StructureSettings,
    encode: Encode,
    own_names: Sequence[str] = (),
    seed: int = 0,
) -> Structured:
    """The value system of a user's matrix; raises StructureError as `value_system`.

    `encode` embeds names of values, for the names of factors; `own_names` name the first factors.
    """
    scores, llms = matrix.scores, matrix.clusters
    system = value_system(scores, settings, None if llms is None else list(llms), seed=seed)
    units = None if llms is None else list(llms.reindex(system.usable.index))
    stability = bootstrap(system.usable, system.pattern, settings, units, seed)
    clusters = pd.Series(units or list(system.usable.index), system.usable.index)
    influence = leave_one_out(system.usable, system.pattern, settings, list(clusters))
    primary = system.loadings[system.loadings["is_primary"]]
    primary = primary.sort_values(["factor", "loading"], key=_by_size)[
        ["factor", "value", "loading"]
    ]
    own = {f"F{n}": name for n, name in enumerate(own_names, start=1)}
    table = name_table(primary, sorted(primary["value"]), encode, own, {})
    names = table[table["chosen"]].set_index("factor")["name"]
    return Structured(system, stability, influence, names, clusters, settings.minimum_alpha)


def _by_size(column: pd.Series) -> pd.Series:
    return -column.abs() if column.name == "loading" else column


def as_json(found: Structured) -> Json:
    """The value system as plain data; a number that is not known is null."""
    system = found.system
    whole = system.suitability.iloc[0]
    bartlett = {"chi2": whole.bartlett_chi2, "df": whole.bartlett_df, "p": whole.bartlett_p}
    suggested = system.retention.set_index("rule")["n_factors"]
    cautions = [*system.cautions, *([found.stability.caution] if found.stability.caution else [])]
    low = system.reliabilities.dropna(subset=["alpha"])
    cautions += [
        f"Alpha of {found.names.get(row.factor, row.factor)} is {row.alpha:.2f}, below "
        f"{found.minimum_alpha:.2f}."
        for row in low[low["alpha"] < found.minimum_alpha].itertuples()
    ]
    content: Json = plain(
        {
            "n": whole.n_subjects,
            "p": whole.n_values,
            "kmo": whole.kmo,
            "bartlett": bartlett,
            "missing": {"cells": whole.missing_cells, "method": whole.missing_method},
            "suggested": {rule: suggested[rule] for rule in SUGGESTED},
            "eigenvalues": list(system.eigenvalues["eigenvalue"]),
            "random_95": list(system.eigenvalues["random_95"]),
            "factors": [_factor(found, str(factor)) for factor in system.reliabilities["factor"]],
            "factor_correlations": [
                list(row) for row in system.factor_correlations.itertuples(index=False)
            ],
            "removed": system.removals[["value", "round", "reason"]].to_dict("records"),
            "value_kmo": dict(
                zip(system.value_suitability["value"], system.value_suitability["kmo"], strict=True)
            ),
            "cautions": cautions,
        }
    )
    return content


def _factor(found: Structured, factor: str) -> Json:
    row = found.system.reliabilities.set_index("factor").loc[factor]
    own = found.system.loadings
    own = own[(own["factor"] == factor) & own["is_primary"]]
    own = own.sort_values("loading", key=abs, ascending=False)
    each = found.system.value_reliabilities
    each = each[each["factor"] == factor].set_index("value")
    stable = found.stability.loadings
    stable = stable[stable["factor"] == factor].set_index("value")
    around = found.stability.factors.set_index("factor")
    values = []
    for one in own.itertuples():
        known = one.value in stable.index
        values.append(
            {
                "value": one.value,
                "loading": one.loading,
                "keyed": one.keyed,
                "structure": one.structure,
                "communality": one.communality,
                "complexity": one.complexity,
                "r_rest": each["r_rest"].get(one.value),
                "alpha_without": each["alpha_without"].get(one.value),
                "loading_ci": list(stable.loc[one.value, ["ci_low", "ci_high"]]) if known else None,
                "primary_share": stable.loc[one.value, "primary_share"] if known else None,
            }
        )
    return {
        "name": found.names.get(factor, factor),
        "label": factor,
        "variance_explained": row.variance_explained,
        "alpha": row.alpha,
        "alpha_ci": None if pd.isna(row.alpha) else [row.ci_low, row.ci_high],
        "alpha_standardised": row.alpha_standardised,
        "omega": row.omega,
        "split_half": row.split_half,
        "mean_r": row.mean_r,
        "congruence": around["congruence"].get(factor),
        "values": values,
    }
