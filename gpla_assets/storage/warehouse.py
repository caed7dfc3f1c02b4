"""The one door to a study's DuckDB file.

DuckDB lets one process write, and none while another has the file open. So every access takes a
file lock, opens, does one short transaction and closes; readers get a published copy.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
from duckdb_engine import Dialect
from sqlalchemy.schema import CreateTable, SetColumnComment, SetTableComment

from gpla_assets.storage.tables import TABLES


class WarehouseError(RuntimeError):
    """The warehouse could not be used as asked."""


@dataclass(frozen=True)
class Write:
    """New rows of one table: all of it, or the partitions whose `column` is among `keys`."""

    table: str
    rows: pd.DataFrame
    column: str | None = None
    keys: tuple[str, ...] = ()


@dataclass(frozen=True)
class RunRecord:
    """What made the rows of an asset (one partition of it): the row of `runs`."""

    asset: str
    fingerprint: str
    components: dict[str, Any]
    code_version: str
    partition_key: str = ""
    row_count: int = 0
    inferences: int = 0
    seconds: float = 0.0
    details: dict[str, Any] = field(default_factory=dict)


def quoted(name: str) -> str:
    """An SQL identifier, quoted."""
    return '"' + name.replace('"', '""') + '"'


def _schema_statements(names: Iterable[str]) -> Iterator[str]:
    dialect = Dialect()
    for name in names:
        table = TABLES[name].__table__  # type: ignore[attr-defined]
        create = str(CreateTable(table, if_not_exists=True).compile(dialect=dialect))
        yield create.replace(" FLOAT", " DOUBLE")  # FLOAT has four bytes in DuckDB
        yield str(SetTableComment(table).compile(dialect=dialect))
        for item in table.columns:
            yield str(SetColumnComment(item).compile(dialect=dialect))


def _missing_columns(present: Mapping[str, set[str]]) -> Iterator[str]:
    """Columns that a table of an older version lacks; its rows have null there."""
    dialect = Dialect()
    for name in TABLES.keys() & present.keys():
        for item in TABLES[name].__table__.columns:  # type: ignore[attr-defined]
            if item.name not in present[name]:
                kind = str(item.type.compile(dialect=dialect)).replace("FLOAT", "DOUBLE")
                yield f"alter table {quoted(name)} add column {quoted(item.name)} {kind}"
                yield str(SetColumnComment(item).compile(dialect=dialect))


@dataclass(frozen=True)
class Warehouse:
    """A study's warehouse.

    `path` is the published file, which anyone may open; the working file lies beside it in
    `work/`. Raises WarehouseError if the lock is not had within `lock_timeout` seconds.
    """

    path: Path
    lock_timeout: float = 600.0
    _complete: set[Path] = field(default_factory=set, init=False, repr=False, compare=False)

    @property
    def working(self) -> Path:
        """The file that assets and dbt write."""
        return self.path.parent / "work" / self.path.name

    @contextmanager
    def locked(self) -> Iterator[Path]:
        """Hold the file lock; the kernel releases it when the process dies."""
        self.working.parent.mkdir(parents=True, exist_ok=True)
        lock = self.working.with_suffix(".lock")
        with open(lock, "a+", encoding="utf-8") as handle:
            self._acquire(handle)
            handle.seek(0)
            handle.truncate()
            handle.write(f"process {os.getpid()} since {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC")
            handle.flush()
            try:
                yield self.working
            finally:
                fcntl.flock(handle, fcntl.LOCK_UN)

    def _acquire(self, handle: Any) -> None:
        deadline = time.monotonic() + self.lock_timeout
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                if time.monotonic() > deadline:
                    handle.seek(0)
                    holder = handle.read() or "an unknown process"
                    raise WarehouseError(
                        f"{self.working} is locked by {holder}; waited {self.lock_timeout:.0f} s. "
                        "Wait for that run to end, or stop it, and run again."
                    ) from None
                time.sleep(0.05)

    @contextmanager
    def _connection(self, fold: bool = True) -> Iterator[duckdb.DuckDBPyConnection]:
        """`fold` takes the write-ahead log into the file on closing; durable either way."""
        with self.locked() as file:
            connection = duckdb.connect(str(file))
            try:
                if not fold:
                    connection.execute("pragma disable_checkpoint_on_shutdown")
                yield connection
            finally:
                connection.close()

    def create(self) -> None:
        """Make the file, and the tables and columns that it lacks (a file of an older version)."""
        if self.working in self._complete and self.working.exists():
            return
        with self._connection(fold=False) as connection:
            query = "select table_name, column_name from duckdb_columns() where not internal"
            present: dict[str, set[str]] = {}
            for table, column in connection.execute(query).fetchall():
                present.setdefault(table, set()).add(column)
            connection.begin()
            for statement in _schema_statements(name for name in TABLES if name not in present):
                connection.execute(statement)
            for statement in _missing_columns(present):
                connection.execute(statement)
            connection.commit()
        self._complete.add(self.working)

    def replace_partition(self, writes: Sequence[Write], runs: Sequence[RunRecord] = ()) -> None:
        """Replace rows of one or several tables and their run records in one transaction.

        A process killed in the middle leaves the old rows or the new, never a mix.
        Raises WarehouseError for an unknown table or rows that miss one of its columns.
        """
        self.create()
        tables = [_arrow(write) for write in writes]
        with self._connection() as connection:
            connection.begin()
            try:
                for write, arrow in zip(writes, tables, strict=True):
                    _replace(connection, write, arrow)
                for run in runs:
                    _record(connection, run)
                connection.commit()
            except BaseException:
                connection.rollback()
                raise

    def append(self, table: str, rows: pd.DataFrame) -> None:
        """Add rows in one short transaction; a row takes the place of one with the same key.

        The rows stay in the write-ahead log until it is large: taking each small group into the
        file would rewrite up to 120,000 rows every time. Raises what `replace_partition` raises.
        """
        self.create()
        arrow = _arrow(Write(table, rows))
        with self._connection(fold=False) as connection:
            connection.register("new_rows", arrow)
            connection.execute(
                f"insert or replace into {quoted(table)} by name select * from new_rows"
            )
            connection.unregister("new_rows")

    def read(self, sql: str, parameters: Sequence[Any] = ()) -> pd.DataFrame:
        """The rows of a query on the working file."""
        self.create()
        with self._connection(fold=False) as connection:
            return connection.execute(sql, list(parameters)).df()

    def table(self, name: str) -> pd.DataFrame:
        """All rows of a table."""
        return self.read(f"select * from {quoted(name)}")

    def runs(self) -> pd.DataFrame:
        """The run records, one row an asset and partition."""
        return self.table("runs")

    def publish(self) -> None:
        """Copy the working file to where users read; works under their open connections."""
        self.create()
        with self.locked() as file:
            duckdb.connect(str(file)).close()  # folds a write-ahead log into the file
            temporary = self.path.with_suffix(".publishing")
            shutil.copyfile(file, temporary)
            os.replace(temporary, self.path)


def _arrow(write: Write) -> pa.Table:
    if write.table not in TABLES:
        raise WarehouseError(f"Table {write.table!r} is not declared; known: {', '.join(TABLES)}.")
    columns = list(TABLES[write.table].model_fields)
    missing = [name for name in columns if name not in write.rows.columns]
    if missing:
        raise WarehouseError(
            f"Rows for {write.table} miss {missing}; expected the columns {columns}."
        )
    return pa.Table.from_pandas(write.rows[columns], preserve_index=False)


def _replace(connection: duckdb.DuckDBPyConnection, write: Write, arrow: pa.Table) -> None:
    table = quoted(write.table)
    if write.column is None:
        connection.execute(f"delete from {table}")
    else:
        connection.execute(
            f"delete from {table} where {quoted(write.column)} in (select unnest(?))",
            [list(write.keys)],
        )
    connection.register("new_rows", arrow)
    connection.execute(f"insert into {table} by name select * from new_rows")
    connection.unregister("new_rows")


def _record(connection: duckdb.DuckDBPyConnection, run: RunRecord) -> None:
    connection.execute(
        "delete from runs where asset = ? and partition_key = ?", [run.asset, run.partition_key]
    )
    connection.execute(
        "insert into runs by name select ? as asset, ? as partition_key, ? as fingerprint, "
        "? as components, ? as code_version, ? as row_count, ? as inferences, ? as seconds, "
        "? as details, ? as finished_at",
        [
            run.asset,
            run.partition_key,
            run.fingerprint,
            json.dumps(run.components, sort_keys=True),
            run.code_version,
            run.row_count,
            run.inferences,
            run.seconds,
            json.dumps(run.details, default=str),
            datetime.now(UTC).replace(tzinfo=None),
        ],
    )
