"""What the rows of a frame must be: columns, types, limits, keys; and what is wrong in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from pandera.errors import SchemaError
    from pandera.pandas import DataFrameSchema

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


def frame_schema(rules: Mapping[str, ColumnRule], key: Sequence[str] = ()) -> DataFrameSchema:
    """The rules as a pandera schema; `key` names the columns that together name a row."""
    import pandera.pandas as pa

    def checks(rule: ColumnRule) -> list[pa.Check]:
        found = [pa.Check(lambda column: _is_of(column, rule.kind), name="type")]
        if rule.low is not None:
            found.append(pa.Check.ge(rule.low - ROUNDING))
        if rule.high is not None:
            found.append(pa.Check.le(rule.high + ROUNDING))
        if rule.among is not None:
            found.append(pa.Check.isin(rule.among))
        return found

    columns = {
        name: pa.Column(None, checks(rule), nullable=rule.nullable) for name, rule in rules.items()
    }
    return pa.DataFrameSchema(columns, unique=list(key) or None)


def fault(
    rows: pd.DataFrame, rules: Mapping[str, ColumnRule], schema: DataFrameSchema
) -> str | None:
    """The first thing that is wrong with rows, in words; None where nothing is."""
    from pandera.errors import SchemaError

    try:
        # pandera wants an index without repetitions to tell which rows are there twice
        schema.validate(rows.reset_index(drop=True))
    except SchemaError as error:
        return _in_words(rows, rules, schema, error)
    return None


def _is_of(column: pd.Series, kind: type) -> bool:
    if column.isna().all():  # a column of nothing is of any type; that it may be is another rule
        return True
    found = pd.api.types.infer_dtype(column, skipna=True)
    if found == "floating" and kind is int:  # whole numbers beside missing ones
        known = column.dropna()
        return bool((known == known.round()).all())
    return found in KINDS[kind]


def _in_words(
    rows: pd.DataFrame,
    rules: Mapping[str, ColumnRule],
    schema: DataFrameSchema,
    error: SchemaError,
) -> str:
    name = str(getattr(error.schema, "name", None) or "")
    missing = [column for column in rules if column not in rows.columns]
    if missing:
        return f"columns {', '.join(missing)} are missing; found {', '.join(map(str, rows))}"
    keys = list(schema.unique or [])
    if name not in rules:
        twice = rows[rows.duplicated(keys)].iloc[0]
        return f"{', '.join(f'{key} {twice[key]!r}' for key in keys)} is there twice, expected once"
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
