"""The one door: a file of any known format as a table of text cells."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zlib
from pathlib import Path

from gpla_assets.common.tables.header import as_table
from gpla_assets.common.tables.programs import PROGRAMS, REFUSED
from gpla_assets.common.tables.table import Rows, Table, TableError, TableOptions
from gpla_assets.common.tables.text import text_rows
from gpla_assets.common.tables.workbook import workbook_rows

COMPRESSED = (".gz", ".zst", ".bz2", ".xz")
WORKBOOKS = (".xlsx", ".xlsm")


def read_table(path: Path, options: TableOptions | None = None) -> Table:
    """The table of a file: text of any delimiter and encoding, xlsx, SPSS, Stata, SAS, R, Parquet.

    Also compressed by gzip, Zstandard, bzip2 or xz. Raises TableError that names the file, the
    place and what settles it: a file that cannot be opened, holds no table, or can be read in more
    than one way.
    """
    options = options or TableOptions()
    name = path.name.casefold()
    inner = name.removesuffix(packed) if (packed := _packed(name)) else name
    suffix = Path(inner).suffix
    if suffix in REFUSED:
        raise TableError(f"{path} ends in {suffix}: {REFUSED[suffix]}")
    try:
        if suffix in PROGRAMS and not packed:
            rows = PROGRAMS[suffix](path)
        else:
            data = _unpacked(path.read_bytes(), packed, path)
            # a file is what it holds: workbooks named .csv are met
            rows = _rows(data, suffix, path, options)
    except OSError as error:
        raise TableError(f"{path} cannot be opened: {error.strerror or error}.") from error
    return as_table(rows, path, options)


def _rows(data: bytes, suffix: str, path: Path, options: TableOptions) -> Rows:
    if data.startswith(b"PK\x03\x04"):
        return workbook_rows(data, path, options.sheet)
    if suffix in PROGRAMS or suffix in WORKBOOKS:
        what = "a whole workbook" if suffix in WORKBOOKS else "one that is not compressed"
        raise TableError(f"{path} cannot be read as {suffix}; expected {what}.")
    if data.startswith(b"PAR1"):
        return PROGRAMS[".parquet"](path)
    if data.startswith(b"$FL2"):
        return PROGRAMS[".sav"](path)
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise TableError(f"{path} is a workbook of old Excel: {REFUSED['.xls']}")
    return text_rows(data, path, options)


def _packed(name: str) -> str:
    return next((suffix for suffix in COMPRESSED if name.endswith(suffix)), "")


def _unpacked(data: bytes, packed: str, path: Path) -> bytes:
    try:
        if packed == ".zst":
            import zstandard

            return zstandard.ZstdDecompressor().stream_reader(data).read()
        if packed == ".gz":
            return gzip.decompress(data)
        if packed == ".bz2":
            return bz2.decompress(data)
        return lzma.decompress(data) if packed == ".xz" else data
    except (OSError, EOFError, zlib.error, lzma.LZMAError, RuntimeError, ValueError) as error:
        raise TableError(f"{path} cannot be unpacked as {packed}: {error}.") from error
