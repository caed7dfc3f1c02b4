"""Benchmarks on a user's own files, without a warehouse: `gpla cfa`. Fields: docs/cfa.md."""

from __future__ import annotations

import numpy as np

from gpla_assets.benchmarks.cfa import Cfa
from gpla_assets.benchmarks.cfa_data import CfaData
from gpla_assets.benchmarks.fit_definitions import DEFINITIONS, indices
from gpla_assets.benchmarks.fit_indices import Fit, rmsea_interval, robust_rmsea_interval
from gpla_assets.common.json_data import Json, plain

MOST_PATTERNS = 20


def cfa_json(found: Cfa) -> Json:
    """A fitted system as plain data; a number that does not exist is null."""
    content: Json = plain(
        {
            "system": found.system.name,
            **data_json(found.data),
            "p": found.fit.p,
            "k": found.fit.k,
            "df": found.fit.df,
            "discrepancy": found.fit.discrepancy,
            "errors": found.errors,
            "fit": fit_json(found.fit),
            "loadings": found.loadings.to_dict("records"),
            "values": found.values.to_dict("records"),
            "factor_correlations": found.factor_correlations.to_dict("records"),
            "omitted_paths": found.paths.to_dict("records"),
            "residual_correlations": found.residuals.to_dict("records"),
            "converged": found.converged,
            "cautions": list(found.cautions),
            "definitions": {
                one.id: {"formula": one.formula, "source": one.source} for one in DEFINITIONS
            },
        }
    )
    return content


def data_json(data: CfaData) -> Json:
    """Who was fitted: subjects, clusters, missing cells and their patterns."""
    clusters = None
    if data.clusters is not None:
        sizes = np.bincount(data.clusters)
        clusters = {"n": data.n_clusters, "smallest": sizes.min(), "largest": sizes.max()}
    pairs, a, b = data.thinnest_pair()
    return {
        "n": data.n,
        "clusters": clusters,
        "missing": {
            "method": data.missing,
            "cells": data.n_missing,
            "subjects_without_scores": data.without_scores,
            "subjects_dropped": data.dropped,
            "patterns": len(data.sample.counts),
            "most_frequent": data.patterns().head(MOST_PATTERNS).to_dict("records"),
            "fewest_with_both": {"n": pairs, "values": [a, b]},
        },
    }


def fit_json(fit: Fit) -> Json:
    """Fit indices by set."""
    standard: Json = dict(indices(fit, "standard"))
    standard |= {"p": fit.p_value, "rmsea_ci": list(rmsea_interval(fit))}
    standard |= {"log_likelihood": fit.log_likelihood, "baseline_chi2": fit.baseline_chi2}
    robust: Json | None = None
    if fit.scaled_chi2 is not None:
        robust = dict(indices(fit, "robust"))
        robust |= {"p": fit.scaled_p_value, "rmsea_ci": list(robust_rmsea_interval(fit))}
        robust |= {"scaling": fit.scaling, "baseline_scaling": fit.baseline_scaling}
    return {"standard": standard, "robust": robust, "paper": dict(indices(fit, "paper"))}
