"""Targets: the exact minimiser against brute force in whole numbers, ties, exclusions, masks."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from gpla_assets.alignment import distil, minimiser
from gpla_assets.alignment.distillation import corners, minimisers, objectives


def brute_force(winning: list[int], losing: list[int]) -> tuple[int, int, int, int]:
    """Target, objective, smallest and largest minimiser; whole numbers, so that ties are exact."""
    candidates = sorted({*winning, *losing})
    f = {
        x: sum(abs(x - won) - abs(x - lost) for won, lost in zip(winning, losing, strict=True))
        for x in candidates
    }
    least = min(f.values())
    ties = [x for x in candidates if f[x] == least]
    target = min(ties, key=lambda x: (abs(x), -x))
    return target, least, ties[0], ties[-1]


def test_the_target_is_that_of_brute_force_with_many_ties() -> None:
    random = np.random.default_rng(7)
    tied = 0
    for _ in range(1000):
        n, size = random.integers(1, 30), random.integers(1, 12)
        winning, losing = random.integers(-size, size + 1, (2, n))
        target, least, low, high = brute_force(winning.tolist(), losing.tolist())
        found = minimiser(winning / size, losing / size)
        assert found.target == pytest.approx(target / size, abs=1e-15)
        assert found.objective == pytest.approx(least / size)
        assert (found.low, found.high) == pytest.approx((low / size, high / size))
        tied += low < high
    assert tied > 100


def test_a_weight_is_a_repeated_pair_and_a_negative_one_turns_it_round() -> None:
    random = np.random.default_rng(3)
    for _ in range(200):
        n = random.integers(2, 15)
        winning, losing = random.integers(-4, 5, (2, n)) / 4
        weights = random.integers(0, 4, (3, n)).astype(float)
        weights[0, 0] = 1.0
        found = minimisers(corners(winning, losing), weights)
        for draw, target in zip(weights.astype(int), found, strict=True):
            own = minimiser(np.repeat(winning, draw), np.repeat(losing, draw)).target
            assert target == pytest.approx(own, nan_ok=True)
        turned = minimisers(corners(winning, losing), -np.ones((1, n)))
        assert turned[0] == minimiser(losing, winning).target


def test_corners_of_the_first_pairs_need_no_second_sort() -> None:
    random = np.random.default_rng(5)
    winning, losing = random.uniform(-1, 1, (2, 40))
    few, own = corners(winning, losing).of_first(15), corners(winning[:15], losing[:15])
    np.testing.assert_array_equal(few.at, own.at)
    np.testing.assert_allclose(objectives(few), objectives(own))


def test_winners_above_losers_pull_the_target_to_the_top_and_below_to_the_bottom() -> None:
    # left of 0.8 the slope is 2 (0 - 3), up to 0.9 2 (1 - 3), up to 1 2 (2 - 3): f falls to the top
    high, low = np.array([1.0, 0.9, 0.8]), np.array([-0.8, -0.9, -1.0])
    assert minimiser(high, low).target == 1.0
    assert minimiser(low, high).target == -1.0
    assert minimiser(high, low).objective == pytest.approx(-(2.7 + 2.7))


def test_the_target_is_where_winners_below_it_overtake_losers() -> None:
    # winners N(0.3, 0.15), losers uniform: normal cdf((x - 0.3) / 0.15) = (x + 1) / 2 at 0.374
    random = np.random.default_rng(0)
    winning, losing = random.normal(0.3, 0.15, 40_000), random.uniform(-1, 1, 40_000)
    assert minimiser(winning, losing).target == pytest.approx(0.374, abs=0.02)


def test_the_target_turns_with_the_scale_and_not_with_the_order_of_pairs() -> None:
    random = np.random.default_rng(11)
    winning, losing = random.uniform(-1, 1, (2, 301))
    found = minimiser(winning, losing)
    order = random.permutation(301)
    assert minimiser(winning[order], losing[order]).target == found.target
    assert minimiser(-winning, -losing).target == -found.target


def test_ties_go_to_the_one_nearest_zero_and_then_to_the_positive() -> None:
    # w = -0.5, 0.5 and l = -1, 1: f(-1) = f(1) = 2 - 2 = 0, f(+-0.5) = 1 - 2 = -1
    found = minimiser(np.array([-0.5, 0.5]), np.array([-1.0, 1.0]))
    assert (found.target, found.objective, found.low, found.high) == (0.5, -1.0, -0.5, 0.5)
    assert found.flat == "tied"


def test_a_dimension_on_which_both_sides_are_the_same_is_flat() -> None:
    same = np.array([0.25, -0.5, 0.75])
    found = minimiser(same, same[[2, 0, 1]])
    assert (found.flat, found.spread, found.target) == ("constant", 0.0, 0.25)
    assert minimiser(np.array([0.9]), np.array([0.1])).flat is None


def test_unmeasured_and_masked_pairs_are_left_out_and_counted() -> None:
    winning = pd.DataFrame({"Care": [0.9, np.nan, 0.2, 0.8], "Risk": np.nan})
    losing = pd.DataFrame({"Care": [0.1, 0.3, 0.4, np.nan], "Risk": [0.1, 0.2, 0.3, 0.4]})
    found = distil(winning, losing, 0).set_index("dimension")
    assert found.loc["Care", ["pairs", "excluded"]].tolist() == [2, 2]
    assert found.loc["Risk", "flat"] == "nothing measured"
    assert np.isnan(found.loc["Risk", "target"])
    assert found.loc["Risk", ["pairs", "excluded"]].tolist() == [0, 4]
    # below 0.3: the first pair loses its 0.1, the third its 0.2
    masked = distil(winning, losing, mask_below=0.3).set_index("dimension")
    assert masked.loc["Care", ["pairs", "excluded"]].tolist() == [0, 4]
    # exactly at the border is kept
    edge = distil(winning[["Care"]], losing[["Care"]], mask_below=0.1)
    assert edge["pairs"].tolist() == [2]


def test_sides_that_do_not_match_are_refused() -> None:
    with pytest.raises(ValueError, match="expected the same pairs and dimensions"):
        distil(pd.DataFrame({"Care": [0.1]}), pd.DataFrame({"Risk": [0.1]}), 0)
