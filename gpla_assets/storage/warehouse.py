"""The one door to a study's tables, whatever they lie in.

What is above it asks for rows and hands rows over. Two backends stand behind it: a DuckDB file
(`file_warehouse`) and a DuckLake (`lake_warehouse`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds

from gpla_assets.storage.files import WarehouseError, connected
from gpla_assets.storage.publication import Publication
from gpla_assets.storage.shards import Spool
from gpla_assets.storage.writing import (
    Check,
    RunRecord,
    Write,
    arrow_of,
    check_rows,
    literal,
    record_runs,
    relation,
    replace_rows,
)
from gpla_assets.studies import Lake, Store

STAGED = "warehouse.duckdb"
"""The name of a file to build on; DuckDB takes the catalogue's name from it."""

SPOOLING = "1GiB"
"""What DuckDB may hold while rows are ordered into a file; it goes on on disk beyond that."""

Row = tuple[Any, ...]
"""Of a query: of which types, DuckDB says when it runs."""
Found = TypeVar("Found")
Work = Callable[[duckdb.DuckDBPyConnection], Found]
"""What is done on a connection. It may be done again, so it changes nothing else."""
Marks = list[tuple[str, int, int]]
"""What changes when rows do: a file with its size and time, or a lake with its snapshot."""


@dataclass
class Staged:
    """A DuckDB file to build on; what it holds counts at the end of `Warehouse.staged`."""

    file: Path
    runs: list[RunRecord] = field(default_factory=list)

    def rows(self, table: str) -> int:
        """Rows of a table of it."""
        with closing(connected(self.file)) as connection:
            row = connection.execute(f"select count(*) from {relation(table)}").fetchone()
        return int(row[0]) if row else 0

    def record(self, runs: Sequence[RunRecord]) -> None:
        """What made its rows; counts with them."""
        self.runs += runs


class Warehouse(ABC):
    """A study's warehouse.

    Raises WarehouseError where the store is damaged, foreign, cannot be reached or written, and
    where another process holds it too long.
    """

    @abstractmethod
    def exists(self) -> bool:
        """Whether anything was ever stored."""

    @abstractmethod
    def create(self) -> None:
        """Make the tables and columns that are lacking (in a store of an older version)."""

    @abstractmethod
    def _read(self, work: Work[Found], timeout: float | None = None) -> Found:
        """Do `work` on a connection; all that it reads is of one moment."""

    @abstractmethod
    def _write(self, work: Work[None], names: Sequence[str], small: bool = False) -> None:
        """Do `work` in one transaction. `names` say what it replaces: nobody else does meanwhile.

        `small` work is much repeated.
        """

    @abstractmethod
    def _merge(self, connection: duckdb.DuckDBPyConnection, table: str, rows: pa.Table) -> None:
        """Add rows; one takes the place of a row with the same key."""

    @abstractmethod
    def _unique(
        self, connection: duckdb.DuckDBPyConnection, write: Write, arrow: pa.Table | ds.Dataset
    ) -> None:
        """Raises RowsRefused where a key stands twice, which the contract cannot see.

        `arrow` are the written rows without their constants.
        """

    @abstractmethod
    def staged(self) -> AbstractContextManager[Staged]:
        """A file to build on, which takes its place at the end.

        A process that dies on the way, or a child of it that lives on, leaves what was there.
        """

    @abstractmethod
    def publish(self, publication: Publication = Publication()) -> None:
        """Have readers see the present rows from now on; open readers keep what they see.

        `publication`: views that they have besides, and what is left out.
        """

    @abstractmethod
    def published_fault(self, publication: Publication = Publication()) -> str | None:
        """Why what readers see is not what is stored; None where it is."""

    @abstractmethod
    def published_at(self) -> int:
        """When it was last published, in nanoseconds of the epoch; 0 where it never was."""

    @abstractmethod
    def marks(self) -> Marks:
        """What differs after rows were written; asked often, so it is cheap."""

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
        keys = [run.partition_key for run in runs]

        def work(connection: duckdb.DuckDBPyConnection) -> None:
            for write, arrow in zip(writes, tables, strict=True):
                replace_rows(connection, write, arrow)
                self._unique(connection, write, arrow)
            check_rows(connection, checks, keys)
            record_runs(connection, runs, forgotten)

        self._write(work, _replaced(writes, runs, forgotten))

    def append(self, table: str, rows: pd.DataFrame) -> None:
        """Add rows in one short transaction; a row takes the place of one with the same key.

        Raises what `replace_partition` raises.
        """
        self.create()
        arrow = arrow_of(Write(table, rows))
        self._write(lambda connection: self._merge(connection, table, arrow), [table], small=True)

    def read(self, sql: str, parameters: Sequence[object] = ()) -> pd.DataFrame:
        """The rows of a query on what was written last."""
        self.create()
        return self._read(lambda connection: connection.execute(sql, list(parameters)).df())

    def read_as_it_is(self, work: Work[Found]) -> Found:
        """Do `work` on a connection to a store that may be of an older version: nothing is made.

        Raises WarehouseError where there is none.
        """
        self.expect()
        return self._read(work)

    def expect(self) -> None:
        """Raises WarehouseError where nothing was ever stored."""
        if not self.exists():
            raise WarehouseError(f"{self}: the study was not run yet; `gpla run` makes it.")

    def spooled(self, sql: str, parameters: Sequence[object] = ()) -> Spool:
        """The rows of a query in a file, to be read a part at a time with nothing open."""
        self.create()
        spool = Spool()
        target = literal(str(spool.path))

        def work(connection: duckdb.DuckDBPyConnection) -> None:
            connection.execute(f"set memory_limit = '{SPOOLING}'")
            connection.execute(f"copy ({sql}) to {target} (format parquet)", list(parameters))

        self._read(work)
        return spool

    def table(self, name: str) -> pd.DataFrame:
        """All rows of a table."""
        return self.read(f"select * from {relation(name)}")

    def runs(self) -> pd.DataFrame:
        """The run records, one row an asset and partition."""
        return self.table("runs")

    def fetch(self, queries: Sequence[str], timeout: float | None = None) -> list[list[Row]]:
        """Rows of several queries at one moment, as tuples; none of a table that is not there."""
        return self._read(lambda connection: [fetched(connection, one) for one in queries], timeout)


def in_transaction(connection: duckdb.DuckDBPyConnection, work: Work[None]) -> None:
    """Do `work` whole or not at all."""
    connection.begin()
    try:
        work(connection)
        connection.commit()
    except BaseException:
        with suppress(duckdb.Error):  # where the server is gone, so is the transaction
            connection.rollback()
        raise


def warehouse_of(store: Store) -> Warehouse:
    """The warehouse of a store: `study.store`, or a file."""
    if isinstance(store, Lake):
        from gpla_assets.storage.lake_warehouse import LakeWarehouse

        return LakeWarehouse(store)
    from gpla_assets.storage.file_warehouse import FileWarehouse

    return FileWarehouse(store)


def fetched(connection: duckdb.DuckDBPyConnection, query: str) -> list[Row]:
    """Rows of a query; none where its table is not there."""
    try:
        return connection.execute(query).fetchall()
    except duckdb.CatalogException:
        return []


def state_hash(connection: duckdb.DuckDBPyConnection) -> str:
    """A hash of all run records: what rows a store holds."""
    rows = fetched(
        connection,
        "select md5(string_agg(concat_ws('|', asset, partition_key, fingerprint, finished_at), "
        "' ' order by asset, partition_key)) from internal.runs",
    )
    return str(rows[0][0]) if rows else ""


def _replaced(
    writes: Sequence[Write], runs: Sequence[RunRecord], forgotten: Sequence[tuple[str, str]]
) -> list[str]:
    """Names of what a transaction replaces: whole tables, and partitions by their keys."""
    names = {key for write in writes for key in write.keys}
    names |= {write.table for write in writes if write.column is None}
    names |= {run.partition_key or run.asset for run in runs}
    names |= {key or asset for asset, key in forgotten}
    return sorted(names)
