"""Factors of a known structure are found again; statistics equal hand-computed ones."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gpla_assets.psychometrics import (
    StructureSettings,
    cronbach_alpha,
    feldt_interval,
    n_factors,
    value_system,
    varimax,
)

TABLE10 = Path(__file__).parent / "data" / "table10_loadings.csv"


def simulated(n_subjects: int = 693, n_weak: int = 31, seed: int = 1) -> pd.DataFrame:
    """Subjects with the paper's 92 loadings and values that load on nothing."""
    table = pd.read_csv(TABLE10)
    random = np.random.default_rng(seed)
    codes, factors = pd.factorize(table.factor)
    correlation = np.full((len(factors), len(factors)), 0.1) + 0.9 * np.eye(len(factors))
    latent = random.multivariate_normal(np.zeros(len(factors)), correlation, n_subjects)
    loading = table.loading.to_numpy()
    noise = random.standard_normal((n_subjects, len(table))) * np.sqrt(1 - loading**2)
    strong = pd.DataFrame(latent[:, codes] * loading + noise, columns=table.value)
    weak = random.standard_normal((n_subjects, n_weak)) * 0.98
    weak += 0.2 * latent[:, random.integers(0, len(factors), n_weak)]
    frame = strong.join(pd.DataFrame(weak, columns=[f"weak {n}" for n in range(n_weak)]))
    frame.index = [f"s{n:03d}" for n in range(n_subjects)]
    return frame


def congruence(a: np.ndarray, b: np.ndarray) -> float:
    return abs(float(a @ b)) / float(np.linalg.norm(a) * np.linalg.norm(b))


@pytest.fixture(scope="module")
def scores() -> pd.DataFrame:
    return simulated()


def test_the_papers_structure_is_found_again(scores: pd.DataFrame) -> None:
    system = value_system(scores)
    assert int(system.eigenvalues.retained.sum()) == 5
    table = pd.read_csv(TABLE10)
    found = system.loadings.pivot(index="value", columns="factor", values="loading")
    for _, own in table.groupby("factor"):
        truth = table.assign(t=table.loading.where(table.factor == own.factor.iloc[0], 0.0))
        truth = truth.set_index("value").t.reindex(found.index).fillna(0.0).to_numpy()
        best = max(congruence(truth, found[name].to_numpy()) for name in found)
        assert best >= (0.95 if len(own) >= 15 else 0.90)
    removed = set(system.removals.value)
    assert sum(f"weak {n}" in removed for n in range(31)) >= 28
    assert len(removed & set(table.value)) <= 5


def test_reverse_keyed_values_keep_their_sign(scores: pd.DataFrame) -> None:
    loadings = value_system(scores).loadings
    own = loadings[loadings.is_primary].set_index("value").keyed
    assert own["Stability"] == -1 == own["Conformity"]
    assert own["Challenge"] == 1


def test_order_of_subjects_and_values_changes_nothing(scores: pd.DataFrame) -> None:
    first = value_system(scores)
    mixed = scores.sample(frac=1, random_state=3).sample(frac=1, axis=1, random_state=4)
    second = value_system(mixed)
    pd.testing.assert_frame_equal(first.loadings, second.loadings)
    pd.testing.assert_frame_equal(first.reliabilities, second.reliabilities)


def test_scaling_a_value_changes_no_loading(scores: pd.DataFrame) -> None:
    scaled = scores * np.linspace(0.5, 7, scores.shape[1])
    first, second = value_system(scores).loadings, value_system(scaled).loadings
    np.testing.assert_allclose(first.loading, second.loading, atol=1e-8)


def test_alpha_equals_the_formula_by_hand() -> None:
    # items (1,2,3,4) and (2,2,4,4): variances 5/3 and 4/3, total (3,4,7,8) has variance 17/3,
    # so alpha = 2 (1 - (5/3 + 4/3) / (17/3)) = 2 (1 - 9/17) = 16/17
    scores = pd.DataFrame({"a": [1.0, 2, 3, 4], "b": [2.0, 2, 4, 4]})
    found = cronbach_alpha(scores, pd.Series({"a": 1, "b": 1}))
    assert found is not None
    # pingouin rounds alpha's interval, not alpha
    assert found.alpha == pytest.approx(16 / 17, abs=1e-6)


def test_a_reversed_value_is_keyed_before_alpha() -> None:
    scores = pd.DataFrame({"a": [1.0, 2, 3, 4], "b": [-2.0, -2, -4, -4]})
    found = cronbach_alpha(scores, pd.Series({"a": 1, "b": -1}))
    assert found is not None
    assert found.alpha == pytest.approx(16 / 17, abs=1e-6)


def test_feldts_interval_is_the_papers() -> None:
    # Table 1: Self-Competence, alpha .761 of six values, n = 693: .732 to .787
    low, high = feldt_interval(0.761, 693, 6)
    assert (low, high) == pytest.approx((0.732, 0.787), abs=0.001)


def test_alpha_of_incomplete_data_uses_pairs() -> None:
    random = np.random.default_rng(0)
    common = random.standard_normal((40, 1))
    scores = pd.DataFrame(common + random.standard_normal((40, 4)), columns=list("abcd"))
    for n in range(40):
        scores.iat[n, n % 4] = np.nan
    found = cronbach_alpha(scores, pd.Series(1, index=list("abcd")))
    assert found is not None
    assert found.missing == "pairwise"
    assert 0.5 < found.alpha < 0.95


def test_varimax_keeps_communalities_and_finds_simple_structure() -> None:
    simple = np.array([[0.8, 0], [0.7, 0], [0.6, 0], [0, 0.8], [0, 0.7], [0, 0.6]])
    angle = np.pi / 5
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    rotated = varimax(simple @ turn)
    np.testing.assert_allclose((rotated**2).sum(axis=1), (simple**2).sum(axis=1), atol=1e-12)
    np.testing.assert_allclose(np.sort(np.abs(rotated), axis=1), np.sort(simple, axis=1), atol=1e-6)


def test_uncorrelated_values_give_one_factor_and_a_caution() -> None:
    random = np.random.default_rng(5)
    frame = pd.DataFrame(random.standard_normal((400, 10)), columns=[f"v{n}" for n in range(10)])
    system = value_system(frame)
    assert int(system.eigenvalues.retained.sum()) <= 2


def test_more_values_than_subjects_is_computed_and_flagged() -> None:
    system = value_system(simulated(n_subjects=21))
    assert not system.reliabilities.interpretable.any()
    assert "n = 21 subjects for p = 123 values, n/p = 0.17" in system.cautions[0]


def test_constant_and_sparse_values_are_removed_by_name(scores: pd.DataFrame) -> None:
    frame = scores.iloc[:, :40].copy()
    frame["Equity"] = 0.3
    frame.iloc[: len(frame) - 20, frame.columns.get_loc("Unity")] = np.nan
    removals = value_system(frame).removals.set_index("value")
    assert removals.reason["Equity"] == "constant over subjects"
    assert removals.reason["Unity"].startswith("measured in 3% of subjects")
    assert (removals["round"][["Equity", "Unity"]] == 0).all()


def test_too_few_subjects_is_an_error_that_says_so(scores: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match="2 subjects and"):
        value_system(scores.head(2))


def test_a_fixed_number_of_factors_outside_the_values_is_refused() -> None:
    with pytest.raises(ValueError, match="n_factors = 9, but there are 3 values"):
        n_factors(np.array([2.0, 0.7, 0.3]), np.ones(3), 9)


def test_kaisers_rule_counts_eigenvalues_above_one() -> None:
    assert n_factors(np.array([2.0, 1.2, 0.7, 0.1]), np.ones(4), "kaiser") == 2


def test_scores_skip_missing_cells(scores: pd.DataFrame) -> None:
    frame = scores.copy()
    frame.iloc[0, 0] = np.nan
    result = value_system(frame, StructureSettings(n_factors=5)).scores
    assert result.score.notna().all()
    assert len(result) == 5 * len(frame)
