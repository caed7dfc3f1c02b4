"""What a run says at its end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import duckdb
import pandas as pd
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gpla_assets.pipeline import Stale
from gpla_assets.psychometrics.matrix import distinct_sentences
from gpla_assets.report import report_path
from gpla_assets.running import Done
from gpla_assets.studies import Study

SHOWN_TABLES = (
    "texts",
    "subjects",
    "questions",
    "responses",
    "perceptions",
    "perception_values",
    "value_frequencies",
    "lexicon",
    "measurements",
    "subject_values",
    "value_correlations",
    "loadings",
    "factor_scores",
)
SHOWN_VALUES = 8
FACTORS = """
select r.factor, coalesce(n.name, r.name) as name, r.n_values, r.alpha, r.ci_low, r.ci_high,
    r.interpretable, r.caution,
    (select string_agg(l."value", ', ' order by abs(l.loading) desc)
     from loadings l where l.factor = r.factor and l.is_primary and l.kept) as top_values
from reliabilities r left join factor_names n on r.factor = n.factor and n.chosen
order by len(r.factor), r.factor
"""


def print_summary(console: Console, name: str, study: Study, done: Done) -> None:
    """Rows per table, factors with their values and alpha, where things are, what next."""
    print_made(console, done)
    with duckdb.connect(str(study.warehouse_path), read_only=True) as connection:
        _print_counts(console, connection)
        _print_factors(console, connection)
    console.print(f"\nwarehouse  {study.warehouse_path}", soft_wrap=True)
    console.print(f"report     {report_path(study)}", soft_wrap=True)
    console.print("\nGo on with:")
    console.print(f"  .venv/bin/gpla query subject_profile --study {name}")
    console.print(f"  .venv/bin/gpla query audit_trail --study {name}")
    console.print(f"  .venv/bin/gpla ui {name}")


def print_quality(console: Console, quality: pd.DataFrame) -> None:
    """The table `agent_quality`, a line a measure."""
    table = Table("role", "model", "measured on", "measure", "number", "n", "held out", box=None)
    order = ["role", "backend", "model", "data", "measure"]
    for row in quality.sort_values(order).itertuples(index=False):
        number = f"{row.number:,.3f}" if abs(row.number) < 100 else f"{row.number:,.0f}"
        table.add_row(row.role, row.model, row.data, row.measure, number, str(row.n), row.held_out)
    console.print(table)


def print_made(console: Console, done: Done) -> None:
    """Which steps ran, and how many texts went through a model."""
    if not done.steps:
        console.print("Nothing is stale: no step ran and no model inference was done.")
        return
    table = Table("step", "partitions", "rows", "inferences", "seconds", show_edge=False)
    for step in done.steps:
        table.add_row(
            step.name,
            str(step.partitions or ""),
            f"{step.rows:,}",
            f"{step.inferences:,}",
            f"{step.seconds:.1f}",
        )
    console.print(table)
    total = sum(step.inferences for step in done.steps)
    console.print(f"{total:,} texts went through a model in {done.seconds:.0f} s.")


def print_status(console: Console, stale: Sequence[Stale]) -> None:
    """Stale steps by reason, partitions counted."""
    if not stale:
        console.print("Nothing is stale.")
        return
    counts = Counter((item.step, item.reason) for item in stale)
    partitioned = {item.step for item in stale if item.partition_key}
    table = Table("step", "partitions", "why", show_edge=False)
    for (step, reason), count in counts.items():
        table.add_row(step, str(count) if step in partitioned else "", escape(reason))
    console.print(table)


def _print_counts(console: Console, connection: duckdb.DuckDBPyConnection) -> None:
    table = Table("table", "rows", show_edge=False)
    for name in SHOWN_TABLES:
        found = connection.execute(f'select count(*) from "{name}"').fetchone()
        table.add_row(name, f"{found[0] if found else 0:,}")
    console.print(table)


def _print_factors(console: Console, connection: duckdb.DuckDBPyConnection) -> None:
    table = Table("factor", "name", "alpha [95%]", "values", show_edge=False)
    cautions = []
    for row in connection.execute(FACTORS).df().itertuples():
        alpha = (
            f"{row.alpha:.2f} [{row.ci_low:.2f}, {row.ci_high:.2f}]"
            if row.alpha == row.alpha and row.alpha is not None
            else "none"
        )
        mark = "" if row.interpretable else " [yellow]*[/yellow]"
        values = _first_values(row.top_values)
        table.add_row(f"{row.factor}{mark}", *map(escape, (row.name, alpha, values)))
        if isinstance(row.caution, str):
            cautions.append(row.caution)
    console.print(table)
    for caution in distinct_sentences(cautions):
        console.print(f"[yellow]*[/yellow] {escape(caution)}", soft_wrap=True)


def _first_values(values: object) -> str:
    """The leading values of a factor; how many more there are."""
    names = str(values).split(", ") if values else ["(no value)"]
    more = f" and {len(names) - SHOWN_VALUES} more" if len(names) > SHOWN_VALUES else ""
    return ", ".join(names[:SHOWN_VALUES]) + more
