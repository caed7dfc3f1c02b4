"""Readers of answers of many LLMs to the same questions: small files, reasoning, the real data."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pytest

from gpla_assets.content import llm_family
from gpla_assets.sources import (
    SOURCES,
    SourceError,
    SourceMissing,
    answers_of,
    download,
    locate,
    read,
)

DATA = os.environ.get("GPLA_DATA_DIR")
real_data = pytest.mark.skipif(DATA is None, reason="GPLA_DATA_DIR is not set: no real data")


def parquet(path: Path, rows: list[dict[str, object]]) -> Path:
    pd.DataFrame(rows).to_parquet(path)
    return path


def test_speechmap_gives_answers_without_reasoning(tmp_path: Path) -> None:
    row = {"model": "a/b", "question_id": "eu_01", "question": "Criticise.\r\nNow.", "domain": None}
    path = parquet(
        tmp_path / "s.parquet",
        [
            row | {"response": "<think>Hm.</think>It is wrong.", "theme": "eu"},
            row | {"model": "c", "response": "<think>Hm.", "theme": "eu"},
            row | {"model": "d", "response": None, "theme": "eu"},
        ],
    )
    found = answers_of("speechmap", path)
    assert found.frame[["llm", "question", "answer", "reasoning"]].to_numpy().tolist() == [
        ["a/b", "Criticise.\nNow.", "It is wrong.", "Hm."],
        ["c", "Criticise.\nNow.", "", "Hm."],
    ]
    assert found.skipped == {"empty text": 1}


def test_prompts_that_ask_for_a_label_are_left_out(tmp_path: Path) -> None:
    row = {"model": "m", "pct_id": "pc-1", "templ_id": "templ-01", "full_prompt": "What of it?"}
    label = "You have to pick one. Only answer with the label.\n"
    path = parquet(
        tmp_path / "c.parquet",
        [
            row | {"jail_prompt": None, "completion": "<|assistant|>\nI agree."},
            row | {"jail_prompt": "Take a stance.", "completion": "I disagree.", "model": "n"},
            row | {"jail_prompt": label, "completion": "3) Agree", "full_prompt": "Pick."},
        ],
    )
    found = read("llm_values_pct", path)
    assert found.rows[["llm", "content", "theme"]].to_numpy().tolist() == [
        ["m", "I agree.", "pc-1 templ-01"],
        ["n", "I disagree.", "pc-1 templ-01"],
    ]
    assert found.skipped == {"asks for a label alone": 1}


def test_samples_are_items_the_greedy_one_first(tmp_path: Path) -> None:
    row = {"report": "r.json", "model": "m", "sample": 0, "prompt": "Why?"}
    path = parquet(
        tmp_path / "v.parquet",
        [
            row | {"sampling_config": "k50", "output": "Because.</s><|prompter|>And?"},
            row | {"sampling_config": "k50", "sample": 1, "output": "So."},
            row | {"sampling_config": "greedy", "output": "For honour.<|endoftext|>"},
            row | {"sampling_config": "nucleus9", "output": "<|endoftext|>"},
        ],
    )
    found = read("oasst_model_eval", path)
    assert found.rows["content"].tolist() == ["For honour.", "Because.", "So."]
    assert found.rows["item"].tolist() == ["r.json|greedy|0", "r.json|k50|0", "r.json|k50|1"]
    assert found.skipped == {"empty text": 1}


def test_value_portrait_has_each_answer_once_with_its_query(tmp_path: Path) -> None:
    row = {"portrait_id": 1, "option_id": 1, "title": "Lonely", "query": "What now?"}
    path = parquet(
        tmp_path / "p.parquet",
        [
            row | {"response": "Call a friend.", "value": "Power"},
            row | {"response": "Call a friend.", "value": "Security"},
            row | {"option_id": 2, "title": None, "response": "Volunteer.", "value": "Power"},
        ],
    )
    found = read("value_portrait", path)
    assert found.rows[["question_text", "content"]].to_numpy().tolist() == [
        ["Lonely\n\nWhat now?", "Call a friend."],
        ["What now?", "Volunteer."],
    ]


NAMES = ["speechmap", "llm_values_pct", "oasst_model_eval", "value_portrait"]


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_column_or_file_says_what_is_wanted(name: str, tmp_path: Path) -> None:
    path = parquet(tmp_path / "x.parquet", [{"other": 1}])
    with pytest.raises(SourceError, match="is missing, expected"):
        read(name, path)
    with pytest.raises(SourceMissing, match="looked in"):
        locate(SOURCES[name], tmp_path)
    with pytest.raises(SourceMissing, match="has no address to download from; get it from https"):
        download(SOURCES[name], tmp_path)


@real_data
@pytest.mark.parametrize(
    ("name", "texts", "llms", "questions"),
    [
        ("speechmap", 7395, 37, 200),
        ("llm_values_pct", 7564, 10, 930),
        ("oasst_model_eval", 25633, 95, 50),
        ("value_portrait", 520, 0, 104),
    ],
)
def test_the_real_files(name: str, texts: int, llms: int, questions: int) -> None:
    path = locate(SOURCES[name], Path(str(DATA)))
    rows = read(name, path).rows
    assert len(rows) == texts
    assert rows["question_text"].nunique() == questions
    assert (rows["llm"].nunique() if "llm" in rows else 0) == llms
    # what LLMs think is set apart where answers are read
    said = answers_of(name, path).frame["answer"]
    assert not said.str.contains("</think>|◁/think▷|<\\|endoftext").any()


@real_data
def test_checkpoints_of_one_make_are_one_family() -> None:
    rows = read("oasst_model_eval", locate(SOURCES["oasst_model_eval"], Path(str(DATA)))).rows
    families = rows["llm"].drop_duplicates().map(llm_family)
    # 95 names, most of them checkpoints of a handful of pretrained LLMs
    assert families.notna().mean() > 0.95
    assert families.value_counts().head(3).sum() > 50
