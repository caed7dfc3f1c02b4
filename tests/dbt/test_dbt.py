"""The dbt models: equal to the references in Python, and built with their tests."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest
import yaml

from gpla_assets.common.keys import key_of
from gpla_assets.evaluator.estimates import estimates
from gpla_assets.lexicon import filter_lexicon
from gpla_assets.orchestration import dbt as own_dbt
from gpla_assets.storage import TABLES, FileWarehouse, Write
from gpla_assets.studies import LexiconSettings, dbt_folder

DBT = dbt_folder()
LEXICONS, TOGETHER = 800, 40
"""Random lexicons, and how many of them are filtered as one."""
BUILT_TYPES = ("model", "seed")


def dbt(command: list[str], warehouse: Path, folder: Path) -> None:
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("dbt")),
            *command,
            *("--project-dir", str(DBT), "--profiles-dir", str(DBT)),
            *("--target-path", str(folder / "target"), "--log-path", str(folder / "log")),
        ],
        env=os.environ | {"GPLA_DBT_FILE": str(warehouse)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]


def measurements(rng: np.random.Generator) -> pd.DataFrame:
    rows = []
    for subject in range(12):
        for value in ("Care", "Order", "Play", "Thrift"):
            if value == "Thrift" and subject > 3:
                continue
            for n in range(3):
                score = None if (subject + n) % 5 == 0 else float(rng.uniform(-1, 1))
                rows.append((key_of(subject, value, n), value, f"m{subject}|Default", score))
    frame = pd.DataFrame(rows, columns=["perception_id", "value", "subject_id", "score"])
    return frame.assign(
        lexicon="lexicon",
        origin="subjects",
        relevance=0.9,
        p_support=0.5,
        p_oppose=0.3,
        p_either=0.2,
    )


def expressions_of(scored: pd.DataFrame) -> pd.DataFrame:
    """The same as sums: a subject's perceptions are those of one response."""
    keys = ["subject_id", "lexicon", "value"]
    found = scored.groupby(keys)["score"].agg(["size", "count", "sum"]).reset_index()
    return found.rename(columns={"size": "n", "count": "sided_n", "sum": "score_sum"}).assign(
        response_id=lambda rows: rows["subject_id"],
        question_id="q",
        weight_sum=lambda rows: rows["n"].astype(float),
        relevant_n=lambda rows: rows["n"].astype(float),
        sided_n=lambda rows: rows["sided_n"].astype(float),
        **{name: 0.0 for name in ("logit_sum", "top_n", "top_weight", "top_sum")},
        agent_id=None,
    )


def perceptions_of(found: pd.DataFrame) -> pd.DataFrame:
    """Corpus perceptions that have values."""
    return pd.DataFrame({"perception_id": sorted(set(found["perception_id"]))}).assign(
        origin="corpus",
        parent_id="t1",
        source="valuebench",
        subject_id=None,
        ordinal=0,
        start_offset=0,
        end_offset=1,
        part="answer",
        sentence="c",
        content="c",
        attitude=0.9,
        agent_id=None,
    )


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small warehouse on which all models and their tests ran."""
    folder = tmp_path_factory.mktemp("dbt")
    warehouse = FileWarehouse(folder / "small.duckdb")
    scored = measurements(np.random.default_rng(1))
    similar = pd.DataFrame({"value_a": ["Care"], "value_b": ["Order"], "cosine": 0.1}).assign(
        rouge_f=0.0, rouge_precision=0.0, rouge_recall=0.0
    )
    schwartz = scored.head(3).assign(lexicon="Schwartz-10", value="Security", score=0.5)
    subjects = sorted(set(scored["subject_id"]))
    values = pd.DataFrame({"value": ["Care", "Order"], "definition": ["d", "e"], "origin": "x"})
    found = pd.DataFrame(
        {
            "perception_id": ["p1", "p2", "p2"],
            "value": ["Care", "Care", "Order"],
            "source": "valuebench",
            "probability": 0.5,
        }
    )
    texts = pd.DataFrame({"text_id": ["t1"], "source": ["valuebench"], "content": ["c"]}).assign(
        llm=None, question_id=None, question_text=None
    )
    llms = pd.Series(subjects, subjects).str.split("|").str[0]
    rested = estimates(expressions_of(scored), llms, "gpv").assign(level="llm")
    warehouse.replace_partition(
        [
            Write("expressions", expressions_of(pd.concat([scored, schwartz]))),
            Write("value_estimates", rested.drop(columns="direction")),
            Write("values", values.assign(lack=None)),
            Write("perception_values", found.assign(agent_id=None)),
            Write("perceptions", perceptions_of(found)),
            Write("texts", texts),
            Write("value_similarities", similar),
            Write(
                "subjects",
                pd.DataFrame({"subject_id": subjects, "profile": "Default"}).assign(
                    llm=[subject.split("|")[0] for subject in subjects]
                ),
            ),
        ]
    )
    file = folder / "warehouse.duckdb"
    shutil.copyfile(warehouse.working, file)
    dbt(["build", "--vars", "{measurement_rule: gpv}"], file, folder)
    return folder


@pytest.fixture(scope="session")
def connection(built: Path) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(str(built / "warehouse.duckdb"), read_only=True)


@pytest.fixture(scope="session")
def ledger_sql(built: Path) -> str:
    """The ledger's SQL as dbt compiled it, over tables of whatever database it runs in."""
    compiled = next((built / "target" / "compiled").rglob("lexicon/lexicon_ledger.sql"))
    sql = compiled.read_text("utf-8")
    for table in ('"marts"."value_frequencies"', '"internal"."stg_value_similarities"'):
        assert table in sql
    return sql.replace('"internal"."stg_', '"').replace('"marts".', "")


NAMES = ["apple", "Zeal", "zeal", "Élan", "élan", "a b", "a-b", "Ab", "ab", "Æ", "ß", "9"]
"""Whose order differs between codepoints and a language's rules."""


def random_lexicon(rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    size = int(rng.integers(3, 13))
    names = [NAMES[n] for n in rng.permutation(len(NAMES))[:size]]
    counts = rng.integers(0, 5, size)
    rows = []
    for a in range(size):
        for b in range(size):
            if names[a] < names[b] and rng.random() < 0.4:
                rows.append((names[a], names[b], *rng.choice([0, 0.2, 0.5, 0.53, 0.8], 4)))
    columns = ["value_a", "value_b", "rouge_f", "rouge_precision", "rouge_recall", "cosine"]
    return pd.DataFrame({"value": names, "frequency": counts}), pd.DataFrame(rows, columns=columns)


def database_of(lexicons: list[tuple[pd.DataFrame, pd.DataFrame]]) -> duckdb.DuckDBPyConnection:
    """A database whose two tables show one lexicon: the one that the variable `chosen` names."""
    database = duckdb.connect(config={"threads": 1})
    # a study's own list, of which these have none
    database.execute('create table "values" ("value" varchar, definition varchar)')
    for place, table in enumerate(("value_frequencies", "value_similarities")):
        rows = pd.concat([both[place].assign(lexicon=n) for n, both in enumerate(lexicons)])
        database.register("given_rows", rows)
        database.execute(f"create table all_{table} as from given_rows")
        database.unregister("given_rows")
        database.execute(
            f"create view {table} as select * exclude (lexicon) from all_{table} "
            "where lexicon = getvariable('chosen')"
        )
    return database


def side_by_side(
    lexicons: list[tuple[pd.DataFrame, pd.DataFrame]],
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Several lexicons as one: no value of one overlaps a value of another."""
    frequencies, similarities = [], []
    for number, (counts, pairs) in enumerate(lexicons):
        own = f"/{number:03d}"
        frequencies.append(counts.assign(value=counts["value"] + own))
        ends = np.sort((pairs[["value_a", "value_b"]] + own).to_numpy(object), axis=1)
        similarities.append(pairs.assign(value_a=ends[:, 0], value_b=ends[:, 1]))
    return pd.concat(frequencies, ignore_index=True), pd.concat(similarities, ignore_index=True)


@pytest.mark.slow
def test_the_ledger_in_sql_equals_the_walk_in_python_on_random_lexicons(ledger_sql: str) -> None:
    """Forty small ones one by one; all 800 as twenty large ones, since each query costs 25 ms."""
    rng = np.random.default_rng(0)
    drawn = [random_lexicon(rng) for _ in range(LEXICONS)]
    lexicons = drawn[:TOGETHER]
    lexicons += [
        side_by_side(drawn[first : first + TOGETHER]) for first in range(0, LEXICONS, TOGETHER)
    ]
    database = database_of(lexicons)
    different_sizes, rules = set(), set()
    for number, (frequencies, similarities) in enumerate(lexicons):
        database.execute(f"set variable chosen = {number}")
        found = database.execute(ledger_sql).fetchall()
        expected = filter_lexicon(frequencies, similarities, LexiconSettings())
        rows = expected.astype(object).where(expected.notna(), None)
        assert found == list(rows.itertuples(index=False, name=None)), f"lexicon {number}"
        different_sizes.add(int(expected["kept"].sum()))
        rules |= set(rows["rule"])
    assert len(different_sizes) > 5  # the lexicons were not all alike
    assert rules == {None, "rouge_f", "rouge_precision", "rouge_recall", "cosine", "frequency"}


def test_correlations_equal_pandas_pairwise(connection: duckdb.DuckDBPyConnection) -> None:
    scored = measurements(np.random.default_rng(1))
    table = scored.pivot_table(index="subject_id", columns="value", values="score", aggfunc="mean")
    expected = table.corr(min_periods=3)
    found = connection.execute("from marts.value_correlations").df()
    assert len(found) == 6
    for row in found.itertuples():
        complete = int((table[row.value_a].notna() & table[row.value_b].notna()).sum())
        assert row.n == complete
        if complete >= 3:
            assert row.r == pytest.approx(expected.loc[row.value_a, row.value_b], abs=1e-11)
        else:
            assert pd.isna(row.r)


def test_a_subjects_value_is_the_mean_over_its_perceptions(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    scored = measurements(np.random.default_rng(1))
    expected = scored.groupby(["subject_id", "value"])["score"].agg(["mean", "count", "size"])
    found = connection.execute("from marts.subject_values").df().set_index(["subject_id", "value"])
    assert len(found) == len(expected)
    for key, row in expected.iterrows():
        assert found.loc[key, "n"] == row["count"]
        assert found.loc[key, "n_relevant"] == row["size"]
        if row["count"]:
            assert found.loc[key, "score"] == pytest.approx(row["mean"], abs=1e-12)


def test_corpus_statistics_stand_beside_the_papers(connection: duckdb.DuckDBPyConnection) -> None:
    rows = (
        connection.execute("from marts.corpus_statistics order by place").df().set_index("source")
    )
    assert rows.loc["valuebench", "paper_values"] == 37526
    assert rows.loc["Total", "values"] == 3
    assert rows.loc["Total", "paper_unique_values"] == 1183
    assert rows.loc["After filtering", "paper_unique_values"] == 123


def test_every_table_and_column_is_described(connection: duckdb.DuckDBPyConnection) -> None:
    tables = connection.execute(
        "select table_name from duckdb_tables() where comment is null or comment = ''"
    ).fetchall()
    columns = connection.execute(
        "select table_name, column_name from duckdb_columns() "
        "where not internal and (comment is null or comment = '')"
    ).fetchall()
    assert tables == []
    assert columns == []


def large_lexicon() -> tuple[pd.DataFrame, pd.DataFrame]:
    """2,000 values with about 20,000 overlapping pairs."""
    rng = np.random.default_rng(5)
    names = np.array([f"v{n:04d}" for n in range(2000)])
    ends = np.sort(rng.integers(0, 2000, (20_400, 2)), axis=1)
    ends = np.unique(ends[ends[:, 0] < ends[:, 1]], axis=0)
    similarities = pd.DataFrame({"value_a": names[ends[:, 0]], "value_b": names[ends[:, 1]]})
    similarities = similarities.assign(
        rouge_f=0.0, rouge_precision=0.0, rouge_recall=0.0, cosine=0.6
    )
    return pd.DataFrame({"value": names, "frequency": rng.integers(1, 500, 2000)}), similarities


def test_two_thousand_values_are_filtered_in_seconds(ledger_sql: str) -> None:
    frequencies, similarities = large_lexicon()
    assert len(similarities) > 20_000
    database = database_of([(frequencies, similarities)])
    database.execute("set variable chosen = 0")
    start = time.perf_counter()
    found = database.execute(ledger_sql).df()
    assert time.perf_counter() - start < 5  # 0.1 s on an idle core
    expected = filter_lexicon(frequencies, similarities, LexiconSettings())
    for column in ("value", "rank", "kept"):
        assert found[column].tolist() == expected[column].tolist()
    assert found["winner"].fillna("").tolist() == expected["winner"].fillna("").tolist()


def test_every_model_and_seed_has_one_of_the_two_tags(built: Path) -> None:
    nodes = json.loads((built / "target" / "manifest.json").read_text("utf-8"))["nodes"].values()
    tags = {
        node["name"]: set(node["tags"]) for node in nodes if node["resource_type"] in BUILT_TYPES
    }
    assert {name: found for name, found in tags.items() if len(found) != 1} == {}
    assert {tag for found in tags.values() for tag in found} == {"lexicon", "structure"}
    assert all("lexicon" in found for name, found in tags.items() if name.startswith("paper_"))


def test_every_model_with_a_rule_has_a_unit_test(built: Path) -> None:
    manifest = json.loads((built / "target" / "manifest.json").read_text("utf-8"))
    models = {
        node["name"]
        for node in manifest["nodes"].values()
        # staging names columns and has no rule
        if node["resource_type"] == "model" and "staging" not in node["fqn"]
    }
    assert models == {test["model"] for test in manifest["unit_tests"].values()}


@pytest.mark.slow
def test_a_fresh_warehouse_builds_with_empty_tables(built: Path, tmp_path: Path) -> None:
    warehouse = FileWarehouse(tmp_path / "warehouse.duckdb")
    warehouse.create()
    # the project is parsed, and its unit tests, which see no warehouse, have run
    shutil.copytree(built / "target", tmp_path / "target")
    dbt(["build", "--exclude-resource-type", "unit_test"], warehouse.working, tmp_path)
    with duckdb.connect(str(warehouse.working), read_only=True) as database:
        assert database.execute("select count(*) from marts.lexicon").fetchall() == [(0,)]
        assert database.execute("select count(*) from marts.value_correlations").fetchall() == [
            (0,)
        ]
        assert database.execute("select count(*) from paper.loadings").fetchall() == [(92,)]


@pytest.mark.slow
def test_a_manifest_is_parsed_once_beside_the_warehouses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GPLA_WAREHOUSE_DIR", str(tmp_path))
    manifest = own_dbt.prepared_manifest()
    assert manifest.parent.parent == tmp_path / "work" / "dbt"
    assert "model.gpla.lexicon" in json.loads(manifest.read_text("utf-8"))["nodes"]
    monkeypatch.setattr(own_dbt, "_invoke", lambda command, given: pytest.fail("parsed again"))
    assert own_dbt.prepared_manifest() == manifest


def test_a_project_that_dbt_cannot_parse_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tmp_path / "dbt"
    shutil.copytree(DBT, project, ignore=shutil.ignore_patterns("target"))
    (project / "models" / "marts" / "lexicon" / "lexicon.sql").write_text(
        "select * from {{ ref('none') }}"
    )
    monkeypatch.setenv("GPLA_WAREHOUSE_DIR", str(tmp_path))
    monkeypatch.setattr(own_dbt, "dbt_folder", lambda: project)
    with pytest.raises(own_dbt.DbtFailed, match="cannot parse its project"):
        own_dbt.prepared_manifest()
    assert not list((tmp_path / "work" / "dbt").glob("*/manifest.json"))


# Data tests

WINNER_OF_NONE = "update marts.lexicon_ledger set kept = true, winner = 'nobody', rule = 'cosine'"


def breaking(test: dict[str, Any], table: str) -> list[str]:
    """Statements that each make rows of a table break one of dbt's generic tests."""
    known = test["test_metadata"]["kwargs"]
    column = known.get("column_name")
    # a test that looks at some rows only: the rows become such
    first = {"not kept": "kept = false, ", "origin = 'subjects'": "origin = 'subjects', "}.get(
        test["config"].get("where") or "", ""
    )
    match test["test_metadata"]["name"]:
        case "not_null":
            return [f"update {table} set {column} = null"]
        case "unique" | "unique_together":
            return [f"insert into {table} select * from {table} limit 1"]
        case "accepted_values":
            wrong = "'none of them'" if known.get("quote", True) else "99"
            return [f"update {table} set {first}{column} = {wrong}"]
        case "relationships":
            return [f"update {table} set {first}{column} = 'nobody'"]
        case "within_range":
            ends = [("minimum", -1), ("maximum", 1)]
            beyond = [known[name] + by for name, by in ends if name in known]
            return [f"update {table} set {column} = {end}" for end in beyond]
    raise AssertionError(f"no way is known to break {test['name']}")


SINGULAR = {
    "dropped_values_have_a_kept_winner": [WINNER_OF_NONE],
    "estimates_are_of_the_scores": ["update marts.llm_values set score = score + 0.001"],
}
"""How the tests that are SQL of their own are broken."""


def place_of(node: dict[str, Any]) -> str:
    """A model's or seed's name in SQL."""
    return f'{node["schema"]}."{node["alias"]}"'


def as_table(database: duckdb.DuckDBPyConnection, view: str) -> None:
    """Put a table of the same rows in the place of a view, so that rows of it can be broken."""
    database.execute(f"create temp table of_view as from {view}")
    database.execute(f"drop view {view}")
    database.execute(f"create table {view} as from of_view")
    database.execute("drop table of_view")


def test_each_data_test_passes_sound_rows_and_finds_broken_ones(
    built: Path, tmp_path: Path
) -> None:
    nodes = json.loads((built / "target" / "manifest.json").read_text("utf-8"))["nodes"]
    tests = [node for node in nodes.values() if node["resource_type"] == "test"]
    tested = {nodes[one["attached_node"]]["name"] for one in tests if one.get("attached_node")}
    built_names = {n["name"] for n in nodes.values() if n["resource_type"] in BUILT_TYPES}
    assert tested == built_names, "a model or seed without any data test"
    shutil.copy(built / "warehouse.duckdb", tmp_path)  # the compiled SQL has the file's name
    with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as database:
        for node in nodes.values():
            if node.get("config", {}).get("materialized") == "view":
                as_table(database, place_of(node))
        for test in tests:
            sql = test["compiled_code"]
            assert database.execute(sql).fetchall() == [], test["name"]
            attached = test.get("attached_node")
            statements = (
                breaking(test, place_of(nodes[attached])) if attached else SINGULAR[test["name"]]
            )
            assert statements
            for statement in statements:
                database.begin()
                database.execute(statement)
                assert database.execute(sql).fetchall() != [], (test["name"], statement)
                database.rollback()


def test_sources_are_tables_that_are_declared_and_say_the_same() -> None:
    project = yaml.safe_load((dbt_folder() / "models" / "staging" / "sources.yml").read_text())
    (source,) = project["sources"]
    for table in source["tables"]:
        declared = TABLES[table["name"]].__table__
        assert (source["schema"], table["description"].rstrip(".")) == (
            declared.schema,
            declared.comment.rstrip("."),
        )
    read = {
        path: set(re.findall(r"source\('evidence', '(\w+)'\)", path.read_text("utf-8")))
        for path in (dbt_folder() / "models").rglob("*.sql")
    }
    assert set().union(*read.values()) == {table["name"] for table in source["tables"]}
    assert all("staging" in path.parts for path, names in read.items() if names)


def test_staging_takes_columns_that_are_declared() -> None:
    for path in (dbt_folder() / "models" / "staging").rglob("*.sql"):
        text = path.read_text("utf-8")
        (table,) = re.findall(r"source\('evidence', '(\w+)'\)", text)
        selected = text.split("final as (")[1].split("from source")[0].replace("select", "")
        columns = [name.strip().strip('"') for name in selected.split(",")]
        assert set(columns) <= set(TABLES[table].model_fields), path
