"""The safety probe: optimum, designs without leaks, planted relations, chance, few LLMs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import brentq
from sklearn.linear_model import LogisticRegression

from gpla_assets.benchmarks.bradley_terry import bradley_terry, cross_entropy
from gpla_assets.benchmarks.probe import (
    accuracy_interval,
    majority_probed,
    permuted_accuracies,
    probed,
    ridge_probed,
    weight_intervals,
)
from gpla_assets.benchmarks.probe_designs import Design, design, inner_folds
from gpla_assets.benchmarks.safety import (
    OURS,
    Features,
    Predicted,
    dealt,
    llm_factors,
    predict,
)
from gpla_assets.benchmarks.systems import System
from gpla_assets.psychometrics.resampling import permutation_p
from gpla_assets.studies import Probe

FEW = Probe(repeats=20, permutations=19, partitions=9)


def planted(n: int = 40, d: int = 4, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Features and a criterion that the first of them sets, but for a little noise."""
    random = np.random.default_rng(seed)
    features = random.standard_normal((n, d))
    return features, features[:, 0] + 0.05 * random.standard_normal(n)


def test_one_pair_has_the_weight_that_can_be_worked_out() -> None:
    # one pair, one feature: the optimum solves l2 w = d / (1 + exp(w d))
    found = bradley_terry(np.array([[[1.5], [0.5]]]), np.array([[2.0, 1.0]]), np.array([0.1]))
    expected = brentq(lambda w: 0.1 * w - 1 / (1 + np.exp(w)), 0, 20)
    assert found[0, 0] == pytest.approx(expected, abs=1e-6)


def test_the_optimum_is_that_of_logistic_regression_on_differences() -> None:
    features, criterion = planted(12, 3)
    criterion = criterion + np.random.default_rng(1).standard_normal(12)
    l2 = 0.05
    high, low = np.nonzero(criterion[:, None] > criterion[None, :])
    differences = features[high] - features[low]
    both = np.vstack([differences, -differences])
    sides = np.repeat([1, 0], len(differences))
    model = LogisticRegression(C=1 / (l2 * len(both)), fit_intercept=False, tol=1e-10).fit(
        both, sides
    )
    found = bradley_terry(features[None], criterion[None], np.array([l2]))
    np.testing.assert_allclose(found[0], model.coef_[0], atol=1e-5)


def test_many_probes_at_once_are_the_same_as_one_by_one() -> None:
    random = np.random.default_rng(2)
    features, criterion = random.standard_normal((70, 9, 3)), random.standard_normal((70, 9))
    l2 = random.uniform(0.01, 1, 70)
    together = bradley_terry(features, criterion, l2)
    for at in (0, 33, 69):
        alone = bradley_terry(features[[at]], criterion[[at]], l2[[at]])
        np.testing.assert_allclose(together[at], alone[0], atol=1e-6)


def test_equal_scores_make_no_pair_and_separable_pairs_need_a_penalty() -> None:
    nothing = bradley_terry(np.ones((1, 3, 2)), np.zeros((1, 3)), np.ones(1))
    assert (nothing == 0).all()
    with pytest.raises(ValueError, match="separable pairs have no optimum"):
        bradley_terry(np.ones((1, 3, 2)), np.zeros((1, 3)), np.zeros(1))


def test_cross_entropy_by_hand() -> None:
    found = cross_entropy(np.array([[1.0, 0.0]]), np.array([[5.0, 3.0]]))
    assert found[0] == pytest.approx(np.log(1 + np.exp(-1)))
    assert np.isnan(cross_entropy(np.zeros((1, 2)), np.zeros((1, 2)))[0])


def test_few_llms_have_each_pair_left_out_once() -> None:
    found = design(8, repeats=100, test_share=0.3, exact_below=20, seed=0)
    assert found.name == "leave pairs out"
    assert sorted(map(tuple, found.tested)) == [(a, b) for a in range(8) for b in range(a + 1, 8)]
    for trained, tested in zip(found.trained, found.tested, strict=True):
        assert sorted([*trained, *tested]) == list(range(8))


def test_many_llms_are_split_with_no_llm_on_both_sides() -> None:
    found = design(30, repeats=50, test_share=0.3, exact_below=20, seed=0)
    assert found.tested.shape == (50, 9)
    for trained, tested in zip(found.trained, found.tested, strict=True):
        assert not set(trained) & set(tested)
    for fitted, validated in inner_folds(found.trained, 0):
        for row in range(50):
            assert not set(fitted[row]) & set(validated[row])
            assert set(fitted[row]) | set(validated[row]) == set(found.trained[row])


def test_too_few_llms_are_refused_with_what_to_do() -> None:
    with pytest.raises(
        ValueError, match="4 LLMs have a score of the criterion and values; expected"
    ):
        design(4, 100, 0.3, 20, 0)


def test_a_planted_relation_is_found_and_its_weight_leads() -> None:
    features, criterion = planted()
    splits = design(40, 30, 0.3, 20, 0)
    found = probed(features, criterion, splits)
    assert found.accuracy > 0.95
    weights = found.weights.mean(0)
    assert weights[0] > 5 * np.abs(weights[1:]).max()
    low, high = weight_intervals(features, criterion, found.l2)
    assert low[0] > 0
    assert (low[1:] < 0).all()
    assert (high[1:] > 0).all()
    assert ridge_probed(features, criterion, splits).accuracy > 0.95


def test_noise_predicts_nothing_and_the_permutation_test_says_so() -> None:
    random = np.random.default_rng(5)
    ps, accuracies = [], []
    for _ in range(12):
        features, criterion = random.standard_normal((30, 3)), random.standard_normal(30)
        splits = design(30, 10, 0.3, 20, 0)
        null = permuted_accuracies(features, criterion, splits, 19)
        accuracies.append(probed(features, criterion, splits).accuracy)
        ps.append(permutation_p(accuracies[-1], null))
    assert np.mean(accuracies) == pytest.approx(0.5, abs=0.08)
    assert sum(p is not None and p <= 0.05 for p in ps) <= 3


def test_weights_do_not_depend_on_the_llms_held_out() -> None:
    features, criterion = planted(10)
    splits = Design("splits", np.array([[0, 1, 2, 3, 4, 5, 6]]), np.array([[7, 8, 9]]))
    before = probed(features, criterion, splits)
    other = features.copy()
    other[7:] = 1000.0
    changed = criterion.copy()
    changed[7:] = [3, 1, 2]
    after = probed(other, changed, splits)
    np.testing.assert_array_equal(before.weights, after.weights)
    np.testing.assert_array_equal(before.l2, after.l2)


def test_a_feature_that_tells_nothing_ties_every_pair() -> None:
    splits = design(25, 10, 0.3, 20, 0)
    found = probed(np.ones((25, 1)), np.arange(25.0), splits)
    assert found.accuracy == 0.5
    missing = probed(np.full((25, 1), np.nan), np.arange(25.0), splits)
    assert missing.accuracy == 0.5


def test_the_majority_side_by_hand() -> None:
    # of the trained LLMs 0 to 2 the first always wins; of the pair (3, 4) the first wins, then not
    splits = Design("splits", np.array([[0, 1, 2]]), np.array([[3, 4]]))
    assert majority_probed(np.array([3.0, 2, 1, 5, 4]), splits).accuracy == 1
    assert majority_probed(np.array([3.0, 2, 1, 4, 5]), splits).accuracy == 0


def test_the_interval_of_few_llms_shows_how_little_is_known() -> None:
    features, criterion = planted(60, 1)
    noisy = criterion + np.random.default_rng(3).standard_normal(60)
    widths = []
    for n in (8, 60):
        splits = design(n, 30, 0.3, 20, 0)
        low, high = accuracy_interval(probed(features[:n], noisy[:n], splits))
        widths.append(high - low)
    assert widths[0] > 2 * widths[1]


def features_of(n: int = 24) -> tuple[Features, pd.Series]:
    random = np.random.default_rng(7)
    llms = [f"llm-{at}" for at in range(n)]
    values = pd.DataFrame(random.standard_normal((n, 6)), index=llms, columns=list("abcdef"))
    ours = System(OURS, {"F1": {"a": 1, "b": -1}, "F2": {"c": 1, "d": 1, "e": 1}})
    systems = {OURS: llm_factors(values, ours), "other": values[["f"]]}
    length = pd.Series(random.uniform(100, 900, n), index=llms)
    scores = (values["a"] - values["b"]).rename("score")
    return Features(systems, values, length, ours), scores


def test_prediction_has_systems_baselines_parameters_and_nulls() -> None:
    features, scores = features_of()
    into = Predicted()
    predict("safety", scores, features, FEW, into, null_repeats=3)
    accuracies, parameters, nulls = into.frames()
    found = accuracies.set_index("features")
    assert found.loc[OURS, "accuracy"] > 0.9
    assert found.loc["one factor: F1", "accuracy"] > 0.9
    assert found.loc["other", "accuracy"] < 0.75
    for baseline in ("general valence", "response length", "all values (ridge)", "majority"):
        assert found.loc[baseline, "role"] == "baseline"
    assert found.loc[OURS, "p_permuted"] == pytest.approx(1 / 20)
    weights = parameters[parameters["features"] == OURS].set_index("factor")["weight"]
    assert weights["F1"] > abs(weights["F2"])
    assert set(nulls["null"]) == {"permuted labels", "random partition"}
    partitions = nulls[nulls["null"] == "random partition"].set_index("draw")["accuracy"]
    assert partitions[-1] >= partitions[0:].max()
    assert len(partitions) == 10
    labels = nulls[(nulls["null"] == "permuted labels") & (nulls["features"] == OURS)]
    assert labels.set_index("draw")["accuracy"][-1] > 0.9
    assert len(labels) == 20


def test_llms_without_values_are_left_out_and_order_does_not_matter() -> None:
    features, scores = features_of()
    one, other = Predicted(), Predicted()
    predict(
        "safety",
        pd.concat([scores, pd.Series({"unknown": 9.0})]),
        features,
        FEW,
        one,
        null_repeats=3,
    )
    predict("safety", scores[::-1], features, FEW, other, null_repeats=3)
    pd.testing.assert_frame_equal(one.frames()[0], other.frames()[0])
    assert one.frames()[0]["n_llms"].eq(24).all()


def test_a_criterion_of_one_score_is_refused() -> None:
    features, scores = features_of()
    with pytest.raises(ValueError, match="all 24 LLMs have the score 1"):
        predict("flat", scores * 0 + 1, features, FEW, Predicted(), null_repeats=3)


def test_a_random_partition_keeps_sizes_and_keys() -> None:
    ours = features_of()[0].ours
    drawn = dealt(ours, np.random.default_rng(0))
    assert [len(own) for own in drawn.factors.values()] == [2, 3]
    keyed = sorted(pair for own in drawn.factors.values() for pair in own.items())
    assert keyed == sorted(pair for own in ours.factors.values() for pair in own.items())


def test_with_few_llms_chance_goes_through_every_pair() -> None:
    features, scores = features_of(8)
    into = Predicted()
    predict("safety", scores, features, FEW, into, null_repeats=3)
    _, _, nulls = into.frames()
    # 28 pairs left out one by one: every accuracy is a number of half pairs
    halves = nulls["accuracy"] * 56
    assert (halves - halves.round()).abs().max() < 1e-9
    assert nulls["accuracy"].mul(28).round(6).nunique() > 5


def test_wherever_the_search_begins_it_ends_at_the_optimum() -> None:
    random = np.random.default_rng(4)
    features, criterion = random.standard_normal((30, 11, 4)), random.integers(0, 4, (30, 11))
    l2 = np.full(30, 0.003)
    found = bradley_terry(features, criterion.astype(float), l2)
    far = bradley_terry(features, criterion.astype(float), l2, 30 * random.standard_normal((30, 4)))
    np.testing.assert_allclose(far, found, atol=1e-4)
    # there the gradient, worked out pair by pair, is nothing
    for at in range(3):
        high, low = np.nonzero(criterion[at][:, None] > criterion[at][None, :])
        pairs = features[at][high] - features[at][low]
        lost = 1 / (1 + np.exp(pairs @ found[at]))
        gradient = l2[at] * found[at] - (pairs * lost[:, None]).mean(0)
        assert np.abs(gradient).max() < 1e-6


def test_separable_pairs_far_apart_stay_finite() -> None:
    features = 1e3 * np.random.default_rng(0).standard_normal((4, 10, 3))
    found = bradley_terry(features, features[:, :, 0], np.full(4, 1e-9))
    assert np.isfinite(found).all()
    scores = np.einsum("bnd,bd->bn", features, found)
    assert (np.argsort(scores) == np.argsort(features[:, :, 0])).all()
