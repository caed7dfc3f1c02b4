"""Whether a warehouse is whole: versions, keys, references, and what was published."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import duckdb

from gpla_assets.storage.checksums import checksums_of, unlike
from gpla_assets.storage.file_warehouse import FileWarehouse
from gpla_assets.storage.lake_history import history_of, published_connection
from gpla_assets.storage.lake_warehouse import LakeWarehouse
from gpla_assets.storage.migration import PRESENT, VERSION, version_of
from gpla_assets.storage.publication import Publication
from gpla_assets.storage.tables import TABLES, declared
from gpla_assets.storage.transfer import checksums_in
from gpla_assets.storage.warehouse import Warehouse
from gpla_assets.storage.writing import quoted, relation

REFERENCES = (
    ("subjects", "llm", "llms", "llm"),
    ("subjects", "profile", "profiles", "profile"),
    ("responses", "subject_id", "subjects", "subject_id"),
    ("responses", "question_id", "questions", "question_id"),
    ("perceptions", "subject_id", "subjects", "subject_id"),
    ("perceptions", "agent_id", "agents", "agent_id"),
    ("perception_values", "perception_id", "perceptions", "perception_id"),
    ("perception_values", "value", "values", "value"),
    ("measurements", "perception_id", "perceptions", "perception_id"),
    ("measurements", "agent_id", "agents", "agent_id"),
    ("expressions", "response_id", "responses", "response_id"),
    ("expressions", "subject_id", "subjects", "subject_id"),
)
"""Table, column, and the table and column where its texts must stand; null refers to nothing."""
NAMED = 3
"""Keys that a finding names."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: whether it is as it must be, and what was found."""

    what: str
    good: bool
    said: str


def findings(warehouse: Warehouse, publication: Publication) -> Iterator[Finding]:
    """All that `gpla warehouse verify` looks at. Raises WarehouseError where nothing is there."""
    wrong = warehouse.read_as_it_is(_of_rows)
    yield from wrong
    fault = warehouse.published_fault(publication)
    yield Finding("published", fault is None, fault or "is what was written last")
    if fault is None:
        lines = _published_unlike(warehouse)
        yield Finding("checksums", not lines, "; ".join(lines[:NAMED]) or "as they were written")


def _of_rows(connection: duckdb.DuckDBPyConnection) -> list[Finding]:
    present: dict[str, set[str]] = {}
    for table, column in connection.execute(PRESENT).fetchall():
        present.setdefault(table, set()).add(column)
    version = version_of(connection, present)
    said = f"{version}; this gpla writes {VERSION}"
    found = [Finding("schema version", version == VERSION, said)]
    there = [name for name in TABLES if name in present]
    keys = [text for name in there for text in _wrong_keys(connection, name)]
    found.append(
        Finding("keys", not keys, "; ".join(keys[:NAMED]) or f"unique in {len(there)} tables")
    )
    orphans = [
        text
        for one in REFERENCES
        if one[0] in present and one[2] in present
        for text in _orphans(connection, *one)
    ]
    said = "; ".join(orphans[:NAMED]) or f"none in {len(REFERENCES)} references"
    return [*found, Finding("orphans", not orphans, said)]


def _wrong_keys(connection: duckdb.DuckDBPyConnection, table: str) -> Iterator[str]:
    keys = [item.name for item in declared(table).primary_key.columns]
    named = ", ".join(quoted(name) for name in keys)
    rows = connection.execute(
        f"select {named}, count(*) as n from {relation(table)} group by all having n > 1 "
        f"limit {NAMED}"
    ).fetchall()
    yield from (
        f"{table}: {' | '.join(map(str, row[:-1]))} is there {row[-1]} times" for row in rows
    )
    empty = " or ".join(f"{quoted(name)} is null" for name in keys)
    row = connection.execute(f"select count(*) from {relation(table)} where {empty}").fetchone()
    if row and row[0]:
        yield f"{table}: {row[0]} rows without a key"


def _orphans(
    connection: duckdb.DuckDBPyConnection, table: str, column: str, other: str, key: str
) -> Iterator[str]:
    rows = connection.execute(
        f"select {quoted(column)}, count(*) from {relation(table)} as child where "
        f"{quoted(column)} is not null and not exists (from {relation(other)} as parent "
        f"where parent.{quoted(key)} = child.{quoted(column)}) group by all order by 1"
    ).fetchall()
    if rows:
        count = sum(row[1] for row in rows)
        yield f"{table}.{column}: {count} rows name what {other} lacks, e.g. {rows[0][0]!r}"


def _published_unlike(warehouse: Warehouse) -> list[str]:
    """Tables whose published rows are not those that were written."""
    if isinstance(warehouse, FileWarehouse):
        with warehouse.locked() as working:
            return unlike(checksums_in(working), checksums_in(warehouse.path))
    assert isinstance(warehouse, LakeWarehouse)
    if not history_of(warehouse.lake):
        return []
    with published_connection(warehouse.lake) as connection:
        published = checksums_of(connection, "lake")
    return unlike(warehouse.read_as_it_is(lambda one: checksums_of(one, "lake")), published)
