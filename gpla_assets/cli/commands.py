"""Commands: each parses its arguments, calls one function and prints what came out."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

app = typer.Typer(
    help="Finds the value system of large language models from what they write.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
console = Console()
errors = Console(stderr=True)

StudyName = Annotated[
    str, typer.Argument(help="demo, survey, alignment, paper, or the path of a YAML file.")
]
StudyOption = Annotated[str, typer.Option("--study", "-s", help="A study's name or path.")]


@contextmanager
def readable_errors() -> Iterator[None]:
    """An error that names its cause is printed as it stands, with exit code 1."""
    from gpla_assets.administration import AddedAnswersError
    from gpla_assets.agents import BackendUnavailable, UnknownBackend
    from gpla_assets.agents.files import AgentFileError
    from gpla_assets.agents.prompts import UnknownPrompt
    from gpla_assets.alignment import PairsError
    from gpla_assets.chat import ChatStopped
    from gpla_assets.content import ContentError
    from gpla_assets.lexicon import LexiconError
    from gpla_assets.psychometrics.errors import StructureError
    from gpla_assets.psychometrics.tool import MatrixError
    from gpla_assets.query import QueryError
    from gpla_assets.running import RunFailed
    from gpla_assets.sources import SourceError, SourceMissing
    from gpla_assets.storage import WarehouseError
    from gpla_assets.studies import StudyError

    known = (
        AddedAnswersError,
        AgentFileError,
        BackendUnavailable,
        ChatStopped,
        ContentError,
        LexiconError,
        MatrixError,
        PairsError,
        QueryError,
        RunFailed,
        SourceError,
        SourceMissing,
        StructureError,
        StudyError,
        UnknownBackend,
        UnknownPrompt,
        WarehouseError,
    )
    try:
        yield
    except known as error:
        errors.print(f"[red]error:[/red] {escape(str(error))}", soft_wrap=True)
        raise typer.Exit(1) from error


@app.command(epilog="Example: gpla run demo")
def run(
    study: StudyName = "demo",
    refresh: Annotated[
        bool, typer.Option(help="Ask LLMs again what they have answered before.")
    ] = False,
) -> None:
    """Make what is stale of a study, and print what it holds."""
    if refresh:
        os.environ["GPLA_REFRESH"] = "1"
    with readable_errors():
        from gpla_assets.running import dagster_home, run_study
        from gpla_assets.studies import load_study
        from gpla_assets.summary import print_summary

        settings = load_study(study)
        dagster_home(settings)
        done = run_study(study, settings, lambda line: console.print(f"[bold]>[/bold] {line}"))
        _write_report(study, force=bool(done.steps))
        print_summary(console, study, settings, done)


@app.command(epilog="Example: gpla status survey")
def status(study: StudyName = "demo") -> None:
    """Say which rows are stale, and why."""
    with readable_errors():
        from gpla_assets.running import stale_now
        from gpla_assets.studies import load_study
        from gpla_assets.summary import print_status

        print_status(console, stale_now(load_study(study)))


@app.command(epilog="Example: gpla check paper")
def check(study: StudyName = "demo") -> None:
    """Say line by line what of a study is ready on this machine; exit 1 if something is missing."""
    with readable_errors():
        from gpla_assets.readiness import readiness
        from gpla_assets.studies import load_study

        lines = readiness(load_study(study))
        for line in lines:
            mark = "[green]ready  [/green]" if line.ready else "[red]missing[/red]"
            console.print(f"{mark} {line.what:<28} {escape(line.detail)}", soft_wrap=True)
        raise typer.Exit(0 if all(line.ready for line in lines) else 1)


@app.command(
    epilog="Examples: gpla query subject_profile --set subject='gpt4|Default'; "
    "gpla query lexicon_dropped --study survey --format csv"
)
def query(
    name: Annotated[str, typer.Argument(help="A file of sql/ without .sql; `list` names them.")],
    study: StudyOption = "demo",
    format: Annotated[str, typer.Option("--format", "-f", help="table, csv, json or parquet.")] = (
        "table"
    ),
    out: Annotated[Path | None, typer.Option(help="Write here; parquet must be.")] = None,
    set: Annotated[list[str] | None, typer.Option("--set", help="A variable: name=value.")] = None,
) -> None:
    """Run a query of sql/ on a study's published warehouse."""
    with readable_errors():
        from gpla_assets.query import list_queries, run_query, show
        from gpla_assets.studies import load_study

        if name == "list":
            for found in list_queries():
                console.print(f"[bold]{found.name:<26}[/bold] {found.question}", soft_wrap=True)
            return
        rows = run_query(name, load_study(study).warehouse_path, set or [])
        show(rows, format, out, console)


@app.command(epilog="Example: gpla ui survey")
def ui(study: StudyName = "demo", port: Annotated[int, typer.Option(help="Port.")] = 3000) -> None:
    """Open the Dagster UI: lineage, metadata and checks."""
    with readable_errors():
        import subprocess
        import sys

        from gpla_assets.running import dagster_home
        from gpla_assets.studies import PROJECT_ROOT, load_study

        home = dagster_home(load_study(study))
        environment = os.environ | {"DAGSTER_HOME": str(home), "GPLA_STUDY": study}
        console.print(f"Dagster UI of study {study}: http://127.0.0.1:{port} (about 40 s to start)")
        dagster = Path(sys.executable).with_name("dagster")
        workspace = PROJECT_ROOT / "workspace.yaml"
        command = [str(dagster), "dev", "-w", str(workspace), "-p", str(port)]
        raise typer.Exit(subprocess.call(command, env=environment, cwd=PROJECT_ROOT))


@app.command(epilog="Example: gpla report demo")
def report(study: StudyName = "demo") -> None:
    """Write the report: one HTML page that needs no network."""
    with readable_errors():
        console.print(f"report: {_write_report(study, force=True)}", soft_wrap=True)


@app.command(
    "add-llm", epilog="Example: gpla add-llm my-model --responses answers.jsonl --study survey"
)
def add_llm(
    name: Annotated[str, typer.Argument(help="Name of the LLM.")],
    responses: Annotated[
        Path, typer.Option(help="JSONL, CSV or Parquet with columns question and response.")
    ],
    study: StudyOption = "survey",
) -> None:
    """Add an LLM by its recorded answers: its partitions are made, then the aggregates."""
    with readable_errors():
        from gpla_assets.administration import add_llm as keep
        from gpla_assets.query import published
        from gpla_assets.running import dagster_home, run_study
        from gpla_assets.studies import load_study
        from gpla_assets.summary import print_made

        settings = load_study(study)
        questions = published(settings.warehouse_path, "from questions")
        matched = keep(settings, name, responses, questions)
        console.print(f"{name}: answers to {matched} of {len(questions)} questions")
        dagster_home(settings)
        done = run_study(study, settings, lambda line: console.print(f"[bold]>[/bold] {line}"))
        _write_report(study, force=True)
        print_made(console, done)


@app.command(epilog="Example: gpla download beavertails")
def download(
    source: Annotated[str, typer.Argument(help="Name of a source; `list` names them.")],
    folder: Annotated[Path | None, typer.Option(help="Data folder; else GPLA_DATA_DIR.")] = None,
) -> None:
    """Download a source's file, with progress, checksum and resume."""
    with readable_errors():
        from gpla_assets.sources import SOURCES, SourceError
        from gpla_assets.sources import download as fetch
        from gpla_assets.studies import data_dir

        if source == "list":
            for one in SOURCES.values():
                where = one.url or one.homepage
                console.print(
                    f"[bold]{one.name:<18}[/bold] {where} ({one.licence})", soft_wrap=True
                )
            return
        target = folder or data_dir()
        if source not in SOURCES or target is None:
            raise SourceError(
                f"download {source!r} into {target}: expected one of {', '.join(SOURCES)}, and a "
                "folder by --folder or GPLA_DATA_DIR."
            )
        console.print(f"{source}: {fetch(SOURCES[source], target)}", soft_wrap=True)


@app.command(epilog="Example: gpla administer demo_texts --out demo_texts.parquet")
def administer(
    study: StudyName,
    out: Annotated[Path, typer.Option(help="Parquet file to write.")],
) -> None:
    """Ask a study's subjects its questions and write their answers as a source."""
    with readable_errors():
        from gpla_assets.administration import answers_as_source
        from gpla_assets.running import dagster_home, run_study
        from gpla_assets.storage import Warehouse
        from gpla_assets.studies import load_study

        settings = load_study(study)
        dagster_home(settings)
        wanted = ("questions", "subjects", "responses")
        run_study(study, settings, lambda line: console.print(f"> {line}"), only=wanted)
        warehouse = Warehouse(settings.warehouse_path)
        rows = answers_as_source(warehouse.table("responses"), warehouse.table("questions"))
        rows.to_parquet(out, index=False)
        console.print(f"{len(rows)} answers in {out}")


@app.command(epilog="Example: gpla lexicon values.csv --out lexicon.csv")
def lexicon(
    file: Annotated[Path, typer.Argument(help="CSV with columns value,frequency.")],
    out: Annotated[Path, typer.Option(help="CSV to write, with the decision on every value.")],
    rouge: Annotated[float, typer.Option(help="Threshold of rougeLsum F, precision, recall.")] = (
        0.5
    ),
    cosine: Annotated[float, typer.Option(help="Threshold of the embeddings' cosine.")] = 0.53,
    sweep: Annotated[
        Path | None, typer.Option(help="CSV to write, with the lexicon's size by thresholds.")
    ] = None,
) -> None:
    """Drop the near-duplicates of a list of values; the more frequent stays."""
    with readable_errors():
        from gpla_assets.lexicon.tool import filter_file, sweep_file

        rows = filter_file(file, rouge, cosine)
        rows.to_csv(out, index=False)
        if sweep is not None:
            sweep_file(file).to_csv(sweep, index=False)
        console.print(f"{int(rows['kept'].sum())} of {len(rows)} values kept: {out}")


def _write_report(study: str, force: bool) -> Path | None:
    from gpla_assets.report import report_path, write_report
    from gpla_assets.studies import load_study

    settings = load_study(study)
    path = report_path(settings)
    return write_report(settings) if force or not path.exists() else path
