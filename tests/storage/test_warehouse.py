"""The warehouse: partitions are replaced whole or not at all, and readers never block a writer."""

import multiprocessing
import os
import signal
import subprocess
import threading
import time
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from gpla_assets.storage import TABLES, FileWarehouse, RunRecord, WarehouseError, Write
from gpla_assets.storage.checksums import unlike
from gpla_assets.storage.contract import RowsUnfit
from gpla_assets.storage.migration import VERSION
from gpla_assets.storage.publication import Publication
from gpla_assets.storage.transfer import Backup, checksums_in, copy_store
from gpla_assets.storage.verify import findings


def profiles(prompt: str, names: tuple[str, ...] = ("Default", "Face")) -> pd.DataFrame:
    return pd.DataFrame({"profile": names, "content": [prompt] * len(names), "asks": None})


@pytest.fixture
def warehouse(tmp_path: Path) -> FileWarehouse:
    return FileWarehouse(tmp_path / "study.duckdb", lock_timeout=20)


def test_every_table_and_column_has_a_description(warehouse: FileWarehouse) -> None:
    warehouse.create()
    tables = warehouse.read("select table_name, comment from duckdb_tables() where not internal")
    columns = warehouse.read("select table_name, comment from duckdb_columns() where not internal")
    assert set(tables.table_name) == set(TABLES)
    assert tables.comment.str.len().min() > 10
    assert columns.comment.notna().all()


def test_replacing_a_partition_leaves_the_others(warehouse: FileWarehouse) -> None:
    warehouse.replace_partition([Write("profiles", profiles("old"))])
    new = profiles("new", ("Face",))
    warehouse.replace_partition([Write("profiles", new, "profile", ("Face",))])
    prompts = warehouse.table("profiles").set_index("profile").content
    assert prompts.to_dict() == {"Default": "old", "Face": "new"}


def test_numbers_keep_double_precision(warehouse: FileWarehouse) -> None:
    types = warehouse.read(
        "select data_type from duckdb_columns() where table_name = 'loadings' "
        "and column_name = 'loading'"
    )
    assert types.data_type.tolist() == ["DOUBLE"]


def test_rows_without_a_column_are_refused_and_nothing_is_lost(warehouse: FileWarehouse) -> None:
    warehouse.replace_partition([Write("profiles", profiles("old"))])
    with pytest.raises(WarehouseError, match="columns content are missing"):
        warehouse.replace_partition([Write("profiles", profiles("new").drop(columns="content"))])
    assert set(warehouse.table("profiles").content) == {"old"}


def test_an_unknown_table_is_named(warehouse: FileWarehouse) -> None:
    with pytest.raises(WarehouseError, match="'profile' is not declared"):
        warehouse.replace_partition([Write("profile", profiles("x"))])


def test_a_duplicate_key_leaves_the_old_rows(warehouse: FileWarehouse) -> None:
    warehouse.replace_partition([Write("profiles", profiles("old"))])
    with pytest.raises(RowsUnfit, match="profile 'Face' is there twice, expected once"):
        warehouse.replace_partition([Write("profiles", profiles("new", ("Face", "Face")))])
    assert set(warehouse.table("profiles").content) == {"old"}


def test_hostile_text_is_data(warehouse: FileWarehouse) -> None:
    text = "'); drop table profiles; -- <script>alert(1)</script> \x07 \u202e ../../etc"
    warehouse.replace_partition([Write("profiles", profiles(text))])
    assert set(warehouse.table("profiles").content) == {text}


def test_a_run_record_is_kept_once_per_asset_and_partition(warehouse: FileWarehouse) -> None:
    for fingerprint in ("a", "b"):
        record = RunRecord("values", fingerprint, {"code": "1"}, "1")
        warehouse.replace_partition([], [record])
    assert warehouse.runs().fingerprint.tolist() == ["b"]


def test_publishing_works_while_a_reader_has_the_copy_open(warehouse: FileWarehouse) -> None:
    warehouse.replace_partition([Write("profiles", profiles("old"))])
    warehouse.publish()
    code = "import duckdb, sys, time; c = duckdb.connect(sys.argv[1], read_only=True); "
    code += "print(len(c.execute('from evidence.profiles').fetchall()), flush=True); time.sleep(30)"
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
        assert connection.execute("select distinct content from evidence.profiles").fetchall() == [
            ("new",)
        ]


def write_forever(path: Path) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    warehouse = FileWarehouse(path)
    names = tuple(f"p{n}" for n in range(20_000))
    for turn in range(10_000):
        warehouse.replace_partition([Write("profiles", profiles(f"turn {turn}", names))])


@pytest.mark.slow
def test_a_killed_write_leaves_all_old_or_all_new_rows(warehouse: FileWarehouse) -> None:
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
        found = warehouse.read(
            "select count(*) as n, count(distinct content) as k from evidence.profiles"
        )
        assert (found.n[0], found.k[0]) in {(20_000, 1), (0, 0)}


def write_once(path: Path, name: str) -> None:
    FileWarehouse(path).replace_partition(
        [Write("profiles", profiles(name, (name,)), "profile", (name,))]
    )


@pytest.mark.slow
def test_two_writers_at_once_both_end_well(warehouse: FileWarehouse) -> None:
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
    held = FileWarehouse(tmp_path / "s.duckdb")
    waiting = FileWarehouse(tmp_path / "s.duckdb", lock_timeout=0.2)
    with (
        held.locked(),
        pytest.raises(WarehouseError, match=f"locked by process {os.getpid()}"),
        waiting.locked(),
    ):
        pass


def test_threads_of_one_process_take_turns(tmp_path: Path) -> None:
    inside: list[str] = []

    def take(name: str) -> None:
        # objects of their own, as the asking of LLMs and the run itself have
        with FileWarehouse(tmp_path / "s.duckdb", lock_timeout=20).locked():
            inside.append(name)
            time.sleep(0.05)
            inside.append(name)

    threads = [threading.Thread(target=take, args=(str(n),)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(inside) == 12
    assert all(inside[at] == inside[at + 1] for at in range(0, 12, 2))


def hold(path: Path, held: str) -> None:
    with FileWarehouse(path).locked():
        Path(held).touch()
        time.sleep(600)


@pytest.mark.parametrize("start", ["spawn", "fork"])
def test_a_killed_process_is_named_while_it_lives_and_lets_go_when_it_dies(
    tmp_path: Path, start: str
) -> None:
    path, held = tmp_path / "s.duckdb", tmp_path / "held"
    process = multiprocessing.get_context(start).Process(target=hold, args=(path, str(held)))  # type: ignore[attr-defined]
    process.start()
    waiting = FileWarehouse(path, lock_timeout=0.3)
    try:
        while not held.exists():
            time.sleep(0.02)
        with pytest.raises(WarehouseError, match=f"locked by process {process.pid}"):  # noqa: SIM117
            with waiting.locked():
                pass
    finally:
        process.kill()
        process.join(30)
    with waiting.locked():
        assert f"process {os.getpid()}" in path.with_name("work").joinpath("s.lock").read_text()


def test_a_child_that_lives_on_does_not_hold_what_its_parent_held(tmp_path: Path) -> None:
    path, held = tmp_path / "s.duckdb", tmp_path / "held"
    parent = multiprocessing.get_context("spawn").Process(
        target=hold_with_child, args=(path, str(held))
    )
    parent.start()
    try:
        while not held.exists() or not held.read_text():
            time.sleep(0.02)
    finally:
        parent.kill()
        parent.join(30)
    child = int(held.read_text())
    try:
        os.kill(child, 0)  # it is there
        with FileWarehouse(path, lock_timeout=5).locked():
            pass
    finally:
        os.kill(child, signal.SIGKILL)


def hold_with_child(path: Path, held: str) -> None:
    with FileWarehouse(path).locked():
        child = subprocess.Popen(["sleep", "600"])
        Path(held).write_text(str(child.pid))
        time.sleep(600)


def test_a_warehouse_of_an_older_version_gets_what_it_lacks_and_keeps_its_rows(
    tmp_path: Path,
) -> None:
    old = FileWarehouse(tmp_path / "old.duckdb")
    old.working.parent.mkdir(parents=True)
    with duckdb.connect(str(old.working)) as connection:
        connection.execute(
            "create schema evidence; "
            'create table evidence."values" ("value" varchar primary key, definition varchar)'
        )
        connection.execute(
            """insert into evidence."values" values ('Honesty', 'telling the truth')"""
        )
    rows = old.table("values")
    assert list(rows["value"]) == ["Honesty"]
    assert rows["lack"].isna().all()
    assert old.table("model_calls").empty


def test_a_file_of_one_schema_keeps_paid_replies_and_the_history_of_systems(
    tmp_path: Path,
) -> None:
    old = FileWarehouse(tmp_path / "old.duckdb")
    old.working.parent.mkdir(parents=True)
    with duckdb.connect(str(old.working)) as connection:
        connection.execute("create table runs (asset varchar, partition_key varchar)")
        connection.execute("create table texts (text varchar, content varchar)")
        connection.execute(
            "create table model_calls as select 'k' as key, 'openai' as backend, "
            "'http://localhost' as endpoint, 'm' as model, null::varchar as revision, "
            "'[]' as messages, '{}' as settings, 'Yes.' as content, 'stop' as finish, "
            "3 as prompt_tokens, 1 as completion_tokens, now() as asked_at, 0.5 as seconds"
        )
    kept = old.table("model_calls")
    assert kept[["call_id", "content"]].to_numpy().tolist() == [["k", "Yes."]]
    assert old.table("value_systems").empty
    assert old.read("select table_name from duckdb_tables() where schema_name = 'main'").empty
    assert len(old.table("model_calls")) == 1
    assert old.table("schema_versions")["version"].tolist() == [VERSION]


def test_a_warehouse_of_a_newer_version_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    FileWarehouse(tmp_path / "new.duckdb").create()
    newer = FileWarehouse(tmp_path / "new.duckdb")
    with duckdb.connect(str(newer.working)) as connection:
        connection.execute("insert into internal.schema_versions values (?, now())", [VERSION + 1])
    before = newer.working.read_bytes()
    with pytest.raises(WarehouseError, match="written by a newer gpla"):
        newer.table("profiles")
    assert newer.working.read_bytes() == before


def test_a_backup_brings_back_what_was_there(tmp_path: Path) -> None:
    own = FileWarehouse(tmp_path / "own.duckdb")
    own.replace_partition([Write("profiles", profiles("kept"))], [RunRecord("p", "a", {}, "1")])
    backup = Backup(tmp_path / "backup.duckdb")
    found = copy_store(own.path, backup)
    assert found["evidence.profiles"].rows == 2
    own.replace_partition([Write("profiles", profiles("lost"))])
    assert unlike(found, checksums_in(own.working)) == ["evidence.profiles: other values"]
    copy_store(backup, own.path)
    assert set(own.table("profiles").content) == {"kept"}
    with pytest.raises(WarehouseError, match="does not exist: expected a backup"):
        copy_store(Backup(tmp_path / "none.duckdb"), own.path)
    with duckdb.connect(str(tmp_path / "other.duckdb")) as other:
        other.execute("create schema mine; create table mine.t as select 1 as n")
    with pytest.raises(WarehouseError, match="holds no tables of gpla"):
        copy_store(Backup(tmp_path / "other.duckdb"), own.path)


def test_verifying_finds_orphans_keys_and_what_was_not_published(tmp_path: Path) -> None:
    own = FileWarehouse(tmp_path / "own.duckdb")
    with pytest.raises(WarehouseError, match="not run yet"):
        list(findings(own, Publication()))
    subjects = pd.DataFrame({"subject_id": ["a|x"], "llm": ["gone"], "profile": ["Default"]})
    own.replace_partition([Write("subjects", subjects), Write("profiles", profiles("p"))])
    found = {one.what: one for one in findings(own, Publication())}
    assert found["schema version"].good and found["keys"].good
    assert found["orphans"].said == "subjects.llm: 1 rows name what llms lacks, e.g. 'gone'"
    assert found["published"].said == "is missing"
    llms = {"llm": ["gone"], "parameters": None, "source": "table", "family": None}
    own.replace_partition([Write("llms", pd.DataFrame(llms))])
    own.publish()
    assert [one.what for one in findings(own, Publication()) if not one.good] == []
