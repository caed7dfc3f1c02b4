"""The project-made sentences and values that the agents are trained on or choose from."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import pandas as pd

CONTENT = Path(__file__).resolve().parents[1] / "content"
STANCES = ("support", "oppose", "either")


class ContentError(ValueError):
    """A content file that is missing or not as its reader expects."""


def vocabulary(path: Path = CONTENT / "vocabulary.csv") -> pd.DataFrame:
    """Values to name perceptions with: rows (value, definition, origin), one a value."""
    rows = _read(path, ("value", "definition", "origin"))
    repeated = rows.loc[rows["value"].duplicated(), "value"]
    if len(repeated):
        raise ContentError(f"{path} names {repeated.iloc[0]!r} twice, expected one row a value.")
    return rows


def value_items(path: Path = CONTENT / "value_items.csv") -> pd.DataFrame:
    """Statements about values: rows (value, stance, statement)."""
    rows = _read(path, ("value", "stance", "statement"))
    check_stances(rows["stance"], str(path))
    return rows


def neutral_sentences(path: Path = CONTENT / "neutral_sentences.csv") -> pd.DataFrame:
    """Sentences that state no attitude: rows (kind, sentence)."""
    return _read(path, ("kind", "sentence"))


def check_stances(stances: pd.Series, where: str) -> None:
    """Raises ContentError at the first stance that is none of STANCES."""
    unknown = stances[~stances.isin(STANCES)]
    if len(unknown):
        raise ContentError(
            f"{where} holds stance {unknown.iloc[0]!r} at row {unknown.index[0]}, "
            f"expected one of {', '.join(STANCES)}."
        )


def definitions_of(values: pd.Series, known: pd.DataFrame) -> list[str]:
    """Definitions by name whatever the case; '' where the vocabulary has none."""
    by_name = dict(zip(known["value"].str.casefold(), known["definition"], strict=True))
    return [by_name.get(str(value).casefold(), "") for value in values]


@lru_cache
def _cached(path: Path, stamp: int) -> pd.DataFrame:
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def _read(path: Path, columns: tuple[str, ...]) -> pd.DataFrame:
    if not path.is_file():
        raise ContentError(f"{path} is missing; it ships with the project: check it out again.")
    rows = _cached(path, path.stat().st_mtime_ns)
    missing = [column for column in columns if column not in rows]
    if missing:
        raise ContentError(
            f"{path} has columns {', '.join(rows.columns)}, expected {', '.join(columns)}."
        )
    if rows.empty:
        raise ContentError(f"{path} has no rows, expected at least one.")
    stripped = rows[list(columns)].apply(lambda column: column.str.strip())
    return stripped[stripped[columns[-1]] != ""].reset_index(drop=True) if columns[
        -1
    ] != "origin" else stripped
