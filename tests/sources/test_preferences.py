"""Readers of preferences on small files in the published formats, and on the real pairs."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path

import pandas as pd
import pytest

from gpla_assets.sources import SOURCES, SourceError, SourceMissing, locate, read
from gpla_assets.sources.preferences import COLUMNS, drawn_pairs

DATA = os.environ.get("GPLA_DATA_DIR")
real_data = pytest.mark.skipif(DATA is None, reason="GPLA_DATA_DIR is not set: no real data")


def json_lines(path: Path, rows: list[dict[str, object]]) -> Path:
    data = "\n".join(map(json.dumps, rows)).encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def alpaca(folder: Path, rows: list[tuple[str, str, str, float]]) -> Path:
    """Annotations (instruction, model_1, model_2, preference) with outputs of a, b and silent."""
    outputs = [(llm, f"i{n}", f"{llm} on {n}") for llm in "ab" for n in range(4)]
    outputs += [("silent", f"i{n}", " ") for n in range(4)] + [("echo", "i0", "a on 0")]
    pd.DataFrame(outputs, columns=["model", "instruction", "output"]).to_parquet(
        folder / "model_outputs.parquet"
    )
    found = pd.DataFrame(rows, columns=["instruction", "model_1", "model_2", "preference"])
    path = folder / "preferences.parquet"
    found.assign(annotator="judge", dataset="d").to_parquet(path)
    return path


def test_alpaca_eval_gives_the_outputs_of_winner_and_loser(tmp_path: Path) -> None:
    path = alpaca(
        tmp_path,
        [("i0", "a", "b", 1.2), ("i1", "a", "b", 1.9), ("i2", "a", "b", 1.5), ("i3", "a", "b", 0),
         ("i0", "a", "b", 1.2), ("i0", "a", "silent", 1.0), ("i0", "a", "echo", 2.0)],
    )  # fmt: skip
    found = read("alpaca_eval_preferences", path)
    assert list(found.rows.columns) == COLUMNS
    assert found.rows[["prompt", "winning", "losing"]].to_numpy().tolist() == [
        ["i0", "a on 0", "b on 0"],
        ["i1", "b on 1", "a on 1"],
    ]
    assert found.rows["winning_llm"].tolist() == ["a", "b"]
    assert set(found.rows["source"]) == {"alpaca_eval/judge"}
    assert found.skipped == {
        "tied annotation": 2,
        "repeated annotation": 1,
        "empty response": 1,
        "same response": 1,
    }


def test_alpaca_eval_needs_its_outputs_and_known_codes(tmp_path: Path) -> None:
    path = alpaca(tmp_path, [("i0", "a", "b", 3.0)])
    with pytest.raises(SourceError, match=r"row 0: preference 3\.0, expected 1 to 2"):
        read("alpaca_eval_preferences", path)
    (tmp_path / "model_outputs.parquet").unlink()
    path = path.with_name("preferences.parquet")
    pd.read_parquet(path).assign(preference=1.0).to_parquet(path)
    with pytest.raises(SourceMissing, match="expected AlpacaEval's outputs beside"):
        read("alpaca_eval_preferences", path)


def test_hh_rlhf_conversations_share_all_but_the_last_turn(tmp_path: Path) -> None:
    talk = "\n\nHuman: Hi\n\nAssistant: Hello.\n\nHuman: Why?\n\nAssistant: "
    rows: list[dict[str, object]] = [
        {"chosen": "\n\nHuman: How?\n\nAssistant: Well.",
         "rejected": "\n\nHuman: How?\n\nAssistant: Ill."},
        {"chosen": talk + "Because.", "rejected": talk + "No."},
        {"chosen": "\n\nHuman: A\n\nAssistant: x", "rejected": "\n\nHuman: B\n\nAssistant: y"},
    ]  # fmt: skip
    found = read("hh_rlhf", json_lines(tmp_path / "train.jsonl.gz", rows))
    assert found.rows["prompt"].tolist() == [
        "How?",
        "Human: Hi\n\nAssistant: Hello.\n\nHuman: Why?",
    ]
    assert found.rows["winning"].tolist() == ["Well.", "Because."]
    assert found.rows["losing"].tolist() == ["Ill.", "No."]
    assert found.rows["winning_llm"].isna().all()
    assert found.skipped == {"different prompts": 1}
    with pytest.raises(SourceError, match="row 0: no turn of the assistant"):
        read("hh_rlhf", json_lines(tmp_path / "b.jsonl", [{"chosen": "x", "rejected": "y"}]))


def test_pku_saferlhf_prefers_the_better_or_the_safer(tmp_path: Path) -> None:
    row = {"prompt": "How?", "response_0": "Carefully.", "response_1": "With fire."}
    path = json_lines(
        tmp_path / "train.jsonl", [row | {"better_response_id": 1, "safer_response_id": 0}]
    )
    assert read("pku_saferlhf", path).rows["winning"].tolist() == ["With fire."]
    safer = read("pku_saferlhf", path, {"preferred": "safer_response_id"}).rows
    assert safer["winning"].tolist() == ["Carefully."]
    assert safer["source"].tolist() == ["pku_saferlhf/safer"]
    bad = json_lines(tmp_path / "b.jsonl", [row | {"better_response_id": 2}])
    with pytest.raises(SourceError, match="row 0: better_response_id 2, expected 0 or 1"):
        read("pku_saferlhf", bad)
    with pytest.raises(SourceError, match="names 'winner', expected 'preferred'"):
        read("pku_saferlhf", path, {"winner": "x"})


def test_annotations_of_the_same_pair_are_votes_and_ties_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text("asked,good,bad\nq,x,y\nq,y,x\nq,x,y\nr,x,y\nr,y,x\ns,x,y\n", "utf-8")
    columns = {"prompt": "asked", "winning": "good", "losing": "bad"}
    found = read("pairs", path, columns)
    assert found.rows[["prompt", "winning", "annotations"]].to_numpy().tolist() == [
        ["q", "x", 3],
        ["s", "x", 1],
    ]
    assert found.skipped == {"as many votes for either": 1}
    assert found.rows["pair_id"].is_unique
    with pytest.raises(SourceError, match="'prompt' is missing"):
        read("pairs", path)


def test_pairs_are_drawn_alike_whatever_their_order() -> None:
    rows = pd.DataFrame({"pair_id": [f"{n:03d}" for n in range(50)]})
    drawn = drawn_pairs(rows, 10, 1)["pair_id"].tolist()
    assert drawn == drawn_pairs(rows.iloc[::-1], 10, 1)["pair_id"].tolist()
    assert drawn != drawn_pairs(rows, 10, 2)["pair_id"].tolist()
    assert len(drawn_pairs(rows, None, 1)) == 50


@pytest.mark.slow
@real_data
def test_the_real_alpaca_eval_pairs_are_read_whole() -> None:
    assert DATA is not None
    found = read("alpaca_eval_preferences", locate(SOURCES["alpaca_eval_preferences"], Path(DATA)))
    assert found.rows["prompt"].nunique() == 805
    assert len(found.rows) > 70_000
    assert found.rows["source"].nunique() == 2
    # but for the votes of the few pairs that are tied, every annotation is accounted for
    tied = found.skipped.pop("as many votes for either")
    counted = found.rows["annotations"].sum() + sum(found.skipped.values())
    assert 2 * tied <= 74_006 - counted < 10 * tied
