"""The safety probe: optimum, designs without leaks, planted relations, chance, few LLMs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import brentq
from sklearn.linear_model import LogisticRegression

from gpla_assets.benchmarks.bradley_terry import bradley_terry, cross_entropy
from gpla_assets.benchmarks.probe import (
    accuracies_beside,
    accuracy_interval,
    majority_probed,
    permuted_accuracies,
    probed,
    probed_over,
    ridge_probed,
    weight_intervals,
)
from gpla_assets.benchmarks.probe_designs import (
    FAMILIES_OUT,
    Design,
    design,
    family_designs,
    inner_folds,
)
from gpla_assets.benchmarks.safety import (
    ALL_VALUES,
    CONTROLS_ALONE,
    LENGTH,
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
    assert (accuracies["controls"] == "").all()
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


def test_families_left_out_hold_no_relative_of_a_tested_llm() -> None:
    families = ["a", "a", "a", "b", "b", "c", "c", "c", None, None, "d", "d"]
    designs = family_designs(families)
    named = [family or f"LLM {place}" for place, family in enumerate(families)]
    tested_pairs = set()
    for one in designs:
        for trained, tested in zip(one.trained, one.tested, strict=True):
            assert not {named[at] for at in trained} & {named[at] for at in tested}
            assert len(trained) >= 6
            assert sorted([*trained, *tested]) == list(range(12))
            tested_pairs |= {(x, y) for x in tested for y in tested if x < y}
    # every pair of LLMs is met
    assert len(tested_pairs) == 66
    assert family_designs(["a"] * 12) == []
    features, criterion = planted(12, 1)
    found = probed_over(features, criterion, designs)
    assert len(found.accuracies) == 66
    assert found.met.sum() == 66
    assert found.accuracy > 0.9


def test_a_relation_within_families_alone_does_not_outlast_leaving_them_out() -> None:
    # the criterion is the family's, and features tell the family: nothing else is known
    within, across = [], []
    family = np.repeat(np.arange(10), 4)
    designs = family_designs([str(one) for one in family])
    for seed in range(6):
        random = np.random.default_rng(seed)
        noise = 0.1 * random.standard_normal((40, 12))
        features = random.standard_normal((10, 12))[family] + noise
        criterion = random.standard_normal(10)[family] + 0.01 * random.standard_normal(40)
        splits = design(40, 10, 0.3, 20, seed)
        within.append(probed(features, criterion, splits).accuracy)
        across.append(probed_over(features, criterion, designs).accuracy)
    assert np.mean(within) > 0.75
    assert np.mean(across) < 0.62


def test_what_a_control_explains_is_no_gain() -> None:
    random = np.random.default_rng(3)
    control = random.standard_normal((40, 1))
    criterion = control[:, 0] + 0.3 * random.standard_normal(40)
    shadow = control + 0.3 * random.standard_normal((40, 1))
    own = random.standard_normal((40, 1))
    both = criterion + 1.5 * own[:, 0]
    splits = design(40, 20, 0.3, 20, 0)
    p_of = {}
    for name, feature, target in (("shadow", shadow, criterion), ("own", own, both)):
        null = accuracies_beside(control, feature, target, splits, 39)
        observed = probed(np.hstack([control, feature]), target, splits).accuracy
        p_of[name] = permutation_p(observed, null)
    # alone the shadow would predict well: only the control tells that it adds nothing
    assert probed(shadow, criterion, splits).accuracy > 0.75
    assert p_of["shadow"] > 0.05
    assert p_of["own"] == pytest.approx(1 / 40)


def test_prediction_beside_controls_is_on_the_llms_that_have_them() -> None:
    features, scores = features_of(30)
    over = pd.Series(np.random.default_rng(2).uniform(0, 100, 12), index=features.length.index[:12])
    families = {llm: f"family {at % 6}" for at, llm in enumerate(features.length.index)}
    further = replace(features, controls={"over-refusal": over}, families=families)
    into = Predicted()
    predict("safety", scores, further, FEW, into, null_repeats=3, controlled=True)
    found = into.frames()[0].set_index(["controls", "features"])
    length, both = found.loc[LENGTH], found.loc[f"{LENGTH}, over-refusal"]
    assert set(length["n_llms"]) == {30}
    assert set(both["n_llms"]) == {12}
    assert set(both["design"]) == {"leave pairs out"}
    assert length.loc[OURS, "gain"] > 0.2
    assert length.loc[OURS, "p_permuted"] == pytest.approx(1 / 20)
    alone = length.loc[CONTROLS_ALONE, "accuracy"]
    assert length.loc[OURS, "gain"] == pytest.approx(length.loc[OURS, "accuracy"] - alone)
    assert length.loc[ALL_VALUES, "role"] == "baseline"
    families_out = into.frames()[0].query("design == @FAMILIES_OUT").set_index("features")
    assert families_out.loc[OURS, "accuracy"] > 0.9
    assert families_out.loc["other", "accuracy"] < 0.75
    plain = Predicted()
    predict("safety", scores, features, FEW, plain, null_repeats=3)
    assert (plain.frames()[0]["controls"] == "").all()
    assert not (plain.frames()[0]["design"] == FAMILIES_OUT).any()
