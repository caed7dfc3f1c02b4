"""A published warehouse for whoever reads all of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from gpla_assets.storage.files import WarehouseError, known_faults
from gpla_assets.storage.tables import TABLES, schema_of
from gpla_assets.storage.writing import literal, quoted, schema_statements


@contextmanager
def opened_whole(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A published warehouse with every declared table: those that it lacks are there and empty.

    A study's file has no tables of what the study does not ask for; whoever draws all of it can
    then read them like the others. Nothing is written to the file.
    """
    if not path.exists():
        raise WarehouseError(
            f"{path} does not exist: the study was not run yet; `gpla run` makes it."
        )
    with known_faults(path), duckdb.connect() as connection:
        connection.execute(f"attach {literal(str(path))} as study (read_only)")
        here = connection.execute(
            "select schema_name, table_name from duckdb_tables() where database_name = 'study' "
            "union all select schema_name, view_name from duckdb_views() "
            "where database_name = 'study' and not internal"
        ).fetchall()
        for statement in schema_statements(
            name for name in TABLES if (schema_of(name), name) not in here
        ):
            connection.execute(statement)
        for schema, name in here:
            own = f"{schema}.{quoted(name)}"
            connection.execute(f"create view {own} as from study.{own}")
        yield connection
