"""The demo study from end to end: what `make run` makes, its queries, and a rerun."""

from __future__ import annotations

import json
import re
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from gpla_assets.cli.queries import QueryError, list_queries, run_query
from gpla_assets.storage import TABLES, relation
from gpla_assets.storage.reading import opened_whole
from gpla_assets.studies.measurement import RULES
from tests.conftest import Ran, gpla

QUERIES = [query.name for query in list_queries()]
MAY_BE_EMPTY = {
    *("most_unlike", "llm_comparison", "removed_values", "influential_llms", "cfa"),
    *("safety", "safety_parameters", "safety_chance", "consistency", "criteria"),
    *("cfa_loadings", "cfa_omitted", "targets", "target_checks", "target_convergence"),
    *("alignment", "alignment_runs", "alignment_samples", "alignment_steps"),
    *("alignment_distances", "alignment_table", "safety_values", "safety_replication"),
    "thought_and_said",
}
"""One LLM has no other to be unlike, nor any left without it, nor a score of any criterion;
purification may remove nothing; the demo has no pairs of responses and aligns no LLM, and its LLM
does not think aloud."""


@pytest.fixture(scope="module")
def connection(demo: Ran) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(str(demo.folder / "demo.duckdb"), read_only=True)


def count(connection: duckdb.DuckDBPyConnection, sql: str) -> int:
    row = connection.execute(f"select count(*) from {sql}").fetchone()
    assert row is not None
    return int(row[0])


def test_every_declared_table_has_rows(connection: duckdb.DuckDBPyConnection) -> None:
    # none may be removed, none is asked, the system is the first, none is frozen, one LLM is all
    empty = {"value_removals", "model_calls", "system_congruence", "frozen_scores", "leave_one_out"}
    empty |= {"redundant_values"}  # where no two values stand for one another
    # and 21 subjects are too few to confirm 40 values
    empty |= {name for name in TABLES if name.startswith("cfa_") and name != "cfa_fits"}
    # nor can one LLM be compared with another; it asks for no prediction and no further texts
    empty |= {name for name in TABLES if name.startswith(("probe_", "validation_", "criteri"))}
    empty |= {"consistency"}
    # the demo has no pairs of responses, and aligns no LLM
    of_alignment = ("preference", "target", "alignment_", "judgements")
    empty |= {name for name in TABLES if name.startswith(of_alignment)}
    # and its factors may share too few values with the paper's
    empty |= {"paper_congruence"}
    for table in TABLES:
        if table not in empty:
            assert count(connection, relation(table)) > 0, table


def test_the_demo_has_21_subjects_answering_60_questions(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    assert count(connection, "evidence.subjects") == 21
    assert count(connection, "evidence.responses") == 21 * 60


def test_perceptions_stand_in_their_texts(connection: duckdb.DuckDBPyConnection) -> None:
    wrong = count(
        connection,
        "evidence.perceptions p join evidence.responses r on p.parent_id = r.response_id where "
        "substring(r.answer, p.start_offset + 1, p.end_offset - p.start_offset) <> p.sentence",
    )
    assert wrong == 0


def test_the_measured_values_are_the_lexicons_most_frequent(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    measured = connection.execute(
        "select distinct \"value\" from evidence.measurements where lexicon = 'lexicon'"
    ).df()["value"]
    most = connection.execute('select "value" from marts.lexicon where rank <= 40').df()["value"]
    assert set(measured) <= set(most)
    assert len(measured) >= 30


def test_the_summary_says_what_was_made_and_what_may_not_be_interpreted(demo: Ran) -> None:
    for part in ("measurements", "alpha", "warehouse", "report", "go on", "gpla ui demo"):
        assert part in demo.output
    assert "Not interpretable: n = 21 subjects for p = " in demo.output
    assert "Not reliable: across 21 subjects, " in demo.output
    assert re.search(r"is higher under it in \d+% of pairs \[\d+%, \d+%\]", demo.output)
    assert str(demo.folder / "demo.duckdb") in demo.output


def test_validity_has_each_rule_and_what_a_classifier_reaches(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    rows = connection.execute(
        "from analysis.validity where \"check\" = 'steering' and data = 'Schwartz-10' "
        "and measure = 'share of pairs'"
    ).df()
    assert set(rows["rule"]) == {*RULES, ""}
    assert rows["number"].between(0, 1).all()
    assert (rows["low"] < rows["high"]).all()
    # two profiles each of Self-Direction, Power, Security, Conformity, Benevolence; three of
    # Universalism; one each of the other four
    assert rows.set_index("rule").loc["share", "n"] == 17
    classifier = rows.set_index("rule").loc[""]
    assert classifier["low"] > 0.5


def test_the_plan_says_how_many_questions_each_value_needs(demo: Ran) -> None:
    output = gpla("plan", "--lexicon", "Schwartz-10", folder=demo.folder)
    assert "Universalism" in output
    assert "between 21 subjects, between 60 questions" in " ".join(output.split())


def test_too_few_subjects_are_flagged_in_the_table(connection: duckdb.DuckDBPyConnection) -> None:
    rows = connection.execute("from analysis.reliabilities").df()
    assert not rows["interpretable"].any()
    assert rows["caution"].str.contains("n/p").all()


def test_a_rerun_does_no_inference_and_says_so(demo: Ran) -> None:
    output = gpla("run", "demo", folder=demo.folder)
    assert "Nothing is stale: no step ran and no model inference was done." in output
    assert "Nothing is stale." in gpla("status", "demo", folder=demo.folder)


@pytest.mark.parametrize("name", QUERIES)
def test_every_query_runs_on_the_demo(demo: Ran, name: str) -> None:
    sql = next(query.path for query in list_queries() if query.name == name).read_text("utf-8")
    with opened_whole(demo.folder / "demo.duckdb") as connection:
        rows = connection.execute(sql).df()
    if name not in MAY_BE_EMPTY:
        assert len(rows) > 0


def test_a_query_of_what_the_study_does_not_ask_for_says_so(demo: Ran) -> None:
    with pytest.raises(QueryError, match="has no table targets, which query targets needs"):
        run_query("targets", demo.folder / "demo.duckdb")


def test_every_query_begins_with_a_question_of_its_own() -> None:
    heads = [query.path.read_text("utf-8").splitlines()[0] for query in list_queries()]
    assert "factors" in QUERIES
    for head in heads:
        assert head.startswith("-- ") and "?" in head
    assert len(set(heads)) == len(heads)


def test_the_audit_trail_reaches_the_direction(demo: Ran) -> None:
    warehouse = demo.folder / "demo.duckdb"
    trail = run_query("audit_trail", warehouse)
    subject, value = trail.loc[0, "subject_id"], trail.loc[0, "value"]
    profile = run_query("subject_profile", warehouse, [f"subject={subject}"])
    which_way = profile.set_index("value").loc[value, "which_way"]
    assert len(trail) > 5
    assert trail["score"].dropna().mean() == pytest.approx(which_way, abs=2e-3)


def test_queries_come_as_csv_json_and_parquet(demo: Ran, tmp_path: Path) -> None:
    csv = gpla("query", "factors", "--format", "csv", folder=demo.folder)
    assert csv.startswith("factor,name,n_values,alpha")
    rows = json.loads(gpla("query", "factors", "-f", "json", folder=demo.folder))
    out = tmp_path / "factors.parquet"
    gpla("query", "factors", "-f", "parquet", "--out", str(out), folder=demo.folder)
    assert [row["factor"] for row in rows] == pd.read_parquet(out)["factor"].tolist()


def test_an_unknown_query_or_variable_is_named(demo: Ran) -> None:
    output = gpla("query", "nothing", folder=demo.folder, expected=1)
    assert "No query 'nothing'" in output
    output = gpla("query", "factors", "--set", "x=1", folder=demo.folder, expected=1)
    assert "expected name=value with a variable of factors" in " ".join(output.split())


def test_a_study_that_was_not_run_is_named(tmp_path: Path) -> None:
    output = gpla("query", "factors", folder=tmp_path, expected=1)
    assert "the study was not run yet" in " ".join(output.split())


def test_a_study_has_its_own_dagster_history(demo: Ran) -> None:
    assert (demo.folder / "dagster" / "demo" / "history").is_dir()


def test_runs_say_which_agent_and_model_made_the_rows(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    rows = connection.execute("select asset, details from internal.runs").fetchall()
    agents = {asset: json.loads(details).get("agent") for asset, details in rows}
    made = ("perceptions", "subject_perceptions", "perception_values", "measurements")
    assert {agents[asset] for asset in made} == {"embedded"}
    assert all("minilm" in details.lower() for asset, details in rows if agents[asset])


def test_every_made_row_names_an_agent_that_is_recorded(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    for table, role in (
        ("evidence.perceptions", "parser"),
        ("evidence.perception_values", "generator"),
        ("evidence.measurements", "evaluator"),
    ):
        found = (
            f"{table} left join internal.agents a using (agent_id) "
            f"where a.role is distinct from '{role}'"
        )
        assert count(connection, found) == 0
