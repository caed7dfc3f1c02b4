"""Workbooks (xlsx) as rows of cells."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable
from datetime import date, datetime, time
from pathlib import Path

from gpla_assets.common.tables.table import Rows, TableError


def workbook_rows(data: bytes, path: Path, sheet: str | None) -> Rows:
    """Rows of the one sheet that holds cells, or of the sheet that is named.

    Raises TableError where several sheets hold cells and none is named. Formulas give the value
    that was last computed.
    """
    import openpyxl

    try:
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        for one in book.worksheets:
            # what is written there of its size is wrong in files of some libraries
            one.reset_dimensions()
        sheets = {one.title: _filled(one.iter_rows(values_only=True)) for one in book.worksheets}
        hidden = {one.title for one in book.worksheets if one.sheet_state != "visible"}
    except (KeyError, ValueError, OSError, zipfile.BadZipFile) as error:
        raise TableError(f"{path} cannot be read as a workbook (xlsx): {error}.") from error
    if sheet is not None and sheet not in sheets:
        raise TableError(f"--sheet {sheet}: {path} has sheets {', '.join(sheets)}.")
    full = [name for name, rows in sheets.items() if rows and name not in hidden]
    if sheet is None and len(full) > 1:
        raise TableError(
            f"{path} has {len(full)} sheets with cells ({', '.join(full)}); name one by --sheet "
            f"{full[0]!r}."
        )
    name = sheet or next(iter(full or sheets))
    rows = sheets[name]
    typed = any(type(cell) in (int, float) for _, row in rows for cell in row)
    cells = [[as_text(cell) for cell in row] for _, row in rows]
    return Rows(cells, [n for n, _ in rows], (f"sheet {name!r}",), typed=typed, unit="row")


def _filled(rows: Iterable[tuple[object, ...]]) -> list[tuple[int, tuple[object, ...]]]:
    return [
        (number, row)
        for number, row in enumerate(rows, start=1)
        if any(cell is not None and str(cell).strip() for cell in row)
    ]


def as_text(cell: object) -> str:
    """A typed cell as text that says the same: whole numbers without a point, no cell as ""."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float):
        if cell != cell:
            return ""
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, datetime) and cell.time() == time():
        return cell.date().isoformat()
    if isinstance(cell, datetime | date | time):
        return cell.isoformat()
    return str(cell).strip()
