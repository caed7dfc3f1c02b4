"""What rows of a declared table must be, from the same class that declares its columns."""

from __future__ import annotations

from functools import lru_cache
from types import NoneType
from typing import get_args

import pandas as pd

from gpla_assets.common.frames import ColumnRule, Contract
from gpla_assets.storage.files import WarehouseError
from gpla_assets.storage.tables import TABLES, declared


class RowsUnfit(WarehouseError):
    """Rows that are not what their table declares; nothing was written."""


@lru_cache
def contract_of(table: str) -> Contract:
    """The rules of a table's columns, and its key."""
    fields, own = TABLES[table].model_fields, declared(table)
    rules = {
        item.name: ColumnRule(
            _kind(fields[item.name].annotation),
            bool(item.nullable),
            item.info.get("low"),
            item.info.get("high"),
            item.info.get("among"),
        )
        for item in own.columns
    }
    return Contract(rules, tuple(item.name for item in own.primary_key.columns))


def _kind(annotation: object) -> type:
    """str of `str` and of `str | None`."""
    kinds = [one for one in get_args(annotation) or (annotation,) if one is not NoneType]
    assert len(kinds) == 1 and isinstance(kinds[0], type), annotation
    return kinds[0]


def check_contract(table: str, rows: pd.DataFrame) -> None:
    """Raises RowsUnfit where rows miss columns, or hold values that the table does not allow."""
    wrong = contract_of(table).fault(rows)
    if wrong:
        raise RowsUnfit(
            f"Rows for {table}: {wrong}. They were not written, and what was there stays."
        )
