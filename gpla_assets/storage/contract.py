"""What rows of a declared table must be, from the same class that declares its columns."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import NoneType
from typing import TYPE_CHECKING, get_args

import pandas as pd

from gpla_assets.common.frames import ColumnRule, fault, frame_schema
from gpla_assets.storage.files import WarehouseError
from gpla_assets.storage.tables import TABLES, declared

if TYPE_CHECKING:
    from pandera.pandas import DataFrameSchema


class RowsUnfit(WarehouseError):
    """Rows that are not what their table declares; nothing was written."""


@lru_cache
def rules_of(table: str) -> Mapping[str, ColumnRule]:
    """The rules of a table's columns, by name."""
    fields = TABLES[table].model_fields
    return {
        item.name: ColumnRule(
            _kind(fields[item.name].annotation),
            bool(item.nullable),
            item.info.get("low"),
            item.info.get("high"),
            item.info.get("among"),
        )
        for item in declared(table).columns
    }


def _kind(annotation: object) -> type:
    """str of `str` and of `str | None`."""
    kinds = [one for one in get_args(annotation) or (annotation,) if one is not NoneType]
    assert len(kinds) == 1 and isinstance(kinds[0], type), annotation
    return kinds[0]


def key_of_rows(table: str) -> list[str]:
    """The columns that together name a row."""
    return [item.name for item in declared(table).primary_key.columns]


@lru_cache
def _schema(table: str) -> DataFrameSchema:
    return frame_schema(rules_of(table), key_of_rows(table))


def check_contract(table: str, rows: pd.DataFrame) -> None:
    """Raises RowsUnfit where rows miss columns, or hold values that the table does not allow."""
    wrong = fault(rows, rules_of(table), _schema(table))
    if wrong:
        raise RowsUnfit(
            f"Rows for {table}: {wrong}. They were not written, and what was there stays."
        )
