"""Intervals hold what they say: by hand, by recomputing, and over simulated studies."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from gpla_assets.evaluator.estimates import FEWEST_QUESTIONS, compared, estimates
from gpla_assets.evaluator.expression import SUMS, less_questions, subject_scores
from gpla_assets.studies.measurement import RULES, MeasurementRule

STUDIES = 1000


def responses(logits: np.ndarray, sentences: np.ndarray | int = 1) -> pd.DataFrame:
    """Sums of one value: mean logits (subjects, questions) of so many sentences each."""
    subject, question = np.divmod(np.arange(logits.size), logits.shape[1])
    n = np.broadcast_to(sentences, logits.shape).ravel().astype(float)
    rows = pd.DataFrame({name: np.zeros(logits.size) for name in SUMS}).assign(
        subject_id=[f"s{one:02d}" for one in subject],
        question_id=[f"q{one:03d}" for one in question],
        response_id=[f"r{one:05d}" for one in range(logits.size)],
        value="Care",
        n=n.astype(int),
        weight_sum=n,
        logit_sum=logits.ravel() * n,
    )
    return rows[rows["n"] > 0]


def themselves(rows: pd.DataFrame) -> pd.Series:
    return pd.Series({one: one for one in rows["subject_id"].unique()})


def counts(rng: np.random.Generator, n_subjects: int, n_questions: int) -> pd.DataFrame:
    """Sums as measurements give them: sentences, some of them relevant, some on a side."""
    rows = responses(
        np.zeros((n_subjects, n_questions)), rng.integers(1, 9, (n_subjects, n_questions))
    )
    n = rows["n"].to_numpy()
    relevant = rng.binomial(n, rng.uniform(0.2, 0.6, len(rows)))
    sided = rng.binomial(relevant, 0.8)
    return rows.assign(
        logit_sum=rng.normal(-1, 1, len(rows)) * n,
        relevant_n=relevant.astype(float),
        sided_n=sided.astype(float),
        score_sum=sided * rng.uniform(-1, 1, len(rows)),
        top_n=np.minimum(relevant, 2).astype(float),
        top_weight=np.minimum(sided, 2) * 0.5,
        top_sum=np.minimum(sided, 2) * 0.5 * rng.uniform(-1, 1, len(rows)),
    )


def test_with_one_subject_it_is_the_t_interval_of_its_questions() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(-2, 1, (1, 12))
    rows = responses(logits)
    found = estimates(rows, themselves(rows), "salience").iloc[0]
    known = stats.ttest_1samp(logits[0], 0).confidence_interval(0.95)
    assert found["score"] == pytest.approx(logits.mean())
    assert found["se"] == pytest.approx(stats.sem(logits[0]))
    assert (found["low"], found["high"]) == pytest.approx((known.low, known.high))
    assert found["n_questions"] == 12 and not found["few"]
    assert np.isnan(found["difference"]) and np.isnan(found["shrunken"])


def test_two_subjects_differ_by_the_paired_t_interval_of_their_questions() -> None:
    rng = np.random.default_rng(1)
    logits = rng.normal(-2, 1, (2, 9)) + rng.normal(0, 3, 9)
    rows = responses(logits)
    known = stats.ttest_rel(*logits).confidence_interval(0.95)
    first = estimates(rows, themselves(rows), "salience").iloc[0]
    both = compared(rows, themselves(rows), "salience", "s00", "s01").iloc[0]
    difference = (logits[0] - logits[1]).mean()
    assert (first["difference"], both["difference"]) == pytest.approx((difference, difference))
    for ends in (first[["difference_low", "difference_high"]], both[["low", "high"]]):
        assert tuple(ends) == pytest.approx((known.low, known.high))
    assert first["few"] and FEWEST_QUESTIONS > 9


@pytest.mark.parametrize("rule", RULES)
def test_a_standard_error_is_of_the_rules_own_number_without_each_question(
    rule: MeasurementRule,
) -> None:
    rows = counts(np.random.default_rng(2), 3, 8).iloc[3:]  # the first did not answer three
    # two profiles of one LLM beside another LLM
    units = pd.Series({"s00": "a", "s01": "a", "s02": "b"})

    def scores(some: pd.DataFrame) -> pd.Series:
        found = subject_scores(less_questions(some).assign(subject=some["subject_id"]), rule)
        return found.groupby(found["subject"].map(units))["score"].mean()

    whole = scores(rows)
    without = pd.DataFrame(
        {one: scores(rows[rows["question_id"] != one]) for one in rows["question_id"].unique()}
    )
    found = estimates(rows, units, rule).set_index("unit")
    assert found["score"].to_dict() == pytest.approx(whole.to_dict())
    for unit in ("a", "b"):
        k = found.loc[unit, "n_questions"]
        spread = ((without.loc[unit] - whole[unit]) ** 2).sum() * (k - 1) / k
        assert found.loc[unit, "se"] == pytest.approx(np.sqrt(spread))
    apart = without.loc["a"] - without.loc["b"] - (whole["a"] - whole["b"])
    k = found.loc["a", "n_questions"]
    half = stats.t.ppf(0.975, k - 1) * np.sqrt((apart**2).sum() * (k - 1) / k)
    assert found.loc["a", "difference_high"] - found.loc["a", "difference"] == pytest.approx(half)


@pytest.mark.parametrize("questions", [10, 30])
def test_the_interval_holds_the_truth_in_95_of_100_studies(questions: int) -> None:
    """Questions differ in what they bring to all, answers in length, some are missing."""
    rng = np.random.default_rng(3)
    truth = np.array([-3.0, -2.5, -2.5, -2.0])
    apart = truth - (truth.sum() - truth) / 3
    studies = []
    for number in range(STUDIES):
        brought = rng.normal(0, 0.7, questions)
        logits = truth[:, None] + brought + rng.normal(0, 0.5, (4, questions))
        rows = responses(logits, rng.poisson(3, logits.shape))
        studies.append(rows.assign(value=f"study {number}"))
    found = estimates(pd.concat(studies), themselves(studies[0]), "salience")
    assert len(found) == 4 * STUDIES
    place = found["unit"].str[1:].astype(int).to_numpy()
    held = found["low"].le(truth[place]) & found["high"].ge(truth[place])
    held_apart = found["difference_low"].le(apart[place]) & found["difference_high"].ge(
        apart[place]
    )
    # a standard error of .006, or somewhat more, since LLMs answer the same questions
    assert held.mean() == pytest.approx(0.95, abs=0.02)
    assert held_apart.mean() == pytest.approx(0.95, abs=0.015)


def test_a_direction_is_held_too_though_few_sentences_take_a_side() -> None:
    rng = np.random.default_rng(4)
    studies = []
    for number in range(STUDIES):
        lean = np.clip(rng.normal(0.3, 0.4, 40), -1, 1)
        sided = rng.binomial(4, 0.3, 40).astype(float)
        rows = responses(np.zeros((1, 40)), 4).assign(value=f"study {number}")
        studies.append(rows.assign(sided_n=sided, relevant_n=sided, score_sum=sided * lean))
    rows = pd.concat(studies)
    found = estimates(rows, themselves(rows), "gpv").set_index("value")
    # the mean of the normal once it is cut at -1 and 1
    truth = np.clip(rng.normal(0.3, 0.4, 1_000_000), -1, 1).mean()
    held = found["direction_low"].le(truth) & found["direction_high"].ge(truth)
    assert held.mean() == pytest.approx(0.95, abs=0.02)
    assert found.loc["study 0", "n_questions"] == (studies[0]["sided_n"] > 0).sum()


def test_shrinking_comes_nearer_to_the_truth_than_the_scores_and_keeps_none_of_mere_noise() -> None:
    rng = np.random.default_rng(5)
    truth = rng.normal(-2, 0.2, 40)
    rows = responses(truth[:, None] + rng.normal(0, 1, (40, 12)))
    found = estimates(rows, themselves(rows), "salience")
    raw, shrunken = (((found[name] - truth) ** 2).mean() for name in ("score", "shrunken"))
    # a reliability of .04 / (.04 + 1 / 12) = .32: so much of the error is left
    assert shrunken / raw == pytest.approx(0.32, abs=0.15)
    noise = responses(np.tile(rng.normal(0, 1, 12), (5, 1)) * [[1]] * 5)
    same = estimates(noise, themselves(noise), "salience")
    assert same["shrunken"].to_numpy() == pytest.approx(same["score"].mean())


def test_one_question_gives_a_score_and_no_interval_and_none_gives_no_row() -> None:
    rows = responses(np.array([[-1.0, 0.0], [-2.0, -3.0]]), np.array([[2, 0], [2, 3]]))
    found = estimates(rows, themselves(rows), "salience").set_index("unit")
    assert found.loc["s00", "n_questions"] == 1
    assert np.isnan(found.loc["s00", ["se", "low", "high"]].astype(float)).all()
    assert found.loc["s01", "se"] > 0
    assert estimates(rows, themselves(rows), "gpv").empty


def test_an_interval_stays_where_a_score_can_be() -> None:
    rows = responses(np.zeros((1, 3)), 1).assign(
        sided_n=1.0, relevant_n=1.0, score_sum=[0.99, 0.98, 0.7]
    )
    found = estimates(rows, themselves(rows), "gpv").iloc[0]
    assert found["high"] == 1 and found["low"] < 0.7


def test_values_in_parts_are_those_of_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(6)
    rows = pd.concat([counts(rng, 4, 6).assign(value=value) for value in "abc"])
    whole = estimates(rows, themselves(rows), "salience")
    monkeypatch.setattr("gpla_assets.evaluator.estimates.CELLS", 1)
    pd.testing.assert_frame_equal(estimates(rows, themselves(rows), "salience"), whole)
