"""What Dagster's UI shows of a making: rows, examples, details, and a table's columns."""

import dagster as dg
import pandas as pd

from gpla_assets.orchestration.making import Made
from gpla_assets.storage.tables import declared

Shown = dict[str, dg.MetadataValue | float | str]
EXAMPLE_ROWS = 5


def told(done: Made) -> Shown:
    """What the UI shows of a making: rows of the main table, examples, details."""
    # Dagster shows the same metadata with every partition of a run
    several = len(done.rows) > 1
    metadata: Shown = {
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
    return dg.TableSchema(
        columns=[
            dg.TableColumn(column.name, str(column.type), description=column.comment)
            for column in declared(table).columns
        ]
    )


def markdown_table(rows: pd.DataFrame) -> str:
    """Rows as a Markdown table; cells are escaped and cut, since they hold models' text."""

    def cell(text: object) -> str:
        plain = " ".join(str(text).split())[:160]
        for mark in ("\\", "|", "<", ">", "`", "[", "]", "*", "_"):
            plain = plain.replace(mark, "\\" + mark)
        return plain

    lines = ["| " + " | ".join(map(cell, rows.columns)) + " |", "|" + " --- |" * len(rows.columns)]
    lines += ["| " + " | ".join(map(cell, row)) + " |" for row in rows.itertuples(index=False)]
    return "\n".join(lines)
