"""The users' queries of sql/, on a study's published warehouse."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pandas as pd
from rich.console import Console

from gpla_assets.cli.showing import show_frame
from gpla_assets.common.errors import KnownError
from gpla_assets.common.nearest import chosen
from gpla_assets.common.visible import visible
from gpla_assets.looking.published import reading
from gpla_assets.studies import Store, sql_folder

SQL = sql_folder()
FORMATS = ("table", "csv", "json", "parquet")


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


def run_query(name: str, warehouse: Store, variables: Sequence[str] = ()) -> pd.DataFrame:
    """Rows of a query of sql/; `variables` are name=value, read there by getvariable()."""
    known = {query.name: query for query in list_queries()}
    name = chosen("query", name, known, "`gpla query list` lists them.")
    sql = known[name].path.read_text("utf-8")
    with reading(warehouse) as connection:
        for variable in variables:
            key, mark, value = variable.partition("=")
            if not mark or not key.isidentifier() or f"getvariable('{key}')" not in sql:
                raise QueryError(
                    f"--set {variable!r}: expected name=value with a variable of {name}."
                )
            # quoted: a variable may be named as SQL names something, such as check
            connection.execute(f'set variable "{key}" = ?', [value])
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
        show_frame(console, rows)
        return
    if format == "json":
        text = rows.to_json(orient="records", indent=2, date_format="iso", force_ascii=False)
    else:
        text = rows.to_csv(index=False)
    if out is None:
        print(visible(text, "\n"))
    else:
        out.write_text(text, "utf-8")
