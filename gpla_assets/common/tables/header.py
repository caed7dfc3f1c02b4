"""Names of columns and of rows: titles above a header, R's row names, columns without a name."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from statistics import median

from gpla_assets.common.tables.numbers import is_missing, looks_like_number
from gpla_assets.common.tables.table import Rows, Table, TableError, TableOptions

TITLE_SHARE = 1 / 3
"""A title, or names of groups of columns, fill at most this share of the cells of other rows."""
WORD_ROWS = 2
"""Further rows of names that survey platforms write: questions, keys of import."""


def as_table(rows: Rows, path: Path, options: TableOptions) -> Table:
    """Rows as named columns; raises TableError by the place of what is not clear."""
    if len(rows.cells) < (1 if options.names else 2):
        raise TableError(
            f"{path} has {len(rows.cells)} {'line' if len(rows.cells) == 1 else 'lines'} with "
            "content: expected a header and a row per subject."
        )
    cells, lines = list(rows.cells), list(rows.lines)
    notes = list(rows.said)
    known = rows.header or bool(options.names)
    titles = 0 if known else _titles(cells)
    if titles:
        notes.append(f"{_counted(titles, rows.unit)} above the header left out")
        cells, lines = cells[titles:], lines[titles:]
    header = cells[0] if known else _header(cells[0], lines[0], rows, path, options)
    lacking = [name for name in options.names if name not in cells[0]]
    if lacking:
        raise TableError(
            f"{path} has columns {', '.join(cells[0])}: {lacking[0]!r} is missing, expected "
            f"{','.join(options.names)}."
        )
    body, numbers = (cells[1:], lines[1:]) if header is not None else (cells, lines)
    width = _width(header, body)
    if header is None:
        header = [f"V{n}" for n in range(1, width + 1)]
        notes.append("no header: values are named V1, V2 ...")
    if width == len(header) + 1:
        header = ["", *header]
    body = [
        _fitted(row, header, number, rows, path) for row, number in zip(body, numbers, strict=True)
    ]
    skipped = 0 if known else _word_rows(body)
    if skipped:
        notes.append(f"{_counted(skipped, rows.unit)} of words below the header left out")
        body, numbers = body[skipped:], numbers[skipped:]
    return _named(header, body, numbers, rows, path, notes)


def _counted(number: int, unit: str) -> str:
    return f"{number} {unit}{'s' if number > 1 else ''}"


def _titles(cells: list[list[str]]) -> int:
    filled = [sum(map(bool, row)) for row in cells]
    usual = median(filled)
    number = 0
    while number < len(cells) - 2 and usual >= 3 and filled[number] <= usual * TITLE_SHARE:
        number += 1
    # rows that few cells fill may stand at the top of the data as well: names follow titles
    follows = [cell for cell in cells[number] if cell]
    return 0 if all(map(looks_like_number, follows)) else number


def _header(
    first: list[str], line: int, rows: Rows, path: Path, options: TableOptions
) -> list[str] | None:
    if options.header is False:
        return None
    names = [cell for cell in first if cell]
    numbers = all(map(looks_like_number, names)) and not all(map(is_missing, names))
    if numbers and options.header is None:
        raise TableError(
            f"{path}: {rows.unit} {line} has only numbers ({', '.join(names[:3])} ...) where the "
            "names of columns are expected; say --no-header if these are cells, --header if they "
            "are names."
        )
    return list(first)


def _width(header: list[str] | None, body: list[list[str]]) -> int:
    """Cells of a row: as the header, or one more where each row begins with its own name."""
    if header is None:
        return Counter(map(len, body)).most_common(1)[0][0]
    one_more = all(len(row) == len(header) + 1 for row in body)
    return len(header) + int(one_more and any(row[-1] for row in body))


def _fitted(row: list[str], header: list[str], line: int, rows: Rows, path: Path) -> list[str]:
    while len(row) > len(header) and row[-1] == "":
        row = row[:-1]
    if rows.typed or rows.unit != "line":
        row = row + [""] * (len(header) - len(row))
    if len(row) != len(header):
        hint = ""
        if rows.delimiter == "," and len(row) > 1.5 * len(header):
            hint = " Commas seem to be decimal signs too: save it with semicolons or quotes."
        elif len(row) == 1:
            hint = " Notes below the data have to be deleted."
        raise TableError(
            f"{path}: {rows.unit} {line} has {len(row)} cells, expected {len(header)} as the "
            f"header.{hint}"
        )
    return row


def _word_rows(body: list[list[str]]) -> int:
    """Leading rows that hold only words in columns which hold only numbers below them."""
    if len(body) < WORD_ROWS + 3:
        return 0
    number = 0
    while number < WORD_ROWS and not any(cell and looks_like_number(cell) for cell in body[number]):
        number += 1
    if not number:
        return 0
    below = list(zip(*body[number:], strict=True))
    of_numbers = [all(map(looks_like_number, column)) and any(column) for column in below]
    words = sum(map(bool, (cell for cell, use in zip(body[0], of_numbers, strict=True) if use)))
    return number if words >= 2 and sum(of_numbers) * 2 > len(of_numbers) else 0


def _named(
    header: list[str],
    body: list[list[str]],
    lines: list[int],
    rows: Rows,
    path: Path,
    notes: list[str],
) -> Table:
    columns: dict[str, list[str]] = {}
    row_names, empty = None, 0
    # zip would give no columns of no rows
    by_column = zip(*body, strict=True) if body else ((),) * len(header)
    for place, (name, column) in enumerate(zip(header, by_column, strict=True)):
        cells = list(column)
        if name in columns:
            first = header.index(name) + 1
            raise TableError(
                f"{path}: column {name!r} stands more than once (columns {first} and {place + 1}); "
                "expected each value once. Rename or delete one."
            )
        if name:
            columns[name] = cells
        elif not any(cells):
            empty += 1
        elif place == 0:
            row_names = cells
        else:
            row = next(n for n, cell in enumerate(cells) if cell)
            raise TableError(
                f"{path}: column {place + 1} has cells ({cells[row]!r} on {rows.unit} "
                f"{lines[row]}) and no name; name it in the header, or delete it."
            )
    if empty:
        notes.append(f"{empty} empty column{'s' if empty > 1 else ''} left out")
    return Table(
        path, columns, lines, tuple(notes), row_names, rows.typed, rows.delimiter, rows.unit
    )
