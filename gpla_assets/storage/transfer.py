"""A warehouse as one DuckDB file, from any store and into any: migration, backup and restoring.

What goes over is all that was written, dbt's tables and the run records too, so that nothing is
stale afterwards. Each table's checksum is compared before anything counts.
"""

from __future__ import annotations

import os
import shutil
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from gpla_assets.storage.checksums import Checksums, checksums_of, unlike
from gpla_assets.storage.file_warehouse import FileWarehouse
from gpla_assets.storage.files import WarehouseError, connected, copied, known_faults
from gpla_assets.storage.lake_build import file_beside, held_by, moved, moves_of, with_views
from gpla_assets.storage.lake_connection import connection_to, held, let_go
from gpla_assets.storage.lake_faults import retried
from gpla_assets.storage.lake_warehouse import LakeWarehouse
from gpla_assets.storage.migration import complete
from gpla_assets.storage.tables import TABLES
from gpla_assets.storage.warehouse import Warehouse, in_transaction, warehouse_of
from gpla_assets.storage.writing import literal, quoted, relation
from gpla_assets.studies import Store


@dataclass(frozen=True)
class Backup:
    """A file that holds all of a warehouse, and is nobody's store."""

    file: Path

    def __str__(self) -> str:
        return str(self.file)


def copy_store(source: Store | Backup, target: Store | Backup) -> Checksums:
    """Have the target hold what the source holds, in the place of what it held.

    Raises WarehouseError where the source was never made, or a checksum differs; the target then
    keeps what it had.
    """
    if isinstance(target, Backup):
        if isinstance(source, Backup):
            raise WarehouseError(f"{source} and {target} are files: copy one as any file.")
        return write_file(warehouse_of(source), target.file)
    if isinstance(source, Backup):
        return read_file(warehouse_of(target), source.file)
    return _move(warehouse_of(source), warehouse_of(target))


def _move(source: Warehouse, target: Warehouse) -> Checksums:
    folder = target.path.parent if isinstance(target, FileWarehouse) else None
    with TemporaryDirectory(
        prefix="gpla-", dir=folder if folder and folder.exists() else None
    ) as t:
        file = Path(t) / "backup.duckdb"
        found = write_file(source, file)
        read_file(target, file, found)
    return found


def write_file(source: Warehouse, file: Path) -> Checksums:
    """Write all that a warehouse holds into a new DuckDB file; the checksums of its tables."""
    source.expect()
    source.create()
    staged = file.with_name(f"{file.name}.partial")
    staged.unlink(missing_ok=True)
    try:
        if isinstance(source, FileWarehouse):
            with source.locked() as working, known_faults(file):
                source.copy_folded(working, staged)
                found = checksums_in(working)
        else:
            assert isinstance(source, LakeWarehouse)
            found = _from_lake(source, staged)
        _compared(found, checksums_in(staged), file)
        os.replace(staged, file)
    finally:
        staged.unlink(missing_ok=True)
    return found


def read_file(target: Warehouse, file: Path, expected: Checksums | None = None) -> Checksums:
    """Have a warehouse hold what a file of `write_file` holds, in the place of what it held."""
    if not file.exists():
        raise WarehouseError(f"{file} does not exist: expected a backup, a .duckdb file.")
    found = checksums_in(file)
    if "internal.runs" not in found:
        raise WarehouseError(f"{file} holds no tables of gpla: expected a backup of a warehouse.")
    _compared(expected if expected is not None else found, found, file)
    if isinstance(target, FileWarehouse):
        with target.locked() as working, known_faults(working):
            begun = working.with_suffix(".begun")
            copied(file, begun)
            with closing(connected(begun)) as connection:
                complete(connection)
            _compared(found, checksums_in(begun), working, grown=True)
            working.with_suffix(".duckdb.wal").unlink(missing_ok=True)
            os.replace(begun, working)
    else:
        assert isinstance(target, LakeWarehouse)
        _into_lake(target, file, found)
    return found


def checksums_in(file: Path) -> Checksums:
    """Checksums of a file's tables."""
    with known_faults(file), closing(duckdb.connect()) as connection:
        connection.execute(f"attach {literal(str(file))} as own (read_only)")
        return checksums_of(connection, "own")


def _from_lake(source: LakeWarehouse, file: Path) -> Checksums:
    """The lake's tables in a file that declares what a file's tables do, keys too."""
    with closing(duckdb.connect(str(file))) as own:
        complete(own)

    def once() -> Checksums:
        lake = source.lake
        with (
            held(lake, ["publish", "tables"], source.lock_timeout),
            connection_to(lake) as connection,
        ):
            tables, columns, views = held_by(connection, "lake")
            connection.execute(f"attach {literal(str(file))} as copy_of")
            try:
                connection.begin()
                for schema, name, _ in tables:
                    if name in TABLES:
                        place = f"{quoted(schema)}.{quoted(name)}"
                        connection.execute(f"delete from copy_of.{place}")
                        connection.execute(
                            f"insert into copy_of.{place} by name select * from lake.{place}"
                        )
                own = [one for one in tables if one[1] not in TABLES]
                for statement in moved(own, columns, [], "lake", "copy_of"):
                    connection.execute(statement)
                connection.commit()
                found = checksums_of(connection, "lake")
            finally:
                connection.execute("detach copy_of")
        with_views(file, views)  # one may be of a table that publishing left out
        return found

    return retried(source.lake, once, lambda: let_go(source.lake))


def _into_lake(target: LakeWarehouse, file: Path, expected: Checksums) -> None:
    target.create()
    with TemporaryDirectory(prefix="gpla-") as folder:
        # a copy of this version: a backup may be of an older one
        own = Path(folder) / "warehouse.duckdb"
        shutil.copyfile(file, own)
        with closing(duckdb.connect(str(own))) as connection:
            complete(connection)
        moves = moves_of(own, {}, TABLES)

        def work(connection: duckdb.DuckDBPyConnection) -> None:
            for name in TABLES:
                connection.execute(f"delete from {relation(name)}")
                connection.execute(
                    f"insert into {relation(name)} by name select * from built.{relation(name)}"
                )
            for statement in moves:
                connection.execute(statement)
            _compared(expected, checksums_of(connection, "lake"), target.lake, grown=True)

        def once() -> None:
            with (
                held(target.lake, ["tables", "build", *TABLES], target.lock_timeout),
                connection_to(target.lake) as connection,
                file_beside(connection, own),
            ):
                in_transaction(connection, work)

        retried(target.lake, once, lambda: let_go(target.lake))


def _compared(one: Checksums, other: Checksums, what: object, grown: bool = False) -> None:
    """Raises WarehouseError where checksums differ. `grown`: the other has notes of its own."""
    lines = unlike(one, other)
    if grown:
        lines = [line for line in lines if not line.startswith("internal.schema_versions")]
    if lines:
        raise WarehouseError(
            f"{what} does not hold what it was made from ({'; '.join(lines[:4])}): nothing was "
            "changed. Try again while no run writes."
        )
