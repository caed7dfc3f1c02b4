"""What the rows of a frame must be: columns, types, limits, keys; and what is wrong in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from pandera.errors import SchemaError
    from pandera.pandas import Check, DataFrameSchema

ROUNDING = 1e-6
"""By which a number may pass its limit: probabilities come from float32."""
KINDS: Mapping[type, frozenset[str]] = {
    str: frozenset({"string", "empty"}),
    int: frozenset({"integer", "empty"}),
    float: frozenset({"floating", "integer", "mixed-integer-float", "empty"}),
    bool: frozenset({"boolean", "empty"}),
    datetime: frozenset({"datetime64", "datetime", "empty"}),
}
"""What pandas calls the values of a column, by the type that is declared."""


@dataclass(frozen=True)
class ColumnRule:
    """Values of one column: their type, whether some may be missing, their limits or choices."""

    kind: type
    nullable: bool = False
    low: float | None = None
    high: float | None = None
    among: tuple[str, ...] | None = None

    @property
    def expected(self) -> str:
        """What is expected, in words."""
        words = self.kind.__name__
        if self.among is not None:
            words = f"one of {', '.join(self.among)}"
        elif self.low is not None or self.high is not None:
            low = "" if self.low is None else f" from {self.low:g}"
            words += low + ("" if self.high is None else f" to {self.high:g}")
        return words + (", or nothing" if self.nullable else "")


@dataclass(frozen=True)
class Contract:
    """What the rows of one kind of frame must be; `key` names the columns that name a row."""

    rules: Mapping[str, ColumnRule]
    key: tuple[str, ...] = ()

    @cached_property
    def schema(self) -> DataFrameSchema:
        """The same as a pandera schema, made at the first check."""
        import pandera.pandas as pa

        columns = {
            name: pa.Column(None, _checks(rule), nullable=rule.nullable)
            for name, rule in self.rules.items()
        }
        return pa.DataFrameSchema(columns, unique=list(self.key) or None)

    def fault(self, rows: pd.DataFrame) -> str | None:
        """The first thing that is wrong with rows, in words; None where nothing is."""
        from pandera.errors import SchemaError

        try:
            # pandera wants an index without repetitions to tell which rows are there twice
            self.schema.validate(rows.reset_index(drop=True))
        except SchemaError as error:
            return _in_words(rows, self, error)
        return None


def _checks(rule: ColumnRule) -> list[Check]:
    import pandera.pandas as pa

    found = [pa.Check(lambda column: _is_of(column, rule.kind), name="type")]
    if rule.low is not None:
        found.append(pa.Check.ge(rule.low - ROUNDING))
    if rule.high is not None:
        found.append(pa.Check.le(rule.high + ROUNDING))
    if rule.among is not None:
        found.append(pa.Check.isin(rule.among))
    return found


def _is_of(column: pd.Series, kind: type) -> bool:
    if column.isna().all():  # a column of nothing is of any type; that it may be is another rule
        return True
    found = pd.api.types.infer_dtype(column, skipna=True)
    if found == "floating" and kind is int:  # whole numbers beside missing ones
        known = column.dropna()
        return bool((known == known.round()).all())
    return found in KINDS[kind]


def _in_words(rows: pd.DataFrame, contract: Contract, error: SchemaError) -> str:
    rules = contract.rules
    name = str(getattr(error.schema, "name", None) or "")
    missing = [column for column in rules if column not in rows.columns]
    if missing:
        return f"columns {', '.join(missing)} are missing; found {', '.join(map(str, rows))}"
    if name not in rules:
        twice = rows[rows.duplicated(list(contract.key))].iloc[0]
        named = ", ".join(f"{key} {twice[key]!r}" for key in contract.key)
        return f"{named} is there twice, expected once"
    rule, column = rules[name], rows[name].reset_index(drop=True)
    if not rule.nullable and column.isna().any():
        return f"{name} is missing in row {int(column.isna().argmax())}, expected {rule.expected}"
    wrong = column[[not _fits(value, rule) for value in column]]
    if wrong.empty:  # a type that only the column as a whole lacks
        return f"{name} is of several types, expected {rule.expected}"
    found = wrong.iloc[0]
    shown = f"{found:g}" if pd.api.types.is_number(found) else repr(found)
    return f"{name} is {shown} in row {wrong.index[0]}, expected {rule.expected}"


def _fits(value: object, rule: ColumnRule) -> bool:
    if pd.isna(value):
        return True
    if not _is_of(pd.Series([value]), rule.kind):
        return False
    if rule.among is not None:
        return value in rule.among
    low = -float("inf") if rule.low is None else rule.low - ROUNDING
    high = float("inf") if rule.high is None else rule.high + ROUNDING
    return not isinstance(value, int | float) or low <= value <= high
