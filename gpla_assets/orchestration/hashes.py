"""Hashes of files, computed once for each state of a file.

A file of the same size and time is taken to be the same; what was computed is kept in the warehouse
folder, where it may be deleted at any time.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from gpla_assets.studies import warehouse_folder

Value = TypeVar("Value")
Entry = list[Any]
"""A file's state, and what was computed of it."""
MISSING = "missing"
MOST_ENTRIES = 2000
SHOWN = 16
"""Hexadecimal digits of a hash that are kept: 64 bits."""


def file_hash(path: Path | None) -> str:
    """The SHA-256 of a file (its first 64 bits), of a folder that of its files; or `missing`."""
    if path is None or not path.exists():
        return MISSING
    if path.is_dir():
        files = sorted(one for one in path.rglob("*") if one.is_file())
        parts = [f"{one.relative_to(path)} {file_hash(one)}" for one in files]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:SHOWN]
    return remembered("sha256", path, _sha256)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:SHOWN]


def remembered(what: str, path: Path, compute: Callable[[Path], Value]) -> Value:
    """What was computed of a file in its present state, computed where it is not known."""
    key = f"{what} {path.resolve()}"
    # weights of gigabytes are hashed once, not at every `gpla status`
    states = [one.stat() for one in ([path] if path.is_file() else sorted(path.rglob("*")))]
    state = [
        sum(one.st_size for one in states),
        max((one.st_mtime_ns for one in states), default=0),
    ]
    known = _Memory.load()
    found = known.get(key)
    if found is not None and found[0] == state:
        kept: Value = found[1]
        return kept
    value = compute(path)
    _Memory.keep(key, [state, value])
    return value


class _Memory:
    """The file of what is known, read once a process and written whole."""

    entries: dict[str, Entry] | None = None
    path: Path | None = None

    @classmethod
    def load(cls) -> dict[str, Entry]:
        path = warehouse_folder() / "work" / "hashes.json"
        if cls.entries is None or cls.path != path:
            cls.path, cls.entries = path, {}
            with suppress(OSError, ValueError):
                found = json.loads(path.read_text("utf-8"))
                cls.entries = found if isinstance(found, dict) else {}
        return cls.entries

    @classmethod
    def keep(cls, key: str, entry: Entry) -> None:
        entries = cls.load()
        # out and in again: the oldest go first
        entries.pop(key, None)
        entries[key] = entry
        while len(entries) > MOST_ENTRIES:
            entries.pop(next(iter(entries)))
        assert cls.path is not None
        # a folder that cannot be written costs time, and is no fault
        with suppress(OSError):
            cls.path.parent.mkdir(parents=True, exist_ok=True)
            staged = cls.path.with_suffix(f".{os.getpid()}")
            staged.write_text(json.dumps(entries), "utf-8")
            os.replace(staged, cls.path)
