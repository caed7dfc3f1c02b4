"""dbt on a lake: it builds in a DuckDB file that sees the lake's tables, and what it built moves.

So a build whose tests fail, or that is killed, leaves the lake as it was, which dbt's own commits,
one a model, would not.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Container, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import duckdb

from gpla_assets.storage.columns import SCHEMAS
from gpla_assets.storage.lake_connection import ALIAS, attach, prepare
from gpla_assets.storage.writing import literal, quoted
from gpla_assets.studies import Lake
from gpla_assets.studies.stores import lake_of

BESIDE = "lake.json"
"""Beside the file: the lake that it sees."""
THERE = """
select schema_name, table_name from duckdb_tables() where database_name = current_database()
union all
select schema_name, view_name from duckdb_views()
where database_name = current_database() and not internal
"""
VIEWS = """
select schema_name, view_name, sql, comment from duckdb_views()
where database_name = {0} and not internal
"""
TABLES = """
select schema_name, table_name, comment from duckdb_tables() where database_name = {0}
"""
COLUMNS = """
select schema_name, table_name, column_name, comment from duckdb_columns()
where database_name = {0} and comment is not null
"""
BUILT = "built"

Views = dict[tuple[str, str], str]
"""The SQL of views, by schema and name."""
Tables = list[tuple[str, str, str | None]]
"""Schema, name and description of each."""
Columns = list[tuple[str, str, str, str]]
"""Schema, table, name and description of each that has one."""
Described = list[tuple[str, str, str, str | None]]
"""Schema, name, SQL and description of each view."""


def held_by(
    connection: duckdb.DuckDBPyConnection, catalogue: str = ""
) -> tuple[Tables, Columns, Described]:
    """What a catalogue holds, as `moved` takes it; "" is the present one."""
    named = literal(catalogue) if catalogue else "current_database()"
    tables, columns, views = (
        connection.execute(query.format(named)).fetchall() for query in (TABLES, COLUMNS, VIEWS)
    )
    return tables, columns, views


def with_views(file: Path, views: Described) -> None:
    """Make views in a file that holds their tables; one of a table that it lacks is left out."""
    with closing(duckdb.connect(str(file))) as own:
        for statement in moved([], [], views, "", ""):
            with suppress(duckdb.CatalogException):
                own.execute(statement)


def begin_file(connection: duckdb.DuckDBPyConnection, file: Path, lake: Lake) -> Views:
    """Make a file in which every table and view of the lake can be read by its name."""
    there = connection.execute(THERE).fetchall()
    if lake.file is not None:
        # one connection alone can have a catalogue's file: dbt reads a copy of it
        copy = file.with_name(lake.file.name)
        shutil.copyfile(lake.file, copy)
        lake = replace(lake, file=copy)
    file.with_name(BESIDE).write_text(json.dumps([lake.study, lake.address]), "utf-8")
    with closing(duckdb.connect(str(file))) as own:
        see_lake(own, file)
        for schema in SCHEMAS:
            own.execute(f"create schema if not exists {schema}")
        for schema, name in there:
            place = f"{quoted(schema)}.{quoted(name)}"
            try:
                own.execute(f"create view {place} as from {ALIAS}.{place}")
            except duckdb.CatalogException:  # a view of a table that is not there
                continue
        return {(schema, name): sql for schema, name, sql, _ in held_by(own)[2]}


def see_lake(connection: duckdb.DuckDBPyConnection, file: Path) -> None:
    """Attach the lake that a file was begun from; nothing where it is no such file."""
    beside = file.with_name(BESIDE)
    if not beside.exists():
        return
    study, address = json.loads(beside.read_text("utf-8"))
    lake = lake_of(address, study)
    assert lake is not None
    prepare(connection, lake)
    attach(connection, lake, use=False)


def moves_of(file: Path, before: Views, leaving: Container[str] = ()) -> list[str]:
    """SQL that puts what was built in a file into the lake, in the place of what has its name.

    It reads the file as `file_beside` attaches it. Tables of `leaving` are left out.
    """
    with closing(duckdb.connect(str(file))) as own:
        see_lake(own, file)
        tables, columns, views = held_by(own)
    views = [one for one in views if before.get(one[:2]) != one[2]]
    chosen = [one for one in tables if one[1] not in leaving]
    return list(moved(chosen, columns, views, BUILT, ALIAS))


@contextmanager
def file_beside(connection: duckdb.DuckDBPyConnection, file: Path) -> Iterator[None]:
    """The file that `moves_of` moves from, attached around the transaction."""
    connection.execute(f"attach {literal(str(file))} as {BUILT} (read_only)")
    try:
        yield
    finally:
        with suppress(duckdb.Error):
            connection.execute(f"detach {BUILT}")


def moved(
    tables: Sequence[tuple[str, str, str | None]],
    columns: Sequence[tuple[str, str, str, str]],
    views: Sequence[tuple[str, str, str, str | None]],
    source: str,
    target: str,
) -> Iterator[str]:
    """SQL that makes tables and views of one catalogue in another, with their descriptions.

    `source` and `target` are names of catalogues; an empty one is the present catalogue.
    """
    source, target = (f"{name}." if name else "" for name in (source, target))
    places = {(schema, name) for schema, name, _ in tables}
    for schema in sorted({*(one[0] for one in tables), *(one[0] for one in views)}):
        yield f"create schema if not exists {target}{quoted(schema)}"
    for schema, name, comment in tables:
        place = f"{quoted(schema)}.{quoted(name)}"
        yield f"create or replace table {target}{place} as from {source}{place}"
        if comment:
            yield f"comment on table {target}{place} is {literal(comment)}"
    for schema, table, column, comment in columns:
        if (schema, table) in places:
            place = f"{target}{quoted(schema)}.{quoted(table)}.{quoted(column)}"
            yield f"comment on column {place} is {literal(comment)}"
    for schema, name, sql, comment in _in_order(views):
        place = f"{target}{quoted(schema)}.{quoted(name)}"
        yield re.sub(r"^CREATE VIEW \S+", lambda _: f"create or replace view {place}", sql)  # noqa: B023
        if comment:
            yield f"comment on view {place} is {literal(comment)}"


def _in_order(
    views: Sequence[tuple[str, str, str, str | None]],
) -> Iterator[tuple[str, str, str, str | None]]:
    """Views after those that they read."""
    left = list(views)
    while left:
        names = {(schema, name) for schema, name, _, _ in left}
        ready = [one for one in left if not _read_by(one[2]) & (names - {one[:2]})]
        # no view reads itself, so some are ready, unless a name stands in a text
        yield from ready or left
        left = [one for one in left if one not in ready] if ready else []


def _read_by(sql: str) -> set[tuple[str, str]]:
    """What SQL may read: every schema and name in it."""
    found = re.findall(r'"?(\w+)"?\."?(\w+)"?', sql)
    return {(schema, name) for schema, name in found}
