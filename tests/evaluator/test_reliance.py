"""A score is called confident where signs of its size are right, and nowhere else."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from gpla_assets.evaluator.reliance import WARNING, confident, confident_from
from gpla_assets.evaluator.weights import held_out_quality
from gpla_assets.training.sign_quality import sure_from

FAST = "gpla-minilm-5, fast"


def pair(relevance: float, support: float, oppose: float) -> dict[str, float]:
    sides = {"p_support": support, "p_oppose": oppose, "p_either": 1 - support - oppose}
    return {"relevance": relevance, **sides, "score": support - oppose}


def test_only_a_relevant_pair_with_a_large_score_on_a_side_is_confident() -> None:
    size = confident_from(FAST)
    assert size is not None and 0.5 < size < 0.9
    scores = pd.DataFrame(
        [
            pair(0.9, 0.95, 0.02),
            pair(0.9, 0.02, 0.95),
            pair(0.9, 0.6, 0.3),  # a small score
            pair(0.4, 0.95, 0.02),  # not relevant
            pair(0.9, 0.95, 0.02),  # of a value of safety
        ]
    )
    values = pd.Series(["Care", "Care", "Care", "Care", " Harmlessness"])
    assert confident(scores, values, FAST, 0.5).tolist() == [True, True, False, False, False]
    unmeasured = confident(scores, values, "gpt-4", 0.5)
    assert confident_from("gpt-4") is None and unmeasured.isna().all()


def test_both_modes_that_ship_were_measured() -> None:
    models = held_out_quality().query("role == 'evaluator'")["model"].unique()
    assert all(confident_from(model) is not None for model in models)
    assert "Harmlessness" in WARNING


def test_the_size_is_where_signs_are_right_so_often() -> None:
    # right with a probability that rises from .5 to 1 with the size: .8 at .6
    rng = np.random.default_rng(0)
    sizes = rng.uniform(0, 1, 20_000)
    right = rng.uniform(0, 1, len(sizes)) < 0.5 + sizes / 2
    supports = rng.uniform(0, 1, len(sizes)) < 0.5
    scores = np.where(supports == right, sizes, -sizes)
    assert sure_from(supports, scores, 0.8) == pytest.approx(0.6, abs=0.05)
    assert sure_from(supports[:50], -np.abs(scores[:50]) * np.where(supports[:50], 1, -1), 0.8) == (
        float("inf")
    )


def test_rows_count_by_their_weights() -> None:
    supports = np.ones(4, bool)
    scores = np.array([0.2, -0.2, 0.8, 0.8])  # of the small ones the right one weighs nine times
    assert sure_from(supports, scores, 0.85) == 0.8
    assert sure_from(supports, scores, 0.85, np.array([9.0, 1.0, 1.0, 1.0])) == 0.2
