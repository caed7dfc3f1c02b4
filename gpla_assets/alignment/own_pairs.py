"""Targets of a user's own measured pairs, without a warehouse: `gpla target`."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import pandas as pd

from gpla_assets.alignment.convergence import convergence, settled
from gpla_assets.alignment.distillation import distil
from gpla_assets.common.errors import KnownError
from gpla_assets.common.json_data import Json, plain
from gpla_assets.studies import TargetSettings

NEEDED = ("pair", "dimension", "winning", "losing")
MISSING = {"", "na", "nan", "null", "none"}


class PairsError(KnownError, ValueError):
    """A file that holds no measured pairs; the message names the row and what is wrong."""


def read_measured_pairs(path: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Scores (n_pairs, n_dimensions) of winning and of losing responses from a CSV file.

    One row a pair and dimension: pair, dimension, winning, losing; other columns are let be. An
    empty cell is a score that was not measured, as is a row that is not there. Pairs and
    dimensions stay in the order in which they first come. Raises PairsError.
    """
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            rows = [row for row in csv.reader(file) if any(cell.strip() for cell in row)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise PairsError(f"{path} cannot be read as CSV in UTF-8: {error}") from error
    if len(rows) < 2:
        raise PairsError(
            f"{path} has {len(rows)} lines with content: expected a header and a row per pair and "
            "dimension."
        )
    header = [name.strip() for name in rows[0]]
    for name in NEEDED:
        if header.count(name) != 1:
            raise PairsError(
                f"{path} has columns {', '.join(header)}; {name!r} stands {header.count(name)} "
                f"times, expected {', '.join(NEEDED)} once each."
            )
    sides: dict[tuple[str, str], tuple[float, float]] = {}
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != len(header):
            raise PairsError(
                f"{path}: row {number} has {len(row)} cells, expected {len(header)} as the header."
            )
        cells = dict(zip(header, map(str.strip, row), strict=True))
        key = cells["pair"], cells["dimension"]
        if not all(key):
            raise PairsError(f"{path}: row {number} has no pair or no dimension; expected both.")
        if key in sides:
            raise PairsError(
                f"{path}: row {number} has pair {key[0]!r} and dimension {key[1]!r} again; "
                "expected each pair once a dimension."
            )
        sides[key] = _number(cells, "winning", path, number), _number(cells, "losing", path, number)
    return _wide(sides, 0), _wide(sides, 1)


def _number(cells: dict[str, str], side: str, path: Path, row: int) -> float:
    text = cells[side]
    if text.casefold() in MISSING:
        return math.nan
    try:
        number = float(text)
    except ValueError:
        number = math.inf
    if not math.isfinite(number):
        raise PairsError(
            f"{path}: row {row} has {text!r} as {side} of dimension {cells['dimension']!r}; "
            "expected a number, or an empty cell where it was not measured."
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
