"""Backends by name: how a study's settings choose one, and how endpoints are asked in a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from gpla_assets.chat import Budget, Chat, MemoryCalls, ReplyCache
from gpla_assets.chat.protocol import warned
from gpla_assets.common.errors import BackendUnavailable, UnknownBackend
from gpla_assets.studies import Calls, Evaluator, Model

ENDPOINT = ("model", "revision", "base_url", "prompt_version")
WEIGHTS = ("model", "revision", "dtype", "prompt_version")
"""Settings that decide what an LLM says: one that is asked, and one that runs here."""
PUBLISHED = {"kaleido": "tsor13/kaleido-xl", "valuellama": "Value4AI/ValueLlama-3-8B"}
"""The paper's own models for M_G and M_E, where a study names none."""

Settings = TypeVar("Settings")
Made = TypeVar("Made")


@dataclass(frozen=True)
class Asking:
    """How endpoints are asked in a run: limits, the cache of replies, the budget, the seed, and who
    is told of endpoints that are put aside."""

    calls: Calls = field(default_factory=Calls)
    cache: ReplyCache = field(default_factory=MemoryCalls)
    budget: Budget | None = None
    refresh: bool = False
    seed: int = 0
    tell: Callable[[str], None] = warned


@dataclass(frozen=True)
class Backend(Generic[Settings, Made]):
    """How an agent is made from its settings and the run's `Asking`.

    `uses`: the settings that bear on what it gives; others (device, batch size, those of other
    backends) change no result.
    """

    make: Callable[[Settings, Asking], Made]
    uses: tuple[str, ...]


def make_chat(settings: Model, asking: Asking) -> Chat:
    """The LLM that a prompted agent asks; raises BackendUnavailable where none is named."""
    if not settings.model:
        raise BackendUnavailable(
            f"Backend {settings.backend!r} has no model: found model = {settings.model!r}, "
            "expected a hub name, a folder or an endpoint's name; set it in the study."
        )
    if settings.asks_endpoint:
        from gpla_assets.chat.openai_chat import OpenAIChat

        return OpenAIChat(
            settings.model,
            asking.calls,
            asking.cache,
            base_url=settings.base_url,
            key_variable=settings.key_variable,
            revision=settings.revision,
            refresh=asking.refresh,
            budget=asking.budget,
            replicas=settings.replicas,
            tell=asking.tell,
        )
    from gpla_assets.chat.transformers_chat import TransformersChat

    return TransformersChat(
        settings.model,
        revision=settings.revision,
        dtype=settings.dtype,
        device=settings.device,
        batch_size=settings.batch_size,
    )


def backend_key(settings: Model) -> str:
    """A backend's name in its table: of the embedded evaluator, its mode belongs to it."""
    if isinstance(settings, Evaluator) and settings.backend == "embedded":
        return f"embedded, {settings.mode}"
    return settings.backend


def backend_named(
    role: str, table: Mapping[str, Backend[Settings, Made]], key: str
) -> Backend[Settings, Made]:
    """A backend of a room's table; raises UnknownBackend, naming those there are."""
    if key in table:
        return table[key]
    raise UnknownBackend(
        f"No {role} backend {key!r}, expected one of "
        f"{', '.join(dict.fromkeys(name.partition(',')[0] for name in table))}."
    )
