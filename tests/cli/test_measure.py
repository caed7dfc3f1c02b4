"""From a file of answers to values in one command, and a study file from flags."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pandas as pd
import pytest

from gpla_assets import measure
from gpla_assets.content import CONTENT
from gpla_assets.orchestration.measuring import own_study
from gpla_assets.sources.recorded import AnswersError
from gpla_assets.studies import load_study
from tests.commands import Ended, forked

LLMS, QUESTIONS = 3, 12


def gpla(folder: Path, *arguments: str) -> Ended:
    own = os.environ | {"GPLA_WAREHOUSE_DIR": str(folder / "warehouse"), "COLUMNS": "200"}
    return forked(arguments, own, folder)


def answers(folder: Path) -> pd.DataFrame:
    """The demo's answers under three profiles, as of three LLMs; columns as others name them."""
    rows = pd.read_parquet(CONTENT / "demo_texts.parquet")
    asked = sorted(rows["question_id"].unique())[:QUESTIONS]
    rows = rows[
        rows["question_id"].isin(asked) & rows["profile"].isin(rows["profile"].unique()[:3])
    ]
    found = pd.DataFrame(
        {
            "model": "lab/" + rows["profile"].str.replace(" ", "-"),
            "prompt": rows["question_text"],
            "response": rows["content"],
        }
    )
    found.to_json(folder / "answers.jsonl", orient="records", lines=True)
    return found


@pytest.mark.slow
def test_from_a_file_of_answers_to_values_with_what_they_rest_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = answers(tmp_path)
    tried = gpla(tmp_path, "measure", "answers.jsonl", "--values", "schwartz", "--dry-run")
    assert tried.code == 0, tried.output
    assert f"{LLMS} LLMs, {QUESTIONS} questions" in tried.output and "expected:" in tried.output
    assert not list(tmp_path.glob("*.yaml"))

    done = gpla(tmp_path, "measure", "answers.jsonl", "--values", "schwartz", "--out", "found")
    assert done.code == 0, done.output
    for llm in given["model"].unique():
        assert llm in done.output
    assert "gpla show" in done.output and "gpla why" in done.output
    scores = pd.read_csv(tmp_path / "found" / "scores.csv")
    assert len(scores) == LLMS * 10 and (scores["n_questions"] <= QUESTIONS).all()
    assert (scores["low"] <= scores["score"]).all() and (scores["score"] <= scores["high"]).all()
    # a difference from the mean of the others: those of an LLM and value sum to nothing over LLMs
    assert scores.groupby("value")["difference"].sum().abs().max() < 1e-9
    sentences = pd.read_parquet(tmp_path / "found" / "sentences.parquet")
    assert set(sentences["answer"]) <= set(given["response"])
    meaning = pd.read_csv(tmp_path / "found" / "data_dictionary.csv")
    assert set(meaning[meaning["file"] == "scores"]["column"]) == set(scores.columns)
    assert meaning["meaning"].notna().all()

    # the study goes on by its name; nothing is computed twice
    again = gpla(tmp_path, "measure", "answers.jsonl", "--values", "schwartz")
    assert again.code == 0 and "> 1/" not in again.output, again.output
    shown = gpla(tmp_path, "show", str(given["model"].iloc[0]), "-s", "answers")
    assert shown.code == 0, shown.output
    other = gpla(tmp_path, "measure", "answers.jsonl", "--values", "paper")
    assert other.code == 1 and "another study" in other.output

    # the same rows as a frame, from Python
    monkeypatch.setenv("GPLA_WAREHOUSE_DIR", str(tmp_path / "warehouse"))
    study = measure(given, values="schwartz", name="framed", folder=tmp_path)
    profiles = pd.concat([study.profile(llm).assign(llm=llm) for llm in study.llms()])
    both = profiles.merge(scores, on=["llm", "value"], suffixes=("", "_of_file"))
    assert len(both) == len(profiles) == len(scores)
    assert (both["score"] - both["score_of_file"]).abs().max() < 1e-9


def test_a_batchs_requests_and_results_are_read_together(tmp_path: Path) -> None:
    folder = tmp_path / "batch"
    folder.mkdir()
    asked = {"model": "m", "messages": [{"role": "user", "content": "Should one lie?"}]}
    told = {"model": "m", "choices": [{"message": {"role": "assistant", "content": "Never."}}]}
    requests, results = folder / "requests.jsonl", folder / "results.jsonl"
    line = {"custom_id": "q1", "method": "POST", "url": "/v1/chat/completions", "body": asked}
    requests.write_text(json.dumps(line), "utf-8")
    line = {"custom_id": "q1", "response": {"status_code": 200, "body": told}, "error": None}
    results.write_text(json.dumps(line), "utf-8")
    read, study = own_study([requests, results], "fast", name="b")
    assert study.files == [folder]
    assert list(read.frame["question"]) == ["Should one lie?"]
    assert list(read.frame["answer"]) == ["Never."]
    (folder / "notes.jsonl").write_text("{}", "utf-8")
    with pytest.raises(AnswersError, match="a folder of their own"):
        own_study([requests, results], "fast", name="b")


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["answers.jsonl", "--name", "demo"], "ships"),
        (["answers.jsonl", "--values", "nothing.csv"], "nothing.csv"),
        (["missing.jsonl"], "missing.jsonl"),
        (["answers.jsonl", "--columns", "llm=who"], "who"),
    ],
)
def test_what_cannot_be_measured_is_said_in_a_line(
    tmp_path: Path, arguments: list[str], word: str
) -> None:
    answers(tmp_path)
    ended = gpla(tmp_path, "measure", *arguments)
    assert ended.code == 1 and word in ended.output and "Traceback" not in ended.output
    assert not list(tmp_path.glob("*.yaml"))


def test_init_writes_a_study_from_flags(tmp_path: Path) -> None:
    answers(tmp_path)
    ended = gpla(tmp_path, "init", "--answers", "answers.jsonl", "--name", "own")
    assert ended.code == 0, ended.output
    assert load_study(str(tmp_path / "own.yaml")).subjects[0].profiles == ["all"]
    asked = gpla(
        *(tmp_path, "init", "--llm", "a", "--llm", "b", "--base-url", "http://127.0.0.1:1/v1")
    )
    assert asked.code == 0, asked.output
    study = load_study(str(tmp_path / "mine.yaml"))
    assert study.subjects[0].llms == ["a", "b"] and study.questions.count == 60
    nobody = gpla(tmp_path, "init")
    assert nobody.code == 1 and "--answers" in nobody.output
