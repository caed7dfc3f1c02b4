"""Rules of frames: what is allowed passes; what is not is named with its row, and what is."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pandas as pd
import pytest

from gpla_assets.common.frames import ColumnRule, Contract

CONTRACT = Contract(
    {
        "name": ColumnRule(str),
        "kind": ColumnRule(str, among=("good", "bad")),
        "share": ColumnRule(float, low=0.0, high=1.0),
        "score": ColumnRule(float, nullable=True, low=-1.0, high=1.0),
        "n": ColumnRule(int, nullable=True, low=0),
        "done": ColumnRule(bool, nullable=True),
        "at": ColumnRule(datetime, nullable=True),
    },
    ("name", "kind"),
)


def rows(**changed: object) -> pd.DataFrame:
    sound = {
        "name": ["a", "b"],
        "kind": ["good", "bad"],
        "share": [0.0, 1.0],
        "score": [None, -1.0],
        "n": [3, None],
        "done": [True, None],
        "at": [datetime(2026, 1, 1), None],
    }
    return pd.DataFrame(sound | changed)


def test_sound_rows_pass_whatever_stands_for_nothing() -> None:
    assert CONTRACT.fault(rows()) is None
    empty = rows(score=[np.nan, np.nan], n=[None, None], done=[np.nan, np.nan], at=[None, None])
    assert CONTRACT.fault(empty) is None
    assert CONTRACT.fault(rows().head(0)) is None
    assert CONTRACT.fault(rows(share=[1.0 + 5e-7, -5e-7])) is None  # of float32


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"name": ["a", None]}, "name is missing in row 1, expected str"),
        ({"name": ["a", 3]}, "name is 3 in row 1, expected str"),
        ({"kind": ["good", "ugly"]}, "kind is 'ugly' in row 1, expected one of good, bad"),
        ({"share": [0.5, 1.1]}, "share is 1.1 in row 1, expected float from 0 to 1"),
        ({"share": [0.5, float("nan")]}, "share is missing in row 1"),
        ({"score": [-1.5, 0.0]}, "score is -1.5 in row 0, expected float from -1 to 1, or nothing"),
        ({"n": [-1, 2]}, "n is -1 in row 0, expected int from 0, or nothing"),
        ({"n": [1.5, 2]}, "n is 1.5 in row 0, expected int from 0, or nothing"),
        ({"done": ["yes", None]}, "done is 'yes' in row 0, expected bool, or nothing"),
        ({"name": ["a", "a"], "kind": ["bad", "bad"]}, "name 'a', kind 'bad' is there twice"),
    ],
)
def test_what_is_wrong_is_named(changed: dict[str, object], said: str) -> None:
    found = CONTRACT.fault(rows(**changed))
    assert found is not None and said in found


def test_a_repeated_index_does_not_hide_a_repeated_key() -> None:
    twice = pd.concat([rows(), rows().head(1)])
    assert "is there twice" in str(CONTRACT.fault(twice))


def test_missing_columns_are_named() -> None:
    found = CONTRACT.fault(rows().drop(columns=["n", "share"]))
    assert found is not None and found.startswith("columns share, n are missing; found name")
