"""`gpla measure`: from files of answers to what their LLMs value, in one command."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from gpla_assets.cli.commands import app, console, readable_errors
from gpla_assets.cli.looking_tables import clearly_apart, interval_text
from gpla_assets.common.visible import visible

if TYPE_CHECKING:
    import pandas as pd

    from gpla_assets.sources.recorded import Answers
    from gpla_assets.studies import Store
    from gpla_assets.studies.own_study import OwnStudy

OVERHEAD = 25.0
"""Seconds of a run beside its texts: loading models, Dagster, dbt (measured on two cores)."""
SHOWN_LLMS, SHOWN_VALUES = 12, 5
RESULT_SQL = "select * from marts.llm_profiles order by llm, abs(difference) desc nulls last, value"
SENTENCES_SQL = (
    "select * from marts.measured_sentences order by llm, value, relevance desc, perception_id"
)
COLUMNS_SQL = """
select table_name as file, column_name as "column", data_type as type, comment as meaning
from duckdb_columns() where table_name in ('llm_profiles', 'measured_sentences')
order by table_name, column_index
"""


@app.command(
    epilog="Examples: gpla measure answers.jsonl; gpla measure logs/ --values schwartz --out found/"
)
def measure(
    answers: Annotated[
        list[Path],
        typer.Argument(help="Files of answers, or folders: JSONL, CSV, Inspect, lm-eval, ..."),
    ],
    values: Annotated[
        str,
        typer.Option(
            help="paper (Table 10's 92), schwartz (ten), a CSV value,definition, or auto: drawn "
            "from the answers."
        ),
    ] = "paper",
    name: Annotated[
        str | None, typer.Option(help="Of the study that is written; else the file's name.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for scores and sentences, CSV and Parquet.")
    ] = None,
    columns: Annotated[
        str | None, typer.Option(help="Which columns are what: llm=model,answer=text.")
    ] = None,
    accurate: Annotated[
        bool, typer.Option("--accurate", help="M_E's mode accurate (needs all-mpnet-base-v2).")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what was read and what to expect; run nothing.")
    ] = False,
) -> None:
    """Say what LLMs value by their answers, which differ, and what that rests on."""
    with readable_errors():
        from gpla_assets.orchestration.measuring import mode_of, own_study, run_own_study
        from gpla_assets.sources.columns import as_mapping

        given = as_mapping(columns)
        read, study = own_study(answers, mode_of(accurate), values, name, given)
        print_read(read)
        print_expected(read, study)
        if dry_run:
            return
        from gpla_assets.looking.published import rows_of

        path, settings, done = run_own_study(study, Path.cwd())
        rows = rows_of(settings.store, RESULT_SQL)
        print_llms(rows)
        if out:
            write_results(settings.store, out)
            console.print(f"scores, sentences and what their columns mean: {out}/")
        print_next(path, study.name, rows, done.seconds)


def print_read(read: Answers) -> None:
    """What was read and what was not."""
    console.print(escape(visible(read.said)), soft_wrap=True)
    if read.counts:
        console.print(f"  {escape(visible(read.counts))}", soft_wrap=True)


def print_expected(read: Answers, study: OwnStudy) -> None:
    """What a pilot lets one expect, and where that is too little."""
    from gpla_assets.content import value_list
    from gpla_assets.evaluator.backends import make_evaluator
    from gpla_assets.parser.backends import make_parser
    from gpla_assets.studies import Evaluator, Parser
    from gpla_assets.studies.own_study import AUTO
    from gpla_assets.subjects.pilot import expected, pilot, warnings

    settings = Evaluator()
    listed = value_list("paper" if study.values == AUTO else study.values)
    found = pilot(
        read.frame,
        make_parser(Parser()),
        make_evaluator(settings),
        listed,
        settings.minimum_relevance,
    )
    whole = expected(read.frame, found)
    console.print(
        f"expected: {whole.sentences:,.0f} sentences an LLM state an attitude, "
        f"{whole.relevant:.1f} bear on a value on the mean ({found.answers} answers tried); about "
        f"{OVERHEAD + whole.seconds:.0f} s",
        soft_wrap=True,
    )
    for one in warnings(read.frame, found):
        console.print(f"[yellow]note:[/yellow] {escape(visible(one))}", soft_wrap=True)


def print_llms(rows: pd.DataFrame) -> None:
    """For each LLM the values on which it differs most from the others, with what that rests on."""
    console.print(
        "A score is the log-odds that a sentence bears on the value, less what questions bring; "
        "a difference is from the mean of the other LLMs. Intervals are over questions.",
        soft_wrap=True,
    )
    llms = list(dict.fromkeys(rows["llm"]))
    for llm in llms[:SHOWN_LLMS]:
        own = rows[rows["llm"] == llm]
        table = Table("value", "difference [95%]", "score [95%]", "sentences", box=None)
        for row in own.head(SHOWN_VALUES).itertuples():
            table.add_row(
                escape(visible(str(row.value))),
                interval_text(row.difference, row.difference_low, row.difference_high, "+"),
                interval_text(row.score, row.low, row.high),
                f"{row.n:,}" + (" (few questions)" if row.few else ""),
            )
        told = int(clearly_apart(own).sum())
        console.print(
            f"[bold]{escape(visible(str(llm)))}[/bold]: {told} of {len(own)} values differ "
            "from the other LLMs' (95%, each by itself)",
            soft_wrap=True,
        )
        console.print(table)
    if len(llms) > SHOWN_LLMS:
        console.print(f"and {len(llms) - SHOWN_LLMS} LLMs more")


def write_results(warehouse: Store, folder: Path) -> None:
    """scores and sentences as CSV and Parquet, and data_dictionary.csv."""
    from gpla_assets.looking.published import rows_of

    folder.mkdir(parents=True, exist_ok=True)
    for name, sql in (("scores", RESULT_SQL), ("sentences", SENTENCES_SQL)):
        rows = rows_of(warehouse, sql)
        rows.to_csv(folder / f"{name}.csv", index=False)
        rows.to_parquet(folder / f"{name}.parquet", index=False)
    meaning = rows_of(warehouse, COLUMNS_SQL)
    files = {"llm_profiles": "scores", "measured_sentences": "sentences"}
    meaning.assign(file=meaning["file"].map(files)).to_csv(
        folder / "data_dictionary.csv", index=False
    )


def print_next(path: Path, name: str, rows: pd.DataFrame, seconds: float) -> None:
    """Where to go on."""
    from gpla_assets.cli.summary import command

    first = rows.iloc[0] if len(rows) else None
    gpla, study = command(), path.name
    lines = [f"study {study}, made in {seconds:.0f} s; go on:"]
    if first is not None:
        llm = shlex.quote(str(first["llm"]))
        lines += [
            f"  {gpla} show {llm} -s {name}",
            f"  {gpla} why {llm} {shlex.quote(str(first['value']))} -s {name}",
        ]
    lines += [f"  {gpla} run {study}     (structure, reliability, report)"]
    for line in lines:
        console.print(line, soft_wrap=True, markup=False)
