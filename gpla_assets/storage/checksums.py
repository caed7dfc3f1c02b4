"""Checksums of tables that do not depend on the order of rows, nor on what the table lies in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import duckdb

from gpla_assets.storage.writing import literal, quoted

COLUMNS = """
select schema_name, table_name, list(column_name order by column_name)
from duckdb_columns() join duckdb_tables() using (database_name, schema_name, table_name)
where database_name = {0} and schema_name <> 'main' group by all order by all
"""


@dataclass(frozen=True)
class Checksum:
    """Rows of a table, and the sum of the rows' hashes."""

    rows: int
    total: int


Checksums = Mapping[str, Checksum]
"""By schema and name, e.g. `evidence.subjects`."""


def checksums_of(connection: duckdb.DuckDBPyConnection, catalogue: str) -> Checksums:
    """Those of every table of a catalogue. Two tables of the same rows have the same."""
    found = {}
    for schema, table, columns in connection.execute(COLUMNS.format(literal(catalogue))).fetchall():
        row = connection.execute(
            f"select count(*), coalesce(sum(hash({', '.join(map(quoted, columns))})::hugeint), 0) "
            f"from {quoted(catalogue)}.{quoted(schema)}.{quoted(table)}"
        ).fetchone()
        assert row is not None
        found[f"{schema}.{table}"] = Checksum(int(row[0]), int(row[1]))
    return found


def unlike(one: Checksums, other: Checksums) -> list[str]:
    """Where two stores differ, a line a table; a table without rows may be lacking."""
    none = Checksum(0, 0)
    lines = []
    for name in sorted(one.keys() | other.keys()):
        a, b = one.get(name, none), other.get(name, none)
        if a != b:
            said = f"{a.rows:,} rows and {b.rows:,}" if a.rows != b.rows else "other values"
            lines.append(f"{name}: {said}")
    return lines
