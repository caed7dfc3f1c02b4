"""Reliability across LLMs and generalizability: known components come out, noise gives chance."""

from __future__ import annotations

from collections.abc import Callable, Collection

import numpy as np
import pandas as pd
import pytest

from gpla_assets.evaluator.expression import SUMS
from gpla_assets.validation.by_question import response_cells
from gpla_assets.validation.generalizability import (
    coefficient,
    components,
    generalizability,
    planned,
    questions_needed,
    stepped_up,
)
from gpla_assets.validation.question_halves import (
    FIRST,
    R_OF_HALVES,
    RANK,
    UNRELIABLE,
    Halves,
    half_correlations,
    own_ranks,
    question_halves,
    reliabilities,
    reliability_caution,
    reliability_rows,
    weighted_correlations,
)

LLMS, QUESTIONS, VALUES = 60, 40, 12


def answers(
    llm: float,
    question: float,
    rest: float,
    seed: int = 0,
    shape: tuple[int, int] = (LLMS, QUESTIONS),
) -> np.ndarray:
    """Scores (llms, questions, VALUES) with these standard deviations."""
    random = np.random.default_rng(seed)
    return np.asarray(
        llm * random.standard_normal((shape[0], 1, VALUES))
        + question * random.standard_normal((1, shape[1], VALUES))
        + rest * random.standard_normal((*shape, VALUES))
    )


def mean_of(cube: np.ndarray) -> tuple[list[str], Callable[[Collection[str]], pd.DataFrame]]:
    """Keys of the questions, and mean scores over some of them."""
    keys = [f"q{number:02d}" for number in range(cube.shape[1])]
    units = [f"llm{number:02d}" for number in range(len(cube))]
    values = [f"v{number:02d}" for number in range(cube.shape[2])]

    def score(some: Collection[str]) -> pd.DataFrame:
        places = [keys.index(key) for key in some]
        return pd.DataFrame(cube[:, places].mean(axis=1), units, values)

    return keys, score


def cells_of(cube: np.ndarray) -> pd.DataFrame:
    """The same as rows unit, question, value, score."""
    index = pd.MultiIndex.from_product(
        [range(size) for size in cube.shape], names=["unit", "question", "value"]
    )
    return pd.Series(cube.ravel(), index, name="score").reset_index()


def halves_of(cube: np.ndarray, splits: int = 20) -> Halves:
    return question_halves(*mean_of(cube), splits=splits)


def test_halves_share_no_question_and_are_drawn_by_the_seed() -> None:
    cube = answers(1, 1, 1)
    keys, score = mean_of(cube)
    asked: list[list[str]] = []

    def noted(some: Collection[str]) -> pd.DataFrame:
        asked.append(list(some))
        return score(some)

    found = question_halves(keys, noted, splits=3)
    assert found.first.shape == found.second.shape == (3, LLMS, VALUES)
    for first, second in zip(asked[1::2], asked[2::2], strict=True):
        assert sorted(first + second) == keys
        assert len(first) == len(second) == QUESTIONS // 2
    again = question_halves(keys, score, splits=3)
    np.testing.assert_array_equal(found.first, again.first)
    assert not np.array_equal(found.first, question_halves(keys, score, 3, seed=1).first)


def test_reliability_is_that_of_the_simulated_components() -> None:
    # 40 questions: 1 / (1 + 4^2 / 40)
    found = reliabilities(halves_of(answers(1, 3, 4)))
    assert found.mean() == pytest.approx(1 / (1 + 16 / 40), abs=0.06)


def test_r_of_halves_is_pearsons_and_weights_count_units_twice() -> None:
    found = halves_of(answers(1, 1, 3), splits=2)
    first, second = found.first[0, :, 3], found.second[0, :, 3]
    assert half_correlations(found)[0, 3] == pytest.approx(np.corrcoef(first, second)[0, 1])
    weights = np.ones(LLMS)
    weights[:2], weights[2] = 2, 0
    twice = [0, 0, 1, 1, *range(3, LLMS)]
    assert weighted_correlations(found, weights[None])[0, 0, 3] == pytest.approx(
        np.corrcoef(first[twice], second[twice])[0, 1]
    )


def test_scores_without_variance_have_no_r() -> None:
    found = halves_of(answers(1, 1, 3), splits=1)
    found.first[0, :, 2] = 0.1
    assert np.isnan(half_correlations(found)[0, 2])


def test_cells_without_a_score_are_left_out_pair_by_pair() -> None:
    found = halves_of(answers(1, 1, 3), splits=1)
    found.first[0, :5, 0], found.second[0, 5:9, 0] = np.nan, np.nan
    found.first[0, 3:, 1] = np.nan
    r = half_correlations(found)
    kept = slice(9, None)
    assert r[0, 0] == pytest.approx(
        np.corrcoef(found.first[0, kept, 0], found.second[0, kept, 0])[0, 1]
    )
    assert np.isnan(r[0, 1])


def test_noise_has_no_reliability_and_ranks_by_chance() -> None:
    found = halves_of(answers(0, 1, 3))
    rows = reliability_rows(found, 0.7).set_index("measure")
    r = rows.loc[R_OF_HALVES]
    assert abs(r["number"]) < 0.06
    assert r["low"] < 0.05 and r["high"] > -0.05
    rank = rows.loc[RANK]
    assert rank["number"] == pytest.approx((LLMS + 1) / 2, abs=3)
    assert rank["known"] == "chance 30.5"
    assert rows.loc[UNRELIABLE, "number"] == VALUES


def test_llms_that_differ_are_found_again_at_rank_one() -> None:
    found = halves_of(answers(3, 1, 1), splits=5)
    assert (own_ranks(found) == 1).all()
    rows = reliability_rows(found, 0.7).set_index("measure")
    assert rows.loc[FIRST, ["number", "low"]].tolist() == [1, 1]
    assert rows.loc[UNRELIABLE, "number"] == 0
    assert rows.loc["questions for 0.7, median value", "number"] < QUESTIONS


def test_a_profile_that_all_share_ranks_by_chance() -> None:
    cube = answers(0, 0, 1) + 10 * np.arange(VALUES)
    assert own_ranks(halves_of(cube)).mean() == pytest.approx((LLMS + 1) / 2, abs=3)


def test_unknown_cells_give_no_rank_away() -> None:
    found = halves_of(answers(3, 1, 1), splits=2)
    found.first[:, 0] = np.nan
    ranks = own_ranks(found)
    assert ranks[:, 0] == pytest.approx((LLMS + 1) / 2)
    assert np.allclose(ranks[:, 1:], 1)


def test_what_style_explains_goes_and_the_rest_stays() -> None:
    cube = answers(0, 1, 1) + 3 * np.linspace(-1, 1, LLMS)[:, None, None]
    own = answers(2, 1, 1)
    style = pd.DataFrame(
        {"log_words": np.linspace(5, 9, LLMS)}, [f"llm{n:02d}" for n in range(LLMS)]
    )
    assert half_correlations(halves_of(cube)).mean() > 0.9
    assert abs(half_correlations(halves_of(cube).less_style(style)).mean()) < 0.06
    assert half_correlations(halves_of(own).less_style(style)).mean() > 0.9


def test_spearman_brown_and_the_questions_needed_agree() -> None:
    assert stepped_up(0.35) == pytest.approx(0.7 / 1.35)
    needed = questions_needed(0.4, 24, 0.7)
    assert stepped_up(0.4, needed / 24) == pytest.approx(0.7, abs=0.001)
    assert questions_needed(-0.1, 24, 0.7) == float("inf")


def test_components_are_those_that_were_simulated() -> None:
    found = components(cells_of(answers(1.0, 2.0, 3.0)))
    means = found[["between_units", "between_questions", "interaction"]].mean()
    assert means.tolist() == pytest.approx([1, 4, 9], rel=0.25)
    assert found["interaction"].tolist() == pytest.approx([9] * VALUES, rel=0.12)
    assert found["within"].isna().all()


def test_balanced_components_are_those_of_the_analysis_of_variance() -> None:
    cube = answers(1, 1, 1, shape=(5, 7))
    table = cube[:, :, 0]
    found = components(cells_of(cube)).iloc[0]
    rest = table - table.mean(1, keepdims=True) - table.mean(0) + table.mean()
    residual = (rest**2).sum() / (4 * 6)
    of_units = 7 * table.mean(1).var(ddof=1)
    assert found["interaction"] == pytest.approx(residual)
    assert found["between_units"] == pytest.approx(max((of_units - residual) / 7, 0))


def test_missing_cells_leave_the_components_near() -> None:
    cells = cells_of(answers(1, 2, 3))
    kept = cells.sample(frac=0.7, random_state=0)
    assert len(kept) < len(cells)
    means = components(kept)[["between_units", "between_questions", "interaction"]].mean()
    assert means.tolist() == pytest.approx([1, 4, 9], rel=0.3)


def test_responses_without_a_score_are_questions_asked_for_nothing() -> None:
    cells = cells_of(answers(1, 2, 3))
    random = np.random.default_rng(1)
    cells.loc[random.random(len(cells)) < 0.5, "score"] = np.nan
    found = components(cells)
    assert found["scored"].tolist() == pytest.approx([0.5] * VALUES, abs=0.05)
    assert found["questions"].unique().tolist() == [QUESTIONS]
    # 9 / (k / 2) against 1
    assert planned(found, 0.7)["needed"].median() == pytest.approx(42, rel=0.35)
    cells.loc[random.random(len(cells)) < 0.97, "score"] = np.nan
    assert planned(components(cells), 0.7)["needed"].isna().all()


def test_repeated_samples_tell_the_interaction_from_what_differs_within() -> None:
    random, cells = np.random.default_rng(0), cells_of(answers(1, 1, 2))
    samples = pd.concat(
        [
            cells.assign(score=cells["score"] + 3 * random.standard_normal(len(cells)))
            for _ in range(3)
        ]
    )
    found = components(samples)
    assert found["within"].mean() == pytest.approx(9, rel=0.05)
    assert found["interaction"].mean() == pytest.approx(4, rel=0.15)
    assert found["between_units"].mean() == pytest.approx(1, rel=0.25)
    once, often = coefficient(found, 20), coefficient(found, 20, asked=9)
    assert once.mean() == pytest.approx(1 / (1 + 13 / 20), abs=0.06)
    assert often.mean() == pytest.approx(1 / (1 + 5 / 20), abs=0.06)


def test_so_many_questions_are_planned_as_give_the_reliability() -> None:
    parts = components(cells_of(answers(1, 2, 3)))
    plan = planned(parts, 0.7)
    # 9 / k against 1: k = 9 x .7 / .3
    assert plan["needed"].median() == pytest.approx(21, rel=0.35)
    of_plan = [
        float(coefficient(parts.iloc[[row]], plan["needed"].iloc[row]).iloc[0])
        for row in range(len(plan))
    ]
    assert of_plan == pytest.approx([0.7] * len(plan), abs=0.01)
    by_halves = reliabilities(halves_of(answers(1, 2, 3)))
    assert plan["reliability"].mean() == pytest.approx(by_halves.mean(), abs=0.05)


def test_where_llms_do_not_differ_no_number_of_questions_will_do() -> None:
    cells = cells_of(answers(0, 1, 1, shape=(8, 6)))
    # each LLM's mean made the same: no variance between LLMs at all
    cells["score"] -= cells.groupby(["unit", "value"])["score"].transform("mean")
    plan = planned(components(cells), 0.7)
    assert (plan["between_units"] == 0).all()
    assert np.isinf(plan["needed"]).all()
    few = planned(components(cells[cells["unit"] == 0]), 0.7)
    assert few["needed"].isna().all()


def test_a_caution_names_the_values_below_a_half_and_what_would_help() -> None:
    each = pd.Series({"a": 0.2, "b": 0.3, "c": 0.6, "d": np.nan})
    said = reliability_caution(each, 20, "37 LLMs", 0.7)
    assert said is not None
    assert "across 37 LLMs, 2 of 3 values" in said
    # 20 x .7 / .3 x .7 / .3
    assert "median 0.30" in said and "about 109 such questions" in said
    none = reliability_caution(each * 0, 20, "37 LLMs", 0.7)
    assert none is not None and "1,000 such questions would not" in none
    assert reliability_caution(each.dropna() + 0.5, 20, "37 LLMs", 0.7) is None


def sampled(
    parts: tuple[float, float, float, float], shape: tuple[int, int, int], seed: int = 1
) -> pd.DataFrame:
    """Cells of answers with these variances between units, questions, their pairs and samples."""
    random, (units, questions, _) = np.random.default_rng(seed), shape
    unit, question, pair, sample = (np.sqrt(one) for one in parts)
    y = (
        unit * random.standard_normal((units, 1, 1))
        + question * random.standard_normal((1, questions, 1))
        + pair * random.standard_normal((units, questions, 1))
        + sample * random.standard_normal(shape)
    )
    places = pd.MultiIndex.from_product([range(n) for n in shape], names=["unit", "question", "n"])
    return pd.DataFrame({"score": y.ravel()}, places).reset_index().assign(value="Honesty")


def test_variance_between_samples_is_told_from_that_between_questions() -> None:
    """Known components; the coefficients are Brennan's, worked by hand."""
    (row,) = generalizability(sampled((1.0, 0.5, 2.0, 3.0), (150, 40, 4))).itertuples()
    assert (row.units, row.questions, row.samples, row.scored) == (150, 40, 4, 1)
    assert row.within == pytest.approx(3.0, rel=0.05)
    assert row.interaction == pytest.approx(2.0, rel=0.1)
    assert row.between_units == pytest.approx(1.0, rel=0.3)
    assert row.between_questions == pytest.approx(0.5, rel=0.6)
    unit, rest = row.between_units, row.interaction
    # 40 questions, 4 samples each: the error is (rest + 3 / 4) / 40
    assert row.coefficient == pytest.approx(unit / (unit + (rest + row.within / 4) / 40))
    assert row.twice_questions == pytest.approx(unit / (unit + (rest + row.within / 4) / 80))
    assert row.twice_samples == pytest.approx(unit / (unit + (rest + row.within / 8) / 40))
    assert row.coefficient < row.twice_samples < row.twice_questions


def test_the_coefficient_is_what_another_set_of_questions_would_give() -> None:
    """What it says: the correlation of scores from two sets of questions, over the same units."""
    found, real = [], []
    for seed in range(20):
        cells = sampled((0.2, 0.3, 2.0, 2.0), (60, 20, 3), seed)
        found.append(generalizability(cells)["coefficient"].iloc[0])
        halves = [sampled((0.0, 0.3, 2.0, 2.0), (60, 20, 3), 1000 + 2 * seed + n) for n in (0, 1)]
        true = np.sqrt(0.2) * np.random.default_rng(seed + 500).standard_normal(60)
        first, second = (own.groupby("unit")["score"].mean().to_numpy() + true for own in halves)
        real.append(np.corrcoef(first, second)[0, 1])
    # 0.2 / (0.2 + (2 + 2 / 3) / 20)
    assert np.mean(found) == pytest.approx(0.6, abs=0.04)
    assert np.mean(real) == pytest.approx(0.6, abs=0.06)


def test_of_single_answers_nothing_is_said_of_samples() -> None:
    (row,) = generalizability(sampled((1.0, 0.5, 2.0, 0.0), (60, 30, 1))).itertuples()
    assert row.samples == 1
    assert np.isnan(row.within) and np.isnan(row.twice_samples)
    assert row.coefficient == pytest.approx(1 / (1 + 2 / 30), abs=0.06)


def test_cells_of_responses_keep_samples_apart() -> None:
    sums = pd.DataFrame(0.0, range(4), SUMS).assign(
        response_id=["a", "b", "c", "d"],
        subject_id=["s", "s", "s", "t"],
        question_id=["q", "q", "r", "q"],
        value="Honesty",
    )
    sums = sums.assign(weight_sum=2.0, relevant_n=[2.0, 1.0, 0.0, 2.0])
    found = response_cells(sums, "subject_id", "share")
    assert found[["unit", "question", "score"]].to_numpy().tolist() == [
        *(["s", "q", 1.0], ["s", "q", 0.5], ["s", "r", 0.0], ["t", "q", 1.0])
    ]
