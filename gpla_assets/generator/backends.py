"""M_G by name, and the LLM that names factors: what a study's settings make."""

from __future__ import annotations

from gpla_assets.agents.backends import (
    ENDPOINT,
    PUBLISHED,
    WEIGHTS,
    Asking,
    Backend,
    backend_key,
    backend_named,
    make_chat,
)
from gpla_assets.content import vocabulary
from gpla_assets.embedding.embedder import make_embedder
from gpla_assets.embedding.local_weights import LocalWeights
from gpla_assets.evaluator.backends import evaluator_weights, make_value_encoder
from gpla_assets.generator.embedded import EmbeddedGenerator
from gpla_assets.generator.prompted import PromptedGenerator
from gpla_assets.generator.prompted_namer import PromptedNamer
from gpla_assets.generator.protocol import ValueGenerator
from gpla_assets.studies import Generator, Model


def _embedded_generator(settings: Generator, asking: Asking) -> ValueGenerator:
    return EmbeddedGenerator(
        make_value_encoder(),
        evaluator_weights().heads,
        vocabulary(),
        settings,
    )


def _kaleido(settings: Generator, asking: Asking) -> ValueGenerator:
    from gpla_assets.generator.kaleido import KaleidoGenerator

    weights = LocalWeights.of(settings, PUBLISHED["kaleido"])
    return KaleidoGenerator(weights, make_embedder().encode, settings)


def _prompted_generator(settings: Generator, asking: Asking) -> ValueGenerator:
    return PromptedGenerator(
        make_chat(settings, asking), settings, known=vocabulary()["value"], seed=asking.seed
    )


def _namer(settings: Model, asking: Asking) -> PromptedNamer:
    return PromptedNamer(make_chat(settings, asking), settings, asking.seed)


GENERATORS = {
    "embedded": Backend(_embedded_generator, ("minimum_relevance", "values_per_perception")),
    "kaleido": Backend(
        _kaleido,
        (
            *("model", "revision", "dtype", "beams", "max_new_tokens"),
            *("minimum_relevance", "rouge_threshold", "cosine_threshold"),
        ),
    ),
    "transformers": Backend(_prompted_generator, (*WEIGHTS, "values_per_perception")),
    "openai": Backend(_prompted_generator, (*ENDPOINT, "values_per_perception")),
}


NAMERS = {
    "transformers": Backend(_namer, WEIGHTS),
    "openai": Backend(_namer, ENDPOINT),
}


def make_generator(settings: Generator, asking: Asking = Asking()) -> ValueGenerator:
    """M_G; raises UnknownBackend or BackendUnavailable."""
    return backend_named("generator", GENERATORS, backend_key(settings)).make(settings, asking)


def make_namer(settings: Model, asking: Asking) -> PromptedNamer:
    """The LLM that names factors; raises BackendUnavailable where none is named."""
    return backend_named("namer", NAMERS, backend_key(settings)).make(settings, asking)
