"""Rows that pass through files: the same in parts as at once, and a bounded number in memory."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from gpla_assets.storage import Write
from gpla_assets.storage.contract import RowsUnfit
from gpla_assets.storage.file_warehouse import FileWarehouse
from gpla_assets.storage.shards import Shards


def expressions(subject: str, n: int) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "response_id": [f"{subject} {place}" for place in range(n)],
            "lexicon": "lexicon",
            "value": "Order",
            "subject_id": subject,
            "question_id": "q",
            "n": 1,
            "weight_sum": 1.0,
            "logit_sum": None,
            **dict.fromkeys(["relevant_n", "sided_n", "score_sum", "top_n"], 0.0),
            **dict.fromkeys(["top_weight", "top_sum"], 0.0),
        }
    )


def test_parts_are_stored_as_one_partition(tmp_path: Path) -> None:
    warehouse, shards = FileWarehouse(tmp_path / "x.duckdb"), Shards("expressions", agent_id=None)
    known = expressions("b", 3).assign(logit_sum=[0.5, None, -1.0])
    for part in (expressions("a", 2), expressions("c", 0), known):
        shards.add(part)
    warehouse.replace_partition(
        [Write("expressions", shards.assign(agent_id="me"), "subject_id", ("a", "b"))]
    )
    stored = warehouse.table("expressions")
    assert len(shards) == 5 and shards.counts("subject_id") == {"a": 2, "b": 3}
    assert stored["subject_id"].tolist() == ["a", "a", "b", "b", "b"]
    assert stored["agent_id"].eq("me").all() and stored["logit_sum"].count() == 2
    assert shards.head(1)["agent_id"].tolist() == ["me"]
    # no rows at all replace those that are there
    warehouse.replace_partition(
        [Write("expressions", Shards("expressions", agent_id=None), "subject_id", ("b",))]
    )
    assert warehouse.table("expressions")["subject_id"].tolist() == ["a", "a"]


def test_a_part_that_its_table_does_not_allow_is_refused() -> None:
    shards = Shards("expressions", agent_id=None)
    with pytest.raises(RowsUnfit, match="weight_sum"):
        shards.add(expressions("a", 1).assign(weight_sum=-1.0))
    with pytest.raises(ValueError, match="question_id"):
        shards.assign(question_id="other")


@pytest.mark.parametrize("least", [1, 2, 3, 5, 100])
def test_groups_are_read_whole_and_in_order(tmp_path: Path, least: int) -> None:
    warehouse = FileWarehouse(tmp_path / "x.duckdb")
    sizes = {"a": 1, "b": 4, "c": 2, "d": 1, "e": 3}
    rows = pd.concat([expressions(name, size) for name, size in sizes.items()])
    warehouse.replace_partition([Write("expressions", rows.assign(agent_id=None))])
    query = "select * from evidence.expressions where n = ? order by response_id"
    spool = warehouse.spooled(query, [1])
    parts = list(spool.parts(least, by="subject_id"))
    assert len(spool) == 11
    assert all(len(part) >= least for part in parts[:-1])
    assert pd.concat(parts)["response_id"].tolist() == sorted(rows["response_id"])
    seen = [name for part in parts for name in part["subject_id"].unique()]
    assert seen == list(sizes)
    assert [len(part) for part in spool.parts(4)] == [4, 4, 3]
