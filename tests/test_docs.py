"""What documents name exists: files of the repository that stand in backticks or behind a link."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = [
    ROOT / "README.md",
    *sorted((ROOT / ".github").glob("*.md")),
    *sorted((ROOT / "gpla_assets").rglob("*.md")),
]
NAMED = re.compile(r"`([\w./-]+\.(?:py|sql|yml|yaml|csv|md|npz|safetensors))`|\]\(([^)#:]+)\)")
OF_USERS = re.compile(
    r"^(sql/(views/)?name|my|your|own|two|ours|scores|schwartz|study|pairs|values|answers)\b"
)
FOLDERS = ("", "gpla_assets", "dbt", "dbt/models", "sql", "tests", ".github", "gpla_assets/content")


def missing(document: Path, text: str) -> list[str]:
    """Files that a document names and that are nowhere it may mean."""
    found = []
    for match in NAMED.finditer(text):
        name = match.group(1) or match.group(2)
        if "/" not in name and match.group(1):
            continue  # a bare name: of a room that the sentence has named, or of a user's own
        places = [document.parent, *(ROOT / folder for folder in FOLDERS)]
        if not any((place / name).exists() for place in places) and not OF_USERS.match(name):
            found.append(name)
    return found


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_that_a_document_names_exist(document: Path) -> None:
    assert missing(document, document.read_text("utf-8")) == []


def test_a_file_that_is_nowhere_would_be_found() -> None:
    text = "See `agents/said.py`, `evaluator/said.py` and [that](docs/nothing.md)."
    assert missing(ROOT / "README.md", text) == ["agents/said.py", "docs/nothing.md"]
