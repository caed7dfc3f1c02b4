"""A lake's upkeep: small files become few, and what nobody can read any more goes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import duckdb

from gpla_assets.storage.lake_connection import connection_to, held, let_go
from gpla_assets.storage.lake_faults import retried
from gpla_assets.storage.lake_history import publications
from gpla_assets.studies import Lake

SIZES = "select coalesce(sum(file_count), 0), coalesce(sum(file_size_bytes), 0) "
SIZES += "from ducklake_table_info('lake')"


@dataclass(frozen=True)
class Compacted:
    """Files and bytes of the tables before and after; snapshots and files that went."""

    files: tuple[int, int]
    size: tuple[int, int]
    expired: int
    removed: int


def compact(lake: Lake, keep: int = 10, hours: float = 24.0, timeout: float = 600.0) -> Compacted:
    """Merge small files, and let go of what is older than the last `keep` publications.

    Snapshots of the last `hours` stay, so that whoever reads one, or writes from it, can end. To be
    run while others read and write; nobody else compacts meanwhile. Raises WarehouseError.
    """

    def once() -> Compacted:
        with held(lake, ["compact"], timeout), connection_to(lake) as connection:
            return _compact(connection, keep, hours)

    return retried(lake, once, lambda: let_go(lake))


def _compact(connection: duckdb.DuckDBPyConnection, keep: int, hours: float) -> Compacted:
    before = _sizes(connection)
    connection.execute("call ducklake_flush_inlined_data('lake')")
    connection.execute("call ducklake_rewrite_data_files('lake')")
    connection.execute("call ducklake_merge_adjacent_files('lake')")
    old = datetime.now(UTC) - timedelta(hours=hours)
    kept = {one.snapshot for one in publications(connection)[:keep]}
    rows = connection.execute(
        "select snapshot_id from lake.snapshots() where snapshot_time < ? and snapshot_id <> "
        "(select id from lake.current_snapshot())",
        [old],
    ).fetchall()
    gone = [int(row[0]) for row in rows if int(row[0]) not in kept]
    if gone:
        connection.execute(f"call ducklake_expire_snapshots('lake', versions => {gone}::ubigint[])")
    # files of transactions that were killed are in no snapshot; a living one has younger ones
    moment = f"timestamptz '{old.isoformat()}'"
    removed = sum(
        len(connection.execute(f"call {what}('lake', older_than => {moment})").fetchall())
        for what in ("ducklake_cleanup_old_files", "ducklake_delete_orphaned_files")
    )
    after = _sizes(connection)
    return Compacted((before[0], after[0]), (before[1], after[1]), len(gone), removed)


def _sizes(connection: duckdb.DuckDBPyConnection) -> tuple[int, int]:
    row = connection.execute(SIZES).fetchone()
    assert row is not None
    return int(row[0]), int(row[1])
