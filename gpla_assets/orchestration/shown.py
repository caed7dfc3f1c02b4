"""What Dagster's UI shows of a making: rows, examples, details, plots, and a table's columns."""

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import dagster as dg
import pandas as pd

from gpla_assets.orchestration import plots
from gpla_assets.orchestration.making import Made
from gpla_assets.orchestration.steps import Step
from gpla_assets.orchestration.versions import Key
from gpla_assets.storage import Warehouse
from gpla_assets.storage.tables import declared
from gpla_assets.studies.places import PACKAGE

Shown = dict[str, dg.MetadataValue | float | str]
EXAMPLE_ROWS = 5
PAPER_GROUP = "paper"
"""Of the seeds: the tables that the paper prints."""
DIGITS = 4
"""Significant ones of a number in the UI; the table has all."""
PLOTS: Mapping[str, tuple[str, Callable[[pd.DataFrame], str]]] = {
    "eigenvalues": ("scree", plots.scree),
    "loadings": ("loadings plot", plots.loadings),
}
"""Plots by the table that they show."""
COLUMNS = """
select if(schema_name = 'paper', 'paper_', '') || table_name as asset,
    schema_name || '."' || table_name || '"' as place, column_name as name, data_type as type,
    comment
from duckdb_columns() where schema_name in ('marts', 'internal', 'paper') order by column_index
"""


def told(done: Made) -> Shown:
    """What the UI shows of a making: rows of the main table, examples, details."""
    # Dagster shows the same metadata with every partition of a run
    several = len(done.rows) > 1
    metadata: Shown = {
        "rows of all partitions of the run" if several else "dagster/row_count": done.row_count,
        "inferences": done.inferences,
        "seconds": round(done.seconds, 1),
    }
    if several:
        metadata["rows by partition"] = dg.MetadataValue.json(done.rows)
    for write in done.writes:
        if not len(write.rows):
            continue
        sample = write.rows.head(EXAMPLE_ROWS).map(readable)
        metadata[f"{write.table} examples"] = dg.MetadataValue.md(markdown_table(sample))
        if write.table in PLOTS:
            name, plot = PLOTS[write.table]
            metadata[name] = dg.MetadataValue.md(plot(write.rows))
    for name, detail in done.details.items():
        plain = rounded(detail)
        if isinstance(plain, int | float | str):
            metadata[name] = plain
        elif isinstance(plain, Mapping | Sequence):
            metadata[name] = dg.MetadataValue.json(plain)
    return metadata


def rounded(detail: object) -> object:
    """A detail with its numbers rounded; what is no number is null, so that no `nan` is shown.

    >>> rounded({"r": [0.123456, float("nan")], "n": 12345.6})
    {'r': [0.1235, None], 'n': 12350.0}
    """
    if isinstance(detail, bool | int | str) or detail is None:
        return detail
    if isinstance(detail, float):
        return float(f"{detail:.{DIGITS}g}") if math.isfinite(detail) else None
    if isinstance(detail, Mapping):
        return {str(name): rounded(one) for name, one in detail.items()}
    if isinstance(detail, Sequence):
        return [rounded(one) for one in detail]
    return detail


def readable(value: object) -> str:
    """A cell as the UI shows it: rounded, empty where there is nothing.

    >>> readable(0.123456), readable(float("nan")), readable("nan, he said")
    ('0.1235', '', 'nan, he said')
    """
    if isinstance(value, float):
        return f"{value:.{DIGITS}g}" if math.isfinite(value) else ""
    return "" if value is None or value is pd.NA or value is pd.NaT else str(value)


def stored_tables(warehouse: Warehouse, assets: Sequence[str]) -> dict[str, Shown]:
    """Rows and columns with their types of what dbt built, by model or seed; two reads for all."""
    columns = warehouse.read(COLUMNS)
    columns = columns[columns["asset"].isin(assets)]
    places = columns.drop_duplicates("asset").set_index("asset")["place"]
    if places.empty:
        return {}
    counts = " union all ".join(
        f"select '{asset}' as asset, count(*) as n from {place}" for asset, place in places.items()
    )
    rows = warehouse.read(counts).set_index("asset")["n"]
    return {
        str(asset): {
            "dagster/row_count": int(rows[asset]),
            "dagster/column_schema": dg.MetadataValue.table_schema(_schema(own)),
        }
        for asset, own in columns.groupby("asset")
    }


def _schema(columns: pd.DataFrame) -> dg.TableSchema:
    return dg.TableSchema(
        [
            dg.TableColumn(str(one.name), str(one.type).lower(), description=_said(one.comment))
            for one in columns.itertuples()
        ]
    )


def _said(comment: object) -> str | None:
    """A description; a lake's columns may have none."""
    return comment if isinstance(comment, str) and comment else None


def code_of(step: Step) -> dg.CodeReferencesMetadataValue:
    """Where a step's function stands, for the UI's link to its code; nothing is imported."""
    file = PACKAGE.parent / (step.module.replace(".", "/") + ".py")
    lines = file.read_text("utf-8").splitlines()
    begins = (n for n, line in enumerate(lines, 1) if line.startswith(f"def {step.name}("))
    return code_at(file, step.name, next(begins, 1))


def code_at(file: Path, name: str, line: int = 1) -> dg.CodeReferencesMetadataValue:
    """The same of a file."""
    place = dg.LocalFileCodeReference(file_path=str(file), line_number=line, label=name)
    return dg.CodeReferencesMetadataValue(code_references=[place])


def group_of(stage: str) -> str:
    """The group of a stage's assets, short enough to be read where the whole graph is seen.

    >>> group_of("10_validation")
    'validation'
    """
    return stage.partition("_")[2]


def stale_text(step: Step, reasons: Mapping[Key, str]) -> str:
    """What `gpla status` says of a step, as of loading."""
    own = [reason for (name, _), reason in reasons.items() if name == step.name]
    if not own:
        return "fresh"
    count = f"{len(own)} {step.partitions}: " if step.partitions else ""
    return count + "; or ".join(dict.fromkeys(own))


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
