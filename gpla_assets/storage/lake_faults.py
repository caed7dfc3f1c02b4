"""What goes wrong at a lake, told from what DuckDB and Postgres say, and trying again.

Neither has codes that reach here, so their English words are read; connections ask Postgres for
English.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Literal, TypeVar

import duckdb

from gpla_assets.storage.files import WarehouseError
from gpla_assets.studies import Lake

Found = TypeVar("Found")
Kind = Literal["conflict", "gone", "missing", "full", "unfit"]
MOST_CONFLICTS = 30
"""Tries of a transaction that others were quicker than. Each waits up to `LONGEST_WAIT_S`, at
random, so that writers do not meet again."""
LONGEST_WAIT_S = 2.0
PATIENCE_S = 120.0
"""Seconds for which a catalogue's server may be away."""
SAID: dict[Kind, tuple[str, ...]] = {
    "full": ("no space left", "disk full", "disk is full", "quota exceeded", "file too large"),
    "missing": ("existing ducklake at metadata", "create_if_not_exists"),
    "gone": (
        *("could not connect", "connection refused", "server closed the connection"),
        *("terminating connection", "is starting up", "is shutting down", "no connection to the"),
        *("connection not open", "connection to server", "could not receive data"),
        *("could not send data", "ssl syscall", "connection has been closed", "invalidated"),
        *("in recovery mode", "not yet accepting connections", "connection reset", "broken pipe"),
    ),
    "conflict": (
        *("transaction conflict", "failed to commit", "could not serialize", "deadlock detected"),
        *("duplicate key value", "write-write conflict", "conflict on", "concurrent update"),
        *("current transaction is aborted", "tuple concurrently updated", "conflicting lock"),
    ),
}
"""Parts of messages by what they tell; the first kind that fits counts."""


def kind_of(error: BaseException) -> Kind:
    """What a fault is: a conflict with another writer, a server that is gone, a lake that was
    never made, a full disk, or something that trying again does not mend."""
    said = str(error).casefold()
    for kind, parts in SAID.items():
        if any(part in said for part in parts):
            return kind
    return "unfit"


def fault_of(error: Exception, lake: Lake) -> WarehouseError:
    """A lake's fault in one line: what it is, and what to do."""
    said = " ".join(str(error).split())
    kind = kind_of(error)
    if kind == "full":
        return WarehouseError(
            f"{lake}: the disk is full. What was stored stays; make room and run again."
        )
    if kind == "missing":
        return WarehouseError(f"{lake} was never made: `gpla run` makes it.")
    if kind == "gone":
        return WarehouseError(
            f"{lake}: the catalogue's server does not answer ({said[:160]}). What was stored "
            "stays; start the server, or correct the address, and run again."
        )
    if kind == "conflict":
        return WarehouseError(
            f"{lake}: other writers were quicker in {MOST_CONFLICTS} tries. What was stored stays; "
            "run again when fewer write."
        )
    if "permission denied" in said.casefold() or "password" in said.casefold():
        return WarehouseError(
            f"{lake} refuses access ({said[:160]}): expected a user who may write the catalogue, "
            "with the password in GPLA_WAREHOUSE_PASSWORD, and a folder that this user may write."
        )
    return WarehouseError(f"{lake}: {said[:300]}")


def retried(
    lake: Lake, work: Callable[[], Found], lost: Callable[[], None], patience: float = PATIENCE_S
) -> Found:
    """Do `work` until it is done: again after a conflict, or while the server is away.

    `lost` is called where a connection is of no use any more. Raises WarehouseError where tries or
    `patience` (seconds) run out, and at once what trying again does not mend.
    """
    conflicts, gone_since = 0, 0.0
    while True:
        try:
            return work()
        except CAUGHT as error:
            kind = kind_of(error)
            now = time.monotonic()
            if kind == "conflict" and conflicts < MOST_CONFLICTS:
                conflicts += 1
                time.sleep(random.random() * min(LONGEST_WAIT_S, 0.02 * 2**conflicts))
            elif kind == "gone" and (not gone_since or now - gone_since < patience):
                gone_since = gone_since or now
                lost()
                time.sleep(random.uniform(0.1, 0.6))
            elif kind == "unfit" and isinstance(error, PASSED):
                raise
            else:
                raise fault_of(error, lake) from error


def _caught() -> tuple[type[Exception], ...]:
    try:
        import psycopg2
    except ImportError:
        return (duckdb.Error, OSError)
    return (duckdb.Error, psycopg2.Error, OSError)


CAUGHT = _caught()
PASSED = (duckdb.CatalogException, duckdb.BinderException, duckdb.ParserException)
"""Faults of a query, which are told as a file's are."""
