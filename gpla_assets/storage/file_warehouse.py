"""A study's tables in a DuckDB file, which is the default.

DuckDB lets one process write, and none while another has the file open. So every access takes a
file lock, opens, does one short transaction and closes; readers get a published copy.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.dataset as ds
from filelock import FileLock, Timeout

from gpla_assets.storage.files import WarehouseLocked, connected, copied, known_faults
from gpla_assets.storage.migration import complete
from gpla_assets.storage.publication import Publication
from gpla_assets.storage.warehouse import (
    STAGED,
    Found,
    Marks,
    Staged,
    Warehouse,
    Work,
    in_transaction,
    state_hash,
)
from gpla_assets.storage.writing import Write, record_runs, relation


def _identity(file: Path) -> tuple[Path, int]:
    """A file as it is now: another that takes its place is another (0: there is none)."""
    try:
        return file, file.stat().st_ino
    except OSError:
        return file, 0


@dataclass(frozen=True)
class FileWarehouse(Warehouse):
    """A study's warehouse in a DuckDB file.

    `path` is the published file, which anyone may open; the working file lies beside it in
    `work/`. Raises WarehouseError if the lock is not had within `lock_timeout` seconds, or where
    a file is damaged, foreign, cannot be written or does not fit on the disk.
    """

    path: Path
    lock_timeout: float = 600.0
    # files that have all tables, as this object knows: looked at once
    _complete: set[tuple[Path, int]] = field(
        default_factory=set, init=False, repr=False, compare=False
    )

    @property
    def working(self) -> Path:
        """The file that assets and dbt write."""
        return self.path.parent / "work" / self.path.name

    @contextmanager
    def locked(self, timeout: float | None = None) -> Iterator[Path]:
        """Hold the file lock; the kernel releases it when the process dies.

        One lock object a use: threads of this process exclude each other too.
        """
        path = self.working.with_suffix(".lock")
        wait = self.lock_timeout if timeout is None else timeout
        # without flock filelock would fall back to a file whose presence outlives its process
        lock = FileLock(path, timeout=wait, fallback_to_soft=False)
        with known_faults(path):
            self.working.parent.mkdir(parents=True, exist_ok=True)
            try:
                lock.acquire()
            except Timeout:
                holder = path.read_text("utf-8") or "an unknown process"
                raise WarehouseLocked(
                    f"{self.working} is locked by {holder}; waited {wait:.0f} s. "
                    "Wait for that run to end, or stop it, and run again."
                ) from None
        since = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"
        try:
            with known_faults(path):
                path.write_text(f"process {os.getpid()} since {since}", "utf-8")
            yield self.working
        finally:
            lock.release()

    @contextmanager
    def _connection(
        self, fold: bool = True, timeout: float | None = None
    ) -> Iterator[duckdb.DuckDBPyConnection]:
        """`fold` takes the write-ahead log into the file on closing; durable either way."""
        with self.locked(timeout) as file:
            connection = connected(file, self.lock_timeout)
            try:
                if not fold:
                    connection.execute("pragma disable_checkpoint_on_shutdown")
                with known_faults(file):
                    yield connection
            finally:
                connection.close()

    def create(self) -> None:
        """Make the file, and the tables and columns that it lacks (a file of an older version).

        Where only the published file is left, the working file begins as a copy of it.
        """
        if _identity(self.working) in self._complete:
            return
        if not self.working.exists() and self.path.exists():
            with self.locked() as file, known_faults(file):
                if not file.exists():  # another process may have been quicker
                    # under another name first: a process killed here leaves no half a file
                    begun = file.with_suffix(".begun")
                    copied(self.path, begun)
                    os.replace(begun, file)
        with self._connection(fold=False) as connection:
            complete(connection)
        self._complete.add(_identity(self.working))

    def __str__(self) -> str:
        return str(self.path)

    def exists(self) -> bool:
        return self.working.exists() or self.path.exists()

    def _read(self, work: Work[Found], timeout: float | None = None) -> Found:
        with self._connection(fold=False, timeout=timeout) as connection:
            return work(connection)

    def _write(self, work: Work[None], names: Sequence[str], small: bool = False) -> None:
        # small rows stay in the write-ahead log until it is large: taking each group of them into
        # the file would rewrite up to 120,000 rows every time
        with self._connection(fold=not small) as connection:
            in_transaction(connection, work)

    def _merge(self, connection: duckdb.DuckDBPyConnection, table: str, rows: pa.Table) -> None:
        connection.register("new_rows", rows)
        connection.execute(
            f"insert or replace into {relation(table)} by name select * from new_rows"
        )
        connection.unregister("new_rows")

    def _unique(
        self, connection: duckdb.DuckDBPyConnection, write: Write, arrow: pa.Table | ds.Dataset
    ) -> None:
        """The file's primary keys see to it."""

    @contextmanager
    def staged(self) -> Iterator[Staged]:
        """A copy of the working file to build on; the lock is held throughout."""
        self.create()
        with self.locked() as file:
            _clear_staged(file)
            folder = file.with_name(f"{file.stem}.staged-{os.getpid()}")
            # dbt knows the file by its name, whatever the study: see dbt.py
            staged = Staged(folder / STAGED)
            try:
                with known_faults(file):
                    folder.mkdir()
                    self.copy_folded(file, staged.file)
                yield staged
                with known_faults(staged.file):
                    with closing(connected(staged.file, self.lock_timeout)) as connection:
                        record_runs(connection, staged.runs)
                    os.replace(staged.file, file)
                self._complete.add(_identity(file))
            finally:
                shutil.rmtree(folder, ignore_errors=True)

    def copy_folded(self, working: Path, target: Path) -> None:
        """Copy the working file and what its write-ahead log holds; to be called under the lock."""
        connected(working, self.lock_timeout).close()  # folds the log in
        copied(working, target)

    def publish(self, publication: Publication = Publication()) -> None:
        """Copy the working file to where users read; works under their open connections."""
        self.create()
        with self.locked() as file, known_faults(self.path):
            _clear_staged(file)
            connection = connected(file, self.lock_timeout)  # folds a write-ahead log in
            state = state_hash(connection)
            connection.close()
            temporary = self.path.with_suffix(".publishing")
            try:
                copied(file, temporary)
                with closing(connected(temporary, self.lock_timeout)) as opened:
                    opened.begin()
                    publication.apply(opened)
                    opened.commit()
                os.replace(temporary, self.path)
            finally:
                temporary.unlink(missing_ok=True)
            stat = self.path.stat()
            state = f"{state} {publication.fingerprint}"
            stamp = {"state": state, "size": stat.st_size, "mtime_ns": stat.st_mtime_ns}
            staged = self._stamp.with_suffix(".staged")
            staged.write_text(json.dumps(stamp), "utf-8")
            os.replace(staged, self._stamp)

    @property
    def _stamp(self) -> Path:
        """What the published file held when it was written: state, size, time."""
        return self.working.with_suffix(".published.json")

    def published_fault(self, publication: Publication = Publication()) -> str | None:
        """Why the published file is not what the working file holds; None where it is."""
        if not self.path.exists():
            return "is missing"
        try:
            stamp = json.loads(self._stamp.read_text("utf-8"))
            stat = self.path.stat()
        except (OSError, ValueError):
            return "has no stamp that says what it holds"
        if [stamp.get("size"), stamp.get("mtime_ns")] != [stat.st_size, stat.st_mtime_ns]:
            return "was changed or cut off since it was published"
        with self._connection(fold=False) as connection:
            if f"{state_hash(connection)} {publication.fingerprint}" != stamp.get("state"):
                return "holds older rows or views than were made"
        return None

    def published_at(self) -> int:
        return self.path.stat().st_mtime_ns if self.path.exists() else 0

    def marks(self) -> Marks:
        """The working file and its write-ahead log, with their sizes and times."""
        files = [self.working, self.working.with_suffix(".duckdb.wal")]
        return [(str(one), *size_and_time(one)) for one in files]


def size_and_time(path: Path) -> tuple[int, int]:
    """Of a file, in bytes and nanoseconds; zeros where there is none."""
    try:
        found = path.stat()
    except OSError:
        return (0, 0)
    return (found.st_size, found.st_mtime_ns)


def _clear_staged(file: Path) -> None:
    """Remove the copies that killed processes were building on; to be called under the lock."""
    for left in file.parent.glob(f"{file.stem}.staged-*"):
        shutil.rmtree(left, ignore_errors=True)
