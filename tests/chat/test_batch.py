"""Batch files: requests as a server takes them, and results under the keys of their calls."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from gpla_assets.chat.batch import (
    BatchError,
    Pending,
    result_files,
    take_batches,
    write_batches,
)
from gpla_assets.chat.budget import Budget
from gpla_assets.chat.cache import MemoryCalls, request_key
from gpla_assets.chat.endpoint import Endpoint
from gpla_assets.chat.openai_chat import OpenAIChat
from gpla_assets.chat.protocol import ChatReply, ChatRequest, Message
from gpla_assets.storage import FileWarehouse
from gpla_assets.studies.asking import Calls, Price
from tests.conftest import gpla

CANARY = "sk-canary-batch-19d7b3"
URL = "http://127.0.0.1:1/v1"
SCHEMA: dict[str, object] = {"type": "object", "properties": {}}


def pending(count: int, model: str = "m", url: str | None = URL) -> dict[str, Pending]:
    """Requests that wait, by key."""
    endpoint = Endpoint(url, "GPLA_TEST_KEY")
    found = {}
    for n in range(count):
        request = ChatRequest((Message("user", f"q{n} é\u2028"),), 50, schema=SCHEMA if n else None)
        key = request_key("openai", endpoint.url, model, None, request)
        found[key] = Pending(key, "openai", endpoint, model, None, request)
    return found


def line(key: str, content: str = "fine", **changed: Any) -> str:
    """A result as a server gives it."""
    choice = {"index": 0, "message": {"content": content}, "finish_reason": "stop"}
    body = {"choices": [choice], "usage": {"prompt_tokens": 10, "completion_tokens": 5}}
    row = {"id": "b", "custom_id": key, "response": {"status_code": 200, "body": body}}
    return json.dumps(row | {"error": None} | changed)


def lines_of(paths: list[Path]) -> list[dict[str, Any]]:
    return [json.loads(one) for path in paths for one in path.read_bytes().split(b"\n") if one]


def test_requests_are_lines_that_a_server_takes(tmp_path: Path) -> None:
    waiting = pending(3)
    (path,) = write_batches(tmp_path / "out", "mine", waiting.values())
    rows = lines_of([path])
    assert path.name == "mine-m-001.jsonl"
    assert {row["custom_id"] for row in rows} == waiting.keys()
    assert all(len(row["custom_id"]) <= 64 for row in rows)
    assert {(row["method"], row["url"]) for row in rows} == {("POST", "/v1/chat/completions")}
    first = next(row for row in rows if row["body"]["messages"][0]["content"].startswith("q0"))
    assert first["body"] == {
        "model": "m",
        "messages": [{"role": "user", "content": "q0 é\u2028"}],
        "temperature": 0.0,
        "seed": 0,
        "max_tokens": 50,
    }
    assert sum("response_format" in row["body"] for row in rows) == 2


def test_a_file_holds_one_model_and_no_more_than_a_server_takes(tmp_path: Path) -> None:
    waiting = [*pending(5).values(), *pending(2, "org/n:free").values()]
    by_count = write_batches(tmp_path / "a", "s", waiting, most_requests=2)
    assert [len(lines_of([path])) for path in by_count] == [2, 2, 1, 2]
    assert by_count[-1].name == "s-org_n_free-004.jsonl"
    size = max(len(one) for one in by_count[0].read_bytes().split(b"\n")) + 1
    by_size = write_batches(tmp_path / "b", "s", waiting, most_bytes=2 * size)
    assert all(path.stat().st_size <= 2 * size for path in by_size)
    assert sorted(map(str, lines_of(by_size))) == sorted(map(str, lines_of(by_count)))
    with pytest.raises(BatchError, match="expected a new or empty folder"):
        write_batches(tmp_path / "a", "s", waiting)


def test_openais_own_address_gets_the_newer_name_of_the_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (row,) = lines_of(write_batches(tmp_path, "s", pending(1, url=None).values()))
    assert row["body"]["max_completion_tokens"] == 50


def taken_from(
    text: str, waiting: Mapping[str, Pending], folder: Path, **calls: Any
) -> tuple[Any, MemoryCalls, Budget]:
    path = folder / "results.jsonl"
    path.write_text(text, "utf-8")
    cache, budget = MemoryCalls(), Budget(Calls(**calls))
    return take_batches([path], waiting, cache, budget, 0.5), cache, budget


def test_results_come_under_the_keys_of_their_calls_and_are_not_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = pending(4)
    keys = list(waiting)
    text = "\n".join(line(key, f"answer {n}") for n, key in reversed(list(enumerate(keys))))
    prices = {"m": Price(prompt=100, completion=1000)}
    taken, cache, budget = taken_from(text, waiting, tmp_path, prices=prices)
    assert (taken.replies, taken.skipped) == ({"m": 4}, {})
    # (4 * 10 * 100 + 4 * 5 * 1000) / 1e6, of which batches cost half
    assert budget.totals.cost == pytest.approx(0.012)
    assert (budget.totals.prompt_tokens, budget.totals.completion_tokens) == (40, 20)
    chat = OpenAIChat("m", Calls(), cache, base_url=URL)
    found = chat.ask([one.request for one in waiting.values()])
    assert found == [ChatReply(f"answer {n}", "stop", 10, 5, cached=True) for n in range(4)]


def test_lines_without_a_reply_are_counted_by_reason(tmp_path: Path) -> None:
    waiting = pending(9)
    k = list(waiting)
    lines = [
        line(k[0]),
        line(k[0], "another"),
        line(k[1], response=None, error={"code": "batch_expired", "message": "late"}),
        line(k[2], response={"status_code": 429, "body": {}}),
        line(k[7], response={"status_code": 400, "body": {"error": {"code": "bad_seed"}}}),
        line(k[3], response={"status_code": 200, "body": {"choices": []}}),
        line(k[4], response=None, error={"code": "server_error"}),
        line(k[5], "x" * 2_000_000),
        line(k[6], response="odd"),
        line("unheard of"),
        "{",
        "[1]",
        json.dumps({"custom_id": "x", "body": {}, "url": "/v1/chat/completions"}),
        "",
    ]
    taken, cache, _ = taken_from("\n".join(lines), waiting, tmp_path)
    assert taken.replies == {"m": 1}
    assert cache.calls[k[0]].reply.content == "fine"
    assert taken.skipped == {
        "repeated": 1,
        "expired": 1,
        "status 429": 1,
        "status 400 bad_seed": 1,
        "no reply in it": 2,
        "error server_error": 1,
        "longer than its tokens can be": 1,
        "unknown id": 2,
        "no JSON": 1,
        "a request, not a result": 1,
    }
    again = take_batches([tmp_path / "results.jsonl"], {}, cache, Budget(Calls()))
    assert again.skipped["answered before"] == 2


def test_a_key_that_a_result_echoes_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GPLA_TEST_KEY", CANARY)
    waiting = pending(2)
    first, second = waiting
    error = {"code": f"bad {CANARY}"}
    text = f"{line(first, f'my key is {CANARY}')}\n{line(second, response=None, error=error)}"
    taken, cache, _ = taken_from(text, waiting, tmp_path)
    assert cache.calls[first].reply.content == "my key is [key]"
    assert taken.skipped == {"error bad [key]": 1}


def test_files_that_are_none_are_named(tmp_path: Path) -> None:
    with pytest.raises(BatchError, match=r"gone\.jsonl is missing"):
        result_files([tmp_path / "gone.jsonl"])
    with pytest.raises(BatchError, match=r"a folder without \.jsonl"):
        result_files([tmp_path])


STUDY = {
    "name": "batched",
    "corpus": [{"source": "table", "file": "texts.jsonl"}],
    "subjects": [{"backend": "openai", "base_url": URL, "llms": ["one", "two"]}],
    "questions": {"count": 3},
    "parser": {"backend": "openai", "model": "p", "base_url": URL},
    "calls": {"prices": {m: {"prompt": 1, "completion": 2} for m in ("one", "two", "p")}},
}


@pytest.mark.slow
def test_a_study_is_asked_by_batches_round_after_round(tmp_path: Path) -> None:
    """Nothing listens at the study's address: whatever were asked there would fail."""
    (tmp_path / "texts.jsonl").write_text('{"llm": "a", "content": "I love honesty."}\n')
    study = tmp_path / "batched.yaml"
    study.write_text(yaml.safe_dump(STUDY), "utf-8")

    def asked(number: int) -> list[dict[str, Any]]:
        folder = tmp_path / f"out{number}"
        told = gpla("ask", str(study), "--batch-out", str(folder), folder=tmp_path / "wh")
        assert "at most" in told
        return lines_of(sorted(folder.glob("*.jsonl")))

    def answered(rows: list[dict[str, Any]], number: int) -> str:
        file = tmp_path / f"in{number}.jsonl"
        file.write_text("\n".join(line(one["custom_id"], reply(one)) for one in rows))
        return gpla("ask", str(study), "--batch-in", str(file), folder=tmp_path / "wh")

    def reply(row: dict[str, Any]) -> str:
        quote = {"perception": "I love honesty.", "quote": "I love honesty."}
        agent = row["body"]["model"] == "p"
        return json.dumps({"perceptions": [quote]}) if agent else "I love honesty."

    first = asked(1)
    assert sorted(row["body"]["model"] for row in first) == ["one"] * 3 + ["p"] + ["two"] * 3
    told = answered(first[:-1], 1)
    assert "6 replies taken" in told and "1 calls wait" in told
    assert "Every call that waited is answered" in answered(first[-1:], 2)
    second = asked(2)  # the answers are there, and wait to be parsed
    assert {row["body"]["model"] for row in second} == {"p"}
    answered(second, 3)
    told = gpla("run", str(study), "--dry-run", folder=tmp_path / "wh")
    assert "calls of" not in told
    rows = FileWarehouse(tmp_path / "wh" / "batched.duckdb").table("responses")
    assert isinstance(rows, pd.DataFrame) and len(rows) == 6
    assert set(rows["answer"]) == {"I love honesty."}
