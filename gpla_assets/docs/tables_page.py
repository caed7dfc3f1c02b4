"""The page of a published file's tables and columns, made of where they are declared."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from gpla_assets.docs.markdown import cell, code, table
from gpla_assets.storage.columns import ANALYSIS, EVIDENCE, INTERNAL, MARTS, PAPER
from gpla_assets.storage.tables import TABLES, declared
from gpla_assets.studies import dbt_folder, sql_folder

HEAD = """# Tables and columns

What a study's published file holds. [The warehouse](../warehouse.md) says how the tables belong
together. The same descriptions are in the file itself: `describe marts.llm_values`, or
`select * from duckdb_columns()`. A key marked *key* names a row. A table that a study does not ask
for is not in its file.
"""
SCHEMAS = {
    MARTS: "What one reads first: tables that dbt builds, and views of them.",
    ANALYSIS: "What the statistics found.",
    EVIDENCE: "The rows that numbers rest on.",
    INTERNAL: "Bookkeeping.",
    PAPER: "The paper's own tables, as it prints them.",
}


@dataclass(frozen=True)
class Described:
    """A table: its name with the schema, what a row is, rows of name, type and description."""

    name: str
    comment: str
    columns: list[list[str]]


def tables_page() -> str:
    """Every table by schema, with its columns."""
    every = [*_of_python(), *_of_dbt(), *_views()]
    parts = [HEAD]
    for schema, told in SCHEMAS.items():
        parts.append(f"## {schema}\n\n{told}\n")
        own = [one for one in every if one.name.partition(".")[0] == schema]
        for one in sorted(own, key=lambda described: described.name):
            rows = table(["column", "type", "what"], one.columns)
            parts.append(f"### {one.name}\n\n{cell(one.comment)}\n\n{rows}")
    return "\n".join(parts)


def _of_python() -> Iterator[Described]:
    for name in TABLES:
        own = declared(name)
        keys = {column.name for column in own.primary_key.columns}
        rows = [
            [
                code(column.name),
                str(column.type).lower() + (" or null" if column.nullable else ""),
                ("*key.* " if column.name in keys else "") + cell(column.comment or ""),
            ]
            for column in own.columns
        ]
        yield Described(f"{own.schema}.{own.name}", own.comment or "", rows)


def _of_dbt() -> Iterator[Described]:
    """Models of marts and the paper's seeds; staging and intermediate ones are no one's to read."""
    for path in sorted((dbt_folder() / "models" / "marts").rglob("*.yml")):
        for model in yaml.safe_load(path.read_text("utf-8")).get("models", []):
            yield _dbt(MARTS, model["name"], model)
    for seed in _loaded(dbt_folder() / "seeds" / "seeds.yml", "seeds"):
        alias = seed.get("config", {}).get("alias", seed["name"].removeprefix("paper_"))
        yield _dbt(PAPER, alias, seed)


def _loaded(path: Path, part: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load(path.read_text("utf-8"))[part]
    return found


def _dbt(schema: str, name: str, own: dict[str, Any]) -> Described:
    columns = own.get("columns", [])
    assert isinstance(columns, list)
    rows = [
        [code(one["name"]), one.get("data_type", ""), cell(one.get("description", ""))]
        for one in columns
    ]
    return Described(f"{schema}.{name}", str(own.get("description", "")), rows)


def _views() -> Iterator[Described]:
    """sql/views: the first comment says what a row is, the next ones name its columns."""
    for path in sorted((sql_folder() / "views").glob("*.sql")):
        lines = [one[3:] for one in path.read_text("utf-8").splitlines() if one.startswith("-- ")]
        named = [one.partition(": ") for one in lines[1:] if ": " in one]
        rows = [[code(name), "", cell(told)] for name, _, told in named]
        yield Described(f"{MARTS}.{path.stem}", f"{lines[0]} A view.", rows)
