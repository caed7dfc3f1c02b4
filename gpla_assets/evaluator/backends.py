"""M_E by name: what a study's settings make."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import pandas as pd

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
from gpla_assets.content import definitions_of, vocabulary
from gpla_assets.embedding.embedder import Embedder
from gpla_assets.embedding.local_weights import LocalWeights
from gpla_assets.embedding.packaged import base_model
from gpla_assets.embedding.store import EmbeddingStore, warehouse_store
from gpla_assets.evaluator.cross_encoder import CrossEncoder, PairJudge
from gpla_assets.evaluator.cross_weights import CROSS_VERSION, SHIPPED_CROSS, CrossWeights
from gpla_assets.evaluator.embedded import EmbeddedEvaluator
from gpla_assets.evaluator.prompted import PromptedEvaluator, plausible_pairs
from gpla_assets.evaluator.protocol import ValueEvaluator
from gpla_assets.evaluator.weights import SHIPPED_VERSION, EvaluatorWeights
from gpla_assets.studies import Evaluator


@lru_cache(maxsize=1)
def evaluator_weights() -> EvaluatorWeights:
    """The weights that ship."""
    return EvaluatorWeights.load()


@lru_cache(maxsize=1)
def make_value_encoder() -> Embedder:
    """The encoder that training has tuned to values: M_G's and M_E's, one of this process."""
    return value_encoder(warehouse_store())


def value_encoder(store: EmbeddingStore | None) -> Embedder:
    """The same, another at each call, on a store or on none."""
    name = f"gpla-minilm-{SHIPPED_VERSION}"
    return Embedder(adapter=evaluator_weights().adapter, name=name, store=store)


@lru_cache(maxsize=1)
def make_cross_encoder() -> CrossEncoder:
    """M_E's judge in mode accurate, one of this process; raises as `cross_encoder`."""
    return cross_encoder(warehouse_store())


def cross_encoder(store: EmbeddingStore | None) -> CrossEncoder:
    """The same, another at each call; raises BackendUnavailable without its base model."""
    name = f"gpla-mpnet-{CROSS_VERSION}"
    return CrossEncoder(base_model(), CrossWeights.load(SHIPPED_CROSS), name, store=store)


def _embedded_evaluator(settings: Evaluator, judge: PairJudge | None = None) -> EmbeddedEvaluator:
    heads = evaluator_weights().heads
    return EmbeddedEvaluator(make_value_encoder(), heads, settings, judge)


def _fast_evaluator(settings: Evaluator, asking: Asking) -> ValueEvaluator:
    return _embedded_evaluator(settings)


def _accurate_evaluator(settings: Evaluator, asking: Asking) -> ValueEvaluator:
    return _embedded_evaluator(settings, make_cross_encoder())


def _valuellama(settings: Evaluator, asking: Asking) -> ValueEvaluator:
    from gpla_assets.evaluator.valuellama import ValueLlamaEvaluator

    weights = LocalWeights.of(settings, PUBLISHED["valuellama"])
    return ValueLlamaEvaluator(weights, settings)


def _prompted_evaluator(settings: Evaluator, asking: Asking) -> ValueEvaluator:
    def gated(perceptions: Sequence[str], values: Sequence[str]) -> list[tuple[int, int]]:
        definitions = definitions_of(pd.Series(list(values)), vocabulary())
        cut = {"minimum_relevance": settings.gate}
        above = _embedded_evaluator(settings.model_copy(update=cut))
        return plausible_pairs(above, definitions)(perceptions, values)

    return PromptedEvaluator(
        make_chat(settings, asking),
        settings,
        candidates=None if settings.gate is None else gated,
        seed=asking.seed,
    )


EVALUATORS = {
    "embedded, fast": Backend(_fast_evaluator, ("minimum_relevance", "answer_margin")),
    "embedded, accurate": Backend(_accurate_evaluator, ("minimum_relevance", "answer_margin")),
    "valuellama": Backend(_valuellama, ("model", "revision", "dtype", "minimum_relevance")),
    "transformers": Backend(_prompted_evaluator, (*WEIGHTS, "minimum_relevance", "gate")),
    "openai": Backend(_prompted_evaluator, (*ENDPOINT, "minimum_relevance", "gate")),
}


def make_evaluator(settings: Evaluator, asking: Asking = Asking()) -> ValueEvaluator:
    """M_E; raises UnknownBackend or BackendUnavailable."""
    return backend_named("evaluator", EVALUATORS, backend_key(settings)).make(settings, asking)
