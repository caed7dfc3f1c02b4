"""A value system as plain data: what `gpla structure --json` writes.

`docs/structure_json.md` says field by field what each is.
"""

from __future__ import annotations

import pandas as pd

from gpla_assets.common.json_data import Json, plain
from gpla_assets.psychometrics.own_matrix import Structured
from gpla_assets.psychometrics.reliability_tables import COEFFICIENTS, alpha_cautions
from gpla_assets.psychometrics.rotation import PROMAX_POWER

SETTINGS = ("extraction", "rotation", "missing", "correlation", "centre", "redundancy", "purify")


def as_json(found: Structured) -> Json:
    """The value system as plain data; a number that is not known is null."""
    system = found.system
    whole = system.suitability.iloc[0]
    content: Json = plain(
        {
            "n": whole.n_subjects,
            "p": whole.n_values,
            "sample": system.found.sample,
            "n_per_pair": whole.n_per_pair,
            "n_llms": whole.n_llms,
            "settings": _settings(found),
            "kmo": whole.kmo,
            "bartlett": {
                "chi2": whole.bartlett_chi2,
                "df": whole.bartlett_df,
                "p": whole.bartlett_p,
                "n": whole.n_per_pair,
            },
            "missing": {"cells": whole.missing_cells, "method": whole.missing_method},
            "suggested": _suggested(system.retention),
            "eigenvalues": list(system.eigenvalues["eigenvalue"]),
            "random_95": list(system.eigenvalues["random_95"]),
            "fit": system.fit.to_dict("records")[0],
            "loadings": loading_rows(found),
            "variance": system.variance.to_dict("records"),
            "factors": [_factor(found, str(factor)) for factor in system.reliabilities["factor"]],
            "factor_correlations": [
                list(row) for row in system.factor_correlations.itertuples(index=False)
            ],
            "communities": found.communities.to_dict("records"),
            "redundancy": system.redundancy.to_dict("records"),
            "response_bias": None if system.bias is None else system.bias.to_dict("records")[0],
            "stability": _stability(found),
            "removed": system.removals[["value", "round", "reason"]].to_dict("records"),
            "value_kmo": dict(
                zip(system.value_suitability["value"], system.value_suitability["kmo"], strict=True)
            ),
            "scores": score_rows(found).to_dict("records"),
            "cautions": cautions_of(found),
        }
    )
    return content


def _settings(found: Structured) -> Json:
    given = found.settings.model_dump()
    return {
        **{name: given[name] for name in SETTINGS},
        "normalisation": "none" if given["rotation"] == "none" else "Kaiser",
        "promax_power": PROMAX_POWER if given["rotation"] == "promax" else None,
        "n_factors": given["n_factors"],
        "factor_score": given["factor_score"],
        "resamples": given["resamples"],
        "seed": found.seed,
    }


def _suggested(retention: pd.DataFrame) -> dict[str, int]:
    own = retention[retention["rule"] != "fixed"]
    return dict(zip(own["rule"], own["n_factors"], strict=True))


def cautions_of(found: Structured) -> list[str]:
    """All that a reader must be told, those of stability and of alphas last."""
    said = [*found.system.cautions, *([found.stability.caution] if found.stability.caution else [])]
    for row in found.system.reliabilities.itertuples():
        name = found.names.get(row.factor, row.factor)
        said += alpha_cautions(name, row, found.minimum_alpha)
    return said


def loading_rows(found: Structured) -> list[Json]:
    """Each kept value with all its loadings, sorted by factor and size as psych prints them."""
    table = found.system.loadings
    order = {factor: at for at, factor in enumerate(found.system.pattern.columns)}
    primary = table[table["is_primary"]].copy()
    primary["place"], primary["size"] = primary["factor"].map(order), -primary["loading"].abs()
    wide = table.pivot(index="value", columns="factor", values=["loading", "structure"])
    return [
        {
            "value": row.value,
            "factor": row.factor,
            "loadings": {factor: wide.at[row.value, ("loading", factor)] for factor in order},
            "structure": {factor: wide.at[row.value, ("structure", factor)] for factor in order},
            "h2": row.communality,
            "u2": 1 - row.communality,
            "complexity": row.complexity,
        }
        for row in primary.sort_values(["place", "size"]).itertuples()
    ]


def score_rows(found: Structured) -> pd.DataFrame:
    """One row a subject: subject, its LLM where one is named, and the score on each factor."""
    wide = found.system.scores.pivot(index="subject_id", columns="factor", values="score")
    wide = wide[list(found.system.pattern.columns)].rename_axis("subject").reset_index()
    wide.columns.name = None
    if found.system.bias is not None:
        wide.insert(1, "llm", wide["subject"].map(found.llms))
    return wide


def _stability(found: Structured) -> Json:
    return {
        "factors": found.stability.factors.to_dict("records"),
        "retention": found.stability.retention.to_dict("records"),
        "influence": found.influence.to_dict("records"),
    }


def _factor(found: Structured, factor: str) -> Json:
    row = found.system.reliabilities.set_index("factor").loc[factor]
    around = found.stability.factors.set_index("factor")
    return {
        "name": found.names.get(factor, factor),
        "label": factor,
        "variance_explained": row.variance_explained,
        "n": row.n_subjects,
        "sample": row.subjects_used,
        **{name: row[name] for name in COEFFICIENTS if not name.startswith("ci_")},
        "alpha_ci": None if pd.isna(row.alpha) else [row.ci_low, row.ci_high],
        "congruence": around["congruence"].get(factor),
        "values": _values(found, factor),
    }


def _values(found: Structured, factor: str) -> list[Json]:
    own = found.system.loadings
    own = own[(own["factor"] == factor) & own["is_primary"]]
    own = own.sort_values("loading", key=abs, ascending=False)
    each = found.system.value_reliabilities
    each = each[each["factor"] == factor].set_index("value")
    stable = found.stability.loadings
    stable = stable[stable["factor"] == factor].set_index("value")
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
    return values
