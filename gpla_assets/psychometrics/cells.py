"""The cells of a user's columns as numbers: missing codes, decimals, answers in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from gpla_assets.common.tables import NumberReader, Table, is_missing
from gpla_assets.common.tables.numbers import (
    UNIT_SIGNS,
    Decimal,
    decimal_evidence,
    labelled,
    without_sign,
)
from gpla_assets.psychometrics.errors import MatrixError

MOST_CATEGORIES = 11
"""Answers in words have at most that many different ones; other words are comments or names."""
NO_NUMBERS = "no numbers"
STRAY_NUMBERS = 0.2
"""A column of words may hold numbers in at most this share of its cells."""
LIKERT = frozenset({
    "agree", "disagree", "never", "rarely", "sometimes", "often", "always", "accurate",
    "inaccurate", "likely", "unlikely", "satisfied", "dissatisfied", "important", "like",
    "neutral", "true", "yes", "no", "stimme", "zu", "nicht",
})  # fmt: skip


class MissingCodes:
    """Codes of missing cells, as numbers and as words, and whether each was met."""

    def __init__(self, numbers: Mapping[float, str], words: Mapping[str, str]) -> None:
        self.numbers, self.words = numbers, words
        self.met: set[str] = set()

    @classmethod
    def of(cls, codes: Sequence[str]) -> MissingCodes:
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
    cells: Mapping[str, list[str]], table: Table, decimal: Decimal | None
) -> tuple[NumberReader, list[str]]:
    """How this file writes decimals; raises MatrixError where its cells contradict each other."""
    if decimal is not None:
        return NumberReader(decimal), []
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


def column_numbers(
    name: str, column: list[str], reader: NumberReader, table: Table, labels: Sequence[str]
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
        other, note = _other_numbers(name, filled, reader, labels)
        if other is not None:
            known, wrong = dict(other), []
    if wrong:
        good = sum(counts[cell] for cell in known)
        bad = sum(counts[cell] for cell in wrong)
        if good <= STRAY_NUMBERS * (good + bad):
            return None, NO_NUMBERS
        row = next(n for n, cell in enumerate(column) if cell in wrong)
        raise MatrixError(_almost(name, column[row], row, bad, good, table))
    return np.array([known.get(cell, np.nan) for cell in column], dtype=float), note


def _other_numbers(
    name: str, filled: list[str], reader: NumberReader, labels: Sequence[str]
) -> tuple[Mapping[str, float] | None, str]:
    """Numbers of cells that are no plain ones: percent signs, truth values, answers in words."""
    signs = {sign for cell in filled for sign in UNIT_SIGNS if sign in cell}
    if len(signs) == 1 and all(signs & set(cell) for cell in filled):
        found = {cell: reader.number(without_sign(cell)) for cell in filled}
        signed = {cell: number for cell, number in found.items() if number is not None}
        if len(signed) == len(filled):
            return signed, f"{name}: {signs.pop()} taken off"
    folded = {cell: cell.casefold() for cell in filled}
    if set(folded.values()) <= {"true", "false"}:
        return {c: float(one == "true") for c, one in folded.items()}, f"{name}: TRUE is 1, FALSE 0"
    scale = _scale(labels)
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
    others = f"{good} other cell{'s' if good > 1 else ''}"
    return (
        f"{table.path}: column {name!r} has {cell!r} on {table.place(row)}{more} and numbers in "
        f"{others}; expected a number or an empty cell.{looks} If it stands for a missing cell: "
        f"--missing-codes {cell!r}; if the column is no value: --drop {name!r}."
    )


def check_words(cells: Mapping[str, list[str]], left_out: Mapping[str, str], table: Table) -> None:
    """Raises MatrixError where columns of words are answers: they would be lost in silence."""
    answers: dict[str, list[str]] = {}
    for name, why in left_out.items():
        if why != NO_NUMBERS:
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
