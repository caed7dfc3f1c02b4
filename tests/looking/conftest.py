"""The study of known numbers, made once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.looking.looked_at import AGAIN, looked_at


@pytest.fixture(scope="session")
def looked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The published file of `looked_at`."""
    folder = tmp_path_factory.mktemp("looked")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GPLA_WAREHOUSE_DIR", str(folder))
        return looked_at(folder)


@pytest.fixture(scope="session")
def again(looked: Path) -> Path:
    """A second study of the same LLMs, beside the first."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GPLA_WAREHOUSE_DIR", str(looked.parent))
        return looked_at(looked.parent, AGAIN)


@pytest.fixture
def folder(looked: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of warehouses that it lies in, as the program's."""
    monkeypatch.setenv("GPLA_WAREHOUSE_DIR", str(looked.parent))
    return looked.parent
