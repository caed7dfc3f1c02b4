"""Agents: M_P, M_G, M_E and the LLMs that answer. One file a backend; `registry` makes them."""

from gpla_assets.agents.availability import check_backend, check_weights
from gpla_assets.agents.protocol import (
    Agent,
    BackendUnavailable,
    Perception,
    PerceptionParser,
    Subject,
    UnknownBackend,
    Utterance,
    ValueEvaluator,
    ValueGenerator,
)
from gpla_assets.agents.record import agent_record
from gpla_assets.agents.registry import (
    Asking,
    make_embedder,
    make_evaluator,
    make_generator,
    make_namer,
    make_parser,
    make_subject,
    make_value_encoder,
)

__all__ = [
    "Agent",
    "Asking",
    "BackendUnavailable",
    "Perception",
    "PerceptionParser",
    "Subject",
    "UnknownBackend",
    "Utterance",
    "ValueEvaluator",
    "ValueGenerator",
    "agent_record",
    "check_backend",
    "check_weights",
    "make_embedder",
    "make_evaluator",
    "make_generator",
    "make_namer",
    "make_parser",
    "make_subject",
    "make_value_encoder",
]
