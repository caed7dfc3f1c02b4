"""Panels of the explorer: a picture, the tables behind it, their SQL; none where all is empty."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Literal

import pandas as pd
import plotly.graph_objects as go
import yaml
from pydantic import BaseModel

from gpla_assets.common.json_data import Json
from gpla_assets.report.columns import columns

Tables = Mapping[str, pd.DataFrame]
MOST_ROWS = 2000
"""Rows of a table that a page holds; the panel's SQL gives all."""
FACTORS = ("factor", "factor_a", "factor_b")
"""Columns in which a factor is shown by its name."""


FEWEST_LLMS = 5
"""A criterion of fewer of our LLMs is not probed."""


class Rows(BaseModel, frozen=True, extra="forbid"):
    """A table of a panel: its name among the tables, its title, and the columns that are shown
    (all where none are named); folded unless it is `open`."""

    table: str
    title: str
    columns: tuple[str, ...] = ()
    open: bool = False


class Panel(BaseModel, frozen=True, extra="forbid"):
    """A panel of a view: `figure` is its name among the pictures.

    `each`: one panel a row of a table, whose {place} and {name} stand in its texts; `needs`: a
    table without which the panel is left out.
    """

    id: str
    title: str
    said: str = ""
    figure: str = ""
    tables: tuple[Rows, ...] = ()
    each: Literal["criteria", "target_systems", "alignment_systems", "beside"] | None = None
    needs: str | None = None


@lru_cache(maxsize=1)
def declared() -> dict[str, list[Panel]]:
    """Panels by view, as panels.yaml has them."""
    text = (files("gpla_assets.report") / "panels.yaml").read_text("utf-8")
    found = yaml.safe_load(text)
    return {view: [Panel.model_validate(one) for one in panels] for view, panels in found.items()}


def panels_of(view: str, tables: Tables) -> Iterator[Panel]:
    """Panels of a view, those of each row of a table one by one."""
    for one in declared()[view]:
        if one.needs is not None and tables[one.needs].empty:
            continue
        if one.each is None:
            yield one
            continue
        for place, row in enumerate(_rows_of(one.each, tables)):
            if row is not None:
                told = {"place": place, **row}
                texts = ("id", "title", "said", "figure")
                yield one.model_copy(
                    update={name: getattr(one, name).format_map(told) for name in texts}
                )


def _rows_of(each: str, tables: Tables) -> list[dict[str, str] | None]:
    """Names of rows; None in the place of one that is not shown."""
    if each != "criteria":
        return [{"name": str(one), "about": ""} for one in tables[each].iloc[:, 0]]
    found: list[dict[str, str] | None] = []
    for row in tables["q_criteria"].to_dict("records"):
        about = (
            f"{row['n_llms']} of our LLMs are among its {row['n_names']}. {row['caution'] or ''}"
        )
        shown = row["n_llms"] >= FEWEST_LLMS and row["kind"] != "control"
        name = f"{row['criterion']} ({row['kind']}, {row['unit']})"
        found.append({"name": name, "about": about.strip()} if shown else None)
    return found


def drawn(
    views: Iterable[str],
    tables: Tables,
    pictures: Mapping[str, go.Figure],
    queries: Mapping[str, str],
) -> list[Json]:
    """Panels of views as the page draws them; one without a picture and rows is left out."""
    names = dict(tables["names"][["factor", "name"]].to_numpy())
    found = []
    every = [(view, one) for view in views for one in panels_of(view, tables)]
    for view, one in every:
        picture = pictures.get(one.figure)
        shown = picture if picture is not None and shows_something(picture) else None
        own = [
            _rows(rows, tables[rows.table], names) for rows in one.tables if len(tables[rows.table])
        ]
        if shown is None and not own:
            continue
        sql = [queries[rows.table] for rows in one.tables if rows.table in queries]
        found.append({
            "view": view, "id": one.id, "title": one.title, "said": one.said,
            "figure": None if shown is None else _figure(shown),
            "tables": own, "sql": _tidy(sql[0]) if sql else None,
        })  # fmt: skip
    return found


def shows_something(figure: go.Figure) -> bool:
    """Whether a picture has a mark: without rows pictures are empty."""
    for trace in figure.data:
        for name in ("x", "y", "z", "values", "labels"):
            marks = getattr(trace, name, None)
            if marks is not None and len(marks):
                return True
    return False


def _figure(figure: go.Figure) -> Json:
    found = json.loads(figure.to_json())
    # the page has a look of its own
    found["layout"].pop("template", None)
    return {"data": found["data"], "layout": found["layout"]}


def _rows(rows: Rows, frame: pd.DataFrame, names: Mapping[str, str]) -> Json:
    kept = [name for name in rows.columns if name in frame.columns] or list(frame.columns)
    shown = frame[kept].head(MOST_ROWS).dropna(axis=1, how="all")
    for name in FACTORS:
        if name in shown.columns:
            known = shown[name].map(names)
            shown = shown.assign(**{name: known.where(known.notna(), shown[name])})
    cut = f", the first {MOST_ROWS} of {len(frame)}" if len(frame) > MOST_ROWS else ""
    return {"title": rows.title + cut, "columns": columns(shown, 4), "open": rows.open}


def _tidy(sql: str) -> str:
    lines = [line for line in sql.strip().splitlines() if not line.startswith("--")]
    indents = [len(line) - len(line.lstrip()) for line in lines[1:] if line.strip()]
    cut = min(indents, default=0)
    return "\n".join([lines[0], *(line[cut:] for line in lines[1:])]) if lines else ""
