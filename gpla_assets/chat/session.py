"""One event loop, the servers of a model, and how each was found to take requests."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Callable, Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from gpla_assets.chat.cache import messages_of
from gpla_assets.chat.endpoint import Endpoint
from gpla_assets.chat.limits import Fault, Rates, prompt_tokens_of, tokens_of
from gpla_assets.chat.protocol import ChatReply, ChatRequest
from gpla_assets.sources.said import FILTERED, heard
from gpla_assets.studies.asking import Calls

if TYPE_CHECKING:
    from openai import AsyncOpenAI

Result = TypeVar("Result")
LIMIT_NAME, NEWER_LIMIT_NAME = "max_tokens", "max_completion_tokens"
LONGEST_FINISH = 40
"""Characters of the reason why a reply ended; servers have words of their own."""


@dataclass(frozen=True)
class Place:
    """Where a model is asked: an endpoint with its limits, and what it calls the model."""

    endpoint: Endpoint
    calls: Calls
    model: str


class Session:
    """What lives between calls of `ask`: the loop, and a server for each place.

    Raises BackendUnavailable where an endpoint's key is missing.
    """

    def __init__(self, places: Sequence[Place]) -> None:
        self.servers = [Server(place) for place in places]
        self._runner = asyncio.Runner()
        clients = [server.client for server in self.servers]
        self.close = weakref.finalize(self, _close, self._runner, clients)

    def run(self, work: Callable[[], Coroutine[None, None, Result]]) -> Result:
        """What `work` returns; called from another event loop (a notebook), it runs in a thread."""
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return self._runner.run(work())
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(lambda: self._runner.run(work())).result()


class Server:
    """One server of a model: connections, rates, and its dialect.

    `doubted`: it was put aside before, and one fault is enough to do so again.
    """

    def __init__(self, place: Place) -> None:
        self.place = place
        self.rates = Rates(place.calls)
        self.client = place.endpoint.client(place.calls.timeout_s)
        self.doubted = False
        self._takes_schema = True
        self._limit_name = LIMIT_NAME

    @property
    def attempts(self) -> int:
        """Tries of one call here."""
        return 1 if self.doubted else self.place.calls.attempts

    async def send(self, request: ChatRequest) -> ChatReply | Fault | None:
        """A reply, a fault, or None where the server refused a field that can be put otherwise.

        No exception of the client leaves here: it would carry the request and its headers.
        """
        import openai

        from gpla_assets.chat.guard import Refused, bounded

        endpoint, timeout_s = self.place.endpoint, self.place.calls.timeout_s
        body = body_of(request, self.place.model, self._limit_name, self._takes_schema)
        try:
            with bounded(request):
                async with asyncio.timeout(timeout_s):
                    raw = await self.client.chat.completions.with_raw_response.create(**body)
            return reply_of(raw.http_response.content, endpoint, request)
        except Refused as refused:
            return refused.fault
        except (TimeoutError, openai.APITimeoutError):
            return Fault(f"no answer within {timeout_s:g} s")
        except openai.APIStatusError as error:
            status, text = error.status_code, error.response.text
            if self._adapts(body, status, text):
                return None
            return endpoint.fault_of_status(status, text, error.response.headers)
        except openai.OpenAIError as error:
            return Fault(f"connection failed or cut ({type(error.__cause__ or error).__name__})")

    def _adapts(self, sent: Mapping[str, object], status: int, text: str) -> bool:
        """Whether a refusal names a field that can be left out or renamed; remembered then."""
        if status not in (400, 422):
            return False
        if LIMIT_NAME in sent and NEWER_LIMIT_NAME in text:
            self._limit_name = NEWER_LIMIT_NAME
            return True
        if "response_format" in sent and ("response_format" in text or "json_schema" in text):
            self._takes_schema = False
            return True
        return False


def _close(runner: asyncio.Runner, clients: Sequence[AsyncOpenAI]) -> None:
    for client in clients:
        with suppress(Exception):
            runner.run(client.close())
    with suppress(Exception):
        runner.close()


def body_of(
    request: ChatRequest, model: str, limit_name: str = LIMIT_NAME, takes_schema: bool = True
) -> dict[str, Any]:
    """A request as an endpoint takes it; `limit_name` is what it calls the most tokens."""
    body: dict[str, Any] = {
        "model": model,
        "messages": messages_of(request),
        "temperature": request.temperature,
        "seed": request.seed + request.sample,
        limit_name: request.max_new_tokens,
    }
    if request.schema is not None and takes_schema:
        form = {"name": "reply", "schema": request.schema, "strict": True}
        body["response_format"] = {"type": "json_schema", "json_schema": form}
    return body


def reply_of(content: bytes, endpoint: Endpoint, request: ChatRequest) -> ChatReply | Fault:
    """The reply in a response's body, or the fault where it holds none."""
    try:
        found = reply_in(endpoint.heard(content), request)
    except (ValueError, RecursionError):
        return Fault(f"the body is no JSON: {endpoint.said(content.decode('utf-8', 'replace'))}")
    if found is None:
        said = endpoint.said(content.decode("utf-8", "replace"))
        return Fault(f"the body holds no choice with a message: {said}")
    return found


def reply_in(body: Any, request: ChatRequest) -> ChatReply | None:
    """The reply in what was heard; None where it holds no choice with a message.

    Tokens that the server does not count are estimated.
    """
    try:
        choice = body["choices"][0]
        message = choice["message"]
        if not isinstance(message.get("content"), str | list | None):
            return None
        text, reasoning, refused = heard(message)
        finish = str(choice.get("finish_reason") or "stop")[:LONGEST_FINISH]
        usage = body.get("usage") or {}
        counted = [usage.get("prompt_tokens"), usage.get("completion_tokens")]
        estimated = [prompt_tokens_of(request), tokens_of(text)]
    except (KeyError, IndexError, TypeError, AttributeError, ValueError):
        return None
    prompt, completion = (
        found if isinstance(found, int) and 0 <= found < 2**31 else estimate
        for found, estimate in zip(counted, estimated, strict=True)
    )
    return ChatReply(text, FILTERED if refused else finish, prompt, completion, reasoning=reasoning)
