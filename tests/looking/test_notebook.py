"""The example notebook runs from its first cell to its last."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import gpla_assets
from tests.looking.looked_at import LLMS, NAME, QUESTIONS, VALUES

NOTEBOOK = Path(gpla_assets.__file__).parent / "docs" / "looking.ipynb"


def test_the_notebook_runs_on_a_study(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STUDY", NAME)
    cells = json.loads(NOTEBOOK.read_text("utf-8"))["cells"]
    names: dict[str, object] = {}
    for cell in cells:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), names)
            assert cell["outputs"] == []  # what it printed once is of another study
    assert names["names"] == list(LLMS)
    assert names["counts"] == {
        "responses": len(LLMS) * QUESTIONS,
        "perceptions": len(LLMS) * QUESTIONS,
        "measurements": len(LLMS) * QUESTIONS,
        "scores": len(LLMS) * len(VALUES),
    }
    assert names["value"] == "Care"
