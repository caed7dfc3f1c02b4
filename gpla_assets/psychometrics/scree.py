"""Eigenvalues beside random ones, and what every rule makes of a matrix."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from gpla_assets.psychometrics.correlation import Correlations
from gpla_assets.psychometrics.extraction import extract
from gpla_assets.psychometrics.network import Network, communities, network
from gpla_assets.psychometrics.purification import solve
from gpla_assets.psychometrics.reliability import alpha_of
from gpla_assets.psychometrics.retention import (
    average_partials,
    eigenvalues,
    empirical_kaiser,
    hull,
    leading_above,
    parallel_analysis,
    permutation_analysis,
    reliable_factors,
    scree_elbow,
)
from gpla_assets.psychometrics.suitability import kmo
from gpla_assets.studies.structure import Rule, StructureSettings

FURTHER_FACTORS = 3
MOST_FACTORS = 15
FEWEST_FOR_HULL = 3
CLOSE_RULES: tuple[Rule, ...] = ("parallel", "permutation", "map", "scree")
"""Rules that do not grow with the number of values, as Kaiser's does."""


@dataclass(frozen=True)
class Scree:
    """One row per component, what each rule suggests, and the network of values.

    `community` (n_values,) is each value's in the network.
    """

    components: pd.DataFrame
    suggested: dict[Rule, int]
    network: Network
    community: np.ndarray


def scree(
    usable: pd.DataFrame, found: Correlations, settings: StructureSettings, seed: int
) -> Scree:
    """Eigenvalues of `found` beside those of random and permuted scores, and all rules.

    `usable` (n_subjects, n_values) are the scores; random data has as many subjects.
    """
    matrix, repeats = found.matrix.to_numpy(), settings.parallel_repeats
    observed = eigenvalues(matrix)
    random = parallel_analysis(len(usable), len(matrix), seed, repeats)
    permuted = permutation_analysis(usable.to_numpy(), seed, repeats)
    partials = average_partials(matrix)
    linked = network(matrix, found.n)
    community = communities(matrix, linked.edges)
    suggested: dict[Rule, int] = {
        "parallel": leading_above(observed, random),
        "permutation": leading_above(observed, permuted),
        # place 0 is after no component: the place is the number
        "map": int(np.nanargmin(partials)),
        "ekc": leading_above(observed, empirical_kaiser(observed, found.n)),
        "ega": int(community.max()) + 1,
        "kaiser": leading_above(observed, 1.0),
        "scree": scree_elbow(observed),
    }
    suggested["hull"] = hull(_common_shares(matrix, suggested["parallel"]), len(matrix))
    alphas = _weakest_alphas(found, suggested, settings)
    suggested["alpha"] = reliable_factors(alphas, settings.minimum_alpha)
    components = np.arange(1, len(observed) + 1)
    table = pd.DataFrame(
        {
            "component": components,
            "eigenvalue": observed,
            "explained": observed / observed.sum(),
            "random_95": random,
            "permuted_95": permuted,
            # after that many components; the one after none stands in the retention table alone
            "average_partial": np.append(partials, [np.nan] * len(observed))[components],
            "alpha": [alphas.get(int(k)) for k in components],
        }
    )
    return Scree(table.astype({"alpha": float}), suggested, linked, community)


def _common_shares(matrix: np.ndarray, parallel: int) -> dict[int, float]:
    """CAF, 1 less the sampling adequacy of residuals, for 0 factors to one beyond `parallel`.

    By minimum residuals; no more factors than leave degrees of freedom.
    """
    p = len(matrix)
    shares = {}
    for k in range(max(parallel + 1, FEWEST_FOR_HULL) + 1):
        if p * (p - 1) // 2 - p * k + k * (k - 1) // 2 <= 0:
            break
        loadings = extract(matrix, k, "minres").loadings if k else np.zeros((p, 1))
        residual = matrix - loadings @ loadings.T
        np.fill_diagonal(residual, 1.0)
        adequacy = kmo(residual)[0]
        if adequacy is not None:
            shares[k] = 1 - adequacy
    return shares


def _weakest_alphas(
    found: Correlations, suggested: dict[Rule, int], settings: StructureSettings
) -> dict[int, float | None]:
    fixed = settings.n_factors if isinstance(settings.n_factors, int) else 0
    # each further solution is extracted and rotated, and Kaiser's number grows with the values
    most = min(
        max(*(min(suggested[rule], MOST_FACTORS) for rule in CLOSE_RULES), fixed) + FURTHER_FACTORS,
        len(found.matrix) // 2,
    )
    return {k: _weakest_alpha(found, k, settings) for k in range(1, max(most, 1) + 1)}


def _weakest_alpha(found: Correlations, number: int, settings: StructureSettings) -> float | None:
    """The smallest alpha of the factors of a solution, over values that load enough."""
    solution = solve(found.matrix, number, settings)
    alphas = []
    primary = np.abs(solution.rotated.pattern).max(axis=1)
    for factor in range(number):
        own = np.flatnonzero((solution.primary == factor) & (primary >= settings.minimum_loading))
        # alpha of one value is not defined: such a solution counts as unreliable
        if len(own) < 2:
            return None
        keys = solution.keys[own]
        alphas.append(
            alpha_of(found.covariance.to_numpy()[np.ix_(own, own)] * np.outer(keys, keys))
        )
    return min(alphas)
