"""Networks of values: the graphical lasso, overlap and communities against known answers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from gpla_assets.psychometrics.item_stability import item_stability, same_community
from gpla_assets.psychometrics.network import (
    communities,
    graphical_lasso,
    modularity,
    network,
    topological_overlap,
    walktrap,
)
from gpla_assets.psychometrics.structure import value_system
from gpla_assets.studies.structure import StructureSettings
from tests.psychometrics.shared import data, needs_psychometrics


def block(n_factors: int, each: int = 4, loading: float = 0.8, between: float = 0.2) -> np.ndarray:
    """Correlations of factors with `each` values that load alike."""
    phi = np.full((n_factors, n_factors), between) + (1 - between) * np.eye(n_factors)
    loadings = np.kron(np.eye(n_factors), np.full((each, 1), loading))
    matrix = loadings @ phi @ loadings.T
    np.fill_diagonal(matrix, 1.0)
    return matrix


def test_the_lasso_of_two_values_is_known_in_closed_form() -> None:
    # for r = .6 and penalty .2 the fitted correlation is .4: inverse of [[1, .4], [.4, 1]]
    matrix = np.array([[1.0, 0.6], [0.6, 1.0]])
    expected = np.linalg.inv(np.array([[1.0, 0.4], [0.4, 1.0]]))
    np.testing.assert_allclose(graphical_lasso(matrix, 0.2, np.eye(2)), expected, atol=1e-4)


def test_the_lasso_meets_its_conditions_of_optimality() -> None:
    # W = inv(K): |W - R| <= penalty where K is 0, and equal to penalty * sign(K) elsewhere
    random = np.random.default_rng(0)
    matrix = np.corrcoef(
        random.standard_normal((60, 12)) + random.standard_normal((60, 1)), rowvar=False
    )
    precision = graphical_lasso(matrix, 0.1, np.eye(12))
    gap = np.linalg.inv(precision) - matrix
    off = ~np.eye(12, dtype=bool)
    zero = off & (precision == 0)
    assert zero.any() and (np.abs(gap[zero]) <= 0.1 + 1e-3).all()
    np.testing.assert_allclose(gap[off & ~zero], 0.1 * np.sign(precision[off & ~zero]), atol=1e-3)


def test_topological_overlap_is_the_papers_formula_by_hand() -> None:
    # a12 = .5, a13 = .2, a23 = .2: (.2 * .2 + .5) / (min(.7, .7) + 1 - .5) = .54 / 1.2
    edges = np.array([[0.0, 0.5, 0.2], [0.5, 0.0, 0.2], [0.2, 0.2, 0.0]])
    assert topological_overlap(edges)[0, 1] == pytest.approx(0.54 / 1.2)
    # (.5 * .2 + .2) / (min(.7, .4) + 1 - .2)
    assert topological_overlap(edges)[0, 2] == pytest.approx(0.3 / 1.2)


def test_modularity_of_two_triangles_joined_by_an_edge() -> None:
    # Newman's example by hand: 7 edges, each side 3 inside and a sum of degrees of 7:
    # 2 (3 / 7 - (7 / 14)^2) = 5 / 14
    edges = np.zeros((6, 6))
    for a, b in [(0, 1), (0, 2), (1, 2), (3, 4), (3, 5), (4, 5), (2, 3)]:
        edges[a, b] = edges[b, a] = 1.0
    assert modularity(edges, np.array([0, 0, 0, 1, 1, 1])) == pytest.approx(5 / 14)
    assert walktrap(edges).tolist() == [0, 0, 0, 1, 1, 1]


@pytest.mark.parametrize("n_factors", [1, 2, 3, 5])
def test_communities_are_the_factors_that_the_values_were_made_of(n_factors: int) -> None:
    random = np.random.default_rng(n_factors)
    matrix = block(n_factors)
    scores = random.multivariate_normal(np.zeros(len(matrix)), matrix, 500)
    found = np.corrcoef(scores, rowvar=False)
    member = communities(found, network(found, 500).edges)
    assert member.tolist() == np.repeat(np.arange(n_factors), 4).tolist()


@needs_psychometrics
def test_bfi_has_its_five_communities() -> None:
    # as EGAnet's papers find in this data set (Golino and Epskamp, 2017)
    matrix = data("bfi").corr().to_numpy()
    member = communities(matrix, network(matrix, 2761).edges)
    assert member.tolist() == np.repeat(np.arange(5), 5).tolist()


def test_communities_are_matched_whatever_their_numbers() -> None:
    member, other = np.array([0, 0, 0, 1, 1]), np.array([1, 1, 0, 0, 0])
    assert same_community(member, other).tolist() == [True, True, False, True, True]


def test_clear_communities_are_found_in_every_resample() -> None:
    random = np.random.default_rng(1)
    matrix = block(2)
    frame = pd.DataFrame(random.multivariate_normal(np.zeros(8), matrix, 300))
    frame.columns = [f"v{n}" for n in range(8)]
    found = pd.DataFrame({"value": frame.columns, "community": np.repeat([1, 2], 4)})
    whole = network(frame.corr().to_numpy(), 300)
    stable = item_stability(frame, found, whole, StructureSettings(resamples=50))
    assert (stable["stability"] > 0.95).all()


def synonyms(seed: int = 0) -> pd.DataFrame:
    """Two factors of seven values each, and a near-synonym of the first value."""
    random = np.random.default_rng(seed)
    scores = random.multivariate_normal(np.zeros(14), block(2, 7, 0.6), 600)
    frame = pd.DataFrame(scores, columns=[f"v{n}" for n in range(14)])
    return frame.assign(twin=frame["v0"] + 0.3 * random.standard_normal(600))


def test_a_synonym_is_told_and_removed_where_it_is_asked_for() -> None:
    settings = StructureSettings(n_factors=2, parallel_repeats=20)
    told = value_system(synonyms(), settings)
    pairs = told.redundancy[told.redundancy["redundant"]]
    assert pairs[["value_a", "value_b"]].to_numpy().tolist() == [["twin", "v0"]]
    assert any("twin and v0" in caution for caution in told.cautions)
    removed = value_system(synonyms(), settings.model_copy(update={"redundancy": "remove"}))
    gone = removed.removals[removed.removals["round"] == 0]
    assert len(gone) == 1 and set(gone["value"]) <= {"twin", "v0"}
    assert gone["reason"].iloc[0].startswith("redundant: ")
    assert not removed.redundancy["redundant"].any()
