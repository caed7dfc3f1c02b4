"""A lake behind the same door: what a file does, it does; and several write at once."""

from __future__ import annotations

import stat
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from gpla_assets.looking.published import LookingError, reading, rows_of
from gpla_assets.looking.sql import SqlError, sql_shell
from gpla_assets.storage import FileWarehouse, RowsRefused, RunRecord, Write, warehouse_of
from gpla_assets.storage.checksums import unlike
from gpla_assets.storage.contract import RowsUnfit
from gpla_assets.storage.files import WarehouseError
from gpla_assets.storage.lake_history import history_of
from gpla_assets.storage.lake_upkeep import compact
from gpla_assets.storage.lake_warehouse import LakeWarehouse
from gpla_assets.storage.publication import Publication, View
from gpla_assets.storage.serving import served
from gpla_assets.storage.transfer import Backup, checksums_in, copy_store
from gpla_assets.storage.verify import findings
from gpla_assets.storage.warehouse import Warehouse
from gpla_assets.studies import Lake
from gpla_assets.studies.stores import lake_of
from tests.postgres import Postgres, free_port, lacking, postgres

LACKING = lacking()
pytestmark = [pytest.mark.slow, pytest.mark.skipif(LACKING is not None, reason=str(LACKING))]


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with postgres() as found:
        yield found


def a_lake(server: Postgres, folder: Path) -> Lake:
    lake = lake_of(server.address(folder / "data"), f"s{uuid.uuid4().hex[:12]}")
    assert lake is not None
    return Lake(lake.study, lake.data, server=lake.server, folder=folder / "work")


@pytest.fixture(scope="module")
def lake(server: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """One for all tests, since making the tables takes long: each replaces what it reads."""
    return a_lake(server, tmp_path_factory.mktemp("lake"))


@pytest.fixture
def file_lake(tmp_path: Path) -> Lake:
    return Lake("small", str(tmp_path / "data"), tmp_path / "cat.duckdb", folder=tmp_path / "work")


def profiles(prompt: str, names: tuple[str, ...] = ("Default", "Face")) -> pd.DataFrame:
    return pd.DataFrame({"profile": names, "content": [prompt] * len(names), "asks": None})


def contents(warehouse: Warehouse) -> dict[str, str]:
    rows = warehouse.table("profiles")
    assert rows["profile"].is_unique
    return dict(zip(rows["profile"], rows["content"], strict=True))


def as_a_file_does(lake: Lake) -> None:
    """What the file store does, told as one story: making the tables is what takes long."""
    warehouse = warehouse_of(lake)
    assert not warehouse.exists()
    with pytest.raises(WarehouseError, match=r"not run yet|never made"):
        rows_of(lake, "select 1")
    warehouse.replace_partition([Write("profiles", profiles("old"))])
    assert warehouse.exists()
    face = Write("profiles", profiles("new", ("Face",)), "profile", ("Face",))
    warehouse.replace_partition([face], [RunRecord("values", "a", {"code": "1"}, "1")])
    assert contents(warehouse) == {"Default": "old", "Face": "new"}
    with pytest.raises(RowsUnfit, match="is there twice"):
        warehouse.replace_partition([Write("profiles", profiles("x", ("Face", "Face")))])
    text = "'); drop table profiles; -- \x07 \u202e ../../etc"
    warehouse.append("profiles", profiles(text, ("Face", "Third")))
    assert contents(warehouse) == {"Default": "old", "Face": text, "Third": text}

    view = View("both", "select count(*) as n from evidence.profiles", "One row.", (("n", "n"),))
    publication = Publication((view,), ("cfa_fits",))
    assert warehouse.published_fault(publication) == "is missing"
    warehouse.publish(publication)
    assert warehouse.published_fault(publication) is None
    assert rows_of(lake, "from marts.both")["n"].tolist() == [3]
    with pytest.raises(LookingError, match="has no cfa_fits"):
        rows_of(lake, "from analysis.cfa_fits")
    assert warehouse.table("cfa_fits").empty  # left out for readers, there for writers
    with reading(lake) as reader:
        one = RunRecord("values", "b", {}, "1")
        warehouse.replace_partition([Write("profiles", profiles("later"))], [one])
        assert reader.execute("select count(*) from evidence.profiles").fetchone() == (3,)
    assert warehouse.runs().fingerprint.tolist() == ["b"]
    assert warehouse.published_fault(publication) == "holds older rows or views than were made"


def test_a_lake_without_a_server_does_what_a_file_does(file_lake: Lake) -> None:
    as_a_file_does(file_lake)


def test_a_lake_of_postgres_does_what_a_file_does(server: Postgres, tmp_path: Path) -> None:
    as_a_file_does(a_lake(server, tmp_path))


def test_readers_name_an_older_publication_until_it_is_let_go(lake: Lake) -> None:
    warehouse = warehouse_of(lake)
    for turn in ("one", "two", "three"):
        one = RunRecord("values", turn, {}, "1")
        warehouse.replace_partition([Write("profiles", profiles(turn))], [one])
        warehouse.publish()
    three, two, one_ = history_of(lake)[:3]
    said = {
        run.snapshot: rows_of(as_of(lake, str(run.snapshot)), "from evidence.profiles").content[0]
        for run in (three, two, one_)
    }
    assert list(said.values()) == ["three", "two", "one"]
    moment = as_of(lake, two.at.isoformat())
    assert rows_of(moment, "from evidence.profiles").content[0] == "two"
    with pytest.raises(WarehouseError, match="expected a publication, one of"):
        rows_of(as_of(lake, "yesterday"), "select 1")
    done = compact(lake, keep=2, hours=0)
    assert done.expired >= 1
    assert [run.snapshot for run in history_of(lake)] == [three.snapshot, two.snapshot]
    assert rows_of(moment, "from evidence.profiles").content[0] == "two"
    assert set(contents(warehouse).values()) == {"three"}
    with pytest.raises(WarehouseError, match="nothing was published then"):
        rows_of(as_of(lake, str(one_.snapshot)), "select 1")


def as_of(lake: Lake, run: str) -> Lake:
    return Lake(lake.study, lake.data, lake.file, lake.server, run, lake.folder)


def test_writers_of_one_partition_leave_one_of_them_whole(lake: Lake) -> None:
    LakeWarehouse(lake).create()
    faults: list[Exception] = []

    def write(turn: int) -> None:
        own = LakeWarehouse(lake)
        keys = ("Default", "Face")
        try:
            for _ in range(3):
                rows = profiles(f"writer {turn}", keys)
                own.replace_partition([Write("profiles", rows, "profile", keys)])
                own.append("llms", llms(f"llm-{turn}"))
        except Exception as error:
            faults.append(error)

    threads = [threading.Thread(target=write, args=(turn,)) for turn in range(3)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert faults == []
    assert len(set(contents(LakeWarehouse(lake)).values())) == 1
    assert sorted(LakeWarehouse(lake).table("llms")["llm"]) == ["llm-0", "llm-1", "llm-2"]


def llms(*names: str) -> pd.DataFrame:
    return pd.DataFrame({"llm": names, "parameters": None, "source": "table", "family": None})


def test_a_key_of_another_partition_is_refused(lake: Lake) -> None:
    warehouse = warehouse_of(lake)

    def subjects(llm: str) -> Write:
        rows = pd.DataFrame({"subject_id": ["a|Default"], "llm": [llm], "profile": ["Default"]})
        return Write("subjects", rows, "llm", (llm,))

    warehouse.replace_partition([subjects("a")])
    with pytest.raises(RowsRefused, match="keys that another partition has"):
        warehouse.replace_partition([subjects("b")])
    assert warehouse.table("subjects")["llm"].tolist() == ["a"]


def test_what_is_built_in_a_file_moves_whole_or_not_at_all(lake: Lake) -> None:
    warehouse = warehouse_of(lake)
    warehouse.replace_partition([Write("profiles", profiles("old"))])

    def build(name: str) -> None:
        with warehouse.staged() as staged:
            from gpla_assets.storage.lake_build import see_lake

            with duckdb.connect(str(staged.file)) as own:
                see_lake(own, staged.file)
                own.execute("create table marts.made as select content from evidence.profiles")
                own.execute("comment on column marts.made.content is 'words'")
                own.execute("create view internal.seen as select count(*) as n from marts.made")
            staged.record([RunRecord("lexicon", name, {}, "1")])
            if name == "failed":
                raise RuntimeError("a test of dbt failed")

    with pytest.raises(RuntimeError):
        build("failed")
    assert "failed" not in set(warehouse.runs()["fingerprint"])
    build("good")
    assert warehouse.read("from internal.seen")["n"].tolist() == [2]
    said = warehouse.read("select comment from duckdb_columns() where table_name = 'made'")
    assert said["comment"].tolist() == ["words"]
    assert "good" in set(warehouse.runs()["fingerprint"])
    assert not list(lake.folder.glob("*.staged-*"))


def test_a_warehouse_goes_to_a_lake_and_back_by_a_backup(lake: Lake, tmp_path: Path) -> None:
    path = tmp_path / "small.duckdb"
    own = FileWarehouse(path)
    records = [RunRecord("values", "a", {}, "1")]
    own.replace_partition([Write("profiles", profiles("kept"))], records)
    with own.staged() as staged, duckdb.connect(str(staged.file)) as made:
        made.execute("create table marts.made as select content from evidence.profiles")
        made.execute("create view internal.seen as select count(*) as n from marts.made")
    before = checksums_in(own.working)
    copy_store(path, lake)
    there = warehouse_of(lake)
    assert there.read("from internal.seen")["n"].tolist() == [2]
    backup = Backup(tmp_path / "backup.duckdb")
    copy_store(lake, backup)
    back = tmp_path / "back.duckdb"
    copy_store(backup, back)
    assert unlike(before, checksums_in(FileWarehouse(back).working)) == []
    assert FileWarehouse(back).read("from internal.seen")["n"].tolist() == [2]
    found = list(findings(there, Publication()))
    assert {one.what for one in found if not one.good} == {"published"}
    there.publish()
    assert [one for one in findings(there, Publication()) if not one.good] == []


def test_an_address_without_an_answer_is_named_without_the_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gpla_assets.storage import lake_faults

    monkeypatch.setenv("GPLA_WAREHOUSE_PASSWORD", "very-secret")
    gone = lake_of(f"ducklake:postgres:dbname=x host=127.0.0.1 port=1 user=me data={tmp_path}", "s")
    assert gone is not None
    monkeypatch.setattr(lake_faults.retried, "__defaults__", (0.2,))
    with pytest.raises(WarehouseError, match="does not answer") as error:
        LakeWarehouse(gone, lock_timeout=1).create()
    told = f"{error.value} {error.value.__cause__!r} {gone!r}"
    assert "very-secret" not in told


ESCAPES = [
    "drop table evidence.profiles",
    "delete from evidence.profiles",
    "create table evidence.mine as select 1 as n",
    "copy evidence.profiles to '{0}/escaped.csv'",
    "copy (select 1) to '{0}/data/escaped.parquet'",
    "select * from read_text('/etc/passwd')",
    "attach '{0}/other.duckdb' as other",
    "load sqlite_scanner",
    "install sqlite_scanner",
    "set enable_external_access = true",
    "set memory_limit = '1MB'",
]


@pytest.mark.parametrize("kind", ["file", "lake"])
def test_what_is_served_can_be_read_and_nothing_else(kind: str, lake: Lake, tmp_path: Path) -> None:
    store = lake if kind == "lake" else tmp_path / "small.duckdb"
    warehouse = warehouse_of(store)
    warehouse.replace_partition([Write("profiles", profiles("shown"))])
    warehouse.publish()
    token = tmp_path / "token"
    with served(store, token, "127.0.0.1", free_port()) as server:
        assert stat.S_IMODE(token.stat().st_mode) == 0o600
        with duckdb.connect() as client:
            client.execute("load httpfs; load quack")
            asked = "from quack_query(?, ?, token => ?)"

            def ask(sql: str, word: str) -> list[tuple[object, ...]]:
                return client.execute(asked, [server.address, sql, word]).fetchall()

            good = token.read_text()
            assert ask("select distinct content from evidence.profiles", good) == [("shown",)]
            with pytest.raises(duckdb.Error):
                ask("select 1", "not-the-token")
            for escape in ESCAPES:
                with pytest.raises(duckdb.Error):
                    ask(escape.format(tmp_path), good)
            assert ask("select count(*) from evidence.profiles", good) == [(2,)]
    assert not token.exists()
    assert not list(tmp_path.rglob("escaped.*"))


def test_sql_of_users_reads_the_lake_and_nothing_else(lake: Lake, tmp_path: Path) -> None:
    warehouse = warehouse_of(lake)
    warehouse.replace_partition([Write("profiles", profiles("shown"))])
    warehouse.publish()
    with sql_shell(lake) as shell:
        with shell.ask("select count(*) from evidence.profiles") as found:
            assert list(found.rows) == [(2,)]
        for escape in ESCAPES:
            with pytest.raises(SqlError), shell.ask(escape.format(tmp_path)) as found:
                list(found.rows)
        assert "evidence.profiles" in dict(shell.views())
    assert not list(tmp_path.rglob("escaped.*"))
