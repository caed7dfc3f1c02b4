"""The users' queries of sql/, on a study's published warehouse."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pandas as pd
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gpla_assets.common.errors import KnownError
from gpla_assets.studies import sql_folder

SQL = sql_folder()
FORMATS = ("table", "csv", "json", "parquet")
LONGEST_CELL = 90


class QueryError(KnownError, ValueError):
    """A query that does not exist or cannot run; the message says what can."""


@dataclass(frozen=True)
class Query:
    """A file of sql/: its name and the question that its first comment asks."""

    name: str
    question: str
    path: Path


def list_queries(folder: Path = SQL) -> list[Query]:
    """The queries by name."""
    return [
        Query(path.stem, path.read_text("utf-8").splitlines()[0].lstrip("- "), path)
        for path in sorted(folder.glob("*.sql"))
    ]


def published(warehouse: Path, sql: str) -> pd.DataFrame:
    """Rows from the published copy, opened for reading only."""
    if not warehouse.exists():
        raise QueryError(
            f"{warehouse} does not exist: the study was not run yet; `gpla run {warehouse.stem}`."
        )
    with _reading(warehouse) as connection:
        return connection.execute(sql).df()


@contextmanager
def _reading(warehouse: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    try:
        with duckdb.connect(str(warehouse), read_only=True) as connection:
            yield connection
    except (duckdb.IOException, duckdb.FatalException, duckdb.SerializationException) as error:
        # what it imports is needed for a damaged file alone
        from gpla_assets.storage.files import fault_of

        raise fault_of(error, warehouse) from error


def run_query(name: str, warehouse: Path, variables: Sequence[str] = ()) -> pd.DataFrame:
    """Rows of a query of sql/; `variables` are name=value, read there by getvariable()."""
    known = {query.name: query for query in list_queries()}
    if name not in known:
        raise QueryError(f"No query {name!r}, expected one of {', '.join(known)}.")
    sql = known[name].path.read_text("utf-8")
    published(warehouse, "select 1")
    with _reading(warehouse) as connection:
        for variable in variables:
            key, mark, value = variable.partition("=")
            if not mark or not key.isidentifier() or f"getvariable('{key}')" not in sql:
                raise QueryError(
                    f"--set {variable!r}: expected name=value with a variable of {name}."
                )
            connection.execute(f"set variable {key} = ?", [value])
        try:
            return connection.execute(sql).df()
        except duckdb.CatalogException as error:
            missing = re.search(r"Table with name (\w+) does not exist", str(error))
            raise QueryError(
                f"{warehouse} has no table {missing.group(1) if missing else 'that it reads'}, "
                f"which query {name} needs: the study does not ask for what fills it, or was made "
                "by an older version. `gpla status` says what would be made."
            ) from error


def show(rows: pd.DataFrame, format: str, out: Path | None, console: Console) -> None:
    """Print rows, or write them to a file, as table, csv, json or parquet."""
    if format not in FORMATS:
        raise QueryError(f"--format {format!r}: expected one of {', '.join(FORMATS)}.")
    if format == "parquet":
        if out is None:
            raise QueryError("--format parquet is not for a screen: give --out FILE.parquet.")
        rows.to_parquet(out, index=False)
        return
    if format == "table" and out is None:
        console.print(_table(rows))
        return
    if format == "json":
        text = rows.to_json(orient="records", indent=2, date_format="iso", force_ascii=False)
    else:
        text = rows.to_csv(index=False)
    if out is None:
        print(text)
    else:
        out.write_text(text, "utf-8")


def _table(rows: pd.DataFrame) -> Table:
    table = Table(show_edge=False)
    for name in rows.columns:
        table.add_column(escape(str(name)), overflow="fold")
    for row in rows.itertuples(index=False):
        table.add_row(*(escape(_cell(value)) for value in row))
    return table


def _cell(value: object) -> str:
    if value is None or (isinstance(value, float) and pd.isna(value)) or value is pd.NA:
        return ""
    text = f"{value:.3f}" if isinstance(value, float) else " ".join(str(value).split())
    return text if len(text) <= LONGEST_CELL else text[: LONGEST_CELL - 1] + "…"
