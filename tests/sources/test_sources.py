"""Sources: readers on files in the published formats, every fault, downloads with resume."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pandas as pd
import pytest

from gpla_assets.sources import (
    SOURCES,
    SourceDamaged,
    SourceError,
    SourceMissing,
    download,
    locate,
    read,
)

DATA = os.environ.get("GPLA_DATA_DIR")
real_data = pytest.mark.skipif(DATA is None, reason="GPLA_DATA_DIR is not set: no real data")


def json_lines(path: Path, rows: list[dict[str, object]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def test_valuebench_gives_a_text_for_each_llm_and_question(tmp_path: Path) -> None:
    path = tmp_path / "qa.xlsx"
    pd.DataFrame(
        {
            "question": ["Should I lie?", "Should I lie?"],
            "a_answer": ["No.", "No."],
            "b_answer": ["Never.", None],
            "a_rating": [1, 2],
        }
    ).to_excel(path, index=False)
    found = read("valuebench", path)
    assert found.rows[["llm", "content"]].to_numpy().tolist() == [
        ["a", "No."],
        ["a", "No."],
        ["b", "Never."],
    ]
    assert found.skipped == {"empty text": 1}


def test_valuebench_items_take_definitions_from_the_file_beside(tmp_path: Path) -> None:
    path = tmp_path / "value_orientation.csv"
    header = "questionnaire,item,value,agreement\n"
    path.write_text(header + "Q,I save.,Thrift,1\nQ,I waste.,Thrift,-1\n")
    (tmp_path / "value_definitions.csv").write_text(
        "questionnaire info,value dimension,corresponding definition/description\n"
        "Q,thrift,Saving.\n"
    )
    rows = read("valuebench_items", path).rows
    assert rows["stance"].tolist() == ["support", "oppose"]
    assert set(rows["definition"]) == {"Saving."}
    path.write_text(header + "Q,I save.,Thrift,maybe\n")
    with pytest.raises(SourceError, match="agreement 'maybe', expected 1, -1 or 0"):
        read("valuebench_items", path)


def test_gpv_counts_an_answer_once_whatever_its_perceptions(tmp_path: Path) -> None:
    path = tmp_path / "gpv.csv"
    path.write_text("question,answer,perception\nq,a,p1\nq,a,p2\nq,b,p3\n")
    assert read("gpv", path).rows["content"].tolist() == ["a", "b"]


def test_beavertails_is_read_from_gzipped_json_lines(tmp_path: Path) -> None:
    path = tmp_path / "train.jsonl.gz"
    rows = [
        {"prompt": "p", "response": "r", "category": {"x": False}, "is_safe": True},
        {"prompt": "p", "response": "r", "category": {"x": True}, "is_safe": False},
        {"prompt": "p", "response": " ", "category": {}, "is_safe": True},
    ]
    path.write_bytes(gzip.compress("\n".join(map(json.dumps, rows)).encode()))
    found = read("beavertails", path)
    assert found.rows["content"].tolist() == ["r"]
    assert found.skipped == {"empty text": 1}


def test_valuelex_takes_a_mapping_of_columns(tmp_path: Path) -> None:
    path = tmp_path / "valuelex.csv"
    path.write_text("llm_name,words\nm,Honesty\n")
    rows = read("valuelex", path, {"llm": "llm_name", "content": "words"}).rows
    assert rows.to_dict("records") == [{"llm": "m", "content": "Honesty"}]


@pytest.mark.parametrize("form", ["json", "parquet"])
def test_alpaca_eval_is_read_as_json_and_as_parquet(tmp_path: Path, form: str) -> None:
    path = tmp_path / f"model_outputs.{form}"
    name = "generator" if form == "json" else "model"
    rows = [
        {"instruction": "i", "output": "o", name: "m", "dataset": "d"},
        {"instruction": "i", "output": "again", name: "m", "dataset": "d"},
        {"instruction": "j", "output": "", name: "m", "dataset": "d"},
    ]
    if form == "json":
        path.write_text(json.dumps(rows))
    else:
        pd.DataFrame(rows).to_parquet(path)
    found = read("alpaca_eval", path)
    assert found.rows["content"].tolist() == ["o", "again"]
    assert found.rows["item"].tolist() == [1, 2]
    assert found.skipped == {"empty": 1}


def test_salad_bench_has_prompts_and_scores(tmp_path: Path) -> None:
    prompts = tmp_path / "base_set.json"
    prompts.write_text(json.dumps([{"qid": 1, "question": "How?", "1-category": "x"}]))
    assert read("salad_bench", prompts).rows["question_text"].tolist() == ["How?"]
    scores = tmp_path / "scores.csv"
    scores.write_text("model,score\nm,93.5\n")
    assert read("salad_bench", scores).rows["llm"].tolist() == ["m"]


def test_lmsys_chat_keeps_the_first_english_turn(tmp_path: Path) -> None:
    path = tmp_path / "train.parquet"
    turns = [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Hello."},
        {"role": "assistant", "content": "More."},
    ]
    pd.DataFrame(
        {
            "conversation_id": ["1", "2"],
            "model": ["m", "m"],
            "conversation": [turns, turns],
            "language": ["English", "German"],
        }
    ).to_parquet(path)
    found = read("lmsys_chat_1m", path)
    assert found.rows.to_dict("records") == [
        {"llm": "m", "question_text": "Hi", "content": "Hello."}
    ]
    assert found.skipped == {"not in English": 1}


def test_any_table_is_read_with_a_mapping(tmp_path: Path) -> None:
    path = json_lines(tmp_path / "mine.jsonl", [{"who": "m", "said": "x", "asked": "q"}])
    columns = {"llm": "who", "content": "said", "question_text": "asked"}
    rows = read("table", path, columns).rows
    assert rows[["llm", "content", "question_text"]].to_numpy().tolist() == [["m", "x", "q"]]
    with pytest.raises(SourceError, match="name 'model'"):
        read("table", path, {"model": "who"})


def test_the_demo_ships_with_the_package() -> None:
    rows = read("demo", locate(SOURCES["demo"], None)).rows
    assert rows["profile"].nunique() == 21
    assert rows.groupby("profile").size().min() >= 60


def test_a_missing_source_says_where_it_was_sought_and_where_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(SourceMissing, match=r"GPLA_DATA_DIR.*BeaverTails.*CC BY-NC"):
        locate(SOURCES["beavertails"], tmp_path)
    with pytest.raises(SourceMissing, match="nowhere, since GPLA_DATA_DIR is not set"):
        locate(SOURCES["gpv"], None)


def test_an_override_may_be_a_file_or_a_folder(tmp_path: Path) -> None:
    file = tmp_path / "question-answer-perception.csv"
    file.write_text("question,answer\nq,a\n")
    assert locate(SOURCES["gpv"], None, tmp_path) == file
    assert locate(SOURCES["gpv"], None, file) == file


@pytest.mark.parametrize("suffix", ["jsonl.gz", "parquet", "xlsx", "json", "jsonl"])
def test_a_truncated_file_is_an_error_that_names_it(tmp_path: Path, suffix: str) -> None:
    whole = tmp_path / f"whole.{suffix}"
    rows = pd.DataFrame({"content": [f"text number {n} of many" for n in range(400)]})
    if suffix == "parquet":
        rows.to_parquet(whole)
    elif suffix == "xlsx":
        rows.to_excel(whole, index=False)
    elif suffix == "json":
        rows.to_json(whole, orient="records")
    elif suffix == "jsonl":
        rows.to_json(whole, orient="records", lines=True)
    else:
        whole.write_bytes(gzip.compress(rows.to_json(orient="records", lines=True).encode()))
    cut = tmp_path / f"cut.{suffix}"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    assert len(read("table", whole).rows) == 400
    with pytest.raises(SourceDamaged, match=r"cut\."):
        read("table", cut)


def test_text_that_is_not_utf8_is_an_error_of_a_source_that_is_published_as_such(
    tmp_path: Path,
) -> None:
    path = tmp_path / "latin.csv"
    path.write_bytes(b'question,answer\nq,"caf\xe9"\n')
    with pytest.raises(SourceDamaged, match="not UTF-8"):
        read("gpv", path)


def test_a_missing_column_is_named_with_those_that_are_there(tmp_path: Path) -> None:
    path = tmp_path / "gpv.csv"
    path.write_text("question,reply\nq,a\n")
    with pytest.raises(SourceError, match="columns question, reply; 'answer' is missing"):
        read("gpv", path)


def test_an_unknown_ending_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.docx"
    path.write_text("x")
    with pytest.raises(SourceError, match=r"expected \.jsonl"):
        read("table", path)


CONTENT = bytes(range(256)) * 4000


class Ranges(BaseHTTPRequestHandler):
    """Serves CONTENT, by ranges where asked, and writes down what was asked."""

    asked: list[str | None] = []  # noqa: RUF012

    def do_GET(self) -> None:
        asked = self.headers.get("Range")
        Ranges.asked.append(asked)
        first = int(asked.split("=")[1].rstrip("-")) if asked else 0
        self.send_response(206 if asked else 200)
        self.send_header("Content-Length", str(len(CONTENT) - first))
        self.end_headers()
        self.wfile.write(CONTENT[first:])

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    Ranges.asked.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Ranges) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_address[1]}/train.jsonl.gz"
        running.shutdown()


def test_a_download_goes_on_where_it_stopped(tmp_path: Path, server: str) -> None:
    digest = hashlib.sha256(CONTENT).hexdigest()
    source = replace(SOURCES["beavertails"], url=server, sha256=digest)
    target = tmp_path / source.files[0]
    target.parent.mkdir(parents=True)
    target.with_name(target.name + ".part").write_bytes(CONTENT[:1000])
    assert download(source, tmp_path, progress=False).read_bytes() == CONTENT
    assert Ranges.asked == ["bytes=1000-"]
    download(source, tmp_path, progress=False)
    assert len(Ranges.asked) == 1


def test_a_wrong_checksum_removes_the_file(tmp_path: Path, server: str) -> None:
    source = replace(SOURCES["beavertails"], url=server, sha256="0" * 64)
    with pytest.raises(SourceDamaged, match="expected 0000"):
        download(source, tmp_path, progress=False)
    assert not (tmp_path / source.files[0]).exists()


@real_data
def test_real_valuebench_has_its_11928_answers() -> None:
    found = read("valuebench", locate(SOURCES["valuebench"], Path(str(DATA))))
    assert len(found.rows) == 11928
    assert found.rows["llm"].nunique() == 6


@real_data
def test_real_alpaca_eval_has_its_176_llms() -> None:
    found = read("alpaca_eval", locate(SOURCES["alpaca_eval"], Path(str(DATA))))
    assert found.rows["llm"].nunique() == 176
    assert found.rows["question_text"].nunique() >= 800
