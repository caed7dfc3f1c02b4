"""An LLM behind an OpenAI-compatible endpoint: OpenAI, vLLM, Ollama, `transformers serve`.

What costs money or hours is not asked twice: each reply is kept before its place is given to the
next call, so that a process killed at any moment loses at most `concurrency` replies.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from random import random as chance
from typing import TYPE_CHECKING

from gpla_assets.chat.budget import Budget, Totals
from gpla_assets.chat.cache import AnsweredCall, GroupCommit, ReplyCache, request_key, whole_request
from gpla_assets.chat.endpoint import Endpoint, unavailable
from gpla_assets.chat.limits import LONGEST_WAIT_S, Fault, backoff, prompt_tokens_of
from gpla_assets.chat.protocol import ChatReply, ChatRequest, ChatStopped, warned
from gpla_assets.chat.session import Place, Server, Session
from gpla_assets.studies.asking import Calls
from gpla_assets.studies.settings import KEY_VARIABLE, Replica

if TYPE_CHECKING:
    from tenacity import RetryCallState


class OpenAIChat:
    """Asks an endpoint at the rate, and within the budget, that `calls` sets.

    `replicas` are further endpoints of the model with limits of their own: calls go to whichever is
    free. One that fails as a single one would end the run is put aside, `tell` is told, and the
    others take its calls. A reply is kept under the address of `base_url`, whoever gave it.

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
        replicas: Sequence[Replica] = (),
        tell: Callable[[str], None] = warned,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        random: Callable[[], float] = chance,
    ) -> None:
        self.model = model
        self.calls = calls
        self.cache = cache
        self.revision = revision
        self.refresh = refresh
        self.sleep, self.random, self.tell = sleep, random, tell
        self.inferences = 0
        self.budget = budget or Budget(calls)
        self.budget.require_price(model)
        self.endpoint = Endpoint(base_url, key_variable)
        self.places = [
            Place(self.endpoint, calls, model),
            *(place_of(one, model, calls, key_variable) for one in replicas),
        ]
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
            self._session = Session(self.places)
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


def place_of(replica: Replica, model: str, calls: Calls, key_variable: str) -> Place:
    """Where a replica is asked: what it does not say is as for the endpoint that it stands beside.

    Raises BackendUnavailable where its `base_url` is no address.
    """
    limits = replica.model_dump(
        include={"concurrency", "requests_per_minute", "tokens_per_minute"}, exclude_none=True
    )
    endpoint = Endpoint(replica.base_url, replica.key_variable or key_variable)
    return Place(endpoint, calls.model_copy(update=limits), replica.model or model)


@dataclass
class _Lane:
    """A server in one batch; `aside` is set once it is asked no more."""

    server: Server
    aside: asyncio.Event = field(default_factory=asyncio.Event)


class _Batch:
    """The calls of one `ask`: workers that take the next request until all are answered, so many a
    server as it takes at once."""

    def __init__(
        self,
        chat: OpenAIChat,
        session: Session,
        missing: dict[str, ChatRequest],
        finished: Callable[[str], None],
    ) -> None:
        self.answered: dict[str, ChatReply] = {}
        self._chat, self._finished = chat, finished
        self._left = deque(missing.items())
        self._lanes = [_Lane(server) for server in session.servers]
        self._commit = GroupCommit(chat.cache)
        self._stopping = asyncio.Event()
        self._error: Exception | None = None

    async def replies(self) -> dict[str, ChatReply]:
        """The replies by key; raises the first error once the calls under way have ended."""
        try:
            # once more where a server gave its calls back after the others had ended
            while self._left and not self._stopping.is_set():
                await asyncio.gather(*map(self._work, self._workers()))
        finally:
            self._commit.flush()
        if self._error is not None:
            raise self._error
        return self.answered

    def _workers(self) -> list[_Lane]:
        """A lane for each worker, in turn, so that few calls are spread over all servers."""
        counts = {n: lane.server.place.calls.concurrency for n, lane in enumerate(self._lanes)}
        turns = range(max(counts.values()))
        own = [
            lane
            for turn in turns
            for n, lane in enumerate(self._lanes)
            if turn < counts[n] and not lane.aside.is_set()
        ]
        return own[: len(self._left)]

    async def _work(self, lane: _Lane) -> None:
        while self._left and not (self._stopping.is_set() or lane.aside.is_set()):
            key, request = self._left.popleft()
            try:
                await self._answer(lane, key, request)
            except Exception as error:
                self._stop(error)

    def _stop(self, error: Exception) -> None:
        self._error = self._error or error
        self._stopping.set()

    async def _answer(self, lane: _Lane, key: str, request: ChatRequest) -> None:
        from tenacity import AsyncRetrying, retry_if_result

        retrying = AsyncRetrying(
            retry=retry_if_result(lambda found: isinstance(found, Fault) and found.again),
            stop=lambda state: self._gives_up(lane, state),
            wait=lambda state: backoff(state.attempt_number, _fault(state), self._chat.random),
            sleep=lambda seconds: self._unless_ended(lane, self._chat.sleep(seconds)),
            retry_error_callback=_fault,
        )
        found: AnsweredCall | Fault = await retrying(self._try, lane, key, request)
        if isinstance(found, AnsweredCall):
            await self._commit.keep(found)
            self.answered[key] = found.reply
            lane.server.doubted = False
            self._finished(key)
        elif not self._stopping.is_set():
            self._unanswered(lane, key, request, found, retrying.statistics["attempt_number"])

    def _unanswered(
        self, lane: _Lane, key: str, request: ChatRequest, fault: Fault, attempts: int
    ) -> None:
        """Leave a call to the other servers, where there are any; else the batch ends."""
        if not lane.aside.is_set():
            others = [one for one in self._lanes if one is not lane and not one.aside.is_set()]
            if not (others and fault.elsewhere):
                self._stop(self._error_of(lane, fault, attempts))
                return
            lane.aside.set()
            lane.server.doubted = True
            self._chat.tell(
                f"{lane.server.place.endpoint.url} is put aside: {fault.reason}. "
                f"{len(others)} other endpoints of {self._chat.model!r} take its calls."
            )
        self._left.append((key, request))

    def _gives_up(self, lane: _Lane, state: RetryCallState) -> bool:
        too_long = (_fault(state).wait_s or 0) > LONGEST_WAIT_S
        spent = state.attempt_number >= lane.server.attempts
        return too_long or spent or self._stopping.is_set() or lane.aside.is_set()

    def _error_of(self, lane: _Lane, fault: Fault, attempts: int) -> Exception:
        asked = f"Model {self._chat.model!r} at {lane.server.place.endpoint.url}"
        if not fault.again:
            return unavailable(f"{asked} refused: {fault.reason}. {fault.remedy}")
        waits = f", it asks to wait {fault.wait_s:.0f} s" if fault.wait_s else ""
        return ChatStopped(
            f"{asked} gave no reply: {fault.reason} (attempt {attempts} of "
            f"{lane.server.attempts}{waits}). Answered calls are kept: run again when it is "
            "back, and only the missing ones are asked."
        )

    async def _try(self, lane: _Lane, key: str, request: ChatRequest) -> AnsweredCall | Fault:
        chat, server = self._chat, lane.server
        estimate = prompt_tokens_of(request) + request.max_new_tokens
        found = None
        while found is None:  # None: the server takes it only without a field, so at once again
            await self._unless_ended(lane, server.rates.take(estimate))
            if self._stopping.is_set() or lane.aside.is_set():
                return Fault("the run is stopping", again=False)
            chat.budget.start_call()
            asked_at, started = datetime.now(UTC).replace(tzinfo=None), time.monotonic()
            found = await server.send(request)
        if isinstance(found, Fault):
            return found
        chat.budget.settle(chat.model, found.prompt_tokens, found.completion_tokens)
        server.rates.settle(estimate, found.prompt_tokens + found.completion_tokens)
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

    async def _unless_ended(self, lane: _Lane, wait: Awaitable[None]) -> None:
        """Wait for it, or until the batch stops or the server is put aside."""
        waiting = asyncio.ensure_future(wait)
        ends = [asyncio.ensure_future(one.wait()) for one in (self._stopping, lane.aside)]
        try:
            await asyncio.wait((waiting, *ends), return_when=asyncio.FIRST_COMPLETED)
            if waiting.done():
                waiting.result()
        finally:
            for one in (waiting, *ends):
                one.cancel()


def _fault(state: RetryCallState) -> Fault:
    """What the last try brought; asked only after a fault."""
    assert state.outcome is not None
    fault: Fault = state.outcome.result()
    return fault
