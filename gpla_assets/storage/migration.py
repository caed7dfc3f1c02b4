"""Files of version 0.1, whose tables all stood in one schema: what cannot be made again moves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import duckdb

from gpla_assets.storage.tables import TABLES
from gpla_assets.storage.writing import quoted, relation

KEPT: Mapping[str, Mapping[str, str]] = {
    "model_calls": {"call_id": "key"},
    "value_systems": {"system_id": "system"},
    "value_system_loadings": {"system_id": "system"},
}
"""Replies that were paid for and the history of value systems, with the old names of columns.
Everything else is made anew by a run, which calls rows of another version stale."""
LATER = {"model_calls": {"reasoning"}}
"""Columns that they did not have."""
OLD = "select table_name from duckdb_tables() where schema_name = 'main'"


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
