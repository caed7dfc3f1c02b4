"""Cells as numbers: missing cells, decimals, thousands, percent signs, answers with labels."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

Decimal = Literal["point", "comma"]

MISSING = frozenset({
    "", "na", "n/a", "n.a.", "<na>", "#n/a", "#na", "nan", "-nan", "null", "#null!", "none",
    "nil", ".", "-", "--", "–", "—", "._", "na_real_", "na_integer_", "-1.#ind", "1.#qnan",
    "(null)", "missing",
}) | {f".{letter}" for letter in "abcdefghijklmnopqrstuvwxyz"}  # fmt: skip
"""What R, SPSS, SAS, Stata, Excel and pandas write for a cell without a measurement."""
MONTHS = frozenset({
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    "mrz", "mai", "okt", "dez", "januar", "februar", "märz", "april", "juni", "juli",
    "august", "september", "oktober", "november", "dezember", "january", "february",
    "march", "june", "july", "october", "december",
})  # fmt: skip
PLAIN = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
GROUPED = {
    "point": re.compile(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d*)?"),
    "comma": re.compile(r"[+-]?\d{1,3}(?:\.\d{3})+(?:,\d*)?"),
}
SPACED = re.compile(r"([+-]?\d{1,3})((?:[ \u00a0\u202f'’]\d{3})+)(?=[.,]|$)")
OF_SCALE = re.compile(
    r"\(?([+-]?\d+(?:[.,]\d+)?)\)?\s*(?:[-–—=:.)\]]\s*|\s)\s*[(\[]?([^\W\d].*)", re.DOTALL
)
SCALE_OF = re.compile(r"([^\W\d].*?)\s*(?:[-–—=:]\s*|[(\[]\s*|\s)([+-]?\d+)\s*[)\]]?", re.DOTALL)
UNIT_SIGNS = "%€$£¥"
SIGNS = str.maketrans({"\u2212": "-", "\uff0b": "+", "\ufe63": "-"})


def is_missing(cell: str) -> bool:
    """Whether a stripped cell says that there is no measurement."""
    return cell.casefold() in MISSING


def without_sign(cell: str) -> str:
    """A cell without a sign of per cent or of money before or after it."""
    return cell.strip().strip(UNIT_SIGNS).strip()


def looks_like_number(cell: str) -> bool:
    """Whether a cell is missing or a number, with either decimal sign, and %, if any."""
    cell = cell.strip()
    if is_missing(cell):
        return True
    reader = NumberReader()
    bare = without_sign(cell)
    return any(reader.using(one).number(bare) is not None for one in ("point", "comma"))


@dataclass(frozen=True)
class NumberReader:
    """How a file's cells are read as numbers: the sign before decimals."""

    decimal: Decimal = "point"

    def using(self, decimal: str) -> NumberReader:
        """The reader with this decimal sign."""
        return NumberReader("comma" if decimal == "comma" else "point")

    def number(self, cell: str) -> float | None:
        """A cell's number; None where it is none. Infinite numbers are none."""
        text = cell.strip().translate(SIGNS)
        if PLAIN.fullmatch(text) and ("." not in text or self.decimal == "point"):
            return _finite(text)
        if spaced := SPACED.match(text):
            text = spaced[1] + re.sub(r"\D", "", spaced[2]) + text[spaced.end() :]
        if GROUPED[self.decimal].fullmatch(text):
            text = text.replace("," if self.decimal == "point" else ".", "")
        if self.decimal == "comma":
            if "." in text:
                return None
            text = text.replace(",", ".")
        return _finite(text) if PLAIN.fullmatch(text) else None


def _finite(text: str) -> float | None:
    number = float(text)
    return number if math.isfinite(number) else None


@dataclass(frozen=True)
class DecimalEvidence:
    """Cells that tell how decimals are written: sure ones of both kinds, and an unclear one."""

    point: str | None = None
    comma: str | None = None
    either: str | None = None


def decimal_evidence(cells: Iterable[str]) -> DecimalEvidence:
    """The first cell of each kind: 2.5, 2,5, and 1,234, which may be a group or decimals."""
    point = comma = either = None
    for cell in cells:
        text = without_sign(cell).translate(SIGNS).lstrip("+-")
        if "," not in text and "." not in text:
            continue
        if not (NumberReader("point").number(text) is not None
                or NumberReader("comma").number(text) is not None):  # fmt: skip
            continue
        kind = _kind(text)
        if kind == "point":
            point = point or cell
        elif kind == "comma":
            comma = comma or cell
        elif kind == "either":
            either = either or cell
    return DecimalEvidence(point, comma, either)


def _kind(text: str) -> str:
    commas, points = text.count(","), text.count(".")
    if commas and points:
        return "comma" if text.rfind(",") > text.rfind(".") else "point"
    if commas > 1:
        return "point"
    if points > 1:
        return "comma"
    before, _, after = text.partition("," if commas else ".")
    group = len(after) == 3 and after.isdigit() and 1 <= len(before) <= 3 and before[0] != "0"
    if commas:
        return "either" if group else "comma"
    # a point before three digits is a decimal point unless the file writes decimal commas
    return "neither" if group else "point"


def labelled(cells: Iterable[str], reader: NumberReader) -> Mapping[str, float] | None:
    """Numbers of answers such as `5 - strongly agree`, by cell; None where they are no such.

    Bare numbers may stand among them, as where the ends of a scale alone have labels. Each label
    must have one number, each number one label or none, and at least two have a label.
    """
    found: dict[str, float] = {}
    labels: dict[str, float] = {}
    numbers: dict[float, str] = {}
    for cell in cells:
        bare = reader.number(cell)
        if bare is not None:
            found[cell] = bare
            continue
        before, after = OF_SCALE.fullmatch(cell), SCALE_OF.fullmatch(cell)
        number, label = (
            (before[1], before[2]) if before else (after[2], after[1]) if after else ("", "")
        )
        value, label = reader.number(number), label.strip(" -–—=:.()[]").casefold()
        if value is None or not label or label.rstrip(".") in MONTHS:
            return None
        if labels.setdefault(label, value) != value or numbers.setdefault(value, label) != label:
            return None
        found[cell] = value
    bare_numbers = {number for cell, number in found.items() if reader.number(cell) is not None}
    return found if len(labels) > 1 and not bare_numbers & set(numbers) else None
