"""Options of all commands that read a user's matrix, and what is printed of what was read."""

from __future__ import annotations

import csv
import functools
import inspect
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from gpla_assets.cli.commands import console, readable_errors
from gpla_assets.cli.completion import complete_studies

if TYPE_CHECKING:
    from gpla_assets.benchmarks.systems import System
    from gpla_assets.looking import PublishedStudy
    from gpla_assets.psychometrics.reading import OwnMatrix

PANEL = "Reading the file"
FILE_HELP = (
    "One row a subject, one column a value: CSV or text of any delimiter, .xlsx, .sav, .dta, .rds, "
    ".parquet; also .gz, .zst."
)


class DecimalSign(StrEnum):
    """The sign before decimals."""

    point = "point"
    comma = "comma"


def _option(help: str, *names: str, **more: Any) -> Any:
    return typer.Option(*names, help=help, rich_help_panel=PANEL, **more)


def _flags(
    missing_codes: Annotated[
        str, _option("Codes of missing cells, by commas: -99,999.", "--missing-codes")
    ] = "",
    id: Annotated[str | None, _option("Column of subjects' names; else `subject`.")] = None,
    cluster: Annotated[
        str | None,
        _option("Column of LLMs, whose rows belong together; else `llm`, `model` or `cluster`."),
    ] = None,
    group: Annotated[
        str | None, _option("Column of groups, which is no value; else `group`.")
    ] = None,
    weight: Annotated[
        str | None, _option("Column of weights, which is no value; else `weight`.")
    ] = None,
    drop: Annotated[
        list[str] | None, _option("Columns to leave out, by commas; may be repeated.")
    ] = None,
    labels: Annotated[
        str, _option("Answers in words from lowest to highest, by commas: never,seldom,often.")
    ] = "",
    decimal: Annotated[DecimalSign | None, _option("Before decimals; else as cells say.")] = None,
    delimiter: Annotated[
        str | None, _option("comma, semicolon, tab, bar, blank or a character; else found out.")
    ] = None,
    encoding: Annotated[str | None, _option("Of text: utf-8, latin-1 ...; else found out.")] = None,
    sheet: Annotated[str | None, _option("Of a workbook that has several.")] = None,
    header: Annotated[
        bool | None, _option("The first row has names or cells.", "--header/--no-header")
    ] = None,
    correlations: Annotated[
        Path | None, _option("Matrix of correlations instead of FILE; with --n.")
    ] = None,
    n: Annotated[int | None, _option("Subjects behind --correlations.", "--n", min=3)] = None,
    study: Annotated[
        str | None,
        _option(
            "A study that ran, instead of FILE; its groups are family and profile.",
            "--study",
            "-s",
            autocompletion=complete_studies,
        ),
    ] = None,
) -> None:
    """Only the signature is used: the options of `Reader`."""


class Reader:
    """Reads a command's FILE by the options that the user gave."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.options = options

    def read(self, file: Path | None, values: list[str] | None = None) -> OwnMatrix:
        """The user's matrix, and on screen what was read and what looks wrong in it.

        `values`: the only columns that are values, where a command needs these alone. Raises
        TableError of what cannot be read, and where file and correlations are not given rightly.
        """
        from gpla_assets.common.tables import TableError, TableOptions
        from gpla_assets.psychometrics.given_correlations import read_correlations
        from gpla_assets.psychometrics.reading import ReadingOptions, read_own

        given = self.options
        correlations, n = given["correlations"], given["n"]
        ways = [one for one in (file, correlations, given["study"]) if one is not None]
        if len(ways) != 1 or (correlations is None) != (n is None):
            raise TableError(
                "Expected either FILE, one row a subject, or --correlations FILE together with --n "
                "NUMBER OF SUBJECTS, or --study NAME."
            )
        if given["study"] is not None:
            self.folder = TemporaryDirectory()
            file = self.keep_study(Path(self.folder.name) / f"{self.opened.name}.csv")
        options = ReadingOptions(
            missing_codes=_listed(given["missing_codes"]),
            id=given["id"],
            cluster=given["cluster"],
            group=given["group"],
            weight=given["weight"],
            drop=tuple(name for one in given["drop"] or () for name in _listed(one)),
            labels=_listed(given["labels"]),
            decimal=given["decimal"].value if given["decimal"] else None,
            table=TableOptions(
                given["delimiter"], given["encoding"], given["sheet"], given["header"]
            ),
            values=None if values is None else tuple(values),
        )
        if file is not None:
            own = read_own(file, options)
        else:
            own = read_correlations(correlations, n, options)
        show(own)
        return own

    @functools.cached_property
    def opened(self) -> PublishedStudy:
        """The study that was named."""
        from gpla_assets.looking import open_study

        return open_study(self.options["study"])

    def keep_study(self, path: Path) -> Path:
        """Write the study's scores to a CSV file."""
        self.opened.matrix(self.options["group"]).to_csv(path, index=False)
        return path

    def own_system(self) -> System | None:
        """The value system that the study found, by its primary loadings; None without a study."""
        if self.options["study"] is None:
            return None
        from gpla_assets.benchmarks.systems import UnfitSystem, system_of_loadings

        loadings = self.opened.loadings()
        found = system_of_loadings(f"{self.opened.name}'s own", loadings[loadings["kept"]])
        if not found.factors:
            raise UnfitSystem(
                f"Study {self.opened.name} found no factors; expected the value system as --system "
                "FILE.yaml or as --model FILE in lavaan's syntax."
            )
        return found

    def source(self, file: Path | None) -> Path:
        """The file that was read; of a study its name."""
        return file or self.options["correlations"] or Path(self.options["study"])


def _listed(text: str) -> tuple[str, ...]:
    """What stands between commas; quotes keep a comma."""
    rows = list(csv.reader([text], skipinitialspace=True)) if text.strip() else []
    return tuple(cell.strip() for row in rows for cell in row if cell.strip())


def show(own: OwnMatrix) -> None:
    """Print what was read, and the cautions on it."""
    for line in own.said:
        console.print(f"read: {escape(line)}", soft_wrap=True, highlight=False)
    for caution in own.cautions:
        console.print(f"[yellow]caution:[/yellow] {escape(caution)}", soft_wrap=True)


def reads_matrix(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of reading; it takes them as its argument `reader: Reader`."""
    flags = inspect.signature(_flags, eval_str=True).parameters
    own = inspect.signature(command, eval_str=True)

    @functools.wraps(command)
    def with_reader(**arguments: Any) -> None:
        options = {name: arguments.pop(name) for name in flags}
        with readable_errors():
            command(**arguments, reader=Reader(options))

    kept = [one for name, one in own.parameters.items() if name != "reader"]
    with_reader.__signature__ = own.replace(  # type: ignore[attr-defined]
        parameters=[
            one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in (*kept, *flags.values())
        ]
    )
    return with_reader
