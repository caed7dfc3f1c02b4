"""Serves what a study published to other machines' DuckDB, by its remote protocol Quack.

Whoever has the token can run any SQL in the server's DuckDB. So that DuckDB has nothing to lose: a
copy of the published rows, opened for reading only, with every way to files, other databases,
extensions and settings closed.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from gpla_assets.storage.files import WarehouseError, copied, known_faults
from gpla_assets.storage.lake_build import held_by, moved, with_views
from gpla_assets.storage.lake_connection import load
from gpla_assets.storage.lake_history import published_connection
from gpla_assets.storage.writing import literal
from gpla_assets.studies import Lake, Store

CLOSED = (
    "set enable_external_access = false",
    "set autoinstall_known_extensions = false",
    "set autoload_known_extensions = false",
    "set allow_community_extensions = false",
    "set lock_configuration = true",
)
LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class Served:
    """A server that runs: its address, and the file that holds its token."""

    address: str
    token_file: Path


@contextmanager
def served(store: Store, token_file: Path, host: str, port: int) -> Iterator[Served]:
    """Serve the published rows of a store, as they are now, until the end of the `with`.

    The token is made anew each time and written for this user alone to read. Raises WarehouseError.
    """
    with TemporaryDirectory(prefix="gpla-serve-") as folder:
        file = Path(folder) / "published.duckdb"
        published_copy(store, file)
        with closing(duckdb.connect(str(file), read_only=True)) as connection:
            load(connection, ["httpfs", "quack"])
            token = written_token(token_file)
            address = f"quack:{host}:{port}"
            try:
                connection.execute(
                    f"call quack_serve({literal(address)}, token => {literal(token)}, "
                    f"allow_other_hostname => {str(host not in LOOPBACK).lower()})"
                )
            except duckdb.Error as error:
                said = " ".join(str(error).replace(token, "...").split())
                raise WarehouseError(
                    f"{host}:{port} cannot be listened on ({said[:160]}): choose another --port."
                ) from None
            try:
                for statement in CLOSED:
                    connection.execute(statement)
                yield Served(address, token_file)
            finally:
                connection.execute(f"call quack_stop({literal(address)})")
                token_file.unlink(missing_ok=True)


def written_token(file: Path) -> str:
    """A new token, in a file that nobody else can read, from its first byte on."""
    token = secrets.token_urlsafe(32)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
        opened.write(token)
    return token


def published_copy(store: Store, file: Path) -> None:
    """Write what was published into a DuckDB file of its own."""
    if not isinstance(store, Lake):
        if not store.exists():
            raise WarehouseError(f"{store} does not exist: `gpla run` makes it.")
        with known_faults(store):
            copied(store, file)
        return
    with published_connection(store) as connection:
        tables, columns, views = held_by(connection, "lake")
        connection.execute(f"attach {literal(str(file))} as copy_of")
        for statement in moved(tables, columns, [], "lake", "copy_of"):
            connection.execute(statement)
        connection.execute("detach copy_of")
    with_views(file, views)
