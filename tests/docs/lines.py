"""The console lines of pages, and what the command line makes of them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from gpla_assets.cli import app

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "gpla_assets" / "docs"
PAGES = [
    ROOT / "README.md",
    *(ROOT / ".github").glob("*.md"),
    *sorted(DOCS.rglob("*.md")),
    *sorted((ROOT / "gpla_assets").glob("*/MODEL_CARD.md")),
]
COMMANDS: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]
PROMPT = re.compile(r"\$ (?:\.venv/bin/)?(gpla .*)")


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, and the file that the line before it names."""

    language: str
    text: str
    file: str | None


def blocks(text: str) -> Iterator[Block]:
    """The fenced blocks of a page, in their order."""
    for found in re.finditer(r"(?:`([\w.]+)`:\n\n)?```(\w*)\n(.*?)```", text, re.DOTALL):
        yield Block(found[2], found[3], found[1])


def gpla_lines(text: str) -> list[str]:
    """The `gpla` lines of a page's consoles, each whole."""
    consoles = [block.text for block in blocks(text) if block.language == "console"]
    lines = "\n".join(consoles).replace("\\\n", " ").splitlines()
    found = [PROMPT.match(line) for line in lines]
    return [one[1] for one in found if one]


def words(line: str) -> tuple[list[str], str | None]:
    """Arguments of a line without what the shell takes, and the file that it writes to."""
    own = shlex.split(line, comments=True)
    ends = [place for place, word in enumerate(own) if word in (">", "|")]
    arguments = own[1 : ends[0]] if ends else own[1:]
    return arguments, own[ends[0] + 1] if ends and own[ends[0]] == ">" else None


def parsed(line: str) -> dict[str, Any]:
    """What a `gpla` line gives its command, which is not run; fails where it would be refused."""
    name, *arguments = words(line)[0]
    found: dict[str, Any] = COMMANDS[name].make_context(name, arguments).params
    return found
