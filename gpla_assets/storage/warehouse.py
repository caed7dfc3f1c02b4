"""The one door to a study's DuckDB file.

DuckDB lets one process write, and none while another has the file open. So every access takes a
file lock, opens, does one short transaction and closes; readers get a published copy.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
from filelock import FileLock, Timeout

from gpla_assets.storage.files import WarehouseLocked, connected, copied, known_faults
from gpla_assets.storage.migration import is_of_one_schema, to_schemas
from gpla_assets.storage.publication import Publication
from gpla_assets.storage.shards import Spool
from gpla_assets.storage.tables import TABLES
from gpla_assets.storage.writing import (
    Check,
    RunRecord,
    Write,
    arrow_of,
    check_rows,
    literal,
    missing_columns,
    record_runs,
    relation,
    replace_rows,
    schema_statements,
)

STAGED = "warehouse.duckdb"
"""The name of a copy to build on; DuckDB takes the catalogue's name from it."""

SPOOLING = "1GiB"
"""What DuckDB may hold while rows are ordered into a file; it goes on on disk beyond that."""

Row = tuple[Any, ...]
"""Of a query: of which types, DuckDB says when it runs."""


def _identity(file: Path) -> tuple[Path, int]:
    """A file as it is now: another that takes its place is another (0: there is none)."""
    try:
        return file, file.stat().st_ino
    except OSError:
        return file, 0


@dataclass(frozen=True)
class Warehouse:
    """A study's warehouse.

    `path` is the published file, which anyone may open; the working file lies beside it in
    `work/`. Raises WarehouseError if the lock is not had within `lock_timeout` seconds, or where
    a file is damaged, foreign, cannot be written or does not fit on the disk.
    """

    path: Path
    lock_timeout: float = 600.0
    # files that have all tables, as this object knows: looked at once
    _complete: set[tuple[Path, int]] = field(
        default_factory=set, init=False, repr=False, compare=False
    )

    @property
    def working(self) -> Path:
        """The file that assets and dbt write."""
        return self.path.parent / "work" / self.path.name

    @contextmanager
    def locked(self, timeout: float | None = None) -> Iterator[Path]:
        """Hold the file lock; the kernel releases it when the process dies.

        One lock object a use: threads of this process exclude each other too.
        """
        path = self.working.with_suffix(".lock")
        wait = self.lock_timeout if timeout is None else timeout
        # without flock filelock would fall back to a file whose presence outlives its process
        lock = FileLock(path, timeout=wait, fallback_to_soft=False)
        with known_faults(path):
            self.working.parent.mkdir(parents=True, exist_ok=True)
            try:
                lock.acquire()
            except Timeout:
                holder = path.read_text("utf-8") or "an unknown process"
                raise WarehouseLocked(
                    f"{self.working} is locked by {holder}; waited {wait:.0f} s. "
                    "Wait for that run to end, or stop it, and run again."
                ) from None
        since = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"
        try:
            with known_faults(path):
                path.write_text(f"process {os.getpid()} since {since}", "utf-8")
            yield self.working
        finally:
            lock.release()

    @contextmanager
    def _connection(
        self, fold: bool = True, timeout: float | None = None
    ) -> Iterator[duckdb.DuckDBPyConnection]:
        """`fold` takes the write-ahead log into the file on closing; durable either way."""
        with self.locked(timeout) as file:
            connection = connected(file, self.lock_timeout)
            try:
                if not fold:
                    connection.execute("pragma disable_checkpoint_on_shutdown")
                with known_faults(file):
                    yield connection
            finally:
                connection.close()

    def create(self) -> None:
        """Make the file, and the tables and columns that it lacks (a file of an older version).

        Where only the published file is left, the working file begins as a copy of it.
        """
        if _identity(self.working) in self._complete:
            return
        if not self.working.exists() and self.path.exists():
            with self.locked() as file, known_faults(file):
                if not file.exists():  # another process may have been quicker
                    # under another name first: a process killed here leaves no half a file
                    begun = file.with_suffix(".begun")
                    copied(self.path, begun)
                    os.replace(begun, file)
        with self._connection(fold=False) as connection:
            query = (
                "select table_name, column_name from duckdb_columns() "
                "where schema_name in ('evidence', 'analysis', 'internal')"
            )
            present: dict[str, set[str]] = {}
            for table, column in connection.execute(query).fetchall():
                present.setdefault(table, set()).add(column)
            connection.begin()
            for statement in schema_statements(name for name in TABLES if name not in present):
                connection.execute(statement)
            for statement in missing_columns(present):
                connection.execute(statement)
            if is_of_one_schema(connection):
                to_schemas(connection)
            connection.commit()
        self._complete.add(_identity(self.working))

    def replace_partition(
        self,
        writes: Sequence[Write],
        runs: Sequence[RunRecord] = (),
        checks: Sequence[Check] = (),
        forgotten: Sequence[tuple[str, str]] = (),
    ) -> None:
        """Replace rows of one or several tables and their run records in one transaction.

        A process killed in the middle leaves the old rows or the new, never a mix. `checks` see
        the new rows before they count; `forgotten` are run records (asset, partition) that go.
        Raises RowsRefused where a check fails, WarehouseError for an unknown table or rows that
        miss one of its columns; the old rows stay.
        """
        self.create()
        tables = [arrow_of(write) for write in writes]
        with self._connection() as connection:
            connection.begin()
            try:
                for write, arrow in zip(writes, tables, strict=True):
                    replace_rows(connection, write, arrow)
                check_rows(connection, checks, [run.partition_key for run in runs])
                record_runs(connection, runs, forgotten)
                connection.commit()
            except BaseException:
                connection.rollback()
                raise

    @contextmanager
    def staged(self) -> Iterator[Path]:
        """A copy of the working file to build on, which takes its place at the end.

        The lock is held throughout. A process that dies on the way, or a child of it that lives
        on, leaves the working file as it was.
        """
        self.create()
        with self.locked() as file:
            _clear_staged(file)
            folder = file.with_name(f"{file.stem}.staged-{os.getpid()}")
            # dbt knows the file by its name, whatever the study: see dbt.py
            staged = folder / STAGED
            try:
                with known_faults(file):
                    folder.mkdir()
                    connected(file, self.lock_timeout).close()  # folds a write-ahead log in
                    copied(file, staged)
                yield staged
                with known_faults(staged):
                    connected(staged, self.lock_timeout).close()
                    os.replace(staged, file)
                self._complete.add(_identity(file))
            finally:
                shutil.rmtree(folder, ignore_errors=True)

    def append(self, table: str, rows: pd.DataFrame) -> None:
        """Add rows in one short transaction; a row takes the place of one with the same key.

        The rows stay in the write-ahead log until it is large: taking each small group into the
        file would rewrite up to 120,000 rows every time. Raises what `replace_partition` raises.
        """
        self.create()
        arrow = arrow_of(Write(table, rows))
        with self._connection(fold=False) as connection:
            connection.register("new_rows", arrow)
            connection.execute(
                f"insert or replace into {relation(table)} by name select * from new_rows"
            )
            connection.unregister("new_rows")

    def read(self, sql: str, parameters: Sequence[object] = ()) -> pd.DataFrame:
        """The rows of a query on the working file."""
        self.create()
        with self._connection(fold=False) as connection:
            return connection.execute(sql, list(parameters)).df()

    def spooled(self, sql: str, parameters: Sequence[object] = ()) -> Spool:
        """The rows of a query in a file, to be read a part at a time with nothing open."""
        self.create()
        spool = Spool()
        with self._connection(fold=False) as connection:
            connection.execute(f"set memory_limit = '{SPOOLING}'")
            target = literal(str(spool.path))
            connection.execute(f"copy ({sql}) to {target} (format parquet)", list(parameters))
        return spool

    def table(self, name: str) -> pd.DataFrame:
        """All rows of a table."""
        return self.read(f"select * from {relation(name)}")

    def runs(self) -> pd.DataFrame:
        """The run records, one row an asset and partition."""
        return self.table("runs")

    def fetch(self, queries: Sequence[str], timeout: float | None = None) -> list[list[Row]]:
        """Rows of several queries at one moment, as tuples; none of a table that is not there."""
        with self._connection(fold=False, timeout=timeout) as connection:
            return [_fetched(connection, query) for query in queries]

    def publish(self, publication: Publication = Publication()) -> None:
        """Copy the working file to where users read; works under their open connections.

        `publication`: views that the copy has besides, and what is left out of it.
        """
        self.create()
        with self.locked() as file, known_faults(self.path):
            _clear_staged(file)
            connection = connected(file, self.lock_timeout)  # folds a write-ahead log in
            state = _state(connection)
            connection.close()
            temporary = self.path.with_suffix(".publishing")
            try:
                copied(file, temporary)
                with closing(connected(temporary, self.lock_timeout)) as opened:
                    publication.apply(opened)
                os.replace(temporary, self.path)
            finally:
                temporary.unlink(missing_ok=True)
            stat = self.path.stat()
            state = f"{state} {publication.fingerprint}"
            stamp = {"state": state, "size": stat.st_size, "mtime_ns": stat.st_mtime_ns}
            staged = self._stamp.with_suffix(".staged")
            staged.write_text(json.dumps(stamp), "utf-8")
            os.replace(staged, self._stamp)

    @property
    def _stamp(self) -> Path:
        """What the published file held when it was written: state, size, time."""
        return self.working.with_suffix(".published.json")

    def published_fault(self, publication: Publication = Publication()) -> str | None:
        """Why the published file is not what the working file holds; None where it is."""
        if not self.path.exists():
            return "is missing"
        try:
            stamp = json.loads(self._stamp.read_text("utf-8"))
            stat = self.path.stat()
        except (OSError, ValueError):
            return "has no stamp that says what it holds"
        if [stamp.get("size"), stamp.get("mtime_ns")] != [stat.st_size, stat.st_mtime_ns]:
            return "was changed or cut off since it was published"
        with self._connection(fold=False) as connection:
            if f"{_state(connection)} {publication.fingerprint}" != stamp.get("state"):
                return "holds older rows or views than were made"
        return None


def _clear_staged(file: Path) -> None:
    """Remove the copies that killed processes were building on; to be called under the lock."""
    for left in file.parent.glob(f"{file.stem}.staged-*"):
        shutil.rmtree(left, ignore_errors=True)


def _fetched(connection: duckdb.DuckDBPyConnection, query: str) -> list[Row]:
    try:
        return connection.execute(query).fetchall()
    except duckdb.CatalogException:
        return []


def _state(connection: duckdb.DuckDBPyConnection) -> str:
    """A hash of all run records: what rows a file holds."""
    rows = _fetched(
        connection,
        "select md5(string_agg(concat_ws('|', asset, partition_key, fingerprint, finished_at), "
        "' ' order by asset, partition_key)) from internal.runs",
    )
    return str(rows[0][0]) if rows else ""
