"""A matrix of correlations in the place of subjects: checked, and given a sample that has it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from gpla_assets.common.tables import Table, is_missing, read_table
from gpla_assets.psychometrics.cells import number_reader
from gpla_assets.psychometrics.correlation import SMALLEST_EIGENVALUE, nearest_psd
from gpla_assets.psychometrics.errors import MatrixError
from gpla_assets.psychometrics.reading import OwnMatrix, ReadingOptions
from gpla_assets.psychometrics.roles import column_named

TOLERANCE = 5e-3
"""By which r(a, b) and r(b, a), or a diagonal and 1, may differ: correlations are often rounded."""


def read_correlations(path: Path, n: int, options: ReadingOptions | None = None) -> OwnMatrix:
    """A sample (n, n_values) whose correlations are exactly those of the file, n - 1 below them.

    The file has one column a value and one row a value, in the same order or named in the first
    column; one half may be empty. What is computed of correlations and n is that of the user's
    data; the sample itself is normal (seed 0), of mean 0 and deviation 1. Raises MatrixError for a
    matrix that is not square, symmetric and with ones on its diagonal, by the cell; and for n that
    is not larger than the number of values.
    """
    options = options or ReadingOptions()
    table = read_table(path, options.table)
    matrix = _square(table, options)
    r = matrix.to_numpy()
    _check(matrix, path)
    r = (r + r.T) / 2
    np.fill_diagonal(r, 1.0)
    cautions = []
    smallest = float(np.linalg.eigvalsh(r).min())
    if smallest < SMALLEST_EIGENVALUE:
        r, _ = nearest_psd(r)
        cautions.append(
            f"The correlations are not positive definite (smallest eigenvalue {smallest:.4f}); "
            "negative eigenvalues were lifted."
        )
    if n <= len(r):
        raise MatrixError(f"--n {n}: expected more subjects than the {len(r)} values of {path}.")
    scores = pd.DataFrame(
        _sample(r, n), [f"subject {k}" for k in range(1, n + 1)], list(matrix.columns)
    )
    scores.index.name = "subject_id"
    cautions.append(
        f"Only correlations are known: the {n} subjects are a normal sample that has exactly "
        "these. What rests on subjects (intervals by resampling, permutations, halves) is that of "
        "normal data."
    )
    said = [f"{len(r)} x {len(r)} correlations of {n} subjects ({', '.join(table.said)})"]
    return OwnMatrix(
        scores=scores,
        said=tuple(said),
        cautions=tuple(cautions),
        lines=tuple(range(1, n + 1)),
        of_correlations=True,
    )


def _square(table: Table, options: ReadingOptions) -> pd.DataFrame:
    """The file's matrix (n_values, n_values), rows in the order of columns, halves filled in."""
    columns = dict(table.columns)
    names = table.row_names
    first = next(iter(columns))
    if names is None and set(columns[first]) == set(columns) - {first}:
        names = columns.pop(first)
    if len(columns) != len(table.lines):
        raise MatrixError(
            f"{table.path} has {len(table.lines)} rows and {len(columns)} columns; a matrix of "
            "correlations has as many rows as columns."
        )
    if names is not None and set(names) != set(columns):
        strange = next(name for name in names if name not in columns)
        raise MatrixError(
            f"{table.path}: row {strange!r} has no column of that name; expected the same names."
        )
    reader, _ = number_reader(columns, table, options.decimal)
    cells = {name: [_r(cell, reader.number(cell), name, row, table)
                    for row, cell in enumerate(column)]
             for name, column in columns.items()}  # fmt: skip
    matrix = pd.DataFrame(cells, index=names or list(columns), dtype=float).loc[list(columns)]
    gone = {column_named(name, table, "--drop") for name in options.drop}
    kept = [name for name in columns if name not in gone]
    matrix = matrix.loc[kept, kept]
    # a half, or a half without its diagonal, is how papers print it
    filled = matrix.fillna(matrix.T)
    for name in kept:
        if np.isnan(filled.at[name, name]):
            filled.at[name, name] = 1.0
    return filled


def _r(cell: str, number: float | None, name: str, row: int, table: Table) -> float:
    if is_missing(cell):
        return np.nan
    if number is None:
        raise MatrixError(
            f"{table.path}: column {name!r} has {cell!r} on {table.place(row)}; expected a "
            "correlation."
        )
    return number


def _check(matrix: pd.DataFrame, path: Path) -> None:
    r, names = matrix.to_numpy(), list(matrix.columns)
    faults: Mapping[str, np.ndarray] = {
        "no correlation": np.isnan(r),
        "{0:g} with itself, expected 1 (covariances? R's cov2cor(x) makes correlations of them)":
            np.eye(len(r), dtype=bool) & (np.abs(r - 1) > TOLERANCE),
        "{0:g}, expected between -1 and 1": np.abs(r) > 1 + TOLERANCE,
        "{0:g} there and {1:g} the other way round, expected the same": np.abs(r - r.T) > TOLERANCE,
    }  # fmt: skip
    for words, wrong in faults.items():
        if np.any(wrong):
            a, b = np.argwhere(wrong)[0]
            raise MatrixError(
                f"{path}: row {names[a]!r}, column {names[b]!r} has "
                f"{words.format(r[a, b], r[b, a])}."
            )


def _sample(r: np.ndarray, n: int) -> np.ndarray:
    """Normal numbers (n, p) of mean 0 whose correlations are exactly `r`."""
    drawn = np.random.default_rng(0).standard_normal((n, len(r)))
    drawn -= drawn.mean(axis=0)
    # uncorrelated in the sample itself, then of these correlations
    orthogonal, _ = np.linalg.qr(drawn)
    values, vectors = np.linalg.eigh(r)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    sample: np.ndarray = orthogonal @ root.T * np.sqrt(n - 1)
    return sample
