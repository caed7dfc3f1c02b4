"""Where a study's tables lie: a DuckDB file, or a DuckLake by its address."""

from __future__ import annotations

import os
import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path

from gpla_assets.common.errors import KnownError
from gpla_assets.studies.places import absolute, warehouse_folder

FILE = "file"
VARIABLE, PASSWORD = "GPLA_WAREHOUSE", "GPLA_WAREHOUSE_PASSWORD"
EXPECTED = (
    "expected `file`, `ducklake:FILE`, or `ducklake:postgres:dbname=... host=... port=... user=... "
    "data=FOLDER` (an absolute path, or s3://BUCKET/FOLDER)"
)


class AddressError(KnownError, ValueError):
    """An address of a warehouse that cannot be used; says what is expected."""


@dataclass(frozen=True)
class Lake:
    """A study's DuckLake: a catalogue that knows its tables, and a folder of their Parquet files.

    `file` is the catalogue where it is a DuckDB file; else `server` says how Postgres is reached,
    by libpq's names, and the password comes from the environment alone. Every study has a schema
    of the catalogue to itself. `as_of` names a publication: its snapshot id, or a moment.
    """

    study: str
    data: str
    file: Path | None = None
    server: tuple[tuple[str, str], ...] = ()
    as_of: str | None = None
    folder: Path = field(default_factory=lambda: warehouse_folder() / "work", compare=False)

    @property
    def schema(self) -> str:
        """The catalogue's schema that is this study's."""
        return f"gpla_{self.study}"

    @property
    def files(self) -> str:
        """The folder of the study's Parquet files, with a slash at its end."""
        return f"{self.data.rstrip('/')}/{self.study}/"

    @property
    def password(self) -> str | None:
        """The password of the catalogue's server, where the environment has one."""
        return os.environ.get(PASSWORD) or os.environ.get("PGPASSWORD")

    @property
    def address(self) -> str:
        """The address as it is written; there is no password in it."""
        if self.file is not None:
            return f"ducklake:{self.file} data={self.data}"
        pairs = " ".join(f"{name}={shlex.quote(value)}" for name, value in self.server)
        return f"ducklake:postgres:{pairs} data={shlex.quote(self.data)}"

    def __str__(self) -> str:
        at = f" as of {self.as_of}" if self.as_of else ""
        return f"{self.address} (study {self.study}{at})"


Store = Path | Lake
"""Where a study's tables lie: its published file, or its lake."""


def lake_of(address: str, study: str, folder: Path | None = None) -> Lake | None:
    """The lake that an address names for a study; None where it names the study's own file.

    Relative paths begin at `folder`. Raises AddressError.
    """
    text = address.strip()
    if text == FILE:
        return None
    found = re.fullmatch(r"ducklake:(postgres:)?(.*)", text, re.DOTALL)
    if found is None or not found[2].strip():
        raise AddressError(f"Warehouse address {_shown(address)!r}: {EXPECTED}.")
    try:
        words = shlex.split(found[2])
    except ValueError as error:
        raise AddressError(f"Warehouse address {_shown(address)!r}: {error}; {EXPECTED}.") from None
    pairs = [word.partition("=")[::2] for word in words if "=" in word]
    bare = [word for word in words if "=" not in word]
    named = dict(pairs)
    data = named.pop("data", None)
    if "password" in named:
        raise AddressError(
            f"Warehouse address {_shown(address)!r} has a password in it, which files and screens "
            f"would show: leave it out and set {PASSWORD}, or use libpq's password file."
        )
    if found[1]:
        if bare or not named.get("dbname") or not data:
            raise AddressError(f"Warehouse address {_shown(address)!r}: {EXPECTED}.")
        return Lake(study, _data(data, folder), server=tuple(sorted(named.items())))
    if len(bare) != 1 or named:
        raise AddressError(f"Warehouse address {_shown(address)!r}: {EXPECTED}.")
    file = absolute(bare[0], folder)
    return Lake(study, _data(data or f"{file}.files", folder), file)


def store_of(study: str, written: str = FILE) -> Store:
    """The store of a study: what its own file says, else GPLA_WAREHOUSE, else a DuckDB file.

    Relative paths begin at the warehouses' folder, wherever a process of it stands.
    """
    address = written if written != FILE else os.environ.get(VARIABLE) or FILE
    return lake_of(address, study, warehouse_folder()) or warehouse_folder() / f"{study}.duckdb"


def _data(data: str, folder: Path | None) -> str:
    return data if re.match(r"\w+://", data) else str(absolute(data, folder))


def _shown(address: str) -> str:
    """An address without what may be a password."""
    return re.sub(r"(password\s*=\s*)('[^']*'|\S+)|//[^@/]*@", r"\1...", address)
