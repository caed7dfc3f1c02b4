"""The table of validity that ships, and how measured rows take their predecessors' place."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from gpla_assets.evaluator import weights
from gpla_assets.validation.findings import COLUMNS


def rows(*of: tuple[str, str, float]) -> pd.DataFrame:
    found = pd.DataFrame(of, columns=["check", "agent", "number"])
    found = found.assign(data="d", rule="", measure="m", low=0.0, high=1.0, n=9, known="1")
    return found[COLUMNS]


def test_an_agents_rows_replace_those_of_its_older_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weights, "VALIDITY", tmp_path / "validity.csv")
    old = rows(
        ("null", "m-3, fast", 9.0), ("null", "x-1, accurate", 4.0), ("direction", "m-3, fast", 0.6)
    )
    weights.ship_validity(old)
    weights.ship_validity(rows(("null", "m-4, fast", 2.0)))
    found = weights.validity_rows()
    assert dict(zip(found["check"] + found["agent"], found["number"], strict=True)) == {
        "nullx-1, accurate": 4.0,
        "directionm-3, fast": 0.6,
        "nullm-4, fast": 2.0,
    }
    assert list(found.columns) == COLUMNS and (found["rule"] == "").all()


def test_the_table_that_ships_has_each_row_once() -> None:
    shipped = weights.validity_rows()
    assert list(shipped.columns) == COLUMNS
    assert not shipped.duplicated(["check", "data", "agent", "rule", "measure"]).any()
    assert {"planted structure", "nothing planted", "direction", "relevance"} <= set(
        shipped["check"]
    )
    labels = shipped[(shipped["agent"] == "labels known") & (shipped["rule"] == "net")]
    planted = labels[
        (labels["check"] == "planted structure") & labels["measure"].str.contains("direction")
    ]
    # what the statistics alone lose is little
    assert (planted["number"] > 0.9).all()
