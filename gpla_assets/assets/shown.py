"""How an asset shows itself in Dagster: kinds, owner, code version and its table's columns."""

from typing import Any

import dagster as dg

from gpla_assets.pipeline import BY_NAME
from gpla_assets.storage import TABLES

OWNERS = ["team:gpla"]
KINDS = {"dagster/kind/duckdb": "", "dagster/kind/python": ""}


def shown(step: str, table: str | None = None) -> dict[str, Any]:
    """Arguments of `dg.asset` for a step; `table` where its table has another name."""
    return {
        "tags": KINDS,
        "owners": OWNERS,
        "code_version": BY_NAME[step].code_version,
        "metadata": {"dagster/column_schema": columns(table or step)},
    }


def columns(table: str) -> dg.TableSchema:
    """A declared table's columns with their descriptions."""
    declared = TABLES[table].__table__  # type: ignore[attr-defined]
    return dg.TableSchema(
        columns=[
            dg.TableColumn(column.name, str(column.type), description=column.comment)
            for column in declared.columns
        ]
    )
