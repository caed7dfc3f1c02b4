"""Rows on a screen, in a pipe and in files: what LLMs wrote can do nothing to a terminal."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from gpla_assets.common.visible import visible

if TYPE_CHECKING:
    import pandas as pd

LONGEST_CELL = 90
ROWS_SHOWN = 200
"""On a screen; a pipe gets all."""
Row = Sequence[object]


def show_rows(console: Console, columns: Sequence[str], rows: Iterable[Row]) -> None:
    """A table on a terminal, a block a row where that is too wide; in a pipe TSV, nothing cut."""
    if not console.is_terminal:
        print_tsv(columns, rows)
        return
    every = iter(rows)
    shown = [[cell(one) for one in row] for row in islice(every, ROWS_SHOWN)]
    widths = [
        max([len(name), *(len(row[place]) for row in shown)]) for place, name in enumerate(columns)
    ]
    if sum(widths) + 3 * len(widths) <= console.width:
        table = Table(show_edge=False)
        for name in columns:
            table.add_column(Text(visible(str(name))), no_wrap=True)
        for row in shown:
            table.add_row(*map(Text, row))
        console.print(table)
    else:
        _blocks(console, columns, shown)
    more = sum(1 for _ in every)
    if more:
        console.print(f"{more:,} more rows: into a pipe or a file all come")


def _blocks(console: Console, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """One line a cell, so that no column is folded."""
    named = [visible(str(name)) for name in columns]
    width = max((len(name) for name in named), default=0)
    for number, row in enumerate(rows, start=1):
        console.print(Text(f"── {number} ──", style="dim"))
        for name, shown in zip(named, row, strict=True):
            console.print(Text(f"{name:<{width}}  {shown}"), soft_wrap=True)


def cell(value: object) -> str:
    """A value as a table shows it: on one line, numbers to three decimals."""
    if is_missing(value):
        return ""
    text = (
        f"{value:.3f}" if isinstance(value, float) else " ".join(visible(str(value), "\n").split())
    )
    return text if len(text) <= LONGEST_CELL else text[: LONGEST_CELL - 1] + "…"


def is_missing(value: object) -> bool:
    """Whether there is nothing: None, NaN, or pandas' own."""
    return value is None or type(value).__name__ in ("NAType", "NaTType") or value != value


def print_tsv(columns: Sequence[str], rows: Iterable[Row]) -> None:
    r"""Tab-separated lines with a header; tabs, line ends and controls in a cell are written \t."""
    for row in _chain(columns, rows):
        cells = ("" if is_missing(one) else visible(_plain(one)) for one in row)
        sys.stdout.write("\t".join(cells) + "\n")


def _chain(columns: Sequence[str], rows: Iterable[Row]) -> Iterator[Row]:
    yield columns
    yield from rows


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return repr(float(value)) if isinstance(value, float) else str(value)


def show_frame(console: Console, rows: pd.DataFrame) -> None:
    """`show_rows` of a frame."""
    show_rows(console, list(rows.columns), rows.itertuples(index=False))


def json_of(rows: pd.DataFrame) -> str:
    """A frame as a JSON list of objects."""
    return str(rows.to_json(orient="records", indent=2, date_format="iso", force_ascii=False))


def put_json(text: str, file: Path) -> None:
    """Write JSON to a file, or print it where that is `-`."""
    if str(file) != "-":
        file.write_text(text + "\n", "utf-8")
        return
    safe = (one if one == "\n" or visible(one) == one else json.dumps(one)[1:-1] for one in text)
    sys.stdout.write("".join(safe) + "\n")


def bar(low: float, mid: float, high: float, span: tuple[float, float], width: int) -> str:
    """An interval and its middle on an axis from span[0] to span[1], with a line at zero.

    >>> bar(0.0, 0.5, 1.0, (-1.0, 1.0), 9)
    '    ├─●─┤'
    >>> bar(-1.0, -0.5, -0.25, (-1.0, 1.0), 9)
    '├─●┤│    '
    """
    left, right = span
    if math.isnan(mid) or right <= left:
        return " " * width

    def at(number: float) -> int:
        return round((min(max(number, left), right) - left) / (right - left) * (width - 1))

    cells = [" "] * width
    if left <= 0 <= right:
        cells[at(0)] = "│"
    if not math.isnan(low):
        cells[at(low) : at(high) + 1] = "─" * (at(high) + 1 - at(low))
        cells[at(low)], cells[at(high)] = "├", "┤"
    cells[at(mid)] = "●" if not math.isnan(low) else "○"
    return "".join(cells)
