"""Several endpoints of one model: one queue, limits of each, no call lost with one that dies."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise

import pytest

from gpla_assets.chat.cache import MemoryCalls
from gpla_assets.chat.openai_chat import OpenAIChat
from gpla_assets.chat.protocol import ChatRequest, ChatStopped, Message
from gpla_assets.common.errors import BackendUnavailable
from gpla_assets.studies.asking import Calls
from gpla_assets.studies.settings import Model, Replica, bearing
from tests.fault_server import FaultServer, said, status

LOGIN = "user-canary-81:pass-canary-52"
REQUESTS = [ChatRequest((Message("user", f"q{n}"),), max_new_tokens=20) for n in range(12)]
ANSWERS = [said(f"q{n}") for n in range(12)]


async def no_wait(seconds: float) -> None:
    """A sleep that takes no time."""


@pytest.fixture
def chat_with(
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Callable[..., tuple[OpenAIChat, list[str]]]]:
    """A chat with a server and its replicas, and what it tells; closed after the test."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    made: list[OpenAIChat] = []

    def chat(
        first: FaultServer, *replicas: Replica, cache: MemoryCalls | None = None, attempts: int = 3
    ) -> tuple[OpenAIChat, list[str]]:
        told: list[str] = []
        calls = Calls(concurrency=2, attempts=attempts, timeout_s=5)
        made.append(
            OpenAIChat(
                *("m", calls, MemoryCalls() if cache is None else cache),
                base_url=first.url,
                replicas=replicas,
                tell=told.append,
                sleep=no_wait,
                random=lambda: 0.0,
            )
        )
        return made[-1], told

    yield chat
    for one in made:
        one.close()


def contents(chat: OpenAIChat, count: int = 12) -> list[str]:
    return [one.content for one in chat.ask(REQUESTS[:count])]


def test_calls_go_to_whichever_endpoint_is_free_within_the_limits_of_each(
    chat_with: Callable[..., tuple[OpenAIChat, list[str]]],
) -> None:
    cache = MemoryCalls()
    with FaultServer(delay=0.05) as one, FaultServer(delay=0.2) as other:
        replica = Replica(base_url=other.url, model="theirs", concurrency=1)
        chat, told = chat_with(one, replica, cache=cache)
        assert contents(chat) == ANSWERS
        # each call went to one of the two, more of them to the faster one
        assert one.count + other.count == dict.fromkeys((f"q{n}" for n in range(12)), 1)
        assert len(one.asked) > len(other.asked) > 0
        assert all(after.at - before.at >= 0.19 for before, after in pairwise(other.asked))
        assert {call.body["model"] for call in other.asked} == {"theirs"}
        # whoever answered, the reply is found without asking, with the replica or without
        alone, _ = chat_with(one, cache=cache)
        assert contents(alone) == ANSWERS and alone.inferences == 0
    assert told == [] and chat.totals.calls == 12


@pytest.mark.parametrize(("code", "tries"), [(503, 3), (401, 1)])
def test_the_calls_of_an_endpoint_that_dies_go_to_the_others(
    chat_with: Callable[..., tuple[OpenAIChat, list[str]]], code: int, tries: int
) -> None:
    with FaultServer(rule=lambda asked: status(code)) as dead, FaultServer(delay=0.02) as alive:
        chat, told = chat_with(dead, Replica(base_url=alive.url, concurrency=1))
        assert contents(chat, 8) == ANSWERS[:8]
        assert alive.count == {f"q{n}": 1 for n in range(8)}
        (line,) = told
        assert line.startswith(f"{dead.url} is put aside: status {code}: ")
        assert line.endswith("1 other endpoints of 'm' take its calls.")
        assert tries <= len(dead.asked) <= 2 * tries
        # of the next calls one is tried there, and one fault is enough
        before = len(dead.asked)
        assert contents(chat) == ANSWERS
        assert len(told) == 2 and before < len(dead.asked) <= before + 2


def test_a_call_that_no_endpoint_answers_ends_the_run_and_keeps_what_was_answered(
    chat_with: Callable[..., tuple[OpenAIChat, list[str]]],
) -> None:
    cache = MemoryCalls()
    with FaultServer(rule=lambda asked: status(500)) as one:
        dies = FaultServer(rule=lambda asked: status(500) if asked.content == "q5" else None)
        with dies as other:
            chat, told = chat_with(one, Replica(base_url=other.url, concurrency=1), cache=cache)
            with pytest.raises(ChatStopped, match=f"at {other.url} gave no reply: status 500"):
                chat.ask(REQUESTS)
        assert len(told) == 1 and one.url in told[0]
        assert other.answered and not one.answered
        alone, _ = chat_with(one, cache=cache)
        kept = [n for n in range(12) if other.answered[f"q{n}"]]
        assert [one.content for one in alone.ask([REQUESTS[n] for n in kept])] == [
            ANSWERS[n] for n in kept
        ]


def test_a_request_that_is_wrong_everywhere_puts_no_endpoint_aside(
    chat_with: Callable[..., tuple[OpenAIChat, list[str]]],
) -> None:
    with FaultServer(rule=lambda asked: status(400, "too long")) as one, FaultServer() as other:
        chat, told = chat_with(one, Replica(base_url=other.url))
        with pytest.raises(BackendUnavailable, match=r"refused: status 400: .*too long"):
            chat.ask(REQUESTS)
    assert told == []


def test_replicas_change_no_result_and_show_no_password() -> None:
    own = Model(
        backend="openai", replicas=[Replica(base_url=f"http://{LOGIN}@h:1/v1", concurrency=3)]
    )
    assert bearing(own, "evaluator") == bearing(Model(backend="openai"), "evaluator")
    assert "canary" not in own.model_dump_json() + repr(own)
    with pytest.raises(BackendUnavailable, match="base_url is 'nowhere'"):
        OpenAIChat("m", Calls(), MemoryCalls(), replicas=[Replica(base_url="nowhere")])
