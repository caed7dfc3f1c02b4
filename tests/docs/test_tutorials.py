"""The tutorials are run from their first line to their last, on the demo study."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.commands import forked
from tests.conftest import Ran
from tests.docs.lines import DOCS, blocks, gpla_lines, words

TUTORIALS = sorted(path for path in (DOCS / "tutorials").glob("*.md") if path.name != "README.md")
MISSING = ("gpla check alignment",)
"""Lines that say what is missing, by exit code 1."""


@pytest.fixture
def place(demo: Ran, tmp_path: Path) -> Path:
    """A folder of one's own, with the demo's published file and what it has embedded."""
    warehouses = tmp_path / "warehouse"
    shutil.copytree(demo.folder, warehouses, ignore=shutil.ignore_patterns("dagster"))
    return tmp_path


@pytest.mark.parametrize("tutorial", TUTORIALS, ids=lambda path: path.stem)
def test_a_tutorial_runs_as_it_is_written(
    tutorial: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = {"GPLA_WAREHOUSE_DIR": str(place / "warehouse"), "GPLA_EMBEDDINGS_MB": "100"}
    names: dict[str, object] = {}
    monkeypatch.setenv("GPLA_WAREHOUSE_DIR", own["GPLA_WAREHOUSE_DIR"])
    for block in blocks(tutorial.read_text("utf-8")):
        if block.file:
            (place / block.file).write_text(block.text, "utf-8")
        if block.language == "python":
            exec(block.text, names)
        if block.language != "console":
            continue
        for line in gpla_lines(f"```console\n{block.text}```"):
            arguments, out = words(line)
            ended = forked(arguments, os.environ | own | {"COLUMNS": "160"}, place)
            expected = int(line.startswith(MISSING))
            assert ended.code == expected, f"{line}\n{ended.output[-2000:]}"
            assert ended.output or "--out" in line or "--json" in line, line
            if out:
                (place / out).write_text(ended.output, "utf-8")
