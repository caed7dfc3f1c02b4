"""What training measured by folds, as findings: direction on items, and external validity."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from gpla_assets.validation.findings import Finding
from gpla_assets.validation.judged_direction import DIRECTION

EXTERNAL = "external validity"
ITEMS = "ValueBench items"
SIGNS = {"accuracy of sign": "share right", "AUC of sign": "AUC"}
NONE = float("nan")


def item_findings(held_out: pd.DataFrame) -> Iterator[Finding]:
    """Direction on ValueBench's items, values held out: of rows of `agent_quality`."""
    own = held_out[held_out["data"].str.startswith(ITEMS) & held_out["measure"].isin(list(SIGNS))]
    for row in own.itertuples(index=False):
        data, measure = f"{row.data}, values held out", SIGNS[str(row.measure)]
        number, n = float(row.number), int(row.n)
        known = "1" if measure == "share right" else "1; chance .5"
        yield Finding(DIRECTION, data, str(row.model), "", measure, number, NONE, NONE, n, known)


def external_findings(rows: pd.DataFrame) -> Iterator[Finding]:
    """Agreement with ValueBench's ratings at all levels: of rows of `external_validity`.

    Single values are left out.
    """
    for row in rows[rows["value"] == ""].itertuples(index=False):
        measure = f"r, {row.level}"
        numbers = (float(row.r), float(row.low), float(row.high), int(row.n))
        yield Finding(
            EXTERNAL, str(row.reading), str(row.evaluator), "", measure, *numbers, "1; chance 0"
        )
