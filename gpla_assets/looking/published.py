"""What a study published: found by the study's name, opened for reading only."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import duckdb
import pandas as pd

from gpla_assets.common.errors import KnownError
from gpla_assets.common.nearest import chosen
from gpla_assets.studies import SHIPPED, Lake, Store, load_study, store_of
from gpla_assets.studies.places import absolute, warehouse_folder


class LookingError(KnownError, ValueError):
    """A published file that lacks what is asked of it; the message says what to do."""


def studies_to_look_at() -> list[str]:
    """Names of studies that have a published file, and of those that ship."""
    folder = warehouse_folder()
    return sorted({*SHIPPED, *(path.stem for path in folder.glob("*.duckdb"))})


def published_store(study: str, as_of: str | None = None) -> Store:
    """Where a study's tables are read: by its name, the path of its YAML, or a file of its own.

    `as_of` names what a lake published before. Raises UnknownName with the nearest names, and what
    `load_study` raises.
    """
    found = _store(study)
    if as_of is None:
        return found
    if not isinstance(found, Lake):
        raise LookingError(
            f"--as-of {as_of}: {found} holds what was published last alone; a lake keeps what was "
            "published before (`warehouse: ducklake:FILE`)."
        )
    return replace(found, as_of=as_of)


def _store(study: str) -> Store:
    path = absolute(study)
    if path.suffix == ".duckdb" and path.is_file():
        return path
    if study in SHIPPED or path.is_file():
        return load_study(study).store
    found = store_of(study) if study.isidentifier() else path
    if isinstance(found, Lake) or (found.suffix == ".duckdb" and found.is_file()):
        return found
    listed = "Or give the path of a study's YAML file or of its published .duckdb file."
    name = chosen("study", study, studies_to_look_at(), listed)
    return store_of(name)


@contextmanager
def reading(file: Store) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to what was published that can write nothing.

    Raises LookingError where the study was not run, or what is published lacks what is read;
    WarehouseError where it is damaged, held open or out of reach.
    """
    if isinstance(file, Lake):
        from gpla_assets.storage.lake_history import published_connection

        with published_connection(file) as connection:
            yield connection
        return
    if not file.exists():
        raise LookingError(
            f"{file} does not exist: the study was not run yet; `gpla run {file.stem}`, or the "
            "path of its YAML file."
        )
    try:
        with duckdb.connect(str(file), read_only=True) as connection:
            yield connection
    except (duckdb.IOException, duckdb.FatalException, duckdb.SerializationException) as error:
        # what it imports is needed for a damaged file alone
        from gpla_assets.storage.files import fault_of

        raise fault_of(error, file) from error


def rows_of(file: Store, sql: str, parameters: Sequence[object] = ()) -> pd.DataFrame:
    """Rows of a query of ours; raises LookingError where the file lacks what it reads."""
    with reading(file) as connection:
        try:
            return connection.execute(sql, list(parameters)).df()
        except (duckdb.CatalogException, duckdb.BinderException) as error:
            raise LookingError(f"{file} {lacking(error)}") from error


def lacking(error: duckdb.Error) -> str:
    """What a file lacks, of what DuckDB says of a query of ours."""
    said = " ".join(str(error).split())
    missing = re.search(
        r'(?:Table with name|column named|column) "?([\w.]+)"? (?:does not exist|not found)', said
    )
    return (
        f"has no {missing[1] if missing else 'table or column that is read'}: the study does not "
        "ask for what fills it, or was made by an older version. `gpla status` says what would be "
        "made, `gpla run` makes it."
    )
