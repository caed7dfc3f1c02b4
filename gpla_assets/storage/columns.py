"""Columns with descriptions, for the declarations of tables."""

from __future__ import annotations

from typing import Any

from sqlmodel import Field


def column(description: str, **options: Any) -> Any:
    """A column with a description that DuckDB keeps as its comment."""
    return Field(description=description, sa_column_kwargs={"comment": description}, **options)


def key(description: str) -> Any:
    """A part of the table's natural key; never a number that the database would make."""
    options = {"comment": description, "autoincrement": False}
    return Field(description=description, primary_key=True, sa_column_kwargs=options)
