"""The science knows neither Dagster nor DuckDB, and nothing of it is learnt by importing."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import gpla_assets

PACKAGE = Path(gpla_assets.__file__).parent
PURE = (
    "agents",
    "chat",
    "content",
    "lexicon",
    "psychometrics",
    "benchmarks",
    "alignment",
    "evaluator",
    "sources",
    "administration",
    "studies",
)
FORBIDDEN = {"dagster", "dagster_dbt", "duckdb", "sqlmodel"}


def imports_of(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


@pytest.mark.parametrize("room", PURE)
def test_science_imports_neither_dagster_nor_the_database(room: str) -> None:
    modules = sorted((PACKAGE / room).rglob("*.py"))
    assert modules, f"no module in {room}"
    for module in modules:
        for name in imports_of(module):
            assert name.split(".")[0] not in FORBIDDEN, f"{module} imports {name}"
            assert not name.startswith("gpla_assets.storage"), f"{module} imports {name}"


def test_modules_and_functions_stay_readable() -> None:
    for module in PACKAGE.rglob("*.py"):
        text = module.read_text("utf-8")
        assert len(text.splitlines()) < 350, f"{module} has 350 lines or more"
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef):
                length = (node.end_lineno or 0) - node.lineno
                assert length < 80, f"{module}: {node.name} has {length} lines"
