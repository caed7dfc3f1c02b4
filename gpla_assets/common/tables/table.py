"""What a file of rows and columns is, once it is read: cells as text, each line known."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from gpla_assets.common.errors import KnownError


class TableError(KnownError, ValueError):
    """A file in which no table can be read; the message names the place and what settles it."""


@dataclass(frozen=True)
class TableOptions:
    """What a user says of a file; None is found out from the file itself.

    `delimiter` and `encoding` are of files of text, `sheet` is of workbooks; `header` says whether
    the first row has the names of columns. `names` are columns that the table must have: the first
    row then is the header, the delimiter is the one that gives them, and no further row is needed.
    """

    delimiter: str | None = None
    encoding: str | None = None
    sheet: str | None = None
    header: bool | None = None
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rows:
    """Rows as a file has them: `cells[n]` stands on line `lines[n]`; `said` is how it was read.

    `typed` where the file itself tells numbers from text, so that a comma is no decimal point;
    `unit` is what the file's own numbering counts: lines, rows of a sheet, cases.
    """

    cells: list[list[str]]
    lines: list[int]
    said: tuple[str, ...]
    typed: bool = False
    delimiter: str | None = None
    unit: str = "line"
    header: bool | None = None


@dataclass(frozen=True)
class Table:
    """Named columns of cells as text, stripped; `lines` are the file's line numbers of the rows.

    `row_names` are those that R and pandas write before the first column, without a name.
    """

    path: Path
    columns: dict[str, list[str]]
    lines: list[int]
    said: tuple[str, ...] = ()
    row_names: list[str] | None = None
    typed: bool = False
    delimiter: str | None = None
    unit: str = "line"

    def place(self, row: int) -> str:
        """Where a row stands in the file, as a user counts there."""
        return f"{self.unit} {self.lines[row]}"
