"""Command of SQL on a study's published file: one query, or a shell."""

from __future__ import annotations

import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from gpla_assets.cli.commands import AsOfOption, StudyOption, app, console, errors, readable_errors
from gpla_assets.cli.looking import JsonFile
from gpla_assets.cli.showing import json_of, print_tsv, put_json, show_rows
from gpla_assets.common.visible import visible

if TYPE_CHECKING:
    from gpla_assets.looking.sql import Shell

HELP = "A query ends with ; · .views lists what there is · .exit or ctrl-D ends"


@app.command(
    epilog="Examples: gpla sql 'select * from marts.llm_profiles limit 5' --study survey; "
    "gpla sql --views; gpla sql --study survey"
)
def sql(
    query: Annotated[
        str | None, typer.Argument(help="A query; a shell where there is none, - reads a pipe.")
    ] = None,
    study: StudyOption = "demo",
    views: Annotated[bool, typer.Option("--views", help="List tables and views.")] = False,
    timeout: Annotated[float, typer.Option(min=0.1, help="Seconds for a query.")] = 60.0,
    memory: Annotated[str, typer.Option(help="Memory for a query, such as 4GB.")] = "2GB",
    json_file: JsonFile = None,
    as_of: AsOfOption = None,
) -> None:
    """SQL on a study's published file, for reading only; in a pipe tab-separated lines."""
    with readable_errors():
        from gpla_assets.looking.published import published_store
        from gpla_assets.looking.sql import sql_shell

        with sql_shell(published_store(study, as_of), timeout, memory) as shell:
            if views:
                list_views(shell)
            elif query is None and sys.stdin.isatty():
                interact(shell)
            else:
                piped = query is None or query == "-"
                answer(shell, sys.stdin.read() if piped else str(query), json_file)


def answer(shell: Shell, query: str, json_file: Path | None = None) -> None:
    """Print the rows of a query, or write them as JSON."""
    with shell.ask(query) as found:
        if json_file is not None:
            import pandas as pd

            rows = pd.DataFrame.from_records(list(found.rows), columns=found.columns)
            put_json(json_of(rows), json_file)
        elif found.columns:
            show_rows(console, found.columns, found.rows)


def list_views(shell: Shell) -> None:
    """Print tables and views, each with what a row of it is."""
    every = shell.views()
    if not console.is_terminal:
        print_tsv(["name", "row"], every)
        return
    width = max((len(name) for name, _ in every), default=0)
    for name, comment in every:
        line = Text.assemble((f"{visible(name):<{width}}", "bold"), f"  {visible(comment)}")
        console.print(line, soft_wrap=True)


def interact(shell: Shell) -> None:
    """A prompt: lines up to a semicolon are a query; what is wrong with one does not end it."""
    from gpla_assets.looking.sql import SqlError

    with suppress(ImportError):  # input() then has a history
        import_module("readline")
    console.print(HELP, highlight=False)
    lines: list[str] = []
    while True:
        try:
            line = input("   ... " if lines else "sql> ")
        except EOFError:
            console.print()
            return
        except KeyboardInterrupt:
            console.print()
            lines = []
            continue
        word = line.strip().rstrip(";")
        if not lines and word in (".exit", ".quit", "exit", "quit"):
            return
        if not lines and word in (".views", ".tables"):
            list_views(shell)
            continue
        lines += [line] if line.strip() or lines else []
        if not line.rstrip().endswith(";"):
            continue
        query, lines = "\n".join(lines), []
        try:
            answer(shell, query)
        except SqlError as error:
            errors.print(Text(visible(str(error)), style="red"), soft_wrap=True)
        except KeyboardInterrupt:
            errors.print("stopped")
