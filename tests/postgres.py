"""A Postgres of its own on loopback, for tests and benchmarks; nothing of it is left at the end."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


def binaries() -> Path | None:
    """The folder of the programs, which Debian keeps off the PATH; None where there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"))
    on_path = shutil.which("pg_ctl")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


def lacking() -> str | None:
    """What a lake needs and this machine lacks; None where it has all."""
    try:
        import duckdb
        import psycopg2  # noqa: F401
        from duckdb_extensions import import_extension

        import_extension("ducklake")
        duckdb.connect().execute("load ducklake")
    except Exception as error:
        return f"no DuckLake here ({str(error)[:80]}): pip install 'gpla[lake]'"
    return None if binaries() else "no Postgres here: apt-get install postgresql"


@dataclass
class Postgres:
    """A server: its folder and port."""

    folder: Path
    port: int

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        self._run("pg_ctl", "-D", self._data, "-o", options, "-l", self._log, "-w", "start")

    def stop(self, how: str = "immediate") -> None:
        """Stop it: `immediate` drops connections and recovers at the next start."""
        self._run("pg_ctl", "-D", self._data, "-m", how, "-w", "stop")

    def prepare(self) -> None:
        """Make the cluster and a database."""
        self._run(
            *("initdb", "-D", self._data, "-A", "trust", "-U", "gpla", "--locale=C", "-E", "UTF8")
        )
        self.start()
        self._run("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", "gpla", "gpla")

    def address(self, data: Path) -> str:
        """The address of a lake whose catalogue it keeps."""
        return (
            f"ducklake:postgres:dbname=gpla host=127.0.0.1 port={self.port} user=gpla data={data}"
        )

    @property
    def _data(self) -> str:
        return str(self.folder / "data")

    @property
    def _log(self) -> str:
        return str(self.folder / "log")

    def _run(self, program: str, *arguments: str) -> None:
        folder = binaries()
        assert folder is not None
        # Postgres does not run as root
        user = "postgres" if os.getuid() == 0 else None
        with open(self.folder / "said", "a+b") as said:  # a pipe would stay open with the server
            done = subprocess.run(
                [str(folder / program), *arguments],
                user=user,
                group=user,
                cwd=self.folder,
                stdout=said,
                stderr=said,
            )
            said.seek(0)
            assert done.returncode == 0, f"{program}: {said.read().decode()[-2000:]}"


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def postgres() -> Iterator[Postgres]:
    """A fresh server, stopped and removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="gpla-pg-"))
    if os.getuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
    server = Postgres(folder, free_port())
    try:
        server.prepare()
        yield server
    finally:
        if (folder / "data" / "postmaster.pid").exists():
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)
