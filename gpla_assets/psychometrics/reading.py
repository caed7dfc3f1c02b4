"""A user's own file as a subject x value matrix: which columns are values, and each cell's number.

The roles of columns, by name or by flag, are in `roles`; what looks wrong, in `suspects`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from gpla_assets.common.tables import (
    NumberReader,
    Table,
    TableOptions,
    is_missing,
    read_table,
)
from gpla_assets.common.tables.numbers import Decimal, decimal_evidence, labelled
from gpla_assets.psychometrics.errors import MatrixError
from gpla_assets.psychometrics.roles import Roles, column_named, roles_of
from gpla_assets.psychometrics.suspects import suspects

MOST_CATEGORIES = 11
"""Answers in words have at most that many different ones; other words are comments or names."""
STRAY_NUMBERS = 0.2
"""A column of words may hold numbers in at most this share of its cells."""
LIKERT = frozenset({
    "agree", "disagree", "never", "rarely", "sometimes", "often", "always", "accurate",
    "inaccurate", "likely", "unlikely", "satisfied", "dissatisfied", "important", "like",
    "neutral", "true", "yes", "no", "stimme", "zu", "nicht",
})  # fmt: skip


@dataclass(frozen=True)
class ReadingOptions:
    """What a user says of a file; what is not said is found out, and refused where it is not clear.

    `missing_codes` stand for missing cells. `id`, `cluster`, `group` and `weight` are columns;
    columns in `drop` are left out. `labels` are answers in words from the lowest to the highest,
    which count 1, 2, 3 ..., or `word=number`. `values`: only these columns are values, and what is
    in others does not matter (a value system's own).
    """

    missing_codes: tuple[str, ...] = ()
    id: str | None = None
    cluster: str | None = None
    group: str | None = None
    weight: str | None = None
    drop: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    decimal: Decimal | None = None
    table: TableOptions = field(default_factory=TableOptions)
    values: tuple[str, ...] | None = None


@dataclass(frozen=True)
class OwnMatrix:
    """A user's matrix and what was read.

    `scores` (n_subjects, n_values) are NaN where a cell is missing; each subject has a cell. The
    series are by subject: `clusters` the LLM of each, `groups`, `weights`. `said` tells what was
    read, `cautions` what looks wrong, `others` names the columns that are no values. `lines` is
    where each subject stands in the file. `of_correlations`: the subjects are made up, and only
    their correlations are the user's.
    """

    scores: pd.DataFrame
    clusters: pd.Series | None = None
    groups: pd.Series | None = None
    weights: pd.Series | None = None
    said: tuple[str, ...] = ()
    cautions: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    lines: tuple[int, ...] = ()
    of_correlations: bool = False


def read_own(path: Path, options: ReadingOptions | None = None) -> OwnMatrix:
    """The matrix of a file: one row a subject, one column a value; see README for what is read.

    The columns `subject`, `llm` (`model`, `cluster`), `group` and `weight` have their role by name,
    others by the options. Subjects named `llm|profile` have their LLM before the bar. Rows without
    any cell among the values are left out and counted. Raises TableError for a file that cannot be
    read in one way, and MatrixError (which is one) by the column, line and cell of what is no
    number.
    """
    options = options or ReadingOptions()
    table = read_table(path, options.table)
    roles = roles_of(table, options)
    kept, left_out = _candidates(table, roles, options)
    codes = _Codes.of(options.missing_codes)
    cells = {name: codes.without(table.columns[name]) for name in kept}
    reader, how = number_reader(cells, table, options)
    columns: dict[str, np.ndarray] = {}
    notes: list[str] = []
    for name, column in cells.items():
        numbers, note = _numbers(name, column, reader, table, options)
        if numbers is None:
            left_out[name] = note
            continue
        columns[name] = codes.masked(numbers)
        notes += [note] if note else []
    _check_words(cells, left_out, table)
    whole = pd.DataFrame(columns, index=roles.names)
    if not len(whole.columns):
        raise MatrixError(
            f"{path}: none of the columns {', '.join(list(table.columns)[:6])} holds numbers; "
            "expected one column a value."
        )
    _check_square(whole, table, roles)
    measured = whole.notna().any(axis=1).to_numpy()
    scores = whole[measured]
    lines = np.array(table.lines)[measured]
    said = _said(table, roles, scores, left_out, [*how, *notes], int((~measured).sum()))
    return OwnMatrix(
        scores=scores,
        clusters=_kept(roles.clusters, measured),
        groups=_kept(roles.groups, measured),
        weights=_kept(roles.weights, measured),
        said=tuple(said),
        cautions=(
            *roles.cautions,
            *codes.unused(),
            *suspects(scores, lines, table.unit, roles.named_weight),
        ),
        others=tuple(name for name in table.columns if name not in scores),
        lines=tuple(int(line) for line in lines),
    )


def _candidates(
    table: Table, roles: Roles, options: ReadingOptions
) -> tuple[list[str], dict[str, str]]:
    """Columns that may be values, and why others are left out."""
    dropped = {column_named(name, table, "--drop") for name in options.drop}
    taken = set(roles.columns.values())
    free = [name for name in table.columns if name not in taken | dropped]
    left_out = {name: "--drop" for name in table.columns if name in dropped}
    if options.values is None:
        return free, left_out
    wanted = set(options.values)
    return [name for name in free if name in wanted], left_out


class _Codes:
    """Codes of missing cells, as numbers and as words, and whether each was met."""

    def __init__(self, numbers: Mapping[float, str], words: Mapping[str, str]) -> None:
        self.numbers, self.words = numbers, words
        self.met: set[str] = set()

    @classmethod
    def of(cls, codes: Sequence[str]) -> _Codes:
        numbers, words = {}, {}
        for code in codes:
            number = NumberReader().number(code)
            if number is None:
                words[code.strip().casefold()] = code
            else:
                numbers[number] = code
        return cls(numbers, words)

    def without(self, column: list[str]) -> list[str]:
        """The column with the words among the codes as empty cells."""
        if not self.words:
            return column
        self.met |= {
            self.words[cell.casefold()] for cell in column if cell.casefold() in self.words
        }
        return ["" if cell.casefold() in self.words else cell for cell in column]

    def masked(self, numbers: np.ndarray) -> np.ndarray:
        """The numbers with NaN for those among the codes."""
        for number, code in self.numbers.items():
            same = numbers == number
            if same.any():
                self.met.add(code)
                numbers = np.where(same, np.nan, numbers)
        return numbers

    def unused(self) -> list[str]:
        """A caution on codes that no cell has."""
        never = [c for c in (*self.numbers.values(), *self.words.values()) if c not in self.met]
        return [f"--missing-codes {', '.join(never)}: no cell has it."] if never else []


def number_reader(
    cells: Mapping[str, list[str]], table: Table, options: ReadingOptions
) -> tuple[NumberReader, list[str]]:
    """How this file writes decimals; raises MatrixError where its cells contradict each other."""
    if options.decimal is not None:
        return NumberReader(options.decimal), []
    if table.typed:
        return NumberReader(), []
    found = decimal_evidence(dict.fromkeys(cell for column in cells.values() for cell in column))
    if found.point and found.comma:
        raise MatrixError(
            f"{table.path}: {_where(found.point, cells, table)} has a decimal point and "
            f"{_where(found.comma, cells, table)} a decimal comma; say which it is by --decimal "
            "point or --decimal comma."
        )
    if found.comma or (found.either and table.delimiter == ";" and not found.point):
        return NumberReader("comma"), ["decimal commas"]
    if found.either and not found.point:
        number = found.either.replace(",", "")
        raise MatrixError(
            f"{table.path}: {_where(found.either, cells, table)} may be {number} or "
            f"{found.either.replace(',', '.')}; say --decimal comma or --decimal point."
        )
    return NumberReader(), []


def _where(cell: str, cells: Mapping[str, list[str]], table: Table) -> str:
    name = next(name for name, column in cells.items() if cell in column)
    return f"{cell!r} (column {name!r}, {table.place(cells[name].index(cell))})"


def _numbers(
    name: str, column: list[str], reader: NumberReader, table: Table, options: ReadingOptions
) -> tuple[np.ndarray | None, str]:
    """A column's numbers and what is to be said of them; None where it is one of words."""
    counts = Counter(column)
    numbers = {cell: reader.number(cell) for cell in counts}
    missing = {cell for cell in counts if is_missing(cell)}
    known: dict[str, float] = {c: x for c, x in numbers.items() if x is not None}
    wrong = [cell for cell in counts if cell not in known and cell not in missing]
    note = ""
    if wrong:
        filled = [cell for cell in counts if cell not in missing]
        other, note = _other_numbers(name, filled, reader, options)
        if other is not None:
            known, wrong = dict(other), []
    if wrong:
        good = sum(counts[cell] for cell in known)
        bad = sum(counts[cell] for cell in wrong)
        if good <= STRAY_NUMBERS * (good + bad):
            return None, "words"
        row = next(n for n, cell in enumerate(column) if cell in wrong)
        raise MatrixError(_almost(name, column[row], row, bad, good, table))
    return np.array([known.get(cell, np.nan) for cell in column], dtype=float), note


def _other_numbers(
    name: str, filled: list[str], reader: NumberReader, options: ReadingOptions
) -> tuple[Mapping[str, float] | None, str]:
    """Numbers of cells that are no plain ones: percent signs, truth values, answers in words."""
    if all(cell.endswith("%") for cell in filled):
        found = {cell: reader.number(cell[:-1]) for cell in filled}
        percent = {cell: number for cell, number in found.items() if number is not None}
        if len(percent) == len(filled):
            return percent, f"{name}: percent signs taken off"
    folded = {cell: cell.casefold() for cell in filled}
    if set(folded.values()) <= {"true", "false"}:
        return {c: float(one == "true") for c, one in folded.items()}, f"{name}: TRUE is 1, FALSE 0"
    scale = _scale(options.labels)
    if scale and set(folded.values()) <= set(scale) | {
        one for cell, one in folded.items() if reader.number(cell) is not None
    }:
        return {
            cell: scale[one] if one in scale else reader.number(cell) or 0.0
            for cell, one in folded.items()
        }, f"{name}: words by --labels"
    if (found_labels := labelled(filled, reader)) is not None:
        return found_labels, f"{name}: numbers of its labelled answers"
    return None, ""


def _scale(labels: Sequence[str]) -> dict[str, float]:
    """Numbers of answers in words: 1, 2, 3 ... as they stand, or as `word=number` says."""
    scale = {}
    for place, label in enumerate(labels, start=1):
        word, sign, number = label.rpartition("=")
        value = NumberReader().number(number) if sign else None
        scale[(word if value is not None else label).strip().casefold()] = (
            float(place) if value is None else value
        )
    return scale


def _almost(name: str, cell: str, row: int, bad: int, good: int, table: Table) -> str:
    looks = ""
    if len(cell) >= 10 and cell[4:5] == "-" and cell[7:8] == "-":
        looks = " Excel may have made a date of a number such as 3.5."
    more = f" (and {bad - 1} further such cells)" if bad > 1 else ""
    return (
        f"{table.path}: column {name!r} has {cell!r} on {table.place(row)}{more} and numbers in "
        f"{good} other cell{'s' if good > 1 else ''}; expected a number or an empty cell.{looks} If "
        f"it stands for a missing cell: --missing-codes {cell!r}; if the column is no value: --drop {name!r}."
    )


def _check_words(cells: Mapping[str, list[str]], left_out: Mapping[str, str], table: Table) -> None:
    """Raises MatrixError where columns of words are answers: they would be lost in silence."""
    answers: dict[str, list[str]] = {}
    for name, why in left_out.items():
        if why != "words":
            continue
        different = [one for one in dict.fromkeys(cells[name]) if not is_missing(one)]
        if len(different) <= MOST_CATEGORIES:
            answers[name] = different
    for name, words in answers.items():
        shared = any(
            len(set(words) & set(other)) * 2 > len(words)
            for one, other in answers.items()
            if one != name
        )
        if shared or {part for word in words for part in word.casefold().split()} & LIKERT:
            raise MatrixError(
                f"{table.path}: column {name!r} holds answers in words ({'; '.join(words)}), "
                f"expected numbers; name them from the lowest to the highest by --labels "
                f"'{','.join(words)}' (in their order), or leave the column out: --drop {name!r}."
            )


def _check_square(whole: pd.DataFrame, table: Table, roles: Roles) -> None:
    """Raises MatrixError where the file holds correlations."""
    r = whole.to_numpy()
    if (
        r.shape[0] == r.shape[1] >= 3
        and np.allclose(np.diag(r), 1.0)
        and np.nanmax(np.abs(r)) <= 1.0 + 1e-9
        and np.allclose(r, r.T, atol=1e-6, equal_nan=True)
    ):
        raise MatrixError(
            f"{table.path} holds a matrix of correlations ({len(r)} x {len(r)}, symmetric, ones "
            f"on the diagonal) and no subjects; pass it by --correlations {table.path.name} --n "
            "NUMBER OF SUBJECTS."
        )


def _kept(series: pd.Series | None, measured: np.ndarray) -> pd.Series | None:
    return None if series is None else series[measured]


def _said(
    table: Table,
    roles: Roles,
    scores: pd.DataFrame,
    left_out: Mapping[str, str],
    how: Sequence[str],
    empty: int,
) -> list[str]:
    missing = int(scores.isna().to_numpy().sum())
    said = [
        f"{len(scores):,} rows, {scores.shape[1]} values, {missing:,} cells missing "
        f"({', '.join([*table.said, *_grouped(how)])})",
        *roles.said,
    ]
    if empty:
        said.append(f"{empty} row{'s' if empty > 1 else ''} without any cell left out")
    if left_out:
        names = ", ".join(f"{name} ({why})" for name, why in left_out.items())
        said.append(f"left out: {names}")
    return said


def _grouped(notes: Sequence[str]) -> list[str]:
    """Notes on columns with the same words, together."""
    by_words: dict[str, list[str]] = {}
    for note in notes:
        name, sign, words = note.rpartition(": ")
        by_words.setdefault(words if sign else note, []).append(name)
    return [
        f"{', '.join(names[:3])}{f' and {len(names) - 3} more' if len(names) > 3 else ''}: {words}"
        if any(names)
        else words
        for words, names in by_words.items()
    ]
