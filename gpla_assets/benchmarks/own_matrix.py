"""Benchmarks on a user's own files, without a warehouse: `gpla cfa`."""

from __future__ import annotations

from gpla_assets.benchmarks.cfa import Cfa
from gpla_assets.benchmarks.fit_indices import DEFINITIONS, indices, rmsea_interval
from gpla_assets.psychometrics.own_matrix import Json, plain


def cfa_json(found: Cfa) -> Json:
    """A fitted system as plain data; a number that does not exist is null."""
    standard: dict[str, object] = dict(indices(found.fit, "standard"))
    standard["rmsea_ci"] = list(rmsea_interval(found.fit))
    columns = ["factor", "value", "estimate", "standardised", "se", "p"]
    content: Json = plain(
        {
            "system": found.system.name,
            "n": found.fit.n,
            "p": found.fit.p,
            "k": found.fit.k,
            "df": found.fit.df,
            "discrepancy": found.fit.discrepancy,
            "fit": {"standard": standard, "paper": indices(found.fit, "paper")},
            "loadings": found.loadings[columns].to_dict("records"),
            "factor_correlations": found.factor_correlations.to_dict("records"),
            "omitted_paths": found.paths.to_dict("records"),
            "converged": found.converged,
            "cautions": list(found.cautions),
            "definitions": {
                one.id: {"formula": one.formula, "source": one.source} for one in DEFINITIONS
            },
        }
    )
    return content
