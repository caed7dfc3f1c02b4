"""Files as users have them: compressed or not, in some encoding, JSON or a table of some kind."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from gpla_assets.sources.errors import SourceDamaged, SourceError
from gpla_assets.sources.reading import readable

PACKED = (".gz", ".zst")
TABLES = (".csv", ".tsv", ".txt", ".xlsx", ".parquet")
JSON = (".json", ".jsonl", ".ndjson")
SUFFIXES = (*JSON, *TABLES, ".eval")
DELIMITERS = (",", ";", "\t", "|")
_ZIP, _PARQUET = b"PK\x03\x04", b"PAR1"


def kind_of(path: Path) -> str:
    """A file's suffix without that of its compression, in small letters."""
    name = path.name.casefold()
    for packed in PACKED:
        name = name.removesuffix(packed)
    return Path(name).suffix


def unpacked(path: Path) -> bytes:
    """A file's bytes, uncompressed: by what it holds, whatever its name says."""
    data = path.read_bytes()
    if data[:2] == b"\x1f\x8b":
        return gzip.decompress(data)
    if data[:4] == b"\x28\xb5\x2f\xfd":
        return bytes(pa.CompressedInputStream(pa.BufferReader(data), "zstd").read())
    return data


def decoded(data: bytes) -> tuple[str, str | None]:
    r"""A text, and in words what was done where it was not plain UTF-8.

    >>> decoded("Güte".encode("utf-16"))
    ('Güte', 'read as utf-16')
    >>> decoded(b"G\xfcte, Stra\xdfe, sch\xf6n, \xfcber")[0]
    'Güte, Straße, schön, über'
    """
    for mark, name in (
        (b"\xef\xbb\xbf", "utf-8-sig"),
        (b"\xff\xfe\x00\x00", "utf-32"),
        (b"\xff\xfe", "utf-16"),
        (b"\xfe\xff", "utf-16"),
    ):
        if data.startswith(mark):
            return data.decode(name, "replace"), None if "8" in name else f"read as {name}"
    try:
        return data.decode("utf-8"), None
    except UnicodeDecodeError:
        pass
    loose = data.decode("utf-8", "replace")
    wrong = loose.count("\ufffd")
    # here and there a broken byte in a text that is UTF-8 otherwise
    if sum(ord(mark) > 127 for mark in loose) > 2 * wrong:
        return loose, f"{wrong} bytes that are not UTF-8 read as U+FFFD"
    from charset_normalizer import from_bytes

    best = from_bytes(data).best()
    name = best.encoding if best else "cp1252"
    return data.decode(name, "replace"), f"read as {name}"


def json_values(text: str, path: Path) -> object:
    """What a JSON file holds: a value, or a list of the values of its lines.

    Lines may end in a comma, and objects may take several lines. Raises SourceDamaged naming the
    line.
    """
    try:
        return json.loads(text, strict=False)
    except ValueError:
        pass
    lines = [line.strip() for line in text.split("\n")]
    values: list[object] = []
    for number, line in enumerate(lines, start=1):
        if not line or line in ("[", "]"):
            continue
        try:
            values.append(json.loads(line.removesuffix(","), strict=False))
        except ValueError as error:
            spread = _spread(text) if not values else None
            if spread is not None:
                return spread
            raise SourceDamaged(
                f"{path}, line {number} is not JSON ({getattr(error, 'msg', error)}), expected one "
                "object a line, or one JSON array; it may be cut off."
            ) from error
    return values


def _spread(text: str) -> list[object] | None:
    """Objects one after the other, over several lines each; None where these are not all."""
    decoder, place, values = json.JSONDecoder(strict=False), 0, list[object]()
    while place < len(text):
        if text[place].isspace() or text[place] == ",":
            place += 1
            continue
        try:
            value, place = decoder.raw_decode(text, place)
        except ValueError:
            return None
        values.append(value)
    return values


def table_rows(path: Path) -> tuple[list[dict[str, object]], str | None]:
    """Rows of a CSV, TSV, xlsx or Parquet file, and what was said of its encoding."""
    kind = kind_of(path)
    with readable(path):
        data = unpacked(path)
        if kind == ".parquet" or data[:4] == _PARQUET:
            table = parquet.read_table(pa.BufferReader(data))
            # row by row from Arrow: pandas' own texts are ten times as slow to go through
            return table.to_pylist(), None
        if kind == ".xlsx" or data[:4] == _ZIP:
            frame = pd.read_excel(io.BytesIO(data), dtype=object)
            frame = frame.rename(columns=lambda name: str(name).strip())
            return frame.to_dict("records"), None
        text, note = decoded(data)
    return _separated(text, kind, path), note


def _separated(text: str, kind: str, path: Path) -> list[dict[str, object]]:
    first, _, rest = text.partition("\n")
    if first.casefold().startswith("sep=") and len(first.strip()) == 5:
        return _csv(rest, first.strip()[4], path)
    if kind == ".tsv":
        return _csv(text, "\t", path)
    delimiter = max(DELIMITERS, key=lambda mark: _outside_quotes(first).count(mark))
    return _csv(text, delimiter, path)


def _outside_quotes(line: str) -> str:
    return "".join(line.split('"')[::2])


def _csv(text: str, delimiter: str, path: Path) -> list[dict[str, object]]:
    csv.field_size_limit(2**31 - 1)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    lines = [(reader.line_num, cells) for cells in reader if any(cells)]
    if not lines:
        return []
    header = [name.strip() for name in lines[0][1]]
    if _rows_are_named([cells for _, cells in lines[1:]], header):
        header = ["", *header]
    for number, cells in lines[1:]:
        if len(cells) > len(header):
            raise SourceDamaged(
                f"{path}, line {number}: {len(cells)} cells, expected {len(header)} as in the "
                f"header; a text that holds {delimiter!r} must stand in double quotes."
            )
    if len(lines) == 1:
        raise SourceDamaged(
            f"{path} holds one line, {', '.join(map(repr, header[:6]))}, which is taken as the "
            "names of its columns; expected rows below it."
        )
    return [dict(zip(header, cells, strict=False)) for _, cells in lines[1:]]


def _rows_are_named(rows: list[list[str]], header: list[str]) -> bool:
    """Whether rows have names before them that the header does not count, as R writes them."""
    first = {cells[0] for cells in rows}
    longer = bool(rows) and all(len(cells) == len(header) + 1 for cells in rows)
    return longer and len(first) == len(rows) and (len(rows) > 1 or rows[0][0].isdigit())


def files_in(path: Path) -> list[Path]:
    """The file itself, or the files of a folder that may hold answers, in their order.

    Raises SourceError where there is nothing.
    """
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise SourceError(
            f"{path} does not exist, expected a file of answers, or a folder of such."
        )
    found = sorted(_files(path))
    if not found:
        raise SourceError(
            f"Folder {path} holds no file that could hold answers, expected some that end in "
            f"{', '.join(SUFFIXES)} (also with {' or '.join(PACKED)})."
        )
    return found


def state_of_path(path: Path) -> tuple[tuple[str, int, int], ...]:
    """Names, sizes and times of a file, or of the files of a folder: equal while they stay so."""
    files = [path] if path.is_file() else sorted(one for one in path.rglob("*") if one.is_file())
    states = [(one, one.stat()) for one in files]
    return tuple((str(one), state.st_size, state.st_mtime_ns) for one, state in states)


def _files(folder: Path) -> Iterator[Path]:
    for one in folder.rglob("*"):
        hidden = any(part.startswith(".") for part in one.relative_to(folder).parts)
        if one.is_file() and not hidden and kind_of(one) in SUFFIXES:
            yield one
