"""What Dagster's UI shows of a making: rows, examples, details, and a table's columns."""

from typing import Any

import dagster as dg
import pandas as pd

from gpla_assets.orchestration.making import Made
from gpla_assets.storage import TABLES

EXAMPLE_ROWS = 5


def told(done: Made) -> dict[str, Any]:
    """What the UI shows of a making: rows of the main table, examples, details."""
    # Dagster shows the same metadata with every partition of a run
    several = len(done.rows) > 1
    metadata: dict[str, Any] = {
        "rows of all partitions of the run" if several else "dagster/row_count": done.row_count,
        "inferences": done.inferences,
        "seconds": round(done.seconds, 2),
    }
    if several:
        metadata["rows by partition"] = dg.MetadataValue.json(done.rows)
    for write in done.writes:
        sample = write.rows.head(EXAMPLE_ROWS).astype(str)
        if len(sample):
            metadata[f"{write.table} examples"] = dg.MetadataValue.md(markdown_table(sample))
    for name, detail in done.details.items():
        metadata[name] = (
            detail if isinstance(detail, int | float | str) else dg.MetadataValue.json(detail)
        )
    return metadata


def table_schema(table: str) -> dg.TableSchema:
    """A declared table's columns with their descriptions."""
    declared = TABLES[table].__table__  # type: ignore[attr-defined]
    return dg.TableSchema(
        columns=[
            dg.TableColumn(column.name, str(column.type), description=column.comment)
            for column in declared.columns
        ]
    )


def markdown_table(rows: pd.DataFrame) -> str:
    """Rows as a Markdown table; cells are escaped and cut, since they hold models' text."""

    def cell(text: Any) -> str:
        plain = " ".join(str(text).split())[:160]
        for mark in ("\\", "|", "<", ">", "`", "[", "]", "*", "_"):
            plain = plain.replace(mark, "\\" + mark)
        return plain

    lines = ["| " + " | ".join(map(cell, rows.columns)) + " |", "|" + " --- |" * len(rows.columns)]
    lines += ["| " + " | ".join(map(cell, row)) + " |" for row in rows.itertuples(index=False)]
    return "\n".join(lines)
