"""Agents that run nothing and count what would run: for a look ahead at a run's cost."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from unittest.mock import patch

import numpy as np

from gpla_assets.agents.embedding import Embedder, Floats
from gpla_assets.chat import ReplyCache
from gpla_assets.chat.cache import request_key, whole_request
from gpla_assets.chat.endpoint import Endpoint
from gpla_assets.chat.protocol import ChatReply, ChatRequest
from gpla_assets.chat.session import prompt_tokens_of
from gpla_assets.studies import Model


@dataclass
class Tally:
    """What would run, by model: distinct texts or calls, those known already, and tokens.

    `completion_tokens` is the most that replies may hold.
    """

    texts: dict[str, int] = field(default_factory=dict)
    calls: dict[str, int] = field(default_factory=dict)
    known: dict[str, int] = field(default_factory=dict)
    prompt_tokens: dict[str, int] = field(default_factory=dict)
    completion_tokens: dict[str, int] = field(default_factory=dict)


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
        asked = settings.backend == "openai"
        self.url = Endpoint(settings.base_url, settings.key_variable).url if asked else None

    def ask(
        self,
        requests: Sequence[ChatRequest],
        progress: Callable[[int], None] = lambda count: None,
    ) -> list[ChatReply]:
        """Kept replies; empty ones for what would be asked. Repeated tries are not counted."""
        whole = [whole_request(request) for request in requests]
        keys = [
            request_key(self.name, self.url or "", self.model, self.revision, one) for one in whole
        ]
        found = {} if self.refresh or self.url is None else self.cache.find(keys)
        for key, request in dict(zip(keys, whole, strict=True)).items():
            if key in found:
                _add(self.tally.known, self.model, 1)
            elif request.attempt == 0:
                _add(self.tally.calls, self.model, 1)
                _add(self.tally.prompt_tokens, self.model, prompt_tokens_of(request))
                _add(self.tally.completion_tokens, self.model, request.max_new_tokens)
        return [found.get(key, ChatReply("")) for key in keys]


@contextmanager
def counting(tally: Tally) -> Iterator[None]:
    """Inside, agents that the registry makes count into `tally` and run nothing."""
    from gpla_assets.agents import registry

    encoders = {name: getattr(registry, name)() for name in ("make_embedder", "make_value_encoder")}
    counted = {name: CountingEncoder(one, tally) for name, one in encoders.items()}

    def chat(settings: Model, asking: registry.Asking) -> CountingChat:
        return CountingChat(settings, asking.cache, asking.refresh, tally)

    with (
        patch.object(registry, "make_embedder", lambda: counted["make_embedder"]),
        patch.object(registry, "make_value_encoder", lambda: counted["make_value_encoder"]),
        patch.object(registry, "make_chat", chat),
    ):
        yield
