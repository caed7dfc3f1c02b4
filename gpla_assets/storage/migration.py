"""What makes a store one of this version: lacking tables and columns, and numbered migrations.

A column or table that is new is added without a number. What else changes is a migration of its
own, which goes forward only and runs in the transaction that notes its number. Version 1 is that of
gpla 0.1, whose tables all stood in one schema: what cannot be made again moves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime

import duckdb

from gpla_assets.storage.files import WarehouseError
from gpla_assets.storage.tables import TABLES
from gpla_assets.storage.writing import missing_columns, quoted, relation, schema_statements

KEPT: Mapping[str, Mapping[str, str]] = {
    "model_calls": {"call_id": "key"},
    "value_systems": {"system_id": "system"},
    "value_system_loadings": {"system_id": "system"},
}
"""Replies that were paid for and the history of value systems, with the old names of columns.
Everything else is made anew by a run, which calls rows of another version stale."""
LATER = {"model_calls": {"reasoning"}}
"""Columns that they did not have."""
OLD = (
    "select table_name from duckdb_tables() where schema_name = 'main' "
    "and database_name = current_database()"
)


PRESENT = """
select table_name, column_name from duckdb_columns()
where schema_name in ('evidence', 'analysis', 'internal') and database_name = current_database()
"""


def complete(connection: duckdb.DuckDBPyConnection, keys: bool = True) -> None:
    """Bring a store to this version, in one transaction.

    `keys`: whether the store can declare primary keys. Raises WarehouseError where it is of a newer
    version.
    """
    present: dict[str, set[str]] = {}
    for table, column in connection.execute(PRESENT).fetchall():
        present.setdefault(table, set()).add(column)
    version = version_of(connection, present)
    if version > VERSION:
        raise WarehouseError(
            f"The warehouse has schema version {version}, and this gpla knows versions up to "
            f"{VERSION}: it was written by a newer gpla. Install that one."
        )
    lacking = [name for name in TABLES if name not in present]
    columns = list(missing_columns(present))
    if not lacking and not columns and version == VERSION:
        return
    connection.begin()
    try:
        for statement in [*schema_statements(lacking, keys), *columns]:
            connection.execute(statement)
        for number in range(version + 1, VERSION + 1):
            MIGRATIONS[number](connection)
        if version < VERSION or "schema_versions" in lacking:
            connection.execute(
                "insert into internal.schema_versions by name select ? as version, ? as made_at",
                [VERSION, datetime.now(UTC).replace(tzinfo=None)],
            )
        connection.commit()
    except BaseException:
        connection.rollback()
        raise


def version_of(connection: duckdb.DuckDBPyConnection, present: Mapping[str, set[str]]) -> int:
    """The schema version of a store; of an empty one this version."""
    if "schema_versions" in present:
        row = connection.execute("select max(version) from internal.schema_versions").fetchone()
        if row and row[0] is not None:
            return int(row[0])
    return 1 if is_of_one_schema(connection) else VERSION


def is_of_one_schema(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether a file has its tables where version 0.1 had them."""
    return ("runs",) in connection.execute(OLD).fetchall()


def to_schemas(connection: duckdb.DuckDBPyConnection) -> None:
    """Move what is kept into the new tables, which exist, and drop the old ones."""
    for statement in _statements([name for (name,) in connection.execute(OLD).fetchall()]):
        connection.execute(statement)


def _statements(present: list[str]) -> Iterator[str]:
    for table, renamed in KEPT.items():
        if table in present:
            columns = [
                f"{quoted(renamed.get(name, name))} as {quoted(name)}"
                for name in TABLES[table].model_fields
                if name not in LATER.get(table, ())
            ]
            yield (
                f"insert into {relation(table)} by name "
                f"select {', '.join(columns)} from main.{quoted(table)}"
            )
    yield from (f"drop table main.{quoted(table)}" for table in present)


MIGRATIONS: Mapping[int, Callable[[duckdb.DuckDBPyConnection], None]] = {2: to_schemas}
"""By number: what brings a store of the version before to it, once all tables are there."""
VERSION = max(MIGRATIONS)
"""The version of stores that this program writes."""
