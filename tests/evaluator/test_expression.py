"""Sums of a reading, and scores by rule: by hand, by property, and against the rule of scoring."""

from __future__ import annotations

import duckdb
import jinja2
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpla_assets.evaluator.expression import (
    SUMS,
    Cuts,
    Reading,
    ReadingError,
    expressions,
    leading_weights,
    less_questions,
    logit,
    subject_scores,
    to_judge,
    tops,
)
from gpla_assets.evaluator.scoring import pooled
from gpla_assets.studies import StudyError, dbt_folder, load_study, parse_study
from gpla_assets.studies.measurement import MeasurementRule

VALUES = ["Care", "Order"]
CUTS = Cuts(minimum_relevance=0.5, top_relevance=0.2)
RULES: tuple[MeasurementRule, ...] = ("gpv", "share", "net", "salience", "top")


def _by_hand() -> Reading:
    relevance = np.array([[0.9, 0.6], [0.1, 0.25], [0.5, 0.05], [0.7, 0.8]])
    lean = np.array([[0.5, -1.0], [np.nan, 0.4], [0.2, np.nan], [0.1, 0.3]])
    undecided = np.array([[False, False], [False, False], [False, False], [True, False]])
    return Reading(relevance, lean, undecided)


def _total(rule: MeasurementRule, weights: np.ndarray | None = None) -> pd.DataFrame:
    sums = expressions(_by_hand(), VALUES, ["s"] * 4, CUTS, weights)
    return subject_scores(sums.rename(columns={"group": "subject"}), rule).set_index("value")


def test_rules_by_hand() -> None:
    care, order = (_total(rule).loc["Care"] for rule in ("gpv", "net"))
    # relevant to Care: the first and the last, which is undecided
    assert care["score"] == care["direction"] == 0.5
    assert (care["salience"], care["n"]) == (0.5, 1)
    assert order["score"] == 0.5 / 4
    assert _total("share").loc["Order", "score"] == 0.5
    expected = np.mean([np.log(r / (1 - r)) for r in (0.6, 0.25, 0.05, 0.8)])
    assert _total("salience").loc["Order", "score"] == pytest.approx(expected)
    top = _total("top").loc["Order"]
    # the second and the last perception are about Order before all
    lead = logit(np.array([0.25, 0.8])) - logit(np.array([0.1, 0.7]))
    strength = np.sqrt([0.25, 0.8]) * lead / (2 * logit(np.ones(1)))
    signed = strength @ [0.4, 0.3]
    assert top["salience"] == 0.5
    assert top["direction"] == pytest.approx(signed / strength.sum())
    assert top["score"] == pytest.approx(signed / 4)


def test_a_weight_of_nothing_leaves_a_perception_out() -> None:
    only = _total("gpv", np.array([1.0, 0.0, 0.0, 0.0]))
    assert only["n"].tolist() == [1, 1]
    assert only["score"].tolist() == [0.5, -1.0]
    half = _total("net", np.array([1.0, 0.5, 0.5, 0.0]))
    assert half.loc["Care", "score"] == 0.5 / 2


def test_what_holds_the_question_or_comes_first_counts_whole() -> None:
    contents = ["No, never.", "Is order good? It is.", 'Asked "Why order?": for peace.', "More."]
    questions = ["Is order good?", "Is order  good?", "Why order?", None]
    found = leading_weights(contents, questions, [0, 1, 2, 3], 0.25)
    assert found.tolist() == [1, 1, 1, 0.25]


def test_only_pairs_that_a_rule_reads_are_judged() -> None:
    judged = to_judge(_by_hand().relevance, CUTS)
    assert judged.tolist() == [[True, True], [False, True], [True, False], [True, True]]
    assert tops(np.array([[0.3, 0.3], [0.2, np.nan]]), 0.2).tolist() == [[True, False], [False] * 2]


def test_a_response_whose_relevance_is_not_known_counts_for_no_salience() -> None:
    reading = Reading(
        np.array([[0.9, np.nan], [0.5, 0.5]]), np.full((2, 2), 0.5), np.zeros((2, 2), bool)
    )
    sums = expressions(reading, VALUES, ["a", "b"], CUTS).assign(subject="s")
    care, order = subject_scores(sums, "salience")["score"]
    assert care == pytest.approx(np.log(9) / 2)
    assert order == 0
    assert subject_scores(sums, "share")["score"].tolist() == [0.5, 0.0]


def test_a_gated_llm_refuses_continuous_rules() -> None:
    text = """
    {name: x, corpus: [{source: demo}], subjects: [{source: demo}],
     evaluator: {backend: openai, model: m, gate: GATE}, measurement: {rule: RULE}}
    """
    with pytest.raises(StudyError, match=r"rule salience needs .*gate = 0.1 .*expected rule gpv"):
        parse_study(text.replace("GATE", "0.1").replace("RULE", "salience"), "x")
    for gate, rule in (("null", "salience"), ("0.1", "net")):
        study = parse_study(text.replace("GATE", gate).replace("RULE", rule), "x")
        assert study.measurement.rule == rule
    assert load_study("demo").measurement.rule == "salience"
    assert load_study("paper").measurement.rule == "gpv"


def test_what_a_question_brings_goes_and_what_differs_within_it_stays() -> None:
    columns = ["subject", "question_id", "value", "weight_sum", "logit_sum"]
    # s2 says little to q1, which brings much; within each question s2 is 1 higher
    rows = [
        *(("s1", "q1", "Care", 10.0, 30.0), ("s1", "q2", "Care", 2.0, 0.0)),
        *(("s2", "q1", "Care", 2.0, 8.0), ("s2", "q2", "Care", 10.0, 10.0)),
    ]
    sums = pd.DataFrame(rows, columns=columns).reindex(columns=[*columns[:3], *SUMS])
    sums = sums.fillna({name: 1.0 for name in SUMS})
    before, after = (
        subject_scores(one, "salience").set_index("subject")["score"]
        for one in (sums, less_questions(sums))
    )
    assert before["s1"] > before["s2"]
    assert after["s2"] - after["s1"] == pytest.approx(1)
    assert after.mean() == pytest.approx(2)
    # equal answers to a question are no difference, whatever it brings
    sums["logit_sum"] = sums["weight_sum"] * sums["question_id"].map({"q1": 3.0, "q2": -2.0})
    same = subject_scores(less_questions(sums), "salience")["score"]
    assert same[0] == pytest.approx(same[1])


def test_what_does_not_fit_is_named() -> None:
    with pytest.raises(ReadingError, match=r"lean \(1, 2\)"):
        Reading(np.zeros((2, 2)), np.zeros((1, 2)), np.zeros((2, 2), bool))
    with pytest.raises(ReadingError, match="3 groups"):
        expressions(_by_hand(), VALUES, ["s"] * 3, CUTS)


@st.composite
def _readings(draw: st.DrawFn) -> tuple[Reading, list[str]]:
    n, m = draw(st.integers(1, 12)), draw(st.integers(1, 4))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    relevance = random.random((n, m)).astype(np.float32)
    stances = random.dirichlet(np.ones(3), (n, m)).astype(np.float32)
    stances[~to_judge(relevance, CUTS)] = np.nan
    return Reading.judged(relevance, stances), list(random.choice(["a", "b", "c"], n))


@given(_readings())
def test_sums_add_up_over_groups(made: tuple[Reading, list[str]]) -> None:
    reading, groups = made
    values = [f"v{place}" for place in range(reading.relevance.shape[1])]
    apart = expressions(reading, values, groups, CUTS)
    whole = expressions(reading, values, ["all"] * len(groups), CUTS)
    added = apart.groupby("value", sort=False)[SUMS].sum().reset_index()
    pd.testing.assert_frame_equal(added[SUMS], whole[SUMS], check_dtype=False)


@given(_readings())
def test_scores_keep_their_bounds(made: tuple[Reading, list[str]]) -> None:
    reading, groups = made
    values = [f"v{place}" for place in range(reading.relevance.shape[1])]
    sums = expressions(reading, values, groups, CUTS).rename(columns={"group": "subject"})
    for rule in RULES:
        scores = subject_scores(sums, rule)
        assert scores["direction"].dropna().abs().le(1 + 1e-12).all()
        assert (scores["n"] >= 0).all()
        if rule == "salience":
            assert scores["score"].abs().le(abs(logit(np.zeros(1))[0])).all()
        else:
            assert scores["salience"].between(0, 1).all()
            assert scores["score"].dropna().abs().le(1 + 1e-12).all()


@given(_readings())
def test_company_changes_no_sum(made: tuple[Reading, list[str]]) -> None:
    reading, groups = made
    values = [f"v{place}" for place in range(reading.relevance.shape[1])]
    every = expressions(reading, values, groups, CUTS).set_index(["group", "value"])
    for group in set(groups):
        own = np.array([one == group for one in groups])
        alone = Reading(reading.relevance[own], reading.lean[own], reading.undecided[own])
        found = expressions(alone, values, [group] * own.sum(), CUTS).set_index(["group", "value"])
        pd.testing.assert_frame_equal(found, every.loc[[group]], check_exact=True)


def in_sql(sums: pd.DataFrame, rule: MeasurementRule) -> pd.DataFrame:
    """Subjects' values by dbt's model, of sums with the columns subject, value, group and SUMS."""
    model = dbt_folder() / "models" / "intermediate" / "structure" / "int_subject_list_values.sql"
    files = (dbt_folder() / "macros" / "sums.sql", model)
    names = {"var": lambda name: {"measurement_rule": rule}[name], "ref": lambda name: name}
    sql = jinja2.Template("".join(path.read_text("utf-8") for path in files)).render(**names)
    with duckdb.connect() as database:
        columns = {"group": "response_id", "subject": "subject_id"}
        database.register("given_rows", sums.rename(columns=columns).assign(lexicon="lexicon"))
        database.execute(
            "create table stg_expressions as select * replace "
            "(nullif(logit_sum, 'nan'::double) as logit_sum) from given_rows"
        )
        return database.execute(sql).df()


@pytest.mark.parametrize("rule", RULES)
@settings(max_examples=30, deadline=None)
@given(_readings(), st.sampled_from([1.0, 0.25, 0.0]))
def test_sql_and_python_agree(
    rule: MeasurementRule, made: tuple[Reading, list[str]], follow_on: float
) -> None:
    reading, groups = made
    values = [f"v{place}" for place in range(reading.relevance.shape[1])]
    weights = np.where(np.arange(len(groups)) % 2, follow_on, 1.0)
    sums = expressions(reading, values, groups, CUTS, weights)
    # responses a and b are of one subject, c of another
    sums = sums.assign(subject=sums["group"].map({"a": "s1", "b": "s1", "c": "s2"}))
    # and answer a's and c's question is one
    sums["question_id"] = sums["group"].map({"a": "q1", "b": "q2", "c": "q1"})
    expected = subject_scores(less_questions(sums), rule).set_index(["subject", "value"])
    found = in_sql(sums, rule).set_index(["subject_id", "value"])
    left_out = expected.index.difference(found.index)
    # a value that no perception is relevant to has no row where it has no score
    assert expected.loc[left_out, "score"].isna().all()
    shared = expected.loc[found.index]
    for name in ("salience", "direction", "score"):
        numbers = found[name].astype(float)
        np.testing.assert_allclose(numbers, shared[name], rtol=0, atol=1e-12)
    assert found["n"].tolist() == shared["n"].tolist()


@given(_readings())
def test_gpv_is_the_mean_of_measurements(made: tuple[Reading, list[str]]) -> None:
    reading, groups = made
    values = [f"v{place}" for place in range(reading.relevance.shape[1])]
    sums = expressions(reading, values, groups, CUTS).rename(columns={"group": "subject"})
    pairs = reading.pairs(values, CUTS.minimum_relevance)
    pairs = pairs.assign(subject=np.array(groups, object)[pairs["row"].to_numpy(int)])
    expected = pooled(pairs, ["subject", "value"])
    found = subject_scores(sums, "gpv").set_index(["subject", "value"])
    np.testing.assert_allclose(found["score"].reindex(expected.index), expected, atol=1e-12)
    assert found["score"].drop(expected.index).isna().all()
    assert found["n"].sum() == pairs["score"].notna().sum()
