"""Every check of new rows lets sound ones pass, and says of broken ones that they break it."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from gpla_assets.orchestration.checks import CHECKS
from gpla_assets.orchestration.steps import step_named
from gpla_assets.storage import TABLES, RowsRefused
from gpla_assets.storage.tables import schema_of
from gpla_assets.storage.writing import check_rows, relation, schema_statements

SOUND: list[tuple[str, dict[str, object]]] = [
    ("subjects", {"subject_id": "s"}),
    ("questions", {"question_id": "q"}),
    ("texts", {"text_id": "t", "content": "Be fair."}),
    (
        "responses",
        {"response_id": "r", "subject_id": "s", "question_id": "q", "answer": "Be kind."},
    ),
    (
        "perceptions",
        {"perception_id": "of a text", "origin": "corpus", "parent_id": "t"}
        | {"start_offset": 3, "end_offset": 7, "sentence": "fair"},
    ),
    (
        "perceptions",
        {"perception_id": "own", "origin": "subjects", "parent_id": "r", "subject_id": "s"}
        | {"start_offset": 3, "end_offset": 7, "sentence": "kind", "part": "answer"},
    ),
    ("values", {"value": "Care"}),
    ("perception_values", {"perception_id": "of a text", "value": "Care"}),
    (
        "measurements",
        {"perception_id": "own", "value": "Care", "subject_id": "s", "lexicon": "lexicon"}
        | {"p_support": 0.7, "p_oppose": 0.2, "p_either": 0.1, "score": 0.5},
    ),
    (
        "expressions",
        {"response_id": "r", "value": "Care", "subject_id": "s", "lexicon": "lexicon"},
    ),
    ("schwartz_scores", {"subject_id": "s"}),
    ("loadings", {"factor": "F1", "value": "Care", "is_primary": True}),
    ("factor_names", {"factor": "F1", "source": "study", "chosen": True}),
    ("stability_factors", {"congruence": 0.9}),
    ("factor_scores", {"subject_id": "s"}),
]
BLANK = {"VARCHAR": "", "BOOLEAN": False}

BREAKS: dict[tuple[str, str], tuple[str, ...]] = {
    ("responses", "subject_id_is_in_subjects"): ("delete from evidence.subjects",),
    ("responses", "question_id_is_in_questions"): ("delete from evidence.questions",),
    ("perceptions", "words_stand_in_the_text"): (
        "update evidence.perceptions set end_offset = 6 where origin = 'corpus'",
        "update evidence.texts set content = 'Be  fair.'",
    ),
    ("perceptions", "parents_are_texts"): ("delete from evidence.texts",),
    ("subject_perceptions", "words_stand_in_the_response"): (
        "update evidence.perceptions set start_offset = 2 where origin = 'subjects'",
        "update evidence.responses set answer = 'Be  kind.'",
    ),
    ("subject_perceptions", "parents_are_responses"): ("delete from evidence.responses",),
    ("perception_values", "perception_id_is_in_perceptions"): ("delete from evidence.perceptions",),
    ("measurements", "perception_id_is_in_perceptions"): ("delete from evidence.perceptions",),
    ("measurements", "subject_id_is_in_subjects"): ("delete from evidence.subjects",),
    ("measurements", "value_is_in_lexicon"): ("delete from marts.lexicon",),
    ("measurements", "response_id_is_in_responses"): ("delete from evidence.responses",),
    ("measurements", "probabilities_add_to_one"): (
        "update evidence.measurements set p_either = 0.2",
        "update evidence.measurements set score = 0.4",
    ),
    ("schwartz_relations", "subject_id_is_in_subjects"): ("delete from evidence.subjects",),
    ("factor_names", "one_name_a_factor"): (
        "update analysis.factor_names set chosen = false",
        "insert into analysis.factor_names by name "
        "select * replace ('llm' as source) from analysis.factor_names",
    ),
    ("stability", "congruence_is_a_cosine"): (
        "update analysis.stability_factors set congruence = -0.1",
        "update analysis.stability_factors set congruence = 1.1",
    ),
    ("factors", "subject_id_is_in_subjects"): ("delete from evidence.subjects",),
    ("factors", "one_primary_loading"): (
        "update analysis.loadings set is_primary = false",
        "insert into analysis.loadings by name "
        "select * replace ('F2' as factor) from analysis.loadings",
    ),
}
"""By step and check, what makes one of the sound rows break that check and no other of its step."""


def put(connection: duckdb.DuckDBPyConnection, table: str, **known: object) -> None:
    """One row of a declared table; what is not told is blank, or 0."""
    columns = connection.execute(
        "select column_name, data_type from duckdb_columns() "
        "where table_name = ? and schema_name = ?",
        [table, schema_of(table)],
    ).fetchall()
    row = {name: BLANK.get(kind, 0) for name, kind in columns} | known
    named = ", ".join(f'? as "{name}"' for name in row)
    connection.execute(f"insert into {relation(table)} by name select {named}", list(row.values()))


@pytest.fixture(scope="module")
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    """Sound rows, one or two a table."""
    with duckdb.connect() as connection:
        for statement in schema_statements(TABLES):
            connection.execute(statement)
        connection.execute("""create table marts.lexicon as select 'Care' as "value" """)
        for table, row in SOUND:
            put(connection, table, **row)
        yield connection


@pytest.fixture
def sound(database: duckdb.DuckDBPyConnection) -> Iterator[duckdb.DuckDBPyConnection]:
    """The sound rows, whatever a test before has done to them."""
    database.begin()
    yield database
    database.rollback()


def test_every_check_is_broken_below() -> None:
    assert set(BREAKS) == {(step, one.name) for step, own in CHECKS.items() for one in own}


@pytest.mark.parametrize("step", CHECKS)
def test_sound_rows_pass(sound: duckdb.DuckDBPyConnection, step: str) -> None:
    check_rows(sound, CHECKS[step], ["s"])


@pytest.mark.parametrize(
    ("step", "check", "statement"),
    [(*key, statement) for key, statements in BREAKS.items() for statement in statements],
)
def test_a_row_that_breaks_a_check_is_refused_by_the_checks_name(
    sound: duckdb.DuckDBPyConnection, step: str, check: str, statement: str
) -> None:
    sound.execute(statement)
    with pytest.raises(RowsRefused, match=f"{check}: 1 rows") as refused:
        check_rows(sound, CHECKS[step], ["s"])
    assert refused.value.violations == {one.name: int(one.name == check) for one in CHECKS[step]}


@pytest.mark.parametrize("step", [name for name in CHECKS if step_named(name).partitions])
def test_what_other_partitions_hold_is_their_own_matter(
    sound: duckdb.DuckDBPyConnection, step: str
) -> None:
    for check in CHECKS[step]:
        sound.execute(BREAKS[step, check.name][0])
        check_rows(sound, CHECKS[step], ["another subject"])
