"""Files around the code: what they name exists, and versions are one."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
GUIDE = ROOT / ".github" / "CONTRIBUTING.md"
PACKAGE = "gpla_assets"
NAMED = re.compile(r"`((?:[\w.]+/)*[\w.]+(?:\.(?:py|yml|toml|cff)|/))`")
TO_WRITE = {"name.sql", "name.yml"}


def paths_named(text: str) -> set[str]:
    """Files and folders that a text names in code marks."""
    return set(NAMED.findall(text)) - TO_WRITE


def missing(text: str) -> list[str]:
    """Of these, what lies nowhere: neither in the checkout, nor in the package or any room."""
    places = [ROOT, ROOT / PACKAGE, ROOT / "dbt", *(ROOT / PACKAGE).glob("*/")]
    return sorted(
        name for name in paths_named(text) if not any((place / name).exists() for place in places)
    )


def test_the_guide_names_files_that_exist() -> None:
    text = GUIDE.read_text("utf-8")
    assert {"orchestration/checks.py", "dbt_project.yml"} <= paths_named(text)
    assert missing(text) == []
    assert missing("see `orchestration/gone.py` and `parser/`") == ["orchestration/gone.py"]


def test_the_guide_names_targets_that_make_has() -> None:
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    named = re.findall(r"^\$ make ([\w -]+?)(?: +#.*)?$", GUIDE.read_text("utf-8"), re.MULTILINE)
    assert {"run", "test", "test-all", "test-fast", "lint", "types"} == {
        one for words in named for one in words.split()
    }
    assert {one for words in named for one in words.split()} <= set(targets)


def test_the_version_is_the_same_everywhere() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert str(cited["version"]) == version
    assert f"## {version}" in (ROOT / ".github" / "CHANGELOG.md").read_text("utf-8")


def test_hooks_are_of_the_version_that_make_lint_runs() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))
    own = {hook["id"]: hook["entry"] for repo in hooks["repos"] for hook in repo["hooks"]
           if repo["repo"] == "local"}  # fmt: skip
    assert {name: entry.split()[0] for name, entry in own.items()} == {
        "ruff": ".venv/bin/ruff",
        "ruff-format": ".venv/bin/ruff",
        "mypy": ".venv/bin/mypy",
    }
