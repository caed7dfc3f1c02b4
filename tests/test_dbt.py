"""The dbt models: equal to the references in Python, and built with their tests."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from gpla_assets.keys import key_of
from gpla_assets.lexicon import filter_lexicon
from gpla_assets.storage import Warehouse, Write
from gpla_assets.studies import PROJECT_ROOT

DBT = PROJECT_ROOT / "dbt"
LEXICONS = 2000


def dbt(command: list[str], warehouse: Path, folder: Path) -> None:
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("dbt")),
            *command,
            *("--project-dir", str(DBT), "--profiles-dir", str(DBT)),
            *("--target-path", str(folder / "target"), "--log-path", str(folder / "log")),
        ],
        env=os.environ | {"GPLA_WAREHOUSE": str(warehouse)},
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
    frame = pd.DataFrame(rows, columns=["perception", "value", "subject", "score"])
    return frame.assign(relevance=0.9, p_support=0.5, p_oppose=0.3, p_either=0.2)


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small warehouse on which all models and their tests ran."""
    folder = tmp_path_factory.mktemp("dbt")
    warehouse = Warehouse(folder / "small.duckdb")
    scored = measurements(np.random.default_rng(1))
    subjects = sorted(set(scored["subject"]))
    values = pd.DataFrame({"value": ["Care", "Order"], "definition": ["d", "e"], "origin": "x"})
    found = pd.DataFrame(
        {
            "perception": ["p1", "p2", "p2"],
            "value": ["Care", "Care", "Order"],
            "source": "valuebench",
            "probability": 0.5,
        }
    )
    texts = pd.DataFrame({"text": ["t1"], "source": ["valuebench"], "content": ["c"]}).assign(
        llm=None, question=None, question_text=None
    )
    warehouse.replace_partition(
        [
            Write("measurements", scored),
            Write("values", values),
            Write("perception_values", found),
            Write("texts", texts),
            Write(
                "subjects",
                pd.DataFrame({"subject": subjects, "profile": "Default"}).assign(
                    llm=[subject.split("|")[0] for subject in subjects]
                ),
            ),
        ]
    )
    file = folder / "warehouse.duckdb"
    shutil.copyfile(warehouse.working, file)
    dbt(["build"], file, folder)
    return folder


@pytest.fixture(scope="session")
def connection(built: Path) -> duckdb.DuckDBPyConnection:
    return duckdb.connect(str(built / "warehouse.duckdb"), read_only=True)


def random_lexicon(rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    size = int(rng.integers(1, 13))
    names = [f"v{n:02d}" for n in rng.permutation(size)]
    counts = rng.integers(0, 5, size)
    rows = []
    for a in range(size):
        for b in range(size):
            if names[a] < names[b] and rng.random() < 0.4:
                rows.append((names[a], names[b], *rng.choice([0, 0.2, 0.5, 0.53, 0.8], 4)))
    columns = ["value_a", "value_b", "rouge_f", "rouge_precision", "rouge_recall", "cosine"]
    return pd.DataFrame({"value": names, "frequency": counts}), pd.DataFrame(rows, columns=columns)


def test_the_ledger_in_sql_equals_the_walk_in_python_on_random_lexicons(built: Path) -> None:
    compiled = next((built / "target" / "compiled").rglob("lexicon/lexicon_ledger.sql"))
    sql = compiled.read_text("utf-8")
    for quoted in (
        '"warehouse"."main"."value_frequencies"',
        '"warehouse"."main"."value_similarities"',
    ):
        assert quoted in sql
        sql = sql.replace(quoted, quoted.split(".")[-1])
    rng = np.random.default_rng(0)
    database = duckdb.connect()
    database.execute("set threads to 1")
    different_sizes = set()
    for number in range(LEXICONS):
        frequencies, similarities = random_lexicon(rng)
        database.execute(
            "create or replace temp table value_frequencies as select * from frequencies"
        )
        database.execute(
            "create or replace temp table value_similarities(value_a varchar, value_b varchar, "
            "rouge_f double, rouge_precision double, rouge_recall double, cosine double)"
        )
        database.execute("insert into value_similarities select * from similarities")
        found = database.execute(sql).df()
        expected = filter_lexicon(frequencies, similarities)
        different_sizes.add(int(expected["kept"].sum()))
        for column in expected.columns:
            ours = found[column].astype(object).where(found[column].notna(), None).tolist()
            theirs = expected[column].astype(object).where(expected[column].notna(), None).tolist()
            assert ours == theirs, f"lexicon {number}, column {column}"
    assert len(different_sizes) > 5  # the lexicons were not all alike


def test_correlations_equal_pandas_pairwise(connection: duckdb.DuckDBPyConnection) -> None:
    scored = measurements(np.random.default_rng(1))
    table = scored.pivot_table(index="subject", columns="value", values="score", aggfunc="mean")
    expected = table.corr(min_periods=3)
    found = connection.execute("from value_correlations").df()
    assert len(found) == 6
    for row in found.itertuples():
        complete = int((table[row.value_a].notna() & table[row.value_b].notna()).sum())
        assert row.n == complete
        if complete >= 3:
            assert row.r == pytest.approx(expected.loc[row.value_a, row.value_b], abs=1e-12)
        else:
            assert pd.isna(row.r)


def test_a_subjects_value_is_the_mean_over_its_perceptions(
    connection: duckdb.DuckDBPyConnection,
) -> None:
    scored = measurements(np.random.default_rng(1))
    expected = scored.groupby(["subject", "value"])["score"].agg(["mean", "count", "size"])
    found = connection.execute("from subject_values").df().set_index(["subject", "value"])
    assert len(found) == len(expected)
    for key, row in expected.iterrows():
        assert found.loc[key, "n"] == row["count"]
        assert found.loc[key, "n_relevant"] == row["size"]
        if row["count"]:
            assert found.loc[key, "score"] == pytest.approx(row["mean"], abs=1e-12)


def test_corpus_statistics_stand_beside_the_papers(connection: duckdb.DuckDBPyConnection) -> None:
    rows = connection.execute("from corpus_statistics order by place").df().set_index("source")
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


def test_two_thousand_values_are_filtered_in_seconds(built: Path) -> None:
    compiled = next((built / "target" / "compiled").rglob("lexicon/lexicon_ledger.sql"))
    sql = compiled.read_text("utf-8").replace('"warehouse"."main".', "")
    rng = np.random.default_rng(5)
    size = 2000
    frequencies = pd.DataFrame(
        {"value": [f"v{n:04d}" for n in range(size)], "frequency": rng.integers(1, 500, size)}
    )
    ends = np.sort(rng.integers(0, size, (20_000, 2)), axis=1)
    ends = np.unique(ends[ends[:, 0] < ends[:, 1]], axis=0)
    similarities = pd.DataFrame(
        {
            "value_a": [f"v{a:04d}" for a in ends[:, 0]],
            "value_b": [f"v{b:04d}" for b in ends[:, 1]],
            **dict.fromkeys(("rouge_f", "rouge_precision", "rouge_recall"), 0.0),
            "cosine": rng.choice([0.4, 0.6], len(ends)),
        }
    )
    database = duckdb.connect()
    database.execute("create temp table value_frequencies as select * from frequencies")
    database.execute("create temp table value_similarities as select * from similarities")
    found = database.execute(sql).df()
    assert found["kept"].tolist() == filter_lexicon(frequencies, similarities)["kept"].tolist()
