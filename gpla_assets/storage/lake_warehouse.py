"""A study's tables in a DuckLake: many processes write at once, and readers name a snapshot.

The catalogue (Postgres, or a DuckDB file) says which Parquet files are which table at which
snapshot. A lake has no keys that it would check, so each write checks those of its rows; it settles
conflicts by refusing a transaction, which is then tried again.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

import duckdb
import pyarrow as pa
import pyarrow.dataset as ds

from gpla_assets.storage.files import WarehouseError
from gpla_assets.storage.lake_build import begin_file, file_beside, moves_of
from gpla_assets.storage.lake_connection import connection_to, held, let_go
from gpla_assets.storage.lake_faults import kind_of, retried
from gpla_assets.storage.lake_history import PUBLISHED, last_published
from gpla_assets.storage.migration import complete
from gpla_assets.storage.publication import Publication
from gpla_assets.storage.shards import Shards
from gpla_assets.storage.tables import declared
from gpla_assets.storage.warehouse import (
    STAGED,
    Found,
    Marks,
    Staged,
    Warehouse,
    Work,
    in_transaction,
    state_hash,
)
from gpla_assets.storage.writing import RowsRefused, Write, literal, quoted, record_runs, relation
from gpla_assets.studies import Lake

TABLES_NAME = "tables"
"""What is locked while tables are made."""


@dataclass(frozen=True)
class LakeWarehouse(Warehouse):
    """A study's warehouse in a DuckLake."""

    lake: Lake
    lock_timeout: float = 600.0
    # whether all tables are there, as this object knows: looked at once
    _complete: set[str] = field(default_factory=set, init=False, repr=False, compare=False)

    def __str__(self) -> str:
        return str(self.lake)

    def exists(self) -> bool:
        if self.lake.file is not None and not self.lake.file.exists():
            return False
        try:
            self._read(lambda connection: None)
        except WarehouseError as error:
            if error.__cause__ is not None and kind_of(error.__cause__) == "missing":
                return False
            raise
        return True

    def create(self) -> None:
        if self._complete:
            return

        def once() -> None:
            with (
                held(self.lake, [TABLES_NAME], self.lock_timeout),
                connection_to(self.lake, make=True) as connection,
            ):
                complete(connection, keys=False)

        retried(self.lake, once, self._lost)
        self._complete.add("")

    def _lost(self) -> None:
        let_go(self.lake)

    def _held_to_read(self, timeout: float | None) -> AbstractContextManager[None]:
        wait = self.lock_timeout if timeout is None else timeout
        return held(self.lake, [], wait) if self.lake.file is not None else nullcontext()

    def _read(self, work: Work[Found], timeout: float | None = None) -> Found:
        def once() -> Found:
            with self._held_to_read(timeout), connection_to(self.lake) as connection:
                connection.begin()
                try:
                    return work(connection)
                finally:
                    with suppress(duckdb.Error):
                        connection.rollback()

        return self._with_tables(once)

    def _write(self, work: Work[None], names: Sequence[str], small: bool = False) -> None:
        def once() -> None:
            with (
                held(self.lake, names, self.lock_timeout),
                connection_to(self.lake) as connection,
            ):
                in_transaction(connection, work)

        self._with_tables(once)

    def _with_tables(self, once: Callable[[], Found]) -> Found:
        """Do it, and once again where publishing had removed an empty table that it needs."""
        try:
            return retried(self.lake, once, self._lost)
        except duckdb.CatalogException:
            if not self._complete:
                raise
            self._complete.clear()
            self.create()
            return retried(self.lake, once, self._lost)

    def _merge(self, connection: duckdb.DuckDBPyConnection, table: str, rows: pa.Table) -> None:
        keys = ", ".join(quoted(item.name) for item in declared(table).primary_key.columns)
        connection.register("new_rows", rows)
        connection.execute(
            f"merge into {relation(table)} using new_rows using ({keys}) "
            "when matched then update by name when not matched then insert by name"
        )
        connection.unregister("new_rows")

    def _unique(
        self, connection: duckdb.DuckDBPyConnection, write: Write, arrow: pa.Table | ds.Dataset
    ) -> None:
        # a frame was looked at before, of shards each part alone; another partition, too, may
        # have the key
        keys = [item.name for item in declared(write.table).primary_key.columns]
        whole = write.column is None or write.column in keys
        if not len(write.rows) or (whole and not isinstance(write.rows, Shards)):
            return
        named = ", ".join(quoted(name) for name in keys)
        given = ", ".join(quoted(name) for name in keys if name in arrow.schema.names)
        connection.register("new_keys", arrow)
        row = connection.execute(
            f"select count(*) from (select {named} from {relation(write.table)} "
            f"semi join new_keys using ({given}) group by all having count(*) > 1)"
        ).fetchone()
        connection.unregister("new_keys")
        if row and row[0]:
            raise RowsRefused({f"{write.table}: keys that another partition has": int(row[0])})

    @contextmanager
    def staged(self) -> Iterator[Staged]:
        """A file with views of the lake's tables; what is built in it moves to the lake at the end.

        Others write meanwhile: the record of what was built names what it was built from.
        """
        self.create()
        self.lake.folder.mkdir(parents=True, exist_ok=True)
        _clear_staged(self.lake)
        folder = self.lake.folder / f"{self.lake.study}.staged-{os.getpid()}"
        staged = Staged(folder / STAGED)
        folder.mkdir()
        try:
            before = self._read(lambda connection: begin_file(connection, staged.file, self.lake))
            yield staged

            moves = moves_of(staged.file, before)

            def take(connection: duckdb.DuckDBPyConnection) -> None:
                for statement in moves:
                    connection.execute(statement)
                record_runs(connection, staged.runs)

            names = ["build", *(run.asset for run in staged.runs)]

            def once() -> None:
                with (
                    held(self.lake, names, self.lock_timeout),
                    connection_to(self.lake) as connection,
                    file_beside(connection, staged.file),
                ):
                    in_transaction(connection, take)

            retried(self.lake, once, self._lost)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def publish(self, publication: Publication = Publication()) -> None:
        """Note the snapshot that readers see. What has no rows is left out of it, and made again
        when it is needed."""
        self.create()

        def work(connection: duckdb.DuckDBPyConnection) -> None:
            state = f"{state_hash(connection)} {publication.fingerprint}"
            publication.apply(connection, lake=True)
            # a transaction that changes nothing would make no snapshot
            connection.execute(
                "create or replace view internal.published as "
                f"select {literal(state)} as state, {literal(str(datetime.now(UTC)))} as made_at"
            )
            said = [PUBLISHED, json.dumps({"state": state})]
            connection.execute("call lake.set_commit_message('gpla', ?, extra_info => ?)", said)

        self._write(work, ["publish", TABLES_NAME])
        self._complete.clear()

    def published_fault(self, publication: Publication = Publication()) -> str | None:
        last, state = self._read(lambda one: (last_published(one), state_hash(one)))
        if last is None:
            return "is missing"
        if last.state != f"{state} {publication.fingerprint}":
            return "holds older rows or views than were made"
        return None

    def published_at(self) -> int:
        last = self._read(last_published)
        return 0 if last is None else int(last.at.timestamp() * 1e9)

    def marks(self) -> Marks:
        """The lake with its present snapshot."""
        if not self.exists():
            return []
        row = self._read(lambda one: one.execute("from lake.current_snapshot()").fetchone())
        return [(str(self.lake), int(row[0]) if row else 0, 0)]


def _clear_staged(lake: Lake) -> None:
    """Remove the folders of processes of this machine that are gone."""
    for left in lake.folder.glob(f"{lake.study}.staged-*"):
        number = left.name.rpartition("-")[2]
        try:
            os.kill(int(number), 0)
        except ProcessLookupError:
            shutil.rmtree(left, ignore_errors=True)
        except (ValueError, OSError):
            continue
