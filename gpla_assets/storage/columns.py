"""Columns with descriptions and limits, for the declarations of tables."""

from __future__ import annotations

from typing import Any

from pydantic_core import PydanticUndefined
from sqlmodel import Field

EVIDENCE, ANALYSIS, INTERNAL = "evidence", "analysis", "internal"
"""Schemas of what Python writes: the rows that numbers rest on, what the statistics found, and
bookkeeping. dbt writes `marts`, what analysts read first, and `paper`, the paper's own tables."""
MARTS, PAPER = "marts", "paper"
SCHEMAS = (EVIDENCE, ANALYSIS, INTERNAL, MARTS, PAPER)

ORIGINS = ("corpus", "subjects", "validation", "preferences")
"""What a perception was found in: corpus texts, subjects' responses, texts of the validation
studies, responses of which one was preferred."""
LISTS = (
    *("lexicon", "Schwartz-10", "Schwartz-4", "published"),
    *("ours, direct", "published, direct"),
)
"""Lists of values that perceptions are measured on: the study's lexicon, Schwartz's ten and four,
the values of the paper's system, and factors of ours and of the paper's measured by their names."""


def column(
    description: str,
    *,
    low: float | None = None,
    high: float | None = None,
    among: tuple[str, ...] | None = None,
    default: object = PydanticUndefined,
) -> Any:
    """A column with a description that DuckDB keeps as its comment.

    Its numbers lie between `low` and `high`, its texts are `among` those given: `contract` checks
    that at every write.
    """
    info = {"low": low, "high": high, "among": among}
    more = {"comment": description, "info": info}
    return Field(default, description=description, sa_column_kwargs=more)


def share(description: str, *, default: object = PydanticUndefined) -> Any:
    """A column of shares, probabilities or cosines that cannot be negative: 0 to 1."""
    return column(description, low=0.0, high=1.0, default=default)


def score(description: str, *, default: object = PydanticUndefined) -> Any:
    """A column of scores, correlations or cosines: -1 to 1."""
    return column(description, low=-1.0, high=1.0, default=default)


def key(description: str, *, among: tuple[str, ...] | None = None) -> Any:
    """A part of the table's natural key; never a number that the database would make."""
    info = {"low": None, "high": None, "among": among}
    options = {"comment": description, "autoincrement": False, "info": info}
    return Field(description=description, primary_key=True, sa_column_kwargs=options)
