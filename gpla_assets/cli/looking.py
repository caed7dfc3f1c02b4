"""Commands of looking: an LLM's profile, two side by side, the sentences behind a score."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gpla_assets.cli import looking_tables as tables
from gpla_assets.cli.commands import StudyOption, app, console, readable_errors
from gpla_assets.cli.completion import complete_llms, complete_values
from gpla_assets.cli.showing import json_of, put_json, show_frame
from gpla_assets.common.nearest import chosen

if TYPE_CHECKING:
    import pandas as pd

LLM = typer.Argument(
    help="An LLM, or one of its profiles: llm|profile.", autocompletion=complete_llms
)
LlmName = Annotated[str, LLM]
OptionalLlm = Annotated[str | None, LLM]
JsonFile = Annotated[
    Path | None, typer.Option("--json", help="JSON file to write; - for the screen.")
]


@app.command(epilog="Examples: gpla show gpt4 --study survey; gpla show 'gpt4|Default' --json -")
def show(
    llm: LlmName,
    study: StudyOption = "demo",
    every: Annotated[bool, typer.Option("--all", help="Show all values, not the ends alone.")] = (
        False
    ),
    json_file: JsonFile = None,
) -> None:
    """What an LLM values: each score with what it rests on, by the difference from the others."""
    with readable_errors():
        from gpla_assets.looking import open_study

        opened = open_study(study)
        rows = opened.profile(llm)
        _put(rows, json_file, lambda: tables.print_profile(opened, llm, rows, every))


@app.command(
    epilog="Examples: gpla compare gpt4 claude --study survey; gpla compare gpt4 --study answers "
    "--with reasoning; gpla compare --study answers --with reasoning"
)
def compare(
    first: OptionalLlm = None,
    second: OptionalLlm = None,
    study: StudyOption = "demo",
    other: Annotated[
        str | None,
        typer.Option("--with", help="Another study: the same LLMs, or LLM, in both."),
    ] = None,
    json_file: JsonFile = None,
) -> None:
    """What two LLMs value differently, on the questions that both answered; or two studies."""
    with readable_errors():
        from gpla_assets.looking import LookingError, open_study

        opened = open_study(study)
        if other is not None and second is None:
            beside = open_study(other)
            found = opened.agreement(beside)
            if first is None:
                _put(found.values, json_file, lambda: tables.print_agreement(opened, beside, found))
                return
            llm = chosen("LLM", first, list(found.llms["llm"]), "Both studies must have it.")
            rows = found.cells[found.cells["llm"] == llm]
            _put(rows, json_file, lambda: tables.print_changes(opened, beside, llm, rows))
            return
        if first is None or second is None or other is not None:
            raise LookingError(
                "compare: expected two LLMs of a study (`gpla compare A B --study S`), or another "
                "study with an LLM or without (`gpla compare [A] --study S --with T`)."
            )
        rows = opened.compare(first, second)
        _put(rows, json_file, lambda: tables.print_comparison(opened, first, second, rows))


@app.command(
    epilog="Examples: gpla why gpt4 Honesty --study survey; gpla why gpt4 Honesty --limit 50"
)
def why(
    llm: LlmName,
    value: Annotated[str, typer.Argument(help="A value.", autocompletion=complete_values)],
    study: StudyOption = "demo",
    limit: Annotated[int, typer.Option(min=1, help="Sentences shown on a screen.")] = 10,
    json_file: JsonFile = None,
) -> None:
    """The sentences behind a score, marked in their answers; the most relevant first."""
    with readable_errors():
        from gpla_assets.looking import open_study

        opened = open_study(study)
        rows = opened.why(llm, value)
        _put(rows, json_file, lambda: tables.print_sentences(opened, llm, value, rows, limit))


def _put(rows: pd.DataFrame, json_file: Path | None, draw: Callable[[], None]) -> None:
    """Rows as JSON where that was asked for, drawn on a terminal, whole in a pipe."""
    if json_file is not None:
        put_json(json_of(rows), json_file)
    elif console.is_terminal:
        draw()
    else:
        show_frame(console, rows)
