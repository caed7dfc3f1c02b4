"""What a run may spend on calls, and what it has spent."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace

from gpla_assets.chat.protocol import ChatStopped
from gpla_assets.studies.asking import Calls
from gpla_assets.studies.study import StudyError


@dataclass(frozen=True)
class Totals:
    """What was asked: for the metadata of an asset.

    `calls` are requests sent, repeated tries included; `cached` are answers that needed none.
    `cost` is in the currency of `calls.prices`; None where a model without a price was asked.
    """

    calls: int = 0
    cached: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float | None = 0.0

    def since(self, before: Totals) -> dict[str, int | float]:
        """Calls, tokens and cost after an earlier moment, by name; nothing where none was asked."""
        found: dict[str, int | float] = {
            f"LLM {name.replace('_', ' ')}": getattr(self, name) - getattr(before, name)
            for name in ("calls", "cached", "prompt_tokens", "completion_tokens")
        }
        if not any(found.values()):
            return {}
        if self.cost is not None and before.cost is not None:
            found["LLM cost"] = self.cost - before.cost
        return found


class Budget:
    """The limits of one run; several models may share it, from several threads.

    A limit is looked at before each call. Calls under way when it is reached are finished and
    kept, so `max_tokens` and `max_cost` can be passed by what `concurrency` calls use;
    `max_calls` never is.
    """

    def __init__(self, calls: Calls) -> None:
        self._limits = calls
        self._totals = Totals()
        self._lock = threading.Lock()

    @property
    def totals(self) -> Totals:
        """What was spent so far."""
        return self._totals

    def require_price(self, model: str) -> None:
        """Raise StudyError where a cost limit is set and the model has no price."""
        if self._limits.max_cost is not None and model not in self._limits.prices:
            raise StudyError(
                f"calls.max_cost = {self._limits.max_cost:g}, but calls.prices has no price for "
                f"{model!r}, only for {sorted(self._limits.prices)}; add "
                f"`{model}: {{prompt: ..., completion: ...}}` (money per million tokens; 0 for "
                "a model of your own), or use max_calls or max_tokens."
            )

    def start_call(self) -> None:
        """Count a call that is about to be sent; raises ChatStopped where a limit is reached."""
        with self._lock:
            spent = self._reached()
            if spent:
                raise ChatStopped(
                    f"The budget of this run is spent: {spent}. Answered calls are kept; run "
                    "again, or with a higher limit, and only the missing ones are asked."
                )
            self._totals = replace(self._totals, calls=self._totals.calls + 1)

    def _reached(self) -> str | None:
        limits, totals = self._limits, self._totals
        tokens = totals.prompt_tokens + totals.completion_tokens
        if limits.max_calls is not None and totals.calls >= limits.max_calls:
            return f"{totals.calls} calls of calls.max_calls = {limits.max_calls}"
        if limits.max_tokens is not None and tokens >= limits.max_tokens:
            return f"{tokens} tokens of calls.max_tokens = {limits.max_tokens}"
        if limits.max_cost is not None and (totals.cost or 0) >= limits.max_cost:
            return f"{totals.cost or 0:.4g} of calls.max_cost = {limits.max_cost:g}"
        return None

    def settle(
        self, model: str, prompt_tokens: int, completion_tokens: int, share: float = 1.0
    ) -> None:
        """Add what a call used, at a share of the model's price."""
        price = self._limits.prices.get(model)
        with self._lock:
            totals, cost = self._totals, None
            if price is not None and totals.cost is not None:
                used = prompt_tokens * price.prompt + completion_tokens * price.completion
                cost = totals.cost + share * used / 1e6
            self._totals = replace(
                totals,
                prompt_tokens=totals.prompt_tokens + prompt_tokens,
                completion_tokens=totals.completion_tokens + completion_tokens,
                cost=cost,
            )

    def count_cached(self, count: int) -> None:
        """Add answers that needed no call."""
        with self._lock:
            self._totals = replace(self._totals, cached=self._totals.cached + count)
