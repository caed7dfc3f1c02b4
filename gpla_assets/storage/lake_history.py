"""What was published of a lake, and when: snapshots whose commit says so."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import duckdb

from gpla_assets.storage.files import WarehouseError
from gpla_assets.storage.lake_connection import connection_to, held, let_go, snapshot_of
from gpla_assets.storage.lake_faults import retried
from gpla_assets.studies import Lake

PUBLISHED = "published"
"""What the commit of a publication says."""
FOUND = f"""
select snapshot_id, snapshot_time at time zone 'UTC', commit_extra_info from lake.snapshots()
where commit_message = '{PUBLISHED}' order by snapshot_id desc
"""


@dataclass(frozen=True)
class Published:
    """One publication: the snapshot that readers name, when it was made, what rows it has."""

    snapshot: int
    at: datetime
    state: str


def publications(connection: duckdb.DuckDBPyConnection) -> list[Published]:
    """All that was published and is still there, the last first."""
    rows = connection.execute(FOUND).fetchall()
    return [
        Published(int(number), at.replace(tzinfo=UTC), str(json.loads(said)["state"]))
        for number, at, said in rows
    ]


def last_published(connection: duckdb.DuckDBPyConnection) -> Published | None:
    """The publication that readers see; None where there is none."""
    every = publications(connection)
    return every[0] if every else None


def history_of(lake: Lake) -> list[Published]:
    """The publications of a lake, the last first. Raises WarehouseError where there is no lake."""

    def once() -> list[Published]:
        if lake.file is not None and not lake.file.exists():
            return []
        with held(lake, [], 60.0), connection_to(lake) as connection:
            return publications(connection)

    return retried(lake, once, lambda: let_go(lake), patience=10.0)


def chosen(lake: Lake, every: list[Published]) -> Published:
    """The publication that a lake's `as_of` names: a snapshot, or the last up to a moment (UTC).

    Raises WarehouseError listing what there is.
    """
    if not every:
        raise WarehouseError(f"{lake}: the study was not run yet; `gpla run` makes it.")
    if lake.as_of is None:
        return every[0]
    listed = ", ".join(f"{one.snapshot} ({one.at:%Y-%m-%d %H:%M})" for one in every[:8])
    if lake.as_of.isdecimal():
        found = [one for one in every if one.snapshot == int(lake.as_of)]
    else:
        try:
            moment = datetime.fromisoformat(lake.as_of)
        except ValueError:
            raise WarehouseError(
                f"--as-of {lake.as_of!r}: expected a publication, one of {listed}; or a moment, "
                "e.g. 2026-05-01T12:00 (UTC)."
            ) from None
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        found = [one for one in every if one.at <= moment]
    if not found:
        raise WarehouseError(
            f"--as-of {lake.as_of}: nothing was published then; there is {listed}."
        )
    return found[0]


@contextmanager
def published_connection(lake: Lake) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to the published state, or to an older one (`lake.as_of`); it writes nothing."""
    with snapshot_of(lake, chosen(lake, history_of(lake)).snapshot) as connection:
        yield connection
