"""A published warehouse for whoever reads all of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import duckdb

from gpla_assets.storage.files import WarehouseError, known_faults
from gpla_assets.storage.tables import TABLES, schema_of
from gpla_assets.storage.writing import literal, quoted, schema_statements
from gpla_assets.studies import Lake, Store


@contextmanager
def opened_whole(store: Store) -> Iterator[duckdb.DuckDBPyConnection]:
    """A published warehouse with every declared table: those that it lacks are there and empty.

    A study's file has no tables of what the study does not ask for; whoever draws all of it can
    then read them like the others. Nothing is written to the store.
    """
    with _published(store) as (connection, name):
        here = connection.execute(
            f"select schema_name, table_name from duckdb_tables() where database_name = '{name}' "
            "union all select schema_name, view_name from duckdb_views() "
            f"where database_name = '{name}' and not internal"
        ).fetchall()
        for statement in schema_statements(
            table for table in TABLES if (schema_of(table), table) not in here
        ):
            connection.execute(statement)
        for schema, table in here:
            own = f"{schema}.{quoted(table)}"
            # a view of a lake may be of a table that was left out
            with suppress(duckdb.CatalogException):
                connection.execute(f"create view {own} as from {name}.{own}")
        yield connection


@contextmanager
def _published(store: Store) -> Iterator[tuple[duckdb.DuckDBPyConnection, str]]:
    """A connection with the published state attached, and its name there; memory is its own."""
    if isinstance(store, Lake):
        from gpla_assets.storage.lake_history import published_connection

        with published_connection(store) as connection:
            connection.execute("use memory")
            yield connection, "lake"
        return
    if not store.exists():
        raise WarehouseError(
            f"{store} does not exist: the study was not run yet; `gpla run` makes it."
        )
    with known_faults(store), duckdb.connect() as connection:
        connection.execute(f"attach {literal(str(store))} as study (read_only)")
        yield connection, "study"
