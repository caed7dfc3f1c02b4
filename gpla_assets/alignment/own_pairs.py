"""Targets of a user's own measured pairs, without a warehouse: `gpla target`."""

from __future__ import annotations

import math
from pathlib import Path

import pandas as pd

from gpla_assets.alignment.convergence import convergence, settled
from gpla_assets.alignment.distillation import distil
from gpla_assets.common.errors import KnownError
from gpla_assets.common.json_data import Json, plain
from gpla_assets.common.tables import (
    NumberReader,
    TableError,
    TableOptions,
    is_missing,
    read_table,
)
from gpla_assets.common.tables.numbers import decimal_evidence
from gpla_assets.studies import TargetSettings

NEEDED = ("pair", "dimension", "winning", "losing")


class PairsError(KnownError, ValueError):
    """A file that holds no measured pairs; the message names the row and what is wrong."""


def read_measured_pairs(path: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Scores (n_pairs, n_dimensions) of winning and of losing responses from a file.

    One row a pair and dimension: pair, dimension, winning, losing; other columns are let be. An
    empty cell is a score that was not measured, as is a row that is not there. Pairs and
    dimensions stay in the order in which they first come. Raises PairsError.
    """
    try:
        table = read_table(path, TableOptions(names=NEEDED))
    except TableError as error:
        raise PairsError(str(error)) from error
    if not table.lines:
        raise PairsError(
            f"{path} has 1 line with content: expected a header and a row per pair and dimension."
        )
    columns = [table.columns[name] for name in NEEDED]
    scored = [cell for column in columns[2:] for cell in column]
    reader = NumberReader("comma" if decimal_evidence(scored).comma else "point")
    sides: dict[tuple[str, str], tuple[float, float]] = {}
    for row, cells in enumerate(zip(*columns, strict=True)):
        key, place = cells[:2], table.place(row)
        if not all(key):
            raise PairsError(f"{path}: {place} has no pair or no dimension; expected both.")
        if key in sides:
            raise PairsError(
                f"{path}: {place} has pair {key[0]!r} and dimension {key[1]!r} again; "
                "expected each pair once a dimension."
            )
        winning, losing = (
            _number(cell, side, key[1], f"{path}: {place}", reader)
            for cell, side in zip(cells[2:], NEEDED[2:], strict=True)
        )
        sides[key] = winning, losing
    return _wide(sides, 0), _wide(sides, 1)


def _number(cell: str, side: str, dimension: str, place: str, reader: NumberReader) -> float:
    if is_missing(cell):
        return math.nan
    number = reader.number(cell)
    if number is None:
        raise PairsError(
            f"{place} has {cell!r} as {side} of dimension {dimension!r}; expected a number, or an "
            "empty cell where it was not measured."
        )
    return number


def _wide(sides: dict[tuple[str, str], tuple[float, float]], side: int) -> pd.DataFrame:
    long = pd.Series({key: both[side] for key, both in sides.items()})
    pairs = list(dict.fromkeys(pair for pair, _ in sides))
    dimensions = list(dict.fromkeys(dimension for _, dimension in sides))
    return long.unstack().reindex(index=pairs, columns=dimensions)


def target_json(winning: pd.DataFrame, losing: pd.DataFrame, settings: TargetSettings) -> Json:
    """Targets as plain data, by dimension; a number that does not exist is null.

    `flat` has the reason where an objective is flat, else null. With resamples of the pairs there
    are also `intervals`, `cautions` and the `convergence` after each step.
    """
    found = distil(winning, losing, settings.mask_below).set_index("dimension")
    content: Json = {
        "targets": found["target"].to_dict(),
        "objective": found["objective"].to_dict(),
        "pairs": found["pairs"].to_dict(),
        "excluded": found["excluded"].to_dict(),
        "minimisers": {
            name: [row["low"], row["high"]] for name, row in found[["low", "high"]].iterrows()
        },
        "flat": found["flat"].to_dict(),
        "mask_below": settings.mask_below,
    }
    if settings.resamples:
        steps = convergence(winning, losing, settings)
        last = steps.groupby("dimension", sort=False).tail(1).set_index("dimension")
        content["intervals"] = {
            name: [row["low"], row["high"]] for name, row in last[["low", "high"]].iterrows()
        }
        content["cautions"] = settled(steps).set_index("dimension")["caution"].to_dict()
        content["convergence"] = steps.to_dict("records")
    data: Json = plain(content)
    return data
