"""What models have made of texts, kept between runs: a content-addressed store on disk.

One SQLite file in the warehouse folder, `embeddings.sqlite`. A row's key is a hash of the model's
revision and the text, so that a changed model or text has other rows and nothing is ever stale. The
file is a cache: delete it whenever you like, also under a running process. Whatever is wrong with
it (no folder, no right to write, another process that writes for long) means work done again, never
an error; a file that is damaged is replaced. GPLA_EMBEDDINGS_MB bounds it (1024 without; 0: none).

Our own since diskcache (5.6), which is such a file too, reads key by key (5,000 vectors in 0.8 s
where this takes 0.1), raises where the file is damaged or locked, and does not see a changed bit.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import time
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing, suppress
from importlib import metadata
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from gpla_assets.studies import warehouse_folder

FILE = "embeddings.sqlite"
LIMIT_VARIABLE = "GPLA_EMBEDDINGS_MB"
DEFAULT_MB = 1024
"""Some 600,000 embeddings of 384 dimensions."""
BUSY_SECONDS = 5.0
"""How long a process waits for another that writes, before it goes on without the store."""
KEPT = 0.9
"""Share of the bound that is left after rows had to go, so that they go seldom."""
HOUR = 3600
"""Rows note the hour of their last use: a run that reads them again an hour long writes nothing."""
FORMAT = 1
"""Of this code: raise it where embeddings are computed in another way by the same packages."""
PACKAGES = ("torch", "transformers", "tokenizers")
"""Their versions decide the last bits of an embedding, or its tokens."""
NEW_FILE = """
pragma page_size = 16384;
pragma auto_vacuum = incremental;
pragma journal_mode = wal;
create table if not exists vectors (key text primary key, vector blob not null, used integer);
create index if not exists vectors_by_use on vectors (used);
create table if not exists files (path text primary key, state text not null, digest text not null);
pragma user_version = 1;
"""
"""Ten embeddings a page; pages can be given back; readers and a writer do not wait for another."""
STORED = "key in (select value from json_each(?))"

DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
MODEL_FILES = (".json", ".safetensors", ".bin", ".txt")

Floats = NDArray[np.float32]
Found = TypeVar("Found")


class EmbeddingStore:
    """float32 vectors by model revision and text, at most `most_bytes` of file."""

    def __init__(self, path: Path, most_bytes: int, clock: Callable[[], float] = time.time) -> None:
        self.path = path
        self.most_bytes = most_bytes
        self.clock = clock

    def get(self, revision: str, texts: Sequence[str]) -> dict[str, Floats]:
        """The vectors that are stored, by text; their rows count as used now."""
        text_of = {_key(revision, text): text for text in texts}
        wanted, hour = json.dumps(list(text_of)), int(self.clock() // HOUR)

        def read(opened: sqlite3.Connection) -> list[tuple[str, bytes]]:
            query = f"select key, vector from vectors where {STORED}"
            return opened.execute(query, [wanted]).fetchall()

        def touch(opened: sqlite3.Connection) -> None:
            query = f"update vectors set used = ? where used < ? and {STORED}"
            opened.execute(query, [hour, hour, wanted])

        nothing: list[tuple[str, bytes]] = []
        rows = self._tried(read, nothing) if text_of else nothing
        if rows:
            # the vectors are at hand: a process that writes is not waited for
            self._tried(touch, None, busy_seconds=0)
        found = {text_of[key]: _vector(stored) for key, stored in rows}
        return {text: vector for text, vector in found.items() if vector is not None}

    def count(self, revision: str, texts: Iterable[str]) -> int:
        """How many of distinct texts are stored."""
        wanted = json.dumps([_key(revision, text) for text in texts])

        def counted(opened: sqlite3.Connection) -> int:
            query = f"select count(*) from vectors where {STORED}"
            return int(opened.execute(query, [wanted]).fetchone()[0])

        return self._tried(counted, 0)

    def put(self, revision: str, vectors: Mapping[str, Floats]) -> None:
        """Keep vectors by text; the least recently used rows go where the bound is met."""
        hour = int(self.clock() // HOUR)
        rows = [(_key(revision, text), _stored(row), hour) for text, row in vectors.items()]

        def write(opened: sqlite3.Connection) -> None:
            opened.executemany("insert or replace into vectors values (?, ?, ?)", rows)
            opened.commit()
            self._bound(opened)

        if rows:
            self._tried(write, None)

    def digest(self, path: Path) -> str:
        """SHA-256 of a file, hashed again only where its size or time of change is another."""
        stat = path.stat()
        name, state = str(path.resolve()), f"{stat.st_size} {stat.st_mtime_ns}"

        def known(opened: sqlite3.Connection) -> tuple[str, str] | None:
            query = "select state, digest from files where path = ?"
            row: tuple[str, str] | None = opened.execute(query, [name]).fetchone()
            return row

        def note(opened: sqlite3.Connection) -> None:
            query = "insert or replace into files values (?, ?, ?)"
            opened.execute(query, [name, state, digest])

        row = self._tried(known, None)
        if row is not None and row[0] == state:
            return row[1]
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        self._tried(note, None)
        return digest

    def _bound(self, opened: sqlite3.Connection) -> None:
        while (size := _size(opened)) > self.most_bytes:
            (count,) = opened.execute("select count(*) from vectors").fetchone()
            if not count:
                return
            surplus = int(count * (1 - KEPT * self.most_bytes / size)) + 1
            oldest = "select rowid from vectors order by used, rowid limit ?"
            opened.execute(f"delete from vectors where rowid in ({oldest})", [surplus])
            opened.commit()
            # as a script: `execute` would give back one page and stop
            opened.executescript("pragma incremental_vacuum")

    def _tried(
        self,
        work: Callable[[sqlite3.Connection], Found],
        otherwise: Found,
        busy_seconds: float | None = None,
    ) -> Found:
        """What `work` gives on a connection of its own; `otherwise` where the file is of no use.

        Opened each time (a millisecond), so that no process writes into a file that was deleted.
        """
        patience = BUSY_SECONDS if busy_seconds is None else busy_seconds
        try:
            with closing(sqlite3.connect(self.path, timeout=patience)) as opened:
                opened.execute("pragma synchronous = normal")
                if opened.execute("pragma user_version").fetchone() == (0,):
                    opened.executescript(NEW_FILE)
                found = work(opened)
                opened.commit()
                return found
        except sqlite3.OperationalError:
            return otherwise  # no folder, no right to write, or busy for long
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode & 0xFF not in DAMAGED:
                raise
            self._remove()
            return otherwise

    def _remove(self) -> None:
        for ending in ("", "-wal", "-shm"):
            with suppress(OSError):
                self.path.with_name(self.path.name + ending).unlink()


def model_revision(
    store: EmbeddingStore, folder: Path, arrays: Mapping[str, np.ndarray], *parts: object
) -> str:
    """Names all that decides a model's numbers: a hash of its files, its changes, the packages.

    `arrays` are what training changed; `parts` anything else, as the most tokens of a text. The
    CPU is not among them: between kinds of CPU the last bits differ (by less than 1e-6).
    """
    hashed = hashlib.sha256()
    for file in sorted(folder.iterdir()):
        if file.suffix in MODEL_FILES:
            hashed.update(f"{file.name} {store.digest(file)}\n".encode())
    for name, array in sorted(arrays.items()):
        hashed.update(f"{name} {array.dtype} {array.shape}\n".encode())
        hashed.update(np.ascontiguousarray(array).tobytes())
    versions = [metadata.version(package) for package in PACKAGES]
    hashed.update(repr((FORMAT, versions, parts)).encode())
    return hashed.hexdigest()


def warehouse_store() -> EmbeddingStore | None:
    """The store of the warehouse folder; None where GPLA_EMBEDDINGS_MB is 0.

    Raises ValueError where GPLA_EMBEDDINGS_MB is no number.
    """
    given = os.environ.get(LIMIT_VARIABLE, str(DEFAULT_MB))
    if not given.isdecimal():
        raise ValueError(
            f"{LIMIT_VARIABLE} is {given!r}, expected megabytes as a whole number; 0 for no store."
        )
    most = int(given) * 2**20
    return EmbeddingStore(warehouse_folder() / FILE, most) if most else None


def _key(revision: str, text: str) -> str:
    return hashlib.sha256(f"{revision}\0{text}".encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _stored(vector: Floats) -> bytes:
    """The vector's bytes after their checksum: SQLite does not notice a changed bit."""
    content = np.ascontiguousarray(vector, "<f4").tobytes()
    return zlib.crc32(content).to_bytes(4, "little") + content


def _vector(stored: bytes) -> Floats | None:
    content = stored[4:]
    if zlib.crc32(content).to_bytes(4, "little") != stored[:4]:
        return None
    return np.frombuffer(content, "<f4")


def _size(opened: sqlite3.Connection) -> int:
    (pages,), (size,) = (
        opened.execute(f"pragma {name}").fetchone() for name in ("page_count", "page_size")
    )
    return int(pages * size)
