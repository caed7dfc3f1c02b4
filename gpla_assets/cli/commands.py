"""Commands: each parses its arguments, calls one function and prints what came out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from gpla_assets.cli.completion import complete_queries, complete_studies
from gpla_assets.cli.panels import Commands, Group
from gpla_assets.common.errors import KnownError
from gpla_assets.common.secrets import without_secrets
from gpla_assets.common.visible import visible
from gpla_assets.studies.lexicon import SAME_COSINE, SAME_ROUGE, LexiconSettings

app = Commands(
    cls=Group,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
console = Console()
errors = Console(stderr=True)

StudyName = Annotated[
    str,
    typer.Argument(
        help="A study that ships, such as demo or survey, or a YAML file.",
        autocompletion=complete_studies,
    ),
]
StudyOption = Annotated[
    str,
    typer.Option("--study", "-s", help="A study's name or path.", autocompletion=complete_studies),
]
AsOfOption = Annotated[
    str | None,
    typer.Option(
        "--as-of", help="Of a lake: an older publication, by number or moment (UTC).", metavar="RUN"
    ),
]


def shown(number: float | None, decimals: int = 3) -> str:
    """A number of a table; a dash where it does not exist."""
    return "-" if number is None else f"{number:.{decimals}f}"


@contextmanager
def readable_errors() -> Iterator[None]:
    """A known error is printed on one line, with exit code 1; any other keeps its traceback."""
    try:
        yield
    except KnownError as error:
        _say(str(error))
        raise typer.Exit(1) from error
    except BrokenPipeError:  # whoever reads the pipe has had enough
        raise
    except OSError as error:
        # of a file that a line names; what has no reason of the system's is a fault of ours
        if error.errno is None and "non-existent directory" not in str(error):
            raise
        reason = error.strerror or str(error)
        _say(f"{error.filename}: {reason}." if error.filename else f"{reason}.")
        raise typer.Exit(1) from error
    except KeyboardInterrupt as error:
        far = f" {error}" if error.args else ""
        errors.print(
            f"stopped{far}: what was finished stays, and the same command goes on from there",
            soft_wrap=True,
        )
        raise typer.Exit(130) from error


def _say(message: str) -> None:
    said = visible(without_secrets(" ".join(message.split())))
    errors.print(f"[red]error:[/red] {escape(said)}", soft_wrap=True, highlight=False)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        console.print(f"gpla {version('gpla')}", highlight=False)
        raise typer.Exit


@app.callback()
def gpla(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version.")
    ] = False,
) -> None:
    """Finds the value system of large language models from what they write."""


@app.command(epilog="Example: gpla check paper")
def check(study: StudyName = "demo") -> None:
    """Say line by line what of a study is ready on this machine; exit 1 if something is missing."""
    with readable_errors():
        from gpla_assets.orchestration.readiness import readiness
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
    name: Annotated[
        str,
        typer.Argument(
            help="A file of sql/ without .sql; `list` names them.", autocompletion=complete_queries
        ),
    ],
    study: StudyOption = "demo",
    format: Annotated[
        str,
        typer.Option(
            "--format", "-f", help="table (in a pipe tab-separated), csv, json or parquet."
        ),
    ] = "table",
    out: Annotated[Path | None, typer.Option(help="Write here; parquet must be.")] = None,
    set: Annotated[list[str] | None, typer.Option("--set", help="A variable: name=value.")] = None,
    as_of: AsOfOption = None,
) -> None:
    """Run a query of sql/ on a study's published warehouse."""
    with readable_errors():
        from gpla_assets.cli.queries import list_queries, run_query, show
        from gpla_assets.looking.published import published_store

        if name == "list":
            for found in list_queries():
                console.print(f"[bold]{found.name:<26}[/bold] {found.question}", soft_wrap=True)
            return
        rows = run_query(name, published_store(study, as_of), set or [])
        show(rows, format, out, console)


@app.command(epilog="Examples: gpla explore demo --open; gpla explore speech.duckdb --out it.html")
def explore(
    study: StudyName = "demo",
    beside: Annotated[
        str | None, typer.Option("--with", help="Another study of the same LLMs, to compare with.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="HTML file to write; else report/NAME.html beside the study."),
    ] = None,
    open_it: Annotated[bool, typer.Option("--open", help="Show it in the browser.")] = False,
) -> None:
    """Write the explorer: one HTML page of what a study found, which needs no network."""
    with readable_errors():
        from gpla_assets.looking import PublishedStudy, open_study
        from gpla_assets.looking.published import published_store
        from gpla_assets.report import write_explorer
        from gpla_assets.studies import SHIPPED, load_study, warehouse_folder

        store = published_store(study)
        named = study in SHIPPED or Path(study).suffix in (".yaml", ".yml")
        described = load_study(study).description if named else ""
        if out is None:
            folder = store.parent if isinstance(store, Path) else warehouse_folder()
            out = folder / "report" / f"{PublishedStudy(store).name}.html"
        other = None if beside is None else open_study(beside)
        page = write_explorer(store, out, described, other)
        console.print(f"explorer: {page}", soft_wrap=True)
        if open_it:
            import webbrowser

            webbrowser.open(page.resolve().as_uri())


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


@app.command(epilog="Example: gpla lexicon values.csv --out lexicon.csv")
def lexicon(
    file: Annotated[Path, typer.Argument(help="CSV with columns value,frequency.")],
    out: Annotated[Path, typer.Option(help="CSV to write, with the decision on every value.")],
    rouge: Annotated[float, typer.Option(help="Threshold of rougeLsum F, precision, recall.")] = (
        SAME_ROUGE
    ),
    cosine: Annotated[float, typer.Option(help="Threshold of the embeddings' cosine.")] = (
        SAME_COSINE
    ),
    sweep: Annotated[
        Path | None, typer.Option(help="CSV to write, with the lexicon's size by thresholds.")
    ] = None,
) -> None:
    """Drop the near-duplicates of a list of values; the more frequent stays."""
    with readable_errors():
        from gpla_assets.lexicon import unread
        from gpla_assets.lexicon.own_values import filter_file, sweep_file
        from gpla_assets.studies import settings_of_options

        thresholds = {"rouge_threshold": rouge, "cosine_threshold": cosine}
        rows = filter_file(file, settings_of_options(LexiconSettings, **thresholds))
        rows.to_csv(out, index=False)
        if sweep is not None:
            sweep_file(file).to_csv(sweep, index=False)
        console.print(f"{int(rows['kept'].sum())} of {len(rows)} values kept: {out}")
        if unknown := unread(list(rows["value"])):
            named = ", ".join(unknown[:8]) + (" ..." if len(unknown) > 8 else "")
            console.print(
                escape(
                    f"caution: {len(unknown)} names are in no Latin script ({named}); the encoder "
                    "cannot read them, so that none of them counts as a near-duplicate."
                ),
                soft_wrap=True,
            )
