"""A study's validity from its sums: rules side by side, known groups, LLMs that differ."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from gpla_assets.content import profiles, schwartz
from gpla_assets.evaluator.expression import SUMS, less_questions, subject_scores
from gpla_assets.studies.measurement import RULES, MeasurementRule
from gpla_assets.validation.by_question import ByQuestion, unit_of
from gpla_assets.validation.findings import COLUMNS
from gpla_assets.validation.question_halves import MEDIAN, RANK
from gpla_assets.validation.study_validity import (
    CLASSIFIER,
    LESS_STYLE,
    RELIABILITY,
    SHARE,
    STEERING,
    asked_on,
    study_validity,
    unreliable,
)

TEN = schwartz().query("level == 'lower'")["value"].tolist()
QUESTIONS = 12
PERCEPTIONS = 4


def study_subjects(llms: int, names: tuple[str, ...] = ("Default",)) -> pd.DataFrame:
    known = profiles().set_index("profile")["asks"]
    rows = [(f"m{n:02d}|{one}", f"m{n:02d}", one, known[one]) for n in range(llms) for one in names]
    return pd.DataFrame(rows, columns=["subject_id", "llm", "profile", "asks"])


def expressed(subjects: pd.DataFrame, own: pd.DataFrame, noise: float = 1.0) -> pd.DataFrame:
    """Sums of responses whose logits of relevance are `own` (subjects x values) and noise."""
    random, rows = np.random.default_rng(0), []
    for subject in subjects["subject_id"]:
        for question in range(QUESTIONS):
            logits = own.loc[subject].to_numpy() + noise * random.standard_normal(own.shape[1])
            for value, logit in zip(own.columns, logits, strict=True):
                relevant = float(logit > 0)
                sums = {
                    "n": PERCEPTIONS,
                    "weight_sum": float(PERCEPTIONS),
                    "logit_sum": PERCEPTIONS * logit,
                    "relevant_n": relevant,
                    "sided_n": relevant,
                    "score_sum": 0.5 * relevant,
                    "top_n": relevant,
                    "top_weight": relevant,
                    "top_sum": 0.5 * relevant,
                }
                rows.append((subject, f"q{question:02d}", value, *(sums[name] for name in SUMS)))
    columns = ["subject_id", "question_id", "value", *SUMS]
    return pd.DataFrame(rows, columns=columns).assign(lexicon="Schwartz-10")


def responses(subjects: pd.DataFrame) -> pd.DataFrame:
    random = np.random.default_rng(0)
    words = ["table", "chair", "window", "garden", "river", "stone"]
    rows = [
        (row.subject_id, f"q{question:02d}", " ".join(random.choice(words, 20)) + f" {row.asks}.")
        for row in subjects.itertuples()
        for question in range(QUESTIONS)
    ]
    return pd.DataFrame(rows, columns=["subject_id", "question_id", "content"])


def levels(subjects: pd.DataFrame, spread: float) -> pd.DataFrame:
    random = np.random.default_rng(1)
    drawn = spread * random.standard_normal((len(subjects), len(TEN)))
    return pd.DataFrame(drawn, list(subjects["subject_id"]), TEN)


def number(rows: pd.DataFrame, **where: Any) -> float:
    for name, wanted in where.items():
        rows = rows[rows[name] == wanted]
    assert len(rows) == 1
    return float(rows["number"].iloc[0])


def test_sums_by_question_score_as_the_rules_do() -> None:
    subjects = study_subjects(3)
    sums = expressed(subjects, levels(subjects, 1.0))
    by_question = ByQuestion(sums, "subject_id")
    some = ["q01", "q07"]
    every = less_questions(sums).rename(columns={"subject_id": "subject"})
    part = every[every["question_id"].isin(some)]
    for rule in RULES:
        wanted = subject_scores(part, rule).pivot(index="subject", columns="value", values="score")
        found = by_question.scores(rule)(some)
        np.testing.assert_allclose(found, wanted.loc[found.index, found.columns])


def test_cells_are_of_each_response_and_nan_where_nothing_was_found() -> None:
    subjects = study_subjects(2)
    sums = expressed(subjects, levels(subjects, 1.0))
    answered = sums[~((sums["subject_id"] == "m00|Default") & (sums["question_id"] == "q03"))]
    cells = ByQuestion(answered, "subject_id").cells("salience")
    assert len(cells) == 2 * QUESTIONS * len(TEN)
    none = cells[cells["score"].isna()]
    assert set(none["question"]) == {"q03"} and set(none["unit"]) == {"m00|Default"}
    one = sums.iloc[0]
    same = cells.query("unit == @one.subject_id and question == @one.question_id")
    same = same.set_index("value")["score"]
    assert same[one["value"]] == pytest.approx(one["logit_sum"] / PERCEPTIONS)


def test_llms_are_told_apart_where_there_are_enough_else_subjects() -> None:
    assert unit_of(study_subjects(4)) == "llm"
    assert unit_of(study_subjects(3, ("Default", "Hedonism"))) == "subject_id"


def test_profiles_ask_for_their_value_and_for_its_pole() -> None:
    subjects = study_subjects(1, ("Default", "Hedonism", "Power: Dominance"))
    assert asked_on(subjects, TEN).values.tolist() == [
        ["Hedonism", "Hedonism"],
        ["Power: Dominance", "Power"],
    ]
    poles = asked_on(subjects, ["Openness to Change", "Self-Enhancement"])
    assert poles.values.tolist() == [
        ["Hedonism", "Openness to Change"],
        ["Power: Dominance", "Self-Enhancement"],
    ]


def test_steering_is_found_by_rules_that_read_how_much_a_value_is_expressed() -> None:
    names = ("Default", "Hedonism", "Power: Dominance", "Tradition", "Stimulation")
    subjects = study_subjects(1, names)
    own = levels(subjects, 0.1)
    for row in subjects.dropna(subset=["asks"]).itertuples():
        own.loc[row.subject_id, row.asks] += 1.0
    rows = study_validity(expressed(subjects, own), responses(subjects), subjects, "M_E")
    assert list(rows.columns) == COLUMNS
    steered = rows[rows["check"] == STEERING]
    assert number(steered, rule="salience", measure=SHARE) == 1
    assert number(steered, rule="share", measure=SHARE) > 0.8
    # a score that is .5 wherever there is one tells nothing
    assert number(steered, rule="gpv", measure=SHARE) == 0.5
    # each response names what its profile asks for
    assert number(steered, agent=CLASSIFIER, measure=SHARE) == 1
    assert number(steered, rule="salience", measure="Power under Power: Dominance") == 1


@pytest.mark.parametrize(("spread", "reliable"), [(0.0, False), (1.0, True)])
def test_reliability_is_of_llms_that_differ(spread: float, reliable: bool) -> None:
    subjects = study_subjects(20)
    sums = expressed(subjects, levels(subjects, spread))
    rows = study_validity(sums, responses(subjects), subjects, "M_E", ["salience"])
    assert set(rows["check"]) == {RELIABILITY, LESS_STYLE}
    whole = rows[rows["check"] == RELIABILITY]
    assert (number(whole, measure=MEDIAN) > 0.7) == reliable
    assert (number(whole, measure=RANK) < 3) == reliable
    said = unreliable(sums, subjects, "salience")
    assert (said is None) == reliable
    assert said is None or said.startswith("Not reliable: across 20 LLMs, ")


def test_a_rule_that_reads_what_is_not_known_has_no_rows() -> None:
    subjects = study_subjects(6)
    sums = expressed(subjects, levels(subjects, 1.0)).assign(logit_sum=np.nan)
    rules: list[MeasurementRule] = ["salience", "share"]
    rows = study_validity(sums, responses(subjects), subjects, "M_E", rules)
    assert set(rows["rule"]) == {"share"}


def test_one_llm_without_profiles_has_nothing_to_be_judged_by() -> None:
    subjects = study_subjects(1)
    sums = expressed(subjects, levels(subjects, 1.0))
    assert study_validity(sums, responses(subjects), subjects, "M_E").empty
    assert unreliable(sums, subjects, "salience") is None
