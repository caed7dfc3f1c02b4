"""What users' file has beside the rows: views that answer what people ask, and no empty rooms."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from gpla_assets.storage.columns import MARTS
from gpla_assets.storage.tables import schema_of
from gpla_assets.storage.writing import literal, quoted, relation

COLUMN = re.compile(r"-- (\w+): (.+)")


@dataclass(frozen=True)
class View:
    """A view of `marts`: its query, what a row of it is, and what its columns hold."""

    name: str
    query: str
    description: str
    columns: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, path: Path) -> View:
        """The view of a file of sql/views, whose first comment says what a row is and whose next
        ones, `-- column: description`, what it holds."""
        text = path.read_text("utf-8")
        comments = [line for line in text.splitlines() if line.startswith("--")]
        columns = [
            (found[1], found[2]) for line in comments[1:] if (found := COLUMN.fullmatch(line))
        ]
        return cls(path.stem, text, comments[0].lstrip("- "), tuple(columns))

    def statements(self, columns: bool = True) -> Iterator[str]:
        """SQL that makes it, with its description and, where asked for, those of its columns."""
        name = f"{MARTS}.{quoted(self.name)}"
        yield f"create or replace view {name} as\n{self.query}"
        yield f"comment on view {name} is {literal(self.description)}"
        for column, description in self.columns if columns else ():
            yield f"comment on column {name}.{quoted(column)} is {literal(description)}"


@dataclass(frozen=True)
class Publication:
    """Views that are added, and tables that are left out where they are empty."""

    views: tuple[View, ...] = ()
    left_out: tuple[str, ...] = ()

    @property
    def fingerprint(self) -> str:
        """A hash of it: another one makes a published file outdated."""
        parts = [*(view.query for view in self.views), *self.left_out]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]

    def apply(self, connection: duckdb.DuckDBPyConnection, lake: bool = False) -> None:
        """Turn what was stored into what users read, inside a transaction.

        A view whose tables are not there yet (dbt has not run) is not made. In a `lake`, where
        tables come back that this leaves out, views of them stay, and views' columns have no
        descriptions.
        """
        there = self._present(connection)
        for table in self.left_out:
            if f"{schema_of(table)}.{table}" not in there:
                continue
            row = connection.execute(f"select count(*) from {relation(table)}").fetchone()
            if row == (0,):
                connection.execute(f"drop table {relation(table)}")
                if not lake:
                    self._drop_readers(connection, table)
        present = self._present(connection)
        for view in self.views:
            read = set(re.findall(r"(?:from|join) (\w+\.\w+)", view.query))
            if read <= present:
                for statement in view.statements(columns=not lake):
                    connection.execute(statement)

    @staticmethod
    def _present(connection: duckdb.DuckDBPyConnection) -> set[str]:
        """Tables and views by schema and name."""
        rows = connection.execute(
            "select schema_name, table_name from duckdb_tables() "
            "where database_name = current_database() union all "
            "select schema_name, view_name from duckdb_views() "
            "where database_name = current_database() and not internal"
        ).fetchall()
        return {f"{schema}.{name}" for schema, name in rows}

    @staticmethod
    def _drop_readers(connection: duckdb.DuckDBPyConnection, table: str) -> None:
        """Drop dbt's views of a table that is not there any more: they cannot be read."""
        read = re.compile(rf'"?{schema_of(table)}"?\."?{table}\b')
        views = "select schema_name, view_name, sql from duckdb_views() where not internal"
        for schema, view, query in connection.execute(views).fetchall():
            if read.search(query):
                connection.execute(f"drop view {schema}.{quoted(view)}")
