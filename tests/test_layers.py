"""Rooms stand in one order and import only what stands before them; the science knows no database.

The order is that of README's map: what every room needs, then the way of the data, then what makes
and shows it. Each rule is a function that gives a package's faults, so that a package that breaks
it shows that the rule would say so.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import gpla_assets

PACKAGE = Path(gpla_assets.__file__).parent
ROOMS = (
    *("common", "studies", "content", "embedding", "sources", "chat", "agents"),
    *("parser", "evaluator", "lexicon", "generator", "subjects"),
    *("psychometrics", "benchmarks", "validation", "alignment", "judges", "training"),
    *("storage", "looking", "report", "orchestration", "assets", "docs", "cli"),
)
SCIENCE = ROOMS[: ROOMS.index("storage")]
FORBIDDEN = {"dagster", "dagster_dbt", "duckdb", "ray", "sqlmodel"}
LONGEST_MODULE, LONGEST_FUNCTION = 350, 80


def imported_names(path: Path) -> Iterator[str]:
    """Full names of what a module imports, also inside its functions."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{name.name}" for name in node.names)


def room_of(name: str) -> str | None:
    """The room of a module or of what is in it; None outside the package."""
    package, _, inside = name.partition(".")
    return inside.split(".")[0] if package == "gpla_assets" and inside else None


def modules(package: Path) -> Iterator[tuple[str, Path]]:
    """The modules in a package's rooms, each with its room."""
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package).parts
        if len(parts) > 1:
            yield parts[0], path


def unordered_rooms(package: Path) -> list[str]:
    """Rooms that the order does not have, and the other way round."""
    found = {path.parent.name for path in package.glob("*/__init__.py")}
    return sorted(found ^ set(ROOMS))


def loose_modules(package: Path) -> list[str]:
    """Modules outside the rooms, but for what Dagster loads."""
    return sorted({path.name for path in package.glob("*.py")} - {"__init__.py", "definitions.py"})


def upward_imports(package: Path) -> list[str]:
    """What modules import from rooms that stand after their own."""
    return [
        f"{path.relative_to(package)} imports {name}"
        for room, path in modules(package)
        for name in imported_names(path)
        if room_of(name) in ROOMS[ROOMS.index(room) + 1 :]
    ]


def entered_training(package: Path) -> list[str]:
    """Modules other than commands that enter the training of the agents that ship."""
    return [
        f"{path.relative_to(package)} imports {name}"
        for room, path in modules(package)
        for name in imported_names(path)
        if room_of(name) == "training" and room not in ("training", "cli")
    ]


def databases_in_science(package: Path) -> list[str]:
    """What modules of the science import of Dagster and the database."""
    return [
        f"{path.relative_to(package)} imports {name}"
        for room, path in modules(package)
        for name in imported_names(path)
        if room in SCIENCE and name.split(".")[0] in FORBIDDEN
    ]


def long_parts(package: Path) -> list[str]:
    """Modules and functions that no screen holds."""
    found = []
    for path in package.rglob("*.py"):
        text = path.read_text("utf-8")
        if len(text.splitlines()) >= LONGEST_MODULE:
            found.append(f"{path.name} has {LONGEST_MODULE} lines or more")
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or 0) - node.lineno
                if length >= LONGEST_FUNCTION:
                    found.append(f"{path.name}: {node.name} has {length} lines")
    return found


RULES: dict[Callable[[Path], list[str]], dict[str, str]] = {
    unordered_rooms: {"helpers/__init__.py": ""},
    loose_modules: {"tools.py": ""},
    upward_imports: {
        "lexicon/x.py": "def late():\n    from gpla_assets.storage.tables import TABLES\n"
    },
    entered_training: {"evaluator/x.py": "import gpla_assets.training.folds\n"},
    databases_in_science: {"psychometrics/x.py": "def late():\n    import duckdb\n"},
    long_parts: {"chat/x.py": "def f():\n" + "    pass\n" * LONGEST_FUNCTION},
}
"""Each rule with the file by which a package would break it."""


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_package_keeps_the_rule(rule: Callable[[Path], list[str]]) -> None:
    assert rule(PACKAGE) == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_package_that_breaks_the_rule_is_found_out(
    rule: Callable[[Path], list[str]], tmp_path: Path
) -> None:
    for room in ROOMS:
        (tmp_path / room).mkdir()
        (tmp_path / room / "__init__.py").touch()
    assert rule(tmp_path) == []
    for name, text in RULES[rule].items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    (said,) = rule(tmp_path)
    assert any(part in said for part in Path(name).parts)


def test_a_module_of_too_many_lines_is_found_out(tmp_path: Path) -> None:
    (tmp_path / "x.py").write_text("\n" * LONGEST_MODULE, "utf-8")
    assert long_parts(tmp_path) == ["x.py has 350 lines or more"]
