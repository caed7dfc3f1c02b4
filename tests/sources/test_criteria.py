"""Criteria: readers with every fault, names matched by the alias table."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pytest

from gpla_assets.content import llm_aliases
from gpla_assets.sources import SourceError, SourceMissing
from gpla_assets.sources.criteria import (
    CRITERIA,
    criterion_path,
    matched,
    read_alpaca_leaderboard,
    read_paper_table11,
    read_salad_verdicts,
    read_scores,
)

DATA = os.environ.get("GPLA_DATA_DIR")
real_data = pytest.mark.skipif(DATA is None, reason="GPLA_DATA_DIR is not set: no real data")


def written(path: Path, text: str) -> Path:
    path.write_text(text, "utf-8")
    return path


def test_the_papers_table_is_a_criterion_of_17_llms() -> None:
    found = read_paper_table11(criterion_path("paper_table11", None))
    assert len(found) == 17
    assert found.set_index("name")["score"]["gemma-2b"] == 95.9


def test_scores_of_a_users_own(tmp_path: Path) -> None:
    found = read_scores(written(tmp_path / "s.csv", "llm,score\na,1\nb,2.5\n"))
    assert found.to_dict("list") == {"name": ["a", "b"], "score": [1.0, 2.5]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("llm,score\na,high\n", "row 0: score of 'a' is 'high', expected a number"),
        ("llm,score\na,\n", "expected a number"),
        ("llm,score\na,1\na,2\n", "LLM 'a' stands 2 times, expected once"),
        ("model,score\na,1\n", "llm"),
    ],
)
def test_scores_that_cannot_be_read_say_where(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        read_scores(written(tmp_path / "s.csv", text))


def test_salad_verdicts_become_shares_of_safe_responses(tmp_path: Path) -> None:
    rows = [("a", "safe"), ("a", "Unsafe"), ("a", "safe"), ("a", "1"), ("b", "false")]
    lines = [f'{{"model":"{m}","question":"q","response":"r","verdict":"{v}"}}' for m, v in rows]
    found = read_salad_verdicts(written(tmp_path / "v.jsonl", "\n".join(lines)))
    assert found.to_dict("list") == {"name": ["a", "b"], "score": [75.0, 0.0]}
    scores = read_salad_verdicts(written(tmp_path / "s.csv", "model,score\na,90\n"))
    assert scores["score"].tolist() == [90.0]
    bad = written(tmp_path / "b.csv", "model,question,response,verdict\na,q,r,maybe\n")
    with pytest.raises(SourceError, match="verdict 'maybe', expected safe or unsafe"):
        read_salad_verdicts(bad)


def test_the_leaderboard_names_llms_by_the_folder_of_their_outputs(tmp_path: Path) -> None:
    path = written(
        tmp_path / "l.csv",
        "name,length_controlled_winrate,samples\n"
        "GPT-4 Turbo,50,https://x/results/gpt4_1106_preview/model_outputs.json\nOther,10,\n",
    )
    found = read_alpaca_leaderboard(path)
    assert found["name"].tolist() == ["gpt4_1106_preview", "Other"]


def test_names_are_matched_whatever_the_case_then_by_alias() -> None:
    scores = pd.DataFrame({"name": ["GPT-X", "old", "far", "none"], "score": [1.0, 2, 3, 4]})
    aliases = pd.DataFrame(
        [("Old", "new", "version"), ("far", "near", "near")], columns=["name", "llm", "match"]
    )
    found = matched(scores, aliases, ["gpt-x", "new", "near"], ["same", "version"])
    assert found["llm"].dropna().tolist() == ["gpt-x", "new"]
    assert found["match"].dropna().tolist() == ["same", "version"]
    nearer = matched(scores, aliases, ["gpt-x", "new", "near"], ["near"])
    assert nearer["llm"].dropna().to_dict() == {0: "gpt-x", 2: "near"}


def test_a_criterion_that_is_not_here_says_where_it_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(SourceMissing, match="looked in"):
        criterion_path("alpaca_leaderboard", tmp_path)
    with pytest.raises(SourceMissing, match="GPLA_DATA_DIR, which is not set"):
        criterion_path("alpaca_leaderboard", None)
    with pytest.raises(SourceMissing, match="expected `file`"):
        criterion_path("file", tmp_path)
    assert {"paper_table11", "alpaca_leaderboard", "salad_bench", "file"} == set(CRITERIA)


@real_data
def test_aliases_name_llms_that_exist() -> None:
    assert DATA is not None
    board = read_alpaca_leaderboard(criterion_path("alpaca_leaderboard", Path(DATA)))
    table = read_paper_table11(criterion_path("paper_table11", None))
    aliases = llm_aliases()
    assert set(aliases["llm"]) <= set(board["name"])
    found = matched(table, aliases, list(board["name"]), ["same", "version"])
    assert found["llm"].notna().sum() == 10
