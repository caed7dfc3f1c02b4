"""Agents that run nothing and count what would run: for a look ahead at a run's cost."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from unittest.mock import patch

import numpy as np

from gpla_assets.agents.backends import Asking
from gpla_assets.chat import ReplyCache
from gpla_assets.chat.batch import Pending
from gpla_assets.chat.cache import request_key, whole_request
from gpla_assets.chat.endpoint import Endpoint
from gpla_assets.chat.limits import prompt_tokens_of
from gpla_assets.chat.protocol import ChatReply, ChatRequest
from gpla_assets.embedding.embedder import Embedder, Floats, make_embedder
from gpla_assets.evaluator.backends import make_value_encoder
from gpla_assets.studies import Model


@dataclass
class Tally:
    """What would run, by model: distinct texts or calls, those known already, and tokens.

    `completion_tokens` is the most that replies may hold; `pending` the calls themselves by key.
    """

    texts: dict[str, int] = field(default_factory=dict)
    calls: dict[str, int] = field(default_factory=dict)
    known: dict[str, int] = field(default_factory=dict)
    prompt_tokens: dict[str, int] = field(default_factory=dict)
    completion_tokens: dict[str, int] = field(default_factory=dict)
    pending: dict[str, Pending] = field(default_factory=dict)

    def add(self, other: Tally) -> None:
        """Take another count in."""
        for name in ("texts", "calls", "known", "prompt_tokens", "completion_tokens"):
            for model, count in getattr(other, name).items():
                _add(getattr(self, name), model, count)
        self.pending |= other.pending


def _add(counts: dict[str, int], name: str, count: int) -> None:
    counts[name] = counts.get(name, 0) + count


class CountingEncoder:
    """Stands for an embedder: counts the texts that it has not embedded yet, and gives zeros."""

    def __init__(self, embedder: Embedder, tally: Tally, dimensions: int = 384) -> None:
        self.embedder, self.tally, self.dimensions = embedder, tally, dimensions
        self.inferences = 0
        self._seen: set[str] = set()

    @property
    def model(self) -> str:
        """Name of the model."""
        return self.embedder.model

    def encode(self, texts: Sequence[str]) -> Floats:
        """Zeros (n_texts, dimensions)."""
        new = [text for text in dict.fromkeys(texts) if text not in self._seen]
        self._seen |= set(new)
        missing = self.embedder.missing(new)
        _add(self.tally.texts, self.model, missing)
        _add(self.tally.known, self.model, len(new) - missing)
        return np.zeros((len(texts), self.dimensions), np.float32)


class CountingChat:
    """Stands for an LLM: counts the calls whose replies are not kept, and says nothing new."""

    def __init__(self, settings: Model, cache: ReplyCache, refresh: bool, tally: Tally) -> None:
        self.name = settings.backend
        self.model = str(settings.model)
        self.revision = settings.revision
        self.inferences = 0
        self.cache, self.refresh, self.tally = cache, refresh, tally
        # a model that runs here keeps no replies
        asked = settings.asks_endpoint
        self.endpoint = Endpoint(settings.base_url, settings.key_variable) if asked else None

    def ask(
        self,
        requests: Sequence[ChatRequest],
        progress: Callable[[int], None] = lambda count: None,
    ) -> list[ChatReply]:
        """Kept replies; empty ones for what would be asked. Repeated tries are not counted."""
        whole = [whole_request(request) for request in requests]
        url = self.endpoint.url if self.endpoint else ""
        keys = [request_key(self.name, url, self.model, self.revision, one) for one in whole]
        found = {} if self.refresh or self.endpoint is None else self.cache.find(keys)
        for key, request in dict(zip(keys, whole, strict=True)).items():
            if key in found:
                _add(self.tally.known, self.model, 1)
            # second tries follow from what a first reply lacks, and there is none here
            elif request.attempt == 0:
                _add(self.tally.calls, self.model, 1)
                _add(self.tally.prompt_tokens, self.model, prompt_tokens_of(request))
                _add(self.tally.completion_tokens, self.model, request.max_new_tokens)
                if self.endpoint is not None:
                    self.tally.pending[key] = Pending(
                        *(key, self.name, self.endpoint, self.model, self.revision, request)
                    )
        return [found.get(key, ChatReply("")) for key in keys]


AGENTS = ("parser", "generator", "evaluator", "subjects")
"""Rooms whose `backends` make agents."""


@contextmanager
def counting(tally: Tally) -> Iterator[None]:
    """Inside, agents that a study's settings make count into `tally` and run nothing."""
    general = CountingEncoder(make_embedder(), tally)
    tuned = CountingEncoder(make_value_encoder(), tally)

    def chat(settings: Model, asking: Asking) -> CountingChat:
        return CountingChat(settings, asking.cache, asking.refresh, tally)

    stand_ins = {
        "make_embedder": lambda: general,
        "make_value_encoder": lambda: tuned,
        "make_chat": chat,
    }
    with ExitStack() as replaced:
        for room in AGENTS:
            backends = import_module(f"gpla_assets.{room}.backends")
            for name in stand_ins.keys() & vars(backends).keys():
                # a room has the names that it uses alone, and patching others raises
                replaced.enter_context(patch.object(backends, name, stand_ins[name]))
        yield
