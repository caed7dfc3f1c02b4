"""Commands that make rows, and those that say what would be made."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from gpla_assets.cli.commands import StudyName, StudyOption, app, console, readable_errors
from gpla_assets.cli.where import say_where

if TYPE_CHECKING:
    from gpla_assets.orchestration.running import Done
    from gpla_assets.studies import Study


@app.command(epilog="Examples: gpla run demo; gpla run survey --dry-run")
def run(
    study: StudyName = "demo",
    refresh: Annotated[
        bool, typer.Option("--refresh", help="Ask LLMs again what they have answered before.")
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Say what would be made, and by how many calls; make none."),
    ] = False,
) -> None:
    """Make what is stale of a study, and print what it holds."""
    if refresh:
        os.environ["GPLA_REFRESH"] = "1"
    with readable_errors():
        from gpla_assets.studies import load_study

        settings = load_study(study)
        say_where(console)
        if dry_run:
            from gpla_assets.cli.summary import print_estimate
            from gpla_assets.orchestration.estimate import estimate

            print_estimate(console, estimate(settings))
            return
        from gpla_assets.cli.summary import print_summary

        print_summary(console, study, settings, made(study, settings))


def made(study: str, settings: Study, only: Sequence[str] = ()) -> Done:
    """What a run of all that is stale (of `only`) made; each step is told as it begins."""
    from gpla_assets.orchestration.progress import showing
    from gpla_assets.orchestration.running import run_study

    with showing() as say:
        return run_study(study, settings, say, only)


@app.command(epilog="Examples: gpla status survey; gpla status demo --exit-code")
def status(
    study: StudyName = "demo",
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Exit 1 where something is stale.")
    ] = False,
) -> None:
    """Say which rows are stale, and why."""
    with readable_errors():
        from gpla_assets.cli.summary import print_status
        from gpla_assets.orchestration.plan import stale_now
        from gpla_assets.orchestration.publishing import fault
        from gpla_assets.studies import load_study

        settings = load_study(study)
        say_where(console)
        stale, wrong = stale_now(settings), fault(settings)
        print_status(console, stale, wrong)
        raise typer.Exit(1 if exit_code and (stale or wrong) else 0)


@app.command(
    "add-llm",
    epilog="Examples: gpla add-llm my-model --responses answers.jsonl --study survey; "
    "gpla add-llm org/model:free -r logs/ -s demo --columns answer=text",
)
def add_llm(
    name: Annotated[str, typer.Argument(help="Name of the LLM; any name will do.")],
    responses: Annotated[
        Path,
        typer.Option(
            "--responses",
            "-r",
            help="A file of its answers, or a folder of such: a table (JSON, JSONL, CSV, xlsx, "
            "Parquet) with question and answer, an Inspect or lm-eval log, a batch's results ... "
            "also .gz or .zst.",
        ),
    ],
    study: StudyOption = "survey",
    columns: Annotated[
        str | None,
        typer.Option(help="The file's columns where they cannot be told: question=ask,answer=text"),
    ] = None,
) -> None:
    """Add an LLM by its recorded answers: its partitions are made, then the aggregates.

    An LLM of the same name that was added before is replaced.
    """
    with readable_errors():
        from gpla_assets.cli.summary import print_added, print_made
        from gpla_assets.looking.published import rows_of
        from gpla_assets.sources.columns import as_mapping
        from gpla_assets.studies import load_study
        from gpla_assets.subjects import add_llm as keep
        from gpla_assets.subjects.roster import own_llms

        settings = load_study(study)
        questions = rows_of(settings.store, "from evidence.questions")
        added = keep(settings, name, responses, questions, as_mapping(columns), own_llms(settings))
        print_added(console, added, len(questions))
        print_made(console, made(study, settings))


@app.command("remove-llm", epilog="Example: gpla remove-llm my-model --study survey")
def remove_llm(
    name: Annotated[str, typer.Argument(help="Name of an LLM that was added.")],
    study: StudyOption = "survey",
) -> None:
    """Remove an LLM that was added: it leaves every table, and the aggregates are made anew."""
    with readable_errors():
        from gpla_assets.cli.summary import print_made
        from gpla_assets.studies import load_study
        from gpla_assets.subjects import remove_llm as drop

        settings = load_study(study)
        kept = drop(settings, name)
        console.print(escape(f"{name}: its answers were moved to {kept}"), soft_wrap=True)
        print_made(console, made(study, settings))


@app.command(epilog="Examples: gpla ui survey; gpla ui survey --automate")
def ui(
    study: StudyName = "demo",
    port: Annotated[int, typer.Option(help="Port.")] = 3000,
    automate: Annotated[
        bool,
        typer.Option(
            "--automate", help="Make what new answers call for, without being asked each time."
        ),
    ] = False,
) -> None:
    """Open the Dagster UI: lineage, metadata and checks."""
    with readable_errors():
        from gpla_assets.cli.summary import print_made
        from gpla_assets.orchestration.ui import open_ui
        from gpla_assets.studies import load_study

        settings = load_study(study)
        say_where(console)
        if automate:
            # what is there when the automation begins is not seen by it as new: it is made first
            print_made(console, made(study, settings))
        console.print(
            f"Dagster UI of study {study}: http://127.0.0.1:{port}/asset-groups "
            "(about 30 s to start; ctrl-C ends it)",
            soft_wrap=True,
        )
        raise typer.Exit(open_ui(study, settings, port, automate))
