"""A DuckDB file: opening it, copying it, and what is wrong with it in one line."""

from __future__ import annotations

import errno
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from gpla_assets.common.errors import KnownError


class WarehouseError(KnownError, RuntimeError):
    """The warehouse could not be used as asked."""


class WarehouseLocked(WarehouseError):
    """Another process has the warehouse, and did not let go of it in time."""


def connected(file: Path, timeout: float = 600.0) -> duckdb.DuckDBPyConnection:
    """A connection to a file, waited for while another process has it open.

    Raises WarehouseError saying what is wrong with the file and what to do.
    """
    deadline = time.monotonic() + timeout
    while True:
        try:
            return duckdb.connect(str(file))
        except duckdb.Error as error:
            if not _is_locked(str(error)) or time.monotonic() > deadline:
                raise fault_of(error, file) from error
            time.sleep(0.2)


def _is_locked(said: str) -> bool:
    return "set lock on file" in said or "Conflicting lock" in said


@contextmanager
def known_faults(file: Path) -> Iterator[None]:
    """Turns what DuckDB and the system say of a file into a WarehouseError."""
    try:
        yield
    except (duckdb.IOException, duckdb.FatalException, duckdb.SerializationException) as error:
        raise fault_of(error, file) from error
    except OSError as error:
        raise fault_of(error, file) from error


def fault_of(error: Exception, file: Path) -> WarehouseError:
    """A file's fault in one line: what it is, and what to do."""
    said = " ".join(str(error).split())
    low = said.casefold()
    if "no space left" in low or getattr(error, "errno", None) == errno.ENOSPC:
        return WarehouseError(
            f"{file}: the disk is full. What was stored stays; make room and run again."
        )
    if _is_locked(said):
        holder = re.search(r"PID (\d+)", said)
        who = f"process {holder[1]}" if holder else "another process"
        return WarehouseLocked(
            f"{file} is held open by {who}. Close it there, or stop that process, and run again; "
            "the published file can be read at any time."
        )
    if isinstance(error, PermissionError) or "permission denied" in low or "read-only" in low:
        return WarehouseError(
            f"{file} cannot be written: expected a file and folder that this user may write. "
            "Change their permissions, or set GPLA_WAREHOUSE_DIR to another folder."
        )
    if "not a valid duckdb database file" in low:
        return WarehouseError(
            f"{file} is no DuckDB file: expected a study's warehouse. Move it away and run again."
        )
    return WarehouseError(
        f"{file} is damaged or cut off ({said[:160]}): delete it and run again; the working file "
        "begins anew from the published one, or the published one from the working file."
    )


def copied(source: Path, target: Path) -> None:
    """A copy that shares its blocks where the file system can; nothing half-written on a fault."""
    try:
        shutil.copyfile(source, target)
    except OSError:
        target.unlink(missing_ok=True)
        raise
