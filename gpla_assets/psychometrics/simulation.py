"""Subjects with a known value system: what the method finds again, and how often."""

from __future__ import annotations

import numpy as np
import pandas as pd

from gpla_assets.psychometrics.congruence import matched
from gpla_assets.psychometrics.reliability import reliability
from gpla_assets.psychometrics.structure import value_system
from gpla_assets.studies.structure import StructureSettings

WEAK_LOADING = 0.2


def simulated_subjects(
    loadings: pd.DataFrame,
    seed: int,
    n_subjects: int = 693,
    n_weak: int = 31,
    factor_correlation: float = 0.3,
) -> pd.DataFrame:
    """Normal scores (n_subjects, n_values + n_weak) with known primary loadings.

    `loadings` has columns factor, value, loading, one row a value; the other loadings are 0.
    Weak values load .2 on one factor drawn at random and are named `weak 0`, `weak 1`, ...
    """
    random = np.random.default_rng(seed)
    codes, factors = pd.factorize(loadings["factor"])
    correlation = np.full((len(factors), len(factors)), factor_correlation)
    np.fill_diagonal(correlation, 1.0)
    latent = random.multivariate_normal(np.zeros(len(factors)), correlation, n_subjects)
    size = loadings["loading"].to_numpy()
    # what the factor leaves of a variance of 1
    noise = random.standard_normal((n_subjects, len(loadings))) * np.sqrt(1 - size**2)
    strong = pd.DataFrame(latent[:, codes] * size + noise, columns=list(loadings["value"]))
    weak = random.standard_normal((n_subjects, n_weak)) * np.sqrt(1 - WEAK_LOADING**2)
    weak += WEAK_LOADING * latent[:, random.integers(0, len(factors), n_weak)]
    frame = strong.join(pd.DataFrame(weak, columns=[f"weak {n}" for n in range(n_weak)]))
    frame.index = pd.Index([f"s{n:04d}" for n in range(n_subjects)], name="subject_id")
    return frame


def recovery(
    loadings: pd.DataFrame,
    scores: pd.DataFrame,
    settings: StructureSettings | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """How well `value_system` finds simulated loadings again: one row per true factor.

    Columns factor, true_values, congruence (Tucker, over the values kept and removed, a removed
    one loading 0), alpha, true_alpha (with the true values and keys), recommended (by parallel
    analysis), found, weak_removed and others_removed (shares).
    """
    system = value_system(scores, settings, seed=seed)
    truth = loadings.pivot(index="value", columns="factor", values="loading").fillna(0.0)
    kept = system.pattern.reindex(truth.index).fillna(0.0)
    removed = set(system.removals["value"])
    weak = [value for value in scores.columns if value not in set(loadings["value"])]
    shared = dict(
        recommended=int(system.retention.set_index("rule")["n_factors"]["parallel"]),
        found=kept.shape[1],
        weak_removed=sum(value in removed for value in weak) / max(len(weak), 1),
        others_removed=sum(value in removed for value in truth.index) / len(truth),
    )
    if kept.shape[1] < truth.shape[1]:
        return pd.DataFrame([{"factor": name, **shared} for name in truth])
    order, _, congruence = matched(truth.to_numpy(), kept.to_numpy())
    alphas = system.reliabilities.set_index("factor")["alpha"]
    rows = []
    for at, name in enumerate(truth):
        own = loadings[loadings["factor"] == name].set_index("value")["loading"]
        true = reliability(scores, np.sign(own).astype(int))
        rows.append(
            {
                "factor": name,
                "true_values": len(own),
                "congruence": congruence[at],
                "alpha": alphas[kept.columns[order[at]]],
                "true_alpha": true.alpha if true else None,
                **shared,
            }
        )
    return pd.DataFrame(rows)
