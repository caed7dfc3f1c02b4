"""Asking an endpoint: nothing paid for is lost, nothing is asked twice, no key is ever shown."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import pytest

from gpla_assets.chat.budget import Budget, Totals
from gpla_assets.chat.cache import AnsweredCall, GroupCommit, MemoryCalls, request_key, whole_text
from gpla_assets.chat.endpoint import Endpoint, endpoint_of
from gpla_assets.chat.limits import Fault as Lack
from gpla_assets.chat.limits import backoff, retry_after
from gpla_assets.chat.openai_chat import OpenAIChat
from gpla_assets.chat.protocol import ChatReply, ChatRequest, ChatStopped, Message
from gpla_assets.common.errors import BackendUnavailable
from gpla_assets.storage import TABLES, FileWarehouse, WarehouseCalls
from gpla_assets.studies import StudyError
from gpla_assets.studies.asking import Calls, Price
from gpla_assets.studies.settings import Model, bearing
from tests.fault_server import (
    CUT,
    EMPTY_CHOICES,
    ENDLESS,
    HANG,
    NOT_JSON,
    Asked,
    Fault,
    FaultServer,
    said,
    status,
)

CANARY = "sk-canary-5f0c1d7e9b3a4862"
PASSWORD = "pass-canary-77aa19"
SCHEMA = {"type": "object", "properties": {"value": {"type": "string"}}, "required": ["value"]}


def request(content: str, **settings: Any) -> ChatRequest:
    return ChatRequest((Message("user", content),), **{"max_new_tokens": 200} | settings)


def requests(count: int) -> list[ChatRequest]:
    return [request(f"q{n}") for n in range(count)]


class Waits:
    """A sleep that only notes how long it was asked to last."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


@pytest.fixture
def cache(tmp_path: Path) -> WarehouseCalls:
    return WarehouseCalls(FileWarehouse(tmp_path / "study.duckdb", lock_timeout=20))


@pytest.fixture
def chat_with(
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Callable[..., OpenAIChat]:
    """A chat with a server, with waits that take no time, closed after the test."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)

    def made(server: FaultServer | str, cache: Any = None, **options: Any) -> OpenAIChat:
        url = server if isinstance(server, str) else server.url
        limits = {name: options.pop(name) for name in list(options) if name in Calls.model_fields}
        options = {"sleep": Waits(), "random": lambda: 0.0, "base_url": url} | options
        calls = Calls(**{"concurrency": 4, "timeout_s": 5} | limits)
        chat = OpenAIChat("m", calls, MemoryCalls() if cache is None else cache, **options)
        request.addfinalizer(chat.close)
        return chat

    return made


Made = Callable[..., OpenAIChat]


def table(cache: WarehouseCalls) -> Any:
    return cache.warehouse.table("model_calls").set_index("call_id")


def test_replies_come_in_order_and_equal_requests_are_asked_once(
    chat_with: Made, cache: WarehouseCalls
) -> None:
    told: list[int] = []
    with FaultServer() as server:
        chat = chat_with(server, cache)
        found = chat.ask([request("a"), request("b"), request("a")], told.append)
        again = chat.ask([request("b")])
    assert [one.content for one in found] == [said("a"), said("b"), said("a")]
    assert [one.cached for one in found] == [False, False, True]
    assert again == [ChatReply(said("b"), "stop", 10, 5, cached=True)]
    assert server.count == {"a": 1, "b": 1}
    assert sum(told) == 3
    assert chat.inferences == 2
    assert chat.totals == Totals(2, 2, 20, 10, None)
    rows = table(cache)
    assert sorted(rows.content) == [said("a"), said("b")]
    assert json.loads(rows.messages.iloc[0])[0]["role"] == "user"
    assert set(rows.endpoint) == {server.url}
    assert rows.seconds.gt(0).all()


def test_a_request_is_sent_as_it_was_meant(chat_with: Made) -> None:
    messages = (Message("system", "Be kind."), Message("user", "a"))
    with FaultServer() as server:
        chat_with(server).ask([ChatRequest(messages, 7, 0.5, 11, SCHEMA)])
        chat_with(server).ask([request("b")])
    sent, plain = (one.body for one in server.asked)
    assert sent["messages"][0] == {"role": "system", "content": "Be kind."}
    assert (sent["max_tokens"], sent["temperature"], sent["seed"]) == (7, 0.5, 11)
    assert sent["response_format"]["json_schema"]["schema"] == SCHEMA
    assert "response_format" not in plain


@pytest.mark.parametrize(
    "fault",
    [status(429), status(500), status(503), HANG, CUT, NOT_JSON, EMPTY_CHOICES],
    ids=["429", "500", "503", "hang", "cut", "not_json", "empty_choices"],
)
def test_a_passing_fault_is_asked_again_and_costs_nothing_else(
    chat_with: Made, cache: WarehouseCalls, fault: Fault
) -> None:
    hit: list[str] = []

    def first_of_q2(asked: Asked) -> Fault | None:
        if asked.content == "q2" and not hit:
            hit.append(asked.content)
            return fault
        return None

    with FaultServer(rule=first_of_q2) as server:
        chat = chat_with(server, cache, timeout_s=0.7)
        found = chat.ask(requests(6))
    assert [one.content for one in found] == [said(f"q{n}") for n in range(6)]
    assert server.count == {f"q{n}": 1 + (n == 2) for n in range(6)}
    assert chat.sleep.seconds == [0.5]  # type: ignore[attr-defined]
    assert len(table(cache)) == 6
    assert chat.totals.calls == 7


def test_the_server_says_how_long_to_wait(chat_with: Made) -> None:
    date = "Wed, 21 Oct 2015 07:28:00 GMT"
    with FaultServer([status(429, retry_after="3"), status(503, retry_after=date)]) as server:
        chat = chat_with(server)
        chat.ask([request("a")])
    assert chat.sleep.seconds == [3.0, 0.0]  # type: ignore[attr-defined]
    now = datetime(2015, 10, 21, 7, 27, 30, tzinfo=UTC)
    assert retry_after({"retry-after": date}, now) == 30
    assert retry_after({"retry-after-ms": "250"}) == 0.25
    for useless in ("soon", "nan", "inf", ""):
        assert retry_after({"retry-after": useless}) is None
    with FaultServer([status(429, retry_after="7200")]) as server:
        chat = chat_with(server)
        with pytest.raises(ChatStopped, match="asks to wait 7200 s"):
            chat.ask([request("a")])
    assert len(server.asked) == 1


def test_waits_grow_with_jitter_up_to_a_minute() -> None:
    fault = Lack("status 500")
    assert [backoff(n, fault, lambda: 0.0) for n in (1, 2, 3, 7, 99)] == [0.5, 1, 2, 30, 30]
    assert [backoff(n, fault, lambda: 1.0) for n in (1, 2, 3, 7, 99)] == [1, 2, 4, 60, 60]
    assert 20 <= backoff(1, Lack("429", wait_s=20), lambda: 0.9) <= 21


def test_a_server_that_stays_lost_ends_the_run_and_a_rerun_asks_the_rest(
    chat_with: Made, cache: WarehouseCalls
) -> None:
    broken = {"q5"}
    rule = lambda asked: status(500, "out of memory") if asked.content in broken else None  # noqa: E731
    with FaultServer(rule=rule) as server:
        chat = chat_with(server, cache, attempts=3, concurrency=1)
        with pytest.raises(ChatStopped) as stopped:
            chat.ask(requests(10))
        for part in ("'m'", server.url, "status 500", "out of memory", "3 of 3", "are kept"):
            assert part in str(stopped.value)
        assert server.count == {f"q{n}": 1 for n in range(5)} | {"q5": 3}
        assert chat.inferences == len(table(cache)) == 5
        broken.clear()
        assert len(chat.ask(requests(10))) == 10
    assert server.answered == {f"q{n}": 1 for n in range(10)}


def test_calls_under_way_are_finished_and_kept_when_another_fails(
    chat_with: Made, cache: WarehouseCalls
) -> None:
    rule = lambda asked: status(404, "no such model") if asked.content == "q0" else None  # noqa: E731
    with FaultServer(rule=rule, delay=0.2) as server:
        with pytest.raises(BackendUnavailable, match="404"):
            chat_with(server, cache).ask(requests(40))
        assert len(server.asked) <= 4
        assert len(table(cache)) == sum(server.answered.values()) == 3


@pytest.mark.parametrize(
    ("code", "remedy"), [(401, "OPENAI_API_KEY"), (403, "key"), (404, "base_url"), (400, "setting")]
)
def test_a_refusal_is_not_asked_again_and_says_what_to_do(
    chat_with: Made, code: int, remedy: str
) -> None:
    with FaultServer([status(code, "context \x1b[31m too\nlong")]) as server:
        with pytest.raises(BackendUnavailable, match=f"status {code}") as refused:
            chat_with(server).ask([request("a")])
        assert len(server.asked) == 1
    assert remedy in str(refused.value)
    assert str(refused.value).isprintable()


def test_a_spent_quota_is_no_passing_fault(chat_with: Made) -> None:
    quota = Fault("status", 429, "insufficient_quota: check your plan")
    with FaultServer([quota]) as server, pytest.raises(BackendUnavailable, match="quota is spent"):
        chat_with(server).ask([request("a")])
    assert len(server.asked) == 1


@pytest.mark.parametrize("code", [400, 422])
def test_a_server_without_schemas_is_asked_without_and_that_is_remembered(
    chat_with: Made, code: int
) -> None:
    refuse = lambda asked: (  # noqa: E731
        status(code, "Unexpected keys: {'response_format'}")
        if "response_format" in asked.body
        else None
    )
    with FaultServer(rule=refuse) as server:
        chat = chat_with(server, concurrency=1)
        chat.ask([request("a", schema=SCHEMA), request("b", schema=SCHEMA)])
        chat.ask([request("c", schema=SCHEMA)])
    assert server.count == {"a": 2, "b": 1, "c": 1}
    assert chat.sleep.seconds == []  # type: ignore[attr-defined]


def test_a_server_that_wants_max_completion_tokens_gets_it(chat_with: Made) -> None:
    message = "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."
    rule = lambda asked: status(400, message) if "max_tokens" in asked.body else None  # noqa: E731
    with FaultServer(rule=rule) as server:
        chat_with(server, concurrency=1).ask([request("a", max_new_tokens=9), request("b")])
    assert server.count == {"a": 2, "b": 1}
    assert server.asked[1].body["max_completion_tokens"] == 9


# Budget


def test_a_budget_of_calls_is_never_passed_and_the_next_run_goes_on(
    chat_with: Made, cache: WarehouseCalls
) -> None:
    with FaultServer([status(500)], delay=0.02) as server:
        for asked in (7, 14):
            with pytest.raises(ChatStopped, match=r"7 calls of calls\.max_calls = 7"):
                chat_with(server, cache, max_calls=7).ask(requests(18))
            assert len(server.asked) == asked
        assert len(table(cache)) == 13
        last = chat_with(server, cache, max_calls=7)
        assert len(last.ask(requests(18))) == 18
    assert last.totals == Totals(
        calls=5, cached=13, prompt_tokens=50, completion_tokens=25, cost=None
    )
    assert set(server.answered.values()) == {1}


def test_a_budget_of_tokens_or_money_stops_before_the_call_after_it(chat_with: Made) -> None:
    # a reply uses 10 + 5 tokens: 15, 30, 45; the fourth call would begin after 45 >= 40
    with FaultServer() as server:
        with pytest.raises(ChatStopped, match=r"45 tokens of calls\.max_tokens = 40"):
            chat_with(server, max_tokens=40, concurrency=1).ask(requests(9))
        assert len(server.asked) == 3
        # a reply costs (10 * 2 + 5 * 8) / 1e6 = 6e-5: two reach 1e-4
        priced = {"max_cost": 1e-4, "prices": {"m": Price(prompt=2, completion=8)}}
        chat = chat_with(server, concurrency=1, **priced)
        with pytest.raises(ChatStopped, match=r"0\.00012 of calls\.max_cost = 0\.0001"):
            chat.ask(requests(9))
        assert chat.totals.cost == pytest.approx(1.2e-4)
        assert len(server.asked) == 5


def test_a_shared_budget_counts_all_chats(chat_with: Made) -> None:
    shared = Budget(Calls(max_calls=3))
    with FaultServer() as server:
        chat_with(server, budget=shared).ask(requests(2))
        with pytest.raises(ChatStopped):
            chat_with(server, budget=shared).ask(requests(2))
    assert len(server.asked) == 3


def test_tokens_that_a_server_does_not_count_are_estimated(chat_with: Made) -> None:
    with FaultServer(usage={}, reply=lambda content: "x" * 400) as server:
        (found,) = chat_with(server).ask([request("y" * 40)])
    assert (found.prompt_tokens, found.completion_tokens) == (14, 100)


def test_a_cost_limit_without_a_price_is_an_error_at_the_start(chat_with: Made) -> None:
    with pytest.raises(StudyError, match=r"no price for 'm', only for \['other'\]"):
        chat_with(
            "http://127.0.0.1:1/v1", max_cost=1.0, prices={"other": Price(prompt=1, completion=1)}
        )


# Cache


def test_every_part_of_a_request_is_in_its_key() -> None:
    base = ("openai", "http://h/v1", "m", None, request("a"))
    other = [
        ("local", *base[1:]),
        ("openai", "http://g/v1", *base[2:]),
        ("openai", "http://h/v1", "n", *base[3:]),
        ("openai", "http://h/v1", "m", "main", base[4]),
        *(
            (*base[:4], request("a", **change))
            for change in (
                {"max_new_tokens": 1},
                {"temperature": 1},
                {"seed": 1},
                {"schema": SCHEMA},
                {"attempt": 1},
                {"sample": 1},
            )
        ),
        (*base[:4], request("b")),
        (*base[:4], ChatRequest((Message("system", "a"),), 200)),
    ]
    keys = {request_key(*one) for one in [base, *other]}
    assert len(keys) == 1 + len(other)
    assert request_key(*base[:4], request("a", temperature=0)) == request_key(*base)


def test_refreshing_asks_each_request_once_more_and_replaces_its_reply(
    chat_with: Made, cache: WarehouseCalls
) -> None:
    with FaultServer(reply=lambda content: "old") as server:
        chat_with(server, cache).ask(requests(3))
        server.reply = lambda content: "new"
        chat = chat_with(server, cache, refresh=True)
        first, second = chat.ask(requests(2)), chat.ask(requests(2))
    assert [one.content for one in first + second] == ["new"] * 4
    assert [one.cached for one in second] == [True, True]
    assert server.count == {"q0": 2, "q1": 2, "q2": 1}
    assert sorted(table(cache).content) == ["new", "new", "old"]


def test_the_endpoint_of_another_key_finds_the_same_replies(
    chat_with: Made, cache: WarehouseCalls
) -> None:
    with FaultServer() as server:
        chat_with(server, cache).ask(requests(2))
        chat_with(f"http://u:{PASSWORD}@{server.host}/v1/", cache).ask(requests(2))
    assert len(server.asked) == 2


def test_a_warehouse_of_an_older_version_gets_the_table(tmp_path: Path) -> None:
    warehouse = FileWarehouse(tmp_path / "study.duckdb")
    warehouse.create()
    with duckdb.connect(str(warehouse.working)) as connection:
        connection.execute("drop table internal.model_calls")
        connection.execute(
            "insert into evidence.profiles (profile, content) values ('Default', 'kept')"
        )
    older = FileWarehouse(tmp_path / "study.duckdb")
    assert WarehouseCalls(older).find(["k"]) == {}
    assert older.table("profiles").content.tolist() == ["kept"]
    found = older.read("select table_name from duckdb_tables() where not internal")
    assert set(found.table_name) == set(TABLES)


class SlowCache(MemoryCalls):
    """Notes the groups that it keeps; the first one waits until `release`."""

    def __init__(self) -> None:
        super().__init__()
        self.groups: list[int] = []
        self.release = threading.Event()

    def keep(self, calls: Any) -> None:
        self.groups.append(len(calls))
        self.release.wait(10)
        super().keep(calls)


def test_replies_that_come_while_others_are_written_are_kept_together() -> None:
    slow = SlowCache()
    reply, now = ChatReply("r"), datetime.now()

    async def six_at_once() -> None:
        commit = GroupCommit(slow)
        calls = [
            AnsweredCall(str(n), "b", "e", "m", None, request("q"), reply, now, 0.1)
            for n in range(6)
        ]
        tasks = [asyncio.create_task(commit.keep(call)) for call in calls]
        await asyncio.sleep(0.05)
        assert not any(task.done() for task in tasks)
        slow.release.set()
        await asyncio.gather(*tasks)

    asyncio.run(six_at_once())
    assert slow.groups == [1, 5]
    assert len(slow.calls) == 6


class BrokenCache(MemoryCalls):
    def keep(self, calls: Any) -> None:
        raise OSError("disk full")


def test_no_more_is_asked_once_replies_cannot_be_kept(chat_with: Made) -> None:
    with FaultServer() as server, pytest.raises(OSError, match="disk full"):
        chat_with(server, BrokenCache(), concurrency=2).ask(requests(50))
    assert len(server.asked) <= 4


# Rates


def test_the_rate_of_requests_holds_over_calls_of_ask(chat_with: Made) -> None:
    with FaultServer() as server:
        chat = chat_with(server, requests_per_minute=600)  # one in 100 ms
        for first in (0, 4):
            chat.ask(requests(8)[first : first + 4])
    times = [one.at for one in server.asked]
    assert times[-1] - times[0] >= 0.65
    assert min(b - a for a, b in pairwise(times)) > 0.05


def test_the_rate_of_tokens_holds_and_is_settled_by_what_was_used(chat_with: Made) -> None:
    # 6000 a minute are 100 a second; a request is estimated at 5 + 45 tokens: 0.5 s each,
    # and its reply gives back 35 of them
    with FaultServer() as server:
        chat = chat_with(server, tokens_per_minute=6000, concurrency=1)
        started = time.monotonic()
        chat.ask([request(f"q{n}", max_new_tokens=45) for n in range(10)])
        took = time.monotonic() - started
    # 10 calls use 15 tokens each: 1.5 s with the first second's 100 free; 4 s without giving back
    assert 0.3 < took < 3


# Keys


def everything_shown(error: BaseException) -> str:
    shown = [str(error), repr(error), "".join(traceback.format_exception(error))]
    ours = traceback.TracebackException.from_exception(error, capture_locals=True)
    while ours is not None:
        for frame in ours.stack:
            if "gpla_assets" in frame.filename:
                shown.append(repr(frame.locals))
        ours = ours.__cause__ or ours.__context__  # type: ignore[assignment]
    return "".join(shown)


@pytest.mark.parametrize("fault", [status(401), status(500), HANG, CUT, NOT_JSON])
@pytest.mark.parametrize("login", ["", f"user:{PASSWORD}@"])
def test_a_key_is_sent_but_never_shown_or_stored(
    chat_with: Made,
    cache: WarehouseCalls,
    fault: Fault,
    login: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("GPLA_TEST_KEY", CANARY)
    echo = Fault(fault.kind, fault.status, f"wrong key {CANARY} {PASSWORD if login else ''}")
    with FaultServer(reply=lambda content: f"my key is {CANARY}") as server:
        url = f"http://{login}{server.host}/v1"
        options = {"base_url": url, "key_variable": "GPLA_TEST_KEY"}
        chat = chat_with(server, cache, **options, timeout_s=0.3, attempts=1)
        (reply,) = chat.ask([request("a")])
        server.faults.append(echo)
        with pytest.raises((BackendUnavailable, ChatStopped)) as failed:
            chat.ask([request("b")])
    sent = server.asked[0].authorization
    assert sent.startswith("Basic ") if login else sent == f"Bearer {CANARY}"
    shown = everything_shown(failed.value) + caplog.text + repr(chat) + repr(vars(chat))
    cache.warehouse.publish()
    files = [file for file in cache.warehouse.path.parent.rglob("*") if file.is_file()]
    stored = b"".join(file.read_bytes() for file in files)
    for secret in (CANARY, PASSWORD, sent.split()[1]):
        assert secret not in shown + reply.content
        assert secret.encode() not in stored
    assert b"my key is [key]" in stored


def echoing(where: str) -> Fault:
    """A reply that has key and password in one of its places."""
    secret = f"{CANARY} {PASSWORD}"
    message = {"role": "assistant", "content": "fine"}
    choice: dict[str, Any] = {"index": 0, "message": message, "finish_reason": "stop"}
    found: dict[str, Any] = {"choices": [choice], "model": "m", "usage": {}}
    {
        "content": lambda: message.update(content=secret),
        "refusal": lambda: message.update(content=None, refusal=secret),
        "finish": lambda: choice.update(finish_reason=f"stop {secret}"),
        "late in finish": lambda: choice.update(finish_reason="x" * 30 + secret),
        "model": lambda: found.update(model=secret),
        "usage": lambda: found.update(usage={secret: secret, "prompt_tokens": secret}),
        "key of a mapping": lambda: found.update({secret: 1}),
        "no choice": lambda: found.update(choices=[], error=secret),
        "late in no choice": lambda: found.update(choices=[], error="y" * 570 + secret),
    }[where]()
    return Fault("body", body=found)


PLACES = ["content", "refusal", "finish", "late in finish", "model", "usage", "key of a mapping"]
FAULTS = ["no choice", "late in no choice"]


@pytest.mark.parametrize("where", PLACES + FAULTS)
def test_a_key_that_a_server_echoes_is_neither_stored_nor_shown(
    chat_with: Made, cache: WarehouseCalls, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GPLA_TEST_KEY", CANARY)
    with FaultServer([echoing(where)]) as server:
        url = f"http://user:{PASSWORD}@{server.host}/v1"
        chat = chat_with(
            server, cache, base_url=url, key_variable="GPLA_TEST_KEY", attempts=1, timeout_s=3
        )
        if where in FAULTS:
            with pytest.raises(ChatStopped) as failed:
                chat.ask([request("a")])
            shown = everything_shown(failed.value)
        else:
            shown = repr(chat.ask([request("a")]))
            assert ("[key]" in shown) == (where not in ("model", "usage", "key of a mapping"))
    cache.warehouse.create()
    cache.warehouse.publish()
    files = [file for file in cache.warehouse.path.parent.rglob("*") if file.is_file()]
    stored = b"".join(file.read_bytes() for file in files)
    for secret in (CANARY, PASSWORD):
        for part in (secret, secret[:12]):
            assert part not in shown
            assert part.encode() not in stored


@pytest.mark.parametrize(("key", "password"), [("sk-1a", "hunter"), ("a" * 16, "b" * 5)])
def test_short_secrets_are_hidden_where_no_model_speaks(
    key: str, password: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GPLA_TEST_KEY", key)
    endpoint = Endpoint(f"http://u:{password}@h/v1", "GPLA_TEST_KEY")
    parts = [{"type": "text", "text": f"I say {password}"}]
    told = {"finish_reason": f"{key} {password}", "model": key, "message": {"content": parts}}
    found = endpoint.heard(json.dumps(told).encode())
    assert found["finish_reason"] == "[key] [key]"
    assert found["model"] == "[key]"
    assert found["message"]["content"][0]["text"] == "I say [key]"


def test_a_placeholder_for_a_key_is_no_secret(
    chat_with: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GPLA_TEST_KEY", "ollama")
    with FaultServer(reply=lambda content: "ollama runs LLMs") as server:
        (found,) = chat_with(server, key_variable="GPLA_TEST_KEY").ask([request("a")])
    assert found.content == "ollama runs LLMs"


def test_a_reply_without_end_is_given_up(chat_with: Made) -> None:
    with FaultServer([ENDLESS]) as server:
        with pytest.raises(BackendUnavailable, match=r"longer than 1,099,776 bytes.*max_tokens"):
            chat_with(server).ask([request("a", max_new_tokens=50)])
        assert len(server.asked) == 1
    assert server.sent < 8 * 2**20  # what lies in the buffers of both ends is sent too


def test_a_compressed_reply_is_not_unpacked(chat_with: Made) -> None:
    packed = Fault("status", 200, headers={"Content-Encoding": "gzip"})
    with FaultServer([packed]) as server, pytest.raises(BackendUnavailable, match="compressed"):
        chat_with(server).ask([request("a")])


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_a_redirect_to_another_host_is_refused_before_it_is_followed(
    chat_with: Made, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GPLA_TEST_KEY", CANARY)
    with FaultServer() as other:
        there = other.url.replace("http://", f"http://{CANARY}@")
        to = status(code, location=f"{there}/chat?{CANARY}")
        with (
            FaultServer([to]) as server,
            pytest.raises(BackendUnavailable, match=f"redirects to {other.url[:-3]}") as no,
        ):
            chat_with(server, key_variable="GPLA_TEST_KEY").ask([request("a")])
    assert not other.asked
    assert CANARY not in everything_shown(no.value)


def test_a_redirect_on_the_same_host_is_followed(chat_with: Made) -> None:
    with FaultServer([status(307, location="/v1/chat/completions/")]) as server:
        assert chat_with(server).ask([request("a")])[0].content == said("a")
    nowhere = status(307, location="http://[::1")
    with FaultServer([nowhere]) as server, pytest.raises(BackendUnavailable, match="no address"):
        chat_with(server).ask([request("a")])


@pytest.mark.parametrize(
    ("url", "variable", "value", "message"),
    [
        (None, "GPLA_TEST_KEY", None, "No key for https://api.openai.com/v1.*GPLA_TEST_KEY"),
        ("http://10.1.2.3:8000/v1", "GPLA_TEST_KEY", "", "set it to `none`"),
        (None, "GPLA_TEST_KEY", f"{CANARY}\nx", "blanks, control or non-ASCII"),
        (None, "GPLA_TEST_KEY", f"{CANARY}é", "blanks, control or non-ASCII"),
        (None, CANARY, None, "not the name of an environment variable"),
    ],
)
def test_a_missing_or_damaged_key_is_said_before_anything_is_sent(
    chat_with: Made,
    monkeypatch: pytest.MonkeyPatch,
    url: str | None,
    variable: str,
    value: str | None,
    message: str,
) -> None:
    monkeypatch.delenv("GPLA_TEST_KEY", raising=False)
    if value is not None:
        monkeypatch.setenv("GPLA_TEST_KEY", value)
    chat = chat_with("", base_url=url, key_variable=variable)
    with pytest.raises(BackendUnavailable, match=message) as missing:
        chat.ask([request("a")])
    assert CANARY not in everything_shown(missing.value)


@pytest.mark.parametrize(
    "url",
    [
        *("localhost:8000/v1", "http://h:x/v1", f"http://u:{CANARY}@[::1"),
        *(f"http://h/v1?api-key={CANARY}", f"ftp://u:{CANARY}@h"),
    ],
)
def test_an_address_that_is_none_is_refused_without_showing_a_key(url: str) -> None:
    with pytest.raises(BackendUnavailable, match="expected http") as refused:
        endpoint_of(url)
    assert CANARY not in str(refused.value)


@pytest.mark.parametrize("host", ["h:8000/v1", "[::1", "h:x"])
def test_settings_show_no_password(host: str) -> None:
    own = Model(backend="openai", model="m", base_url=f"http://u:{PASSWORD}@{host}")
    for shown in (repr(own), str(own), str(own.model_dump()), own.model_dump_json()):
        assert PASSWORD not in shown
    assert PASSWORD not in str(bearing(own, "parser"))


def test_an_address_is_stored_without_credentials() -> None:
    assert endpoint_of(None) == "https://api.openai.com/v1"
    assert endpoint_of(f"http://u:{PASSWORD}@Host:8000/v1/") == "http://host:8000/v1"
    assert endpoint_of("http://[::1]:8000/v1") == "http://[::1]:8000/v1"


# Text of any kind

HOSTILE = [
    "'); DROP TABLE model_calls; --",
    "<script>alert(1)</script> {{ 7*7 }} ${HOME}",
    "../../etc/passwd",
    "nul \x00 bell \x07 escape \x1b[2J",
    "right to left \u202e txt.exe \u200f",
    "emoji \U0001f600 combining e\u0301 \ufffd",
    "line\r\nline\u2028line\x85line",
    "x" * 1_000_000,
    "",
]


def test_text_of_any_kind_is_asked_stored_and_read_back(
    chat_with: Made, cache: WarehouseCalls
) -> None:
    asked = [request(content) for content in HOSTILE]
    with FaultServer(reply=lambda content: content) as server:
        first = chat_with(server, cache).ask(asked)
        second = chat_with(server, cache).ask(asked)
    assert [one.content for one in first] == HOSTILE
    assert [one.content for one in second] == HOSTILE
    assert len(server.asked) == len(table(cache)) == len(HOSTILE)
    stored = {json.loads(one)[0]["content"] for one in table(cache).messages}
    assert stored == set(HOSTILE)


def test_lone_surrogates_become_the_replacement_character(
    chat_with: Made, cache: WarehouseCalls
) -> None:
    assert whole_text("a\ud800b\udc00c\ud83d\ude00\ud800") == "a\ufffdb\ufffdc\U0001f600\ufffd"
    with FaultServer(reply=lambda content: "half \ud83d of a pair") as server:
        (found,) = chat_with(server, cache).ask([request("ask \udfff this")])
    assert found.content == table(cache).content.iloc[0] == "half \ufffd of a pair"
    assert server.asked[0].content == "ask \ufffd this"
    call = AnsweredCall(
        "k",
        "b",
        "e",
        "m\ud800",
        None,
        request("q\ud800"),
        ChatReply("r\ud800"),
        datetime.now(),
        0.1,
    )
    cache.keep([call, call])
    assert cache.find(["k"])["k"].content == "r\ufffd"


@pytest.mark.parametrize(
    "body",
    [
        [],
        7,
        None,
        {"error": {"message": "overloaded"}},
        {"choices": [{"message": None}]},
        {"choices": [{"message": {"content": {"x": 1}}}]},
        {"choices": "none"},
    ],
)
def test_a_body_of_another_shape_is_a_fault(chat_with: Made, body: Any) -> None:
    with FaultServer([Fault("body", body=body)]) as server:
        assert chat_with(server).ask([request("a")])[0].content == said("a")
    assert len(server.asked) == 2


def test_reasoning_is_kept_apart_from_the_reply(chat_with: Made, cache: WarehouseCalls) -> None:
    parts = [{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "Yes."}]
    messages: list[dict[str, Any]] = [
        {"content": "Yes.", "reasoning_content": "Hm."},
        {"content": "Yes.", "reasoning": "Hm."},
        {"content": parts},
    ]
    faults = [Fault("body", body={"choices": [{"message": one}]}) for one in messages]
    with FaultServer(faults) as server:
        for _ in range(2):  # the second time out of the cache
            found = chat_with(server, cache, concurrency=1).ask(requests(3))
            assert [(one.content, one.reasoning) for one in found] == [("Yes.", "Hm.")] * 3
        assert len(server.asked) == 3


def test_a_refusal_of_the_model_is_its_reply(chat_with: Made) -> None:
    body = {"choices": [{"message": {"content": None, "refusal": "I will not."}}]}
    with FaultServer([Fault("body", body=body)]) as server:
        assert chat_with(server).ask([request("a")])[0].content == "I will not."


def test_it_can_be_asked_from_inside_an_event_loop(chat_with: Made) -> None:
    with FaultServer() as server:
        chat = chat_with(server)

        async def notebook() -> list[ChatReply]:
            return chat.ask(requests(2))

        assert len(asyncio.run(notebook())) == 2
        assert len(chat.ask(requests(3))) == 3


# Interruption

CHILD = """
import signal, sys
from pathlib import Path
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGTERM, signal.SIG_DFL)
from gpla_assets.chat.openai_chat import OpenAIChat
from gpla_assets.chat.protocol import ChatRequest, Message
from gpla_assets.storage import FileWarehouse, WarehouseCalls
from gpla_assets.studies.asking import Calls
cache = WarehouseCalls(FileWarehouse(Path(sys.argv[2])))
chat = OpenAIChat("m", Calls(concurrency=4), cache, base_url=sys.argv[1])
asked = [ChatRequest((Message("user", f"q{n}"),), 200) for n in range(60)]
print(len(chat.ask(asked)), chat.inferences)
"""


def child(server: FaultServer, path: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, server.url, str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={k: v for k, v in os.environ.items() if k != "OPENAI_API_KEY"},
    )


@pytest.mark.slow
def test_runs_that_are_killed_lose_only_calls_under_way(tmp_path: Path) -> None:
    path = tmp_path / "study.duckdb"
    with FaultServer(delay=0.05) as server:
        for answered, how in ((15, signal.SIGKILL), (35, signal.SIGINT)):
            process = child(server, path)
            deadline = time.monotonic() + 60
            while sum(server.answered.values()) < answered and time.monotonic() < deadline:
                time.sleep(0.01)
            os.kill(process.pid, how)
            process.communicate(timeout=30)
            assert process.returncode != 0
        time.sleep(0.2)  # replies on their way to a dead process
        asked_before = len(server.asked)
        kept = len(FileWarehouse(path).table("model_calls"))
        assert 35 - 2 * 4 <= kept < 60
        output, _ = child(server, path).communicate(timeout=60)
        assert output.split() == ["60", str(60 - kept)]
        assert len(server.asked) - asked_before == 60 - kept
    assert len(server.count) == 60
    assert len(server.asked) <= 60 + 2 * 4
