"""A user's own file as a subject x value matrix: which columns are values, and each cell's number.

The roles of columns, by name or by flag, are in `roles`; what looks wrong, in `suspects`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from gpla_assets.common.tables import Table, TableOptions, read_table
from gpla_assets.common.tables.numbers import Decimal
from gpla_assets.psychometrics.cells import MissingCodes, check_words, column_numbers, number_reader
from gpla_assets.psychometrics.errors import MatrixError
from gpla_assets.psychometrics.roles import Roles, column_named, roles_of
from gpla_assets.psychometrics.suspects import suspects


@dataclass(frozen=True)
class ReadingOptions:
    """What a user says of a file; what is not said is found out, and refused where it is not clear.

    `missing_codes` stand for missing cells. `id`, `cluster`, `group` and `weight` are columns;
    columns in `drop` are left out. `labels` are answers in words from the lowest to the highest,
    which count 1, 2, 3 ..., or `word=number`. `values`: only these columns are values, and what is
    in others does not matter (a value system's own).
    """

    missing_codes: tuple[str, ...] = ()
    id: str | None = None
    cluster: str | None = None
    group: str | None = None
    weight: str | None = None
    drop: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    decimal: Decimal | None = None
    table: TableOptions = field(default_factory=TableOptions)
    values: tuple[str, ...] | None = None


@dataclass(frozen=True)
class OwnMatrix:
    """A user's matrix and what was read.

    `scores` (n_subjects, n_values) are NaN where a cell is missing; each subject has a cell. The
    series are by subject: `clusters` the LLM of each, `groups`, `weights`. `said` tells what was
    read, `cautions` what looks wrong, `others` names the columns that are no values. `lines` is
    where each subject stands in the file. `of_correlations`: the subjects are made up, and only
    their correlations are the user's.
    """

    scores: pd.DataFrame
    clusters: pd.Series | None = None
    groups: pd.Series | None = None
    weights: pd.Series | None = None
    said: tuple[str, ...] = ()
    cautions: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    lines: tuple[int, ...] = ()
    of_correlations: bool = False


def read_own(path: Path, options: ReadingOptions | None = None) -> OwnMatrix:
    """The matrix of a file: one row a subject, one column a value.

    What is read: docs/method/structure.md.

    The columns `subject`, `llm` (`model`, `cluster`), `group` and `weight` have their role by name,
    others by the options. Subjects named `llm|profile` have their LLM before the bar. Rows without
    any cell among the values are left out and counted. Raises TableError for a file that cannot be
    read in one way, and MatrixError (which is one) by the column, line and cell of what is no
    number.
    """
    options = options or ReadingOptions()
    table = read_table(path, options.table)
    roles = roles_of(table, options)
    kept, left_out = _candidates(table, roles, options)
    codes = MissingCodes.of(options.missing_codes)
    cells = {name: codes.without(table.columns[name]) for name in kept}
    reader, how = number_reader(cells, table, options.decimal)
    columns: dict[str, np.ndarray] = {}
    notes: list[str] = []
    for name, column in cells.items():
        numbers, note = column_numbers(name, column, reader, table, options.labels)
        if numbers is None:
            left_out[name] = note
            continue
        columns[name] = codes.masked(numbers)
        notes += [note] if note else []
    check_words(cells, left_out, table)
    whole = pd.DataFrame(columns, index=roles.names)
    if not len(whole.columns):
        raise MatrixError(
            f"{path}: none of the columns {', '.join(list(table.columns)[:6])} holds numbers; "
            "expected one column a value. If another sign divides the columns: --delimiter."
        )
    _check_square(whole, table, roles)
    measured = whole.notna().any(axis=1).to_numpy()
    scores = whole[measured]
    lines = np.array(table.lines)[measured]
    said = _said(table, roles, scores, left_out, [*how, *notes], int((~measured).sum()))
    return OwnMatrix(
        scores=scores,
        clusters=_kept(roles.clusters, measured),
        groups=_kept(roles.groups, measured),
        weights=_kept(roles.weights, measured),
        said=tuple(said),
        cautions=(
            *roles.cautions,
            *codes.unused(),
            *suspects(scores, lines, table.unit, roles.named_weight),
        ),
        others=tuple(name for name in table.columns if name not in scores),
        lines=tuple(int(line) for line in lines),
    )


def _candidates(
    table: Table, roles: Roles, options: ReadingOptions
) -> tuple[list[str], dict[str, str]]:
    """Columns that may be values, and why others are left out."""
    dropped = {column_named(name, table, "--drop") for name in options.drop}
    taken = set(roles.columns.values())
    free = [name for name in table.columns if name not in taken | dropped]
    left_out = {name: "--drop" for name in table.columns if name in dropped}
    if options.values is None:
        return free, left_out
    wanted = set(options.values)
    return [name for name in free if name in wanted], left_out


def _check_square(whole: pd.DataFrame, table: Table, roles: Roles) -> None:
    """Raises MatrixError where the file holds correlations."""
    r = whole.to_numpy()
    if (
        r.shape[0] == r.shape[1] >= 3
        and np.allclose(np.diag(r), 1.0)
        and np.nanmax(np.abs(r)) <= 1.0 + 1e-9
        and np.allclose(r, r.T, atol=1e-6, equal_nan=True)
    ):
        raise MatrixError(
            f"{table.path} holds a matrix of correlations ({len(r)} x {len(r)}, symmetric, ones "
            f"on the diagonal) and no subjects; pass it by --correlations {table.path.name} --n "
            "NUMBER OF SUBJECTS."
        )


def _kept(series: pd.Series | None, measured: np.ndarray) -> pd.Series | None:
    return None if series is None else series[measured]


def _said(
    table: Table,
    roles: Roles,
    scores: pd.DataFrame,
    left_out: Mapping[str, str],
    how: Sequence[str],
    empty: int,
) -> list[str]:
    missing = int(scores.isna().to_numpy().sum())
    said = [
        f"{_counted(len(scores), 'row')}, {_counted(scores.shape[1], 'value')}, "
        f"{_counted(missing, 'cell')} missing "
        f"({', '.join([*table.said, *_grouped(how)])})",
        *roles.said,
    ]
    if empty:
        said.append(f"{_counted(empty, 'row')} without any cell left out")
    if left_out:
        names = ", ".join(f"{_short(name)} ({why})" for name, why in left_out.items())
        said.append(f"left out: {names}")
    return said


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _short(name: str, most: int = 40) -> str:
    return name if len(name) <= most else f"{name[: most - 4]} ..."


def _grouped(notes: Sequence[str]) -> list[str]:
    """Notes on columns with the same words, together."""
    by_words: dict[str, list[str]] = {}
    for note in notes:
        name, sign, words = note.rpartition(": ")
        by_words.setdefault(words if sign else note, []).append(_short(name))
    return [
        f"{', '.join(names[:3])}{f' and {len(names) - 3} more' if len(names) > 3 else ''}: {words}"
        if any(names)
        else words
        for words, names in by_words.items()
    ]
