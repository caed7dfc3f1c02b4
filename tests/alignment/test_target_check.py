"""The predictive check: no leak from held-out pairs, baselines where theory puts them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from gpla_assets.alignment import Pairs, target_check
from gpla_assets.alignment.target_check import distances, fold_targets, verdicts
from gpla_assets.studies import TargetSettings

FEW = TargetSettings(random_targets=40, permutations=39)
RESAMPLES = 200


def preferring(strength: float, n: int = 600, seed: int = 0) -> Pairs:
    """Winners score `strength` higher on Care; nothing is preferred on Noise; 60 prompts."""
    random = np.random.default_rng(seed)
    sides = [
        pd.DataFrame(
            {
                "Care": np.clip(random.normal(shift, 0.4, n), -1, 1),
                "Noise": random.uniform(-1, 1, n),
            }
        )
        for shift in (strength, 0.0)
    ]
    prompts = [f"prompt {k}" for k in random.integers(0, 60, n)]
    return Pairs(sides[0], sides[1], prompts, np.where(random.random(n) < 0.7, 1.0, -1.0))


def test_distances_are_means_over_the_dimensions_measured() -> None:
    # |1 - 0.5| = 0.5, |-1 - 0| = 1: mean 0.75; the second response has the first dimension only
    targets = np.array([[1.0, -1.0], [np.nan, -1.0]])
    scores = np.array([[0.5, 0.0], [0.5, np.nan], [np.nan, np.nan]])
    expected = [[0.75, 0.5, np.nan], [1.0, np.nan, np.nan]]
    np.testing.assert_allclose(distances(targets, scores), expected)


def test_undecided_pairs_count_a_half() -> None:
    winning = np.array([[0.9], [0.1], [0.4], [np.nan]])
    losing = np.array([[0.1], [0.9], [0.4], [0.2]])
    np.testing.assert_array_equal(verdicts(np.array([[1.0]]), winning, losing), [[1, 0, 0.5, 0.5]])


def test_a_preference_is_found_on_held_out_prompts() -> None:
    found = target_check(preferring(0.5), FEW, resamples=RESAMPLES).set_index("predictor")
    own = found.loc["target"]
    assert own["low"] > 0.55
    assert own["low"] < own["accuracy"] < own["high"]
    assert found.loc["shuffled preferences", "p"] == pytest.approx(1 / 40)
    assert found.loc["shuffled preferences", "accuracy"] == pytest.approx(0.5, abs=0.1)
    assert own[["n_pairs", "n_prompts", "draws"]].tolist() == [600, 60, 1]


def test_where_nothing_is_preferred_the_permutation_test_says_so() -> None:
    p_values = []
    for seed in range(20):
        found = target_check(preferring(0.0, 300, seed), FEW, resamples=RESAMPLES).set_index(
            "predictor"
        )
        p_values.append(found.loc["shuffled preferences", "p"])
    assert np.mean(np.array(p_values) <= 0.1) <= 0.3
    assert np.mean(p_values) == pytest.approx(0.5, abs=0.2)


def test_length_alone_is_right_where_the_longer_won() -> None:
    pairs = preferring(0.5)
    found = (
        target_check(pairs, FEW, resamples=RESAMPLES).set_index("predictor").loc["longer response"]
    )
    assert found["accuracy"] == pytest.approx(np.mean(pairs.longer > 0))
    assert (found["accuracy_longer_won"], found["accuracy_shorter_won"]) == (1, 0)


def test_no_prompt_is_on_both_sides_of_a_fold() -> None:
    # one winner and one loser a prompt, both at the prompt's own place: only a leak finds it
    random = np.random.default_rng(0)
    places = random.uniform(-1, 1, 100)
    winning = pd.DataFrame({"Care": places})
    losing = pd.DataFrame({"Care": random.permutation(places)})
    pairs = Pairs(winning, losing, [f"p{n // 2}" for n in range(100)], np.ones(100))
    folds = np.arange(100) // 2 % 5
    seen = np.zeros(100, int)
    for held, targets in fold_targets(pairs, np.ones((1, 100)), folds, 0.0):
        seen += held
        rest = pairs.winning["Care"][~held].tolist() + pairs.losing["Care"][~held].tolist()
        assert targets[0, 0] in rest
        assert not {pairs.prompts[n] for n in np.flatnonzero(held).tolist()} & {
            pairs.prompts[n] for n in np.flatnonzero(~held).tolist()
        }
    assert (seen == 1).all()


def test_without_pairs_or_measurements_nothing_is_claimed() -> None:
    empty = pd.DataFrame({"Care": pd.Series(dtype=float)})
    assert target_check(Pairs(empty, empty, [], np.zeros(0)), FEW, resamples=RESAMPLES).empty
    unmeasured = pd.DataFrame({"Care": [np.nan] * 10})
    pairs = Pairs(unmeasured, unmeasured, list("abcdefghij"), np.ones(10))
    found = target_check(pairs, FEW, resamples=RESAMPLES).set_index("predictor")
    assert found.loc["target", ["accuracy", "decided"]].tolist() == [0.5, 0]
    assert np.isnan(found.loc["target", "accuracy_decided"])
    assert found.loc["shuffled preferences", "p"] == 1


def test_parts_of_different_lengths_are_refused() -> None:
    one = pd.DataFrame({"Care": [0.1]})
    with pytest.raises(ValueError, match="1 pairs, 2 prompts and 1 lengths"):
        Pairs(one, one, ["a", "b"], np.ones(1))
