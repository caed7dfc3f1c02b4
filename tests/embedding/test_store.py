"""The store of embeddings: what it keeps, and that nothing done to its file is an error."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gpla_assets.embedding.store import HOUR, EmbeddingStore, model_revision, warehouse_store

MEGABYTE = 2**20
VECTORS = np.random.default_rng(0).normal(size=(2000, 384)).astype(np.float32)


def made(folder: Path, most_bytes: int = 100 * MEGABYTE) -> EmbeddingStore:
    return EmbeddingStore(folder / "embeddings.sqlite", most_bytes)


def filled(folder: Path) -> EmbeddingStore:
    """A store that holds a and b."""
    store = made(folder)
    store.put("r", {"a": VECTORS[0], "b": VECTORS[1]})
    return store


def is_read(store: EmbeddingStore) -> bool:
    found = store.get("r", ["a", "b", "c"])
    return set(found) == {"a", "b"} and np.array_equal(found["b"], VECTORS[1])


def test_vectors_come_back_bit_for_bit_under_their_revision_only(tmp_path: Path) -> None:
    store = filled(tmp_path)
    assert is_read(store)
    assert is_read(made(tmp_path))  # as another process opens it
    assert store.get("other", ["a"]) == {}
    assert (store.count("r", ["a", "c"]), store.count("other", ["a"])) == (1, 0)
    assert store.get("r", []) == {}
    text = "line\nbreak \0 'quote' 漢字 \ud800"
    store.put("r", {text: VECTORS[2]})
    assert np.array_equal(store.get("r", [text])[text], VECTORS[2])


def test_many_texts_are_written_and_read_at_once(tmp_path: Path) -> None:
    store = made(tmp_path)
    texts = [f"text {n}" for n in range(len(VECTORS))]
    store.put("r", dict(zip(texts, VECTORS, strict=True)))
    found = store.get("r", texts)
    assert all(np.array_equal(found[text], row) for text, row in zip(texts, VECTORS, strict=True))


@pytest.mark.parametrize("content", [b"no database", b"SQLite format 3\0" + b"\1" * 9000, b""])
def test_a_file_that_is_no_store_is_replaced(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "embeddings.sqlite").write_bytes(content)
    assert made(tmp_path).get("r", ["a"]) == {}
    assert is_read(filled(tmp_path))


def test_a_damaged_file_is_replaced_and_a_changed_vector_is_not_believed(tmp_path: Path) -> None:
    store = filled(tmp_path)
    content = bytearray(store.path.read_bytes())
    content[content.index(VECTORS[0].tobytes()) + 7] ^= 1
    store.path.write_bytes(content)
    assert set(store.get("r", ["a", "b"])) == {"b"}
    store.path.write_bytes(content[:16384] + b"\7" * (len(content) - 16384))
    store.get("r", ["a", "b"])
    assert is_read(filled(tmp_path))


def test_the_file_may_be_deleted_while_a_process_uses_it(tmp_path: Path) -> None:
    store = filled(tmp_path)
    for file in tmp_path.iterdir():
        file.unlink()
    assert store.get("r", ["a"]) == {}
    store.put("r", {"a": VECTORS[0], "b": VECTORS[1]})
    assert is_read(store)


def test_without_a_folder_or_the_right_to_write_there_is_no_store(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder in (tmp_path / "missing", tmp_path / "file"):
        store = filled(folder)
        assert store.get("r", ["a"]) == {}
        assert store.count("r", ["a"]) == 0
    assert not (tmp_path / "missing").exists()


def test_the_least_recently_used_go_where_the_bound_is_met(tmp_path: Path) -> None:
    now = 0.0
    store = EmbeddingStore(tmp_path / "embeddings.sqlite", MEGABYTE, lambda: now)
    store.put("r", {"old and used": VECTORS[0], "old": VECTORS[1]})
    for start in range(0, len(VECTORS), 100):
        now += HOUR
        store.put("r", {f"text {n}": VECTORS[n] for n in range(start, start + 100)})
        store.get("r", ["old and used"])
        assert store.path.stat().st_size <= MEGABYTE
    last = len(VECTORS) - 1
    kept = set(store.get("r", ["old and used", "old", "text 0", f"text {last}"]))
    assert kept == {"old and used", f"text {last}"}
    assert store.count("r", [f"text {n}" for n in range(len(VECTORS))]) > 400
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) < 1.5 * MEGABYTE


WRITER = """
import sys
from pathlib import Path
import numpy as np
from gpla_assets.embedding.store import EmbeddingStore
store, me = EmbeddingStore(Path(sys.argv[1]), 2**27), sys.argv[2]
for n in range(40):
    store.put("r", {f"{me} {n}": np.full(384, n, np.float32), "same": np.ones(384, np.float32)})
    assert set(store.get("r", [f"{me} {n}"])) == {f"{me} {n}"}
"""


def test_processes_that_write_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "embeddings.sqlite"
    run = [sys.executable, "-c", WRITER, str(path)]
    writers = [subprocess.Popen([*run, name], stderr=subprocess.PIPE) for name in "ab"]
    for writer in writers:
        _, errors = writer.communicate(timeout=120)
        assert writer.returncode == 0, errors.decode()
    texts = [f"{name} {n}" for name in "ab" for n in range(40)]
    assert EmbeddingStore(path, 2**27).count("r", [*texts, "same"]) == 81


def test_a_process_that_keeps_the_file_to_itself_is_gone_on_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = filled(tmp_path)
    monkeypatch.setattr("gpla_assets.embedding.store.BUSY_SECONDS", 0.05)
    other = sqlite3.connect(store.path, isolation_level=None)
    other.execute("begin immediate")
    assert is_read(store)  # what is written meanwhile is not waited for
    store.put("r", {"c": VECTORS[2]})
    other.execute("rollback")
    other.close()
    assert is_read(store)


def test_a_revision_names_files_changes_and_limits(tmp_path: Path) -> None:
    model = tmp_path / "model"
    model.mkdir()
    weights = model / "model.safetensors"
    weights.write_bytes(b"one")
    store, arrays = made(tmp_path), {"steps": np.zeros(3, np.int8)}
    first = model_revision(store, model, arrays, 128)
    assert model_revision(made(tmp_path), model, arrays, 128) == first
    others = {
        model_revision(store, model, {"steps": np.ones(3, np.int8)}, 128),
        model_revision(store, model, {}, 128),
        model_revision(store, model, arrays, 64),
    }
    weights.write_bytes(b"two")
    os.utime(weights, ns=(1, 1))
    others.add(model_revision(store, model, arrays, 128))
    assert len(others | {first}) == 5


def test_the_bound_is_the_users_and_nothing_is_no_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GPLA_WAREHOUSE_DIR", str(tmp_path))
    monkeypatch.setenv("GPLA_EMBEDDINGS_MB", "0")
    assert warehouse_store() is None
    monkeypatch.setenv("GPLA_EMBEDDINGS_MB", "3")
    store = warehouse_store()
    assert store is not None
    assert (store.path.parent, store.most_bytes) == (tmp_path, 3 * MEGABYTE)
    monkeypatch.setenv("GPLA_EMBEDDINGS_MB", "much")
    with pytest.raises(ValueError, match=r"GPLA_EMBEDDINGS_MB is 'much', expected megabytes"):
        warehouse_store()
