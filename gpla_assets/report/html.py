"""The page as one file: its modules, its look and its data inlined, replaced at once."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from gpla_assets.common.json_data import Json
from gpla_assets.report.columns import packed, squeezed

FRONT_END = files("gpla_assets.report") / "explorer"


def write_page(path: Path, kind: str, name: str, parts: Mapping[str, object]) -> None:
    """Write a page of parts of data; replaces the old one at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    staged = path.with_suffix(".partial")
    staged.write_text(page(kind, name, parts), "utf-8")
    os.replace(staged, path)


def page(kind: str, name: str, parts: Mapping[str, object]) -> str:
    """The HTML of parts (core first, then what is decoded later), plotly if one has a picture."""
    letters = {part: packed(data) for part, data in parts.items()}  # type: ignore[arg-type]
    if any(one["figure"] for one in _panels(parts)):
        letters["plotly"] = _plotly()
    environment = Environment(
        loader=PackageLoader("gpla_assets.report"), autoescape=True, undefined=StrictUndefined
    )
    return environment.get_template("explorer.html.j2").render(
        kind=kind,
        name=name,
        style=Markup((FRONT_END / "style.css").read_text("utf-8")),
        modules=Markup(json.dumps({"imports": modules()})),
        parts=letters,
    )


def made_now() -> str:
    """When a page was made, as it says."""
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")


def modules() -> dict[str, str]:
    """The page's modules by the names they import one another by.

    A page that is opened from disk can load no other file: each module is a URL that holds it.
    """
    found = {}
    for file in sorted(FRONT_END.iterdir(), key=lambda one: one.name):
        if file.name.endswith(".js"):
            code = file.read_text("utf-8").replace('from "./', 'from "gpla/')
            letters = base64.b64encode(code.encode()).decode("ascii")
            found[f"gpla/{file.name}"] = f"data:text/javascript;base64,{letters}"
    return found


def _panels(parts: Mapping[str, object]) -> list[Json]:
    found = parts.get("panels", [])
    assert isinstance(found, list)
    return found


@lru_cache(maxsize=1)
def _plotly() -> str:
    from plotly.offline import get_plotlyjs

    return squeezed(get_plotlyjs())
