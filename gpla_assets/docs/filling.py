"""Results in the checkout: the commit that they are of, and the pages that show them."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from gpla_assets.docs.measured import BLOCK, fill
from gpla_assets.studies.places import PACKAGE


def commit_of(paths: Sequence[Path]) -> tuple[str, str]:
    """The last commit that changed any of the paths, and its day; "unknown" outside a checkout."""
    command = ["git", "log", "-1", "--format=%h %ad", "--date=short", "--", *map(str, paths)]
    try:
        done = subprocess.run(command, cwd=PACKAGE, capture_output=True, text=True, check=False)
    except OSError:  # no git
        return "unknown", "unknown day"
    commit, _, day = done.stdout.strip().partition(" ")
    return (commit, day) if commit else ("unknown", "unknown day")


def pages_with_results() -> list[Path]:
    """README and pages that have a block of results."""
    every = [PACKAGE.parent / "README.md", *(PACKAGE / "docs").rglob("*.md")]
    return [path for path in every if path.exists() and BLOCK.search(path.read_text("utf-8"))]


def fill_pages(pages: Sequence[Path], folder: Path) -> list[Path]:
    """Fill the blocks of pages from a folder of results; the pages that changed."""
    changed = []
    for path in pages:
        text = path.read_text("utf-8")
        filled = fill(text, folder)
        if filled != text:
            path.write_text(filled, "utf-8")
            changed.append(path)
    return changed
