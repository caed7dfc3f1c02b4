"""SQL of users on a published file: it writes nothing, reads no other file, and comes to an end."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb

from gpla_assets.common.nearest import shortened
from gpla_assets.looking.published import LookingError, reading
from gpla_assets.studies import Lake, Store

TIMEOUT_S, MEMORY = 60.0, "2GB"
AT_A_TIME = 2000
READING = (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN)
LISTED = """
select schema_name || '.' || table_name as name, comment from duckdb_tables()
where not internal and database_name = current_database()
union all
select schema_name || '.' || view_name, comment from duckdb_views()
where not internal and database_name = current_database()
and schema_name in ('marts', 'analysis', 'evidence', 'paper')
order by name
"""


class SqlError(LookingError):
    """A query that DuckDB refuses or that took too long; what it says, in one line."""


@dataclass(frozen=True)
class Answer:
    """Columns and rows of a query; rows are read as they are asked for."""

    columns: list[str]
    rows: Iterator[tuple[object, ...]]


class Shell:
    """A closed connection: no file but the study's, no extension, no setting can be changed.

    `files` is the folder of a lake's files, which stays open. What may be read there could also be
    written, so statements that read alone are taken then.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        timeout: float,
        memory: str,
        files: str | None = None,
    ) -> None:
        self._connection, self._timeout, self._reads_alone = connection, timeout, files is not None
        try:
            connection.execute("set memory_limit = ?", [memory])
        except duckdb.Error as error:
            raise SqlError(f"--memory {memory!r}: expected a size such as 500MB or 4GB.") from error
        # what does not fit is an error, not a file beside the study's
        connection.execute("set max_temp_directory_size = '0KiB'")
        if files is not None:
            connection.execute("set allowed_directories = ?", [[files]])
        connection.execute("set enable_external_access = false")
        connection.execute("set lock_configuration = true")

    @contextmanager
    def ask(self, query: str) -> Iterator[Answer]:
        """The rows of a query, while they are read. Raises SqlError."""
        timer = threading.Timer(self._timeout, self._connection.interrupt)
        timer.start()
        try:
            self._refuse_writing(query)
            found = self._connection.execute(query)
            columns = [str(column[0]) for column in found.description or []]
            yield Answer(columns, _rows(found) if columns else iter(()))
        except duckdb.InterruptException as error:
            raise SqlError(
                f"The query took more than {self._timeout:g} s and was stopped: --timeout gives "
                "it more."
            ) from error
        except duckdb.OutOfMemoryException as error:
            raise SqlError(
                f"The query needs more memory than it may have ({_first(error)}): --memory gives "
                "it more."
            ) from error
        except duckdb.Error as error:
            raise SqlError(_said(error)) from error
        finally:
            timer.cancel()

    def _refuse_writing(self, query: str) -> None:
        if not self._reads_alone:
            return
        for statement in self._connection.extract_statements(query):
            if statement.type not in READING:
                said = statement.type.name.lower()
                raise SqlError(f"gpla sql writes nothing and sets nothing: {said} is no query.")

    def views(self) -> list[tuple[str, str]]:
        """Tables and views with what a row of each is, by name."""
        found = self._connection.execute(LISTED).fetchall()
        return [(str(name), str(comment or "")) for name, comment in found]


def _rows(found: duckdb.DuckDBPyConnection) -> Iterator[tuple[object, ...]]:
    while some := found.fetchmany(AT_A_TIME):
        yield from some


def _said(error: duckdb.Error) -> str:
    said = _first(error)
    if isinstance(error, duckdb.PermissionException) or "disabled" in said:
        return f"gpla sql reads the study's file alone: {said}"
    if isinstance(error, duckdb.InvalidInputException) and "read-only" in said:
        return f"gpla sql writes nothing: {said}"
    return f"The query cannot run: {said}"


def _first(error: duckdb.Error) -> str:
    """What DuckDB says, on one line, without the query that it repeats."""
    return shortened(" ".join(str(error).split("\nLINE ")[0].split()), 400)


@contextmanager
def sql_shell(file: Store, timeout: float = TIMEOUT_S, memory: str = MEMORY) -> Iterator[Shell]:
    """A shell on a published file. Raises LookingError where there is none."""
    with reading(file) as connection:
        files = file.files if isinstance(file, Lake) else None
        yield Shell(connection, timeout, memory, files)
