"""M_P by name: what a study's settings make."""

from __future__ import annotations

from gpla_assets.agents.backends import (
    ENDPOINT,
    WEIGHTS,
    Asking,
    Backend,
    backend_key,
    backend_named,
    make_chat,
)
from gpla_assets.embedding.embedder import make_embedder
from gpla_assets.parser.embedded import SentenceParser
from gpla_assets.parser.prompted import PromptedParser
from gpla_assets.parser.protocol import PerceptionParser
from gpla_assets.studies import Parser


def _embedded_parser(settings: Parser, asking: Asking) -> PerceptionParser:
    return SentenceParser(make_embedder(), settings.minimum_attitude)


def _prompted_parser(settings: Parser, asking: Asking) -> PerceptionParser:
    return PromptedParser(make_chat(settings, asking), settings, seed=asking.seed)


PARSERS = {
    "embedded": Backend(_embedded_parser, ("minimum_attitude",)),
    "transformers": Backend(_prompted_parser, (*WEIGHTS, "chunk_tokens", "temperature")),
    "openai": Backend(_prompted_parser, (*ENDPOINT, "chunk_tokens", "temperature")),
}


def make_parser(settings: Parser, asking: Asking = Asking()) -> PerceptionParser:
    """M_P; raises UnknownBackend or BackendUnavailable."""
    return backend_named("parser", PARSERS, backend_key(settings)).make(settings, asking)
