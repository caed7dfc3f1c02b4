"""Which columns of a user's file are no values: ids of subjects, LLMs, groups, weights."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from gpla_assets.common.tables import NumberReader, Table, is_missing
from gpla_assets.psychometrics.errors import MatrixError

if TYPE_CHECKING:
    from gpla_assets.psychometrics.reading import ReadingOptions

BY_NAME = {
    "id": ("subject",),
    "cluster": ("llm", "model", "cluster"),
    "group": ("group",),
    "weight": ("weight",),
}
"""Names, whatever their case, that give a column its role."""
NAMES_OF_IDS = frozenset({
    "id", "subject_id", "subjectid", "subj", "participant", "participant_id", "pid", "case",
    "caseid", "case_id", "respondent", "respondent_id", "response_id", "responseid",
    "record_id", "uid", "uuid", "vpn", "vp", "nr", "no", "rownames", "row.names", "row",
    "unnamed:_0", "...1", "x", "index",
})  # fmt: skip
"""Names of columns that are ids where no two rows share a cell."""
FEWEST_CLUSTERS = 5
DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}\b")
"""A time stamp is no name of a subject."""


@dataclass(frozen=True)
class Roles:
    """Columns that are no values by their role, and what they hold, by subject."""

    columns: dict[str, str]
    names: pd.Index
    clusters: pd.Series | None
    groups: pd.Series | None
    weights: pd.Series | None
    said: tuple[str, ...]
    cautions: tuple[str, ...]
    named_weight: bool


def roles_of(table: Table, options: ReadingOptions) -> Roles:
    """The roles that names of columns and the options give.

    Raises MatrixError for a column that is not there, two that could have one role, a subject that
    stands twice, a row without its cluster, and weights that are no positive numbers.
    """
    columns = _columns(table, options)
    said, cautions = [], []
    if "id" not in columns and table.row_names is None and (own := _id_column(table, columns)):
        columns["id"] = own
    names, how = _names(table, columns)
    said += [how] if how else []
    index = pd.Index(names, name="subject_id")
    clusters = _series(table, columns, "cluster", index)
    if clusters is None and ("id" in columns or table.row_names):
        if all("|" in name for name in names):
            clusters = pd.Series([name.rsplit("|", 1)[0] for name in names], index)
            said.append("LLMs: before the bar of the subjects' names")
    elif clusters is not None:
        _check_clusters(clusters, columns["cluster"], table)
        said.append(
            f"LLMs (clusters): column {columns['cluster']!r}, {clusters.nunique()} different"
        )
    if clusters is not None and clusters.nunique() < FEWEST_CLUSTERS:
        cautions.append(
            f"{clusters.nunique()} LLMs (clusters) in {len(clusters)} rows: too few to resample. "
            f"If {columns.get('cluster', 'it')!r} tells groups of independent subjects: --group."
        )
    groups = _series(table, columns, "group", index)
    if groups is not None:
        said.append(f"groups: column {columns['group']!r}, {groups.nunique()} different")
    weights = _weights(table, columns, index)
    if weights is not None:
        said.append(f"weights: column {columns['weight']!r}")
        cautions.append(
            f"The weights of column {columns['weight']!r} are not used: each row counts once."
        )
    return Roles(
        columns, index, clusters, groups, weights, tuple(said), tuple(cautions), weights is not None
    )


def column_named(name: str, table: Table, flag: str) -> str:
    """The column of this name; raises MatrixError with the nearest names."""
    if name in table.columns:
        return name
    folded = {one.casefold(): one for one in table.columns}
    if name.strip().casefold() in folded:
        return folded[name.strip().casefold()]
    near = difflib.get_close_matches(name, table.columns, 3, 0.5) or list(table.columns)[:5]
    raise MatrixError(
        f"{flag} {name}: {table.path} has no such column; the nearest: {', '.join(near)}."
    )


def _columns(table: Table, options: ReadingOptions) -> dict[str, str]:
    columns: dict[str, str] = {}
    given = {role: getattr(options, role) for role in BY_NAME if getattr(options, role) is not None}
    for role, name in given.items():
        columns[role] = column_named(name, table, f"--{role}")
    dropped = {name.strip().casefold() for name in options.drop}
    free = [
        name
        for name in table.columns
        if name not in columns.values()
        and name.casefold() not in dropped
        and name not in (options.values or ())
    ]
    for role, known in BY_NAME.items():
        found = [name for name in free if name.casefold() in known]
        if role in columns or not found:
            continue
        if len(found) > 1:
            raise MatrixError(
                f"{table.path}: columns {' and '.join(map(repr, found))} could both be the "
                f"{role}; name the one by --{role} {found[0]!r}, and leave the other out: --drop "
                f"{found[1]!r}."
            )
        columns[role] = found[0]
    return columns


def _id_column(table: Table, columns: dict[str, str]) -> str | None:
    """A column that is called an id, or the first one if it has a text of its own in each row."""
    for place, (name, cells) in enumerate(table.columns.items()):
        if name in columns.values():
            continue
        folded = name.casefold().replace(" ", "_")
        if folded in NAMES_OF_IDS and (place == 0 or folded not in ("x", "no", "row", "index")):
            reader = NumberReader()
            if len(set(cells)) == len(cells) and all(
                reader.number(cell) is None or float(cell).is_integer() if "," not in cell else True
                for cell in cells
            ):
                return name
            if folded.endswith("id"):
                _check_twice(list(cells), table, name)
    first = next(iter(table.columns), None)
    if first is not None and first not in columns.values():
        cells = table.columns[first]
        words = [cell for cell in cells if not is_missing(cell)]
        if len(set(cells)) == len(cells) == len(words) and all(
            any(sign.isalpha() for sign in cell)
            and NumberReader().number(cell) is None
            and not DATE.match(cell)
            for cell in words
        ):
            return first
    return None


def _names(table: Table, columns: dict[str, str]) -> tuple[list[str], str]:
    if "id" in columns:
        names, where = table.columns[columns["id"]], columns["id"]
        how = f"ids of subjects: column {where!r}"
    elif table.row_names is not None:
        names, where = table.row_names, "(row names)"
        how = "ids of subjects: the first column, without a name"
    else:
        return [f"row {line}" for line in table.lines], ""
    names = [name or f"row {line}" for name, line in zip(names, table.lines, strict=True)]
    _check_twice(names, table, where)
    return names, how


def _check_twice(names: list[str], table: Table, column: str) -> None:
    name, times = Counter(names).most_common(1)[0]
    if times == 1:
        return
    lines = [str(table.lines[n]) for n, one in enumerate(names) if one == name]
    others = sum(1 for count in Counter(names).values() if count > 1) - 1
    flag = "" if column == "(row names)" else (
        f" Rename or merge them; if these are several measurements of one LLM: --cluster "
        f"{column!r}; if it is no id: --drop {column!r}."
    )  # fmt: skip
    raise MatrixError(
        f"{table.path}: subject {name!r} stands {times} times ({table.unit}s "
        f"{', '.join(lines[:4])}{' ...' if times > 4 else ''}"
        f"{f'; so do {others} others' if others else ''}); expected each subject once.{flag}"
    )


def _series(table: Table, columns: dict[str, str], role: str, index: pd.Index) -> pd.Series | None:
    if role not in columns:
        return None
    cells = [None if is_missing(cell) else cell for cell in table.columns[columns[role]]]
    return pd.Series(cells, index, dtype=object, name=columns[role])


def _check_clusters(clusters: pd.Series, column: str, table: Table) -> None:
    missing = clusters.isna().to_numpy()
    if missing.any():
        raise MatrixError(
            f"{table.path}: {table.place(int(missing.argmax()))} has no LLM (column {column!r}, "
            f"{int(missing.sum())} such rows); expected one in each row."
        )


def _weights(table: Table, columns: dict[str, str], index: pd.Index) -> pd.Series | None:
    if "weight" not in columns:
        return None
    name = columns["weight"]
    numbers = []
    for row, cell in enumerate(table.columns[name]):
        number = NumberReader().number(cell)
        if number is None:
            number = NumberReader("comma").number(cell)
        if number is None or number < 0:
            raise MatrixError(
                f"{table.path}: column {name!r} has {cell!r} on {table.place(row)}; expected a "
                f"weight of at least 0. If it is no weight: --drop {name!r}."
            )
        numbers.append(number)
    return pd.Series(numbers, index, dtype=float, name=name)
