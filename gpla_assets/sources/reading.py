"""What all readers share: opening a file of rows, required columns, counted skips."""

from __future__ import annotations

import gzip
import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import pyarrow as pa

from gpla_assets.sources.errors import SourceDamaged, SourceError


@dataclass(frozen=True)
class ReadResult:
    """Rows of a source, and how many were skipped by reason."""

    rows: pd.DataFrame
    skipped: dict[str, int] = field(default_factory=dict)


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turns what a broken file raises into SourceDamaged; rows are had whole or not at all."""
    try:
        yield
    except UnicodeDecodeError as error:
        raise SourceDamaged(
            f"{path} is not UTF-8 (byte {error.start}: {error.reason}), expected UTF-8 text; "
            "convert it, or download it again."
        ) from error
    except (
        EOFError,
        gzip.BadGzipFile,
        zipfile.BadZipFile,
        KeyError,
        pa.ArrowException,
        pd.errors.ParserError,
        pd.errors.EmptyDataError,
        json.JSONDecodeError,
    ) as error:
        raise SourceDamaged(
            f"{path} cannot be read ({type(error).__name__}: {error}), expected a whole "
            f"{path.suffix} file; download it again."
        ) from error


def file_rows(path: Path) -> pd.DataFrame:
    """Rows of a JSONL (also gzipped), JSON, CSV, Parquet or xlsx file, texts as they stand."""
    name = path.name.removesuffix(".gz")
    with readable(path):
        if name.endswith(".parquet"):
            return pd.read_parquet(path)
        if name.endswith(".xlsx"):
            return pd.read_excel(path, dtype=object)
        if name.endswith(".csv"):
            return pd.read_csv(path, keep_default_na=False, dtype=str)
        if name.endswith(".json"):
            return _frame(json.loads(_text(path)), path)
        if name.endswith((".jsonl", ".ndjson")):
            return _frame(list(_json_lines(path)), path)
    raise SourceError(
        f"{path} ends in {path.suffix!r}, expected .jsonl, .json, .csv, .parquet or .xlsx "
        "(the first two also with .gz)."
    )


def require(rows: pd.DataFrame, columns: Sequence[str], path: Path) -> None:
    """Raises SourceError at the first column that is missing."""
    missing = [column for column in columns if column not in rows]
    if missing:
        raise SourceError(
            f"{path} has columns {', '.join(map(str, rows.columns))}; {missing[0]!r} is missing, "
            f"expected {', '.join(columns)}."
        )


def renamed(rows: pd.DataFrame, columns: Mapping[str, str], path: Path) -> pd.DataFrame:
    """Columns by our names, `columns` mapping ours to theirs; all must be there."""
    require(rows, list(columns.values()), path)
    return pd.DataFrame({ours: rows[theirs] for ours, theirs in columns.items()})


def usable(rows: pd.DataFrame, key: Sequence[str], text: str = "content") -> ReadResult:
    """Drops rows with an empty text, then repetitions of a key; both are counted."""
    content = rows[text].map(lambda x: x.strip() if isinstance(x, str) else "")
    filled = rows.assign(**{text: content})[content != ""]
    repeated = filled.duplicated(list(key))
    counts = {
        "empty text": len(rows) - len(filled),
        "duplicate key": int(repeated.sum()),
    }
    return ReadResult(
        filled[~repeated].reset_index(drop=True),
        {reason: count for reason, count in counts.items() if count},
    )


def _text(path: Path) -> str:
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return data.decode("utf-8")


def _json_lines(path: Path) -> Iterator[object]:
    for number, line in enumerate(_text(path).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            yield json.loads(line)
        except json.JSONDecodeError as error:
            raise SourceDamaged(
                f"{path}, line {number} is not JSON ({error.msg}), expected one object a line."
            ) from error


def _frame(content: object, path: Path) -> pd.DataFrame:
    if not isinstance(content, list) or not all(isinstance(row, dict) for row in content):
        raise SourceError(f"{path} holds no list of objects, expected one object a row.")
    return pd.DataFrame(content)


def column_or_none(frame: pd.DataFrame, name: str) -> pd.Series:
    """A column, or nulls of the same length where the frame has none."""
    return frame[name] if name in frame else pd.Series([None] * len(frame), index=frame.index)
