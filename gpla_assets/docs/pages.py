"""The pages: those that are written, and those that are made of the code."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from typer.core import TyperGroup

FOLDER = Path(__file__).parent
BESIDE = {
    "../evaluator/MODEL_CARD.md": "agents/model_card.md",
    "../judges/MODEL_CARD.md": "agents/judges.md",
    "../content/labelling.md": "agents/labelling.md",
}
"""Pages that lie beside the weights they describe, and their names among the pages."""
LINK = re.compile(r"\[([^\]]*)\]\(([^)#:\s]+)(#[^)\s]*)?\)")


def written_pages() -> dict[str, str]:
    """Pages that are written, by their path below docs/."""
    found = {
        path.relative_to(FOLDER).as_posix(): path.read_text("utf-8")
        for path in sorted(FOLDER.rglob("*.md"))
    }
    beside = {name: (FOLDER / path).read_text("utf-8") for path, name in BESIDE.items()}
    return found | beside


def reference_pages(program: TyperGroup) -> dict[str, str]:
    """Pages that are made of the code, by their path; `program` is the command line."""
    # each imports the room that it describes
    from gpla_assets.docs.commands_page import commands_page, queries_page
    from gpla_assets.docs.python_page import python_page
    from gpla_assets.docs.settings_page import settings_page
    from gpla_assets.docs.tables_page import tables_page

    return {
        "reference/settings.md": settings_page(),
        "reference/tables.md": tables_page(),
        "reference/commands.md": commands_page(program),
        "reference/queries.md": queries_page(),
        "reference/python.md": python_page(),
    }


def page_name(path: str) -> str:
    """What a page is called on the command line.

    >>> page_name("tutorials/analyst.md"), page_name("decisions/README.md"), page_name("README.md")
    ('tutorials/analyst', 'decisions', 'start')
    """
    name = path.removesuffix(".md").removesuffix("README").removesuffix("/")
    return name or "start"


def on_the_site(path: str, text: str, every: Mapping[str, object]) -> str:
    """A page with its links as the site needs them.

    A link to a page that lies beside its weights goes to that page; one to a file that the site
    does not have (code, tests) becomes the file's name.
    """
    own = "" if path in BESIDE.values() else str(PurePosixPath(path).parent)

    def linked(match: re.Match[str]) -> str:
        shown, target, part = match[1], match[2], match[3] or ""
        full = os.path.normpath(os.path.join(own, target))
        if full in BESIDE:
            return f"[{shown}]({os.path.relpath(BESIDE[full], own or '.')}{part})"
        if full.startswith("..") and full not in every:
            return shown if shown.startswith("`") else f"{shown} (`{PurePosixPath(full).name}`)"
        return match[0]

    return LINK.sub(linked, text)
