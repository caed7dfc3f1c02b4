"""An LLM behind an OpenAI-compatible endpoint: OpenAI, vLLM, Ollama, `transformers serve`.

What costs money or hours is not asked twice: each reply is kept before its place is given to the
next call, so that a process killed at any moment loses at most `concurrency` replies.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from random import random as chance
from typing import TYPE_CHECKING

from gpla_assets.chat.budget import Budget, Totals
from gpla_assets.chat.cache import AnsweredCall, GroupCommit, ReplyCache, request_key, whole_request
from gpla_assets.chat.endpoint import Endpoint, unavailable
from gpla_assets.chat.limits import LONGEST_WAIT_S, Fault, backoff, prompt_tokens_of
from gpla_assets.chat.protocol import ChatReply, ChatRequest, ChatStopped
from gpla_assets.chat.session import Session
from gpla_assets.studies.asking import Calls
from gpla_assets.studies.settings import KEY_VARIABLE

if TYPE_CHECKING:
    from tenacity import RetryCallState


class OpenAIChat:
    """Asks an endpoint at the rate, and within the budget, that `calls` sets.

    `refresh` asks each distinct request once more and replaces its kept reply. `budget` is this
    chat's own where none is given. `sleep` and `random` time the retries.
    Raises StudyError where a cost limit is set and the model has no price, and BackendUnavailable
    where `base_url` is no address.
    """

    name = "openai"

    def __init__(
        self,
        model: str,
        calls: Calls,
        cache: ReplyCache,
        base_url: str | None = None,
        key_variable: str = KEY_VARIABLE,
        revision: str | None = None,
        refresh: bool = False,
        budget: Budget | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        random: Callable[[], float] = chance,
    ) -> None:
        self.model = model
        self.calls = calls
        self.cache = cache
        self.revision = revision
        self.refresh = refresh
        self.sleep, self.random = sleep, random
        self.inferences = 0
        self.budget = budget or Budget(calls)
        self.budget.require_price(model)
        self.endpoint = Endpoint(base_url, key_variable)
        self._asked: set[str] = set()
        self._session: Session | None = None

    def __repr__(self) -> str:
        return f"OpenAIChat({self.model!r}, {self.endpoint.url!r})"

    @property
    def totals(self) -> Totals:
        """What was asked and spent; of all chats together where they share a budget."""
        return self.budget.totals

    def ask(
        self,
        requests: Sequence[ChatRequest],
        progress: Callable[[int], None] = lambda count: None,
    ) -> list[ChatReply]:
        """One reply per request, in order; equal requests are asked once.

        Raises ChatStopped where the budget is spent or the server stays lost, BackendUnavailable
        where it refuses; calls under way are finished first, and answered ones are kept.
        """
        whole = [whole_request(request) for request in requests]
        keys = [self._key(request) for request in whole]
        count = Counter(keys)
        replies = self._kept(list(count))
        missing = {k: r for k, r in zip(keys, whole, strict=True) if k not in replies}
        self.budget.count_cached(len(keys) - len(missing))
        if replies:
            progress(sum(count[key] for key in replies))
        if missing:
            replies |= self._answers(missing, lambda key: progress(count[key]))
        found, seen = [], set()
        for key in keys:
            found.append(replace(replies[key], cached=True) if key in seen else replies[key])
            seen.add(key)
        return found

    def close(self) -> None:
        """Close the connections; the next `ask` opens new ones."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def _key(self, request: ChatRequest) -> str:
        return request_key(self.name, self.endpoint.url, self.model, self.revision, request)

    def _kept(self, keys: list[str]) -> dict[str, ChatReply]:
        wanted = [key for key in keys if key in self._asked] if self.refresh else keys
        return self.cache.find(wanted) if wanted else {}

    def _answers(
        self, missing: dict[str, ChatRequest], finished: Callable[[str], None]
    ) -> dict[str, ChatReply]:
        if self._session is None:
            self._session = Session(self.endpoint, self.calls, self.model)
        batch = _Batch(self, self._session, missing, finished)
        try:
            return self._session.run(batch.replies)
        except Exception:
            raise
        except BaseException:  # an interruption may leave calls half done in the session
            self.close()
            raise
        finally:
            self.inferences += len(batch.answered)
            self._asked |= set(batch.answered)


class _Batch:
    """The calls of one `ask`: workers that take the next request until all are answered."""

    def __init__(
        self,
        chat: OpenAIChat,
        session: Session,
        missing: dict[str, ChatRequest],
        finished: Callable[[str], None],
    ) -> None:
        self.answered: dict[str, ChatReply] = {}
        self._chat, self._session, self._finished = chat, session, finished
        self._left: Iterator[tuple[str, ChatRequest]] = iter(missing.items())
        self._workers = min(chat.calls.concurrency, len(missing))
        self._commit = GroupCommit(chat.cache)
        self._stopping = asyncio.Event()
        self._error: Exception | None = None

    async def replies(self) -> dict[str, ChatReply]:
        """The replies by key; raises the first error once the calls under way have ended."""
        try:
            await asyncio.gather(*(self._work() for _ in range(self._workers)))
        finally:
            self._commit.flush()
        if self._error is not None:
            raise self._error
        return self.answered

    async def _work(self) -> None:
        for key, request in self._left:
            try:
                await self._answer(key, request)
            except Exception as error:
                self._stop(error)
            if self._stopping.is_set():
                return

    def _stop(self, error: Exception) -> None:
        self._error = self._error or error
        self._stopping.set()

    async def _answer(self, key: str, request: ChatRequest) -> None:
        from tenacity import AsyncRetrying, retry_if_result

        retrying = AsyncRetrying(
            retry=retry_if_result(lambda found: isinstance(found, Fault) and found.again),
            stop=self._gives_up,
            wait=lambda state: backoff(state.attempt_number, _fault(state), self._chat.random),
            sleep=self._pause,
            retry_error_callback=_fault,
        )
        found: AnsweredCall | Fault = await retrying(self._try, key, request)
        if isinstance(found, AnsweredCall):
            await self._commit.keep(found)
            self.answered[key] = found.reply
            self._finished(key)
        elif not self._stopping.is_set():
            self._stop(self._error_of(found, retrying.statistics["attempt_number"]))

    def _gives_up(self, state: RetryCallState) -> bool:
        too_long = (_fault(state).wait_s or 0) > LONGEST_WAIT_S
        spent = state.attempt_number >= self._chat.calls.attempts
        return too_long or spent or self._stopping.is_set()

    def _error_of(self, fault: Fault, attempts: int) -> Exception:
        asked = f"Model {self._chat.model!r} at {self._chat.endpoint.url}"
        if not fault.again:
            return unavailable(f"{asked} refused: {fault.reason}. {fault.remedy}")
        waits = f", it asks to wait {fault.wait_s:.0f} s" if fault.wait_s else ""
        return ChatStopped(
            f"{asked} gave no reply: {fault.reason} (attempt {attempts} of "
            f"{self._chat.calls.attempts}{waits}). Answered calls are kept: run again when it is "
            "back, and only the missing ones are asked."
        )

    async def _try(self, key: str, request: ChatRequest) -> AnsweredCall | Fault:
        chat, session = self._chat, self._session
        estimate = prompt_tokens_of(request) + request.max_new_tokens
        found = None
        while found is None:  # None: the server takes it only without a field, so at once again
            await self._unless_stopping(session.rates.take(estimate))
            if self._stopping.is_set():
                return Fault("the run is stopping", again=False)
            chat.budget.start_call()
            asked_at, started = datetime.now(UTC).replace(tzinfo=None), time.monotonic()
            found = await session.send(request)
        if isinstance(found, Fault):
            return found
        chat.budget.settle(chat.model, found.prompt_tokens, found.completion_tokens)
        session.rates.settle(estimate, found.prompt_tokens + found.completion_tokens)
        return AnsweredCall(
            key,
            chat.name,
            chat.endpoint.url,
            chat.model,
            chat.revision,
            request,
            found,
            asked_at,
            time.monotonic() - started,
        )

    async def _pause(self, seconds: float) -> None:
        await self._unless_stopping(self._chat.sleep(seconds))

    async def _unless_stopping(self, wait: Awaitable[None]) -> None:
        """Wait for it, or until the batch stops."""
        waiting = asyncio.ensure_future(wait)
        stopping = asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait((waiting, stopping), return_when=asyncio.FIRST_COMPLETED)
            if waiting.done():
                waiting.result()
        finally:
            waiting.cancel()
            stopping.cancel()


def _fault(state: RetryCallState) -> Fault:
    """What the last try brought; asked only after a fault."""
    assert state.outcome is not None
    fault: Fault = state.outcome.result()
    return fault
