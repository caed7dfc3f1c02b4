"""Replies that were paid for are kept: the key of a request, and where its reply is kept.

Our own since a cache of HTTP responses keeps them in a file of its own, by the bytes that were
sent; here a reply is a row of the study's warehouse, found again by what was asked, however a
server wants it asked (with a schema or without).
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from gpla_assets.chat.protocol import ChatReply, ChatRequest, Message
from gpla_assets.common.texts import whole_text as whole_text


def whole_request(request: ChatRequest) -> ChatRequest:
    """The request with messages that can be sent and stored (`whole_text`)."""
    messages = tuple(Message(one.role, whole_text(one.content)) for one in request.messages)
    return replace(request, messages=messages)


def settings_of(request: ChatRequest) -> dict[str, object]:
    """What a request asks besides its messages; of a first sample as before there were others."""
    settings: dict[str, object] = {
        "max_new_tokens": request.max_new_tokens,
        "temperature": float(request.temperature),
        "seed": request.seed,
        "schema": request.schema,
        "attempt": request.attempt,
    }
    return settings | {"sample": request.sample} if request.sample else settings


def messages_of(request: ChatRequest) -> list[dict[str, str]]:
    """The messages as an endpoint takes them."""
    return [{"role": one.role, "content": one.content} for one in request.messages]


def request_key(
    backend: str, endpoint: str, model: str, revision: str | None, request: ChatRequest
) -> str:
    """sha256 (hex) of all that the reply depends on, as canonical JSON.

    `endpoint` is the address without credentials, so that another key finds the same replies.
    """
    content = {
        "backend": backend,
        "base_url": endpoint,
        "model": model,
        "revision": revision,
        "messages": messages_of(request),
    } | settings_of(request)
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class AnsweredCall:
    """A reply with what it answers: a row of the table `model_calls`.

    `asked_at` is in UTC; `seconds` from sending to the reply, without waits and failed tries.
    """

    key: str
    backend: str
    endpoint: str
    model: str
    revision: str | None
    request: ChatRequest
    reply: ChatReply
    asked_at: datetime
    seconds: float


class ReplyCache(Protocol):
    """Where replies are kept between calls and runs."""

    def find(self, keys: Sequence[str]) -> dict[str, ChatReply]:
        """The kept replies among `keys`, each marked as cached."""
        ...

    def keep(self, calls: Sequence[AnsweredCall]) -> None:
        """Keep replies, in the place of older ones of the same key; durable on return."""
        ...


class MemoryCalls:
    """A cache that lasts as long as the process."""

    def __init__(self) -> None:
        self.calls: dict[str, AnsweredCall] = {}

    def find(self, keys: Sequence[str]) -> dict[str, ChatReply]:
        """The kept replies among `keys`."""
        return {
            key: replace(self.calls[key].reply, cached=True) for key in keys if key in self.calls
        }

    def keep(self, calls: Sequence[AnsweredCall]) -> None:
        """Keep replies until the process ends."""
        self.calls |= {call.key: call for call in calls}


class GroupCommit:
    """Keeps replies in groups: what arrives while one group is written goes into the next."""

    def __init__(self, cache: ReplyCache) -> None:
        self._cache = cache
        self._turn = asyncio.Lock()
        self._waiting: dict[str, AnsweredCall] = {}
        self._failed: Exception | None = None

    async def keep(self, call: AnsweredCall) -> None:
        """Return when the call is durable; raises what the cache raises."""
        self._waiting[call.key] = call
        async with self._turn:
            if call.key not in self._waiting:
                return  # an earlier group took it along
            if self._failed is not None:
                raise self._failed  # each try may wait minutes for a lock
            group, self._waiting = self._waiting, {}
            try:
                await asyncio.to_thread(self._cache.keep, list(group.values()))
            except Exception as error:
                self._waiting, self._failed = group | self._waiting, error
                raise

    def flush(self) -> None:
        """Keep what still waits: after an interruption, or a last try after a failure."""
        group, self._waiting = self._waiting, {}
        if group:
            self._cache.keep(list(group.values()))
