"""What is written into a warehouse, as statements of one transaction: tables, rows, run records."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
from duckdb_engine import Dialect
from sqlalchemy.schema import CreateTable, SetColumnComment, SetTableComment

from gpla_assets.storage.columns import SCHEMAS
from gpla_assets.storage.contract import check_contract
from gpla_assets.storage.files import WarehouseError
from gpla_assets.storage.shards import Shards
from gpla_assets.storage.tables import TABLES, declared, schema_of


@dataclass(frozen=True)
class Write:
    """New rows of one table: all of it, or the partitions whose `column` is among `keys`."""

    table: str
    rows: pd.DataFrame | Shards
    column: str | None = None
    keys: tuple[str, ...] = ()


@dataclass(frozen=True)
class RunRecord:
    """What made the rows of an asset (one partition of it): the row of `runs`."""

    asset: str
    fingerprint: str
    components: Mapping[str, object]
    code_version: str
    partition_key: str = ""
    row_count: int = 0
    inferences: int = 0
    seconds: float = 0.0
    details: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Check:
    """A fact that must hold of a table: `violations` is SQL that counts the rows that break it."""

    name: str
    description: str
    violations: str


class RowsRefused(WarehouseError):
    """New rows that break a check: nothing was written. `violations` counts rows by check."""

    def __init__(self, violations: Mapping[str, int]) -> None:
        self.violations = dict(violations)
        broken = "; ".join(f"{name}: {count} rows" for name, count in violations.items() if count)
        super().__init__(
            f"The new rows break a check ({broken}). They were not written, and what was there "
            "stays; the check's description in the Dagster UI says what is expected."
        )


def quoted(name: str) -> str:
    """An SQL identifier, quoted."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """An SQL string, quoted."""
    return "'" + text.replace("'", "''") + "'"


def relation(table: str) -> str:
    """A table's name in SQL, with its schema."""
    return f"{schema_of(table)}.{quoted(table)}"


def in_duckdb(statement: str) -> str:
    """Types of numbers as DuckDB names those of eight bytes, which Python's are."""
    return statement.replace("FLOAT", "DOUBLE").replace("INTEGER", "BIGINT")


def schema_statements(names: Iterable[str], keys: bool = True) -> Iterator[str]:
    """SQL that makes schemas and tables with their descriptions.

    `keys` False: a lake has no primary keys; what is not null stays so.
    """
    dialect = Dialect()
    yield from (f"create schema if not exists {schema}" for schema in SCHEMAS)
    for name in names:
        table = declared(name)
        create = CreateTable(table, if_not_exists=True).compile(dialect=dialect)
        yield in_duckdb(str(create)) if keys else _keyless(name)
        yield str(SetTableComment(table).compile(dialect=dialect))
        for item in table.columns:
            yield str(SetColumnComment(item).compile(dialect=dialect))


def _keyless(name: str) -> str:
    dialect = Dialect()
    columns = [
        f"{quoted(item.name)} {in_duckdb(str(item.type.compile(dialect=dialect)))}"
        f"{'' if item.nullable else ' not null'}"
        for item in declared(name).columns
    ]
    return f"create table if not exists {relation(name)} ({', '.join(columns)})"


def missing_columns(present: Mapping[str, set[str]]) -> Iterator[str]:
    """Columns that a table of an older version lacks; its rows have null there."""
    dialect = Dialect()
    for name in TABLES.keys() & present.keys():
        for item in declared(name).columns:
            if item.name not in present[name]:
                kind = in_duckdb(str(item.type.compile(dialect=dialect)))
                yield f"alter table {relation(name)} add column {quoted(item.name)} {kind}"
                yield str(SetColumnComment(item).compile(dialect=dialect))


def check_rows(
    connection: duckdb.DuckDBPyConnection, checks: Sequence[Check], written: Sequence[str]
) -> None:
    """Raises RowsRefused where rows break a check; `written` are the partitions it looks at."""
    if not checks:
        return
    connection.register("written", pa.table({"key": pa.array(written, pa.string())}))
    found = {}
    for check in checks:
        row = connection.execute(check.violations).fetchone()
        found[check.name] = int(row[0]) if row else 0
    connection.unregister("written")
    if any(found.values()):
        raise RowsRefused(found)


def arrow_of(write: Write) -> pa.Table | ds.Dataset:
    if write.table not in TABLES:
        raise WarehouseError(f"Table {write.table!r} is not declared; known: {', '.join(TABLES)}.")
    if isinstance(write.rows, Shards):  # each part was checked when it was added
        return write.rows.dataset()
    check_contract(write.table, write.rows)
    columns = list(TABLES[write.table].model_fields)
    return pa.Table.from_pandas(write.rows[columns], preserve_index=False)


def replace_rows(
    connection: duckdb.DuckDBPyConnection, write: Write, arrow: pa.Table | ds.Dataset
) -> None:
    table = relation(write.table)
    if write.column is None:
        connection.execute(f"delete from {table}")
    else:
        connection.execute(
            f"delete from {table} where {quoted(write.column)} in (select unnest(?))",
            [list(write.keys)],
        )
    constants = write.rows.constants if isinstance(write.rows, Shards) else {}
    more = "".join(f", ? as {quoted(name)}" for name in constants)
    connection.register("new_rows", arrow)
    connection.execute(
        f"insert into {table} by name select *{more} from new_rows", list(constants.values())
    )
    connection.unregister("new_rows")


def record_runs(
    connection: duckdb.DuckDBPyConnection,
    runs: Sequence[RunRecord],
    forgotten: Sequence[tuple[str, str]] = (),
) -> None:
    """Write run records in the place of those of the same asset and partition."""
    gone = [*forgotten, *((run.asset, run.partition_key) for run in runs)]
    if gone:
        keys = pa.table({"asset": [one[0] for one in gone], "key": [one[1] for one in gone]})
        connection.register("gone", keys)
        connection.execute(
            "delete from internal.runs as r using gone where r.asset = gone.asset "
            "and r.partition_key = gone.key"
        )
        connection.unregister("gone")
    if not runs:
        return
    now = datetime.now(UTC).replace(tzinfo=None)
    rows = [
        {
            **{name: getattr(run, name) for name in RECORDED},
            "components": json.dumps(run.components, sort_keys=True),
            "details": json.dumps(run.details, default=str),
            "finished_at": now,
        }
        for run in runs
    ]
    connection.register("new_runs", pa.Table.from_pylist(rows))
    connection.execute("insert into internal.runs by name select * from new_runs")
    connection.unregister("new_runs")


RECORDED = (
    *("asset", "partition_key", "fingerprint", "code_version"),
    *("row_count", "inferences", "seconds"),
)
