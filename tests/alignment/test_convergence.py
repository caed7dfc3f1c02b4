"""Convergence of targets: settled where there is a preference, flagged where there is none."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from gpla_assets.alignment import convergence, distil, settled
from gpla_assets.studies import TargetSettings


def pairs(n: int, seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Care is preferred near 0.37; on Noise both sides are alike; Silence is never measured."""
    random = np.random.default_rng(seed)
    care = random.normal(0.3, 0.15, n), random.uniform(-1, 1, n)
    noise = random.uniform(-1, 1, (2, n))
    frames = [
        pd.DataFrame({"Care": care[side], "Noise": noise[side], "Silence": np.nan})
        for side in (0, 1)
    ]
    frames[0].loc[::3, "Care"] = np.nan
    return frames[0], frames[1]


def test_every_step_is_the_target_of_the_pairs_so_far() -> None:
    winning, losing = pairs(250)
    found = convergence(winning, losing, TargetSettings(step=100, resamples=20))
    assert found["seen"].unique().tolist() == [100, 200, 250]
    for seen, own in found.groupby("seen"):
        expected = distil(winning.head(seen), losing.head(seen), 0)
        np.testing.assert_array_equal(own["target"], expected["target"])
        np.testing.assert_array_equal(own["pairs"], expected["pairs"])


def test_a_preference_settles_and_noise_is_flagged() -> None:
    winning, losing = pairs(3000)
    steps = convergence(winning, losing, TargetSettings(step=1000, resamples=100))
    last = steps[steps["seen"] == 3000].set_index("dimension")
    assert last.loc["Care", "low"] <= last.loc["Care", "target"] <= last.loc["Care", "high"]
    assert last.loc["Care", "target"] == pytest.approx(0.374, abs=0.1)
    assert last.loc["Care", "same_sign"] == 1
    assert last.loc["Noise", "high"] - last.loc["Noise", "low"] > 0.5
    assert np.isnan(last.loc["Silence", "low"])
    said = settled(steps).set_index("dimension")
    assert said["stable"].to_dict() == {"Care": True, "Noise": False, "Silence": False}
    assert said.loc["Care", "caution"] is None
    assert "is wider than 0.5" in said.loc["Noise", "caution"]
    assert said.loc["Silence", "caution"] == "the objective is flat: nothing measured"


def test_a_target_that_still_moves_is_flagged() -> None:
    steps = pd.DataFrame(
        {"dimension": "Care", "target": [0.2, 0.4, 0.9], "low": 0.8, "high": 1.0, "flat": None}
    ).assign(pairs=500)
    assert settled(steps)["caution"].tolist() == ["the last 3 steps moved it by 0.70"]


def test_few_pairs_or_few_looks_are_no_proof_of_stability() -> None:
    same = pd.DataFrame(
        {"dimension": "Care", "target": [0.9] * 3, "low": 0.9, "high": 0.9, "flat": None}
    )
    few = settled(same.assign(pairs=5))
    assert few["caution"].tolist() == ["measured in 5 pairs, fewer than 30"]
    early = settled(same.assign(pairs=500).head(1))
    assert early["caution"].tolist() == ["looked at 1 times, fewer than 3"]
    assert settled(same.assign(pairs=500))["stable"].tolist() == [True]


def test_more_pairs_make_the_interval_narrower() -> None:
    widths = []
    for n in (100, 6400):
        steps = convergence(*pairs(n), TargetSettings(step=n, resamples=100))
        last = steps.set_index("dimension").loc["Care"]
        widths.append(last["high"] - last["low"])
    assert widths[1] < widths[0] / 2


def test_pairs_that_repeat_one_prompt_are_no_further_evidence() -> None:
    winning, losing = pairs(60)
    ten = [pd.concat([side] * 10, ignore_index=True) for side in (winning, losing)]
    settings = TargetSettings(step=600, resamples=200)
    alone = convergence(ten[0], ten[1], settings)
    grouped = convergence(ten[0], ten[1], settings, groups=[str(n % 60) for n in range(600)])
    width = [(own["high"] - own["low"]).iloc[0] for own in (alone, grouped)]
    assert width[1] > 1.5 * width[0]


def test_no_pairs_give_no_steps_and_groups_must_fit() -> None:
    winning, losing = pairs(4)
    assert convergence(winning.iloc[:0], losing.iloc[:0], TargetSettings()).empty
    assert settled(convergence(winning.iloc[:0], losing.iloc[:0], TargetSettings())).empty
    with pytest.raises(ValueError, match="a group for each of the 4 pairs"):
        convergence(winning, losing, TargetSettings(), groups=["a"])
