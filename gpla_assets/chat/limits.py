"""How fast an endpoint is asked, and how long to wait before it is asked again."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from gpla_assets.chat.protocol import ChatRequest
from gpla_assets.studies.asking import Calls

BYTES_PER_TOKEN = 4
BYTES_EVER, BYTES_A_TOKEN = 2**20, 2**10
"""Most of a reply: a token hardly ever has more than a hundred bytes; JSON makes six of one."""
LONGEST_BACKOFF_S = 60.0
LONGEST_WAIT_S = 900.0
"""A server that asks for a longer pause ends the run: better told than waited for."""


@dataclass(frozen=True)
class Fault:
    """Why one try brought no reply.

    `again` tells whether another try may help, `wait_s` how long the server asked to wait, and
    `remedy` what the user can do where it may not; `elsewhere`, whether another server of the same
    model may answer.
    """

    reason: str
    again: bool = True
    wait_s: float | None = None
    remedy: str = ""
    elsewhere: bool = True


def tokens_of(text: str) -> int:
    """Tokens of a text, estimated before a server has counted them: four bytes each."""
    return math.ceil(len(text.encode("utf-8", "replace")) / BYTES_PER_TOKEN)


def prompt_tokens_of(request: ChatRequest) -> int:
    """Tokens of a request's messages, estimated."""
    return sum(tokens_of(one.content) + 4 for one in request.messages)


def most_bytes(request: ChatRequest) -> int:
    """Bytes that a response may have.

    >>> most_bytes(ChatRequest((), max_new_tokens=50))
    1099776
    """
    return BYTES_EVER + BYTES_A_TOKEN * request.max_new_tokens


class Rates:
    """Requests and tokens per minute; callers take their turn in the order they came.

    Calls are spread evenly, so that no minute holds more than the limit: requests start at least
    60 / requests_per_minute seconds apart, and a call that takes n tokens is preceded by
    60 n / tokens_per_minute seconds, less what earlier calls were charged too much (at most ten
    seconds' worth).
    """

    def __init__(self, calls: Calls) -> None:
        from aiolimiter import AsyncLimiter

        requests, tokens = calls.requests_per_minute, calls.tokens_per_minute
        self._requests = AsyncLimiter(1, 60 / requests) if requests else None
        self._tokens = AsyncLimiter(tokens / 60, 1) if tokens else None
        self._credit = tokens / 6 if tokens else 0.0
        self._owed = 0.0
        self._turn = asyncio.Lock()

    async def take(self, tokens: int) -> None:
        """Wait until a call of so many tokens may start."""
        async with self._turn:
            if self._tokens is not None:
                self._owed += tokens
                while self._owed > 0:
                    part = min(self._owed, self._tokens.max_rate)
                    await self._tokens.acquire(part)
                    self._owed -= part
            if self._requests is not None:
                await self._requests.acquire()

    def settle(self, estimated: int, used: int) -> None:
        """Charge the next calls with what this one used beyond its estimate, or credit them."""
        self._owed = max(self._owed + used - estimated, -self._credit)


def retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Seconds that a reply's Retry-After asks to wait, given in seconds or as an HTTP date."""
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        try:
            seconds = float(headers.get(name, "")) / unit
        except ValueError:
            continue
        if math.isfinite(seconds):
            return max(seconds, 0.0)
    try:
        until = parsedate_to_datetime(headers.get("retry-after", ""))
    except (TypeError, ValueError):
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max((until - (now or datetime.now(UTC))).total_seconds(), 0.0)


def backoff(attempt: int, fault: Fault, random: Callable[[], float]) -> float:
    """Seconds to wait after try number `attempt` (from 1).

    1, 2, 4 ... 60 s, of which chance takes up to a half; never less than the server asked for.
    `random` gives numbers in [0, 1), so that calls that failed together do not come back together.
    """
    chance = random()
    grown = min(LONGEST_BACKOFF_S, 2.0 ** min(attempt - 1, 10))
    if fault.wait_s is not None:
        return fault.wait_s + chance * min(grown, 1.0)
    return grown * (0.5 + chance / 2)
