"""The warehouse: partitions are replaced whole or not at all, and readers never block a writer."""

import multiprocessing
import os
import signal
import time
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from gpla_assets.storage import TABLES, RunRecord, Warehouse, WarehouseError, Write


def profiles(prompt: str, names: tuple[str, ...] = ("Default", "Face")) -> pd.DataFrame:
    return pd.DataFrame({"profile": names, "prompt": [prompt] * len(names)})


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    return Warehouse(tmp_path / "study.duckdb", lock_timeout=20)


def test_every_table_and_column_has_a_description(warehouse: Warehouse) -> None:
    warehouse.create()
    tables = warehouse.read("select table_name, comment from duckdb_tables() where not internal")
    columns = warehouse.read("select table_name, comment from duckdb_columns() where not internal")
    assert set(tables.table_name) == set(TABLES)
    assert tables.comment.str.len().min() > 10
    assert columns.comment.notna().all()


def test_replacing_a_partition_leaves_the_others(warehouse: Warehouse) -> None:
    warehouse.replace_partition([Write("profiles", profiles("old"))])
    new = profiles("new", ("Face",))
    warehouse.replace_partition([Write("profiles", new, "profile", ("Face",))])
    prompts = warehouse.table("profiles").set_index("profile").prompt
    assert prompts.to_dict() == {"Default": "old", "Face": "new"}


def test_numbers_keep_double_precision(warehouse: Warehouse) -> None:
    types = warehouse.read(
        "select data_type from duckdb_columns() where table_name = 'loadings' "
        "and column_name = 'loading'"
    )
    assert types.data_type.tolist() == ["DOUBLE"]


def test_rows_without_a_column_are_refused_and_nothing_is_lost(warehouse: Warehouse) -> None:
    warehouse.replace_partition([Write("profiles", profiles("old"))])
    with pytest.raises(WarehouseError, match=r"profiles miss \['prompt'\]"):
        warehouse.replace_partition([Write("profiles", profiles("new").drop(columns="prompt"))])
    assert set(warehouse.table("profiles").prompt) == {"old"}


def test_an_unknown_table_is_named(warehouse: Warehouse) -> None:
    with pytest.raises(WarehouseError, match="'profile' is not declared"):
        warehouse.replace_partition([Write("profile", profiles("x"))])


def test_a_duplicate_key_leaves_the_old_rows(warehouse: Warehouse) -> None:
    warehouse.replace_partition([Write("profiles", profiles("old"))])
    with pytest.raises(duckdb.ConstraintException):
        warehouse.replace_partition([Write("profiles", profiles("new", ("Face", "Face")))])
    assert set(warehouse.table("profiles").prompt) == {"old"}


def test_hostile_text_is_data(warehouse: Warehouse) -> None:
    text = "'); drop table profiles; -- <script>alert(1)</script> \x07 \u202e ../../etc"
    warehouse.replace_partition([Write("profiles", profiles(text))])
    assert set(warehouse.table("profiles").prompt) == {text}


def test_a_run_record_is_kept_once_per_asset_and_partition(warehouse: Warehouse) -> None:
    for fingerprint in ("a", "b"):
        record = RunRecord("values", fingerprint, {"code": "1"}, "1")
        warehouse.replace_partition([], [record])
    assert warehouse.runs().fingerprint.tolist() == ["b"]


def test_publishing_works_while_a_reader_has_the_copy_open(warehouse: Warehouse) -> None:
    warehouse.replace_partition([Write("profiles", profiles("old"))])
    warehouse.publish()
    code = "import duckdb, sys, time; c = duckdb.connect(sys.argv[1], read_only=True); "
    code += "print(len(c.execute('from profiles').fetchall()), flush=True); time.sleep(30)"
    import subprocess
    import sys

    with subprocess.Popen(
        [sys.executable, "-c", code, str(warehouse.path)], stdout=subprocess.PIPE, text=True
    ) as reader:
        assert reader.stdout is not None
        assert reader.stdout.readline().strip() == "2"
        warehouse.replace_partition([Write("profiles", profiles("new"))])
        warehouse.publish()
        reader.kill()
    with duckdb.connect(str(warehouse.path), read_only=True) as connection:
        assert connection.execute("select distinct prompt from profiles").fetchall() == [("new",)]


def write_forever(path: Path) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    warehouse = Warehouse(path)
    names = tuple(f"p{n}" for n in range(20_000))
    for turn in range(10_000):
        warehouse.replace_partition([Write("profiles", profiles(f"turn {turn}", names))])


def test_a_killed_write_leaves_all_old_or_all_new_rows(warehouse: Warehouse) -> None:
    context = multiprocessing.get_context("spawn")
    for delay in (0.0, 0.05, 0.13):
        process = context.Process(target=write_forever, args=(warehouse.path,))
        process.start()
        deadline = time.monotonic() + 60
        while not warehouse.working.exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        time.sleep(1.5 + delay)
        os.kill(process.pid or 0, signal.SIGKILL)
        process.join()
        found = warehouse.read("select count(*) as n, count(distinct prompt) as k from profiles")
        assert (found.n[0], found.k[0]) in {(20_000, 1), (0, 0)}


def write_once(path: Path, name: str) -> None:
    Warehouse(path).replace_partition(
        [Write("profiles", profiles(name, (name,)), "profile", (name,))]
    )


def test_two_writers_at_once_both_end_well(warehouse: Warehouse) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [
        context.Process(target=write_once, args=(warehouse.path, name)) for name in ("a", "b")
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert set(warehouse.table("profiles").profile) == {"a", "b"}


def test_a_lock_that_is_not_had_names_its_holder(tmp_path: Path) -> None:
    held = Warehouse(tmp_path / "s.duckdb")
    waiting = Warehouse(tmp_path / "s.duckdb", lock_timeout=0.2)
    with (
        held.locked(),
        pytest.raises(WarehouseError, match=f"locked by process {os.getpid()}"),
        waiting.locked(),
    ):
        pass


def test_a_warehouse_of_an_older_version_gets_what_it_lacks_and_keeps_its_rows(
    tmp_path: Path,
) -> None:
    old = Warehouse(tmp_path / "old.duckdb")
    old.working.parent.mkdir(parents=True)
    with duckdb.connect(str(old.working)) as connection:
        connection.execute(
            'create table "values" ("value" varchar primary key, definition varchar)'
        )
        connection.execute("""insert into "values" values ('Honesty', 'telling the truth')""")
    rows = old.table("values")
    assert list(rows["value"]) == ["Honesty"]
    assert rows["lack"].isna().all()
    assert old.table("model_calls").empty
