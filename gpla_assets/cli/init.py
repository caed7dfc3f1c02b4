"""`gpla init`: a study file from flags, or from questions on the terminal."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from gpla_assets.cli.commands import app, console, readable_errors
from gpla_assets.common.errors import KnownError
from gpla_assets.studies.settings import KEY_VARIABLE


class InitError(KnownError, ValueError):
    """What a study needs and was not given."""


@app.command(
    epilog="Examples: gpla init; gpla init --answers answers.jsonl --values schwartz; "
    "gpla init --name mine --llm gpt-4o --llm o3 --base-url https://.../v1"
)
def init(
    name: Annotated[str | None, typer.Option(help="Of the study.")] = None,
    answers: Annotated[
        list[Path] | None, typer.Option(help="A file or folder of answers; may stand twice.")
    ] = None,
    llm: Annotated[
        list[str] | None, typer.Option(help="An LLM to ask by its endpoint; may stand twice.")
    ] = None,
    base_url: Annotated[str | None, typer.Option(help="The endpoint; else OpenAI's.")] = None,
    key_variable: Annotated[
        str, typer.Option(help="Environment variable that holds the key.")
    ] = KEY_VARIABLE,
    values: Annotated[
        str, typer.Option(help="paper, schwartz, a CSV value,definition, or auto (of answers).")
    ] = "paper",
) -> None:
    """Write a study file, commented and minimal, to go on from; nothing is run."""
    with readable_errors():
        from gpla_assets.sources.recorded import read_answers
        from gpla_assets.studies.own_study import (
            AUTO,
            Asked,
            OwnStudy,
            sources_of,
            study_name,
            write_study,
        )

        if not answers and not llm:
            answers, llm = _asked_on_terminal()
            name = name or typer.prompt("Name of the study", default="mine")
        if answers and llm:
            raise InitError("--answers and --llm: expected one; a study reads answers or asks.")
        if answers:
            by_file = {path: set(read_answers(path).frame["llm"]) for path in answers}
            own = OwnStudy(study_name(name, answers), sources_of(by_file), values)
        elif values == AUTO:
            raise InitError(
                "--values auto draws values from answers in a file (--answers); expected paper, "
                "schwartz or a CSV for LLMs that are yet to be asked."
            )
        else:
            asked = Asked(llm or [], base_url, key_variable)
            own = OwnStudy(study_name(name or "mine", []), values=values, asked=asked)
        path = write_study(own, Path.cwd())
        console.print(f"{path.name} written; go on:", markup=False)
        console.print(f"  gpla check {path.name}", markup=False)
        console.print(f"  gpla run {path.name} --dry-run     (calls and time)", markup=False)
        console.print(f"  gpla run {path.name}", markup=False)


def _asked_on_terminal() -> tuple[list[Path], list[str]]:
    if not sys.stdin.isatty():
        raise InitError(
            "Nobody to ask: expected --answers FILE, or --llm NAME (and --base-url), where there "
            "is no terminal."
        )
    given = typer.prompt("File or folder of answers (empty: LLMs are to be asked)", default="")
    if given:
        return [Path(given)], []
    named = typer.prompt("LLMs to ask, by commas")
    return [], [one.strip() for one in named.split(",") if one.strip()]
