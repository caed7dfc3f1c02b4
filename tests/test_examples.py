"""The examples in docstrings, of every module that has one, are run and hold."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest

import gpla_assets

PACKAGE = Path(gpla_assets.__file__).parent


def with_examples(package: Path) -> list[str]:
    """Names of the modules whose source holds an example."""
    return [
        ".".join(path.relative_to(package.parent).with_suffix("").parts)
        for path in sorted(package.rglob("*.py"))
        if ">>> " in path.read_text("utf-8")
    ]


@pytest.mark.parametrize("name", with_examples(PACKAGE))
def test_the_examples_of_a_module_hold(name: str) -> None:
    found = doctest.testmod(importlib.import_module(name))
    # an example that no docstring of the module holds is run by nobody
    assert found.attempted > 0
    assert found.failed == 0


def test_modules_with_examples_are_found_wherever_they_lie(tmp_path: Path) -> None:
    (tmp_path / "p" / "room").mkdir(parents=True)
    (tmp_path / "p" / "room" / "one.py").write_text('"""\n>>> 1\n1\n"""', "utf-8")
    (tmp_path / "p" / "room" / "two.py").write_text('"""No example."""', "utf-8")
    assert with_examples(tmp_path / "p") == ["p.room.one"]
