"""Two studies: what they share comes out, what one alone has is left out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from gpla_assets.validation.two_studies import study_agreement

LLMS, VALUES = 12, 8


def scores(noise: float, seed: int) -> pd.DataFrame:
    """Rows of LLMs' values: what LLMs are is the same for all seeds, the noise is not."""
    own = np.random.default_rng(0).normal(size=(LLMS, VALUES))
    found = own + noise * np.random.default_rng(seed).normal(size=own.shape)
    names = [(f"llm {i}", f"value {j}") for i in range(LLMS) for j in range(VALUES)]
    rows = pd.DataFrame(names, columns=["llm", "value"])
    apart = (found - (found.sum(axis=0) - found) / (LLMS - 1)).ravel()
    return rows.assign(
        score=found.ravel(),
        difference=apart,
        difference_low=apart - 0.3,
        difference_high=apart + 0.4,
    )


def test_r_and_its_interval_are_pearsons_over_the_llms_that_both_have() -> None:
    first, second = scores(0.3, 1), scores(0.3, 2)
    second = second[second["llm"] != "llm 0"]
    found = study_agreement(first, second)
    assert set(found.values["n_llms"]) == {LLMS - 1}
    for row in found.values.to_dict("records"):
        a, b = (
            one[(one["value"] == row["value"]) & (one["llm"] != "llm 0")]["score"].to_numpy()
            for one in (first, second)
        )
        known = stats.pearsonr(a, b)
        ends = known.confidence_interval(0.95)
        assert (row["r"], row["r_low"], row["r_high"]) == pytest.approx((known.statistic, *ends))
    assert found.values["r"].is_monotonic_decreasing


def test_an_llm_finds_itself_where_studies_agree_and_nobody_where_they_do_not() -> None:
    same = study_agreement(scores(0.0, 1), scores(0.0, 2))
    assert (same.llms["rank"] == 1).all() and same.cells["change"].abs().max() < 1e-12
    noise = study_agreement(scores(50.0, 1), scores(50.0, 2))
    assert abs(noise.llms["rank"].mean() - noise.chance) < 2


def test_a_change_has_the_interval_of_both_studies_errors() -> None:
    found = study_agreement(scores(0.2, 1), scores(0.2, 2)).cells
    half = np.hypot(0.35, 0.35)
    np.testing.assert_allclose(found["high"] - found["change"], half)
    np.testing.assert_allclose(found["change"], found["difference_b"] - found["difference_a"])
    assert found["change"].abs().is_monotonic_decreasing


def test_studies_that_share_nothing_give_no_rows() -> None:
    other = scores(0.0, 1).assign(llm="another")
    found = study_agreement(scores(0.0, 1), other)
    assert found.values.empty and found.llms.empty and found.cells.empty


def test_a_missing_score_is_no_score() -> None:
    first, second = scores(0.1, 1), scores(0.1, 2)
    first.loc[first["llm"] == "llm 3", "score"] = None
    found = study_agreement(first, second)
    assert "llm 3" not in set(found.llms["llm"]) and len(found.llms) == LLMS - 1
