"""Backends by name: what a study's settings make."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from gpla_assets.agents.embedding import Embedder, packaged_model
from gpla_assets.agents.embedding_evaluator import TRAINING, EmbeddingEvaluator, train
from gpla_assets.agents.embedding_generator import EmbeddingGenerator
from gpla_assets.agents.heads import HeadWeights
from gpla_assets.agents.protocol import (
    BackendUnavailable,
    PerceptionParser,
    Subject,
    UnknownBackend,
    ValueEvaluator,
    ValueGenerator,
)
from gpla_assets.agents.sentence_parser import SentenceParser
from gpla_assets.agents.trained import kept
from gpla_assets.agents.training import training_items
from gpla_assets.agents.transformers_subject import TransformersSubject, packaged_file
from gpla_assets.content import vocabulary
from gpla_assets.studies import Evaluator, Generator, Parser, SubjectSource

NOT_YET = {
    "parser": ("openai",),
    "generator": ("kaleido",),
    "evaluator": ("valuellama",),
    "subjects": ("openai",),
}
"""Backends of the paper's setting that this version names but cannot run."""


@lru_cache(maxsize=1)
def make_embedder() -> Embedder:
    """The one embedding model of this process: its texts are embedded once for all agents."""
    return Embedder()


def make_parser(settings: Parser) -> PerceptionParser:
    """M_P; raises UnknownBackend or BackendUnavailable."""
    makers = {"sentence": lambda: SentenceParser(make_embedder(), settings.minimum_attitude)}
    return _make("parser", settings.backend, makers)


def make_generator(settings: Generator) -> ValueGenerator:
    """M_G; raises UnknownBackend or BackendUnavailable."""

    def embedding() -> ValueGenerator:
        return EmbeddingGenerator(
            make_embedder(), vocabulary(), settings.minimum_cosine, settings.values_per_perception
        )

    return _make("generator", settings.backend, {"embedding": embedding})


def make_evaluator(settings: Evaluator, seed: int = 0) -> ValueEvaluator:
    """M_E, trained at first use; raises UnknownBackend or BackendUnavailable."""

    def embedding() -> ValueEvaluator:
        embedder = make_embedder()
        items = training_items()
        depends_on = [items.to_dict("list"), embedder.model, seed, TRAINING]
        heads = kept(HeadWeights, "evaluator", depends_on, lambda: train(items, embedder, seed))
        return EmbeddingEvaluator(embedder, heads, settings.minimum_relevance)

    return _make("evaluator", settings.backend, {"embedding": embedding})


def make_subject(settings: SubjectSource, llm: str) -> Subject:
    """An LLM that answers here; raises UnknownBackend or BackendUnavailable."""

    def transformers() -> Subject:
        return TransformersSubject(llm, settings.max_new_tokens, settings.batch_size)

    return _make("subjects", settings.backend, {"transformers": transformers})


def check_backend(role: str, backend: str, model: str | None = None) -> str:
    """What a backend would run, without loading it; raises BackendUnavailable."""
    if backend in NOT_YET.get(role, ()):
        raise BackendUnavailable(_not_yet(role, backend))
    if backend in ("sentence", "embedding"):
        return f"all-MiniLM-L6-v2 in {packaged_model()}"
    if backend == "transformers" and model:
        file = packaged_file(model)
        return str(file) if file else f"{model}: loaded from the hub's cache or a folder"
    raise UnknownBackend(f"No {role} backend {backend!r}.")


def _make(role: str, backend: str, makers: dict[str, Callable[[], Any]]) -> Any:
    if backend in makers:
        return makers[backend]()
    if backend in NOT_YET.get(role, ()):
        raise BackendUnavailable(_not_yet(role, backend))
    raise UnknownBackend(
        f"No {role} backend {backend!r}, expected one of "
        f"{', '.join([*makers, *NOT_YET.get(role, ())])}."
    )


def _not_yet(role: str, backend: str) -> str:
    return (
        f"The {role} backend {backend!r} is named for the paper's own setting and is not part of "
        "this version; choose another in the study, or write it: agents/protocol.py says what it "
        "must do."
    )
