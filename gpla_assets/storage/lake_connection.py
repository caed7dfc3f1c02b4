"""Connections to a lake: extensions, secrets, and who may write what at the moment."""

from __future__ import annotations

import os
import shutil
import threading
import zlib
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
from filelock import FileLock, Timeout

from gpla_assets.storage.files import WarehouseError, WarehouseLocked
from gpla_assets.storage.writing import literal, quoted
from gpla_assets.studies import Lake

ALIAS = "lake"
SERVER_KEYS = {"host": "host", "port": "port", "user": "user", "dbname": "database"}
"""What a secret of DuckDB holds of libpq's names, by its own; the others stay in the address."""
S3_KEYS = {
    "KEY_ID": "AWS_ACCESS_KEY_ID",
    "SECRET": "AWS_SECRET_ACCESS_KEY",
    "SESSION_TOKEN": "AWS_SESSION_TOKEN",
    "REGION": "AWS_REGION",
}
S3_ENDPOINT = "GPLA_S3_ENDPOINT"
"""An endpoint that is not Amazon's, as http://HOST:PORT."""
BUCKETS = 64
"""Locks a study: two partitions exclude each other only where they fall into the same one."""
NEEDED = "DuckDB's extension {} does not load: `pip install 'gpla[lake]'` brings it; this is {}."
_instances: dict[tuple[int, Lake], duckdb.DuckDBPyConnection] = {}
_opening = threading.Lock()


def opened(lake: Lake, make: bool = True, snapshot: int | None = None) -> duckdb.DuckDBPyConnection:
    """A DuckDB of its own with the lake in it as its present catalogue.

    `make` makes a lake that is not there; with a `snapshot` it can be read alone, as it was then.
    """
    connection = duckdb.connect()
    try:
        extensions = ["ducklake", *(["postgres_scanner"] if lake.server else [])]
        load(connection, [*extensions, *(["httpfs"] if "://" in lake.data else [])])
        _keep_secrets(connection, lake)
        connection.execute("set ducklake_max_retry_count = 20")
        connection.execute("set enable_progress_bar = false")
        attach(connection, lake, make, snapshot)
    except BaseException:
        connection.close()
        raise
    return connection


def attach(
    connection: duckdb.DuckDBPyConnection,
    lake: Lake,
    make: bool = False,
    snapshot: int | None = None,
    use: bool = True,
) -> None:
    """Attach a lake as `lake` to a connection that has the extensions and secrets."""
    options = [f"data_path {literal(lake.files)}", f"metadata_schema {literal(lake.schema)}"]
    if lake.server:
        more = [f"{name}={value}" for name, value in lake.server if name not in SERVER_KEYS]
        where = "postgres:" + " ".join(more)
        options.append("meta_secret 'catalogue'")
    else:
        assert lake.file is not None
        where = str(lake.file)
        if make:
            lake.file.parent.mkdir(parents=True, exist_ok=True)
    if snapshot is not None:
        options += ["read_only", f"snapshot_version {snapshot}"]
    if not make:
        options.append("create_if_not_exists false")
    place = literal(f"ducklake:{where}")
    connection.execute(f"attach {place} as {ALIAS} ({', '.join(options)})")
    if use:
        connection.execute(f"use {ALIAS}")


def prepare(connection: duckdb.DuckDBPyConnection, lake: Lake) -> None:
    """Extensions and secrets of a lake, for a connection that somebody else opened."""
    extensions = ["ducklake", *(["postgres_scanner"] if lake.server else [])]
    load(connection, [*extensions, *(["httpfs"] if "://" in lake.data else [])])
    _keep_secrets(connection, lake)


def load(connection: duckdb.DuckDBPyConnection, names: Sequence[str]) -> None:
    """Load extensions, which come as packages. Raises WarehouseError where one does not load."""
    for name in names:
        try:
            connection.execute(f"load {name}")
        except duckdb.Error:
            try:
                from duckdb_extensions import import_extension

                import_extension(name)
                connection.execute(f"load {name}")
            except (ImportError, duckdb.Error, OSError) as error:
                needed = NEEDED.format(name, f"duckdb {duckdb.__version__}")
                raise WarehouseError(f"{needed} ({' '.join(str(error).split())[:120]})") from error


def _keep_secrets(connection: duckdb.DuckDBPyConnection, lake: Lake) -> None:
    """What opens the catalogue and the bucket, where no query and no message shows it."""
    if lake.server:
        pairs = {SERVER_KEYS[key]: one for key, one in lake.server if key in SERVER_KEYS}
        if lake.password:
            pairs["password"] = lake.password
        _secret(connection, "catalogue", "postgres", pairs)
    if lake.data.startswith("s3://"):
        found = {key: os.environ[name] for key, name in S3_KEYS.items() if name in os.environ}
        endpoint = os.environ.get(S3_ENDPOINT)
        if endpoint:
            scheme, _, host = endpoint.rpartition("://")
            found |= {"ENDPOINT": host, "URL_STYLE": "path"}
            found["USE_SSL"] = "false" if scheme == "http" else "true"
        _secret(connection, "bucket", "s3", found)


def _secret(
    connection: duckdb.DuckDBPyConnection, name: str, kind: str, pairs: dict[str, str]
) -> None:
    said = "".join(f", {key} {literal(value)}" for key, value in pairs.items())
    try:
        connection.execute(f"create or replace secret {quoted(name)} (type {kind}{said})")
    except duckdb.Error as error:
        # DuckDB repeats the statement, and the password in it
        raise WarehouseError(
            f"The secret of the {name} cannot be kept ({type(error).__name__}); its settings are "
            f"{', '.join(sorted(pairs)) or 'none'}."
        ) from None


@contextmanager
def connection_to(lake: Lake, make: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to what was written last.

    One DuckDB a process and lake is kept open, since opening takes a second; a catalogue in a file
    is opened anew each time, because one process alone can have it. To be called under `held` then.
    """
    if lake.file is not None:
        with closing(opened(lake, make)) as connection:
            yield connection
        return
    key = (os.getpid(), lake)
    with _opening:
        if key not in _instances:
            _instances[key] = opened(lake, make)
        connection = _instances[key].cursor()
    try:
        connection.execute(f"use {ALIAS}")
        yield connection
    finally:
        with suppress(duckdb.Error):
            connection.close()


def let_go(lake: Lake) -> None:
    """Close the process's connection to a lake; the next use opens another."""
    with _opening:
        found = _instances.pop((os.getpid(), lake), None)
    if found is not None:
        with suppress(duckdb.Error):
            found.close()


@contextmanager
def held(lake: Lake, names: Sequence[str], timeout: float) -> Iterator[None]:
    """Keep others from replacing what `names` name. The lock goes when the process dies.

    A catalogue in a file has one lock, for readers too, who name nothing. Raises WarehouseLocked
    after `timeout` seconds.
    """
    if lake.file is not None:
        lake.file.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(lake.file.with_name(f"{lake.file.name}.lock"), fallback_to_soft=False)
        try:
            lock.acquire(timeout=timeout)
        except Timeout:
            raise _locked(lake, timeout) from None
        try:
            yield
        finally:
            lock.release()
        return
    if not names:
        yield
        return
    import psycopg2

    with closing(server_connection(lake)) as connection:
        cursor = connection.cursor()
        cursor.execute("select set_config('lock_timeout', %s, false)", [f"{int(timeout * 1000)}"])
        try:
            # always in one order, so that nobody waits for one who waits for him
            for bucket in sorted({zlib.crc32(name.encode()) % BUCKETS for name in names}):
                cursor.execute("select pg_advisory_lock(hashtext(%s), %s)", [lake.schema, bucket])
        except psycopg2.errors.LockNotAvailable:
            raise _locked(lake, timeout) from None
        yield


def _locked(lake: Lake, timeout: float) -> WarehouseLocked:
    return WarehouseLocked(
        f"{lake} is being written by another process; waited {timeout:.0f} s. Wait for that run to "
        "end, or stop it, and run again."
    )


def server_connection(lake: Lake):  # type: ignore[no-untyped-def]
    """A connection of Postgres's own, for locks; one that dies frees them within a minute."""
    try:
        import psycopg2
    except ImportError:
        raise WarehouseError(
            "A lake with a Postgres catalogue needs psycopg2: `pip install 'gpla[lake]'`."
        ) from None
    found = {**dict(lake.server), "options": "-c lc_messages=C", "connect_timeout": "10"}
    keep = {"keepalives_idle": "20", "keepalives_interval": "10", "keepalives_count": "4"}
    connection = psycopg2.connect(**keep, **found, password=lake.password)
    connection.autocommit = True
    return connection


@contextmanager
def snapshot_of(lake: Lake, snapshot: int) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to a lake as it was at a snapshot, which can write nothing.

    Of a catalogue in a file a copy is read, so that no writer waits for a reader.
    """
    if lake.file is None:
        with closing(opened(lake, make=False, snapshot=snapshot)) as connection:
            yield connection
        return
    with TemporaryDirectory(prefix="gpla-lake-") as folder:
        copy = Path(folder) / lake.file.name
        with held(lake, [], 60.0):
            shutil.copyfile(lake.file, copy)
        own = Lake(lake.study, lake.data, copy, folder=lake.folder)
        with closing(opened(own, make=False, snapshot=snapshot)) as connection:
            yield connection
