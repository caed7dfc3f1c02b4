"""Backends by name: what a study's settings make."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import pandas as pd

from gpla_assets.agents.chat_subject import ChatSubject
from gpla_assets.agents.cross_encoder import CrossEncoder, PairJudge, base_model
from gpla_assets.agents.embedded_evaluator import EmbeddedEvaluator
from gpla_assets.agents.embedded_generator import EmbeddedGenerator
from gpla_assets.agents.embedding import Embedder
from gpla_assets.agents.embedding_store import warehouse_store
from gpla_assets.agents.prompted_evaluator import PromptedEvaluator, plausible_pairs
from gpla_assets.agents.prompted_generator import PromptedGenerator
from gpla_assets.agents.prompted_namer import PromptedNamer
from gpla_assets.agents.prompted_parser import PromptedParser
from gpla_assets.agents.protocol import (
    BackendUnavailable,
    PerceptionParser,
    Subject,
    UnknownBackend,
    ValueEvaluator,
    ValueGenerator,
)
from gpla_assets.agents.sentence_parser import SentenceParser
from gpla_assets.agents.transformers_subject import TransformersSubject
from gpla_assets.chat import Budget, Chat, MemoryCalls, ReplyCache
from gpla_assets.content import definitions_of, vocabulary
from gpla_assets.evaluator.cross import CROSS_VERSION, SHIPPED_CROSS, CrossWeights
from gpla_assets.evaluator.weights import SHIPPED_VERSION, EvaluatorWeights
from gpla_assets.studies import Calls, Evaluator, Generator, Model, Parser, SubjectSource

PUBLISHED = {"kaleido": "tsor13/kaleido-xl", "valuellama": "Value4AI/ValueLlama-3-8B"}
"""The paper's own models for M_G and M_E, where a study names none."""


@dataclass(frozen=True)
class Asking:
    """How endpoints are asked in a run: limits, the cache of replies, the budget, the seed."""

    calls: Calls = field(default_factory=Calls)
    cache: ReplyCache = field(default_factory=MemoryCalls)
    budget: Budget | None = None
    refresh: bool = False
    seed: int = 0


@lru_cache(maxsize=1)
def make_embedder() -> Embedder:
    """The general embedding model of this process: M_P's, and the lexicon's for names of values."""
    return Embedder(store=warehouse_store())


@lru_cache(maxsize=1)
def evaluator_weights() -> EvaluatorWeights:
    """The weights that ship."""
    return EvaluatorWeights.load()


@lru_cache(maxsize=1)
def make_value_encoder() -> Embedder:
    """The encoder that training has tuned to values: M_G's and M_E's, one of this process."""
    adapter = evaluator_weights().adapter
    name = f"gpla-minilm-{SHIPPED_VERSION}"
    return Embedder(adapter=adapter, name=name, store=warehouse_store())


@lru_cache(maxsize=1)
def make_cross_encoder() -> CrossEncoder:
    """M_E's judge in mode accurate; raises BackendUnavailable without its base model."""
    name = f"gpla-mpnet-{CROSS_VERSION}"
    weights = CrossWeights.load(SHIPPED_CROSS)
    return CrossEncoder(base_model(), weights, name, store=warehouse_store())


def make_chat(settings: Model, asking: Asking) -> Chat:
    """The LLM that a prompted agent asks; raises BackendUnavailable where none is named."""
    if not settings.model:
        raise BackendUnavailable(
            f"Backend {settings.backend!r} has no model: found model = {settings.model!r}, "
            "expected a hub name, a folder or an endpoint's name; set it in the study."
        )
    if settings.backend == "openai":
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
        )
    from gpla_assets.chat.transformers_chat import TransformersChat

    return TransformersChat(
        settings.model,
        revision=settings.revision,
        dtype=settings.dtype,
        device=settings.device,
        batch_size=settings.batch_size,
    )


@dataclass(frozen=True)
class Backend:
    """How an agent is made from its settings and the run's `Asking`.

    `uses`: the settings that bear on what it gives; others (device, batch size, those of other
    backends) change no result.
    """

    make: Callable[[Any, Asking], Any]
    uses: tuple[str, ...]


ENDPOINT = ("model", "revision", "base_url", "prompt_version")
WEIGHTS = ("model", "revision", "dtype", "prompt_version")
"""Settings that decide what an LLM says: one that is asked, and one that runs here."""


def _embedded_parser(settings: Parser, asking: Asking) -> PerceptionParser:
    return SentenceParser(make_embedder(), settings.minimum_attitude)


def _prompted_parser(settings: Parser, asking: Asking) -> PerceptionParser:
    return PromptedParser(
        make_chat(settings, asking),
        chunk_tokens=settings.chunk_tokens,
        temperature=settings.temperature,
        seed=asking.seed,
        prompt_version=settings.prompt_version,
    )


def _embedded_generator(settings: Generator, asking: Asking) -> ValueGenerator:
    return EmbeddedGenerator(
        make_value_encoder(),
        evaluator_weights().heads,
        vocabulary(),
        settings.minimum_relevance,
        settings.values_per_perception,
    )


def _kaleido(settings: Generator, asking: Asking) -> ValueGenerator:
    from gpla_assets.agents.kaleido import KaleidoGenerator

    return KaleidoGenerator(
        settings.model or PUBLISHED["kaleido"],
        make_embedder().encode,
        revision=settings.revision,
        dtype=settings.dtype,
        device=settings.device,
        batch_size=settings.batch_size,
        beams=settings.beams,
        max_new_tokens=settings.max_new_tokens,
    )


def _prompted_generator(settings: Generator, asking: Asking) -> ValueGenerator:
    return PromptedGenerator(
        make_chat(settings, asking),
        known=vocabulary()["value"],
        values_per_perception=settings.values_per_perception,
        seed=asking.seed,
        prompt_version=settings.prompt_version,
    )


def _embedded_evaluator(
    minimum_relevance: float, judge: PairJudge | None = None
) -> EmbeddedEvaluator:
    heads = evaluator_weights().heads
    return EmbeddedEvaluator(make_value_encoder(), heads, minimum_relevance, judge)


def _fast_evaluator(settings: Evaluator, asking: Asking) -> ValueEvaluator:
    return _embedded_evaluator(settings.minimum_relevance)


def _accurate_evaluator(settings: Evaluator, asking: Asking) -> ValueEvaluator:
    return _embedded_evaluator(settings.minimum_relevance, make_cross_encoder())


def _valuellama(settings: Evaluator, asking: Asking) -> ValueEvaluator:
    from gpla_assets.agents.valuellama import ValueLlamaEvaluator

    return ValueLlamaEvaluator(
        settings.model or PUBLISHED["valuellama"],
        revision=settings.revision,
        dtype=settings.dtype,
        device=settings.device,
        batch_size=settings.batch_size,
        minimum_relevance=settings.minimum_relevance,
    )


def _prompted_evaluator(settings: Evaluator, asking: Asking) -> ValueEvaluator:
    def gated(perceptions: Sequence[str], values: Sequence[str]) -> list[tuple[int, int]]:
        definitions = definitions_of(pd.Series(list(values)), vocabulary())
        above = _embedded_evaluator(settings.gate or 0.0)
        return plausible_pairs(above, definitions)(perceptions, values)

    return PromptedEvaluator(
        make_chat(settings, asking),
        minimum_relevance=settings.minimum_relevance,
        candidates=None if settings.gate is None else gated,
        seed=asking.seed,
        prompt_version=settings.prompt_version,
    )


def _transformers_subject(settings: tuple[SubjectSource, str], asking: Asking) -> Subject:
    source, llm = settings
    return TransformersSubject(llm, source.max_new_tokens, source.batch_size)


def _openai_subject(settings: tuple[SubjectSource, str], asking: Asking) -> Subject:
    source, llm = settings
    chat = make_chat(source.model_copy(update={"model": llm}), asking)
    return ChatSubject(chat, source.max_new_tokens, source.temperature, asking.seed)


def _namer(settings: Model, asking: Asking) -> PromptedNamer:
    return PromptedNamer(make_chat(settings, asking), asking.seed, settings.prompt_version)


PARSERS = {
    "embedded": Backend(_embedded_parser, ("minimum_attitude",)),
    "transformers": Backend(_prompted_parser, (*WEIGHTS, "chunk_tokens", "temperature")),
    "openai": Backend(_prompted_parser, (*ENDPOINT, "chunk_tokens", "temperature")),
}
GENERATORS = {
    "embedded": Backend(_embedded_generator, ("minimum_relevance", "values_per_perception")),
    "kaleido": Backend(_kaleido, ("model", "revision", "dtype", "beams", "max_new_tokens")),
    "transformers": Backend(_prompted_generator, (*WEIGHTS, "values_per_perception")),
    "openai": Backend(_prompted_generator, (*ENDPOINT, "values_per_perception")),
}
EVALUATORS = {
    "embedded, fast": Backend(_fast_evaluator, ("minimum_relevance", "score")),
    "embedded, accurate": Backend(_accurate_evaluator, ("minimum_relevance", "score")),
    "valuellama": Backend(_valuellama, ("model", "revision", "dtype", "minimum_relevance")),
    "transformers": Backend(_prompted_evaluator, (*WEIGHTS, "minimum_relevance", "gate")),
    "openai": Backend(_prompted_evaluator, (*ENDPOINT, "minimum_relevance", "gate")),
}
SUBJECTS = {
    "transformers": Backend(_transformers_subject, ("max_new_tokens",)),
    "openai": Backend(_openai_subject, ("revision", "base_url", "max_new_tokens", "temperature")),
}
NAMERS = {
    "transformers": Backend(_namer, WEIGHTS),
    "openai": Backend(_namer, ENDPOINT),
}
BACKENDS: Mapping[str, tuple[str, Mapping[str, Backend]]] = {
    "parser": ("PARSERS", PARSERS),
    "generator": ("GENERATORS", GENERATORS),
    "evaluator": ("EVALUATORS", EVALUATORS),
    "subjects": ("SUBJECTS", SUBJECTS),
    "namer": ("NAMERS", NAMERS),
}
"""The backends of each role, and the name under which their table stands here."""


def backend_key(settings: Model) -> str:
    """A backend's name in its table: of the embedded evaluator, its mode belongs to it."""
    if isinstance(settings, Evaluator) and settings.backend == "embedded":
        return f"embedded, {settings.mode}"
    return settings.backend


def make_namer(settings: Model, asking: Asking) -> PromptedNamer:
    """The LLM that names factors; raises BackendUnavailable where none is named."""
    found: PromptedNamer = _named("namer", NAMERS, backend_key(settings)).make(settings, asking)
    return found


def make_parser(settings: Parser, asking: Asking = Asking()) -> PerceptionParser:
    """M_P; raises UnknownBackend or BackendUnavailable."""
    found: PerceptionParser = _named("parser", PARSERS, backend_key(settings)).make(
        settings, asking
    )
    return found


def make_generator(settings: Generator, asking: Asking = Asking()) -> ValueGenerator:
    """M_G; raises UnknownBackend or BackendUnavailable."""
    found: ValueGenerator = _named("generator", GENERATORS, backend_key(settings)).make(
        settings, asking
    )
    return found


def make_evaluator(settings: Evaluator, asking: Asking = Asking()) -> ValueEvaluator:
    """M_E; raises UnknownBackend or BackendUnavailable."""
    found: ValueEvaluator = _named("evaluator", EVALUATORS, backend_key(settings)).make(
        settings, asking
    )
    return found


def make_subject(settings: SubjectSource, llm: str, asking: Asking = Asking()) -> Subject:
    """An LLM that answers here; raises UnknownBackend or BackendUnavailable."""
    found: Subject = _named("subjects", SUBJECTS, settings.backend).make((settings, llm), asking)
    return found


def _named(role: str, table: Mapping[str, Backend], key: str) -> Backend:
    if key in table:
        return table[key]
    raise UnknownBackend(
        f"No {role} backend {key!r}, expected one of "
        f"{', '.join(dict.fromkeys(name.partition(',')[0] for name in table))}."
    )
