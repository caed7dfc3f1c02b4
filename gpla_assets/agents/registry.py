"""Backends by name: what a study's settings make."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import pandas as pd

from gpla_assets.agents.chat_subject import ChatSubject
from gpla_assets.agents.cross_encoder import CrossEncoder, PairJudge, base_model
from gpla_assets.agents.embedded_evaluator import EmbeddedEvaluator
from gpla_assets.agents.embedded_generator import EmbeddedGenerator
from gpla_assets.agents.embedding import Embedder, packaged_model
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
from gpla_assets.agents.transformers_subject import TransformersSubject, packaged_file
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
    return Embedder()


@lru_cache(maxsize=1)
def evaluator_weights() -> EvaluatorWeights:
    """The weights that ship."""
    return EvaluatorWeights.load()


@lru_cache(maxsize=1)
def make_value_encoder() -> Embedder:
    """The encoder that training has tuned to values: M_G's and M_E's, one of this process."""
    adapter = evaluator_weights().adapter
    return Embedder(adapter=adapter, name=f"gpla-minilm-{SHIPPED_VERSION}")


@lru_cache(maxsize=1)
def make_cross_encoder() -> CrossEncoder:
    """M_E's judge in mode accurate; raises BackendUnavailable without its base model."""
    name = f"gpla-mpnet-{CROSS_VERSION}"
    return CrossEncoder(base_model(), CrossWeights.load(SHIPPED_CROSS), name)


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


def make_namer(settings: Model, asking: Asking) -> PromptedNamer:
    """The LLM that names factors; raises BackendUnavailable where none is named."""
    return PromptedNamer(make_chat(settings, asking), asking.seed, settings.prompt_version)


def make_parser(settings: Parser, asking: Asking = Asking()) -> PerceptionParser:
    """M_P; raises UnknownBackend or BackendUnavailable."""

    def prompted() -> PerceptionParser:
        return PromptedParser(
            make_chat(settings, asking),
            chunk_tokens=settings.chunk_tokens,
            temperature=settings.temperature,
            seed=asking.seed,
            prompt_version=settings.prompt_version,
        )

    makers = {
        "embedded": lambda: SentenceParser(make_embedder(), settings.minimum_attitude),
        "transformers": prompted,
        "openai": prompted,
    }
    return _make("parser", settings.backend, makers)


def make_generator(settings: Generator, asking: Asking = Asking()) -> ValueGenerator:
    """M_G; raises UnknownBackend or BackendUnavailable."""

    def embedded() -> ValueGenerator:
        return EmbeddedGenerator(
            make_value_encoder(),
            evaluator_weights().heads,
            vocabulary(),
            settings.minimum_relevance,
            settings.values_per_perception,
        )

    def kaleido() -> ValueGenerator:
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

    def prompted() -> ValueGenerator:
        return PromptedGenerator(
            make_chat(settings, asking),
            known=vocabulary()["value"],
            values_per_perception=settings.values_per_perception,
            seed=asking.seed,
            prompt_version=settings.prompt_version,
        )

    makers = {
        "embedded": embedded,
        "kaleido": kaleido,
        "transformers": prompted,
        "openai": prompted,
    }
    return _make("generator", settings.backend, makers)


def make_evaluator(settings: Evaluator, asking: Asking = Asking()) -> ValueEvaluator:
    """M_E; raises UnknownBackend or BackendUnavailable."""

    def above(minimum_relevance: float, judge: PairJudge | None = None) -> EmbeddedEvaluator:
        heads = evaluator_weights().heads
        return EmbeddedEvaluator(make_value_encoder(), heads, minimum_relevance, judge)

    def embedded() -> EmbeddedEvaluator:
        judge = make_cross_encoder() if settings.mode == "accurate" else None
        return above(settings.minimum_relevance, judge)

    def gated(perceptions: Sequence[str], values: Sequence[str]) -> list[tuple[int, int]]:
        definitions = definitions_of(pd.Series(list(values)), vocabulary())
        return plausible_pairs(above(settings.gate or 0.0), definitions)(perceptions, values)

    def valuellama() -> ValueEvaluator:
        from gpla_assets.agents.valuellama import ValueLlamaEvaluator

        return ValueLlamaEvaluator(
            settings.model or PUBLISHED["valuellama"],
            revision=settings.revision,
            dtype=settings.dtype,
            device=settings.device,
            batch_size=settings.batch_size,
            minimum_relevance=settings.minimum_relevance,
        )

    def prompted() -> ValueEvaluator:
        return PromptedEvaluator(
            make_chat(settings, asking),
            minimum_relevance=settings.minimum_relevance,
            candidates=None if settings.gate is None else gated,
            seed=asking.seed,
            prompt_version=settings.prompt_version,
        )

    makers = {
        "embedded": embedded,
        "valuellama": valuellama,
        "transformers": prompted,
        "openai": prompted,
    }
    return _make("evaluator", settings.backend, makers)


def make_subject(settings: SubjectSource, llm: str, asking: Asking = Asking()) -> Subject:
    """An LLM that answers here; raises UnknownBackend or BackendUnavailable."""

    def transformers() -> Subject:
        return TransformersSubject(llm, settings.max_new_tokens, settings.batch_size)

    def openai() -> Subject:
        chat = make_chat(settings.model_copy(update={"model": llm}), asking)
        return ChatSubject(chat, settings.max_new_tokens, settings.temperature, asking.seed)

    makers = {"transformers": transformers, "openai": openai}
    return _make("subjects", settings.backend, makers)


def check_backend(role: str, settings: Model, llm: str | None = None) -> str:
    """What a backend would run, without loading it; raises BackendUnavailable or UnknownBackend."""
    backend, model = settings.backend, llm or settings.model
    if backend == "embedded":
        accurate = isinstance(settings, Evaluator) and settings.mode == "accurate"
        more = f", all-mpnet-base-v2 in {base_model()}" if accurate else ""
        return f"all-MiniLM-L6-v2 in {packaged_model()}{more}"
    if backend == "openai":
        from gpla_assets.chat.endpoint import Endpoint

        endpoint = Endpoint(settings.base_url, settings.key_variable)
        return f"{model or 'no model named'} at {endpoint.check()}"
    if backend in PUBLISHED or backend == "transformers":
        return check_weights(model or PUBLISHED.get(backend, ""), settings.device)
    raise UnknownBackend(f"No {role} backend {backend!r}.")


def check_weights(model: str, device: str = "auto") -> str:
    """Where the weights of a model lie; raises BackendUnavailable without them or the device."""
    from pathlib import Path

    from huggingface_hub import try_to_load_from_cache

    if device != "auto":
        from gpla_assets.agents.weights import available_device

        available_device(device)
    file = packaged_file(model)
    if file:
        return str(file)
    if (Path(model) / "config.json").is_file():
        return model
    if isinstance(try_to_load_from_cache(model, "config.json"), str):
        return f"{model} in the hub's cache"
    raise BackendUnavailable(
        f"Model {model!r} is no folder with a config.json and not in the hub's cache; download it "
        f"where there is a network: `hf download {model}`."
    )


def _make(role: str, backend: str, makers: dict[str, Callable[[], Any]]) -> Any:
    if backend in makers:
        return makers[backend]()
    raise UnknownBackend(f"No {role} backend {backend!r}, expected one of {', '.join(makers)}.")
